use std::collections::VecDeque;

use jiff::Timestamp;
use laini_core::line::{Event, EventKey, EventKind, Refusal};
use laini_core::store::{Reject, RejectCursor, RejectId, RejectPage};

use super::columns::count;
use super::{Entry, RefusedEntry};

/// The newer ones of two lists, each of which is newest first and has one more than `limit` where there is
/// more. Each keeps its own order, also where the clock went back meanwhile.
pub fn newest(
    cursor: RejectCursor,
    mut events: VecDeque<(i64, Reject)>,
    mut lines: VecDeque<(i64, Reject)>,
    limit: usize,
) -> RejectPage {
    let (mut rejects, mut next) = (Vec::new(), cursor);
    while rejects.len() < limit {
        let received = |list: &VecDeque<(i64, Reject)>| list.front().map(|(_, reject)| reject.received);
        let is_event = received(&events) >= received(&lines);
        let (list, place) = if is_event { (&mut events, &mut next.event) } else { (&mut lines, &mut next.line) };
        let Some((seq, reject)) = list.pop_front() else { break };
        *place = count(seq);
        rejects.push(reject);
    }
    let is_more = !events.is_empty() || !lines.is_empty();
    RejectPage { rejects, next: is_more.then_some(next) }
}

/// An event that is not applied, for people, by its place.
pub fn unapplied_event(entry: Entry, refusal: Refusal) -> (i64, Reject) {
    let reject = Reject {
        line: None,
        place: format!("event {}", entry.event.key.id.as_str()),
        key: Some(entry.event.key),
        reason: refusal.to_string(),
        waits: refusal.can_wait(),
        received: entry.received,
    };
    (entry.seq, reject)
}

/// A line that could not be read, for people, by its place.
pub fn unread_line(row: RefusedEntry) -> (i64, Reject) {
    let reject = Reject {
        line: row.is_kept.then(|| RejectId(count(row.seq))),
        key: None,
        place: row.place,
        reason: row.reason,
        waits: false,
        received: row.received,
    };
    (row.seq, reject)
}

/// Events about a line in the order in which they are applied, each once.
pub fn in_order(mut entries: Vec<Entry>) -> Vec<Event> {
    entries.sort_by(|a, b| order(a).cmp(&order(b)));
    entries.dedup_by_key(|entry| entry.seq);
    entries.into_iter().map(|entry| entry.event).collect()
}

fn order(entry: &Entry) -> (Timestamp, EventKind, &EventKey) {
    (entry.event.at, entry.event.happening.kind(), &entry.event.key)
}
