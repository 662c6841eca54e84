//! My apps: keys, secrets, products, and what is missing for production.

use std::sync::Arc;

use askama::Template;
use laini_core::partner::{App, AppStatus, Environment, Product, ProductSet};
use laini_office::Problem;
use laini_office::apps;

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
    sorting: Sorting<App>,
    apps: Vec<AppRow>,
    name: &'a str,
    products: [Product; 3],
}

static APPS: Table<App> = Table {
    name: "sort",
    columns: &[
        ("name", |one, other| by_text(&one.name, &other.name)),
        ("environment", |one, other| one.environment.word().cmp(other.environment.word())),
        ("state", |one, other| one.status.word().cmp(other.status.word())),
        ("products", |one, other| one.products.iter().cmp(other.products.iter())),
        ("key", |one, other| one.consumer_key.as_str().cmp(other.consumer_key.as_str())),
    ],
    comes: "",
};

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
    let all = portal.work(&visit, |work, visit| apps::apps_of(work, visit.partner()?)).await?;
    let is_shown = |app: &App| match tab {
        "sandbox" => app.environment == Environment::Sandbox && app.status != AppStatus::Revoked,
        "production" => app.environment == Environment::Production && app.status != AppStatus::Revoked,
        "revoked" => app.status == AppStatus::Revoked,
        _ => true,
    };
    let mut shown: Vec<App> = all.into_iter().map(|of| of.app).filter(|app| is_shown(app)).collect();
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
        apps: shown.iter().map(AppRow::of).collect(),
        name: visit.field("name"),
        products: Product::ALL,
    })
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
