//! Who one is.

use axum::http::Method;
use laini_core::partner::May;
use laini_office::people::Person;
use laini_office::{Problem, Work};
use laini_wire::office::people::MeAnswer;
use serde_json::json;

use super::{Call, Endpoint, Noun, Reply};
use crate::openapi::{Access, Answer, Operation, Schemas, collect};

pub(super) const NOUN: Noun = Noun {
    tag: "sessions",
    description: "Who signs in to the office.",
    endpoints: || vec![Endpoint::new(show_me_operation(), show_me)],
    schemas,
};

fn schemas() -> Schemas {
    let mut schemas = Vec::new();
    collect::<MeAnswer>(&mut schemas);
    schemas
}

fn show_me_operation() -> Operation {
    let answer = json!({
        "person": "0000000000000001", "name": "A. Developer", "partner": "0000000000000002", "role": "developer",
    });
    Operation::new(
        "show_me",
        (Method::GET, "/office/v1/me"),
        "Who the session is of, and what they may",
        Access::Session(May::ANYBODY),
        Answer::ok("Who it is.", &["MeAnswer"], answer),
    )
}

fn show_me(work: &mut Work<'_>, _: &Call) -> Result<Reply, Problem> {
    let id = work.actor.person().ok_or(Problem::NotFound("person"))?;
    let person: Person = work.get(id)?;
    Reply::ok(&MeAnswer {
        person: person.id.to_string(),
        name: person.name.clone(),
        partner: person.seat.partner().map(|partner| partner.to_string()),
        role: person.seat.role_word().to_owned(),
    })
}
