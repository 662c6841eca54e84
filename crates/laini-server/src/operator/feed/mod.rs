//! Reading the feed: extracts (CSV) and events (NDJSON), plain, gzip or zstd.
//!
//! Owns every form in which a feed may be written. Must never hold a whole feed in memory, or quote a
//! row in a reason.

mod blocks;
mod decompress;
mod events;
mod instant;
mod snapshot;

pub use decompress::{InputError, decompressed};
pub use events::{EventReader, EventsError, MAX_EVENT_LINE_BYTES};
pub use instant::{CLOCK_SLACK, InstantError, Instants};
pub use snapshot::{ParsedBlock, RejectedRow, SnapshotColumns, SnapshotError, SnapshotRules, read_snapshot};
