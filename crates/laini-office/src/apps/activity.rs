use std::collections::HashMap;

use futures_executor::block_on;
use jiff::civil::Date;
use jiff::{SignedDuration, Span, Timestamp};
use laini_core::billing::Outcome;
use laini_core::partner::{App, AppId, PartnerId};
use laini_core::store::{AskedQuery, REFUSED_CALLS_PER_APP, RefusedQuery, Usage};

use super::the_app;
use crate::call_times::call_times;
use crate::{Problem, Work};

/// What is recent.
const DAY: SignedDuration = SignedDuration::from_hours(24);
/// Who called in this time is looked for in the ledger, to tell the second; of others the counters tell the quarter of an
/// hour, for rows of many others may lie in between.
const EXACT_WITHIN: SignedDuration = SignedDuration::from_hours(1);
/// What the counters count by: each midnight of a time zone begins one.
const QUARTER: SignedDuration = SignedDuration::from_mins(15);
/// So many days back a day with answered calls is looked for.
const DAYS_BACK: i64 = 100;

/// What an app does today, since the operator's midnight.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Activity {
    /// Checks that reached the registry.
    pub checks: u64,
    /// Calls that failed, as far as they are kept.
    pub failed: u64,
    /// What the checks cost at list prices, in minor units.
    pub charged_minor: i64,
    /// When it called last, whatever came of it; `None` = not today. Where others called so much since that its row is
    /// not found in one look, the quarter of an hour.
    pub last_call: Option<Timestamp>,
}

/// What an app does, as a page of it tells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Recently {
    /// Checks that reached the registry since the operator's midnight.
    pub checks_today: u64,
    /// What these cost at list prices, in minor units.
    pub charged_minor_today: i64,
    /// Checks that reached the registry in the last 24 hours, to a quarter of an hour.
    pub checks: u64,
    /// Those of them that were answered with facts.
    pub told: u64,
    /// Calls that failed in the last 24 hours, as far as they are kept: see [`Recently::is_all_kept`].
    pub failed: u64,
    /// When it called last, whatever came of it; `None` = nothing is known of a call.
    pub last_call: Option<LastCall>,
}

/// When an app called last, as far as that is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LastCall {
    /// On the day of the operator's zone that begins then.
    OnDay(Timestamp),
    /// It took a token then, and may have called for an hour after.
    AtToken(Timestamp),
    /// In the quarter of an hour that begins then.
    InQuarter(Timestamp),
    /// Then.
    At(Timestamp),
}

impl LastCall {
    /// When, as far as it is known: the earliest that it can have been.
    pub fn at(self) -> Timestamp {
        match self {
            Self::OnDay(at) | Self::AtToken(at) | Self::InQuarter(at) | Self::At(at) => at,
        }
    }

    /// Whether it was before this instant, whatever is not known of it.
    fn is_before(self, at: Timestamp) -> bool {
        match self {
            Self::InQuarter(begins) => begins + QUARTER <= at,
            exact => exact.at() < at,
        }
    }
}

impl Recently {
    /// How many of a thousand calls failed in the last 24 hours; `None` = there were none.
    pub fn failed_per_mille(&self) -> Option<u64> {
        // A check that was recorded and told nothing may have failed: then it is among those that failed.
        let calls = self.checks.max(self.told.saturating_add(self.failed));
        self.failed.saturating_mul(1_000).checked_div(calls)
    }

    /// Whether all calls that failed are kept: of an app, only so many are.
    pub fn is_all_kept(&self) -> bool {
        self.failed < REFUSED_CALLS_PER_APP as u64
    }
}

/// What an app does today.
pub fn activity(work: &Work<'_>, partner: PartnerId, app: AppId) -> Result<Activity, Problem> {
    the_app(work, partner, app)?;
    let midnight = midnight(work)?;
    let usage = block_on(work.office.ledger.usage(midnight, work.at))?;
    let own = || usage.iter().filter(|one| one.app == app);
    let refused = newest_refused(work, app)?.filter(|at| *at >= midnight);
    let recorded = match own().map(|one| one.from).max() {
        None => None,
        Some(quarter) => newest_recorded(work, app, quarter)?.or(Some(quarter)),
    };
    Ok(Activity {
        checks: checks(own()),
        failed: failed(work, app, midnight)?,
        charged_minor: own().map(|one| one.charged_minor).sum(),
        last_call: refused.max(recorded),
    })
}

/// What an app did recently.
pub fn recently(work: &mut Work<'_>, partner: PartnerId, app: AppId) -> Result<Recently, Problem> {
    let of = the_app(work, partner, app)?.app;
    Counted::of(work)?.recently(work, &of)
}

/// What each app of a partner did recently, by its id.
pub fn recently_of_all(work: &mut Work<'_>, partner: PartnerId) -> Result<HashMap<AppId, Recently>, Problem> {
    let (counted, book) = (Counted::of(work)?, work.book()?);
    let own = book.apps.iter().filter(|app| app.partner == partner);
    own.map(|app| Ok((app.id, counted.recently(work, app)?))).collect()
}

/// What the ledger counted in the last 24 hours, and since the operator's midnight if that is longer ago: a day in which
/// the clocks are turned back has 25.
struct Counted {
    midnight: Timestamp,
    usage: Vec<Usage>,
}

