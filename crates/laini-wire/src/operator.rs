//! The operator's own API: how its truth comes in over the network.

use serde::{Deserialize, Serialize};

/// `POST`: an event feed (NDJSON). `GET`: what feeds told (`?source=…&after=…&limit=…`).
pub const EVENTS_PATH: &str = "/operator/v1/events";
/// `POST`: a snapshot (CSV).
pub const SNAPSHOTS_PATH: &str = "/operator/v1/snapshots";
/// `POST`: a feed is complete until an instant.
pub const HEARTBEATS_PATH: &str = "/operator/v1/heartbeats";
/// `GET`: how fresh the registry is.
pub const FEED_PATH: &str = "/operator/v1/feed";
/// `GET`: what could not be read or applied (`?after=…&limit=…`).
pub const REJECTS_PATH: &str = "/operator/v1/rejects";
/// `POST`: what could not be read is read again (`?after=…`).
pub const RETRY_PATH: &str = "/operator/v1/rejects/retry";

/// What became of one line of an event feed: a line of the answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct EventResult {
    /// Its place in the upload, from 1.
    pub line: u64,
    /// `accepted`, `repeated` (taken before), `waiting` (kept until an earlier event comes) or `refused`.
    pub result: String,
    /// The event's id, or the line where that cannot be read; of lines that wait or were refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event: Option<String>,
    /// Why it waits or was refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// The last line of the answer to an event feed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct EventsSummary {
    /// What there was in all.
    pub summary: EventCounts,
}

/// How many events of a feed ended how.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct EventCounts {
    /// Lines that are not blank.
    pub events: u64,
    /// Taken.
    pub accepted: u64,
    /// Taken before.
    pub repeated: u64,
    /// Kept until an earlier event comes.
    pub waiting: u64,
    /// Listed among the rejects.
    pub refused: u64,
}

/// What a snapshot changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SnapshotAnswer {
    /// The generation that serves now.
    pub generation: u64,
    /// The instant at which it was cut, RFC 3339.
    pub as_of: String,
    /// Lines in it.
    pub lines: u64,
    /// Lines in the generation before.
    pub lines_before: u64,
    /// Rows that were refused; their lines answer "unknown".
    pub rejected: u64,
    /// Rows that stated the same number twice with the same content.
    pub repeated: u64,
    /// Numbers stated twice with different content; they answer "unknown".
    pub contradicted: u64,
    /// Events after the cut that were applied on top.
    pub events_reapplied: u64,
    /// The first of the refused rows.
    pub first_rejected: Vec<RejectedRow>,
}

/// A row of a snapshot that was refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RejectedRow {
    /// Its line in the upload, from 1 (the header).
    pub line: u64,
    /// Why.
    pub reason: String,
}

/// A feed is complete until an instant.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct HeartbeatRequest {
    /// Which feed; left out: the one of events that name none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// Until when, RFC 3339 or a plain date; left out: now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<String>,
}

/// What a heartbeat was taken for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct HeartbeatAnswer {
    /// Which feed.
    pub source: String,
    /// Until when, RFC 3339.
    pub complete_until: String,
}

/// How fresh the registry is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(as = RegistryFeedAnswer))]
pub struct FeedAnswer {
    /// The serving generation; 0 = nothing was ever loaded.
    pub generation: u64,
    /// Lines in it.
    pub lines: u64,
    /// When its snapshot was cut, RFC 3339.
    pub snapshot_cut: Option<String>,
    /// Until when every required feed is complete, RFC 3339.
    pub as_of: Option<String>,
    /// How many seconds ago that was.
    pub lag_s: Option<i64>,
    /// Since when swaps are known, RFC 3339, or `always`.
    pub history_since: Option<String>,
    /// Events in the history.
    pub events: u64,
    /// Events that wait for an earlier one.
    pub waiting: u64,
    /// What was refused.
    pub rejects: u64,
    /// Each feed.
    pub sources: Vec<SourceAnswer>,
    /// Each fact that depends on how fresh that is.
    pub facts: FactsAnswer,
    /// The snapshot that is being loaded through this server.
    pub loading: Option<LoadingAnswer>,
}

/// How far one feed is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SourceAnswer {
    /// Its name.
    pub source: String,
    /// Whether the as-of waits for it.
    pub required: bool,
    /// Its newest heartbeat, RFC 3339.
    pub heartbeat: Option<String>,
    /// Until when it is complete: its newest heartbeat, or the snapshot's cut where that is newer.
    pub complete_until: Option<String>,
    /// How many seconds ago that was.
    pub lag_s: Option<i64>,
}

/// Whether reassuring answers are given.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct FactsAnswer {
    /// "Not swapped", "the same SIM".
    pub swap: FreshnessAnswer,
    /// "Registered long ago".
    pub registration: FreshnessAnswer,
}

/// How old the as-of may be for one fact.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct FreshnessAnswer {
    /// In seconds; nothing = any age.
    pub stale_after_s: Option<i64>,
    /// Whether it is older than that, so that the fact is answered "unknown" where it would reassure.
    pub is_stale: bool,
}

/// How far a snapshot's loading is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LoadingAnswer {
    /// Rows that were read and are good.
    pub read: u64,
    /// Rows that were refused.
    pub rejected: u64,
    /// Lines that were written, once all is read.
    pub written: u64,
}

/// Some of the events that feeds told, those that came last first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RecordedEventsAnswer {
    /// These.
    pub events: Vec<RecordedEventAnswer>,
    /// What `after` of the next page is; nothing = there are no more. A page can be empty and have one: of a feed that
    /// speaks seldom.
    pub next: Option<String>,
}

/// An event that a feed told; its number is masked, and its IMSI is not told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RecordedEventAnswer {
    /// The feed it came by.
    pub source: String,
    /// Its id within the feed.
    pub event: String,
    /// What happened: the feed's word.
    #[serde(rename = "type")]
    pub kind: String,
    /// Which number it is about, its middle hidden; nothing = it leaves that out.
    pub number: Option<String>,
    /// The event that it corrects or withdraws.
    pub amends: Option<String>,
    /// When it happened, RFC 3339.
    pub at: String,
    /// When the feed's source wrote it down, RFC 3339.
    pub recorded: String,
    /// When it arrived, RFC 3339.
    pub received: String,
}

/// Some of what could not be read or applied, newest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RejectsAnswer {
    /// These.
    pub rejects: Vec<RejectAnswer>,
    /// What `after` of the next page is; nothing = there are no more.
    pub next: Option<String>,
}

/// Something that could not be read or applied; never what it said about whom.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RejectAnswer {
    /// Where it stood: `line 17` of its upload, or `event` and its id.
    pub place: String,
    /// The event's id, where it has one.
    pub event: Option<String>,
    /// The event's feed.
    pub source: Option<String>,
    /// Why.
    pub reason: String,
    /// Whether it waits for an earlier event, and will be applied by itself.
    pub waits: bool,
    /// Whether it is kept so that it can be read again.
    pub can_be_retried: bool,
    /// When it arrived, RFC 3339.
    pub received: String,
}

/// What became of lines that were read again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RetryAnswer {
    /// Lines that were read again.
    pub lines: u64,
    /// Taken now, or the same as something taken meanwhile.
    pub accepted: u64,
    /// Read; kept until an earlier event comes.
    pub waiting: u64,
    /// Read; cannot be applied as things stand.
    pub refused: u64,
    /// Unreadable still.
    pub unreadable: u64,
    /// What `after` of the next request is; nothing = all were read.
    pub next: Option<u64>,
}
