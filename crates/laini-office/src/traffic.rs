//! Traffic: what all partners ask, hour by hour, from the ledger's running counters, and why calls failed, from the log
//! of refused calls.
//!
//! Owns how both are summed for the operator's staff. Must never say which number was asked about.

use std::collections::BTreeMap;

use futures_executor::block_on;
use jiff::{SignedDuration, Timestamp};
use laini_core::billing::Outcome;
use laini_core::partner::{AppId, Environment, PartnerId};
use laini_core::store::{REFUSED_CALLS_PER_APP, RecentCause};

use crate::{Problem, Work};

/// The longest span that is told at once, in hours.
pub const HOURS_MAX: u16 = 24 * 7;
/// So many failed calls are counted at most, the newest: no more than are kept of one app, so that none is missing among
/// them.
pub const ERRORS_COUNTED: usize = REFUSED_CALLS_PER_APP;
/// Causes that are told, the most frequent.
const CAUSES_TOLD: usize = 200;
const HOUR_S: i64 = 3_600;

/// How many checks came to what.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Outcomes {
    /// Answered, and charged.
    pub answered: u64,
    /// Free: the same question again.
    pub repeated: u64,
    /// Free: the number is not served.
    pub not_served: u64,
    /// Free: the registry could not say.
    pub unknown: u64,
    /// Free: the number is restricted.
    pub withheld: u64,
    /// Charges that were taken back.
    pub reversed: u64,
}

impl Outcomes {
    fn add(&mut self, outcome: Outcome, checks: u64) {
        let of = match outcome {
            Outcome::Answered => &mut self.answered,
            Outcome::Repeated => &mut self.repeated,
            Outcome::NotServed => &mut self.not_served,
            Outcome::Unknown => &mut self.unknown,
            Outcome::Withheld => &mut self.withheld,
            Outcome::Reversal => &mut self.reversed,
        };
        *of += checks;
    }

    /// Checks that were told something, or that nothing can be told.
    pub fn checks(self) -> u64 {
        self.answered + self.repeated + self.not_served + self.unknown + self.withheld
    }
}

/// An hour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HourTraffic {
    /// When it began.
    pub from: Timestamp,
    /// What was asked in it, in production.
    pub production: Outcomes,
    /// What was asked in it, in the sandbox.
    pub sandbox: Outcomes,
}

/// An app.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AppTraffic {
    /// Which.
    pub app: AppId,
    /// What it is called.
    pub name: String,
    /// Whose it is.
    pub partner: PartnerId,
    /// What the partner is called.
    pub partner_name: String,
    /// Where it asks.
    pub environment: Environment,
    /// What came of it.
    pub outcomes: Outcomes,
}

/// What was asked in the last hours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Traffic {
    /// Each hour, quiet ones too, the oldest first.
    pub hours: Vec<HourTraffic>,
    /// Each app that asked, the busiest first.
    pub apps: Vec<AppTraffic>,
}

/// Why calls failed in the last hours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Errors {
    /// Since when they are counted.
    pub since: Timestamp,
    /// Whether more failed in these hours than are counted: `since` is later than they began.
    pub is_part: bool,
    /// Why, the most frequent first, at most 200.
    pub causes: Vec<RecentCause>,
}

/// Why calls of all partners' apps failed in the last `hours`, the present one among them, whichever node was asked. Calls
/// of no known app are not kept, so not counted.
pub fn errors(work: &Work<'_>, hours: u16) -> Result<Errors, Problem> {
    let (begin, _) = span(work, hours)?;
    let begin = instant(begin)?;
    let mut recent = block_on(work.office.refusals.recent(begin, ERRORS_COUNTED))?;
    recent.causes.truncate(CAUSES_TOLD);
    let is_part = recent.calls >= ERRORS_COUNTED as u64;
    let since = recent.oldest.filter(|_| is_part).unwrap_or(begin);
    Ok(Errors { since, is_part, causes: recent.causes })
}

/// How many production checks each partner asked in the last `hours`, the present one among them; those who asked none
/// are left out.
pub fn checks_of_partners(work: &Work<'_>, hours: u16) -> Result<BTreeMap<PartnerId, u64>, Problem> {
    let (begin, until) = span(work, hours)?;
    let owners: BTreeMap<AppId, PartnerId> = work.read_book()?.apps.iter().map(|app| (app.id, app.partner)).collect();
    let mut checks = BTreeMap::new();
    for usage in block_on(work.office.ledger.usage(instant(begin)?, until))? {
        // A reversal is no check: it takes a charge back.
        if usage.environment != Environment::Production || usage.outcome == Outcome::Reversal {
            continue;
        }
        if let Some(partner) = owners.get(&usage.app) {
            *checks.entry(*partner).or_default() += usage.checks;
        }
    }
    Ok(checks)
}

fn instant(second: i64) -> Result<Timestamp, Problem> {
    Timestamp::from_second(second).map_err(|error| Problem::Store(error.to_string()))
}

/// The second with which the last `hours` begin, and an instant after all that was asked.
fn span(work: &Work<'_>, hours: u16) -> Result<(i64, Timestamp), Problem> {
    if !(1..=HOURS_MAX).contains(&hours) {
        return Err(Problem::invalid("hours", format!("expected 1 to {HOURS_MAX}")));
    }
    let this_hour = work.at.as_second().div_euclid(HOUR_S) * HOUR_S;
    let until = work.at.checked_add(SignedDuration::from_hours(1)).unwrap_or(work.at);
    Ok((this_hour - i64::from(hours - 1) * HOUR_S, until))
}

/// What was asked in the last `hours`, the present one among them.
pub fn traffic(work: &Work<'_>, hours: u16) -> Result<Traffic, Problem> {
    let (begin, until) = span(work, hours)?;
    let none = |second| -> Result<HourTraffic, Problem> {
        Ok(HourTraffic { from: instant(second)?, production: Outcomes::default(), sandbox: Outcomes::default() })
    };
    let mut all: Vec<HourTraffic> =
        (0..i64::from(hours)).map(|hour| none(begin + hour * HOUR_S)).collect::<Result<_, _>>()?;
    let mut of_apps: BTreeMap<AppId, Outcomes> = BTreeMap::new();
    for usage in block_on(work.office.ledger.usage(instant(begin)?, until))? {
        let place = usize::try_from((usage.from.as_second() - begin).div_euclid(HOUR_S)).unwrap_or(usize::MAX);
        let Some(hour) = all.get_mut(place) else { continue };
        let of = match usage.environment {
            Environment::Production => &mut hour.production,
            Environment::Sandbox => &mut hour.sandbox,
        };
        of.add(usage.outcome, usage.checks);
        of_apps.entry(usage.app).or_default().add(usage.outcome, usage.checks);
    }
    let book = work.book()?;
    let named = book.apps.iter().filter_map(|app| {
        let outcomes = *of_apps.get(&app.id)?;
        let partner_name = book.partners.iter().find(|partner| partner.id == app.partner)?.name.clone();
        let (name, partner, environment) = (app.name.clone(), app.partner, app.environment);
        Some(AppTraffic { app: app.id, name, partner, partner_name, environment, outcomes })
    });
    let mut apps: Vec<AppTraffic> = named.collect();
    apps.sort_by_key(|app| (std::cmp::Reverse(app.outcomes.checks()), app.app));
    Ok(Traffic { hours: all, apps })
}
