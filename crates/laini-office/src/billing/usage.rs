use std::collections::BTreeMap;

use futures_executor::block_on;
use jiff::Timestamp;
use jiff::civil::Date;
use laini_core::billing::Outcome;
use laini_core::partner::{AppId, Environment, PartnerId, Product};
use laini_core::store::RowQuery;

use crate::{Office, Problem};

/// The longest span that is told by day.
const DAYS_MAX: i64 = 400;
/// Rows that a report by reference opens at most: each is a look-up of its own.
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
    let (begin, end) = span(office, from, until)?;
    let mut found: BTreeMap<(Option<String>, Product), ReferenceUsage> = BTreeMap::new();
    let limit = ROWS_PER_PAGE;
    let mut query =
        RowQuery { from: Some(begin), until: Some(end), partner: Some(partner), limit, ..RowQuery::default() };
    let mut opened = 0;
    loop {
        let page = block_on(office.ledger.rows(query.clone()))?;
        query.after = page.last().map(|row| row.id);
        let is_last = page.len() < ROWS_PER_PAGE;
        let own =
            |row: &&laini_core::store::LedgerRow| row.environment == Environment::Production && row.reverses.is_none();
        for row in page.iter().filter(own) {
            opened += 1;
            if opened > REFERENCE_ROWS_MAX {
                let told = format!("more than {REFERENCE_ROWS_MAX} checks; ask for fewer days");
                return Err(Problem::invalid("until", told));
            }
            let subject = block_on(office.ledger.find(row.id))?.filter(|check| !check.is_reversed);
            let Some(check) = subject else { continue };
            let reference = check.subject.and_then(|subject| subject.reference);
            let none = ReferenceUsage {
                reference: reference.clone(),
                product: row.product,
                checks: 0,
                charged: 0,
                charged_minor: 0,
            };
            let sum = found.entry((reference, row.product)).or_insert(none);
            sum.checks += 1;
            sum.charged += u64::from(row.outcome == Outcome::Answered);
            sum.charged_minor = sum.charged_minor.saturating_add(row.charge.minor);
        }
        if is_last {
            return Ok(found.into_values().collect());
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
