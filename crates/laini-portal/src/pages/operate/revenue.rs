//! Revenue: what partners brought, by month and product, and what is outstanding.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;

use askama::Template;
use laini_core::billing::{Currency, Money, Month};
use laini_core::partner::{PartnerId, Product};
use laini_office::billing::{Earned, revenue};
use laini_office::payments::{self, PartnerAgeing};
use laini_office::{Problem, Work};

use super::FINANCE_LOOKS;
use crate::answer::Answer;
use crate::figures::{count, money};
use crate::frame::Frame;
use crate::page::{Page, Workspace};
use crate::plot::{Form, Plot, Series};
use crate::portal::Portal;
use crate::sorting::{Sorting, Table, by_text};
use crate::visit::{Visit, page};
use crate::words::{BillingWords, FinanceWords};

/// Months that are told.
const MONTHS: u64 = 12;
/// Rows of the table; the file has all of them.
const ROWS_MAX: usize = 200;
const HERE: &str = "/operate/revenue";

pub(super) fn pages() -> Vec<Page> {
    vec![
        Page::get(HERE, FINANCE_LOOKS, show).in_rail(Workspace::Operate, |words| words.revenue),
        Page::get("/operate/revenue.csv", FINANCE_LOOKS, download),
    ]
}

#[derive(Template)]
#[template(path = "operate/revenue.html")]
struct RevenuePage {
    frame: Frame,
    words: &'static FinanceWords,
    billing: &'static BillingWords,
    running: String,
    invoiced: String,
    open: String,
    chart: String,
    sorting: Sorting<Brought>,
    rows: Vec<Row>,
    has_more: bool,
    ages_sorting: Sorting<PartnerAgeing>,
    /// The columns of the ages, each with what it is called.
    age_heads: Vec<(&'static str, &'static str)>,
    ages: Vec<AgeRow>,
}

/// What a partner brought, with its name.
type Brought = (Earned, String);

static BROUGHT: Table<Brought> = Table {
    name: "sort",
    columns: &[
        ("month", |one, other| one.0.month.cmp(&other.0.month)),
        ("partner", |one, other| by_text(&one.1, &other.1)),
        ("product", |one, other| one.0.product.word().cmp(other.0.product.word())),
        ("units", |one, other| one.0.units.cmp(&other.0.units)),
        ("revenue", |one, other| one.0.net.minor.cmp(&other.0.net.minor)),
    ],
    comes: "",
};

static AGEING: Table<PartnerAgeing> = Table {
    name: "open",
    columns: &[
        ("partner", |one, other| by_text(&one.name, &other.name)),
        ("not-due", |one, other| one.ageing.not_due.cmp(&other.ageing.not_due)),
        ("1-30", |one, other| one.ageing.days_1_to_30.cmp(&other.ageing.days_1_to_30)),
        ("31-60", |one, other| one.ageing.days_31_to_60.cmp(&other.ageing.days_31_to_60)),
        ("61-90", |one, other| one.ageing.days_61_to_90.cmp(&other.ageing.days_61_to_90)),
        ("over-90", |one, other| one.ageing.over_90_days.cmp(&other.ageing.over_90_days)),
        ("open", |one, other| one.ageing.open().unwrap_or(i64::MAX).cmp(&other.ageing.open().unwrap_or(i64::MAX))),
    ],
    comes: "",
};

struct Row {
    month: Month,
    partner: PartnerId,
    name: String,
    product: &'static str,
    units: String,
    net: String,
    is_invoiced: bool,
}

struct AgeRow {
    partner: Option<PartnerId>,
    name: String,
    /// What is open, by age; and in all.
    ages: Vec<String>,
}

fn read(work: &mut Work<'_>) -> Result<Vec<Brought>, Problem> {
    let earned = revenue(work, MONTHS)?;
    let names: BTreeMap<_, _> = work.book()?.partners.into_iter().map(|partner| (partner.id, partner.name)).collect();
    let named = |one: Earned| {
        let name = names.get(&one.partner).cloned().unwrap_or_else(|| one.partner.to_string());
        (one, name)
    };
    Ok(earned.into_iter().map(named).collect())
}

