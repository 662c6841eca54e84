use std::collections::{BTreeMap, HashSet};

use jiff::Timestamp;
use laini_core::line::{LineState, Msisdn};
use laini_store::registry::{AtCut, Step};
use rusqlite::{Connection, TransactionBehavior};

use super::failure::Failure;
use super::generation::{GenerationLines, meta, write_meta};
use super::history::History;

/// How many events and refused rows one transaction takes over.
const STEP_ROWS: i64 = 10_000;

/// Brings a generation up to the history: derives anew each line that something beyond its watermark
/// touches, and moves the watermark in the same transaction, so that a kill in between loses nothing.
///
/// Returns how many of the events taken over changed a line. Only under the write lock, or on a
/// generation that does not serve yet.
pub(super) fn catch_up(generation: &mut Connection, history: &History<'_>) -> Result<u64, Failure> {
    let mut applied = 0;
    loop {
        let transaction = generation.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let mut meta = meta(&transaction)?;
        let entries = history.after(meta.applied_event, STEP_ROWS)?;
        let refused = history.refused_after(meta.applied_refused, STEP_ROWS)?;
        if entries.is_empty() && refused.is_empty() {
            return Ok(applied);
        }
        let from = meta.applied_event;
        meta.applied_event = entries.last().map_or(from, |entry| entry.seq);
        meta.applied_refused = refused.last().map_or(meta.applied_refused, |row| row.seq);
        let mut lines = GenerationLines(&transaction);
        let places = (from, meta.applied_event);
        let step = Step { history, lines: &mut lines, seal: history.seal, cut: meta.events_after(), places };
        let taken = step.take_over(entries, &refused)?;
        meta.lines += taken.lines;
        write_meta(&transaction, &meta)?;
        applied += taken.applied;
        transaction.commit()?;
    }
}

/// How lines stood at `cut` that events after it have changed in `generation` since: what a snapshot
/// of that cut is to be compared with.
pub(super) fn states_at(
    generation: &Connection,
    history: &History<'_>,
    cut: Timestamp,
) -> Result<BTreeMap<Msisdn, LineState>, Failure> {
    let meta = meta(generation)?;
    let lines = &GenerationLines(generation);
    let at_cut = AtCut { history, lines, seal: history.seal, from: meta.events_after(), until: cut };
    let mut states = BTreeMap::new();
    let mut done: HashSet<i64> = HashSet::new();
    let mut seq = 0;
    loop {
        let entries = history.news_after(cut, seq, STEP_ROWS)?;
        let Some(last) = entries.last() else { return Ok(states) };
        seq = last.seq;
        for entry in entries {
            if entry.seq > meta.applied_event {
                return Ok(states);
            }
            at_cut.add(entry, &mut states, &mut done)?;
        }
    }
}
