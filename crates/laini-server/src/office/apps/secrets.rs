use axum::http::{Method, StatusCode};
use laini_core::partner::AppId;
use laini_office::apps::{activity, add_secret, retire_secret, revoke_tokens};
use laini_office::{Problem, Work};
use laini_wire::office::ReasonRequest;
use laini_wire::office::apps::{ActivityAnswer, NewSecretAnswer};
use serde_json::json;

use super::{CHANGES, Call, Endpoint, LOOKS, Reply, operation, taking};
use crate::openapi::{Answer, Operation};

pub(super) fn endpoints() -> Vec<Endpoint> {
    vec![
        Endpoint::new(add_app_secret_operation(), add_app_secret),
        Endpoint::new(retire_app_secret_operation(), retire_app_secret),
        Endpoint::new(revoke_app_tokens_operation(), revoke_app_tokens),
        Endpoint::new(show_app_activity_operation(), show_app_activity),
    ]
}

fn add_app_secret_operation() -> Operation {
    let path = "/office/v1/partners/{partner}/apps/{app}/secrets";
    let shown = json!({"app": "0000000000000003", "consumer_secret": "…"});
    let made = Answer { status: StatusCode::CREATED, ..Answer::ok("The new one.", &["NewSecretAnswer"], shown) };
    let summary = "Add a secret beside the present one, which stays good; it is shown once";
    operation("add_app_secret", (Method::POST, path), summary, CHANGES, made)
}

fn add_app_secret(work: &mut Work<'_>, call: &Call) -> Result<Reply, Problem> {
    let app = call.id("app", AppId::parse)?;
    let secret = add_secret(work, call.partner()?, app)?;
    let (app, consumer_secret) = (app.to_string(), secret.reveal().to_owned());
    Reply::created_once(&NewSecretAnswer { app, consumer_secret })
}

fn retire_app_secret_operation() -> Operation {
    let path = "/office/v1/partners/{partner}/apps/{app}/secrets/{secret}/retire";
    let summary = "End a secret; another one stays";
    let answer = Answer::no_content("It gets no more tokens.");
    let operation = operation("retire_app_secret", (Method::POST, path), summary, CHANGES, answer);
    taking(operation, "ReasonRequest", json!({"reason": "all servers have the new one"}))
}

fn retire_app_secret(work: &mut Work<'_>, call: &Call) -> Result<Reply, Problem> {
    let (partner, app) = (call.partner()?, call.id("app", AppId::parse)?);
    let number = call.id("secret", str::parse::<u32>)?;
    let request: ReasonRequest = call.json()?;
    retire_secret(work, partner, app, number, &request.reason)?;
    Ok(Reply::no_content())
}

fn revoke_app_tokens_operation() -> Operation {
    let path = "/office/v1/partners/{partner}/apps/{app}/revoke-tokens";
    let answer = Answer::no_content("Every token of before is refused.");
    let operation =
        operation("revoke_app_tokens", (Method::POST, path), "End every token that an app has", CHANGES, answer);
    taking(operation, "ReasonRequest", json!({"reason": "a token was in a log"}))
}

fn revoke_app_tokens(work: &mut Work<'_>, call: &Call) -> Result<Reply, Problem> {
    let request: ReasonRequest = call.json()?;
    revoke_tokens(work, call.partner()?, call.id("app", AppId::parse)?, &request.reason)?;
    Ok(Reply::no_content())
}

fn show_app_activity_operation() -> Operation {
    let path = "/office/v1/partners/{partner}/apps/{app}/activity";
    let shown =
        json!({"checks": 120, "failed": 3, "charged_minor": 234_000, "last_call": "2026-11-22T09:00:00.000000Z"});
    let answer = Answer::ok("Today's.", &["ActivityAnswer"], shown);
    operation("show_app_activity", (Method::GET, path), "What an app does today", LOOKS, answer)
}

fn show_app_activity(work: &mut Work<'_>, call: &Call) -> Result<Reply, Problem> {
    let today = activity(work, call.partner()?, call.id("app", AppId::parse)?)?;
    Reply::ok(&ActivityAnswer {
        checks: today.checks,
        failed: today.failed,
        charged_minor: today.charged_minor,
        last_call: today.last_call.map(|at| at.to_string()),
    })
}
