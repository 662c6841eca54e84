use std::collections::BTreeMap;
use std::sync::Arc;

use askama::Template;
use jiff::civil::Date;
use laini_core::billing::{Currency, Money, Month, Outcome};
use laini_core::partner::{AppId, Environment, Product};
use laini_core::support::{CALL_TIME_BOUNDS, CallTimes};
use laini_office::billing::{DayUsage, usage_by_day};
use laini_office::call_times::{AppDay, partner_call_times};
use laini_office::{Problem, Work, apps};

use super::{BOTH, MonthChoice, OWN, base, months};
use crate::answer::Answer;
use crate::csv::push_line;
use crate::figures::{count, money, took};
use crate::frame::Frame;
use crate::page::{Page, Workspace};
use crate::pages::partner::Head;
use crate::plot::{Form, Plot, Series};
use crate::portal::Portal;
use crate::sorting::{By, Sorting, Table, by_text};
use crate::visit::{Visit, page};
use crate::words::UsageWords;

pub(super) fn pages() -> Vec<Page> {
    vec![
        Page::get("/usage", OWN, show).in_rail(Workspace::Build, |words| words.usage),
        Page::get("/usage/days.csv", OWN, download),
        Page::get("/partners/{partner}/usage", BOTH, show),
        Page::get("/partners/{partner}/usage/days.csv", BOTH, download),
    ]
}

#[derive(Template)]
#[template(path = "billing/usage.html")]
struct UsagePage {
    frame: Frame,
    words: &'static UsageWords,
    base: String,
    head: Head,
    month: Month,
    months: Vec<MonthChoice>,
    environment: &'static str,
    sums: Row,
    charts: Vec<String>,
    /// How fast checks were answered; `None` = of that month it is not kept.
    fast: Option<String>,
    /// By app, by product and by day.
    tables: [Counted; 3],
    is_member: bool,
    from: Date,
    until: Date,
}

/// A table: what it is called, its first column, its rows.
pub(super) struct Counted {
    title: &'static str,
    pub(super) of: &'static str,
    pub(super) sorting: Sorting<Used>,
    pub(super) rows: Vec<Row>,
}

/// What was asked of one kind, as people read it.
pub(super) struct Row {
    pub(super) name: String,
    pub(super) checks: String,
    pub(super) charged: String,
    pub(super) spend: String,
}

#[derive(Debug, Clone, Copy, Default)]
struct Sums {
    checks: u64,
    charged: u64,
    minor: i64,
}

/// What was asked of one kind.
pub(super) struct Used {
    pub(super) name: String,
    sums: Sums,
}

impl Used {
    pub(super) fn new(name: String, checks: u64, charged: u64, minor: i64) -> Self {
        Self { name, sums: Sums { checks, charged, minor } }
    }
}

static APPS: Table<Used> = Table { name: "apps", columns: USED, comes: "" };
static PRODUCTS: Table<Used> = Table { name: "products", columns: USED, comes: "" };
static DAYS: Table<Used> = Table { name: "days", columns: USED, comes: "name" };
/// The columns of what was asked of each kind.
pub(super) const USED: &[By<Used>] = &[
    ("name", |one, other| by_text(&one.name, &other.name)),
    ("checks", |one, other| one.sums.checks.cmp(&other.sums.checks)),
    ("charged", |one, other| one.sums.charged.cmp(&other.sums.charged)),
    ("spend", |one, other| one.sums.minor.cmp(&other.sums.minor)),
];

/// The rows of the file, in the order of the days.
static FILE: Table<DayUsage> = Table {
    name: DAYS.name,
    columns: &[
        ("name", |one, other| one.day.cmp(&other.day)),
        ("checks", |one, other| one.checks.cmp(&other.checks)),
        ("charged", |one, other| Sums::of(one).charged.cmp(&Sums::of(other).charged)),
        ("spend", |one, other| one.charged_minor.cmp(&other.charged_minor)),
    ],
    comes: DAYS.comes,
};

impl Sums {
    fn add(&mut self, usage: &DayUsage) {
        // A reversal is no check: it takes a charge back.
        match usage.outcome {
            Outcome::Reversal => self.charged = self.charged.saturating_sub(usage.checks),
            Outcome::Answered => {
                self.checks += usage.checks;
                self.charged += usage.checks;
            }
            _ => self.checks += usage.checks,
        }
        self.minor = self.minor.saturating_add(usage.charged_minor);
    }

