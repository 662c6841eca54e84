use jiff::Timestamp;
use jiff::civil::Date;
use laini_core::store::{RecordId, RecordKey, RecordKind};
use laini_core::support::{Component, Health, Tally};
use serde::{Deserialize, Serialize};

use crate::{Kept, key};

/// What the probes of a day came to; the day is one of the operator's zone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UptimeDay {
    /// The day.
    pub on: Date,
    /// Of each component that was probed, all of the day.
    pub all: Vec<(Component, Tally)>,
    /// The same by hour; empty once the day is long over.
    pub hours: Vec<HourTally>,
    /// The newest probe of each component, and when they were made.
    pub latest: Vec<Latest>,
    /// When the newest probes were made.
    pub probed: Timestamp,
}

/// What the probes of a component came to in one hour.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HourTally {
    /// 0 to 23, in the operator's zone.
    pub hour: i8,
    /// Of what.
    pub component: Component,
    /// What they came to.
    pub tally: Tally,
}

/// The newest probe of a component.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Latest {
    /// Of what.
    pub component: Component,
    /// How it was found.
    pub health: Health,
    /// How long it took, in microseconds.
    pub micros: u64,
}

impl UptimeDay {
    /// A day of which nothing is known.
    pub(super) fn new(on: Date, at: Timestamp) -> Self {
        Self { on, all: Vec::new(), hours: Vec::new(), latest: Vec::new(), probed: at }
    }

    /// Counts one probe more.
    pub(super) fn count(&mut self, hour: i8, component: Component, health: Health, micros: u64) {
        let place = self.all.iter().position(|(of, _)| *of == component).unwrap_or_else(|| {
            self.all.push((component, Tally::default()));
            self.all.len() - 1
        });
        self.all[place].1.add(health, micros);
        let place = self.hours.iter().position(|of| (of.hour, of.component) == (hour, component));
        let place = place.unwrap_or_else(|| {
            self.hours.push(HourTally { hour, component, tally: Tally::default() });
            self.hours.len() - 1
        });
        self.hours[place].tally.add(health, micros);
    }

    /// What the probes of a component came to.
    pub fn tally(&self, component: Component) -> Tally {
        self.all.iter().find(|(of, _)| *of == component).map_or_else(Tally::default, |(_, tally)| *tally)
    }

    /// The place of a day among the others: days since 1970.
    pub(super) fn number(on: Date) -> i64 {
        let epoch = jiff::civil::date(1970, 1, 1);
        on.since(epoch).map_or(0, |span| i64::from(span.get_days()))
    }
}

impl Kept for UptimeDay {
    const KIND: RecordKind = RecordKind("uptime_day");
    const NOUN: &'static str = "day of uptime";

    fn id(&self) -> RecordId {
        RecordId(u64::try_from(Self::number(self.on)).unwrap_or(0))
    }

    fn keys(&self) -> Vec<RecordKey> {
        vec![key("on", "all", Self::number(self.on))]
    }
}
