use std::collections::btree_map::Entry::Vacant;
use std::collections::{BTreeMap, BTreeSet};

use laini_core::line::{Event, EventKey, Msisdn};

use super::failure::Failure;
use super::history::{Entry, History};

/// How many lines number changes may link before an event that would add one more is refused.
pub(super) const GROUP_LINES_LIMIT: usize = 1_000;
/// How many events may name one line before another one is refused.
pub(super) const LINE_EVENTS_LIMIT: i64 = 10_000;

/// Lines that events link, and all of these events: what must be derived together.
#[derive(Default)]
pub(super) struct Group {
    pub(super) numbers: BTreeSet<Msisdn>,
    pub(super) entries: BTreeMap<i64, Entry>,
}

/// Where a group begins.
pub(super) enum Seed {
    Number(Msisdn),
    Entry(Entry),
}

impl Group {
    /// Gathers the group of `seed`; `None` where it has more than [`GROUP_LINES_LIMIT`] lines.
    pub(super) fn gather(history: &History<'_>, seed: Seed) -> Result<Option<Self>, Failure> {
        let mut group = Self::default();
        let mut open = vec![seed];
        while let Some(seed) = open.pop() {
            match seed {
                Seed::Number(number) => {
                    if group.numbers.insert(number) {
                        open.extend(history.naming(number)?.into_iter().map(Seed::Entry));
                    }
                }
                Seed::Entry(entry) => {
                    if let Vacant(place) = group.entries.entry(entry.seq) {
                        let entry = place.insert(entry);
                        let numbers = entry.event.msisdn.into_iter().chain(entry.new_msisdn());
                        open.extend(numbers.map(Seed::Number));
                        open.extend(related(history, &entry.event)?.into_iter().map(Seed::Entry));
                    }
                }
            }
            if group.numbers.len() > GROUP_LINES_LIMIT {
                return Ok(None);
            }
        }
        Ok(Some(group))
    }

    /// Its events, as the rules take them.
    pub(super) fn events(&self) -> Vec<Event> {
        self.entries.values().map(|entry| entry.event.clone()).collect()
    }

    /// Its events by their keys.
    pub(super) fn by_key(&self) -> BTreeMap<&EventKey, &Entry> {
        self.entries.values().map(|entry| (&entry.event.key, entry)).collect()
    }
}

/// Whether the newest event of the history keeps within the limits.
pub(super) fn admits(history: &History<'_>, entry: &Entry) -> Result<bool, Failure> {
    for number in entry.event.msisdn.into_iter().chain(entry.new_msisdn()) {
        if history.count_naming(number)? > LINE_EVENTS_LIMIT {
            return Ok(false);
        }
    }
    let links = entry.new_msisdn().is_some() || !related(history, &entry.event)?.is_empty();
    Ok(!links || Group::gather(history, Seed::Entry(entry.clone()))?.is_some())
}

/// The event that an amendment is about, or the amendments of an event.
fn related(history: &History<'_>, event: &Event) -> Result<Vec<Entry>, Failure> {
    match event.happening.amends() {
        None => history.amendments(&event.key),
        Some(of) => {
            let target = EventKey { id: of.clone(), source: event.key.source.clone() };
            Ok(history.by_key(&target)?.into_iter().collect())
        }
    }
}
