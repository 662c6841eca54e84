//! My apps: keys, secrets, products, and what is missing for production.

use std::sync::Arc;

use askama::Template;
use jiff::Timestamp;
use laini_core::partner::{App, AppStatus, Environment, Product, ProductSet};
use laini_office::Problem;
use laini_office::apps::{self, AppOf, LastCall, Recently};

use super::app::{Recent, currency, recent_row};
use super::{BUILDS, LOOKS};
use crate::answer::Answer;
use crate::frame::Frame;
use crate::page::{Page, Workspace};
use crate::portal::Portal;
use crate::sorting::{Sorting, Table, by_text};
use crate::visit::{Visit, page};
use crate::words::AppsWords;

pub(super) fn pages() -> Vec<Page> {
    vec![
        Page::get("/apps", LOOKS, show_list).in_rail(Workspace::Build, |words| words.apps),
        Page::post("/apps", BUILDS, add, show_list),
    ]
}

/// The tabs, as the operators' own portals have them.
const TABS: [&str; 4] = ["all", "sandbox", "production", "revoked"];

#[derive(Template)]
#[template(path = "build/apps.html")]
struct AppsPage<'a> {
    frame: Frame,
    words: &'static AppsWords,
    tabs: [(&'static str, &'static str, bool); 4],
    sorting: Sorting<Listed>,
    apps: Vec<ListedRow>,
    name: &'a str,
    products: [Product; 3],
}

/// An app, and what it did recently.
type Listed = (AppOf, Recently);

static APPS: Table<Listed> = Table {
    name: "sort",
    columns: &[
        ("name", |one, other| by_text(&one.0.app.name, &other.0.app.name)),
        ("state", |one, other| one.0.app.status.word().cmp(other.0.app.status.word())),
        ("products", |one, other| one.0.app.products.iter().cmp(other.0.app.products.iter())),
        ("last-call", |one, other| one.1.last_call.map(LastCall::at).cmp(&other.1.last_call.map(LastCall::at))),
        ("failed", |one, other| one.1.failed_per_mille().cmp(&other.1.failed_per_mille())),
        ("spent", |one, other| one.1.charged_minor_today.cmp(&other.1.charged_minor_today)),
        ("key-age", |one, other| newest_secret(&other.0.app).cmp(&newest_secret(&one.0.app))),
    ],
    comes: "",
};

/// When the newest secret of an app was made.
fn newest_secret(app: &App) -> Option<Timestamp> {
    app.secrets.iter().filter_map(|secret| secret.created).max()
}

struct ListedRow {
    app: AppRow,
    recent: Recent,
    key_age_days: Option<i64>,
}

pub(super) struct AppRow {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) environment: &'static str,
    pub(super) status: &'static str,
    pub(super) tone: &'static str,
    pub(super) products: String,
    pub(super) key: String,
}

impl AppRow {
    pub(super) fn of(app: &App) -> Self {
        let products: Vec<_> = app.products.iter().map(Product::word).collect();
        Self {
            id: app.id.to_string(),
            name: app.name.clone(),
            environment: app.environment.word(),
            status: app.status.word(),
            tone: tone(app.status),
            products: products.join(", "),
            key: app.consumer_key.as_str().to_owned(),
        }
    }
}

fn tone(status: AppStatus) -> &'static str {
    match status {
        AppStatus::Active => "go",
        AppStatus::Suspended => "care",
        AppStatus::Revoked => "stop",
    }
}

async fn show_list(portal: Arc<Portal>, visit: Arc<Visit>) -> Result<Answer, Problem> {
    let words = &visit.language.words().apps;
    let tab = TABS.into_iter().find(|tab| *tab == visit.query("tab")).unwrap_or(TABS[0]);
    let found = portal.work(&visit, |work, visit| {
        let partner = visit.partner()?;
        Ok((apps::apps_of(work, partner)?, apps::recently_of_all(work, partner)?))
    });
    let (all, recently) = found.await?;
    let is_shown = |app: &App| match tab {
        "sandbox" => app.environment == Environment::Sandbox && app.status != AppStatus::Revoked,
        "production" => app.environment == Environment::Production && app.status != AppStatus::Revoked,
        "revoked" => app.status == AppStatus::Revoked,
        _ => true,
    };
    let shown = all.into_iter().filter(|of| is_shown(&of.app));
    let with_recently = |of: AppOf| {
        let recently = recently.get(&of.app.id).copied().unwrap_or_default();
        (of, recently)
    };
    let mut shown: Vec<Listed> = shown.map(with_recently).collect();
    let labels = [words.all, words.sandbox, words.production, words.revoked];
    let mut tabs = TABS.map(|tab| (tab, "", false));
    for (place, label) in labels.into_iter().enumerate() {
        tabs[place] = (TABS[place], label, TABS[place] == tab);
    }
    page(&AppsPage {
        frame: visit.frame(&portal, words.title),
        words,
        tabs,
        sorting: Sorting::of(&APPS, &visit, "/apps", &mut shown),
        apps: shown.iter().map(|(of, recently)| listed_row(&portal, &visit, of, *recently)).collect(),
        name: visit.field("name"),
        products: Product::ALL,
    })
}

fn listed_row(portal: &Portal, visit: &Visit, of: &AppOf, recently: Recently) -> ListedRow {
    let words = &visit.language.words().apps;
    let age = |created: Timestamp| visit.context.at.duration_since(created).as_hours() / 24;
    ListedRow {
        app: AppRow::of(&of.app),
        recent: recent_row(portal, words, recently, currency(of.agreement.as_ref(), portal)),
        key_age_days: newest_secret(&of.app).map(age),
    }
}

async fn add(portal: Arc<Portal>, visit: Arc<Visit>) -> Result<Answer, Problem> {
    let made = portal.work(&visit, |work, visit| {
        let products =
            visit.fields("product").map(|word| Product::parse(word).map_err(|_| Problem::NotFound("product")));
        let products: ProductSet = products.collect::<Result<Vec<_>, _>>()?.into_iter().collect();
        apps::add_sandbox_app(work, visit.partner()?, visit.field("name"), products)
    });
    let (app, secret) = made.await?;
    super::app::shown(&portal, &visit, app.id, Some(secret.reveal().to_owned())).await
}
