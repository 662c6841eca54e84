//! My apps: keys, secrets, products, and what is missing for production.

use std::sync::Arc;

use askama::Template;
use jiff::Timestamp;
use laini_core::partner::{App, AppId, AppSecret, AppStatus, Environment, Product, ProductSet};
use laini_office::Problem;
use laini_office::apps::{self, AppOf};

use super::{BUILDS, LOOKS};
use crate::answer::Answer;
use crate::frame::Frame;
use crate::page::{Page, Workspace};
use crate::portal::Portal;
use crate::visit::{Visit, page};
use crate::words::AppsWords;

pub(super) fn pages() -> Vec<Page> {
    vec![
        Page::get("/apps", LOOKS, show_list).in_rail(Workspace::Build, |words| words.apps),
        Page::post("/apps", BUILDS, add, show_list),
        Page::get("/apps/{app}", LOOKS, show_app),
        Page::post("/apps/{app}/secrets", BUILDS, add_secret, show_app),
        Page::post("/apps/{app}/secrets/retire", BUILDS, retire_secret, show_app),
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
    apps: Vec<AppRow>,
    name: &'a str,
    products: [Product; 3],
}

struct AppRow {
    id: String,
    name: String,
    environment: &'static str,
    status: &'static str,
    tone: &'static str,
    products: String,
    key: String,
}

impl AppRow {
    fn of(app: &App) -> Self {
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
    let labels = [words.all, words.sandbox, words.production, words.revoked];
    let mut tabs = TABS.map(|tab| (tab, "", false));
    for (place, label) in labels.into_iter().enumerate() {
        tabs[place] = (TABS[place], label, TABS[place] == tab);
    }
    page(&AppsPage {
        frame: visit.frame(&portal, words.title),
        words,
        tabs,
        apps: all.iter().map(|of| &of.app).filter(|app| is_shown(app)).map(AppRow::of).collect(),
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
    show(&portal, &visit, app.id, Some(secret.reveal().to_owned())).await
}

#[derive(Template)]
#[template(path = "build/app.html")]
struct AppPage {
    frame: Frame,
    words: &'static AppsWords,
    app: AppRow,
    /// A new secret, shown this once.
    secret: Option<String>,
    secrets: Vec<SecretRow>,
    /// Its products, and whether the agreement covers each.
    products: Vec<(&'static str, bool)>,
    is_production: bool,
    has_agreement: bool,
    addresses: Vec<String>,
    can_build: bool,
}

struct SecretRow {
    number: u32,
    created: Option<String>,
    used: Option<String>,
}

impl SecretRow {
    fn of(secret: &AppSecret, portal: &Portal) -> Self {
        let shown = |at: Option<Timestamp>| at.map(|at| portal.shown(at));
        Self { number: secret.number, created: shown(secret.created), used: shown(secret.used) }
    }
}

async fn show_app(portal: Arc<Portal>, visit: Arc<Visit>) -> Result<Answer, Problem> {
    let app = visit.id("app", AppId::parse)?;
    show(&portal, &visit, app, None).await
}

async fn show(portal: &Arc<Portal>, visit: &Arc<Visit>, id: AppId, secret: Option<String>) -> Result<Answer, Problem> {
    let words = &visit.language.words().apps;
    let AppOf { app, agreement, addresses, .. } =
        portal.work(visit, move |work, visit| apps::the_app(work, visit.partner()?, id)).await?;
    let is_covered = |product| {
        let prices = agreement.iter().flat_map(|agreement| &agreement.prices);
        app.environment == Environment::Sandbox || prices.into_iter().any(|(priced, _)| *priced == product)
    };
    page(&AppPage {
        frame: visit.frame(portal, app.name.clone()),
        words,
        secret,
        secrets: app.secrets.iter().map(|secret| SecretRow::of(secret, portal)).collect(),
        products: app.products.iter().map(|product| (product.word(), is_covered(product))).collect(),
        is_production: app.environment == Environment::Production,
        has_agreement: agreement.is_some(),
        addresses: addresses.iter().map(|address| address.url.clone()).collect(),
        can_build: matches!(BUILDS, crate::page::Access::SignedIn(may) if visit.actor().is_allowed(&may)),
        app: AppRow::of(&app),
    })
}

async fn add_secret(portal: Arc<Portal>, visit: Arc<Visit>) -> Result<Answer, Problem> {
    let app = visit.id("app", AppId::parse)?;
    let secret = portal.work(&visit, move |work, visit| apps::add_secret(work, visit.partner()?, app)).await?;
    show(&portal, &visit, app, Some(secret.reveal().to_owned())).await
}

async fn retire_secret(portal: Arc<Portal>, visit: Arc<Visit>) -> Result<Answer, Problem> {
    let app = visit.id("app", AppId::parse)?;
    let number = visit.field("number").parse().map_err(|_| Problem::NotFound("secret"))?;
    portal.work(&visit, move |work, visit| apps::retire_secret(work, visit.partner()?, app, number, "")).await?;
    Ok(Answer::see_other(format!("/apps/{app}")))
}
