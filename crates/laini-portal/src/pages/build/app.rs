//! One app: its keys, what it may ask, from where, how much, and what it does today.

use std::sync::Arc;

use askama::Template;
use jiff::Timestamp;
use laini_core::access::AddressRules;
use laini_core::billing::{Currency, Money};
use laini_core::partner::{
    Agreement, AppId, AppSecret, AppStatus, Environment, Limits, May, MemberRole, Product, ProductSet, ProductState,
    product_state,
};
use laini_office::apps::{self, Activity, AppOf, AppPatch};
use laini_office::{Problem, Work};

use super::apps::AppRow;
use super::{BUILDS, LOOKS, may_build};
use crate::answer::Answer;
use crate::frame::Frame;
use crate::page::{Access, Page};
use crate::portal::Portal;
use crate::visit::{Visit, page};
use crate::words::AppsWords;

/// Who ends an app for good.
const OWNS: May = May { members: &[MemberRole::Owner], staff: &[] };

pub(super) fn pages() -> Vec<Page> {
    vec![
        Page::get("/apps/{app}", LOOKS, show_app),
        Page::post("/apps/{app}/secrets", BUILDS, add_secret, show_app),
        Page::post("/apps/{app}/secrets/retire", BUILDS, retire_secret, show_app),
        Page::post("/apps/{app}/products", BUILDS, tick_products, show_app),
        Page::post("/apps/{app}/networks", BUILDS, set_networks, show_app),
        Page::post("/apps/{app}/revoke-tokens", BUILDS, revoke_tokens, show_app),
        Page::post("/apps/{app}/end", Access::SignedIn(OWNS), end, show_app),
    ]
}

#[expect(clippy::struct_excessive_bools, reason = "a template asks yes or no of each thing")]
#[derive(Template)]
#[template(path = "build/app.html")]
struct AppPage {
    frame: Frame,
    words: &'static AppsWords,
    app: AppRow,
    /// A new secret, shown this once.
    secret: Option<String>,
    secrets: Vec<SecretRow>,
    products: Vec<ProductRow>,
    is_production: bool,
    is_suspended: bool,
    is_revoked: bool,
    has_agreement: bool,
    today: Today,
    networks: String,
    addresses: Vec<(String, bool)>,
    limits: Vec<LimitRow>,
    budget: Option<String>,
    can_build: bool,
    can_end: bool,
}

struct SecretRow {
    number: u32,
    /// Its last four characters, where they are known.
    ending: Option<String>,
    created: Option<String>,
    age_days: Option<i64>,
    used: Option<String>,
}

impl SecretRow {
    fn of(secret: &AppSecret, portal: &Portal, now: Timestamp) -> Self {
        let shown = |at: Option<Timestamp>| at.map(|at| portal.shown(at));
        let age_days = secret.created.map(|created| now.duration_since(created).as_hours() / 24);
        let ending = secret.ending.map(|ending| ending.as_str().to_owned());
        Self { number: secret.number, ending, created: shown(secret.created), age_days, used: shown(secret.used) }
    }
}

/// A product, and whether it is answered.
struct ProductRow {
    product: &'static str,
    is_ticked: bool,
    state: &'static str,
    tone: &'static str,
    why: &'static str,
}

/// What an app does today.
pub(super) struct Today {
    pub(super) checks: u64,
    pub(super) failed: u64,
    pub(super) failed_percent: Option<String>,
    pub(super) spent: String,
    pub(super) last_call: Option<String>,
}

/// What is limited, of everything or of one product.
struct LimitRow {
    of: &'static str,
    rate: Option<String>,
    per_day: Option<u64>,
    per_month: Option<u64>,
}

async fn show_app(portal: Arc<Portal>, visit: Arc<Visit>) -> Result<Answer, Problem> {
    let app = visit.id("app", AppId::parse)?;
    shown(&portal, &visit, app, None).await
}

/// The page of an app; `secret` is a new one, which is shown this once.
pub(super) async fn shown(
    portal: &Arc<Portal>,
    visit: &Arc<Visit>,
    id: AppId,
    secret: Option<String>,
) -> Result<Answer, Problem> {
    let words = &visit.language.words().apps;
    let found = portal.work(visit, move |work, visit| {
        let partner = visit.partner()?;
        Ok((apps::the_app(work, partner, id)?, apps::activity(work, partner, id)?))
    });
    let (AppOf { app, agreement, addresses, .. }, today) = found.await?;
    let is_production = app.environment == Environment::Production;
    let prices = || agreement.iter().flat_map(|agreement| &agreement.prices);
    let product = |product: Product| {
        let is_missing = is_production && !prices().any(|(priced, _)| *priced == product);
        let (state, tone, why) = match product_state(&app, agreement.as_ref(), product).0 {
            ProductState::On => (words.on, "go", words.on_why),
            ProductState::Pending => (words.pending, "care", words.pending_why),
            ProductState::Off if is_missing => (words.off, "", words.not_agreed),
            ProductState::Off => (words.off, "", words.off_why),
        };
        ProductRow { product: product.word(), is_ticked: app.products.contains(product), state, tone, why }
    };
    let currency = currency(agreement.as_ref(), portal);
    let limits = std::iter::once(("", app.limits.in_all));
    let limits = limits.chain(app.limits.products.iter().map(|(product, limits)| (product.word(), *limits)));
    page(&AppPage {
        frame: visit.frame(portal, app.name.clone()).about(app.environment),
        words,
        secret,
        secrets: app.secrets.iter().map(|secret| SecretRow::of(secret, portal, visit.context.at)).collect(),
        products: Product::ALL.map(product).into(),
        is_production,
        is_suspended: app.status == AppStatus::Suspended,
        is_revoked: app.status == AppStatus::Revoked,
        has_agreement: agreement.is_some(),
        today: today_row(portal, today, currency),
        networks: app.allowed_addresses.texts().collect::<Vec<_>>().join("\n"),
        addresses: addresses.iter().map(|address| (address.url.clone(), address.proven.is_some())).collect(),
        limits: limits.map(|(of, limits)| limit_row(of, &limits)).collect(),
        budget: app.limits.budget.as_ref().map(|budget| budget.month.to_string()),
        can_build: may_build(visit) && app.status != AppStatus::Revoked,
        can_end: visit.actor().is_allowed(&OWNS) && app.status != AppStatus::Revoked,
        app: AppRow::of(&app),
    })
}

