//! The ledger: every check that reached the registry, durable, linked, never changed.
//!
//! Owns `ledger.db` (rows, counters, stored answers, outbox), `ledger.lock` and `ledger-heads.ndjson`;
//! one thread writes, many requests share one fsync. Must never answer `Ok` before the row would survive a power cut, write one id twice,
//! update or delete a row, or keep a number in the clear.
//!
//! A caller that gives up (its deadline passed while the disk stood still) was told that the charge is
//! unknown. Its check is then not written at all, or, where it gave up during the very commit or that was
//! in doubt, reversed by a row of the writer's own: at once, or as soon as the file can be written. A row
//! that goes with a stored answer or a delivery stays: what was answered can be fetched. Whether anybody
//! learned of a row is known to the running process alone: after a crash rows stay, and repeats are free.
//!
//! `ledger-heads.ndjson` says where the chain ended from time to time. It proves that the tail was not
//! cut only to somebody who has a copy elsewhere: copy it off this machine, daily or more often.

mod answers;
mod append;
mod asked;
mod chore;
mod counters;
mod outbox;
mod queue;
mod readers;
mod restore;
mod retention;
mod schema;
mod submit;
mod writer;
mod writing;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;
use laini_core::billing::CheckId;
use laini_core::store::{
    AskedPage, AskedQuery, BoxFuture, ChainHead, ChainKey, ChainPage, CommitObserver, DayKey, DayKeys, Draft,
    FoundCheck, Ledger, LedgerError, LedgerRow, PlacedRow, Recorded, RowQuery, Submission, Submitted, Usage, WriterEnd,
};

use crate::sql::StoreError;
use answers::Claims;
pub(crate) use laini_store::ledger::HEADS_FILE;
pub use laini_store::ledger::last_holder;
use laini_store::ledger::{DayOpener, Today, existing_day_key, read_heads};
use readers::Readers;
pub(crate) use schema::{MIGRATIONS, place};
use writing::Writing;

/// The limits and rhythms of a ledger's writer.
#[derive(Debug, Clone)]
pub struct LedgerSettings {
    /// This node's number in the chain; two nodes never share one.
    pub writer: u32,
    /// How many checks may wait for the writer, and the most that one commit holds. Beyond it a
    /// record is refused at once.
    pub queue_limit: usize,
    /// With so many checks waiting the writer commits at once.
    pub enough_for_a_commit: usize,
    /// How long it waits for so many while they keep coming, in microseconds. An idle ledger never waits.
    pub pause_us: u64,
    /// The wait is over when so many microseconds brought no further check.
    pub step_us: u64,
    /// How many charged checks are remembered for free repeats (about 60 bytes each).
    pub repeats_remembered: usize,
    /// A chain head is written down after so many rows,
    pub head_every_rows: u64,
    /// or after so many seconds from one row to another.
    pub head_every_s: i64,
    /// The WAL is copied into the database when it has grown by about so many pages of 4 KiB.
    pub checkpoint_pages: usize,
    /// Who is told of every commit.
    pub observer: Option<Arc<dyn CommitObserver>>,
}

impl Default for LedgerSettings {
    fn default() -> Self {
        Self {
            writer: 1,
            queue_limit: 8_192,
            enough_for_a_commit: 256,
            pause_us: 100,
            step_us: 50,
            repeats_remembered: 1_000_000,
            head_every_rows: 1_000_000,
            head_every_s: 60,
            checkpoint_pages: 4_000,
            observer: None,
        }
    }
}

/// The ledger of one data directory.
pub struct SqliteLedger {
    dir: PathBuf,
    readers: Readers,
    day_keys: Arc<dyn DayKeys>,
    today: Today,
    claims: Claims,
    writing: Writing,
}

impl SqliteLedger {
    /// Opens (and makes) the ledger for the one process that records checks in `dir`.
    pub fn open(
        dir: &Path,
        key: ChainKey,
        day_keys: Arc<dyn DayKeys>,
        settings: LedgerSettings,
    ) -> Result<Self, StoreError> {
        let writing = Writing::start(dir, key, settings)?;
        let readers = Readers::open(&dir.join("ledger.db"))?;
        Ok(Self::of(dir, readers, day_keys, writing))
    }

