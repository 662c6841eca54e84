use axum::http::{Method, StatusCode};
use laini_core::desk::Verdict;
use laini_core::partner::{DeskCheckId, PersonId};
use laini_office::desk::{self, HistoryFilter, TypedCheck};
use laini_office::{Actor, Office, Problem, Work};
use laini_wire::office::ReasonRequest;
use laini_wire::office::desk::{DeskChecksAnswer, DeskNumberAnswer, NewDeskCheck};
use serde_json::{Value, json};
use tokio::runtime::Handle;

use super::{INVESTIGATES, words};
use crate::http::{ApiError, OwnApi};
use crate::office::described::{asking, in_query, operation, paged, refusing, taking};
use crate::office::{Beside, Call, Endpoint, Reply};
use crate::openapi::{Answer, Operation};

const ALL: &str = "/office/v1/partners/{partner}/desk/checks";
const ONE: &str = "/office/v1/partners/{partner}/desk/checks/{check}";

pub(super) fn endpoints() -> Vec<Endpoint> {
    let answer = Answer::ok("The receipt.", &["DeskCheckAnswer"], example());
    let show = operation("show_desk_check", (Method::GET, ONE), "A receipt", INVESTIGATES, answer);
    vec![
        Endpoint::new(list_operation(), list_desk_checks),
        Endpoint::new(check_operation(), check_at_desk).beside(Beside::Check),
        Endpoint::new(show, show_desk_check),
        Endpoint::new(reveal_operation(), reveal_desk_check),
    ]
}

fn example() -> Value {
    json!({
        "receipt": "0000000000000007", "person": "0000000000000001", "app": "0000000000000003",
        "environment": "production", "purpose": "cheque_confirmation", "reference": "cheque 4711",
        "number": "2547•••••001", "finding": words::example_finding(),
    })
}

fn list_operation() -> Operation {
    let answer = json!({"checks": [example()], "next": null});
    let answer = Answer::ok("A page of them.", &["DeskChecksAnswer"], answer);
    let summary = "Receipts of checks that were made at the desk, newest first";
    let list = operation("list_desk_checks", (Method::GET, ALL), summary, INVESTIGATES, answer);
    let person = json!({"type": "string", "pattern": "^[0-9a-f]{16}$"});
    let verdict = json!({"type": "string", "enum": Verdict::ALL.map(Verdict::word)});
    let list = asking(
        list,
        [
            in_query("reference", "Of this case.", json!({"type": "string", "maxLength": 128})),
            in_query("person", "Made by this person.", person),
            in_query("verdict", "With this verdict.", verdict),
            in_query("before", "Asked before this instant.", json!({"type": "string", "format": "date-time"})),
        ],
    );
    refusing(paged(list), ApiError::InvalidField("before", "expected an instant in RFC 3339".into()))
}

fn check_operation() -> Operation {
    let answer = Answer::ok("The receipt, with the verdict.", &["DeskCheckAnswer"], example());
    let answer = Answer { status: StatusCode::CREATED, ..answer };
    let summary =
        "Look a number up: a verdict by your thresholds. It counts for your day and costs what the check costs";
    let body = json!({
        "app": "0000000000000003", "number": "0722000001", "purpose": "cheque_confirmation",
        "reference": "cheque 4711",
    });
    let check = operation("check_at_desk", (Method::POST, ALL), summary, INVESTIGATES, answer);
    let check = refusing(taking(check, "NewDeskCheck", body), ApiError::SpikeArrest { retry_after_s: 5 });
    refusing(check, ApiError::InvalidField("app", "choose one of your apps that works".into()))
}

fn reveal_operation() -> Operation {
    let path = "/office/v1/partners/{partner}/desk/checks/{check}/reveal";
    let answer = Answer::ok("The number, shown once.", &["DeskNumberAnswer"], json!({"number": "254722000001"}));
    let answer = Answer { status: StatusCode::CREATED, ..answer };
    let summary = "Uncover the number of a receipt; the audit trail has who and why";
    let reveal = operation("reveal_desk_check", (Method::POST, path), summary, INVESTIGATES, answer);
    taking(reveal, "ReasonRequest", json!({"reason": "calling the drawer"}))
}

fn list_desk_checks(work: &mut Work<'_>, call: &Call) -> Result<Reply, Problem> {
    let person = call.query("person").map(PersonId::parse).transpose();
    let verdict = call.query("verdict").map(|word| Verdict::parse(word).ok_or(()));
    let before = call.query("before").map(str::parse).transpose();
    let filter = HistoryFilter {
        reference: call.query("reference").map(str::to_owned),
        person: person.map_err(|_| Problem::invalid("person", "expected the id of a person"))?,
        verdict: verdict.transpose().map_err(|()| Problem::invalid("verdict", "expected allow, step_up or hold"))?,
        before: before.map_err(|_| Problem::invalid("before", "expected an instant in RFC 3339"))?,
    };
    let page = desk::history(work, call.partner()?, &filter, call.page()?)?;
    let checks = page.items.iter().map(|check| words::check(work, check)).collect();
    Reply::ok(&DeskChecksAnswer { checks, next: page.next.map(|next| next.to_string()) })
}

/// What comes before [`check_at_desk`]: the API is asked. Blocks its thread.
pub(in crate::office) fn before_check(
    (api, key): (&OwnApi, Option<&str>),
    office: &Office,
    actor: &Actor,
    call: &mut Call,
) -> Result<(), Problem> {
    let (partner, NewDeskCheck { app, number, purpose, reference, expect }) = (call.partner()?, call.json()?);
    let typed = TypedCheck { number, app, purpose, reference, expect: expect.unwrap_or_default() };
    let about = office.run(actor, call.at, |work| desk::begin_check(work, partner, &typed))?;
    let inside = api.get().ok_or_else(|| Problem::not_now("the server ends"))?;
    let told = Handle::current().block_on(crate::desk::ask(&inside, office, call.asker, &about, key))?;
    call.looked_up = Some((about, told));
    Ok(())
}

fn check_at_desk(work: &mut Work<'_>, call: &Call) -> Result<Reply, Problem> {
    let (about, told) = call.looked_up.as_ref().ok_or_else(|| Problem::Store("nothing was asked".to_owned()))?;
    let check = desk::keep_check(work, call.partner()?, about, told.clone())?;
    Reply::created(&words::check(work, &check))
}

fn show_desk_check(work: &mut Work<'_>, call: &Call) -> Result<Reply, Problem> {
    let check = desk::check(work, call.partner()?, call.id("check", DeskCheckId::parse)?)?;
    Reply::ok(&words::check(work, &check))
}

fn reveal_desk_check(work: &mut Work<'_>, call: &Call) -> Result<Reply, Problem> {
    let ReasonRequest { reason } = call.json()?;
    let number = desk::reveal_check(work, call.partner()?, call.id("check", DeskCheckId::parse)?, &reason)?;
    Reply::created_once(&DeskNumberAnswer { number: number.to_string() })
}
