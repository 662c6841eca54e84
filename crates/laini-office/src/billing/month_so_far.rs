use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use jiff::ToSpan as _;
use jiff::civil::Date;
use laini_core::billing::{
    AVERAGED_DAYS, Carried, FreeUnits, Line, LineKind, Money, Month, Outcome, Price, Run, allot,
};
use laini_core::billing::{MoneyError, forecast};
use laini_core::partner::{Environment, PartnerId, Product};

use super::close::newest;
use super::invoice::carried_before;
use super::{DayUsage, PriceBook, usage_by_day};
use crate::payments::today;
use crate::{Problem, Work};

/// Months that are over and not closed yet: further ones are left out of what is carried over.
const UNCLOSED_MONTHS_MAX: u64 = 3;

/// What the running month costs a partner so far, and what it may come to: before tax, from the ledger's counters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MonthSoFar {
    /// Which month.
    pub month: Month,
    /// Days of it after today.
    pub days_left: u64,
    /// So many days before today are averaged.
    pub averaged_days: usize,
    /// Of each product with a price in force.
    pub products: Vec<ProductSoFar>,
}

/// A product of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProductSoFar {
    /// Which.
    pub product: Product,
    /// Units of the month so far.
    pub units: u64,
    /// Free units that are left: of the month, or once. `None` where the price has none.
    pub free_left: Option<u64>,
    /// Whether free units come anew with every month.
    pub free_per_month: bool,
    /// What they cost, with free units, bands and the set-up fee; without the monthly minimum.
    pub spent: Money,
    /// Units that the month comes to, going on like the average day.
    pub forecast_units: u64,
    /// What these cost, with the monthly minimum.
    pub forecast: Money,
}

impl MonthSoFar {
    /// What all products cost so far, and what they may come to; those of the currency of the first.
    pub fn sums(&self) -> Option<(Money, Money)> {
        let currency = self.products.first()?.spent.currency;
        let none = Money::new(0, currency);
        let of = self.products.iter().filter(|product| product.spent.currency == currency);
        of.map(|product| (product.spent, product.forecast)).try_fold((none, none), |(spent, forecast), more| {
            Some((spent.plus(more.0).ok()?, forecast.plus(more.1).ok()?))
        })
    }
}

/// The running month of a partner. Units are those of the counters: the close counts row by row, so the invoice can differ
/// by checks of the last minutes and by a price that changed within a day.
pub fn month_so_far(work: &mut Work<'_>, partner: PartnerId) -> Result<MonthSoFar, Problem> {
    let prices = PriceBook::load(work.office)?;
    let first = first_open(work)?;
    let (from, until) = span(work, first)?;
    let usage = usage_by_day(work.office, Some(partner), from, until)?;
    so_far(work, &prices, partner, &usage, first)
}

/// The days that are looked at: those of the months that are not closed, and those that are averaged.
pub(super) fn span(work: &Work<'_>, first: Month) -> Result<(Date, Date), Problem> {
    let today = today(work);
    let zone = &work.office.settings.zone;
    let first = zone.to_datetime(first.begins(zone)).date();
    let averaged = i64::try_from(AVERAGED_DAYS).unwrap_or(0);
    let tomorrow = today.checked_add(1.day()).map_err(|_| out_of_time())?;
    Ok((first.min(today.saturating_sub(averaged.days())), tomorrow))
}

/// The first month that is not closed; the running one where none ever was.
pub(super) fn first_open(work: &mut Work<'_>) -> Result<Month, Problem> {
    let now = Month::of(work.at, &work.office.settings.zone);
    let closed = newest(work)?.filter(|close| close.is_done).map(|close| close.month.next());
    let is_near = |month: &Month| *month <= now && now.number() - month.number() <= UNCLOSED_MONTHS_MAX;
    Ok(closed.filter(is_near).unwrap_or(now))
}

