//! One app: its keys, what it may ask, from where, how much, what it did recently, and how far it is to production.

use std::sync::Arc;

use askama::Template;
use jiff::Timestamp;
use laini_core::access::AddressRules;
use laini_core::billing::{Currency, Money};
use laini_core::partner::{
    Agreement, App, AppId, AppSecret, AppStatus, Environment, Limits, May, MemberRole, PartnerStatus, Product,
    ProductSet, ProductState, product_state,
};
use laini_office::apps::{self, AppOf, AppPatch, LastCall, Recently};
use laini_office::going_live::GoLive;
use laini_office::{PageRequest, Problem, Work, onboarding};

use super::apps::AppRow;
use super::{BUILDS, LOOKS, may_build};
use crate::answer::Answer;
use crate::figures::count;
use crate::frame::Frame;
use crate::page::{Access, Page};
use crate::pages::partner::{of_go_live, tone_of_go_live};
use crate::portal::Portal;
use crate::visit::{Visit, page};
use crate::words::AppsWords;

/// Who ends an app for good,
const OWNS: May = May { members: &[MemberRole::Owner], staff: &[] };
/// and who opens tickets.
const ASKS: May = May {
    members: &[MemberRole::Owner, MemberRole::Developer, MemberRole::Billing, MemberRole::FraudDesk],
    staff: &[],
};

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
    /// Where to ask why it is suspended.
    ask_why: Option<String>,
    recent: Recent,
    /// Tokens that this server gave and that are good; `None` = while it is suspended, or its partner, none is.
    tokens: Option<u64>,
    go_live: Option<GoLiveRow>,
    /// Whether there is none under way.
    begins_go_live: bool,
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
    /// Where to ask for it.
    ask: Option<String>,
}

/// What an app did recently.
pub(super) struct Recent {
    /// Today.
    pub(super) checks: u64,
    /// In the last 24 hours.
    /// As people read it, with a plus sign where more may have failed than are kept.
    pub(super) failed: String,
    pub(super) failed_percent: Option<String>,
    /// Today.
    pub(super) spent: String,
    /// When it called last, and what that says.
    pub(super) last_call: Option<(String, &'static str)>,
}

/// A request to go live: where it stands.
struct GoLiveRow {
    href: String,
    name: String,
    state: &'static str,
    tone: &'static str,
    turn: &'static str,
    since: String,
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
        let app = apps::the_app(work, partner, id)?;
        let request = go_live_of(work, &app.app)?;
        Ok((app, apps::recently(work, partner, id)?, request))
    });
    let (AppOf { app, partner, agreement, addresses }, recently, request) = found.await?;
    let is_barred = app.status == AppStatus::Suspended || partner.status == PartnerStatus::Suspended;
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
        let ask = is_missing.then(|| ticket(visit, words.ask_product, product.word(), &app)).flatten();
        ProductRow { product: product.word(), is_ticked: app.products.contains(product), state, tone, why, ask }
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
        ask_why: ticket(visit, words.ask_suspended, "", &app).filter(|_| app.status == AppStatus::Suspended),
        recent: recent_row(portal, words, recently, currency),
        tokens: (!is_barred).then(|| portal.running.tokens.good(app.id, app.token_epoch, visit.context.at)),
        begins_go_live: request.as_ref().is_none_or(|request| request.state.is_over()),
        go_live: request.map(|request| go_live_row(portal, visit, &request)),
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

pub(super) fn recent_row(portal: &Portal, words: &AppsWords, recently: Recently, currency: Currency) -> Recent {
    let told = |last| match last {
        LastCall::At(at) => (portal.shown_to_second(at), ""),
        LastCall::InQuarter(at) => (portal.shown(at), words.in_quarter),
        LastCall::AtToken(at) => (portal.shown(at), words.at_token),
        LastCall::OnDay(at) => (portal.office.settings.zone.to_datetime(at).date().to_string(), words.on_day),
    };
    Recent {
        checks: recently.checks_today,
        failed: format!("{}{}", count(recently.failed), if recently.is_all_kept() { "" } else { "+" }),
        failed_percent: recently.failed_per_mille().map(|share| format!("{}.{} %", share / 10, share % 10)),
        spent: Money::new(recently.charged_minor_today, currency).to_string(),
        last_call: recently.last_call.map(told),
    }
}

/// Of a production app the request that it came out of, where it did; otherwise the partner's newest.
fn go_live_of(work: &mut Work<'_>, app: &App) -> Result<Option<GoLive>, Problem> {
    let is_production = app.environment == Environment::Production;
    let limit = if is_production { PageRequest::FIRST.limit } else { 1 };
    let page = PageRequest { limit, ..PageRequest::FIRST };
    let requests = work.find::<GoLive>("partner", app.partner, true, page)?.items;
    Ok(requests.into_iter().find(|request| !is_production || request.app == Some(app.id)))
}

fn go_live_row(portal: &Portal, visit: &Visit, request: &GoLive) -> GoLiveRow {
    let words = visit.language.words();
    GoLiveRow {
        href: of_go_live(request.partner, request.id),
        name: request.name.clone(),
        state: words.go_live.state(request.state),
        tone: tone_of_go_live(request.state),
        turn: words.onboarding.turn(request.state.owner(), onboarding::side(&visit.actor())),
        since: request.stages.last().map(|stage| portal.shown(stage.at)).unwrap_or_default(),
    }
}

/// A form for a ticket about `app`, filled in, for those who may send it: how its subject and its text begin, and what
/// it is about.
fn ticket(visit: &Visit, (subject, text): (&str, &str), about: &str, app: &App) -> Option<String> {
    if !visit.actor().is_allowed(&ASKS) {
        return None;
    }
    let about = if about.is_empty() { app.name.as_str() } else { about };
    let text = format!("{text}: {}, {}", app.name, app.consumer_key.as_str());
    Some(filled_ticket(&format!("{subject}: {about}"), &text))
}

fn filled_ticket(subject: &str, text: &str) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.append_pair("subject", subject).append_pair("text", text);
    format!("/support?{}", query.finish())
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ticket_is_filled_in_whatever_an_app_is_called() {
        let href = filled_ticket("A product: swap", "Please add it: R&D=1 #2, key");
        assert_eq!(href, "/support?subject=A+product%3A+swap&text=Please+add+it%3A+R%26D%3D1+%232%2C+key");
    }
}
