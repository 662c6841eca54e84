use jiff::Timestamp;

use super::{BoxFuture, KeptLine, RecordedPage, RecordedQuery, RejectCursor, RejectId, RejectPage};
use crate::disclosure::Horizon;
use crate::line::{Event, EventText, FeedLine, LineState, Msisdn, Refusal, SnapshotRow};

/// The reading side of a registry: what a check asks.
pub trait Registry: Send + Sync {
    /// The present state of one line (default state = never known), and how far the registry's
    /// knowledge reaches. One row read; sees every feed batch that was acknowledged ≥ 1 s ago, also by
    /// another process.
    fn look_up(&self, msisdn: Msisdn) -> BoxFuture<'_, Result<Lookup, RegistryError>>;

    /// Whether it answers, for probes, and how far its knowledge reaches where that can be said of all
    /// lines at once. Cheap enough to ask once a second, and about no subscriber.
    fn health(&self) -> BoxFuture<'_, Result<Option<Horizon>, RegistryError>> {
        Box::pin(async {
            let Some(nobody) = Msisdn::from_stored(NOBODYS_NUMBER) else { return Ok(None) };
            self.look_up(nobody).await.map(|found| Some(found.horizon))
        })
    }
}

/// A number that no plan has.
const NOBODYS_NUMBER: u64 = 10_000;

/// What a look-up finds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lookup {
    /// The line.
    pub state: LineState,
    /// How far the registry's knowledge reaches.
    pub horizon: Horizon,
}

/// Why a registry gave no answer.
#[derive(Debug, thiserror::Error)]
pub enum RegistryError {
    /// No snapshot or event was ever loaded.
    #[error("the registry is empty")]
    Empty,
    /// What it answered cannot be right.
    #[error("the registry's answer is damaged: {0}")]
    Bad(String),
    /// It cannot be reached, or refuses work.
    #[error("the registry cannot be read: {0}")]
    Unavailable(String),
    /// Too many look-ups wait for it already.
    #[error("too many look-ups wait already; repeat in a moment")]
    Busy,
    /// It did not answer in time.
    #[error("the registry did not answer in time")]
    TooSlow,
}

/// The writing side: how the operator's truth comes in (design, "The feed").
///
/// Every method may be called from several processes; the engine serialises writers. A batch is
/// durable when its future resolves.
pub trait RegistryFeed: Send + Sync {
    /// Starts loading a snapshot beside the serving generation. Dropping the load changes nothing.
    /// Refused where `plan.cut` is older than the present cut, or another load is under way.
    fn begin_snapshot(&self, plan: SnapshotPlan) -> BoxFuture<'_, Result<Box<dyn SnapshotLoad>, FeedError>>;

    /// Records a batch of feed items that arrived at `now`; one result for each, in order.
    ///
    /// Idempotent by [`EventKey`](crate::line::EventKey). The lines touched are derived anew from all their events, so the
    /// order of arrival does not matter. An event refused for now is kept and applied by itself when
    /// what it lacks arrives.
    fn record(&self, items: Vec<FeedItem>, now: Timestamp) -> BoxFuture<'_, Result<Vec<FeedResult>, FeedError>>;

    /// From now on the as-of instant is that of these feeds; look-ups see it within a second.
    fn require(&self, feeds: Vec<EventText>);

    /// Counts and instants for people and for freshness.
    fn status(&self) -> BoxFuture<'_, Result<RegistryStatus, FeedError>>;

    /// Lines in ascending order of MSISDN, from the one after `after`, at most `limit`.
    fn scan(&self, after: Option<Msisdn>, limit: usize) -> BoxFuture<'_, Result<Vec<(Msisdn, LineState)>, FeedError>>;

    /// Every event about one line that the history holds, in order of application.
    fn history(&self, msisdn: Msisdn) -> BoxFuture<'_, Result<Vec<Event>, FeedError>>;

    /// What feeds told, the event that came last first, whether it could be applied or not. Erasures, which no feed
    /// tells, are not among it. Looks through [`EVENTS_LOOKED_THROUGH`](super::EVENTS_LOOKED_THROUGH) events at most.
    fn recorded(&self, query: RecordedQuery) -> BoxFuture<'_, Result<RecordedPage, FeedError>>;

