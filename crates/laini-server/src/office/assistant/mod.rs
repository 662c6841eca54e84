//! The assistant: questions to the documentation, and to the ledger about the asker's own requests.
//!
//! Owns what is answered and what a model is sent to phrase it. Must never send anything of a question that was not
//! redacted, or anything that the ledger says; ask the model inside of a unit of work; or write a question down.

mod phraser;

use axum::http::Method;
use laini_guide::{Found, QUESTION_CHARS_MAX, error_passage};
use laini_office::assistant::{FoundRequest, NamedRequest, named_requests};
use laini_office::requests::Failure;
use laini_office::{Actor, Office, Problem, Work, people};
use laini_wire::office::assistant::{
    FoundRequestAnswer, NamedFailure, NamedRequestAnswer, PassageAnswer, PassagesAnswer, QuestionAnswer,
    QuestionRequest,
};
use serde_json::json;
use tokio::runtime::Handle;
use tokio::sync::Semaphore;

pub use phraser::Assistant;
pub(super) use phraser::Phraser;

use super::described::{asking, in_query, refusing};
use super::{Beside, Call, Endpoint, Noun, Reply};
use crate::http::ApiError;
use crate::openapi::{Access, Answer, Body, Operation, Schemas, collect};

/// Passages of an answer.
const PASSAGES_MAX: usize = 3;
/// Passages of a search.
const FOUND_MAX: usize = 20;

pub(super) const NOUN: Noun = Noun {
    tag: "assistant",
    description: "Questions to the documentation, and about one's own requests.",
    endpoints: || {
        vec![
            Endpoint::new(ask_operation(), ask_question).beside(Beside::Ask),
            Endpoint::new(search_operation(), search_documentation),
        ]
    },
    schemas,
};

/// What was found before the unit of work.
pub(crate) struct Considered {
    question: String,
    asker: Actor,
    passages: Vec<Found<'static>>,
    phrased: Option<String>,
}

fn schemas() -> Schemas {
    let mut schemas = Vec::new();
    collect::<QuestionRequest>(&mut schemas);
    collect::<QuestionAnswer>(&mut schemas);
    collect::<PassagesAnswer>(&mut schemas);
    schemas
}

fn passage_example() -> serde_json::Value {
    json!({
        "page": "FAQs", "heading": "What does a repeat cost?", "href": "/docs/faq#what-does-a-repeat-cost",
        "quote": "Nothing, where laini can tell that it is one.",
    })
}

fn ask_operation() -> Operation {
    let found = json!({
        "partner": "0000000000000001", "at": "2026-11-22T09:00:00Z", "app": "core", "product": "imsi",
        "environment": "production", "status": 200, "failure": null, "outcome": "answered", "charge": "KES 20.00",
        "is_reversed": false, "is_billed": true,
    });
    let requests = json!([{"id": "971f-4359-b611-6845a1be45ef280786", "found": found}]);
    let example = json!({"is_known": true, "phrased": null, "passages": [passage_example()], "requests": requests});
    let about = "What the documentation says to it, and what is known of the requests that it names. A session's \
                 token, where one is sent, says whose requests are told.";
    let answer = Answer::ok(about, &["QuestionAnswer"], example);
    let on = (Method::POST, "/office/v1/questions");
    let summary = "Ask the documentation; ids of one's own requests may stand in the question";
    let body = Some(Body::json("QuestionRequest", json!({"question": "What does a repeat cost?"})));
    let operation = Operation { body, ..Operation::new("ask_question", on, summary, Access::Anyone, answer) };
    refusing(operation, ApiError::InvalidField("question", "expected 1 to 1000 characters".into()))
}

/// Looks who asks, what the documentation says, and how the model would put it. Blocks its thread.
pub(super) fn before_ask(
    (phraser, places): (Option<&Phraser>, &Semaphore),
    office: &Office,
    call: &mut Call,
) -> Result<(), Problem> {
    let QuestionRequest { question } = call.json()?;
    let question = question.trim().to_owned();
    if !(1..=QUESTION_CHARS_MAX).contains(&question.chars().count()) {
        return Err(Problem::invalid("question", format!("expected 1 to {QUESTION_CHARS_MAX} characters")));
    }
    let passages = laini_guide::answer(&question, PASSAGES_MAX);
    // Where too many wait for the model already, the passages are the answer.
    let phrased = match (phraser, places.try_acquire()) {
        (Some(phraser), Ok(_place)) if !passages.is_empty() => {
            Handle::current().block_on(phraser.phrase(&question, &passages))
        }
        _ => None,
    };
    let asker = asker(office, call)?;
    call.considered = Some(Considered { question, asker, passages, phrased });
    Ok(())
}

