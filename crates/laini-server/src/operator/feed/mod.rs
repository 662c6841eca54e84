//! Reading the feed: extracts (CSV) and events (NDJSON), plain, gzip or zstd.
//!
//! Owns every form in which a feed may be written. Must never hold a whole feed in memory, or quote a
//! row in a reason.

mod apply;
mod blocks;
mod decompress;
mod events;
mod instant;
mod load;
mod max_rejects;
mod retry;
mod snapshot;

pub use apply::{Applied, ApplyError, apply_events};
pub use decompress::{InputError, decompressed};
pub use events::{EventReader, EventsError, MAX_EVENT_LINE_BYTES, ReadItem};
pub use instant::{CLOCK_SLACK, InstantError, Instants};
pub use load::{LoadError, RowCounts, SnapshotLoading};
pub use max_rejects::MaxRejects;
pub use retry::{Retried, retry_rejects};
pub use snapshot::{ParsedBlock, RejectedRow, SnapshotColumns, SnapshotError, SnapshotRules, read_snapshot};
