//! One delivery: what was sent, where to, and what became of it.

use std::sync::Arc;

use askama::Template;
use laini_core::billing::CheckId;
use laini_core::partner::Product;
use laini_core::store::DeliveryKind;
use laini_office::requests::Request;
use laini_office::{Problem, apps, deliveries, requests};

use super::webhooks::{DeliveryRow, delivery_row, sent, why};
use super::{BUILDS, LOOKS, may_build};
use crate::answer::Answer;
use crate::frame::Frame;
use crate::page::Page;
use crate::portal::Portal;
use crate::visit::{Visit, page};
use crate::words::{RequestsWords, WebhooksWords};

pub(super) fn pages() -> Vec<Page> {
    vec![
        Page::get("/webhooks/deliveries/{delivery}", LOOKS, show),
        Page::post("/webhooks/deliveries/{delivery}/again", BUILDS, again, show),
    ]
}

#[derive(Template)]
#[template(path = "build/delivery.html")]
struct DeliveryPage {
    frame: Frame,
    words: &'static WebhooksWords,
    calls: &'static RequestsWords,
    can_build: bool,
    delivery: DeliveryRow,
    is_listener: bool,
    /// What its body holds; the body itself lies sealed.
    body: &'static str,
    app: String,
    /// The newest try: when, and what came of it.
    last: Option<LastTry>,
    /// The check whose result it is.
    of: Option<CheckRow>,
}

struct LastTry {
    at: String,
    status: Option<u16>,
    problem: String,
}

struct CheckRow {
    number: String,
    asked: &'static str,
    came_to: String,
    charge: String,
}

impl CheckRow {
    fn of(request: &Request, words: &RequestsWords) -> Self {
        let recorded = request.recorded.map(|recorded| words.outcomes[recorded.outcome as usize].to_owned());
        let failed = request.failure.as_ref().map(|failure| failure.code.clone());
        Self {
            number: request.number.clone().unwrap_or_else(|| "–".to_owned()),
            asked: request.product.map_or("–", Product::word),
            came_to: failed.or(recorded).unwrap_or_default(),
            charge: request.recorded.map_or("0".to_owned(), |recorded| recorded.charge.to_string()),
        }
    }
}

async fn show(portal: Arc<Portal>, visit: Arc<Visit>) -> Result<Answer, Problem> {
    let id = visit.id("delivery", CheckId::parse_request_ref)?;
    let found = portal.work(&visit, move |work, visit| {
        let partner = visit.partner()?;
        let delivery = deliveries::the_delivery(work, partner, id)?;
        let app = apps::the_app(work, partner, delivery.app)?;
        let request = match delivery.kind {
            DeliveryKind::Result => match requests::open(work, partner, id) {
                Ok(opened) => Some(opened.request),
                // Not kept any more.
                Err(Problem::NotFound(_)) => None,
                Err(problem) => return Err(problem),
            },
            DeliveryKind::BudgetWarning | DeliveryKind::ScriptedRun | DeliveryKind::Incident => None,
        };
        Ok((delivery, app, request))
    });
    let (delivery, app, request) = found.await?;
    let words = visit.language.words();
    let (webhooks, calls) = (&words.webhooks, &words.requests);
    let last = delivery.last.as_ref().map(|last| LastTry {
        at: portal.shown_to_second(last.at),
        status: last.status,
        problem: why(last, words),
    });
    let body = webhooks.bodies[delivery.kind as usize];
    let delivery = delivery_row(sent(delivery, std::slice::from_ref(&app)), &portal, words);
    page(&DeliveryPage {
        frame: visit.frame(&portal, format!("{} {}", webhooks.delivery, delivery.id)).about(app.app.environment),
        words: webhooks,
        calls,
        can_build: may_build(&visit),
        is_listener: !delivery.url.starts_with("http"),
        body,
        app: app.app.id.to_string(),
        last,
        of: request.as_ref().map(|request| CheckRow::of(request, calls)),
        delivery,
    })
}

async fn again(portal: Arc<Portal>, visit: Arc<Visit>) -> Result<Answer, Problem> {
    let id = visit.id("delivery", CheckId::parse_request_ref)?;
    portal.work(&visit, move |work, visit| deliveries::redeliver(work, visit.partner()?, id, "")).await?;
    Ok(Answer::see_other(format!("/webhooks/deliveries/{}", id.request_ref())))
}