    /// What could not be read or applied, newest first, at most `limit` beyond `cursor`.
    fn rejects(&self, cursor: RejectCursor, limit: usize) -> BoxFuture<'_, Result<RejectPage, FeedError>>;

    /// Lines of feeds that could not be read and were kept, oldest first, at most `limit` after `after`.
    fn kept_lines(&self, after: Option<RejectId>, limit: usize) -> BoxFuture<'_, Result<Vec<KeptLine>, FeedError>>;

    /// Records `item` in place of the kept line that it was read from, which is forgotten with it; the
    /// line's number no longer answers "unknown" for it. `None` where the kept line is gone; and where the
    /// result is [`FeedResult::Conflict`] or [`FeedResult::Unreadable`] nothing is changed.
    fn settle(
        &self,
        kept: RejectId,
        item: FeedItem,
        now: Timestamp,
    ) -> BoxFuture<'_, Result<Option<FeedResult>, FeedError>>;
}

/// What is known about a snapshot before its rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SnapshotPlan {
    /// The instant it was cut; `None` = the newest instant in its rows, which is refused once events
    /// have been applied.
    pub cut: Option<Timestamp>,
    /// Since when its swap history is complete, where that was stated; see [`SnapshotPlan::history_from`].
    pub history_since: Option<Timestamp>,
    /// Whether it has a swap column at all.
    pub has_swaps: bool,
    /// Whether a number of lines that is ≥ 0.5 % smaller than before is all right.
    pub allow_shrink: bool,
    /// When loading began.
    pub now: Timestamp,
}

impl SnapshotPlan {
    /// Since when the swap history is complete: as stated, or always with a swap column, or since the
    /// stated cut. Without either it begins now: a quiet extract can be far younger than the newest
    /// instant in it, and nobody says what was swapped in between.
    pub fn history_from(&self) -> Timestamp {
        let unstated = if self.has_swaps { Timestamp::MIN } else { self.cut.unwrap_or(self.now) };
        self.history_since.unwrap_or(unstated)
    }
}

/// A snapshot being loaded. All or nothing.
pub trait SnapshotLoad: Send {
    /// Takes a batch of accepted rows, in any order.
    fn push(&mut self, rows: Vec<SnapshotRow>) -> BoxFuture<'_, Result<(), FeedError>>;

    /// Takes note of refused rows: they are counted, and their lines answer "unknown", never "not
    /// served".
    fn refuse(&mut self, rows: Vec<RefusedLine>) -> BoxFuture<'_, Result<(), FeedError>>;

    /// Settles each row against what was known, applies the events after the cut on top, and switches
    /// to the new generation at once. `progress` is called now and then with the number of lines
    /// written so far.
    fn finish(
        self: Box<Self>,
        progress: &(dyn Fn(u64) + Send + Sync),
    ) -> BoxFuture<'_, Result<SnapshotSummary, FeedError>>;
}

/// A refused row of a snapshot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RefusedLine {
    /// Its number, where that could be read.
    pub msisdn: Option<Msisdn>,
}

/// What a snapshot changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SnapshotSummary {
    /// The generation that serves now.
    pub generation: u64,
    /// Its cut.
    pub cut: Timestamp,
    /// Lines in it.
    pub lines: u64,
    /// Lines in the generation before.
    pub lines_before: u64,
    /// Rows that stated the same number twice with the same content.
    pub repeated: u64,
    /// Numbers stated twice with different content; they answer "unknown".
    pub contradicted: u64,
    /// Events after the cut that were applied on top.
    pub events_reapplied: u64,
}

/// One item of an event feed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FeedItem {
    /// An event about a line.
    Event(Event),
    /// The feed is complete until this instant.
    Heartbeat {
        /// Which feed.
        source: EventText,
        /// Complete until then.
        until: Timestamp,
    },
    /// A line of the feed that could not be read.
    Refused {
        /// Where it stood, for people: `line 17`, or the event's id.
        place: String,
        /// The number it was about, where that could be read.
        msisdn: Option<Msisdn>,
        /// The other number that it named, as a number change does, where that could be read.
        new_msisdn: Option<Msisdn>,
        /// The instant it named, where that could be read.
        at: Option<Timestamp>,
        /// Why, without personal data.
        reason: String,
        /// What it says, to be kept until it can be read; `None` where it is too long for that.
        line: Option<FeedLine>,
    },
}