    /// Opens the ledger beside a process that records checks, or without one: for reading, and for the
    /// small writes of commands (redelivery, retention).
    pub fn open_beside(dir: &Path, day_keys: Arc<dyn DayKeys>) -> Result<Self, StoreError> {
        let path = readers::prepare(dir)?;
        let readers = Readers::open(&path)?;
        Ok(Self::of(dir, readers, day_keys, Writing::beside(path)))
    }

    fn of(dir: &Path, readers: Readers, day_keys: Arc<dyn DayKeys>, writing: Writing) -> Self {
        let (today, claims) = (Today::default(), Claims::default());
        Self { dir: dir.to_owned(), readers, day_keys, today, claims, writing }
    }

    fn day_key(&self, at: Timestamp) -> Result<Arc<DayKey>, LedgerError> {
        self.today.key(&*self.day_keys, at)
    }

    fn found(&self, found: readers::Found) -> Result<FoundCheck, LedgerError> {
        let readers::Found { row, number, sealed, is_reversed } = found;
        let mut subject = None;
        if let Some((hash, sealed)) = number.zip(sealed)
            && let Some(day_key) = existing_day_key(&*self.day_keys, row.at)?
        {
            let opened = day_key.open(row.id, &sealed, hash);
            subject = Some(opened.map_err(|error| LedgerError::Unreadable(error.to_string()))?);
        }
        Ok(FoundCheck { row, number, subject, is_reversed })
    }
}

impl Ledger for SqliteLedger {
    fn record(&self, draft: Draft) -> BoxFuture<'_, Result<Recorded, LedgerError>> {
        Box::pin(async move {
            let day_key = self.day_key(draft.at)?;
            self.writing.record(draft, &day_key)?.await
        })
    }

    fn submit(&self, submission: Submission) -> BoxFuture<'_, Result<Submitted, LedgerError>> {
        Box::pin(self.submit_all(submission))
    }

    fn find(&self, id: CheckId) -> BoxFuture<'_, Result<Option<FoundCheck>, LedgerError>> {
        Box::pin(async move {
            let found = self.readers.run(move |connection| readers::find(connection, id)).await?;
            found.map(|found| self.found(found)).transpose()
        })
    }

    fn usage(&self, from: Timestamp, until: Timestamp) -> BoxFuture<'_, Result<Vec<Usage>, LedgerError>> {
        Box::pin(self.readers.run(move |connection| counters::read(connection, from, until)))
    }

    fn newest(&self) -> BoxFuture<'_, Result<Option<CheckId>, LedgerError>> {
        Box::pin(self.readers.run(readers::newest))
    }

    fn rows(&self, query: RowQuery) -> BoxFuture<'_, Result<Vec<LedgerRow>, LedgerError>> {
        Box::pin(async move { Ok(self.placed(query).await?.into_iter().map(|placed| placed.row).collect()) })
    }

    fn placed(&self, query: RowQuery) -> BoxFuture<'_, Result<Vec<PlacedRow>, LedgerError>> {
        Box::pin(self.readers.run(move |connection| readers::rows(connection, &query)))
    }

    fn ends(&self, after: Option<CheckId>) -> BoxFuture<'_, Result<Vec<WriterEnd>, LedgerError>> {
        Box::pin(self.readers.run(move |connection| readers::ends(connection, after)))
    }

    fn asked(&self, query: AskedQuery) -> BoxFuture<'_, Result<AskedPage, LedgerError>> {
        Box::pin(async move {
            let scanned = self.readers.run(move |connection| asked::scan(connection, &query)).await?;
            let mut opener = DayOpener::new(&*self.day_keys);
            let open = |raw: asked::Raw| opener.asked(raw.row, raw.number, raw.sealed.as_deref());
            let checks = scanned.found.into_iter().map(open).collect::<Result<_, _>>()?;
            Ok(AskedPage { checks, looked_at: scanned.looked_at, after: scanned.after })
        })
    }

    fn chain(&self, after: Option<CheckId>, limit: usize) -> BoxFuture<'_, Result<ChainPage, LedgerError>> {
        Box::pin(self.readers.run(move |connection| readers::chain(connection, after, limit)))
    }

    fn heads(&self) -> BoxFuture<'_, Result<Vec<ChainHead>, LedgerError>> {
        Box::pin(async { read_heads(&self.dir).map_err(LedgerError::Unreadable) })
    }
}