    fn of(usage: &DayUsage) -> Self {
        let mut sums = Self::default();
        sums.add(usage);
        sums
    }

    fn row(self, name: String, currency: Currency) -> Row {
        Row {
            name,
            checks: count(self.checks),
            charged: count(self.charged),
            spend: money(Money::new(self.minor, currency)),
        }
    }
}

/// What is read for a month.
struct Read {
    name: String,
    month: Month,
    days: (Date, Date),
    usage: Vec<DayUsage>,
    times: Vec<AppDay>,
    apps: BTreeMap<AppId, String>,
    currency: Currency,
}

fn read(work: &mut Work<'_>, visit: &Visit, environment: Environment) -> Result<Read, Problem> {
    let (partner, zone) = (visit.partner()?, &work.office.settings.zone);
    let (month, _) = months(visit, Month::of(work.at, zone))?;
    let days = (zone.to_datetime(month.begins(zone)).date(), zone.to_datetime(month.ends(zone)).date());
    let mut usage = usage_by_day(work.office, Some(partner), days.0, days.1)?;
    usage.retain(|one| one.environment == environment);
    let mut times = partner_call_times(work, partner, days.0, days.1)?;
    times.retain(|one| one.environment == environment);
    let of = apps::apps_of(work, partner)?;
    let name = work.book()?.partners.into_iter().find(|known| known.id == partner).map(|known| known.name);
    let apps = of.into_iter().map(|of| (of.app.id, of.app.name)).collect();
    let (name, currency) = (name.unwrap_or_default(), work.office.settings.currency);
    Ok(Read { name, month, days, usage, times, apps, currency })
}

fn environment(visit: &Visit) -> Environment {
    Environment::parse(visit.query("environment")).unwrap_or(Environment::Production)
}

async fn show(portal: Arc<Portal>, visit: Arc<Visit>) -> Result<Answer, Problem> {
    let (words, environment) = (&visit.language.words().usage, environment(&visit));
    let found = portal.work(&visit, move |work, visit| {
        let read = read(work, visit, environment)?;
        let now = Month::of(work.at, &work.office.settings.zone);
        Ok((read, months(visit, now)?.1))
    });
    let (read, months) = found.await?;
    let mut all = Sums::default();
    for usage in &read.usage {
        all.add(usage);
    }
    let app = |id: &AppId| read.apps.get(id).cloned().unwrap_or_else(|| id.to_string());
    let apps = used(&read.usage, |usage| usage.app, app);
    let products = used(&read.usage, |usage| usage.product, |product| product.word().to_owned());
    let days = used(&read.usage, |usage| usage.day, ToString::to_string);
    let here = || format!("{}/usage", base(&visit));
    let counted = |table, texts, used| Counted::new(table, &visit, here(), texts, used, read.currency);
    let until = read.days.1;
    page(&UsagePage {
        frame: visit.frame(&portal, words.title).about(environment),
        words,
        base: base(&visit),
        charts: if read.usage.is_empty() { Vec::new() } else { charts(&read, words)? },
        fast: fast(&read, words)?,
        head: Head::new(&visit, (visit.partner()?, read.name.clone()), "usage"),
        month: read.month,
        months,
        environment: environment.word(),
        sums: all.row(String::new(), read.currency),
        tables: [
            counted(&APPS, (words.by_app, words.app), apps),
            counted(&PRODUCTS, (words.by_product, words.product), products),
            counted(&DAYS, (words.by_day, words.day), days),
        ],
        is_member: visit.actor().partner().is_some(),
        from: read.days.0,
        until,
    })
}

impl Counted {
    pub(super) fn new(
        table: &'static Table<Used>,
        visit: &Visit,
        here: String,
        (title, of): (&'static str, &'static str),
        mut used: Vec<Used>,
        currency: Currency,
    ) -> Self {
        let sorting = Sorting::of(table, visit, here, &mut used);
        let rows = used.into_iter().map(|used| used.sums.row(used.name, currency)).collect();
        Self { title, of, sorting, rows }
    }
}

/// What was asked of each kind.
fn used<K: Ord>(usage: &[DayUsage], kind: impl Fn(&DayUsage) -> K, name: impl Fn(&K) -> String) -> Vec<Used> {
    let mut kinds: BTreeMap<K, Sums> = BTreeMap::new();
    for one in usage {
        kinds.entry(kind(one)).or_default().add(one);
    }
    kinds.iter().map(|(kind, sums)| Used { name: name(kind), sums: *sums }).collect()
}

