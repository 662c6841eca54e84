//! Signing in elsewhere: to the operator's identity provider and back. Whoever is refused is told so where one signs
//! in: the password is there, and the way to begin anew.

use std::sync::Arc;

use askama::Template;
use axum::http::Method;
use laini_office::{Problem, Unproven};
use laini_wire::office::people::{BegunSignOnAnswer, FinishSignOnRequest, SignedInAnswer};

use super::door::{own_path, show_sign_in};
use crate::answer::Answer;
use crate::cookie;
use crate::frame::Frame;
use crate::page::{Access, Page};
use crate::portal::Portal;
use crate::status::status_of;
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

/// Where it begins for whoever wants to see a page after it.
pub(super) fn way_there(next: &str) -> String {
    format!("/sign-in/elsewhere?next={}", encoded(next))
}

fn encoded(next: &str) -> String {
    form_urlencoded::byte_serialize(next.as_bytes()).collect()
}

async fn begin(portal: Arc<Portal>, visit: Arc<Visit>) -> Result<Answer, Problem> {
    if !portal.has_single_sign_on {
        return Err(Problem::NotFound("page"));
    }
    let begun = portal.ask_office_for(&visit, (Method::POST, "/office/v1/single-sign-on"), None).await;
    match begun {
        Ok(BegunSignOnAnswer { url, sign_on }) => {
            let answer = Answer::see_other(url).with_cookie(cookie::secret(cookie::SIGN_ON, &sign_on));
            Ok(answer.with_cookie(cookie::secret(cookie::NEXT, &encoded(visit.query("next")))))
        }
        Err(problem) => at_the_door(portal, &visit, problem).await,
    }
}

/// The page that the identity provider sends browsers to.
async fn come_back(portal: Arc<Portal>, visit: Arc<Visit>) -> Result<Answer, Problem> {
    if !portal.has_single_sign_on {
        return Err(Problem::NotFound("page"));
    }
    let come = match finish(&portal, &visit).await {
        Ok(come) => come,
        // What the provider sent is used up: the browser begins anew, and brings a code along.
        Err(Problem::Unproven(_)) => {
            return Ok(Answer::see_other("/sign-in/code").with_cookie(cookie::forget(cookie::FACTOR_CODE)));
        }
        Err(problem) => return at_the_door(portal, &visit, problem).await,
    };
    let answer = Answer::see_other(own_path(&visit.next_after_sign_on))
        .with_cookie(cookie::secret(cookie::SESSION, &come.token));
    let over = [cookie::SIGN_ON, cookie::FACTOR_CODE, cookie::NEXT];
    Ok(over.into_iter().fold(answer, |answer, name| answer.with_cookie(cookie::forget(name))))
}

async fn finish(portal: &Arc<Portal>, visit: &Visit) -> Result<SignedInAnswer, Problem> {
    if let Some(problem) = refused_there(visit.query("error")) {
        return Err(problem);
    }
    let code = visit.factor_code.as_ref().map(|code| code.to_string());
    // A code of the second factor is six digits; what is longer is one for the day when the telephone is gone.
    let is_recovery = code.as_ref().is_some_and(|code| code.len() > 6);
    let asked = FinishSignOnRequest {
        code: visit.query("code").to_owned(),
        state: visit.query("state").to_owned(),
        sign_on: visit.sign_on.as_ref().map(|sign_on| sign_on.to_string()).unwrap_or_default(),
        factor_code: code.clone().filter(|_| !is_recovery),
        recovery_code: code.filter(|_| is_recovery),
    };
    let body = serde_json::to_value(&asked).map_err(|error| Problem::Store(error.to_string()))?;
    let finished = portal.ask_office_for(visit, (Method::POST, "/office/v1/single-sign-on/finish"), Some(&body)).await;
    finished.map_err(|problem| match problem {
        Problem::NotNow(why) => Problem::not_now(without_field(&why)),
        other => other,
    })
}

/// What the API says of a field, without its name: nobody has typed these.
fn without_field(why: &str) -> String {
    let named = why.strip_prefix("Invalid ").and_then(|rest| rest.split_once(" - "));
    named.map_or(why, |(_, why)| why).to_owned()
}

/// What the identity provider says in place of a code (RFC 6749, 4.1.2.1). Its own text is not shown: the address is
/// anybody's to write.
fn refused_there(error: &str) -> Option<Problem> {
    match error {
        "" => None,
        "access_denied" => {
            Some(Problem::Forbidden("the identity provider did not let you in, or you told it not to".into()))
        }
        "server_error" | "temporarily_unavailable" => {
            Some(Problem::not_now("the identity provider cannot sign anybody in now; try again later"))
        }
        _ => Some(Problem::not_now(
            "the identity provider does not take what laini asks of it; tell whoever runs this portal",
        )),
    }
}

async fn at_the_door(portal: Arc<Portal>, visit: &Visit, problem: Problem) -> Result<Answer, Problem> {
    let status = status_of(&problem);
    Ok(show_sign_in(portal, Arc::new(visit.refused(problem))).await?.with_status(status))
}

#[derive(Template)]
#[template(path = "account/code.html")]
struct CodePage {
    frame: Frame,
    words: &'static RegisterWords,
    /// Where the way goes on, once a code is kept.
    way_there: Option<String>,
}

async fn show_code(portal: Arc<Portal>, visit: Arc<Visit>) -> Result<Answer, Problem> {
    let words = &visit.language.words().register;
    page(&CodePage { frame: visit.frame(&portal, words.code_title), words, way_there: None })
}

async fn keep_code(portal: Arc<Portal>, visit: Arc<Visit>) -> Result<Answer, Problem> {
    let code = visit.field("code");
    let fits = (6..=32).contains(&code.len()) && code.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    if !fits {
        return Err(Problem::Unproven(Unproven::CodeWrong));
    }
    let words = &visit.language.words().register;
    let way_there = way_there(&visit.next_after_sign_on);
    let shown = page(&CodePage { frame: visit.frame(&portal, words.code_title), words, way_there: Some(way_there) })?;
    Ok(shown.with_cookie(cookie::secret(cookie::FACTOR_CODE, code)))
}
