use std::sync::Arc;

use askama::Template;
use jiff::civil::Date;
use laini_core::billing::{Ageing, Money, Month};
use laini_core::partner::{App, AppId, AppStatus, Budget, Environment, PartnerId};
use laini_office::billing::{DayUsage, MonthSoFar, ProductSoFar, month_so_far, usage_by_day};
use laini_office::{Problem, Work, apps, payments, prepaid};

use super::{BOTH, BOTH_ACT, OWN, base, may};
use crate::answer::Answer;
use crate::figures::{count, money, typed};
use crate::frame::Frame;
use crate::page::{Page, Workspace};
use crate::pages::partner::Head;
use crate::portal::Portal;
use crate::sorting::{Sorting, Table, by_text};
use crate::visit::{Visit, page};
use crate::words::BillingWords;

pub(super) fn pages() -> Vec<Page> {
    vec![
        Page::get("/billing", OWN, show).in_rail(Workspace::Build, |words| words.billing),
        Page::post("/billing/budget", OWN, set_budget, show),
        Page::get("/partners/{partner}/billing", BOTH, show),
        Page::post("/partners/{partner}/billing/budget", BOTH_ACT, set_budget, show),
    ]
}

#[derive(Template)]
#[template(path = "billing/standing.html")]
struct StandingPage {
    frame: Frame,
    words: &'static BillingWords,
    base: String,
    partner: PartnerId,
    head: Head,
    is_member: bool,
    month: Month,
    days_left: u64,
    averaged_days: usize,
    /// What the month costs so far, and may come to.
    sums: Option<(String, String)>,
    products: Vec<ProductRow>,
    sorting: Sorting<BudgetRow>,
    budgets: Vec<BudgetRow>,
    is_saved: bool,
    can_set: bool,
    prepaid: Option<PrepaidCard>,
    open: String,
    overdue: Option<String>,
    credit: Option<String>,
    first: Date,
    next: Date,
}

