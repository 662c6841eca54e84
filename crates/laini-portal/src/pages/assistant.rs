//! The assistant: questions to the documentation, answered by the API's own operation.

use std::sync::{Arc, LazyLock};

use askama::Template;
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE};
use axum::http::{Request, StatusCode};
use bytes::Bytes;
use http_body_util::{BodyExt as _, Limited};
use laini_core::store::Stage;
use laini_guide::redact;
use laini_office::Problem;
use laini_office::assistant::ids_in;
use laini_wire::office::assistant::{FoundRequestAnswer, NamedFailure, NamedRequestAnswer, QuestionAnswer};
use serde_json::{Value, json};

use crate::answer::Answer;
use crate::frame::Frame;
use crate::page::{Access, Page};
use crate::portal::Portal;
use crate::visit::{Visit, page};
use crate::words::AskWords;

const PATH: &str = "/ask";
/// The operation that answers.
const QUESTIONS: &str = "/office/v1/questions";
/// The largest answer that is read.
const ANSWER_BYTES_MAX: usize = 256 * 1024;
/// Where tickets are opened, where there is such a page.
const SUPPORT: &str = "/support";
/// How much of a question becomes the subject of a ticket.
const SUBJECT_CHARS_MAX: usize = 80;

static HAS_SUPPORT: LazyLock<bool> = LazyLock::new(|| super::all().iter().any(|page| page.path == SUPPORT));

pub(super) fn pages() -> Vec<Page> {
    vec![Page::get(PATH, Access::Anyone, show), Page::post(PATH, Access::Anyone, ask, show)]
}

#[derive(Template)]
#[template(path = "assistant/page.html")]
struct AskPage {
    frame: Frame,
    words: &'static AskWords,
    question: String,
    answered: Option<AnsweredPart>,
}

/// What is shown beside another page.
#[derive(Template)]
#[template(path = "assistant/drawer.html")]
struct Drawer {
    frame: Frame,
    words: &'static AskWords,
    question: String,
    answered: Option<AnsweredPart>,
}

#[derive(Template)]
#[template(path = "assistant/answer.html")]
struct AnsweredPart {
    words: &'static AskWords,
    /// The steps of a call, as the log of requests calls them.
    steps: [(&'static str, &'static str); 6],
    answer: QuestionAnswer,
    /// Where the same words are searched for.
    search: String,
    /// Where the question becomes a ticket.
    support: Option<String>,
    /// Whether an id was named that is looked up for members alone.
    must_sign_in: bool,
    /// Whether they have a log of requests.
    is_member: bool,
    command: String,
    curl: String,
}

impl AnsweredPart {
    /// What came of it, in words.
    fn outcome<'a>(&'a self, found: &'a FoundRequestAnswer) -> &'a str {
        let Some(outcome) = &found.outcome else { return self.words.not_recorded };
        let said = self.words.outcomes.iter().find(|(word, _)| word == outcome);
        said.map_or(outcome.as_str(), |(_, said)| said)
    }

    /// The step at which it failed: its name, and what is looked at there.
    fn step(&self, failure: &NamedFailure) -> (&'static str, &'static str) {
        Stage::parse(&failure.stage).map_or(("", ""), |stage| self.steps[stage as usize])
    }

    /// Where it is opened among the requests, for whoever looks.
    fn opened(&self, request: &NamedRequestAnswer) -> String {
        match &request.found {
            Some(found) if !self.is_member => format!("/partners/{}/requests/{}", found.partner, request.id),
            _ => format!("/requests/{}", request.id),
        }
    }
}

async fn show(portal: Arc<Portal>, visit: Arc<Visit>) -> Result<Answer, Problem> {
    let question = if visit.field("question").is_empty() { visit.query("q") } else { visit.field("question") };
    shown(&portal, &visit, question, None)
}

async fn ask(portal: Arc<Portal>, visit: Arc<Visit>) -> Result<Answer, Problem> {
    let question = visit.field("question");
    let answer = portal.answer_to(&visit, question).await?;
    let encoded = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
    // What stands in an address may be written down on its way.
    let without = redact(question);
    let subject: String = without.chars().take(SUBJECT_CHARS_MAX).collect();
    let reference =
        ids_in(question).first().map(|id| format!("&reference={}", encoded(&id.request_ref()))).unwrap_or_default();
    let support = format!("{SUPPORT}?subject={}&text={}{reference}", encoded(&subject), encoded(&without));
    let quoted = without.replace('\'', " ");
    let answered = AnsweredPart {
        words: &visit.language.words().assistant,
        steps: visit.language.words().requests.steps,
        search: format!("/docs/search?q={}", encoded(&without)),
        // Staff answer tickets, and open none.
        support: (*HAS_SUPPORT && visit.caller.as_ref().is_none_or(|caller| caller.partner.is_some()))
            .then_some(support),
        is_member: visit.actor().partner().is_some(),
        must_sign_in: visit.caller.is_none() && !ids_in(question).is_empty(),
        command: format!("laini ask '{quoted}'"),
        curl: format!(
            "curl \"$LAINI{QUESTIONS}\" -H 'Content-Type: application/json' \\\n  -d '{}'",
            json!({"question": quoted})
        ),
        answer,
    };
    if visit.is_part { page(&answered) } else { shown(&portal, &visit, question, Some(answered)) }
}

fn shown(portal: &Portal, visit: &Visit, question: &str, answered: Option<AnsweredPart>) -> Result<Answer, Problem> {
    let words = &visit.language.words().assistant;
    let (frame, question) = (visit.frame(portal, words.title), question.to_owned());
    if visit.is_part {
        page(&Drawer { frame, words, question, answered })
    } else {
        page(&AskPage { frame, words, question, answered })
    }
}

impl Portal {
    /// Asks the server's own operation, with the session of whoever looks.
    async fn answer_to(&self, visit: &Visit, question: &str) -> Result<QuestionAnswer, Problem> {
        let mut request = Request::post(QUESTIONS).header(CONTENT_TYPE, "application/json");
        if let Some(session) = &visit.session {
            request = request.header(AUTHORIZATION, format!("Bearer {}", session.as_str()));
        }
        let request = request.body(Bytes::from(json!({"question": question}).to_string()));
        let request = request.map_err(|error| Problem::Store(error.to_string()))?;
        let (parts, body) = self.inside.ask(&visit.context, request).await.into_parts();
        let body = Limited::new(body, ANSWER_BYTES_MAX).collect().await;
        let body = body.map_err(|error| Problem::Store(format!("the API's answer broke off: {error}")))?.to_bytes();
        if parts.status == StatusCode::OK {
            return serde_json::from_slice(&body).map_err(|error| Problem::Store(error.to_string()));
        }
        let told: Value = serde_json::from_slice(&body).unwrap_or_default();
        let told = told["errorMessage"].as_str().unwrap_or("the question was not taken").to_owned();
        Err(match parts.status {
            StatusCode::TOO_MANY_REQUESTS => Problem::TooOften { retry_after_s: 1 },
            status if status.is_client_error() => Problem::invalid("question", told),
            _ => Problem::Store(told),
        })
    }
}
