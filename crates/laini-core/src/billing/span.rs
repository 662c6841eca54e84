use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use crate::store::PlacedRow;

/// How long after a month's end its rows are still looked for. A row is written within seconds of its decision; no
/// clock is off by as much.
pub const LATE_ROWS: SignedDuration = SignedDuration::from_hours(3 * 24);

/// Which rows a close has taken in: those decided before `end`, up to a place in each writer's chain. Frozen once,
/// so that what is written later belongs to the next close, whatever its instant is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Coverage {
    /// The month's end.
    pub end: Timestamp,
    /// The last place of each writer; a writer that is not named has none.
    pub marks: BTreeMap<u32, u64>,
}

impl Coverage {
    /// Whether it has the row.
    pub fn has(&self, row: &PlacedRow) -> bool {
        row.row.at < self.end && self.marks.get(&row.writer).is_some_and(|mark| row.seq <= *mark)
    }
}

/// The rows of one close: those that it covers and the one before did not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Span {
    /// What the close before covered; `None` = it is the first one.
    pub before: Option<Coverage>,
    /// What this one covers.
    pub now: Coverage,
}

impl Span {
    /// Whether the row is one of it.
    pub fn has(&self, row: &PlacedRow) -> bool {
        self.now.has(row) && self.before.as_ref().is_none_or(|before| !before.has(row))
    }

    /// The earliest instant that a row of it can have; `None` = any.
    pub fn from(&self) -> Option<Timestamp> {
        self.before.as_ref().map(|before| before.end - LATE_ROWS)
    }
}
