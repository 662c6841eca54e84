use std::io::Read;

use jiff::Timestamp;
use laini_core::store::{FeedError, FeedItem, FeedResult, RegistryFeed};
use tokio::runtime::Handle;

use super::{EventReader, EventsError};

/// Events that are recorded with one commit.
const BATCH_EVENTS: usize = 10_000;

/// What became of one line of an event feed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Applied {
    /// Its place, from 1.
    pub line: u64,
    /// The event's id, or what else tells it apart.
    pub event: String,
    /// What became of it.
    pub result: FeedResult,
    /// Why, where it was not simply taken; without personal data.
    pub reason: Option<String>,
}

/// Why a feed could not be recorded to its end. What was told before is recorded.
#[derive(Debug, thiserror::Error)]
pub enum ApplyError {
    /// It cannot be read on.
    #[error(transparent)]
    Read(#[from] EventsError),
    /// The registry failed.
    #[error(transparent)]
    Feed(#[from] FeedError),
}

/// Records a feed to its end, a batch at a time, and tells what became of each line once that is
/// durable. Blocks its thread, which must not be one of `runtime`'s own.
pub fn apply_events<R: Read, C: Fn() -> Timestamp, E: From<ApplyError>>(
    feed: &dyn RegistryFeed,
    reader: &mut EventReader<R, C>,
    now: impl Fn() -> Timestamp,
    runtime: &Handle,
    mut tell: impl FnMut(Applied) -> Result<(), E>,
) -> Result<(), E> {
    loop {
        let read = reader.next_batch(BATCH_EVENTS).map_err(ApplyError::from)?;
        if read.is_empty() {
            return Ok(());
        }
        let (mut told, mut items) = (Vec::with_capacity(read.len()), Vec::with_capacity(read.len()));
        for read in read {
            told.push((read.line, name(&read.item), unreadable(&read.item)));
            items.push(read.item);
        }
        let results = runtime.block_on(feed.record(items, now())).map_err(ApplyError::from)?;
        for ((line, event, unreadable), result) in told.into_iter().zip(results) {
            let reason = unreadable.or_else(|| reason(&result));
            tell(Applied { line, event, result, reason })?;
        }
    }
}

fn name(item: &FeedItem) -> String {
    match item {
        FeedItem::Event(event) => event.key.id.as_str().to_owned(),
        FeedItem::Heartbeat { source, .. } => format!("heartbeat of {}", source.as_str()),
        FeedItem::Refused { place, .. } => place.clone(),
    }
}

fn unreadable(item: &FeedItem) -> Option<String> {
    match item {
        FeedItem::Refused { reason, .. } => Some(reason.clone()),
        FeedItem::Event(_) | FeedItem::Heartbeat { .. } => None,
    }
}

fn reason(result: &FeedResult) -> Option<String> {
    match result {
        FeedResult::Accepted | FeedResult::Repeated => None,
        FeedResult::Waits(refusal) | FeedResult::Refused(refusal) => Some(refusal.to_string()),
        FeedResult::Conflict => Some("another event with other content has this id".to_owned()),
        FeedResult::Unreadable => Some("there are too many events or number changes about this line".to_owned()),
    }
}