/// In which currency an app's checks are counted.
pub(super) fn currency(agreement: Option<&Agreement>, portal: &Portal) -> Currency {
    let priced = agreement.and_then(|agreement| agreement.prices.first()).map(|(_, price)| price.currency);
    priced.unwrap_or(portal.office.settings.currency)
}

pub(super) fn today_row(portal: &Portal, today: Activity, currency: Currency) -> Today {
    Today {
        checks: today.checks,
        failed: today.failed,
        failed_percent: today.failed_per_mille().map(|share| format!("{}.{} %", share / 10, share % 10)),
        spent: Money::new(today.charged_minor, currency).to_string(),
        last_call: today.last_call.map(|at| portal.shown_to_second(at)),
    }
}

fn limit_row(of: &'static str, limits: &Limits) -> LimitRow {
    LimitRow {
        of,
        rate: limits.rate.map(|rate| format!("{} ({})", rate.per_second, rate.burst)),
        per_day: limits.per_day,
        per_month: limits.per_month,
    }
}

async fn add_secret(portal: Arc<Portal>, visit: Arc<Visit>) -> Result<Answer, Problem> {
    let app = visit.id("app", AppId::parse)?;
    let secret = portal.work(&visit, move |work, visit| apps::add_secret(work, visit.partner()?, app)).await?;
    shown(&portal, &visit, app, Some(secret.reveal().to_owned())).await
}

async fn retire_secret(portal: Arc<Portal>, visit: Arc<Visit>) -> Result<Answer, Problem> {
    let number = visit.field("number").parse().map_err(|_| Problem::NotFound("secret"))?;
    done(&portal, &visit, move |work, visit, app| apps::retire_secret(work, visit.partner()?, app, number, "")).await
}

async fn tick_products(portal: Arc<Portal>, visit: Arc<Visit>) -> Result<Answer, Problem> {
    let parse = |word| Product::parse(word).map_err(|_| Problem::NotFound("product"));
    let ticked: ProductSet = visit.fields("product").map(parse).collect::<Result<Vec<_>, _>>()?.into_iter().collect();
    change(&portal, &visit, AppPatch { products: Some(ticked), ..AppPatch::default() }).await
}

async fn set_networks(portal: Arc<Portal>, visit: Arc<Visit>) -> Result<Answer, Problem> {
    let lines = visit.field("networks").lines().map(str::trim).filter(|line| !line.is_empty());
    let rules = AddressRules::parse(lines).map_err(|error| Problem::invalid("networks", error.to_string()))?;
    change(&portal, &visit, AppPatch { allowed_addresses: Some(rules), ..AppPatch::default() }).await
}

async fn change(portal: &Arc<Portal>, visit: &Arc<Visit>, patch: AppPatch) -> Result<Answer, Problem> {
    done(portal, visit, move |work, visit, app| apps::change_app(work, visit.partner()?, app, patch.clone(), "")).await
}

async fn revoke_tokens(portal: Arc<Portal>, visit: Arc<Visit>) -> Result<Answer, Problem> {
    done(&portal, &visit, |work, visit, app| apps::revoke_tokens(work, visit.partner()?, app, "")).await
}

async fn end(portal: Arc<Portal>, visit: Arc<Visit>) -> Result<Answer, Problem> {
    done(&portal, &visit, |work, visit, app| apps::terminate_app(work, visit.partner()?, app, visit.field("reason")))
        .await
}

/// Does something about the app of the path, and shows it again.
async fn done(
    portal: &Arc<Portal>,
    visit: &Arc<Visit>,
    act: impl Fn(&mut Work<'_>, &Visit, AppId) -> Result<(), Problem> + Send + 'static,
) -> Result<Answer, Problem> {
    let app = visit.id("app", AppId::parse)?;
    portal.work(visit, move |work, visit| act(work, visit, app)).await?;
    Ok(Answer::see_other(format!("/apps/{app}")))
}
