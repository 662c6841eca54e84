//! What is delivered to a partner's result addresses.

use axum::http::Method;
use laini_core::billing::CheckId;
use laini_core::partner::AppId;
use laini_core::store::{Delivery, DeliveryId, DeliveryQuery, DeliveryState};
use laini_office::{Problem, Work, deliveries};
use laini_wire::office::ReasonRequest;
use laini_wire::office::deliveries::{DeliveriesAnswer, DeliveryAnswer};
use serde_json::{Value, json};

use super::apps::CHANGES;
use super::described::{LOOKERS, asking, in_query, operation, paged, taking};
use super::{Call, Endpoint, Noun, Reply};
use crate::openapi::{Answer, Operation, Schemas, collect};

pub(super) const NOUN: Noun = Noun {
    tag: "office deliveries",
    description: "What is delivered to a partner's result addresses.",
    endpoints: || {
        vec![
            Endpoint::new(list_deliveries_operation(), list_partner_deliveries),
            Endpoint::new(show_delivery_operation(), show_delivery),
            Endpoint::new(redeliver_operation(), redeliver),
        ]
    },
    schemas,
};

fn schemas() -> Schemas {
    let mut schemas = Vec::new();
    collect::<DeliveriesAnswer>(&mut schemas);
    schemas
}

fn example() -> Value {
    json!({
        "delivery": "971f-4359-b611-6845a1be45ef280786", "kind": "result", "app": "0000000000000004",
        "address": "0000000000000005", "made_at": "2026-11-22T09:00:00Z", "state": "due",
        "due_at": "2026-11-22T09:00:05Z", "attempts": 1, "last_attempt_at": "2026-11-22T09:00:00Z", "last_status": 503,
        "last_problem": "it answered 503, not 2xx",
    })
}

fn list_deliveries_operation() -> Operation {
    let answer = json!({"deliveries": [example()], "next": null});
    let answer = Answer::ok("A page of them.", &["DeliveriesAnswer"], answer);
    let path = "/office/v1/partners/{partner}/deliveries";
    let summary = "Deliveries of a partner's apps, newest first";
    let filters = [
        in_query("app", "Only deliveries of this app.", json!({"type": "string", "pattern": "^[0-9a-f]{16}$"})),
        in_query("state", "Only those that were given up.", json!({"type": "string", "enum": ["dead"]})),
    ];
    paged(asking(operation("list_partner_deliveries", (Method::GET, path), summary, LOOKERS, answer), filters))
}

fn show_delivery_operation() -> Operation {
    let answer = Answer::ok("The delivery.", &["DeliveryAnswer"], example());
    let path = "/office/v1/partners/{partner}/deliveries/{delivery}";
    operation("show_delivery", (Method::GET, path), "One delivery", LOOKERS, answer)
}

fn redeliver_operation() -> Operation {
    let answer = Answer::ok("It is due.", &["DeliveryAnswer"], example());
    let path = "/office/v1/partners/{partner}/deliveries/{delivery}/redeliver";
    let summary = "Make a delivery due again, whatever became of it";
    let operation = operation("redeliver", (Method::POST, path), summary, CHANGES, answer);
    taking(operation, "ReasonRequest", json!({"reason": "our receiver was down"}))
}

fn list_partner_deliveries(work: &mut Work<'_>, call: &Call) -> Result<Reply, Problem> {
    let after = call.query("after").map(CheckId::parse_request_ref).transpose();
    let after = after.map_err(|_| Problem::invalid("after", "expected the next of the page before"))?;
    let app = call.query("app").map(AppId::parse).transpose().map_err(|_| Problem::invalid("app", "expected an id"))?;
    let only_dead = match call.query("state") {
        None => false,
        Some("dead") => true,
        Some(_) => return Err(Problem::invalid("state", "expected dead")),
    };
    let (after, limit) = (after.map(DeliveryId), call.limit()?);
    let query = DeliveryQuery { app, only_dead, after, limit, ..DeliveryQuery::default() };
    let page = deliveries::list(work, call.partner()?, &query)?;
    let deliveries = page.deliveries.into_iter().map(answer).collect();
    Reply::ok(&DeliveriesAnswer { deliveries, next: page.next.map(|id| id.0.request_ref()) })
}

fn show_delivery(work: &mut Work<'_>, call: &Call) -> Result<Reply, Problem> {
    let id = call.id("delivery", CheckId::parse_request_ref)?;
    Reply::ok(&answer(deliveries::the_delivery(work, call.partner()?, id)?))
}

fn redeliver(work: &mut Work<'_>, call: &Call) -> Result<Reply, Problem> {
    let (partner, id) = (call.partner()?, call.id("delivery", CheckId::parse_request_ref)?);
    let request: ReasonRequest = call.json()?;
    deliveries::redeliver(work, partner, id, &request.reason)?;
    Reply::ok(&answer(deliveries::the_delivery(work, partner, id)?))
}

fn answer(delivery: Delivery) -> DeliveryAnswer {
    let (state, due) = match delivery.state {
        DeliveryState::Due(at) => ("due", Some(at)),
        DeliveryState::Delivered => ("delivered", None),
        DeliveryState::Dead => ("dead", None),
    };
    DeliveryAnswer {
        delivery: delivery.id.0.request_ref(),
        kind: delivery.kind.word().to_owned(),
        app: delivery.app.to_string(),
        address: delivery.address.to_string(),
        made_at: delivery.at.to_string(),
        state: state.to_owned(),
        due_at: due.map(|at| at.to_string()),
        attempts: delivery.attempts,
        last_attempt_at: delivery.last.as_ref().map(|last| last.at.to_string()),
        last_status: delivery.last.as_ref().and_then(|last| last.status),
        last_problem: delivery.last.map(|last| last.problem).filter(|problem| !problem.is_empty()),
    }
}
