//! Webhooks: result addresses, and what became of each delivery.

use std::sync::Arc;

use askama::Template;
use axum::http::Method;
use laini_core::billing::CheckId;
use laini_core::partner::{App, AppId, AppStatus, Environment, ResultAddress, ResultAddressId};
use laini_core::store::{Delivery, DeliveryId, DeliveryQuery, DeliveryState};
use laini_office::apps::AppOf;
use laini_office::{Problem, apps, deliveries};
use laini_wire::office::apps::SigningSecretAnswer;
use serde_json::json;

use super::{BUILDS, LOOKS, may_build};
use crate::answer::Answer;
use crate::csv::{ROWS_MAX, file, push_line};
use crate::frame::Frame;
use crate::page::{Page, Workspace};
use crate::portal::Portal;
use crate::sorting::{Sorting, Table, by_text};
use crate::visit::{Visit, page};
use crate::words::WebhooksWords;

pub(super) fn pages() -> Vec<Page> {
    vec![
        Page::get("/webhooks", LOOKS, show).in_rail(Workspace::Build, |words| words.webhooks),
        Page::get("/webhooks/deliveries.csv", LOOKS, download),
        Page::post("/webhooks", BUILDS, add, show),
        Page::post("/webhooks/{app}/{address}/prove", BUILDS, prove, show),
        Page::post("/webhooks/{app}/{address}/roll", BUILDS, roll, show),
        Page::post("/webhooks/{app}/{address}/remove", BUILDS, remove, show),
        Page::post("/webhooks/deliveries/{delivery}/again", BUILDS, again, show),
    ]
}

/// Deliveries of a page.
const DELIVERIES_PER_PAGE: usize = 50;
/// Deliveries that are read at once for a file.
const DELIVERIES_PER_READ: usize = 500;
/// The columns of the file.
const HEAD: [&str; 12] = [
    "delivery",
    "made_at",
    "state",
    "due_at",
    "kind",
    "app",
    "name",
    "url",
    "attempts",
    "last_attempt_at",
    "last_status",
    "last_problem",
];