impl Counted {
    fn of(work: &Work<'_>) -> Result<Self, Problem> {
        let midnight = midnight(work)?;
        let from = midnight.min(work.at - DAY);
        Ok(Self { midnight, usage: block_on(work.office.ledger.usage(from, work.at))? })
    }

    fn recently(&self, work: &mut Work<'_>, app: &App) -> Result<Recently, Problem> {
        let own = || self.usage.iter().filter(|one| one.app == app.id);
        let today = || own().filter(|one| one.from >= self.midnight);
        let since = work.at - DAY;
        let last_day = || own().filter(|one| one.from + QUARTER > since);
        let quarter = own().filter(|one| one.outcome != Outcome::Reversal).map(|one| one.from).max();
        Ok(Recently {
            checks_today: checks(today()),
            charged_minor_today: today().map(|one| one.charged_minor).sum(),
            checks: checks(last_day()),
            told: checks(last_day().filter(|one| matches!(one.outcome, Outcome::Answered | Outcome::Repeated))),
            failed: failed(work, app.id, since)?,
            last_call: last_call(work, app, quarter)?,
        })
    }
}

/// When `app` called last. `quarter`: the newest in which a check of it was counted in the last 24 hours.
fn last_call(work: &mut Work<'_>, app: &App, quarter: Option<Timestamp>) -> Result<Option<LastCall>, Problem> {
    let refused = newest_refused(work, app.id)?;
    let recorded = match quarter {
        Some(quarter) if quarter + EXACT_WITHIN > work.at => {
            newest_recorded(work, app.id, quarter)?.map(LastCall::At).or(Some(LastCall::InQuarter(quarter)))
        }
        quarter => quarter.map(LastCall::InQuarter),
    };
    let fresh = refused.filter(|at| *at + DAY > work.at);
    match (recorded, fresh) {
        (None, None) => {}
        (Some(recorded), Some(at)) if recorded.is_before(at) => return Ok(Some(LastCall::At(at))),
        (recorded, fresh) => return Ok(recorded.or(fresh.map(LastCall::At))),
    }
    let token = app.secrets.iter().filter_map(|secret| secret.used).max();
    let zone = work.office.settings.zone.clone();
    let day_of = |at: Timestamp| zone.to_datetime(at).date();
    let known = refused.max(token);
    let today = day_of(work.at);
    let from = today.saturating_sub(Span::new().days(DAYS_BACK));
    let answered = call_times(work, app.id, from, today.saturating_add(Span::new().days(1)))?;
    let answered = answered.last_key_value().map(|(day, _)| *day);
    match (known, answered) {
        (Some(at), day) if day <= Some(day_of(at)) => {
            Ok(Some(if refused >= token { LastCall::At(at) } else { LastCall::AtToken(at) }))
        }
        (_, day) => day.map(|day| begins(work, day).map(LastCall::OnDay)).transpose(),
    }
}

fn checks<'a>(usage: impl Iterator<Item = &'a Usage>) -> u64 {
    usage.filter(|one| one.outcome != Outcome::Reversal).map(|one| one.checks).sum()
}

fn midnight(work: &Work<'_>) -> Result<Timestamp, Problem> {
    begins(work, work.office.settings.zone.to_datetime(work.at).date())
}

/// When a day of the operator's zone begins.
fn begins(work: &Work<'_>, day: Date) -> Result<Timestamp, Problem> {
    let midnight = work.office.settings.zone.to_ambiguous_timestamp(day.at(0, 0, 0, 0)).compatible();
    midnight.map_err(|error| Problem::Store(error.to_string()))
}

fn failed(work: &Work<'_>, app: AppId, from: Timestamp) -> Result<u64, Problem> {
    Ok(block_on(work.office.refusals.failed_since(app, from))?)
}

fn newest_refused(work: &Work<'_>, app: AppId) -> Result<Option<Timestamp>, Problem> {
    let newest = RefusedQuery { app: Some(app), limit: 1, ..RefusedQuery::default() };
    Ok(block_on(work.office.refusals.refused(newest))?.first().map(|call| call.at))
}

/// The newest row of an app since `quarter`; `None` = it is not found in one look.
fn newest_recorded(work: &Work<'_>, app: AppId, quarter: Timestamp) -> Result<Option<Timestamp>, Problem> {
    let (from, limit) = (Some(quarter), 1);
    let query = AskedQuery { app: Some(app), newest_first: true, from, limit, ..AskedQuery::default() };
    Ok(block_on(work.office.ledger.asked(query))?.checks.first().map(|check| check.row.at))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_share_of_failed_calls() {
        for (checks, told, failed, share) in [
            (0, 0, 0, None),
            (100, 100, 0, Some(0)),
            // Three of the hundred were of numbers that are not served.
            (100, 97, 3, Some(30)),
            // Refused at a limit: no check of the ledger.
            (100, 100, 100, Some(500)),
            (0, 0, 3, Some(1_000)),
            // A batch told nothing of half of its numbers, and did not fail.
            (100, 50, 0, Some(0)),
        ] {
            let recently = Recently { checks, told, failed, ..Recently::default() };
            assert_eq!(recently.failed_per_mille(), share, "{recently:?}");
        }
        let kept = |failed| Recently { failed, ..Recently::default() }.is_all_kept();
        assert!(kept(9_999) && !kept(10_000));
    }
}
