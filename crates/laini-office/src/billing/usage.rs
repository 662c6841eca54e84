use std::collections::{BTreeMap, BTreeSet};

use futures_executor::block_on;
use jiff::Timestamp;
use jiff::civil::Date;
use laini_core::billing::{CheckId, LATE_ROWS, Outcome};
use laini_core::partner::{AppId, Environment, PartnerId, Product};
use laini_core::store::{AskedCheck, AskedQuery};

use super::count::Reading;
use crate::{Office, Problem};

/// The longest span that is told by day.
const DAYS_MAX: i64 = 400;
/// Checks that a report by reference adds up at most: each is opened.
const REFERENCE_ROWS_MAX: usize = 100_000;
/// Rows that are read at once.
const ROWS_PER_PAGE: usize = 4_000;

/// What an app asked on a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DayUsage {
    /// Which day, in the operator's zone.
    pub day: Date,
    /// Whose.
    pub app: AppId,
    /// Of what.
    pub product: Product,
    /// Where.
    pub environment: Environment,
    /// What came of it.
    pub outcome: Outcome,
    /// How many.
    pub checks: u64,
    /// What their rows say that they cost together, in minor units, before free units and bands.
    pub charged_minor: i64,
}

/// What was asked under a caller's reference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReferenceUsage {
    /// The reference; `None` = without one, or retention has forgotten it.
    pub reference: Option<String>,
    /// Of what.
    pub product: Product,
    /// How many checks.
    pub checks: u64,
    /// How many of them are charged.
    pub charged: u64,
    /// What their rows say that they cost together, in minor units, before free units and bands.
    pub charged_minor: i64,
}

/// Usage of all apps of a partner, or of everybody, by day: from `from` until before `until`, from the running counters.
pub fn usage_by_day(
    office: &Office,
    partner: Option<PartnerId>,
    from: Date,
    until: Date,
) -> Result<Vec<DayUsage>, Problem> {
    let (begin, end) = span(office, from, until)?;
    let apps = partner.map(|partner| apps_of(office, partner)).transpose()?;
    let days = office.counted.between(office, apps.as_deref(), (begin, end))?;
    Ok(days.into_values().collect())
}

fn apps_of(office: &Office, partner: PartnerId) -> Result<Vec<AppId>, Problem> {
    let book = block_on(office.accounts.load())?;
    Ok(book.apps.iter().filter(|app| app.partner == partner).map(|app| app.id).collect())
}

/// Production usage of a partner on the days from `from` until before `until`, at most [`DAYS_MAX`], by the caller's own
/// reference.
pub fn usage_by_reference(
    office: &Office,
    partner: PartnerId,
    from: Date,
    until: Date,
) -> Result<Vec<ReferenceUsage>, Problem> {
    referred(Reading::of(office, Some(partner)), from, until)
}

/// [`usage_by_reference`], by a reading of the partner's rows.
pub(super) fn referred(reading: Reading<'_>, from: Date, until: Date) -> Result<Vec<ReferenceUsage>, Problem> {
    let (begin, end) = span(reading.office, from, until)?;
    let (mut asked, mut reversed) = (Vec::new(), BTreeSet::new());
    let query = AskedQuery { from: Some(begin), until: Some(end), ..AskedQuery::default() };
    each_check(reading, query, |AskedCheck { row, subject, .. }| {
        reversed.extend(row.reverses);
        if row.environment != Environment::Production || row.reverses.is_some() {
            return Ok(());
        }
        if asked.len() == REFERENCE_ROWS_MAX {
            let told = format!("more than {REFERENCE_ROWS_MAX} checks; ask for fewer days");
            return Err(Problem::invalid("until", told));
        }
        let reference = subject.and_then(|subject| subject.reference);
        asked.push((row.id, (reference, row.product), row.outcome, row.charge.minor));
        Ok(())
    })?;
    // What takes a charge back is written within seconds of it, which may be after the last day.
    let (late, outcome) = (end.checked_add(LATE_ROWS).ok(), Some(Outcome::Reversal));
    let query = AskedQuery { from: Some(end), until: late, outcome, ..AskedQuery::default() };
    each_check(reading, query, |check| {
        reversed.extend(check.row.reverses);
        Ok(())
    })?;
    let mut found: BTreeMap<(Option<String>, Product), ReferenceUsage> = BTreeMap::new();
    for (_, of, outcome, charge_minor) in asked.into_iter().filter(|(id, ..)| !reversed.contains(id)) {
        let (reference, product) = of.clone();
        let none = ReferenceUsage { reference, product, checks: 0, charged: 0, charged_minor: 0 };
        let sum = found.entry(of).or_insert(none);
        sum.checks += 1;
        sum.charged += u64::from(outcome == Outcome::Answered);
        sum.charged_minor = sum.charged_minor.saturating_add(charge_minor);
    }
    Ok(found.into_values().collect())
}

/// The partner's checks that fit, with what they were about, in the order of ids.
fn each_check(
    Reading { office, partner, told }: Reading<'_>,
    query: AskedQuery,
    mut take: impl FnMut(AskedCheck) -> Result<(), Problem>,
) -> Result<(), Problem> {
    let mut query = AskedQuery { partner, limit: ROWS_PER_PAGE, ..query };
    loop {
        let page = block_on(office.ledger.asked(query.clone()))?;
        if let Some(reached) = page.after.map(CheckId::minted).or(query.until) {
            told(page.looked_at, reached);
        }
        page.checks.into_iter().try_for_each(&mut take)?;
        query.after = page.after;
        if query.after.is_none() {
            return Ok(());
        }
    }
}

/// From the first instant of a day to that of a later one, at most [`DAYS_MAX`] days.
fn span(office: &Office, from: Date, until: Date) -> Result<(Timestamp, Timestamp), Problem> {
    let (begin, end) = (midnight(office, "from", from)?, midnight(office, "until", until)?);
    if end <= begin || end.duration_since(begin).as_hours() > DAYS_MAX * 24 {
        return Err(Problem::invalid("until", format!("expected 1 to {DAYS_MAX} days after `from`")));
    }
    Ok((begin, end))
}

/// The first instant of a day, in the operator's zone.
pub(super) fn midnight(office: &Office, field: &'static str, day: Date) -> Result<Timestamp, Problem> {
    let midnight = office.settings.zone.to_ambiguous_timestamp(day.at(0, 0, 0, 0)).compatible();
    midnight.map_err(|_| Problem::invalid(field, "expected a day such as 2026-11-22"))
}