/// What became of one feed item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FeedResult {
    /// Taken; it changed the line, or is true and changes nothing.
    Accepted,
    /// The same item was taken before.
    Repeated,
    /// Kept; it will be applied when what it lacks arrives.
    Waits(Refusal),
    /// Kept, and cannot be applied as things stand.
    Refused(Refusal),
    /// Another event has this id.
    Conflict,
    /// Could not be read ([`FeedItem::Refused`]).
    Unreadable,
}

/// Counts and instants of a registry.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RegistryStatus {
    /// The serving generation; 0 = nothing was ever loaded.
    pub generation: u64,
    /// Lines in it.
    pub lines: u64,
    /// The snapshot's cut.
    pub cut: Option<Timestamp>,
    /// Complete up to here.
    pub as_of: Option<Timestamp>,
    /// Swap history complete since; `None` before the first snapshot.
    pub history_since: Option<Timestamp>,
    /// Events in the history.
    pub events: u64,
    /// Events that wait for an earlier one.
    pub waiting: u64,
    /// Refused: rows of the serving snapshot, lines of event feeds, and events that do not wait.
    pub rejects: u64,
    /// Each feed that has said until when it is complete.
    pub feeds: Vec<FeedStatus>,
    /// The feeds whose completeness makes the as-of.
    pub required_feeds: Vec<EventText>,
}

impl RegistryStatus {
    /// Each feed that is required or was heard of, by name.
    pub fn sources(&self) -> Vec<SourceStatus> {
        let mut names: Vec<&EventText> =
            self.required_feeds.iter().chain(self.feeds.iter().map(|feed| &feed.source)).collect();
        names.sort();
        names.dedup();
        let source = |source: &EventText| {
            let heartbeat = self.feeds.iter().find(|feed| feed.source == *source).map(|feed| feed.complete_until);
            SourceStatus {
                source: source.clone(),
                is_required: self.required_feeds.contains(source),
                heartbeat,
                complete_until: heartbeat.max(self.cut),
            }
        };
        names.into_iter().map(source).collect()
    }
}

/// How far one feed is, snapshots included.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceStatus {
    /// Which feed.
    pub source: EventText,
    /// Whether the as-of waits for it.
    pub is_required: bool,
    /// Its newest heartbeat, if there was one.
    pub heartbeat: Option<Timestamp>,
    /// Until when it is complete: its newest heartbeat, or the cut where that is newer.
    pub complete_until: Option<Timestamp>,
}

/// How far one feed has said that it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeedStatus {
    /// Which feed.
    pub source: EventText,
    /// Its newest heartbeat.
    pub complete_until: Timestamp,
}

/// Why the feed's side failed; nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum FeedError {
    /// A snapshot older than the one that serves.
    #[error(
        "this snapshot was cut at {cut}, before the present one ({present}); an older snapshot would roll swaps back"
    )]
    OlderCut {
        /// Its cut.
        cut: Timestamp,
        /// The cut of the one that serves.
        present: Timestamp,
    },
    /// The cut must be stated once events have been applied.
    #[error("events have been applied already, so the snapshot's cut must be stated")]
    CutNeeded,
    /// A cut that lies in the future.
    #[error("the cut {cut} lies in the future")]
    FutureCut {
        /// The cut.
        cut: Timestamp,
    },
    /// Far fewer lines than before.
    #[error("the snapshot has {lines} lines where there were {before}; if that is right, allow it to shrink")]
    Shrunk {
        /// Lines in the snapshot.
        lines: u64,
        /// Lines that serve now.
        before: u64,
    },
    /// No row at all.
    #[error("the snapshot has no line")]
    NoLines,
    /// Another load is under way.
    #[error("another snapshot is being loaded")]
    Busy,
    /// The engine failed.
    #[error("the registry cannot be written: {0}")]
    Engine(String),
}
