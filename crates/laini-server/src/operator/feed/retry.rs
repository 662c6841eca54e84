use jiff::Timestamp;
use laini_core::line::NumberPlan;
use laini_core::store::{FeedError, FeedItem, FeedResult, RegistryFeed, RejectId};
use tokio::runtime::Handle;

use super::{EventReader, Instants};

/// Kept lines that are taken at a time.
const PAGE_LINES: usize = 1_000;

/// What became of kept lines that were read again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Retried {
    /// Lines that were read again.
    pub lines: u64,
    /// Taken, or the same as something that was taken meanwhile.
    pub accepted: u64,
    /// Kept as events that wait for an earlier one.
    pub waiting: u64,
    /// Read, and cannot be applied as things stand; listed as events now.
    pub refused: u64,
    /// Unreadable still; kept.
    pub unreadable: u64,
    /// The last line that was read again, where there may be more.
    pub more_after: Option<RejectId>,
}

/// Reads kept lines again, oldest first, at most `limit` after `after`, and records what can be read by
/// the rules of now. Events that wait or were refused need none of it: they are tried again by themselves
/// whenever anything about their line changes. Blocks its thread, which must not be one of `runtime`'s own.
pub fn retry_rejects(
    feed: &dyn RegistryFeed,
    plan: NumberPlan,
    instants: &Instants,
    now: Timestamp,
    runtime: &Handle,
    (after, limit): (Option<RejectId>, u64),
) -> Result<Retried, FeedError> {
    let (mut retried, mut after) = (Retried::default(), after);
    loop {
        let kept = runtime.block_on(feed.kept_lines(after, PAGE_LINES))?;
        if kept.is_empty() {
            return Ok(retried);
        }
        for kept in kept {
            if retried.lines == limit {
                return Ok(Retried { more_after: after, ..retried });
            }
            retried.lines += 1;
            after = Some(kept.id);
            let mut reader = EventReader::new(kept.line.0.as_slice(), plan, instants.clone(), || now);
            let read = reader.next_batch(1).unwrap_or_default().pop();
            let result = match read.map(|read| read.item) {
                None | Some(FeedItem::Refused { .. }) => Some(FeedResult::Unreadable),
                Some(item) => runtime.block_on(feed.settle(kept.id, item, now))?,
            };
            match result {
                None => retried.lines -= 1,
                Some(FeedResult::Accepted | FeedResult::Repeated) => retried.accepted += 1,
                Some(FeedResult::Waits(_)) => retried.waiting += 1,
                Some(FeedResult::Refused(_)) => retried.refused += 1,
                Some(FeedResult::Conflict | FeedResult::Unreadable) => retried.unreadable += 1,
            }
        }
    }
}