/// Checks by day, and what they cost at list prices.
fn charts(read: &Read, words: &UsageWords) -> Result<Vec<String>, Problem> {
    let days: Vec<Date> = read.days.0.series(jiff::Span::new().days(1)).take_while(|day| *day < read.days.1).collect();
    let asked: Vec<Product> =
        Product::ALL.into_iter().filter(|product| read.usage.iter().any(|one| one.product == *product)).collect();
    let of_day = |product: Product, value: &dyn Fn(&DayUsage) -> i64| -> Vec<i64> {
        let mut values: BTreeMap<Date, i64> = BTreeMap::new();
        for usage in read.usage.iter().filter(|one| one.product == product) {
            let sum = values.entry(usage.day).or_default();
            *sum = sum.saturating_add(value(usage));
        }
        days.iter().map(|day| values.get(day).copied().unwrap_or(0)).collect()
    };
    let checks = |usage: &DayUsage| match usage.outcome {
        Outcome::Reversal => 0,
        _ => i64::try_from(usage.checks).unwrap_or(i64::MAX),
    };
    let minor = |usage: &DayUsage| usage.charged_minor;
    let counted = |value: i64| count(u64::try_from(value).unwrap_or(0));
    let paid = |value: i64| money(Money::new(value, read.currency));
    let plot = |texts: (&'static str, &'static str, &'static str), value: &dyn Fn(&DayUsage) -> i64, written| {
        let series = asked.iter().map(|product| Series { name: product.word(), values: of_day(*product, value) });
        Plot {
            id: texts.0,
            title: texts.1,
            about: texts.2,
            form: Form::Bars,
            along: words.day,
            labels: days.iter().map(|day| format!("{:02}", day.day())).collect(),
            series: series.collect(),
            written,
            table: words.as_table,
        }
        .html()
    };
    let calls = plot(("calls", words.calls_by_day, words.calls_about), &checks, &counted)?;
    Ok(vec![calls, plot(("spend", words.spend_by_day, words.spend_about), &minor, &paid)?])
}

/// In what time half of a day's checks were answered, and 99 of 100.
fn fast(read: &Read, words: &UsageWords) -> Result<Option<String>, Problem> {
    let mut days: BTreeMap<Date, CallTimes> = BTreeMap::new();
    for of in &read.times {
        let day = days.entry(of.day).or_default();
        *day = day.with(&of.times);
    }
    let longest = CALL_TIME_BOUNDS.last().copied().unwrap_or(0);
    let within = |percent: u64| {
        let of = |times: &CallTimes| i64::try_from(times.within(percent).unwrap_or(longest + 1)).unwrap_or(i64::MAX);
        days.values().map(of).collect()
    };
    let written = |micros: i64| took(u64::try_from(micros).ok().filter(|micros| *micros <= longest));
    let plot = Plot {
        id: "fast",
        title: words.fast_by_day,
        about: words.fast_about,
        form: Form::Lines,
        along: words.day,
        labels: days.keys().map(|day| format!("{:02}", day.day())).collect(),
        series: vec![
            Series { name: words.half_within, values: within(50) },
            Series { name: words.most_within, values: within(99) },
        ],
        written: &written,
        table: words.as_table,
    };
    (!days.is_empty()).then(|| plot.html()).transpose()
}

async fn download(portal: Arc<Portal>, visit: Arc<Visit>) -> Result<Answer, Problem> {
    let environment = environment(&visit);
    let mut read = portal.work(&visit, move |work, visit| read(work, visit, environment)).await?;
    Sorting::of(&FILE, &visit, "", &mut read.usage);
    let mut csv = "day,app,product,environment,outcome,checks,charged_minor,currency\r\n".to_owned();
    for usage in &read.usage {
        let app = read.apps.get(&usage.app).cloned().unwrap_or_else(|| usage.app.to_string());
        let (day, product, outcome) = (usage.day, usage.product.word(), usage.outcome.word());
        let (checks, minor, currency) = (usage.checks, usage.charged_minor, read.currency.as_str());
        let [day, checks, minor] = [day.to_string(), checks.to_string(), minor.to_string()];
        push_line(&mut csv, [&day, &app, product, environment.word(), outcome, &checks, &minor, currency]);
    }
    Ok(Answer::file("text/csv; charset=utf-8", format!("usage-{}.csv", read.month), csv))
}
