//! Prepaid balances over HTTP.

use axum::http::Method;
use laini_core::partner::PaymentId;
use laini_office::prepaid::{self, TAX_BASIS_POINTS, TopUp};
use laini_office::{Problem, Work};
use laini_wire::office::payments::{PrepaidAnswer, TopUpAnswer, TopUpPage, TopUpRequest};
use serde_json::{Value, json};

use super::described::{operation, paged, refusing, taking};
use super::payments::params::{MAY_ACT, MAY_READ};
use super::{Call, Endpoint, Noun, Reply};
use crate::http::ApiError;
use crate::openapi::{Answer, Operation, Schemas, collect};

const TOP_UPS: &str = "/office/v1/partners/{partner}/prepaid/top-ups";

pub(super) const NOUN: Noun = Noun {
    tag: "prepaid",
    description: "Partners that pay first: their checks stop where the balance is used up.",
    endpoints: || {
        vec![
            Endpoint::new(show_prepaid_operation(), show_prepaid),
            Endpoint::new(list_top_ups_operation(), list_top_ups),
            Endpoint::new(top_up_prepaid_operation(), top_up_prepaid),
        ]
    },
    schemas,
};

fn schemas() -> Schemas {
    let mut schemas = Vec::new();
    collect::<PrepaidAnswer>(&mut schemas);
    collect::<TopUpAnswer>(&mut schemas);
    collect::<TopUpPage>(&mut schemas);
    collect::<TopUpRequest>(&mut schemas);
    schemas
}

fn example() -> Value {
    json!({
        "top_up": "0000000000000004", "payment": "0000000000000001", "gross_minor": 116_000, "tax_minor": 16_000,
        "net_minor": 100_000, "at": "2026-11-22T09:00:00Z",
    })
}

fn show_prepaid_operation() -> Operation {
    let example = json!({
        "currency": "KES", "from": "2026-11-22T09:00:00Z", "paid_minor": 100_000, "used_minor": 6_000,
        "left_minor": 94_000,
    });
    operation(
        "show_prepaid",
        (Method::GET, "/office/v1/partners/{partner}/prepaid"),
        "What is left of a partner's balance; 404 where it pays invoices",
        MAY_READ,
        Answer::ok("The balance, before tax.", &["PrepaidAnswer"], example),
    )
}

fn list_top_ups_operation() -> Operation {
    let answer = json!({"items": [example()], "next": null});
    let answer = Answer::ok("The top-ups, the newest first.", &["TopUpPage"], answer);
    let operation = operation("list_top_ups", (Method::GET, TOP_UPS), "What was put on a balance", MAY_READ, answer);
    paged(operation)
}

fn top_up_prepaid_operation() -> Operation {
    let operation = operation(
        "top_up_prepaid",
        (Method::POST, TOP_UPS),
        "Puts money of a payment on its partner's balance; the first time ends its invoices",
        MAY_ACT,
        Answer::ok("The top-up; checks are answered from it within 5 s.", &["TopUpAnswer"], example()),
    );
    let used = ApiError::NotNow("of this payment KES 0.00 are free: the rest settles invoices or was used".to_owned());
    let example = json!({"payment": "0000000000000001", "amount_minor": null, "tax_basis_points": null});
    taking(refusing(operation, used), "TopUpRequest", example)
}

fn show_prepaid(work: &mut Work<'_>, call: &Call) -> Result<Reply, Problem> {
    let standing = prepaid::standing(work, call.partner()?)?.ok_or(Problem::NotFound("prepaid balance"))?;
    Reply::ok(&PrepaidAnswer {
        currency: standing.paid.currency.as_str().to_owned(),
        from: standing.from.to_string(),
        paid_minor: standing.paid.minor,
        used_minor: standing.used.minor,
        left_minor: standing.left.minor,
    })
}

fn list_top_ups(work: &mut Work<'_>, call: &Call) -> Result<Reply, Problem> {
    let page = prepaid::top_ups(work, call.partner()?, call.page()?)?;
    let next = page.next.map(|next| next.to_string());
    Reply::ok(&TopUpPage { items: page.items.iter().map(told).collect(), next })
}

fn top_up_prepaid(work: &mut Work<'_>, call: &Call) -> Result<Reply, Problem> {
    let body: TopUpRequest = call.json()?;
    let payment = PaymentId::parse(&body.payment).map_err(|error| Problem::invalid("payment", error.to_string()))?;
    let tax = body.tax_basis_points.unwrap_or(TAX_BASIS_POINTS);
    Reply::ok(&told(&prepaid::top_up(work, call.partner()?, payment, body.amount_minor, tax)?))
}

fn told(top_up: &TopUp) -> TopUpAnswer {
    TopUpAnswer {
        top_up: top_up.id.to_string(),
        payment: top_up.payment.to_string(),
        gross_minor: top_up.gross_minor,
        tax_minor: top_up.tax_minor,
        net_minor: top_up.net_minor,
        at: top_up.at.to_string(),
    }
}
