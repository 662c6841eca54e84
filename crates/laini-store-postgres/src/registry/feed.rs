use std::collections::BTreeMap;

use jiff::Timestamp;
use laini_core::line::{Refusal, RegistrySeal};
use laini_core::store::{FeedItem, FeedResult};
use laini_store::registry::{Entered, Entry, RefusedEntry, Step, Taken, enter_item, result_of};

use super::gather::{Wanted, gather, touched};
use super::picture::{Events, RefusedColumns};
use super::state::State;
use super::write::{write_events, write_lines};
use super::{generations, rows};
use crate::database::{Transaction, params};
use crate::error::DbError;

/// Takes a batch of items in and derives the lines that they touch anew, all or nothing.
pub(super) async fn record(
    transaction: &Transaction<'_>,
    seal: &RegistrySeal,
    items: &[FeedItem],
    now: Timestamp,
) -> Result<Vec<FeedResult>, DbError> {
    let mut state = State::lock(transaction).await?;
    let mut events = gather(transaction, &state, seal, Wanted { items, ..Wanted::default() }).await?;
    let entered = items.iter().map(|item| enter_item(&mut events, item.clone(), now)).collect::<Result<Vec<_>, _>>()?;
    let refusals = apply(transaction, &mut state, seal, &events, now).await?;
    Ok(entered.into_iter().map(|entered| result(entered, &refusals)).collect())
}

/// Takes an item in instead of the kept row that it was read from; `None` where that is gone.
pub(super) async fn settle(
    transaction: &Transaction<'_>,
    seal: &RegistrySeal,
    kept: i64,
    item: &FeedItem,
    now: Timestamp,
) -> Result<Option<FeedResult>, DbError> {
    let mut state = State::lock(transaction).await?;
    let Some(mark) = kept_row(transaction, kept).await? else { return Ok(None) };
    let items = std::slice::from_ref(item);
    let numbers = mark.msisdn.as_slice();
    let wanted = Wanted { items, numbers, refused_but: Some(kept), ..Wanted::default() };
    let mut events = gather(transaction, &state, seal, wanted).await?;
    let entered = enter_item(&mut events, item.clone(), now)?;
    if let Entered::Settled(result @ (FeedResult::Conflict | FeedResult::Unreadable)) = entered {
        // Nothing of it was written.
        return Ok(Some(result));
    }
    transaction.execute("DELETE FROM refused WHERE seq = $1", params![kept]).await?;
    // The mark that it leaves is news to every generation.
    if mark.msisdn.is_some() {
        events.last_refused += 1;
        let entry = RefusedEntry { seq: events.last_refused, reason: String::new(), is_kept: false, ..mark };
        events.refused.push(RefusedColumns { entry, line: None, is_settled: true });
    }
    let refusals = apply(transaction, &mut state, seal, &events, now).await?;
    Ok(Some(result(entered, &refusals)))
}

async fn kept_row(transaction: &Transaction<'_>, kept: i64) -> Result<Option<RefusedEntry>, DbError> {
    let sql = concat!("SELECT ", rows::refused_columns!(), " FROM refused r WHERE r.seq = $1 AND r.line IS NOT NULL");
    transaction.query_opt(sql, params![kept]).await?.map(|row| rows::refused(&row)).transpose()
}

fn result(entered: Entered, refusals: &BTreeMap<i64, Option<Refusal>>) -> FeedResult {
    match entered {
        Entered::Settled(result) => result,
        Entered::New(seq) => result_of(refusals.get(&seq).copied().flatten()),
    }
}

/// Writes what was taken in, and brings the serving generation up to it; the first event of all founds one.
/// Returns why events are not applied.
async fn apply(
    transaction: &Transaction<'_>,
    state: &mut State,
    seal: &RegistrySeal,
    events: &Events,
    now: Timestamp,
) -> Result<BTreeMap<i64, Option<Refusal>>, DbError> {
    let entries = events.after(state.last_event);
    let refused: Vec<RefusedEntry> = events.refused.iter().map(|row| row.entry.clone()).collect();
    write_events(transaction, events).await?;
    let mut refusals = BTreeMap::new();
    let is_news = !entries.is_empty() || refused.iter().any(|row| row.msisdn.is_some());
    if is_news && state.generation.is_none() {
        found(transaction, state, now).await?;
    }
    if let Some(generation) = state.generation.filter(|_| is_news) {
        let places = (state.last_event, events.last_event);
        let step = Taking { generation, cut: state.events_after(), places };
        let (taken, told) = step.take_over(transaction, seal, events, entries, &refused).await?;
        state.lines += taken.lines;
        refusals = told;
    }
    state.last_event = events.last_event;
    state.last_refused = events.last_refused;
    state.version += i64::from(!events.heartbeats.is_empty());
    state.write(transaction).await?;
    Ok(refusals)
}

/// The first generation where events come before any snapshot. Its swap history begins with them.
async fn found(transaction: &Transaction<'_>, state: &mut State, now: Timestamp) -> Result<(), DbError> {
    let generation = generations::next_number(transaction).await?;
    generations::create(transaction, generation).await?;
    state.generation = Some(generation);
    state.history_since = now;
    state.version += 1;
    Ok(())
}

/// Events and refused rows on their way into a generation.
pub(super) struct Taking {
    pub(super) generation: i64,
    /// The instant after which events count.
    pub(super) cut: Timestamp,
    /// The places of the events: after the first, up to the second.
    pub(super) places: (i64, i64),
}

impl Taking {
    /// Derives anew each line of the generation that `entries` and `refused` touch.
    pub(super) async fn take_over(
        &self,
        transaction: &Transaction<'_>,
        seal: &RegistrySeal,
        events: &Events,
        entries: Vec<Entry>,
        refused: &[RefusedEntry],
    ) -> Result<(Taken, BTreeMap<i64, Option<Refusal>>), DbError> {
        let mut lines = touched(transaction, self.generation, events, refused).await?;
        let step = Step { history: events, lines: &mut lines, seal, cut: self.cut, places: self.places };
        let taken = step.take_over(entries, refused)?;
        write_lines(transaction, self.generation, &lines).await?;
        Ok((taken, lines.refusals))
    }
}