struct ProductRow {
    product: &'static str,
    units: String,
    free: Option<(String, &'static str)>,
    spent: String,
    forecast_units: String,
    forecast: String,
}

struct BudgetRow {
    id: AppId,
    name: String,
    budget: Option<(String, String)>,
    used: String,
    percent: Option<i64>,
    /// The budget and what of it is used, in minor units.
    minor: (Option<i64>, i64),
}

static BUDGETS: Table<BudgetRow> = Table {
    name: "sort",
    columns: &[
        ("app", |one, other| by_text(&one.name, &other.name)),
        ("budget", |one, other| one.minor.0.cmp(&other.minor.0)),
        ("used", |one, other| one.minor.1.cmp(&other.minor.1)),
    ],
    comes: "",
};

struct PrepaidCard {
    left: String,
    is_used_up: bool,
    paid: String,
    used: String,
    since: String,
}

/// What is read for the page.
struct Read {
    name: String,
    month: MonthSoFar,
    apps: Vec<App>,
    usage: Vec<DayUsage>,
    standing: Option<prepaid::Standing>,
    ageing: Ageing,
    days: (Date, Date),
}

fn read(work: &mut Work<'_>, visit: &Visit) -> Result<Read, Problem> {
    let partner = visit.partner()?;
    let zone = &work.office.settings.zone;
    let month = Month::of(work.at, zone);
    let days = (zone.to_datetime(month.begins(zone)).date(), zone.to_datetime(month.ends(zone)).date());
    let usage = usage_by_day(work.office, Some(partner), days.0, days.1)?;
    let apps = apps::apps_of(work, partner)?.into_iter().map(|of| of.app);
    let is_shown = |app: &App| app.environment == Environment::Production && app.status != AppStatus::Revoked;
    let on = payments::today(work);
    let ageing = Ageing::of(&payments::account(work, partner, on)?).map_err(payments::uncountable)?;
    Ok(Read {
        name: payments::known_partner(work, partner)?.name,
        month: month_so_far(work, partner)?,
        apps: apps.filter(is_shown).collect(),
        usage,
        standing: prepaid::standing(work, partner)?,
        ageing,
        days,
    })
}

async fn show(portal: Arc<Portal>, visit: Arc<Visit>) -> Result<Answer, Problem> {
    let words = &visit.language.words().billing;
    let read = portal.work(&visit, read).await?;
    let currency = portal.office.settings.currency;
    let shown = |minor| money(Money::new(minor, currency));
    let open = read.ageing.open().map_err(payments::uncountable)?;
    let overdue = open - read.ageing.not_due;
    let prepaid = read.standing.map(|standing| PrepaidCard {
        left: money(standing.left),
        is_used_up: standing.left.minor <= 0,
        paid: money(standing.paid),
        used: money(standing.used),
        since: portal.shown(standing.from),
    });
    let mut budgets: Vec<_> = read.apps.iter().map(|app| BudgetRow::of(app, &read.usage, &shown)).collect();
    page(&StandingPage {
        sorting: Sorting::of(&BUDGETS, &visit, format!("{}/billing", base(&visit)), &mut budgets),
        frame: visit.frame(&portal, words.title),
        words,
        base: base(&visit),
        partner: visit.partner()?,
        is_member: visit.actor().partner().is_some(),
        month: read.month.month,
        days_left: read.month.days_left,
        averaged_days: read.month.averaged_days,
        sums: read.month.sums().map(|(spent, forecast)| (money(spent), money(forecast))),
        products: read.month.products.iter().map(|of| ProductRow::of(of, words)).collect(),
        budgets,
        is_saved: !visit.query("saved").is_empty(),
        can_set: may(&visit, BOTH_ACT),
        prepaid,
        open: shown(open),
        overdue: (overdue > 0).then(|| shown(overdue)),
        credit: (read.ageing.credit > 0).then(|| shown(read.ageing.credit)),
        first: read.days.0,
        next: read.days.1,
        head: Head::new(&visit, (visit.partner()?, read.name), "billing"),
    })
}

impl ProductRow {
    fn of(of: &ProductSoFar, words: &BillingWords) -> Self {
        let often = if of.free_per_month { words.free_per_month } else { words.free_once };
        Self {
            product: of.product.word(),
            units: count(of.units),
            free: of.free_left.map(|left| (count(left), often)),
            spent: money(of.spent),
            forecast_units: count(of.forecast_units),
            forecast: money(of.forecast),
        }
    }
}

impl BudgetRow {
    fn of(app: &App, usage: &[DayUsage], shown: &dyn Fn(i64) -> String) -> Self {
        let used = usage.iter().filter(|one| one.app == app.id).map(|one| one.charged_minor);
        let used = used.fold(0, i64::saturating_add);
        let budget = app.limits.budget.as_ref();
        let percent = budget.filter(|budget| budget.month.minor > 0);
        let percent = percent.map(|budget| i128::from(used) * 100 / i128::from(budget.month.minor));
        Self {
            id: app.id,
            name: app.name.clone(),
            budget: budget.map(|budget| (money(budget.month), shown(budget.stop_minor()))),
            used: shown(used),
            minor: (budget.map(|budget| budget.month.minor), used),
            percent: percent.map(|percent| i64::try_from(percent).unwrap_or(i64::MAX)),
        }
    }
}

async fn set_budget(portal: Arc<Portal>, visit: Arc<Visit>) -> Result<Answer, Problem> {
    portal
        .work(&visit, |work, visit| {
            let (partner, app) = (visit.partner()?, AppId::parse(visit.field("app")));
            let app = app.map_err(|_| Problem::NotFound("app"))?;
            let of = apps::the_app(work, partner, app)?;
            let agreed = of.agreement.as_ref().and_then(|agreement| agreement.prices.first());
            let currency = agreed.map_or(work.office.settings.currency, |(_, price)| price.currency);
            let budget = match visit.field("amount") {
                "" => None,
                text => {
                    let month = typed(text, currency)?;
                    let hard_stop = !visit.field("hard_stop").is_empty();
                    // What was set elsewhere of warnings and overrun stays.
                    let before = of.app.limits.budget.unwrap_or_else(|| Budget::standard(month));
                    Some(Budget { month, hard_stop, ..before })
                }
            };
            apps::set_budget(work, partner, app, budget, "")
        })
        .await?;
    Ok(Answer::see_other(format!("{}/billing?saved=1#budgets", base(&visit))))
}
