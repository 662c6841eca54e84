//! Limits: how many numbers each partner, app and product may be asked about, and what may be spent.

use std::num::NonZeroU32;
use std::sync::Arc;

use askama::Template;
use laini_core::billing::Money;
use laini_core::partner::{App, AppId, AppStatus, Budget, Limits, Partner, PartnerId, Probing, Product, Rate};
use laini_core::store::AccountBook;
use laini_office::apps::{AppPatch, change_app, limit_partner, set_budget, set_probing, the_app};
use laini_office::organisation::find_partner;
use laini_office::{Problem, Work};

use super::all_partners::{filters, is_wanted};
use super::{LIMITS, LOOKS};
use crate::answer::Answer;
use crate::csv::{file, push_line};
use crate::frame::Frame;
use crate::page::{Page, Workspace};
use crate::portal::Portal;
use crate::sorting::{Sorting, Table, by_text};
use crate::visit::{Visit, page};
use crate::words::RunningWords;

const HERE: &str = "/operate/limits";

pub(super) fn pages() -> Vec<Page> {
    vec![
        Page::get(HERE, LOOKS, list).in_rail(Workspace::Operate, |words| words.limits),
        Page::get("/operate/limits.csv", LOOKS, download),
        Page::get("/operate/limits/{partner}", LOOKS, show_partner),
        Page::post("/operate/limits/{partner}", LIMITS, change_partner, show_partner),
        Page::get("/operate/limits/{partner}/{app}", LOOKS, show_app),
        Page::post("/operate/limits/{partner}/{app}", LIMITS, change_limits, show_app),
    ]
}

/// A partner with its limits, and its apps with theirs.
type PartnerRows = (Partner, Row, Vec<(App, Row)>);

#[derive(Template)]
#[template(path = "operate/limits.html")]
struct LimitsPage {
    frame: Frame,
    words: &'static RunningWords,
    sorting: Sorting<Partner>,
    partners: Vec<PartnerRows>,
    /// The part of a name that is looked for.
    wanted: String,
    filters: String,
}

/// By the limits of the partner; what has none comes after every one that has.
static PARTNERS: Table<Partner> = Table {
    name: "sort",
    columns: &[
        ("name", |one, other| by_text(&one.name, &other.name)),
        ("rate", |one, other| rate(one).cmp(&rate(other))),
        ("day", |one, other| unlimited(one.limits.per_day).cmp(&unlimited(other.limits.per_day))),
        ("month", |one, other| unlimited(one.limits.per_month).cmp(&unlimited(other.limits.per_month))),
    ],
    comes: "",
};

fn rate(partner: &Partner) -> u64 {
    unlimited(partner.limits.rate.map(|rate| rate.per_second.get().into()))
}

fn unlimited(limit: Option<u64>) -> u64 {
    limit.unwrap_or(u64::MAX)
}

/// Limits as a table has them.
struct Row {
    rate: String,
    per_day: String,
    per_month: String,
    budget: String,
}

impl Row {
    fn of(limits: &Limits, budget: Option<&Budget>, words: &RunningWords) -> Self {
        let count = |count: Option<u64>| count.map_or_else(|| "—".to_owned(), |count| count.to_string());
        let rate = |rate: Rate| format!("{}, {} {}", rate.per_second, rate.burst, words.burst);
        Self {
            rate: limits.rate.map_or_else(|| "—".to_owned(), rate),
            per_day: count(limits.per_day),
            per_month: count(limits.per_month),
            budget: budget.map_or_else(|| "—".to_owned(), |budget| budget.month.to_string()),
        }
    }
}

#[derive(Template)]
#[template(path = "operate/limit.html")]
struct LimitPage {
    frame: Frame,
    words: &'static RunningWords,
    /// The path that the form goes to.
    action: String,
    under: String,
    /// What is limited: the word in the names of the fields, what it is called, and its limits.
    kinds: Vec<(&'static str, &'static str, Fields)>,
    /// What only an app has.
    app: Option<AppFields>,
    is_saved: bool,
}

struct Fields {
    rate: String,
    burst: String,
    per_day: String,
    per_month: String,
}

struct AppFields {
    budget: String,
    currency: String,
    hard_stop: bool,
    slow: String,
}

impl Fields {
    fn of(limits: &Limits) -> Self {
        let text = |count: Option<u64>| count.map(|count| count.to_string()).unwrap_or_default();
        Self {
            rate: limits.rate.map(|rate| rate.per_second.to_string()).unwrap_or_default(),
            burst: limits.rate.map(|rate| rate.burst.to_string()).unwrap_or_default(),
            per_day: text(limits.per_day),
            per_month: text(limits.per_month),
        }
    }
}

