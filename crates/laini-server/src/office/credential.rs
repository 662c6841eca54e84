//! Passwords: the first one by an invitation, another one, and a new one by letter.

use axum::http::{Method, StatusCode};
use laini_office::{Problem, Work, people};
use laini_wire::office::people::{AcceptRequest, CompleteResetRequest, PasswordRequest, ResetRequest};
use serde_json::json;

use super::described::{LOOKERS, operation, refusing, taking};
use super::session::{signed_in, signed_in_example};
use super::{Call, Endpoint, Noun, Reply};
use crate::http::ApiError;
use crate::openapi::{Access, Answer, Body, Operation, Schemas, collect};

pub(super) const NOUN: Noun = Noun {
    tag: "passwords",
    description: "How people come in for the first time, and change what they prove themselves with.",
    endpoints: || {
        vec![
            Endpoint::new(accept_invitation_operation(), accept_invitation),
            Endpoint::new(ask_for_reset_operation(), ask_for_reset),
            Endpoint::new(complete_reset_operation(), complete_reset),
            Endpoint::new(change_password_operation(), change_password),
        ]
    },
    schemas,
};

fn schemas() -> Schemas {
    let mut schemas = Vec::new();
    collect::<AcceptRequest>(&mut schemas);
    collect::<ResetRequest>(&mut schemas);
    collect::<CompleteResetRequest>(&mut schemas);
    collect::<PasswordRequest>(&mut schemas);
    schemas
}

pub(super) fn of_token() -> Vec<ApiError> {
    vec![ApiError::InvalidField("token", "it was used already, has expired, or is none; ask for a new one".into())]
}

fn accept_invitation_operation() -> Operation {
    let on = (Method::POST, "/office/v1/invitations/accept");
    let answer = Answer::ok("They are in.", &["SignedInAnswer"], signed_in_example());
    let answer = Answer { status: StatusCode::CREATED, ..answer };
    let summary = "Come in for the first time, with the token of an invitation; as with signing in, a session from before \
                   ends";
    let example =
        json!({"token": "laini_t_0000000000000001_xxxx", "password": "four words walk home", "name": "A. Person"});
    let body = Some(Body::json("AcceptRequest", example));
    Operation { body, refusals: of_token(), ..Operation::new("accept_invitation", on, summary, Access::Anyone, answer) }
}

fn accept_invitation(work: &mut Work<'_>, call: &Call) -> Result<Reply, Problem> {
    let asked: AcceptRequest = call.json()?;
    let (name, before) = (asked.name.as_deref(), call.bearer.as_ref().map(|token| token.as_str()));
    let accepted = people::accept_invitation(work, &asked.token, &asked.password, name, &call.address, before)?;
    Reply::created_once(&signed_in(&accepted))
}

fn ask_for_reset_operation() -> Operation {
    let on = (Method::POST, "/office/v1/password-resets");
    let answer = Answer::no_content("Whoever has the address gets a letter; every quarter of an hour at most.");
    let body = Some(Body::json("ResetRequest", json!({"email": "a.person@bank.example"})));
    let no_email = ApiError::InvalidField("email", "expected an e-mail address".into());
    let refusals = vec![no_email];
    let summary = "Ask for a new password; the answer is the same whether somebody has the address or not";
    Operation { body, refusals, ..Operation::new("ask_for_reset", on, summary, Access::Anyone, answer) }
}

fn ask_for_reset(work: &mut Work<'_>, call: &Call) -> Result<Reply, Problem> {
    let asked: ResetRequest = call.json()?;
    people::ask_for_reset(work, &asked.email)?;
    Ok(Reply::no_content())
}

fn complete_reset_operation() -> Operation {
    let on = (Method::POST, "/office/v1/password-resets/complete");
    let answer = Answer::no_content("The password is set; every session has ended.");
    let example = json!({"token": "laini_t_0000000000000001_xxxx", "password": "four words walk home"});
    let body = Some(Body::json("CompleteResetRequest", example));
    let summary = "Set a new password, with the token of a letter";
    Operation { body, refusals: of_token(), ..Operation::new("complete_reset", on, summary, Access::Anyone, answer) }
}

fn complete_reset(work: &mut Work<'_>, call: &Call) -> Result<Reply, Problem> {
    let asked: CompleteResetRequest = call.json()?;
    people::complete_reset(work, &asked.token, &asked.password)?;
    Ok(Reply::no_content())
}

fn change_password_operation() -> Operation {
    let on = (Method::PUT, "/office/v1/password");
    let answer = Answer::no_content("It is changed; one's other sessions have ended.");
    let example = json!({"password": "four words walk home", "new_password": "another four words"});
    let operation = operation("change_password", on, "Change one's password", LOOKERS, answer);
    taking(refusing(operation, ApiError::SpikeArrest { retry_after_s: 30 }), "PasswordRequest", example)
}

fn change_password(work: &mut Work<'_>, call: &Call) -> Result<Reply, Problem> {
    let asked: PasswordRequest = call.json()?;
    people::change_password(work, &asked.password, &asked.new_password, call.session, &call.peer)?;
    Ok(Reply::no_content())
}
