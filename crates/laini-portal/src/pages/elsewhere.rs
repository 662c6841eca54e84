//! Signing in elsewhere: to the operator's identity provider and back.

use std::sync::Arc;

use askama::Template;
use axum::http::Method;
use laini_office::{Problem, Unproven};
use laini_wire::office::people::{BegunSignOnAnswer, FinishSignOnRequest, SignedInAnswer};

use crate::answer::Answer;
use crate::cookie;
use crate::frame::Frame;
use crate::page::{Access, Page};
use crate::portal::Portal;
use crate::visit::{Visit, page};
use crate::words::RegisterWords;

pub(super) fn pages() -> Vec<Page> {
    vec![
        // A link, no form: a browser follows no form to another host. Nothing is kept of it here.
        Page::get("/sign-in/elsewhere", Access::Anyone, begin),
        Page::get("/back", Access::Anyone, come_back),
        Page::get("/sign-in/code", Access::Anyone, show_code),
        Page::post("/sign-in/code", Access::Anyone, keep_code, show_code),
    ]
}

async fn begin(portal: Arc<Portal>, visit: Arc<Visit>) -> Result<Answer, Problem> {
    if !portal.has_single_sign_on {
        return Err(Problem::NotFound("page"));
    }
    let begun = portal.ask_office_for(&visit, (Method::POST, "/office/v1/single-sign-on"), None).await?;
    let BegunSignOnAnswer { url, sign_on } = begun;
    Ok(Answer::see_other(url).with_cookie(cookie::secret(cookie::SIGN_ON, &sign_on)))
}

/// The page that the identity provider sends browsers to.
async fn come_back(portal: Arc<Portal>, visit: Arc<Visit>) -> Result<Answer, Problem> {
    let Some(sign_on) = visit.sign_on.as_ref().filter(|_| portal.has_single_sign_on) else {
        return Err(Problem::NotFound("page"));
    };
    let code = visit.factor_code.as_ref().map(|code| code.to_string());
    // A code of the second factor is six digits; what is longer is one for the day when the telephone is gone.
    let is_recovery = code.as_ref().is_some_and(|code| code.len() > 6);
    let asked = FinishSignOnRequest {
        code: visit.query("code").to_owned(),
        state: visit.query("state").to_owned(),
        sign_on: sign_on.to_string(),
        factor_code: code.clone().filter(|_| !is_recovery),
        recovery_code: code.filter(|_| is_recovery),
    };
    let body = serde_json::to_value(&asked).map_err(|error| Problem::Store(error.to_string()))?;
    let finished = portal.ask_office_for(&visit, (Method::POST, "/office/v1/single-sign-on/finish"), Some(&body)).await;
    let come: SignedInAnswer = match finished {
        Ok(come) => come,
        // What the provider sent is used up: the browser begins anew, and brings a code along.
        Err(Problem::Unproven(_)) => {
            return Ok(Answer::see_other("/sign-in/code").with_cookie(cookie::forget(cookie::FACTOR_CODE)));
        }
        Err(problem) => return Err(problem),
    };
    let answer = Answer::see_other("/").with_cookie(cookie::secret(cookie::SESSION, &come.token));
    Ok(answer.with_cookie(cookie::forget(cookie::SIGN_ON)).with_cookie(cookie::forget(cookie::FACTOR_CODE)))
}

#[derive(Template)]
#[template(path = "account/code.html")]
struct CodePage {
    frame: Frame,
    words: &'static RegisterWords,
    /// Whether a code is kept, and the way goes on.
    is_kept: bool,
}

async fn show_code(portal: Arc<Portal>, visit: Arc<Visit>) -> Result<Answer, Problem> {
    let words = &visit.language.words().register;
    page(&CodePage { frame: visit.frame(&portal, words.code_title), words, is_kept: false })
}

async fn keep_code(portal: Arc<Portal>, visit: Arc<Visit>) -> Result<Answer, Problem> {
    let code = visit.field("code");
    let fits = (6..=32).contains(&code.len()) && code.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    if !fits {
        return Err(Problem::Unproven(Unproven::CodeWrong));
    }
    let words = &visit.language.words().register;
    let shown = page(&CodePage { frame: visit.frame(&portal, words.code_title), words, is_kept: true })?;
    Ok(shown.with_cookie(cookie::secret(cookie::FACTOR_CODE, code)))
}