async fn list(portal: Arc<Portal>, visit: Arc<Visit>) -> Result<Answer, Problem> {
    let mut book = portal.work(&visit, wanted).await?;
    let sorting = Sorting::of(&PARTNERS, &visit, HERE, &mut book.partners);
    let words = &visit.language.words().running;
    let row = |app: &App| (app.clone(), Row::of(&app.limits.in_all, app.limits.budget.as_ref(), words));
    let of_partner = |partner: &Partner| {
        let apps = working(&book, partner).map(row).collect();
        (partner.clone(), Row::of(&partner.limits, None, words), apps)
    };
    let partners = book.partners.iter().map(of_partner).collect();
    let wanted = visit.query("name").trim().to_owned();
    let filters = filters(&wanted, &sorting);
    page(&LimitsPage { frame: visit.frame(&portal, words.limits), words, sorting, partners, wanted, filters })
}

/// The accounts, of which the partners are those that are looked for.
fn wanted(work: &mut Work<'_>, visit: &Visit) -> Result<AccountBook, Problem> {
    let mut book = work.book()?;
    book.partners.retain(|partner| is_wanted(&partner.name, visit.query("name")));
    Ok(book)
}

/// The apps of a partner that are not ended.
fn working<'b>(book: &'b AccountBook, partner: &Partner) -> impl Iterator<Item = &'b App> + use<'b> {
    let id = partner.id;
    book.apps.iter().filter(move |app| app.partner == id && app.status != AppStatus::Revoked)
}

/// The columns of the file: a line for each partner and for each of its apps, empty where there is no limit.
const HEAD: [&str; 10] = [
    "partner",
    "name",
    "app",
    "app_name",
    "environment",
    "per_second",
    "at_once",
    "per_day",
    "per_month",
    "budget_minor",
];

/// Limits as a file.
async fn download(portal: Arc<Portal>, visit: Arc<Visit>) -> Result<Answer, Problem> {
    let mut book = portal.work(&visit, wanted).await?;
    Sorting::of(&PARTNERS, &visit, HERE, &mut book.partners);
    let push = |csv: &mut String, partner: &Partner| {
        let id = partner.id.to_string();
        let mut push = |app: [&str; 3], limits: &Limits, budget: Option<&Budget>| {
            let text = |count: Option<u64>| count.map(|count| count.to_string()).unwrap_or_default();
            let budget = budget.map(|budget| budget.month.minor.to_string()).unwrap_or_default();
            let [rate, burst] = [limits.rate.map(|rate| rate.per_second), limits.rate.map(|rate| rate.burst)]
                .map(|count| text(count.map(|count| count.get().into())));
            let limits = [rate, burst, text(limits.per_day), text(limits.per_month), budget];
            push_line(csv, [&id, &*partner.name].into_iter().chain(app).chain(limits.iter().map(String::as_str)));
        };
        push(["", "", ""], &partner.limits, None);
        for app in working(&book, partner) {
            let named = [&*app.id.to_string(), &*app.name, app.environment.word()];
            push(named, &app.limits.in_all, app.limits.budget.as_ref());
        }
    };
    Ok(file("limits.csv", HEAD, &book.partners, push))
}

async fn show_partner(portal: Arc<Portal>, visit: Arc<Visit>) -> Result<Answer, Problem> {
    let partner = portal.work(&visit, |work, visit| find_partner(work, visit.partner()?)).await?;
    let words = &visit.language.words().running;
    page(&LimitPage {
        frame: visit.frame(&portal, partner.name),
        words,
        action: format!("/operate/limits/{}", partner.id),
        under: words.of_partner.to_owned(),
        kinds: vec![("all", words.of_partner, Fields::of(&partner.limits))],
        app: None,
        is_saved: !visit.query("saved").is_empty(),
    })
}

fn named(visit: &Visit) -> Result<(PartnerId, AppId), Problem> {
    Ok((visit.partner()?, visit.id("app", AppId::parse)?))
}

async fn show_app(portal: Arc<Portal>, visit: Arc<Visit>) -> Result<Answer, Problem> {
    let of =
        portal.work(&visit, |work, visit| named(visit).and_then(|(partner, app)| the_app(work, partner, app))).await?;
    let words = &visit.language.words().running;
    let limits = &of.app.limits;
    let products =
        of.app.products.iter().map(|product| (product.word(), product.word(), Fields::of(&limits.of(product))));
    let all = ("all", words.all_products, Fields::of(&limits.in_all));
    let currency = limits.budget.as_ref().map_or(portal.office.settings.currency, |budget| budget.month.currency);
    let budget = limits.budget.as_ref();
    page(&LimitPage {
        frame: visit.frame(&portal, of.app.name.clone()),
        words,
        action: format!("/operate/limits/{}/{}", of.partner.id, of.app.id),
        under: format!("{} · {}", of.partner.name, of.app.environment.word()),
        kinds: [all].into_iter().chain(products).collect(),
        app: Some(AppFields {
            budget: budget.map(|budget| amount(budget.month)).unwrap_or_default(),
            currency: currency.as_str().to_owned(),
            hard_stop: budget.is_some_and(|budget| budget.hard_stop),
            slow: match limits.probing {
                Probing::Flag => String::new(),
                Probing::Slow(rate) => rate.per_second.to_string(),
            },
        }),
        is_saved: !visit.query("saved").is_empty(),
    })
}

