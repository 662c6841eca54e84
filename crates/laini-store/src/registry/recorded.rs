use laini_core::store::{EVENTS_LOOKED_THROUGH, RecordedEvent, RecordedPage, RecordedQuery};

use super::Entry;
use super::columns::count;

/// The places among which a page of the history looks, `first` to before `end`, and how many rows it reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RecordedSpan {
    /// The first place that is looked at,
    pub first: i64,
    /// and the one after the last.
    pub end: i64,
    /// One more than the page has tells whether there are more.
    pub rows: i64,
}

impl RecordedSpan {
    /// Of a query, where the newest event is at `last`.
    pub fn of(query: &RecordedQuery, last: i64) -> Self {
        let newest = last.saturating_add(1);
        let end = query.before.map_or(newest, |before| i64::try_from(before).unwrap_or(i64::MAX).min(newest));
        let looked_through = i64::try_from(EVENTS_LOOKED_THROUGH).unwrap_or(i64::MAX);
        let rows = i64::try_from(query.limit).unwrap_or(i64::MAX).saturating_add(1);
        Self { first: end.saturating_sub(looked_through).max(1), end, rows }
    }

    /// The page of what was found there, newest first.
    pub fn page(self, mut found: Vec<Entry>, limit: usize) -> RecordedPage {
        let has_more = found.len() > limit;
        found.truncate(limit);
        let next = match found.last() {
            Some(last) if has_more => Some(count(last.seq)),
            // Nothing more among these places; there are others before them.
            _ => (self.first > 1).then(|| count(self.first)),
        };
        let event =
            |entry: Entry| RecordedEvent { place: count(entry.seq), event: entry.event, received: entry.received };
        RecordedPage { events: found.into_iter().map(event).collect(), next }
    }
}
