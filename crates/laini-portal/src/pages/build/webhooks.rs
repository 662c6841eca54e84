//! Webhooks: all result addresses, and what became of the deliveries to them.

use std::sync::Arc;

use askama::Template;
use axum::http::Method;
use jiff::Timestamp;
use laini_core::billing::CheckId;
use laini_core::partner::{App, AppId, AppStatus, Environment, ResultAddress, ResultAddressId};
use laini_core::store::{Attempt, Delivery, DeliveryId, DeliveryQuery, DeliveryState};
use laini_office::apps::AppOf;
use laini_office::{Problem, apps, deliveries};
use serde_json::json;

use super::webhook::{addresses_path, new_secret};
use super::{BUILDS, LOOKS, may_build};
use crate::answer::Answer;
use crate::csv::{ROWS_MAX, file, push_line};
use crate::frame::Frame;
use crate::page::{Page, Workspace};
use crate::portal::Portal;
use crate::sorting::{Sorting, Table, by_text};
use crate::visit::{Visit, page};
use crate::words::{WebhooksWords, Words};

pub(super) fn pages() -> Vec<Page> {
    vec![
        Page::get("/webhooks", LOOKS, show).in_rail(Workspace::Build, |words| words.webhooks),
        Page::get("/webhooks/deliveries.csv", LOOKS, download),
        Page::post("/webhooks", BUILDS, add, show),
    ]
}

/// Deliveries of a page.
pub(super) const DELIVERIES_PER_PAGE: usize = 50;
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
    /// What stands in the form when it is refused: the address, and the id of its app.
    url: String,
    wanted_app: String,
    /// Where this page is, its file, and how its other table is sorted.
    here: &'static str,
    csv: String,
    and_sorted: String,
    only_dead: bool,
    by_delivery: Sorting<Sent>,
    deliveries: Vec<DeliveryRow>,
    next: Option<String>,
}

pub(super) struct AddressRow {
    pub(super) app: String,
    /// Where its own page is.
    pub(super) href: String,
    pub(super) is_live: bool,
    pub(super) environment: &'static str,
    pub(super) url: String,
    pub(super) is_listener: bool,
    pub(super) proven: Option<String>,
    /// Until when the secret before signs as well, where it does still.
    pub(super) overlap: Option<String>,
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

/// A delivery with its app's name, where it goes to, and whether that address is there still.
pub(super) type Sent = (Delivery, Option<String>, String, bool);

pub(super) static DELIVERIES: Table<Sent> = Table {
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

pub(super) struct DeliveryRow {
    pub(super) id: String,
    pub(super) short_id: String,
    pub(super) made: String,
    pub(super) kind: &'static str,
    pub(super) app: String,
    pub(super) url: String,
    /// Where the page of the address is, where it is there still.
    pub(super) address: Option<String>,
    pub(super) state: String,
    pub(super) tone: &'static str,
    pub(super) attempts: u32,
    pub(super) last: String,
}

async fn show(portal: Arc<Portal>, visit: Arc<Visit>) -> Result<Answer, Problem> {
    listed(&portal, &visit, None).await
}

pub(super) fn only_dead(visit: &Visit) -> bool {
    visit.query("state") == "dead"
}

/// Where the page before ended.
pub(super) fn after(visit: &Visit) -> Result<Option<DeliveryId>, Problem> {
    let after = Some(visit.query("after")).filter(|after| !after.is_empty()).map(CheckId::parse_request_ref);
    Ok(after.transpose().map_err(|_| Problem::NotFound("page"))?.map(DeliveryId))
}

async fn listed(portal: &Arc<Portal>, visit: &Arc<Visit>, secret: Option<(String, String)>) -> Result<Answer, Problem> {
    let all_words = visit.language.words();
    let words = &all_words.webhooks;
    let (only_dead, after) = (only_dead(visit), after(visit)?);
    let mut by_delivery = Sorting::asked(&DELIVERIES, visit, "/webhooks");
    let (oldest_first, limit) = (by_delivery.is_turned(), DELIVERIES_PER_PAGE);
    let found = portal.work(visit, move |work, visit| {
        let partner = visit.partner()?;
        let query = DeliveryQuery { only_dead, after, oldest_first, limit, ..DeliveryQuery::default() };
        let page = deliveries::list(work, partner, &query)?;
        Ok((apps::apps_of(work, partner)?, page))
    });
    let (all, found) = found.await?;
    let of = |address: &ResultAddress, app: &App| address_row(address, app, portal, visit.context.at);
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
        here: "/webhooks",
        csv: format!("?{}{}", if only_dead { "state=dead" } else { "" }, by_delivery.and()),
        and_sorted: sorting.and(),
        apps: alive.map(|one| (one.app.id.to_string(), one.app.name.clone(), one.app.environment.word())).collect(),
        sorting,
        addresses,
        url: visit.field("url").to_owned(),
        wanted_app: visit.field("app").to_owned(),
        only_dead,
        by_delivery,
        deliveries: sent.into_iter().map(|sent| delivery_row(sent, portal, all_words)).collect(),
        next: found.next.map(|id| id.0.request_ref()),
    })
}