/// An amount as a field takes it.
fn amount(money: Money) -> String {
    format!("{}.{:02}", money.minor / 100, money.minor % 100)
}

/// A field of a kind that is a whole number, where something stands in it.
fn count<T: std::str::FromStr>(visit: &Visit, field: &'static str, kind: &str) -> Result<Option<T>, Problem> {
    let text = visit.field(&format!("{field}-{kind}"));
    let expected = |_| Problem::invalid(field, "expected a whole number above zero, or nothing for no limit");
    if text.is_empty() { Ok(None) } else { text.parse().map(Some).map_err(expected) }
}

fn limits(visit: &Visit, kind: &str) -> Result<Limits, Problem> {
    let rate: Option<NonZeroU32> = count(visit, "rate", kind)?;
    let burst: Option<NonZeroU32> = count(visit, "burst", kind)?;
    let rate = match (rate, burst) {
        (Some(per_second), burst) => Some(Rate { per_second, burst: burst.unwrap_or(per_second) }),
        (None, None) => None,
        (None, Some(_)) => return Err(Problem::invalid("rate", "how many at once says nothing without a rate")),
    };
    Ok(Limits { rate, per_day: count(visit, "per_day", kind)?, per_month: count(visit, "per_month", kind)? })
}

fn reason(visit: &Visit) -> Result<&str, Problem> {
    let reason = visit.field("reason");
    let fits = (1..=500).contains(&reason.chars().count()) && !reason.chars().any(char::is_control);
    fits.then_some(reason).ok_or(Problem::invalid("reason", "expected 1 to 500 characters in one line"))
}

async fn change_partner(portal: Arc<Portal>, visit: Arc<Visit>) -> Result<Answer, Problem> {
    let change = |work: &mut Work<'_>, visit: &Visit| {
        limit_partner(work, visit.partner()?, limits(visit, "all")?, reason(visit)?)
    };
    portal.work(&visit, change).await?;
    Ok(Answer::see_other(format!("{}?saved=1", visit.path)))
}

async fn change_limits(portal: Arc<Portal>, visit: Arc<Visit>) -> Result<Answer, Problem> {
    portal.work(&visit, change_app_limits).await?;
    Ok(Answer::see_other(format!("{}?saved=1", visit.path)))
}

/// Changes what differs: limits, budget, probing, each with a row of its own in the trail.
fn change_app_limits(work: &mut Work<'_>, visit: &Visit) -> Result<(), Problem> {
    let ((partner, id), why) = (named(visit)?, reason(visit)?);
    let present = the_app(work, partner, id)?.app;
    let of_product = |product: Product| limits(visit, product.word()).map(|limits| (product, limits));
    let products: Vec<_> = present.products.iter().map(of_product).collect::<Result<_, _>>()?;
    let products: Vec<_> = products.into_iter().filter(|(_, limits)| limits.is_set()).collect();
    let wanted = (limits(visit, "all")?, products);
    let budget = budget(work, &present, visit)?;
    let slow: Option<NonZeroU32> = count(visit, "slow", "all")?;
    let probing = slow.map_or(Probing::Flag, |per_second| Probing::Slow(Rate { per_second, burst: per_second }));
    // Each of these stages the app's limits whole, from what the store has: one at a time.
    let has_limits = (present.limits.in_all, present.limits.products.clone()) != wanted;
    match (has_limits, budget != present.limits.budget, probing != present.limits.probing) {
        (false, false, false) => Err(Problem::not_now("nothing is to be changed")),
        (true, false, false) => {
            change_app(work, partner, id, AppPatch { limits: Some(wanted), ..AppPatch::default() }, why)
        }
        (false, true, false) => set_budget(work, partner, id, budget, why),
        (false, false, true) => set_probing(work, partner, id, probing, why),
        _ => {
            Err(Problem::not_now("change limits, the budget and probing one after the other: each has its own reason"))
        }
    }
}

fn budget(work: &Work<'_>, app: &App, visit: &Visit) -> Result<Option<Budget>, Problem> {
    let text = visit.field("budget");
    if text.is_empty() {
        return Ok(None);
    }
    let present = app.limits.budget.as_ref();
    let currency = present.map_or(work.office.settings.currency, |budget| budget.month.currency);
    let month = Money::parse_amount(text, currency).map_err(|error| Problem::invalid("budget", error.to_string()))?;
    let hard_stop = !visit.field("hard_stop").is_empty();
    Ok(Some(Budget { month, hard_stop, ..present.cloned().unwrap_or_else(|| Budget::standard(month)) }))
}
