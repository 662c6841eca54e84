//! Registrations: an organisation that a stranger brings, until its e-mail address is confirmed.

use axum::http::{Method, StatusCode};
use laini_office::people::{self, Confirmation, Stranger};
use laini_office::{Problem, Work};
use laini_wire::office::people::{ConfirmRegistrationRequest, RegistrationRequest};
use serde_json::json;

use super::going_live::terms;
use super::session::{signed_in, signed_in_example};
use super::{Call, Endpoint, Noun, Reply, credential};
use crate::http::ApiError;
use crate::openapi::{Access, Answer, Body, Operation, Schemas, collect};

pub(super) const NOUN: Noun = Noun {
    tag: "registrations",
    description: "How an organisation registers itself, where the operator lets it.",
    endpoints: || {
        vec![
            Endpoint::new(register_operation(), register),
            Endpoint::new(confirm_registration_operation(), confirm_registration),
        ]
    },
    schemas,
};

fn schemas() -> Schemas {
    let mut schemas = Vec::new();
    collect::<RegistrationRequest>(&mut schemas);
    collect::<ConfirmRegistrationRequest>(&mut schemas);
    schemas
}

fn closed() -> ApiError {
    ApiError::Refused("organisations do not register themselves here; ask the operator".to_owned())
}

fn register_operation() -> Operation {
    let answer = Answer::no_content("Whoever has the address gets a letter; every quarter of an hour at most.");
    let answer = Answer { status: StatusCode::ACCEPTED, ..answer };
    let company = "Example Bank";
    let example =
        json!({"company": company, "email": "a.person@bank.example", "name": "A. Person", "terms": terms::example()});
    let refusals = vec![
        ApiError::InvalidField("email", "expected an e-mail address".into()),
        ApiError::NotNow("these are not the terms in force; read those that are, and accept them".to_owned()),
        ApiError::SpikeArrest { retry_after_s: 3_600 },
        closed(),
    ];
    let on = (Method::POST, "/office/v1/registrations");
    let summary = "Register an organisation; the answer is the same whether somebody has the address or not";
    let body = Some(Body::json("RegistrationRequest", example));
    Operation { body, refusals, ..Operation::new("register", on, summary, Access::Anyone, answer) }
}

fn register(work: &mut Work<'_>, call: &Call) -> Result<Reply, Problem> {
    let asked: RegistrationRequest = call.json()?;
    let stranger = Stranger {
        company: &asked.company,
        email: &asked.email,
        name: &asked.name,
        terms: terms::read(&asked.terms)?,
        peer: &call.peer,
    };
    people::register(work, &stranger)?;
    Ok(Reply::accepted())
}

fn confirm_registration_operation() -> Operation {
    let on = (Method::POST, "/office/v1/registrations/confirm");
    let answer = Answer::ok("They are in, as owner; onboarding begins.", &["SignedInAnswer"], signed_in_example());
    let answer = Answer { status: StatusCode::CREATED, ..answer };
    let summary =
        "Confirm a registration, with the token of its letter; as with signing in, a session from before ends";
    let example = json!({"token": "laini_t_0000000000000001_xxxx", "password": "four words walk home"});
    let body = Some(Body::json("ConfirmRegistrationRequest", example));
    let mut refusals = credential::of_token();
    refusals.push(ApiError::Taken("an organisation of this name is here already".to_owned()));
    refusals.push(closed());
    Operation { body, refusals, ..Operation::new("confirm_registration", on, summary, Access::Anyone, answer) }
}

fn confirm_registration(work: &mut Work<'_>, call: &Call) -> Result<Reply, Problem> {
    let asked: ConfirmRegistrationRequest = call.json()?;
    let shown = Confirmation {
        token: &asked.token,
        password: &asked.password,
        name: asked.name.as_deref(),
        company: asked.company.as_deref(),
        address: &call.address,
        before: call.bearer.as_ref().map(|token| token.as_str()),
    };
    Reply::created_once(&signed_in(&people::confirm_registration(work, &shown)?))
}
