use jiff::Timestamp;

use crate::line::{Event, EventText};

/// Events that one page of the history looks through at most, those of other feeds included. A page of a feed that
/// speaks seldom can be short, and there can be more all the same.
pub const EVENTS_LOOKED_THROUGH: u64 = 100_000;

/// Which of the history's events to list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordedQuery {
    /// Of this feed alone.
    pub source: Option<EventText>,
    /// Those that came before the event at this place; `None` = from the newest on.
    pub before: Option<u64>,
    /// At most so many.
    pub limit: usize,
}

/// An event that a feed told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordedEvent {
    /// Its place in the order of arrival.
    pub place: u64,
    /// What it says.
    pub event: Event,
    /// When it arrived.
    pub received: Timestamp,
}

/// Some events, those that came last first.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RecordedPage {
    /// The events.
    pub events: Vec<RecordedEvent>,
    /// Before which place the next page begins; `None` = there was nothing more.
    pub next: Option<u64>,
}
