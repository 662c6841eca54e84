use std::collections::{BTreeMap, HashMap, HashSet};

use jiff::Timestamp;
use laini_core::line::{LineState, Msisdn, Refusal, Verdict, derive};
use rusqlite::{Connection, TransactionBehavior};

use super::failure::Failure;
use super::generation::{Meta, keep_base, line, meta, row_at_cut, write_line, write_meta, write_refusal};
use super::group::{Group, Seed};
use super::history::{Entry, History};
use super::refused::RefusedEntry;
use super::row::Row;

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
        let mut step = Step { generation: &transaction, history, meta, from, applied: 0, done: HashSet::new() };
        step.take_over(entries, &refused)?;
        write_meta(step.generation, &step.meta)?;
        applied += step.applied;
        transaction.commit()?;
    }
}

struct Step<'a> {
    generation: &'a Connection,
    history: &'a History<'a>,
    meta: Meta,
    /// The watermark before this step.
    from: i64,
    applied: u64,
    /// Events whose group was derived in this step.
    done: HashSet<i64>,
}

impl Step<'_> {
    fn take_over(&mut self, entries: Vec<Entry>, refused: &[RefusedEntry]) -> Result<(), Failure> {
        let cut = self.meta.events_after();
        for entry in entries {
            if entry.is_news_after(cut) && !self.done.contains(&entry.seq) {
                self.derive_group(Seed::Entry(entry))?;
            }
        }
        let mut marked = HashSet::new();
        for number in refused.iter().filter(|row| row.at > cut).filter_map(|row| row.msisdn) {
            if marked.insert(number) {
                self.derive_group(Seed::Number(number))?;
            }
        }
        Ok(())
    }

    fn derive_group(&mut self, seed: Seed) -> Result<(), Failure> {
        let group = gather(self.history, seed)?;
        let mut bases = BTreeMap::new();
        let mut refused_rows = Vec::new();
        for number in &group.numbers {
            bases.insert(*number, state_at_cut(self.generation, *number, self.history)?);
            refused_rows.extend(self.history.refused_about(*number)?);
        }
        let derivation = derive(self.meta.events_after(), bases, &group.events(), &refused_rows);
        for (number, state) in &derivation.lines {
            self.write(*number, state)?;
        }
        let by_key = group.by_key();
        for (key, verdict) in &derivation.verdicts {
            let entry = by_key.get(key).ok_or(Failure::Damaged("an event"))?;
            write_refusal(self.generation, entry.seq, refusal(*verdict, entry, self.meta.events_after()))?;
            if *verdict == Verdict::Applied && entry.seq > self.from && entry.seq <= self.meta.applied_event {
                self.applied += 1;
            }
        }
        self.done.extend(group.entries.keys());
        Ok(())
    }

    /// Writes a line where it differs, and keeps first what the snapshot said.
    fn write(&mut self, number: Msisdn, state: &LineState) -> Result<(), Failure> {
        let new = Row::of(state, number, self.history.seal);
        let old = line(self.generation, number)?;
        if new == old {
            return Ok(());
        }
        keep_base(self.generation, number, old.as_ref())?;
        let known = |row: &Option<Row>| i64::from(row.as_ref().is_some_and(Row::is_known));
        self.meta.lines += known(&new) - known(&old);
        write_line(self.generation, number, new.as_ref())
    }
}

/// The state of a line at the cut of its generation, before any event.
fn state_at_cut(generation: &Connection, number: Msisdn, history: &History<'_>) -> Result<LineState, Failure> {
    row_at_cut(generation, number)?.map_or_else(|| Ok(LineState::default()), |row| row.open(number, history.seal))
}

/// Why an event is not applied. An amendment that came before the cut of what it amends is in the
/// snapshot as that is.
fn refusal(verdict: Verdict, entry: &Entry, cut: Timestamp) -> Option<Refusal> {
    match verdict {
        Verdict::Refused(Refusal::BeforeCut) if entry.received <= cut => None,
        Verdict::Refused(refusal) => Some(refusal),
        _ => None,
    }
}

/// How lines stood at `cut` that events after it have changed in `generation` since: what a snapshot
/// of that cut is to be compared with.
pub(super) fn states_at(
    generation: &Connection,
    history: &History<'_>,
    cut: Timestamp,
) -> Result<HashMap<Msisdn, LineState>, Failure> {
    let meta = meta(generation)?;
    let mut states = HashMap::new();
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
            if done.contains(&entry.seq) {
                continue;
            }
            let group = gather(history, Seed::Entry(entry))?;
            let mut bases = BTreeMap::new();
            for number in &group.numbers {
                bases.insert(*number, state_at_cut(generation, *number, history)?);
            }
            let mut events = group.events();
            events.retain(|event| event.at <= cut);
            states.extend(derive(meta.events_after(), bases, &events, &[]).lines);
            done.extend(group.entries.keys());
        }
    }
}

/// The group of `seed`. One beyond the limits was refused when it would have come into being.
fn gather(history: &History<'_>, seed: Seed) -> Result<Group, Failure> {
    Group::gather(history, seed)?.ok_or(Failure::Damaged("too many lines are linked"))
}
