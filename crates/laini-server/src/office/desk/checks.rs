use axum::http::{Method, StatusCode};
use laini_core::desk::Verdict;
use laini_core::partner::{DeskCheckId, PersonId};
use laini_office::desk::{self, HistoryFilter};
use laini_office::{Problem, Work};
use laini_wire::office::ReasonRequest;
use laini_wire::office::desk::{DeskChecksAnswer, DeskNumberAnswer};
use serde_json::{Value, json};

use super::{INVESTIGATES, words};
use crate::http::ApiError;
use crate::office::described::{asking, in_query, operation, paged, refusing, taking};
use crate::office::{Call, Endpoint, Reply};
use crate::openapi::{Answer, Operation};

const ALL: &str = "/office/v1/partners/{partner}/desk/checks";
const ONE: &str = "/office/v1/partners/{partner}/desk/checks/{check}";

pub(super) fn endpoints() -> Vec<Endpoint> {
    let answer = Answer::ok("The receipt.", &["DeskCheckAnswer"], example());
    let show = operation("show_desk_check", (Method::GET, ONE), "A receipt", INVESTIGATES, answer);
    vec![
        Endpoint::new(list_operation(), list_desk_checks),
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

fn show_desk_check(work: &mut Work<'_>, call: &Call) -> Result<Reply, Problem> {
    let check = desk::check(work, call.partner()?, call.id("check", DeskCheckId::parse)?)?;
    Reply::ok(&words::check(work, &check))
}

fn reveal_desk_check(work: &mut Work<'_>, call: &Call) -> Result<Reply, Problem> {
    let ReasonRequest { reason } = call.json()?;
    let number = desk::reveal_check(work, call.partner()?, call.id("check", DeskCheckId::parse)?, &reason)?;
    Reply::created_once(&DeskNumberAnswer { number: number.to_string() })
}