async fn show(portal: Arc<Portal>, visit: Arc<Visit>) -> Result<Answer, Problem> {
    let words = &visit.language.words().finance;
    let found = portal.work(&visit, |work, _| {
        let brought = read(work)?;
        let on = payments::today(work);
        let now = Month::of(work.at, &work.office.settings.zone);
        Ok((brought, payments::ageing(work, on)?, now))
    });
    let (mut brought, (mut partners, all), now) = found.await?;
    let sorting = Sorting::of(&BROUGHT, &visit, HERE, &mut brought);
    let ages_sorting = Sorting::of(&AGEING, &visit, HERE, &mut partners);
    let (billing, currency) = (&visit.language.words().billing, portal.office.settings.currency);
    let sum = |is_of: &dyn Fn(&Earned) -> bool| {
        let of = brought.iter().map(|(one, _)| one).filter(|one| is_of(one) && one.net.currency == currency);
        money(Money::new(of.map(|one| one.net.minor).fold(0, i64::saturating_add), currency))
    };
    let row = |(one, name): &Brought| Row {
        month: one.month,
        partner: one.partner,
        name: name.clone(),
        product: one.product.word(),
        units: count(one.units),
        net: money(one.net),
        is_invoiced: one.is_invoiced,
    };
    let mut ages: Vec<AgeRow> = partners.iter().map(|of| AgeRow::of(of, currency)).collect::<Result<_, Problem>>()?;
    if !ages.is_empty() {
        let all = PartnerAgeing { partner: PartnerId::from_stored(0), name: words.all.to_owned(), ageing: all };
        ages.push(AgeRow { partner: None, ..AgeRow::of(&all, currency)? });
    }
    page(&RevenuePage {
        frame: visit.frame(&portal, words.revenue),
        words,
        billing,
        running: sum(&|one: &Earned| one.month == now),
        invoiced: sum(&|one: &Earned| one.is_invoiced),
        open: money(Money::new(all.open().map_err(payments::uncountable)?, currency)),
        chart: if brought.is_empty() { String::new() } else { chart(&brought, now, currency, words)? },
        sorting,
        rows: brought.iter().take(ROWS_MAX).map(row).collect(),
        has_more: brought.len() > ROWS_MAX,
        ages_sorting,
        age_heads: AGEING.columns[1..].iter().map(|(column, _)| *column).zip(billing.ages).collect(),
        ages,
    })
}

impl AgeRow {
    fn of(of: &PartnerAgeing, currency: Currency) -> Result<Self, Problem> {
        let ageing = &of.ageing;
        let open = ageing.open().map_err(payments::uncountable)?;
        let ages = [
            ageing.not_due,
            ageing.days_1_to_30,
            ageing.days_31_to_60,
            ageing.days_61_to_90,
            ageing.over_90_days,
            open,
        ];
        let ages = ages.map(|minor| money(Money::new(minor, currency))).to_vec();
        Ok(Self { partner: Some(of.partner), name: of.name.clone(), ages })
    }
}

fn chart(brought: &[Brought], now: Month, currency: Currency, words: &FinanceWords) -> Result<String, Problem> {
    let count = usize::try_from(MONTHS).unwrap_or(1);
    let mut months: Vec<Month> = std::iter::successors(Some(now), |month| Some(month.previous())).take(count).collect();
    months.reverse();
    let of = |product: Product, month: &Month| {
        let of = |one: &&Earned| one.product == product && one.month == *month && one.net.currency == currency;
        brought.iter().map(|(one, _)| one).filter(of).map(|one| one.net.minor).fold(0, i64::saturating_add)
    };
    let series = Product::ALL.map(|product| Series {
        name: product.word(),
        values: months.iter().map(|month| of(product, month)).collect(),
    });
    Plot {
        id: "revenue",
        title: words.by_month,
        about: words.by_month_about,
        form: Form::Bars,
        along: words.month,
        labels: months.iter().map(ToString::to_string).collect(),
        series: series.into_iter().collect(),
        written: &|minor| money(Money::new(minor, currency)),
        table: words.as_table,
    }
    .html()
}

async fn download(portal: Arc<Portal>, visit: Arc<Visit>) -> Result<Answer, Problem> {
    let mut brought = portal.work(&visit, |work, _| read(work)).await?;
    Sorting::of(&BROUGHT, &visit, "", &mut brought);
    let mut csv = "month,partner,name,product,units,net_minor,currency,invoiced\r\n".to_owned();
    for (one, name) in &brought {
        let name = name.replace('"', "\"\"");
        let (product, currency) = (one.product.word(), one.net.currency.as_str());
        let (month, partner, units, minor) = (one.month, one.partner, one.units, one.net.minor);
        let _ =
            write!(csv, "{month},{partner},\"{name}\",{product},{units},{minor},{currency},{}\r\n", one.is_invoiced);
    }
    Ok(Answer::file("text/csv; charset=utf-8", "revenue.csv".to_owned(), csv))
}
