use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, PoisonError};

use futures_executor::block_on;
use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp, Zoned};
use laini_core::billing::Month;
use laini_core::partner::{AppId, Environment, Product};
use laini_core::store::Usage;

use super::{DayUsage, Earned, REVENUE_MONTHS_MAX};
use crate::{Office, Problem};

/// A quarter of an hour changes no more once a row was minted so much later: rows are written within seconds of their
/// decision, and no clock of a node is off by as much.
const SETTLED_AFTER: SignedDuration = SignedDuration::from_hours(1);
/// Sums that are remembered over all months; beyond, the oldest months are counted anew when somebody asks.
const SUMS_MAX: usize = 500_000;

/// What the ledger's counters came to by day, for quarters of an hour that change no more: each is read and added up once
/// in the life of a process, however often somebody looks at its month.
#[derive(Debug, Default)]
pub struct CountedDays {
    months: Mutex<BTreeMap<Month, CountedMonth>>,
    /// What closed months brought: their invoices never change.
    earned: Mutex<BTreeMap<Month, Vec<Earned>>>,
    /// What production checks of each app cost in months that have settled: few enough to remember them all.
    charged: Mutex<BTreeMap<Month, HashMap<AppId, i64>>>,
}

/// A month, added up so far.
#[derive(Debug)]
struct CountedMonth {
    /// What lies before is in it.
    until: Timestamp,
    apps: HashMap<AppId, Days>,
}

