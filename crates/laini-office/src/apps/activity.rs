use std::collections::HashMap;

use futures_executor::block_on;
use jiff::Timestamp;
use laini_core::billing::Outcome;
use laini_core::partner::{AppId, PartnerId};
use laini_core::store::{AskedQuery, RefusedQuery, Usage};

use super::the_app;
use crate::{Problem, Work};

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

impl Activity {
    /// How many of a thousand calls failed; `None` = there were none.
    pub fn failed_per_mille(&self) -> Option<u64> {
        // Both count a call that was recorded and failed: a number that is not served.
        let calls = self.checks.max(self.failed);
        self.failed.saturating_mul(1_000).checked_div(calls)
    }
}

/// What an app does today.
pub fn activity(work: &Work<'_>, partner: PartnerId, app: AppId) -> Result<Activity, Problem> {
    the_app(work, partner, app)?;
    Today::of(work)?.activity(work, app)
}

/// What each app of a partner does today, by its id.
pub fn activities(work: &Work<'_>, partner: PartnerId) -> Result<HashMap<AppId, Activity>, Problem> {
    let (today, book) = (Today::of(work)?, work.book()?);
    let own = book.apps.iter().filter(|app| app.partner == partner);
    own.map(|app| Ok((app.id, today.activity(work, app.id)?))).collect()
}

/// What the ledger counted since the operator's midnight.
struct Today {
    midnight: Timestamp,
    usage: Vec<Usage>,
}

impl Today {
    fn of(work: &Work<'_>) -> Result<Self, Problem> {
        let zone = &work.office.settings.zone;
        let today = zone.to_datetime(work.at).date();
        let midnight = zone.to_ambiguous_timestamp(today.at(0, 0, 0, 0)).compatible();
        let midnight = midnight.map_err(|error| Problem::Store(error.to_string()))?;
        Ok(Self { midnight, usage: block_on(work.office.ledger.usage(midnight, work.at))? })
    }

    fn activity(&self, work: &Work<'_>, app: AppId) -> Result<Activity, Problem> {
        let own = self.usage.iter().filter(|one| one.app == app);
        let asked = own.clone().filter(|one| one.outcome != Outcome::Reversal);
        let of_app = RefusedQuery { app: Some(app), from: Some(self.midnight), limit: 1, ..RefusedQuery::default() };
        let causes = block_on(work.office.refusals.causes(of_app.clone()))?;
        let refused = block_on(work.office.refusals.refused(of_app))?.first().map(|call| call.at);
        // The counters say in which quarter of an hour to look.
        let recorded = match own.clone().map(|one| one.from).max() {
            None => None,
            Some(quarter) => {
                let (from, limit) = (Some(quarter), 1);
                let query = AskedQuery { app: Some(app), newest_first: true, from, limit, ..AskedQuery::default() };
                let found = block_on(work.office.ledger.asked(query))?.checks.first().map(|check| check.row.at);
                found.or(Some(quarter))
            }
        };
        Ok(Activity {
            checks: asked.map(|one| one.checks).sum(),
            failed: causes.iter().map(|cause| cause.calls).sum(),
            charged_minor: own.map(|one| one.charged_minor).sum(),
            last_call: refused.max(recorded),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_share_of_failed_calls() {
        let activity = |checks, failed| Activity { checks, failed, ..Activity::default() };
        assert_eq!(activity(0, 0).failed_per_mille(), None);
        assert_eq!(activity(100, 0).failed_per_mille(), Some(0));
        assert_eq!(activity(100, 3).failed_per_mille(), Some(30));
        assert_eq!(activity(0, 3).failed_per_mille(), Some(1_000));
    }
}
