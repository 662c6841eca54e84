//! Single sign-on: people sign in at the operator's identity provider (OpenID Connect, authorization code with PKCE).
//!
//! Owns what is asked of the provider and what is believed of it. Must never make anybody a person, believe a token
//! that a listed algorithm and a key of the provider have not signed, or ask the provider inside of a unit of work.

mod id_token;
mod provider;

use axum::http::{Method, StatusCode};
use laini_office::people::{self, SignOn, begin_sign_on, read_sign_on};
use laini_office::{Office, Problem, Work};
use laini_wire::office::people::{BegunSignOnAnswer, FinishSignOnRequest};
use serde_json::json;
use tokio::runtime::Handle;
use zeroize::Zeroizing;

pub(super) use provider::Provider;

use super::session::{signed_in, signed_in_example};
use super::{Beside, Call, Endpoint, Noun, Reply};
use crate::http::{ApiError, SignInProblem};
use crate::openapi::{Access, Answer, Body, Operation, Schemas, collect};

/// The identity provider, and who laini is to it.
#[derive(Clone)]
pub struct SingleSignOn {
    /// Its URL, exactly as it names itself; `https`, or `http` of this machine.
    pub issuer: String,
    /// As what laini is registered there.
    pub client_id: String,
    /// The secret of that; `None` = a public client.
    pub client_secret: Option<Zeroizing<String>>,
    /// For whom its tokens are: nearly always the client.
    pub audience: String,
    /// The portal's page that browsers come back to.
    pub redirect_url: String,
    /// The domains of e-mail addresses that sign in so; empty = all.
    pub email_domains: Vec<String>,
}

pub(super) const NOUN: Noun = Noun {
    tag: "single sign-on",
    description: "Signing in at the operator's identity provider (OpenID Connect).",
    endpoints: || {
        vec![
            Endpoint::new(begin_operation(), begin_single_sign_on).beside(Beside::SignOnBegin),
            Endpoint::new(finish_operation(), finish_single_sign_on).beside(Beside::SignOnFinish),
        ]
    },
    schemas,
};

fn schemas() -> Schemas {
    let mut schemas = Vec::new();
    collect::<BegunSignOnAnswer>(&mut schemas);
    collect::<FinishSignOnRequest>(&mut schemas);
    schemas
}

fn refusals() -> Vec<ApiError> {
    vec![
        ApiError::Refused("nobody signs in by single sign-on here; use the password".to_owned()),
        ApiError::NotNow("the identity provider cannot be asked now".to_owned()),
        ApiError::SpikeArrest { retry_after_s: 5 },
    ]
}

fn begin_operation() -> Operation {
    let example = json!({"url": "https://id.mobile.example/authorize?…", "sign_on": "laini_o_0000000000000001_xxxx"});
    let answer = Answer::ok("Where to go, and what to keep until then.", &["BegunSignOnAnswer"], example);
    let answer = Answer { status: StatusCode::CREATED, ..answer };
    let on = (Method::POST, "/office/v1/single-sign-on");
    let summary = "Begin to sign in at the identity provider";
    Operation { refusals: refusals(), ..Operation::new("begin_single_sign_on", on, summary, Access::Anyone, answer) }
}

fn begin_single_sign_on(_: &mut Work<'_>, call: &Call) -> Result<Reply, Problem> {
    let (url, sign_on) = call.begun_sign_on.clone().ok_or_else(not_here)?;
    Reply::created_once(&BegunSignOnAnswer { url, sign_on: sign_on.to_string() })
}

fn finish_operation() -> Operation {
    let on = (Method::POST, "/office/v1/single-sign-on/finish");
    let answer = Answer::ok("A session has begun.", &["SignedInAnswer"], signed_in_example());
    let answer = Answer { status: StatusCode::CREATED, ..answer };
    let example = json!({"code": "4/0AX4", "state": "xxxx", "sign_on": "laini_o_0000000000000001_xxxx"});
    let mut refusals = refusals();
    refusals.extend([
        ApiError::InvalidField("code", "the identity provider does not take it; begin anew".into()),
        ApiError::SignIn(SignInProblem::CodeNeeded),
        ApiError::SignIn(SignInProblem::CodeWrong),
    ]);
    let summary = "Sign in with what the identity provider sent back";
    let body = Some(Body::json("FinishSignOnRequest", example));
    Operation { body, refusals, ..Operation::new("finish_single_sign_on", on, summary, Access::Anyone, answer) }
}

fn finish_single_sign_on(work: &mut Work<'_>, call: &Call) -> Result<Reply, Problem> {
    let asked: FinishSignOnRequest = call.json()?;
    let (id, vouched) = call.vouched.as_ref().ok_or_else(not_here)?;
    let shown = SignOn {
        id: *id,
        vouched,
        code: asked.factor_code.as_deref(),
        recovery_code: asked.recovery_code.as_deref(),
        address: &call.address,
        peer: &call.peer,
        before: call.bearer.as_ref().map(|token| token.as_str()),
    };
    Reply::created_once(&signed_in(&people::sign_on(work, &shown)?))
}

/// What comes before [`begin_single_sign_on`]. Blocks its thread.
pub(super) fn before_begin(provider: Option<&Provider>, office: &Office, call: &mut Call) -> Result<(), Problem> {
    let provider = provider.ok_or_else(not_here)?;
    let (begun, sign_on) = begin_sign_on(office, call.at)?;
    let url = Handle::current().block_on(provider.url_of(&begun, call.at))?;
    call.begun_sign_on = Some((url, sign_on));
    Ok(())
}

/// What comes before [`finish_single_sign_on`]. Blocks its thread.
pub(super) fn before_finish(provider: Option<&Provider>, office: &Office, call: &mut Call) -> Result<(), Problem> {
    let provider = provider.ok_or_else(not_here)?;
    let asked: FinishSignOnRequest = call.json()?;
    let begun = read_sign_on(office, &asked.sign_on, &asked.state, call.at)?;
    let vouched = Handle::current().block_on(provider.redeem(&asked.code, &begun, call.at))?;
    call.vouched = Some((begun.id, vouched));
    Ok(())
}

fn not_here() -> Problem {
    Problem::Forbidden("nobody signs in by single sign-on here; use the password".into())
}
