use std::collections::{BTreeMap, HashSet};
use std::rc::Rc;
use std::time::Duration;

use jiff::Timestamp;
use laini_core::line::{LineState, Msisdn, RegistrySeal};
use laini_store::registry::columns::key;
use laini_store::registry::{AtCut, Broken, Entry, KnownLine};
use tokio::sync::mpsc::{Receiver, Sender};

use super::gather::{Wanted, gather, touched};
use super::rows::{self, event_columns, line_columns};
use super::state::State;
use crate::database::{Link, Shared, Transaction, params};
use crate::error::DbError;

/// Lines that one short transaction reads.
const PAGE_LINES: i64 = 20_000;
/// Events that one short transaction takes into account.
const STEP_EVENTS: i64 = 10_000;
/// A page may take so long.
const PAGE_TIMEOUT: Duration = Duration::from_mins(1);

/// Some lines in ascending order of number; `None` is the end.
pub(super) type Page = Result<Option<Vec<KnownLine>>, DbError>;

/// Reads the lines of the serving generation page by page, each page as of one moment, with the state that
/// they had at the new snapshot's cut where events have changed them since. Nothing is held open between
/// pages, so that a long load keeps no old rows alive.
pub(super) struct KnownLines {
    pub(super) before: State,
    pub(super) generation: i64,
    pub(super) cut: Timestamp,
    pub(super) seal: RegistrySeal,
    /// The lines that later events changed, beyond the last page.
    pub(super) at_cut: BTreeMap<Msisdn, LineState>,
    /// Events that are taken into account, up to this place.
    pub(super) derived: HashSet<i64>,
    pub(super) seq: i64,
    /// The last number of the last page.
    pub(super) after: i64,
}

impl KnownLines {
    pub(super) fn new(before: State, generation: i64, cut: Timestamp, seal: RegistrySeal) -> Self {
        let (at_cut, derived) = (BTreeMap::new(), HashSet::new());
        Self { before, generation, cut, seal, at_cut, derived, seq: 0, after: 0 }
    }

    /// Sends every page, until all are sent or nobody takes them.
    pub(super) async fn send(mut self, shared: Rc<Shared>, pages: Sender<Page>) {
        loop {
            let link = Link::within(Rc::clone(&shared), PAGE_TIMEOUT);
            let page = link.transact(async |transaction: &Transaction<'_>| self.next(transaction).await).await;
            let (page, is_last) = match page {
                Ok(Step::Events) => continue,
                Ok(Step::Page(page)) => (Ok(Some(page)), false),
                Ok(Step::Last(page)) => (Ok(Some(page)), true),
                Err(error) => return drop(pages.send(Err(error)).await),
            };
            if pages.send(page).await.is_err() {
                return;
            }
            if is_last {
                return drop(pages.send(Ok(None)).await);
            }
        }
    }

    async fn next(&mut self, transaction: &Transaction<'_>) -> Result<Step, DbError> {
        transaction.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ", &[]).await?;
        if self.take_events(transaction).await? {
            return Ok(Step::Events);
        }
        let sql = concat!(
            "SELECT l.msisdn, ",
            line_columns!("l"),
            " FROM line l WHERE l.generation = $1 AND l.msisdn > $2 ORDER BY l.msisdn LIMIT $3",
        );
        let found = transaction.query(sql, params![self.generation, self.after, PAGE_LINES]).await?;
        let is_last = found.len() < usize::try_from(PAGE_LINES).unwrap_or(usize::MAX);
        let mut page = Vec::with_capacity(found.len());
        for row in &found {
            let msisdn = rows::number(row, "msisdn")?;
            self.changed_before(Some(msisdn), &mut page);
            let at_cut = self.at_cut.remove(&msisdn);
            page.push(KnownLine { msisdn, row: rows::line(row, 1)?, at_cut });
        }
        if is_last {
            self.changed_before(None, &mut page);
            return Ok(Step::Last(page));
        }
        self.after = page.last().map_or(i64::MAX, |line| key(line.msisdn));
        Ok(Step::Page(page))
    }

    /// Lines before `number` that have no row any more, but had one at the cut.
    fn changed_before(&mut self, number: Option<Msisdn>, page: &mut Vec<KnownLine>) {
        while let Some(first) = self.at_cut.first_entry() {
            if number.is_some_and(|number| *first.key() >= number) {
                return;
            }
            let (msisdn, state) = first.remove_entry();
            // One that an event of this very moment changed may lie on a page that was sent.
            if key(msisdn) > self.after {
                page.push(KnownLine { msisdn, row: None, at_cut: Some(state) });
            }
        }
    }

    /// Takes events into account that the snapshot may lack and that came since the last look; true where
    /// there may be more of them.
    async fn take_events(&mut self, transaction: &Transaction<'_>) -> Result<bool, DbError> {
        let sql = concat!(
            "SELECT ",
            event_columns!(),
            " FROM event e WHERE e.seq > $1 AND greatest(e.at, e.received) > $2 ORDER BY e.seq LIMIT $3",
        );
        let cut = self.cut.as_microsecond();
        let found = transaction.query(sql, params![self.seq, cut, STEP_EVENTS]).await?;
        let entries = found.iter().map(|row| rows::event(row, &self.seal)).collect::<Result<Vec<Entry>, _>>()?;
        let Some(last) = entries.last() else { return Ok(false) };
        let last = last.seq;
        let wanted = Wanted { entries: &entries, ..Wanted::default() };
        let events = gather(transaction, &self.before, &self.seal, wanted).await?;
        let lines = touched(transaction, self.generation, &events, &[]).await?;
        let (from, until) = (self.before.events_after(), self.cut);
        let at_cut = AtCut { history: &events, lines: &lines, seal: &self.seal, from, until };
        for entry in entries {
            at_cut.add(entry, &mut self.at_cut, &mut self.derived)?;
        }
        self.seq = last;
        Ok(found.len() == usize::try_from(STEP_EVENTS).unwrap_or(usize::MAX))
    }
}

enum Step {
    /// Only events were taken into account.
    Events,
    Page(Vec<KnownLine>),
    Last(Vec<KnownLine>),
}

/// The lines of pages, on a thread that may block.
pub(super) fn lines_of(mut pages: Receiver<Page>) -> impl Iterator<Item = Result<KnownLine, DbError>> {
    let mut page = Vec::new().into_iter();
    let lines = std::iter::from_fn(move || {
        loop {
            if let Some(line) = page.next() {
                return Some(Ok(line));
            }
            match pages.blocking_recv() {
                Some(Ok(Some(next))) => page = next.into_iter(),
                Some(Ok(None)) => return None,
                Some(Err(error)) => return Some(Err(error)),
                None => return Some(Err(Broken::Interrupted.into())),
            }
        }
    });
    // After the end nothing comes, not even the news that the sender is gone.
    lines.fuse()
}
