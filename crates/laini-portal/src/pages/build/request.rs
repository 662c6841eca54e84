//! One call of the log: its way through six steps, where it ended and why, and the same again in the sandbox.

use std::sync::Arc;

use askama::Template;
use jiff::Timestamp;
use laini_core::billing::{CheckId, Outcome};
use laini_core::partner::Product;
use laini_office::Problem;
use laini_office::requests::{self, Opened, Request, StepState};
use laini_wire::error::message::NO_PRODUCT;

use super::requests::{CallRow, home, is_documented, with_app};
use crate::answer::Answer;
use crate::frame::Frame;
use crate::pages::partner::{Head, named, path_of};
use crate::portal::Portal;
use crate::visit::{Visit, page};
use crate::words::RequestsWords;

#[derive(Template)]
#[template(path = "build/request.html")]
struct OnePage {
    frame: Frame,
    words: &'static RequestsWords,
    head: Head,
    /// Where the log is, for whoever looks.
    here: String,
    call: CallRow,
    path: String,
    took: Option<String>,
    as_of: Option<String>,
    is_reversed: bool,
    is_documented: bool,
    reason: Option<String>,
    steps: Vec<StepRow>,
    replay: Replay,
    /// Where the products of its app are, if that may be why it failed.
    products: Option<String>,
    partner: String,
}

struct StepRow {
    name: &'static str,
    about: &'static str,
    state: &'static str,
    class: &'static str,
}

/// What is asked in the sandbox, to see the same again.
struct Replay {
    persona: u64,
    check: &'static str,
    /// Whether the made-up number behaves as the call did; otherwise it shows what is answered where all is right.
    is_alike: bool,
}

pub(super) async fn show_one(portal: Arc<Portal>, visit: Arc<Visit>) -> Result<Answer, Problem> {
    let words = &visit.language.words().requests;
    let id = visit.id("call", CheckId::parse_request_ref)?;
    let found = portal.work(&visit, move |work, visit| {
        let of = named(work, visit)?;
        let opened = requests::open(work, of.0, id)?;
        let apps: Vec<_> = work.book()?.apps.into_iter().filter(|app| app.partner == of.0).collect();
        Ok((opened, apps, of))
    });
    let (Opened { request, steps }, apps, of) = found.await?;
    let step = |step: requests::Step| {
        let (name, about) = words.steps[step.stage as usize];
        let (state, class) = match step.state {
            StepState::Passed => (words.passed, "done"),
            StepState::Failed => (words.ended_here, "failed"),
            StepState::NotReached => (words.not_reached, ""),
        };
        StepRow { name, about, state, class }
    };
    let (failure, persona) = (request.failure.as_ref(), persona_like(&request));
    let of_products = failure.filter(|failure| failure.code == "403.002.01" || failure.reason == NO_PRODUCT);
    let products = of_products.map(|_| match visit.param("partner") {
        Some(_) => path_of(of.0, "apps"),
        None => format!("/apps/{}#products", request.app),
    });
    let shown = |at: Timestamp| portal.shown_to_second(at);
    page(&OnePage {
        frame: visit.frame(&portal, format!("{} {}", words.id, request.id.request_ref())).about(request.environment),
        words,
        path: failure.map(|failure| failure.path.clone()).unwrap_or_default(),
        took: failure.map(|failure| took(failure.micros)),
        as_of: request.recorded.and_then(|recorded| recorded.as_of).map(shown),
        is_reversed: request.recorded.is_some_and(|recorded| recorded.is_reversed),
        is_documented: failure.is_some_and(|failure| is_documented(&failure.code)),
        reason: failure.map(|failure| failure.reason.clone()),
        steps: steps.into_iter().map(step).collect(),
        replay: Replay {
            persona: persona.unwrap_or(1),
            check: request.product.unwrap_or(Product::Imsi).word(),
            is_alike: persona.is_some(),
        },
        products,
        partner: of.0.to_string(),
        head: Head::new(&visit, of, "requests"),
        here: home(&visit)?,
        call: CallRow::of(with_app(request, &apps), &portal, words),
    })
}

fn took(micros: u64) -> String {
    if micros < 1_000 { format!("{micros} µs") } else { format!("{} ms", micros / 1_000) }
}

/// The made-up number that behaves as the call did: how far it lies behind the first; `None` = it is not the number
/// that made it fail.
fn persona_like(request: &Request) -> Option<u64> {
    let persona = match (request.failure.as_ref().map(|failure| failure.code.as_str()), request.recorded) {
        (Some("404.002.01"), _) => 40,
        (Some("403.002.02"), _) => 42,
        (Some("500.003.1001"), _) => 50,
        (Some("502.002.01"), _) => 51,
        (Some("503.002.01" | "503.002.03"), _) => 52,
        (Some("504.002.01"), _) => 53,
        (Some("500.003.02"), _) => 54,
        (Some("500.003.03"), _) => 55,
        (Some("408.002.01"), _) => 56,
        (Some("503.002.02"), _) => 58,
        (None, Some(recorded)) if recorded.outcome == Outcome::NotServed => 40,
        (None, Some(recorded)) if recorded.outcome == Outcome::Withheld => 42,
        (None, Some(recorded)) if recorded.outcome == Outcome::Unknown => 58,
        (None, _) => 1,
        (Some(_), _) => return None,
    };
    Some(persona)
}
