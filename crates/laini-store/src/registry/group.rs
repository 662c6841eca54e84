use std::collections::btree_map::Entry::Vacant;
use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use laini_core::line::{Event, EventKey, Msisdn, RefusedRow};

use super::{Broken, Entry};

/// How many lines number changes may link before an event that would add one more is refused.
const GROUP_LINES_LIMIT: usize = 1_000;
/// How many events may name one line before another one is refused.
const LINE_EVENTS_LIMIT: i64 = 10_000;

/// What the steps of the feed ask of the history.
pub trait History {
    /// Why the engine could not answer.
    type Error: From<Broken>;

    /// The event of a key.
    fn by_key(&self, key: &EventKey) -> Result<Option<Entry>, Self::Error>;

    /// Corrections and retractions of the event of a key.
    fn amendments(&self, key: &EventKey) -> Result<Vec<Entry>, Self::Error>;

    /// Events that name a number, as the one they are about or the new one.
    fn naming(&self, number: Msisdn) -> Result<Vec<Entry>, Self::Error>;

    /// How many events name a number.
    fn count_naming(&self, number: Msisdn) -> Result<i64, Self::Error>;

    /// The instant up to which everything about a number was erased.
    fn erased_until(&self, number: Msisdn) -> Result<Option<Timestamp>, Self::Error>;

    /// Refused rows about a line.
    fn refused_about(&self, number: Msisdn) -> Result<Vec<RefusedRow>, Self::Error>;
}

/// Lines that events link, and all of these events: what must be derived together.
#[derive(Default)]
pub struct Group {
    /// The lines.
    pub numbers: BTreeSet<Msisdn>,
    /// The events, by their places.
    pub entries: BTreeMap<i64, Entry>,
}

/// Where a group begins.
pub enum Seed {
    /// At a line.
    Number(Msisdn),
    /// At an event.
    Entry(Entry),
}

impl Group {
    /// The group of `seed`. One beyond the limits was refused when it would have come into being.
    pub fn gather<H: History>(history: &H, seed: Seed) -> Result<Self, H::Error> {
        Self::try_gather(history, seed)?.ok_or_else(|| Broken::Damaged("too many lines are linked").into())
    }

    /// Gathers the group of `seed`; `None` where it has more than [`GROUP_LINES_LIMIT`] lines.
    fn try_gather<H: History>(history: &H, seed: Seed) -> Result<Option<Self>, H::Error> {
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
                        open.extend(entry.numbers().map(Seed::Number));
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
    pub fn events(&self) -> Vec<Event> {
        self.entries.values().map(|entry| entry.event.clone()).collect()
    }

    /// Its events up to `until`. What amends a later one goes with that: alone it would wait for it, and doubt
    /// its line. One that is refused all the same stays.
    pub(super) fn events_until(&self, until: Timestamp) -> Vec<Event> {
        let (mut events, later): (Vec<_>, Vec<_>) = self.events().into_iter().partition(|event| event.at <= until);
        let later = later.into_iter().filter(|event| event.happening.amends().is_none());
        let later: BTreeMap<EventKey, Option<Msisdn>> = later.map(|event| (event.key, event.msisdn)).collect();
        events.retain(|event| {
            let about = target(event).and_then(|target| later.get(&target));
            about.is_none_or(|about| event.msisdn.is_some() && event.msisdn != *about)
        });
        events
    }

    /// Its events by their keys.
    pub fn by_key(&self) -> BTreeMap<&EventKey, &Entry> {
        self.entries.values().map(|entry| (&entry.event.key, entry)).collect()
    }
}

/// Whether the newest event of the history keeps within the limits.
pub(super) fn admits<H: History>(history: &H, entry: &Entry) -> Result<bool, H::Error> {
    for number in entry.numbers() {
        if history.count_naming(number)? > LINE_EVENTS_LIMIT {
            return Ok(false);
        }
    }
    let links = entry.new_msisdn().is_some() || !related(history, &entry.event)?.is_empty();
    Ok(!links || Group::try_gather(history, Seed::Entry(entry.clone()))?.is_some())
}

/// The event that an amendment is about, or the amendments of an event.
fn related<H: History>(history: &H, event: &Event) -> Result<Vec<Entry>, H::Error> {
    match target(event) {
        None => history.amendments(&event.key),
        Some(target) => Ok(history.by_key(&target)?.into_iter().collect()),
    }
}

/// The key of the event that an amendment is about.
fn target(event: &Event) -> Option<EventKey> {
    event.happening.amends().map(|of| EventKey { id: of.clone(), source: event.key.source.clone() })
}