/// What a partner's usage of these days comes to.
pub(super) fn so_far(
    work: &mut Work<'_>,
    prices: &PriceBook,
    partner: PartnerId,
    usage: &[DayUsage],
    first: Month,
) -> Result<MonthSoFar, Problem> {
    let (now, today) = (Month::of(work.at, &work.office.settings.zone), today(work));
    let days_left = u64::try_from(today.days_in_month() - today.day()).unwrap_or(0);
    let mut month = MonthSoFar { month: now, days_left, averaged_days: 0, products: Vec::new() };
    let mut invoiced: BTreeMap<&str, Vec<Carried>> = BTreeMap::new();
    for product in Product::ALL {
        let Some(price) = prices.in_force(partner, product, work.at) else { continue };
        let units = Units::of(product, usage);
        let currency = price.currency.as_str();
        let before = match invoiced.entry(currency) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(free) => free.insert(carried_before(work, partner, currency, None)?),
        };
        let before = before.iter().find(|one| one.product == product).copied();
        let before = before.unwrap_or(Carried::nothing(product));
        let carried = carried(work, prices, (partner, product), &units, (before, first))?;
        let before = units.before(today);
        month.averaged_days = month.averaged_days.max(before.len());
        let runs = runs(work, prices, (partner, product), &units, now);
        let in_month: u64 = runs.iter().map(|run| run.units).sum();
        let none = Carried { product, ..carried };
        let spent = allot(&none, &runs, &[], None).map_err(uncountable)?;
        let forecast_units = forecast(in_month, units.on(today), &before, days_left);
        let more = Run { price, units: forecast_units.saturating_sub(in_month) };
        let minimum = prices.in_force(partner, product, now.begins(&work.office.settings.zone));
        let all: Vec<Run<'_>> = runs.iter().copied().chain([more]).collect();
        let coming = allot(&none, &all, &[], minimum).map_err(uncountable)?;
        let (free, seen) = match price.free {
            FreeUnits::Once(free) => (free, carried.units_ever().saturating_add(in_month)),
            FreeUnits::PerMonth(free) => (free, in_month),
        };
        month.products.push(ProductSoFar {
            product,
            units: in_month,
            free_left: (free > 0).then(|| free.saturating_sub(seen)),
            free_per_month: matches!(price.free, FreeUnits::PerMonth(_)),
            spent: sum(price, &spent.lines)?,
            forecast_units,
            forecast: sum(price, &coming.lines)?,
        });
    }
    Ok(month)
}

/// Charged units of a product in production, by day.
pub(super) struct Units(BTreeMap<Date, i64>);

impl Units {
    pub(super) fn of(product: Product, usage: &[DayUsage]) -> Self {
        let mut days = BTreeMap::new();
        let own = |one: &&DayUsage| one.product == product && one.environment == Environment::Production;
        for one in usage.iter().filter(own) {
            let checks = i64::try_from(one.checks).unwrap_or(i64::MAX);
            let sum: &mut i64 = days.entry(one.day).or_default();
            match one.outcome {
                Outcome::Answered => *sum = sum.saturating_add(checks),
                Outcome::Reversal => *sum = sum.saturating_sub(checks),
                Outcome::Repeated | Outcome::NotServed | Outcome::Unknown | Outcome::Withheld => {}
            }
        }
        Self(days)
    }

    fn on(&self, day: Date) -> u64 {
        self.0.get(&day).map_or(0, |units| u64::try_from(*units).unwrap_or(0))
    }

    /// The days before today that are averaged: from the first with a check on.
    fn before(&self, today: Date) -> Vec<u64> {
        let averaged = i64::try_from(AVERAGED_DAYS).unwrap_or(0);
        let first = self.0.keys().next().copied().unwrap_or(today).max(today.saturating_sub(averaged.days()));
        first.series(1.day()).take_while(|day| *day < today).map(|day| self.on(day)).collect()
    }
}

/// A month's units, in runs of one price: each day under the price that it ended with.
pub(super) fn runs<'p>(
    work: &Work<'_>,
    prices: &'p PriceBook,
    (partner, product): (PartnerId, Product),
    units: &Units,
    month: Month,
) -> Vec<Run<'p>> {
    let zone = &work.office.settings.zone;
    let (first, end) = (zone.to_datetime(month.begins(zone)).date(), zone.to_datetime(month.ends(zone)).date());
    let mut runs: Vec<Run<'p>> = Vec::new();
    for (day, _) in units.0.range(first..end) {
        let ends =
            day.tomorrow().ok().and_then(|next| zone.to_ambiguous_timestamp(next.at(0, 0, 0, 0)).compatible().ok());
        let ends = ends.map_or(work.at, |ends| (ends - jiff::SignedDuration::from_micros(1)).min(work.at));
        let Some(price) = prices.in_force(partner, product, ends) else { continue };
        match runs.last_mut().filter(|run| run.price == price) {
            Some(run) => run.units = run.units.saturating_add(units.on(*day)),
            None => runs.push(Run { price, units: units.on(*day) }),
        }
    }
    runs
}

/// What the running month begins with: the newest invoice's, and what the months since will have carried over.
fn carried(
    work: &Work<'_>,
    prices: &PriceBook,
    of: (PartnerId, Product),
    units: &Units,
    (mut carried, mut month): (Carried, Month),
) -> Result<Carried, Problem> {
    let now = Month::of(work.at, &work.office.settings.zone);
    while month < now {
        carried = allot(&carried, &runs(work, prices, of, units, month), &[], None).map_err(uncountable)?.carried;
        month = month.next();
    }
    Ok(carried)
}

fn sum(price: &Price, lines: &[Line]) -> Result<Money, Problem> {
    let lines = lines.iter().filter(|line| line.kind != LineKind::TakenBack);
    let none = Money::new(0, price.currency);
    let sum = lines.map(|line| Money::new(line.amount_minor, price.currency)).try_fold(none, Money::plus);
    sum.map_err(uncountable)
}

fn uncountable(error: MoneyError) -> Problem {
    Problem::not_now(format!("the month cannot be added up: {error}"))
}

fn out_of_time() -> Problem {
    Problem::Store("there is no day after this one".to_owned())
}
