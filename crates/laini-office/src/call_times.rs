//! How long the checks of each app took that were answered, by day.
//!
//! Owns how servers' counts become one and how long they are kept. Must never hold a check of its own: only how many took
//! how long.

use std::collections::BTreeMap;

use jiff::civil::Date;
use jiff::{Span, Timestamp};
use laini_core::partner::{AppId, Environment, PartnerId};
use laini_core::store::{RecordId, RecordKey, RecordKind};
use laini_core::support::CallTimes;
use serde::{Deserialize, Serialize};

use crate::apps::apps_of;
use crate::{Kept, Problem, Work};

/// Days are kept for so long: the running month of the pages, and those before that they offer beside it.
const KEPT_DAYS: i64 = 100;

/// Those of an app; days are those of the operator's zone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct AppCallTimes {
    app: AppId,
    days: BTreeMap<Date, CallTimes>,
}

impl Kept for AppCallTimes {
    const KIND: RecordKind = RecordKind("call_times");
    const NOUN: &'static str = "how long calls took";

    fn id(&self) -> RecordId {
        self.app.into()
    }

    fn keys(&self) -> Vec<RecordKey> {
        Vec::new()
    }
}

/// Adds what a server counted: calls of an app that came around an instant.
pub fn add_call_times(work: &mut Work<'_>, counted: &[(AppId, Timestamp, CallTimes)]) -> Result<(), Problem> {
    let zone = work.office.settings.zone.clone();
    let oldest = zone.to_datetime(work.at).date().saturating_sub(Span::new().days(KEPT_DAYS));
    let mut apps: BTreeMap<AppId, AppCallTimes> = BTreeMap::new();
    for (app, at, times) in counted {
        let of = match apps.entry(*app) {
            std::collections::btree_map::Entry::Occupied(known) => known.into_mut(),
            std::collections::btree_map::Entry::Vacant(new) => {
                let kept = work.look::<AppCallTimes>(*app)?;
                new.insert(kept.unwrap_or_else(|| AppCallTimes { app: *app, days: BTreeMap::new() }))
            }
        };
        let day = of.days.entry(zone.to_datetime(*at).date()).or_default();
        *day = day.with(times);
    }
    for mut of in apps.into_values() {
        of.days.retain(|day, _| *day >= oldest);
        work.put(&of)?;
    }
    Ok(())
}

/// A day of an app.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AppDay {
    /// Which day, in the operator's zone.
    pub day: Date,
    /// Whose.
    pub app: AppId,
    /// Where it asks.
    pub environment: Environment,
    /// How long its checks took that were answered.
    pub times: CallTimes,
}

/// Those of all apps of a partner, in the order of the days; see [`call_times`].
pub fn partner_call_times(
    work: &mut Work<'_>,
    partner: PartnerId,
    from: Date,
    until: Date,
) -> Result<Vec<AppDay>, Problem> {
    let mut all = Vec::new();
    for of in apps_of(work, partner)? {
        let (app, environment) = (of.app.id, of.app.environment);
        let days = call_times(work, app, from, until)?;
        all.extend(days.into_iter().map(|(day, times)| AppDay { day, app, environment, times }));
    }
    all.sort_by_key(|of| (of.day, of.app));
    Ok(all)
}

/// Those of an app of the days from `from` until before `until`; days without an answered call are left out.
pub fn call_times(
    work: &mut Work<'_>,
    app: AppId,
    from: Date,
    until: Date,
) -> Result<BTreeMap<Date, CallTimes>, Problem> {
    let mut days = work.look::<AppCallTimes>(app)?.map(|of| of.days).unwrap_or_default();
    days.retain(|day, _| (from..until).contains(day));
    Ok(days)
}
