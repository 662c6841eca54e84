use jiff::Timestamp;
use laini_core::line::RegistrySeal;
use laini_core::store::{FeedError, SnapshotPlan};
use laini_store::registry::RefusedEntry;

use super::feed::Taking;
use super::gather::{Wanted, gather};
use super::generations::Lease;
use super::rows::{self, event_columns, refused_columns};
use super::state::State;
use crate::columns::Columns;
use crate::database::{Transaction, params};
use crate::error::DbError;

/// How many events and refused rows one transaction takes over.
const STEP_ROWS: i64 = 10_000;

/// How far a generation that does not serve yet has come through the history.
#[derive(Debug, Clone, Default)]
pub(super) struct CatchUp {
    /// The newest event taken over; `None` before the first step.
    event: Option<i64>,
    refused: i64,
    /// Lines that the generation has more than before, or fewer.
    lines: i64,
    /// Events taken over that changed a line.
    applied: u64,
}

impl CatchUp {
    /// Takes over some of the events that a snapshot cut at `cut` may lack; true where there may be more.
    pub(super) async fn step(
        mut self,
        transaction: &Transaction<'_>,
        generation: i64,
        cut: Timestamp,
        seal: &RegistrySeal,
    ) -> Result<(Self, bool), DbError> {
        const EVENTS: &str =
            concat!("SELECT ", event_columns!(), " FROM event e WHERE e.seq > $1 ORDER BY e.seq LIMIT $2");
        const REFUSED: &str =
            concat!("SELECT ", refused_columns!(), " FROM refused r WHERE r.seq > $1 ORDER BY r.seq LIMIT $2");
        let from = match self.event {
            Some(event) => event,
            None => last_before_news(transaction, cut).await?,
        };
        let found = transaction.query(EVENTS, params![from, STEP_ROWS]).await?;
        let entries = found.iter().map(|row| rows::event(row, seal)).collect::<Result<Vec<_>, _>>()?;
        let found = transaction.query(REFUSED, params![self.refused, STEP_ROWS]).await?;
        let refused = found.iter().map(rows::refused).collect::<Result<Vec<RefusedEntry>, _>>()?;
        let until = entries.last().map_or(from, |entry| entry.seq);
        self.event = Some(until);
        self.refused = refused.last().map_or(self.refused, |row| row.seq);
        let limit = usize::try_from(STEP_ROWS).unwrap_or(usize::MAX);
        let is_more = entries.len() == limit || refused.len() == limit;
        let numbers: Vec<_> = refused.iter().filter_map(|row| row.msisdn).collect();
        let news: Vec<_> = entries.iter().filter(|entry| entry.is_news_after(cut)).cloned().collect();
        if news.is_empty() && numbers.is_empty() {
            return Ok((self, is_more));
        }
        let state = State::read_in(transaction).await?;
        let wanted = Wanted { entries: &news, numbers: &numbers, ..Wanted::default() };
        let events = gather(transaction, &state, seal, wanted).await?;
        let taking = Taking { generation, cut, places: (from, until) };
        let (taken, _) = taking.take_over(transaction, seal, &events, news, &refused).await?;
        self.lines += taken.lines;
        self.applied += taken.applied;
        Ok((self, is_more))
    }
}

/// The place before the first event that a snapshot cut at `cut` may lack.
async fn last_before_news(transaction: &Transaction<'_>, cut: Timestamp) -> Result<i64, DbError> {
    let sql = "SELECT coalesce((SELECT min(seq) - 1 FROM event WHERE greatest(at, received) > $1),
        (SELECT max(seq) FROM event), 0) AS seq";
    let row = transaction.query_opt(sql, params![cut.as_microsecond()]).await?.ok_or(DbError::Damaged("event"))?;
    Columns(&row).get("seq")
}

/// What becomes of a finished generation.
pub(super) struct Switch {
    pub(super) lease: Lease,
    pub(super) plan: SnapshotPlan,
    pub(super) seal: RegistrySeal,
    pub(super) generation: i64,
    pub(super) cut: Timestamp,
    pub(super) lines: i64,
    pub(super) refused_rows: i64,
}

impl Switch {
    /// Applies what arrived meanwhile and makes the generation the serving one, all or nothing. Whoever
    /// lost the right to load changes nothing. Returns how many events were applied on top.
    pub(super) async fn switch(
        &self,
        transaction: &Transaction<'_>,
        mut catch_up: CatchUp,
    ) -> Result<Result<u64, FeedError>, DbError> {
        let state = State::lock(transaction).await?;
        if !self.lease.is_held(transaction).await? {
            return Ok(Err(FeedError::Busy));
        }
        if let Err(refused) = state.present().check(&self.plan, Some(self.cut)) {
            return Ok(Err(refused));
        }
        let mut is_more = true;
        while is_more {
            (catch_up, is_more) = catch_up.step(transaction, self.generation, self.cut, &self.seal).await?;
        }
        let forget = "DELETE FROM refused WHERE at <= $1";
        transaction.execute(forget, params![self.cut.as_microsecond()]).await?;
        let state = State {
            version: state.version + 1,
            generation: Some(self.generation),
            cut: Some(self.cut),
            history_since: self.plan.history_from(),
            lines: self.lines + catch_up.lines,
            refused_rows: self.refused_rows,
            ..state
        };
        state.write(transaction).await?;
        Ok(Ok(catch_up.applied))
    }
}