#[derive(Template)]
#[template(path = "build/webhooks.html")]
struct WebhooksPage {
    frame: Frame,
    words: &'static WebhooksWords,
    can_build: bool,
    /// A new signing secret with its address, shown this once.
    secret: Option<(String, String)>,
    apps: Vec<(String, String, &'static str)>,
    sorting: Sorting<AddressRow>,
    addresses: Vec<AddressRow>,
    url: String,
    only_dead: bool,
    by_delivery: Sorting<Sent>,
    deliveries: Vec<DeliveryRow>,
    next: Option<String>,
}

struct AddressRow {
    id: String,
    app_id: String,
    app: String,
    is_live: bool,
    environment: &'static str,
    url: String,
    is_listener: bool,
    proven: Option<String>,
    overlap: Option<String>,
}

static ADDRESSES: Table<AddressRow> = Table {
    name: "sort",
    columns: &[
        ("url", |one, other| one.url.cmp(&other.url)),
        ("app", |one, other| by_text(&one.app, &other.app)),
        // An instant as people read it is in the order of time; what is not proven comes before all of them.
        ("state", |one, other| one.proven.cmp(&other.proven)),
    ],
    comes: "",
};

/// A delivery with its app's name and the address that it goes to, where these are known still.
type Sent = (Delivery, Option<String>, String);

static DELIVERIES: Table<Sent> = Table {
    name: "deliveries",
    columns: &[
        ("when", |one, other| one.0.id.cmp(&other.0.id)),
        ("state", |one, other| one.0.state.cmp(&other.0.state)),
        ("kind", |one, other| one.0.kind.cmp(&other.0.kind)),
        ("to", |one, other| one.2.cmp(&other.2)),
        ("attempts", |one, other| one.0.attempts.cmp(&other.0.attempts)),
    ],
    comes: "-when",
};

struct DeliveryRow {
    id: String,
    short_id: String,
    made: String,
    kind: &'static str,
    app: String,
    url: String,
    state: String,
    tone: &'static str,
    attempts: u32,
    last: String,
    is_result: bool,
}

async fn show(portal: Arc<Portal>, visit: Arc<Visit>) -> Result<Answer, Problem> {
    listed(&portal, &visit, None).await
}

fn only_dead(visit: &Visit) -> bool {
    visit.query("state") == "dead"
}

async fn listed(portal: &Arc<Portal>, visit: &Arc<Visit>, secret: Option<(String, String)>) -> Result<Answer, Problem> {
    let words = &visit.language.words().webhooks;
    let only_dead = only_dead(visit);
    let after = Some(visit.query("after")).filter(|after| !after.is_empty()).map(CheckId::parse_request_ref);
    let after = after.transpose().map_err(|_| Problem::NotFound("page"))?.map(DeliveryId);
    let mut by_delivery = Sorting::asked(&DELIVERIES, visit, "/webhooks");
    let (oldest_first, limit) = (by_delivery.is_turned(), DELIVERIES_PER_PAGE);
    let found = portal.work(visit, move |work, visit| {
        let partner = visit.partner()?;
        let query = DeliveryQuery { only_dead, after, oldest_first, limit, ..DeliveryQuery::default() };
        let page = deliveries::list(work, partner, &query)?;
        Ok((apps::apps_of(work, partner)?, page))
    });
    let (all, found) = found.await?;
    let of = |address: &ResultAddress, app: &App| address_row(address, app, portal);
    let addresses = all.iter().flat_map(|one| one.addresses.iter().map(|address| of(address, &one.app)));
    let mut addresses: Vec<AddressRow> = addresses.collect();
    let sorting = Sorting::of(&ADDRESSES, visit, "/webhooks", &mut addresses);
    let mut sent: Vec<Sent> = found.deliveries.into_iter().map(|delivery| sent(delivery, &all)).collect();
    by_delivery.sort(&mut sent, found.next.is_some());
    let alive = all.iter().filter(|one| one.app.status != AppStatus::Revoked);
    page(&WebhooksPage {
        frame: visit.frame(portal, words.title),
        words,
        can_build: may_build(visit),
        secret,
        apps: alive.map(|one| (one.app.id.to_string(), one.app.name.clone(), one.app.environment.word())).collect(),
        sorting,
        addresses,
        url: visit.field("url").to_owned(),
        only_dead,
        by_delivery,
        deliveries: sent.into_iter().map(|sent| delivery_row(sent, portal, words)).collect(),
        next: found.next.map(|id| id.0.request_ref()),
    })
}

fn sent(delivery: Delivery, apps: &[AppOf]) -> Sent {
    let of = apps.iter().find(|one| one.app.id == delivery.app);
    let address = of.and_then(|of| of.addresses.iter().find(|address| address.id == delivery.address));
    let url = address.map_or_else(|| delivery.address.to_string(), |address| address.url.clone());
    (delivery, of.map(|of| of.app.name.clone()), url)
}

/// The deliveries of the list as a file.
async fn download(portal: Arc<Portal>, visit: Arc<Visit>) -> Result<Answer, Problem> {
    let mut by_delivery = Sorting::first(&DELIVERIES, &visit, "");
    let (only_dead, oldest_first, limit) = (only_dead(&visit), by_delivery.is_turned(), DELIVERIES_PER_READ);
    let found = portal.work(&visit, move |work, visit| {
        let partner = visit.partner()?;
        let mut query = DeliveryQuery { only_dead, oldest_first, limit, ..DeliveryQuery::default() };
        let mut found = Vec::new();
        for _ in 0..ROWS_MAX / DELIVERIES_PER_READ {
            let page = deliveries::list(work, partner, &query)?;
            found.extend(page.deliveries);
            query.after = page.next;
            if query.after.is_none() {
                break;
            }
        }
        Ok((apps::apps_of(work, partner)?, found, query.after.is_some()))
    });
    let (all, found, has_more) = found.await?;
    let mut sent: Vec<Sent> = found.into_iter().map(|delivery| sent(delivery, &all)).collect();
    by_delivery.sort(&mut sent, has_more);
    Ok(file("deliveries.csv", HEAD, &sent, push_delivery))
}

fn push_delivery(csv: &mut String, (delivery, name, url): &Sent) {
    let (state, due) = match delivery.state {
        DeliveryState::Due(at) => ("due", at.to_string()),
        DeliveryState::Delivered => ("delivered", String::new()),
        DeliveryState::Dead => ("dead", String::new()),
    };
    let last = delivery.last.as_ref();
    let last_at = last.map(|last| last.at.to_string()).unwrap_or_default();
    let status = last.and_then(|last| last.status).map(|status| status.to_string()).unwrap_or_default();
    let problem = last.map(|last| last.problem.as_str()).unwrap_or_default();
    let (id, made, app) = (delivery.id.0.request_ref(), delivery.at.to_string(), delivery.app.to_string());
    let (kind, name, attempts) =
        (delivery.kind.word(), name.as_deref().unwrap_or_default(), delivery.attempts.to_string());
    push_line(csv, [&id, &made, state, &due, kind, &app, name, url, &attempts, &last_at, &status, problem]);
}

fn address_row(address: &ResultAddress, app: &App, portal: &Portal) -> AddressRow {
    AddressRow {
        id: address.id.to_string(),
        app_id: app.id.to_string(),
        app: app.name.clone(),
        is_live: app.environment == Environment::Production,
        environment: app.environment.word(),
        url: address.url.clone(),
        is_listener: !address.url.starts_with("http"),
        proven: address.proven.map(|at| portal.shown(at)),
        overlap: address.previous_until.map(|at| portal.shown(at)),
    }
}

fn delivery_row((delivery, app, url): Sent, portal: &Portal, words: &WebhooksWords) -> DeliveryRow {
    let (state, tone) = match delivery.state {
        DeliveryState::Due(at) => (format!("{} {}", words.next_try, portal.shown_to_second(at)), "care"),
        DeliveryState::Delivered => (words.delivered.to_owned(), "go"),
        DeliveryState::Dead => (words.dead.to_owned(), "stop"),
    };
    let last = delivery.last.as_ref().map(|last| {
        let status = last.status.map(|status| status.to_string());
        let told = [status, Some(last.problem.clone()).filter(|problem| !problem.is_empty())];
        format!("{} · {}", portal.shown_to_second(last.at), told.into_iter().flatten().collect::<Vec<_>>().join(": "))
    });
    DeliveryRow {
        id: delivery.id.0.request_ref(),
        short_id: super::requests::short(&delivery.id.0.request_ref()),
        made: portal.shown_to_second(delivery.at),
        kind: words.kinds[delivery.kind as usize],
        app: app.unwrap_or_else(|| delivery.app.to_string()),
        url,
        state,
        tone,
        attempts: delivery.attempts,
        last: last.unwrap_or_default(),
        is_result: delivery.kind == laini_core::store::DeliveryKind::Result,
    }
}

/// Where the office's API has the addresses of an app, once it is known that the app is the visitor's own.
async fn addresses_path(portal: &Arc<Portal>, visit: &Arc<Visit>, app: AppId) -> Result<String, Problem> {
    let found = portal.work(visit, move |work, visit| {
        let partner = visit.partner()?;
        Ok((partner, apps::the_app(work, partner, app)?))
    });
    let (partner, _) = found.await?;
    Ok(format!("/office/v1/partners/{partner}/apps/{app}/result-addresses"))
}

async fn add(portal: Arc<Portal>, visit: Arc<Visit>) -> Result<Answer, Problem> {
    let app = AppId::parse(visit.field("app")).map_err(|_| Problem::NotFound("app"))?;
    let path = addresses_path(&portal, &visit, app).await?;
    let asked = portal.ask_office(&visit, (Method::POST, &path), Some(&json!({"url": visit.field("url")}))).await?;
    shown_once(&portal, &visit, &asked.body).await
}

async fn prove(portal: Arc<Portal>, visit: Arc<Visit>) -> Result<Answer, Problem> {
    let (app, address) = ids(&visit)?;
    let path = addresses_path(&portal, &visit, app).await?;
    portal.ask_office(&visit, (Method::POST, &format!("{path}/{address}/prove")), None).await?;
    Ok(Answer::see_other("/webhooks"))
}

async fn roll(portal: Arc<Portal>, visit: Arc<Visit>) -> Result<Answer, Problem> {
    let (app, address) = ids(&visit)?;
    let path = addresses_path(&portal, &visit, app).await?;
    let asked = portal.ask_office(&visit, (Method::POST, &format!("{path}/{address}/roll-secret")), None).await?;
    shown_once(&portal, &visit, &asked.body).await
}

async fn shown_once(portal: &Arc<Portal>, visit: &Arc<Visit>, body: &[u8]) -> Result<Answer, Problem> {
    let told: SigningSecretAnswer =
        serde_json::from_slice(body).map_err(|error| Problem::Store(format!("an address cannot be read: {error}")))?;
    listed(portal, visit, Some((told.address.url, told.signing_secret))).await
}

async fn remove(portal: Arc<Portal>, visit: Arc<Visit>) -> Result<Answer, Problem> {
    let (app, address) = ids(&visit)?;
    let remove = move |work: &mut laini_office::Work<'_>, visit: &Visit| {
        apps::remove_result_address(work, visit.partner()?, app, address)
    };
    portal.work(&visit, remove).await?;
    Ok(Answer::see_other("/webhooks"))
}

async fn again(portal: Arc<Portal>, visit: Arc<Visit>) -> Result<Answer, Problem> {
    let id = visit.id("delivery", CheckId::parse_request_ref)?;
    portal.work(&visit, move |work, visit| deliveries::redeliver(work, visit.partner()?, id, "")).await?;
    Ok(Answer::see_other("/webhooks"))
}

fn ids(visit: &Visit) -> Result<(AppId, ResultAddressId), Problem> {
    Ok((visit.id("app", AppId::parse)?, visit.id("address", ResultAddressId::parse)?))
}