/// The sums of one app, in the order in which they are told.
pub(super) type Days = BTreeMap<(Date, AppId, Product, Environment, &'static str), DayUsage>;

impl CountedDays {
    /// What apps asked between two midnights of the operator's zone, by day; of those apps alone, where there are some.
    pub(super) fn between(
        &self,
        office: &Office,
        apps: Option<&[AppId]>,
        (begin, end): (Timestamp, Timestamp),
    ) -> Result<Days, Problem> {
        let zone = &office.settings.zone;
        let mut found = Days::new();
        let Some(newest) = block_on(office.ledger.newest())? else { return Ok(found) };
        let settled = newest.minted() - SETTLED_AFTER;
        let days = (zone.to_datetime(begin).date(), zone.to_datetime(end).date());
        let mut month = Month::of(begin, zone);
        while month.begins(zone) < end {
            let counted_until = self.take(office, month, settled, (apps, days), &mut found)?;
            let live = (counted_until.max(begin), month.ends(zone).min(end));
            if live.0 < live.1 {
                let is_asked = |usage: &&Usage| apps.is_none_or(|apps| apps.contains(&usage.app));
                for usage in block_on(office.ledger.usage(live.0, live.1))?.iter().filter(is_asked) {
                    add(&mut found, office, usage);
                }
            }
            month = month.next();
        }
        Ok(found)
    }

    /// What production checks of apps cost from an instant until another, in minor units, before free units and bands:
    /// the same as all counters in between. The day that it begins on and the last one are read; days in between
    /// are added up once.
    pub(crate) fn charged(
        &self,
        office: &Office,
        apps: &[AppId],
        (from, until): (Timestamp, Timestamp),
    ) -> Result<i64, Problem> {
        let day = |at: Timestamp| at.to_zoned(office.settings.zone.clone());
        let next = day(from).tomorrow().map_err(out_of_time)?;
        let whole = (midnight(&next)?, midnight(&day(until))?);
        if whole.0 >= whole.1 {
            return read_charged(office, apps, (from, until));
        }
        let first = read_charged(office, apps, (from, whole.0))?;
        let days = self.charged_on_days(office, apps, whole)?;
        let last = read_charged(office, apps, (whole.1, until))?;
        Ok(first.saturating_add(days).saturating_add(last))
    }

    /// The same between two midnights of the operator's zone.
    fn charged_on_days(
        &self,
        office: &Office,
        apps: &[AppId],
        (begin, end): (Timestamp, Timestamp),
    ) -> Result<i64, Problem> {
        let zone = &office.settings.zone;
        let Some(newest) = block_on(office.ledger.newest())? else { return Ok(0) };
        let settled = quarter(newest.minted() - SETTLED_AFTER);
        let mut sum = 0_i64;
        let mut month = Month::of(begin, zone);
        while month.begins(zone) < end {
            let (begins, ends) = (month.begins(zone), month.ends(zone));
            let of_month = if begin <= begins && ends <= end && ends <= settled {
                self.charged_in_month(office, apps, month)?
            } else {
                let days = self.between(office, Some(apps), (begins.max(begin), ends.min(end)))?;
                sum_up(
                    days.values().filter(|day| day.environment == Environment::Production).map(|day| day.charged_minor),
                )
            };
            sum = sum.saturating_add(of_month);
            month = month.next();
        }
        Ok(sum)
    }

    /// The same in a month that has settled.
    fn charged_in_month(&self, office: &Office, apps: &[AppId], month: Month) -> Result<i64, Problem> {
        let of_apps = |charged: &HashMap<AppId, i64>| sum_up(apps.iter().filter_map(|app| charged.get(app)).copied());
        if let Some(known) = self.charged.lock().unwrap_or_else(PoisonError::into_inner).get(&month) {
            return Ok(of_apps(known));
        }
        let zone = &office.settings.zone;
        let mut charged: HashMap<AppId, i64> = HashMap::new();
        let days = self.between(office, None, (month.begins(zone), month.ends(zone)))?;
        for day in days.values().filter(|day| day.environment == Environment::Production && day.charged_minor != 0) {
            let sum = charged.entry(day.app).or_default();
            *sum = sum.saturating_add(day.charged_minor);
        }
        let sum = of_apps(&charged);
        self.charged.lock().unwrap_or_else(PoisonError::into_inner).insert(month, charged);
        Ok(sum)
    }

    /// What a closed month brought, where that was added up before.
    pub(super) fn earned(&self, month: Month) -> Option<Vec<Earned>> {
        self.earned.lock().unwrap_or_else(PoisonError::into_inner).get(&month).cloned()
    }

    /// Remembers what a closed month brought.
    pub(super) fn keep_earned(&self, month: Month, earned: &[Earned]) {
        let mut months = self.earned.lock().unwrap_or_else(PoisonError::into_inner);
        months.insert(month, earned.to_vec());
        while u64::try_from(months.len()).unwrap_or(u64::MAX) > REVENUE_MONTHS_MAX {
            months.pop_first();
        }
    }

    /// Counts what of a month has settled since, and takes the days that are asked for; until when it is counted.
    fn take(
        &self,
        office: &Office,
        month: Month,
        settled: Timestamp,
        (apps, days): (Option<&[AppId]>, (Date, Date)),
        found: &mut Days,
    ) -> Result<Timestamp, Problem> {
        let zone = &office.settings.zone;
        let mut months = self.months.lock().unwrap_or_else(PoisonError::into_inner);
        let begins = month.begins(zone);
        let counted = months.entry(month).or_insert_with(|| CountedMonth { until: begins, apps: HashMap::new() });
        let until = quarter(settled).min(month.ends(zone));
        if counted.until < until {
            for usage in &block_on(office.ledger.usage(counted.until, until))? {
                add(counted.apps.entry(usage.app).or_default(), office, usage);
            }
            counted.until = until;
        }
        let until = counted.until;
        let is_asked = |app: &&AppId| apps.is_none_or(|apps| apps.contains(app));
        for app in counted.apps.keys().filter(is_asked) {
            let of_app = counted.apps.get(app).into_iter().flatten();
            found.extend(of_app.filter(|(key, _)| (days.0..days.1).contains(&key.0)).map(|(key, sum)| (*key, *sum)));
        }
        let sums = |counted: &CountedMonth| counted.apps.values().map(Days::len).sum::<usize>();
        while months.len() > 1 && months.values().map(sums).sum::<usize>() > SUMS_MAX {
            let Some(oldest) = months.keys().find(|other| **other != month).copied() else { break };
            months.remove(&oldest);
        }
        Ok(until)
    }
}

/// The beginning of the quarter of an hour that an instant lies in.
fn quarter(at: Timestamp) -> Timestamp {
    laini_core::partner::Prepaid::begins(at)
}

/// The first instant of the day that an instant lies in.
fn midnight(at: &Zoned) -> Result<Timestamp, Problem> {
    at.start_of_day().map(|begins| begins.timestamp()).map_err(out_of_time)
}

/// What production checks of apps cost, read from the counters.
fn read_charged(office: &Office, apps: &[AppId], (from, until): (Timestamp, Timestamp)) -> Result<i64, Problem> {
    let usage = block_on(office.ledger.usage(from, until))?;
    let counted = usage.iter().filter(|one| one.environment == Environment::Production && apps.contains(&one.app));
    Ok(sum_up(counted.map(|one| one.charged_minor)))
}

fn sum_up(amounts: impl Iterator<Item = i64>) -> i64 {
    amounts.fold(0, i64::saturating_add)
}

#[expect(clippy::needless_pass_by_value, reason = "the form that map_err takes")]
fn out_of_time(error: jiff::Error) -> Problem {
    Problem::Store(error.to_string())
}

fn add(days: &mut Days, office: &Office, usage: &Usage) {
    let day = office.settings.zone.to_datetime(usage.from).date();
    let key = (day, usage.app, usage.product, usage.environment, usage.outcome.word());
    let none = DayUsage {
        day,
        app: usage.app,
        product: usage.product,
        environment: usage.environment,
        outcome: usage.outcome,
        checks: 0,
        charged_minor: 0,
    };
    let sum = days.entry(key).or_insert(none);
    sum.checks += usage.checks;
    sum.charged_minor = sum.charged_minor.saturating_add(usage.charged_minor);
}