pub(super) fn sent(delivery: Delivery, apps: &[AppOf]) -> Sent {
    let of = apps.iter().find(|one| one.app.id == delivery.app);
    let address = of.and_then(|of| of.addresses.iter().find(|address| address.id == delivery.address));
    let (url, is_there) = (address.map(|address| address.url.clone()), address.is_some());
    let url = url.unwrap_or_else(|| delivery.address.to_string());
    (delivery, of.map(|of| of.app.name.clone()), url, is_there)
}

/// The deliveries of the list as a file, or those to one address.
async fn download(portal: Arc<Portal>, visit: Arc<Visit>) -> Result<Answer, Problem> {
    let address = Some(visit.query("address")).filter(|id| !id.is_empty()).map(ResultAddressId::parse);
    let address = address.transpose().map_err(|_| Problem::NotFound("address"))?;
    let mut by_delivery = Sorting::first(&DELIVERIES, &visit, "");
    let (only_dead, oldest_first, limit) = (only_dead(&visit), by_delivery.is_turned(), DELIVERIES_PER_READ);
    let found = portal.work(&visit, move |work, visit| {
        let partner = visit.partner()?;
        let mut query = DeliveryQuery { address, only_dead, oldest_first, limit, ..DeliveryQuery::default() };
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

fn push_delivery(csv: &mut String, (delivery, name, url, _): &Sent) {
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

pub(super) fn address_row(address: &ResultAddress, app: &App, portal: &Portal, now: Timestamp) -> AddressRow {
    AddressRow {
        href: address_href(app.id, address.id),
        app: app.name.clone(),
        is_live: app.environment == Environment::Production,
        environment: app.environment.word(),
        url: address.url.clone(),
        is_listener: !address.url.starts_with("http"),
        proven: address.proven.map(|at| portal.shown(at)),
        overlap: address.previous_until.filter(|until| *until > now).map(|at| portal.shown(at)),
    }
}

/// Where the page of an address is.
pub(super) fn address_href(app: AppId, address: ResultAddressId) -> String {
    format!("/webhooks/{app}/{address}")
}

pub(super) fn delivery_row((delivery, app, url, is_there): Sent, portal: &Portal, all: &Words) -> DeliveryRow {
    let words = &all.webhooks;
    let (state, tone) = match delivery.state {
        DeliveryState::Due(at) => (format!("{} {}", words.next_try, portal.shown_to_second(at)), "care"),
        DeliveryState::Delivered => (words.delivered.to_owned(), "go"),
        DeliveryState::Dead => (words.dead.to_owned(), "stop"),
    };
    let last = delivery.last.as_ref().map(|last| {
        let status = last.status.map(|status| status.to_string());
        let told = [status, Some(why(last, all)).filter(|why| !why.is_empty())];
        format!("{} · {}", portal.shown_to_second(last.at), told.into_iter().flatten().collect::<Vec<_>>().join(": "))
    });
    DeliveryRow {
        id: delivery.id.0.request_ref(),
        short_id: super::requests::short(&delivery.id.0.request_ref()),
        made: portal.shown_to_second(delivery.at),
        kind: words.kinds[delivery.kind as usize],
        app: app.unwrap_or_else(|| delivery.app.to_string()),
        url,
        address: is_there.then(|| address_href(delivery.app, delivery.address)),
        state,
        tone,
        attempts: delivery.attempts,
        last: last.unwrap_or_default(),
    }
}

/// Why a try came to nothing, in the reader's language; empty where it came to something.
pub(super) fn why(last: &Attempt, words: &Words) -> String {
    (words.refusal)(last.problem.clone())
}

async fn add(portal: Arc<Portal>, visit: Arc<Visit>) -> Result<Answer, Problem> {
    let app = AppId::parse(visit.field("app")).map_err(|_| Problem::NotFound("app"))?;
    let path = addresses_path(&portal, &visit, app).await?;
    let asked = portal.ask_office(&visit, (Method::POST, &path), Some(&json!({"url": visit.field("url")}))).await?;
    let told = new_secret(&asked.body)?;
    listed(&portal, &visit, Some((told.address.url, told.signing_secret))).await
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::words::{ENGLISH, KISWAHILI};

    #[test]
    fn why_a_delivery_failed_is_said_in_the_readers_language() {
        let problem = "its number was restricted, so its result is not told any more";
        let last = |problem: &str| Attempt { at: Timestamp::UNIX_EPOCH, status: None, problem: problem.to_owned() };
        assert_eq!(why(&last(problem), &ENGLISH), problem);
        let told = "namba yake ilizuiwa, kwa hiyo jibu lake halitolewi tena";
        assert_eq!(why(&last(problem), &KISWAHILI), told);
        assert_eq!(why(&last("the receiver answered 500"), &KISWAHILI), "mpokeaji alijibu 500");
        for problem in ["the receiver wants it no more", "the partner is suspended", "the app is suspended"] {
            assert_ne!(why(&last(problem), &KISWAHILI), problem);
        }
        assert_eq!(why(&last(""), &KISWAHILI), "");
    }
}
