//! Sessions: signing in, who one is, where one is signed in.

use axum::http::{Method, StatusCode};
use laini_core::partner::{PersonId, SessionId};
use laini_office::people::{self, Person, Session, SignIn, SignedIn};
use laini_office::{Problem, Work};
use laini_wire::office::people::{MeAnswer, SessionAnswer, SessionsAnswer, SignInRequest, SignedInAnswer};
use serde_json::{Value, json};

use super::described::{LOOKERS, operation};
use super::{Call, Endpoint, Noun, Reply};
use crate::http::{ApiError, SignInProblem};
use crate::openapi::{Access, Answer, Body, Operation, Schemas, collect};

pub(super) const NOUN: Noun = Noun {
    tag: "sessions",
    description: "Who signs in to the office.",
    endpoints: || {
        vec![
            Endpoint::new(show_me_operation(), show_me),
            Endpoint::new(open_session_operation(), open_session),
            Endpoint::new(list_sessions_operation(), list_sessions),
            Endpoint::new(close_session_operation(), close_session),
            Endpoint::new(close_other_sessions_operation(), close_other_sessions),
            Endpoint::new(close_one_session_operation(), close_one_session),
        ]
    },
    schemas,
};

fn schemas() -> Schemas {
    let mut schemas = Vec::new();
    collect::<MeAnswer>(&mut schemas);
    collect::<SignInRequest>(&mut schemas);
    collect::<SignedInAnswer>(&mut schemas);
    collect::<SessionsAnswer>(&mut schemas);
    schemas
}

fn show_me_operation() -> Operation {
    let answer = json!({
        "person": "0000000000000001", "name": "A. Developer", "partner": "0000000000000002", "role": "developer",
    });
    operation(
        "show_me",
        (Method::GET, "/office/v1/me"),
        "Who the session is of, and what they may",
        LOOKERS,
        Answer::ok("Who it is.", &["MeAnswer"], answer),
    )
}

fn show_me(work: &mut Work<'_>, _: &Call) -> Result<Reply, Problem> {
    let person: Person = work.get(me(work)?)?;
    Reply::ok(&MeAnswer {
        person: person.id.to_string(),
        name: person.name.clone(),
        partner: person.seat.partner().map(|partner| partner.to_string()),
        role: person.seat.role_word().to_owned(),
    })
}

/// An example of a session that has just begun.
pub(super) fn signed_in_example() -> Value {
    json!({
        "token": "laini_s_0000000000000001_xxxx", "person": "0000000000000001", "partner": "0000000000000002",
        "role": "developer", "must_set_up_factor": false,
    })
}

/// Somebody who came in, as an answer.
pub(super) fn signed_in(come: &SignedIn) -> SignedInAnswer {
    SignedInAnswer {
        token: come.token.to_string(),
        person: come.person.id.to_string(),
        partner: come.person.seat.partner().map(|partner| partner.to_string()),
        role: come.person.seat.role_word().to_owned(),
        must_set_up_factor: come.must_set_up_factor,
    }
}

fn open_session_operation() -> Operation {
    let on = (Method::POST, "/office/v1/sessions");
    let answer = Answer::ok("A session has begun.", &["SignedInAnswer"], signed_in_example());
    let answer = Answer { status: StatusCode::CREATED, ..answer };
    let example = json!({"email": "a.person@bank.example", "password": "four words walk home", "code": "123456"});
    let refusals = vec![
        ApiError::SignIn(SignInProblem::Wrong),
        ApiError::SignIn(SignInProblem::CodeNeeded),
        ApiError::SignIn(SignInProblem::CodeWrong),
        ApiError::SpikeArrest { retry_after_s: 30 },
    ];
    let summary = "Sign in; the session of a bearer token that comes along ends";
    let body = Some(Body::json("SignInRequest", example));
    Operation { body, refusals, ..Operation::new("open_session", on, summary, Access::Anyone, answer) }
}

fn open_session(work: &mut Work<'_>, call: &Call) -> Result<Reply, Problem> {
    let asked: SignInRequest = call.json()?;
    let shown = SignIn {
        email: &asked.email,
        password: &asked.password,
        code: asked.code.as_deref(),
        recovery_code: asked.recovery_code.as_deref(),
        address: &call.address,
        peer: &call.peer,
        before: call.bearer.as_ref().map(|token| token.as_str()),
    };
    Reply::created_once(&signed_in(&people::sign_in(work, &shown)?))
}

fn list_sessions_operation() -> Operation {
    let session = json!({
        "session": "0000000000000009", "is_current": true, "began": "2026-11-22T09:00:00Z",
        "seen": "2026-11-22T09:12:00Z", "ends": "2026-11-22T09:42:00Z", "address": "192.0.2.7",
    });
    let answer = Answer::ok("Newest first.", &["SessionsAnswer"], json!({"items": [session]}));
    let on = (Method::GET, "/office/v1/sessions");
    operation("list_sessions", on, "Where one is signed in", LOOKERS, answer)
}

fn list_sessions(work: &mut Work<'_>, call: &Call) -> Result<Reply, Problem> {
    let person = me(work)?;
    let sessions = people::list_sessions(work, person)?;
    Reply::ok(&SessionsAnswer { items: sessions.iter().map(|session| session_answer(session, call)).collect() })
}

fn session_answer(session: &Session, call: &Call) -> SessionAnswer {
    SessionAnswer {
        session: session.id.to_string(),
        is_current: Some(session.id) == call.session,
        began: session.began.to_string(),
        seen: session.seen.to_string(),
        ends: session.ends().to_string(),
        address: session.address.clone(),
    }
}

fn close_session_operation() -> Operation {
    let on = (Method::DELETE, "/office/v1/sessions/current");
    let answer = Answer::no_content("The session has ended.");
    operation("close_session", on, "Sign out", LOOKERS, answer)
}

fn close_session(work: &mut Work<'_>, call: &Call) -> Result<Reply, Problem> {
    let person = me(work)?;
    people::end_session(work, person, call.session.ok_or(Problem::NotFound("session"))?)?;
    Ok(Reply::no_content())
}

fn close_other_sessions_operation() -> Operation {
    let on = (Method::DELETE, "/office/v1/sessions");
    let answer = Answer::no_content("One's other sessions have ended.");
    operation("close_other_sessions", on, "Sign out everywhere else", LOOKERS, answer)
}

fn close_other_sessions(work: &mut Work<'_>, call: &Call) -> Result<Reply, Problem> {
    let person = me(work)?;
    people::end_sessions(work, person, call.session)?;
    let partner = work.actor.partner();
    work.note("session.close_others", partner, person, "");
    Ok(Reply::no_content())
}

fn close_one_session_operation() -> Operation {
    let on = (Method::DELETE, "/office/v1/sessions/{session}");
    let answer = Answer::no_content("It has ended.");
    operation("close_one_session", on, "End a session of one's own", LOOKERS, answer)
}

fn close_one_session(work: &mut Work<'_>, call: &Call) -> Result<Reply, Problem> {
    let person = me(work)?;
    people::end_session(work, person, call.id("session", SessionId::parse)?)?;
    Ok(Reply::no_content())
}

fn me(work: &Work<'_>) -> Result<PersonId, Problem> {
    work.actor.person().ok_or(Problem::NotFound("person"))
}
