use std::fmt;

use jiff::Timestamp;

use crate::line::{EventKey, FeedLine};

/// Something of an event feed that could not be read or applied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reject {
    /// Which line of a feed it is, where that was kept so that it can be read again.
    pub line: Option<RejectId>,
    /// The event, where it has a key.
    pub key: Option<EventKey>,
    /// Where it stood, for people.
    pub place: String,
    /// Why.
    pub reason: String,
    /// Whether it waits for an earlier event.
    pub waits: bool,
    /// When it arrived.
    pub received: Timestamp,
}

/// A line of a feed that could not be read; in the order of arrival.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct RejectId(pub u64);

/// How far a reader of rejects has come: it has seen everything but what came before these.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RejectCursor {
    /// The place of the oldest event that it has seen.
    pub event: u64,
    /// The place of the oldest unreadable line that it has seen.
    pub line: u64,
}

impl RejectCursor {
    /// Before anything was seen.
    pub const START: Self = Self { event: u64::MAX, line: u64::MAX };

    /// Reads what [`fmt::Display`] wrote.
    pub fn parse(text: &str) -> Option<Self> {
        let (event, line) = text.split_once('.')?;
        Some(Self { event: event.parse().ok()?, line: line.parse().ok()? })
    }
}

impl fmt::Display for RejectCursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.event, self.line)
    }
}

/// Some rejects, newest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RejectPage {
    /// The rejects.
    pub rejects: Vec<Reject>,
    /// Where the next page begins; `None` = there was nothing more.
    pub next: Option<RejectCursor>,
}

/// A line of a feed that could not be read, as it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptLine {
    /// Which it is.
    pub id: RejectId,
    /// Where it stood, for people.
    pub place: String,
    /// What it says.
    pub line: FeedLine,
}
