use std::collections::BTreeMap;

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use laini_core::store::RecordId;
use laini_core::support::{Component, Health, unprobed};

use super::{DAYS, Latest, UptimeDay};
use crate::{PageRequest, Problem, Work};

/// Hours are kept for so many days; of older ones the whole day.
const HOURS_KEPT_DAYS: i64 = 2;
/// Turns that nobody took count as down for so long back: beyond, probing was switched off rather than broken.
const UNPROBED_COUNTED: SignedDuration = SignedDuration::from_hours(7 * 24);

/// What one probe found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Probed {
    /// Of what.
    pub component: Component,
    /// How it was found.
    pub health: Health,
    /// How long it took, in microseconds.
    pub micros: u64,
}

/// Counts a round of probes. Turns since the newest round that nobody took count as down: whoever asked then was not
/// answered. Days beyond the ninetieth are forgotten.
pub fn record(work: &mut Work<'_>, every: SignedDuration, probed: &[Probed]) -> Result<(), Problem> {
    let newest = work.find::<UptimeDay>("on", "all", true, PageRequest { limit: 1, ..PageRequest::FIRST })?.items.pop();
    let mut days = BTreeMap::new();
    if let Some(newest) = &newest {
        days.insert(newest.on, newest.clone());
        if newest.probed >= work.at {
            // Another node was here just now, or a clock went back.
            return Ok(());
        }
        if work.at.duration_since(newest.probed) <= UNPROBED_COUNTED {
            for at in missed(newest.probed, work.at, every) {
                for latest in &newest.latest {
                    count(work, &mut days, at, latest.component, Health::Down, 0)?;
                }
            }
        }
    }
    let at = work.at;
    for one in probed {
        count(work, &mut days, at, one.component, one.health, one.micros)?;
    }
    let latest = |one: &Probed| Latest { component: one.component, health: one.health, micros: one.micros };
    if let Some(today) = days.values_mut().next_back() {
        today.latest = probed.iter().map(latest).collect();
        today.probed = at;
    }
    for day in days.values() {
        work.put(day)?;
    }
    let is_new_day = newest.is_none_or(|newest| !days.keys().all(|on| *on <= newest.on));
    if is_new_day { tidy(work) } else { Ok(()) }
}

fn missed(newest: Timestamp, now: Timestamp, every: SignedDuration) -> Vec<Timestamp> {
    let most = UNPROBED_COUNTED.as_secs() / every.as_secs().max(1);
    unprobed(newest, now, every, usize::try_from(most).unwrap_or(0))
}

fn count(
    work: &mut Work<'_>,
    days: &mut BTreeMap<Date, UptimeDay>,
    at: Timestamp,
    component: Component,
    health: Health,
    micros: u64,
) -> Result<(), Problem> {
    let there = at.to_zoned(work.office.settings.zone.clone());
    if let std::collections::btree_map::Entry::Vacant(vacant) = days.entry(there.date()) {
        let id = RecordId(u64::try_from(UptimeDay::number(there.date())).unwrap_or(0));
        let found = work.look::<UptimeDay>(id)?;
        vacant.insert(found.unwrap_or_else(|| UptimeDay::new(there.date(), at)));
    }
    if let Some(day) = days.get_mut(&there.date()) {
        day.count(there.hour(), component, health, micros);
    }
    Ok(())
}

/// Forgets old days, and the hours of those that are over.
fn tidy(work: &mut Work<'_>) -> Result<(), Problem> {
    let today = UptimeDay::number(work.at.to_zoned(work.office.settings.zone.clone()).date());
    let first_kept = today - i64::try_from(DAYS).unwrap_or(0) + 1;
    for mut day in work.find::<UptimeDay>("on", "all", false, PageRequest::LONGEST)?.items {
        let number = UptimeDay::number(day.on);
        if number < first_kept {
            work.remove(&day);
        } else if number + HOURS_KEPT_DAYS < today && !day.hours.is_empty() {
            day.hours.clear();
            work.put(&day)?;
        }
    }
    Ok(())
}