/// Whose requests may be told: those of a session's token, where a good one came. Staff who have to set up a second
/// factor first are nobody until they have.
fn asker(office: &Office, call: &Call) -> Result<Actor, Problem> {
    use people::SessionProblem;
    let Some(token) = &call.bearer else { return Ok(Actor::Stranger) };
    match people::authenticate(office, token, call.at) {
        Ok(actor) => {
            let must = people::must_set_up_factor(office, &actor, people::session_of(token), call.at)?;
            Ok(if must { Actor::Stranger } else { actor })
        }
        Err(SessionProblem::Unknown | SessionProblem::Expired) => Ok(Actor::Stranger),
        Err(SessionProblem::Store(error)) => Err(Problem::Store(error)),
    }
}

fn ask_question(work: &mut Work<'_>, call: &Call) -> Result<Reply, Problem> {
    let considered = call.considered.as_ref().ok_or(Problem::NotFound("question"))?;
    let requests = named_requests(work, &considered.asker, &considered.question)?;
    Reply::ok(&QuestionAnswer {
        is_known: !considered.passages.is_empty(),
        phrased: considered.phrased.clone(),
        passages: considered.passages.iter().map(passage_answer).collect(),
        requests: requests.into_iter().map(request_answer).collect(),
    })
}

fn search_operation() -> Operation {
    let answer =
        Answer::ok("Passages, best first; 20 at most.", &["PassagesAnswer"], json!({"passages": [passage_example()]}));
    let on = (Method::GET, "/office/v1/documentation");
    let operation = Operation::new("search_documentation", on, "Search the documentation", Access::Anyone, answer);
    let query = in_query("q", "Words to look for.", json!({"type": "string", "maxLength": QUESTION_CHARS_MAX}));
    let refused = ApiError::InvalidField("q", format!("expected {QUESTION_CHARS_MAX} characters at most").into());
    refusing(asking(operation, [query]), refused)
}

fn search_documentation(_: &mut Work<'_>, call: &Call) -> Result<Reply, Problem> {
    let words = call.query("q").unwrap_or_default();
    if words.chars().count() > QUESTION_CHARS_MAX {
        return Err(Problem::invalid("q", format!("expected {QUESTION_CHARS_MAX} characters at most")));
    }
    let found = laini_guide::search(words, FOUND_MAX);
    Reply::ok(&PassagesAnswer { passages: found.iter().map(passage_answer).collect() })
}

fn passage_answer(found: &Found<'_>) -> PassageAnswer {
    let passage = found.passage;
    PassageAnswer {
        page: passage.page.clone(),
        heading: passage.heading.clone(),
        href: passage.href.clone(),
        quote: found.quote.clone(),
    }
}

fn request_answer(named: NamedRequest) -> NamedRequestAnswer {
    let found = named.found.map(|FoundRequest { partner, app, request }| FoundRequestAnswer {
        partner: partner.to_string(),
        at: request.at.to_string(),
        app,
        product: request.product.map(|product| product.word().to_owned()),
        environment: request.environment.word().to_owned(),
        status: request.status(),
        failure: request.failure.as_ref().map(failure_answer),
        outcome: request.recorded.map(|recorded| recorded.outcome.word().to_owned()),
        charge: request.recorded.map(|recorded| recorded.charge.to_string()),
        is_reversed: request.recorded.is_some_and(|recorded| recorded.is_reversed),
        is_billed: request.recorded.is_some_and(|recorded| recorded.charge.minor > 0 && !recorded.is_reversed),
    });
    NamedRequestAnswer { id: named.id.request_ref(), found }
}

/// How a request failed, with what the page of its error says.
fn failure_answer(failure: &Failure) -> NamedFailure {
    let passage = error_passage(&failure.code).map(|passage| PassageAnswer {
        page: passage.page.clone(),
        heading: passage.heading.clone(),
        href: format!("/docs/errors/{}", failure.code),
        quote: passage.blocks.join("\n"),
    });
    NamedFailure {
        error_code: failure.code.clone(),
        error_message: failure.reason.clone(),
        stage: failure.stage.word().to_owned(),
        passage,
    }
}
