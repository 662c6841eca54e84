//! The second factor: codes of an authenticator app, and recovery codes.

use axum::http::{Method, StatusCode};
use laini_core::partner::May;
use laini_office::{Problem, Work, people};
use laini_wire::office::people::{
    BegunFactorAnswer, ConfirmFactorRequest, ProofRequest, RecoveryCodesAnswer, RemoveFactorRequest, RenewCodesRequest,
};
use serde_json::{Value, json};
use zeroize::Zeroizing;

use super::described::{operation, refusing, taking};
use super::{Call, Endpoint, Noun, Reply};
use crate::http::ApiError;
use crate::openapi::{Answer, Operation, Schemas, collect};

pub(super) const NOUN: Noun = Noun {
    tag: "second factor",
    description: "Codes that are asked for beside the password (RFC 6238).",
    endpoints,
    schemas,
};

fn schemas() -> Schemas {
    let mut schemas = Vec::new();
    collect::<ProofRequest>(&mut schemas);
    collect::<BegunFactorAnswer>(&mut schemas);
    collect::<ConfirmFactorRequest>(&mut schemas);
    collect::<RecoveryCodesAnswer>(&mut schemas);
    collect::<RenewCodesRequest>(&mut schemas);
    collect::<RemoveFactorRequest>(&mut schemas);
    schemas
}

fn endpoints() -> Vec<Endpoint> {
    let codes = || {
        let example = json!({"codes": ["abcd-efgh-2345-mnop"]});
        let answer = Answer::ok("Recovery codes; they are shown once.", &["RecoveryCodesAnswer"], example);
        Answer { status: StatusCode::CREATED, ..answer }
    };
    let begun = json!({"secret": "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ", "uri": "otpauth://totp/…"});
    let begun = Answer::ok("To be put into an app; it is shown once.", &["BegunFactorAnswer"], begun);
    let begun = Answer { status: StatusCode::CREATED, ..begun };
    let with_code = json!({"password": "four words walk home", "code": "123456"});
    vec![
        Endpoint::new(
            own(
                ("begin_second_factor", "/office/v1/second-factor"),
                "Begin a second factor; it counts once it has shown a code",
                ("ProofRequest", json!({"password": "four words walk home"})),
                begun,
            ),
            begin_second_factor,
        ),
        Endpoint::new(
            own(
                ("confirm_second_factor", "/office/v1/second-factor/confirm"),
                "Confirm it by its first code",
                ("ConfirmFactorRequest", json!({"code": "123456"})),
                codes(),
            ),
            confirm_second_factor,
        ),
        Endpoint::new(
            own(
                ("renew_recovery_codes", "/office/v1/second-factor/recovery-codes"),
                "New recovery codes in the place of those that are left",
                ("RenewCodesRequest", with_code.clone()),
                codes(),
            ),
            renew_recovery_codes,
        ),
        Endpoint::new(
            own(
                ("remove_second_factor", "/office/v1/second-factor/remove"),
                "Remove one's second factor",
                ("RemoveFactorRequest", with_code),
                Answer::no_content("It is removed, with its recovery codes."),
            ),
            remove_second_factor,
        ),
    ]
}

/// An operation on one's own second factor.
fn own(
    (id, path): (&'static str, &'static str),
    summary: &'static str,
    (schema, example): (&'static str, Value),
    answer: Answer,
) -> Operation {
    let operation = operation(id, (Method::POST, path), summary, May::ANYBODY, answer);
    let operation = refusing(operation, ApiError::InvalidField("password", "it is not the present one".into()));
    taking(refusing(operation, ApiError::SpikeArrest { retry_after_s: 30 }), schema, example)
}

fn begin_second_factor(work: &mut Work<'_>, call: &Call) -> Result<Reply, Problem> {
    let asked: ProofRequest = call.json()?;
    let begun = people::begin_factor(work, &asked.password, &call.peer)?;
    Reply::created_once(&BegunFactorAnswer { secret: begun.secret.to_string(), uri: begun.uri.to_string() })
}

fn confirm_second_factor(work: &mut Work<'_>, call: &Call) -> Result<Reply, Problem> {
    let asked: ConfirmFactorRequest = call.json()?;
    let codes = people::confirm_factor(work, &asked.code)?;
    shown(&codes)
}

fn renew_recovery_codes(work: &mut Work<'_>, call: &Call) -> Result<Reply, Problem> {
    let asked: RenewCodesRequest = call.json()?;
    let codes = people::renew_recovery_codes(work, &asked.password, &asked.code, &call.peer)?;
    shown(&codes)
}

fn remove_second_factor(work: &mut Work<'_>, call: &Call) -> Result<Reply, Problem> {
    let asked: RemoveFactorRequest = call.json()?;
    people::remove_factor(work, &asked.password, &asked.code, &call.peer)?;
    Ok(Reply::no_content())
}

fn shown(codes: &[Zeroizing<String>]) -> Result<Reply, Problem> {
    Reply::created_once(&RecoveryCodesAnswer { codes: codes.iter().map(|code| code.to_string()).collect() })
}
