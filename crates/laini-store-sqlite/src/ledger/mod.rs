//! The ledger: every check that reached the registry, durable, linked, never changed.
//!
//! Owns `ledger.db`, `ledger.lock` and `ledger-heads.ndjson`; one thread writes, many requests share
//! one fsync. Must never answer `Ok` before the row would survive a power cut, write one id twice,
//! update or delete a row, or keep a number in the clear.
//!
//! A caller that gives up (its deadline passed while the disk stood still) was told that the charge is
//! unknown. Its check is then not written at all, unless it gave up during the very commit: that row
//! stays, charged, and a repeat under the same request id is free.
//!
//! `ledger-heads.ndjson` says where the chain ended from time to time. It proves that the tail was not
//! cut only to somebody who has a copy elsewhere: copy it off this machine, daily or more often.

mod append;
mod heads;
mod lock;
mod queue;
mod readers;
mod restore;
mod schema;
mod writer;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use laini_core::billing::CheckId;
use laini_core::store::{
    BoxFuture, ChainHead, ChainKey, ChainPage, CommitObserver, DayKey, DayKeys, Draft, Ledger, LedgerError, LedgerRow,
    Recorded, RowQuery,
};
use tokio::sync::oneshot;

use crate::sql::{StoreError, file_failed};
use queue::{Job, Queue};
use readers::Readers;
use writer::Writer;

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
    /// `None` in a process that only reads.
    writing: Option<Writing>,
}

struct Writing {
    queue: Arc<Queue>,
    day_keys: Arc<dyn DayKeys>,
    /// The day (since 1970) whose key was used last, and the key.
    today: Mutex<Option<(i64, Arc<DayKey>)>>,
    thread: Option<JoinHandle<()>>,
}

impl SqliteLedger {
    /// Opens (and makes) the ledger for the one process that writes in `dir`.
    pub fn open(
        dir: &Path,
        key: ChainKey,
        day_keys: Arc<dyn DayKeys>,
        settings: LedgerSettings,
    ) -> Result<Self, StoreError> {
        let queue = Arc::new(Queue::new(settings.queue_limit));
        let writer = Writer::open(dir, key, Arc::clone(&queue), settings)?;
        let readers = Readers::open(&dir.join("ledger.db"))?;
        let thread = std::thread::Builder::new().name("laini-ledger".to_owned());
        let thread = thread.spawn(move || writer.run()).map_err(file_failed(&dir.join("ledger.db")))?;
        let writing = Writing { queue, day_keys, today: Mutex::new(None), thread: Some(thread) };
        Ok(Self { dir: dir.to_owned(), readers, writing: Some(writing) })
    }

    /// Opens the ledger for reading, beside a process that writes or without one.
    pub fn open_reader(dir: &Path) -> Result<Self, StoreError> {
        let readers = Readers::open(&readers::prepare(dir)?)?;
        Ok(Self { dir: dir.to_owned(), readers, writing: None })
    }
}

impl Writing {
    fn enqueue(&self, draft: Draft) -> Result<oneshot::Receiver<Result<Recorded, LedgerError>>, LedgerError> {
        // Sealed here, on the caller's thread: the writer is one for all.
        let key = self.day_key(draft.at)?;
        let sealed = key.seal(draft.id, &draft.subject);
        let side_digest = DayKey::digest(draft.subject.hash, draft.repeat.0, &sealed);
        let (answer, answered) = oneshot::channel();
        self.queue.push(Job { draft, sealed, side_digest, answer })?;
        Ok(answered)
    }

    fn day_key(&self, at: Timestamp) -> Result<Arc<DayKey>, LedgerError> {
        const DAY_S: i64 = 86_400;
        let day = at.as_second().div_euclid(DAY_S);
        let mut today = self.today.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((known, key)) = &*today
            && *known == day
        {
            return Ok(Arc::clone(key));
        }
        let date = at.to_zoned(TimeZone::UTC).date();
        let key = self.day_keys.key(date).map_err(|error| LedgerError::NotRecorded(error.to_string()))?;
        let key = Arc::new(key);
        *today = Some((day, Arc::clone(&key)));
        Ok(key)
    }
}

impl Ledger for SqliteLedger {
    fn record(&self, draft: Draft) -> BoxFuture<'_, Result<Recorded, LedgerError>> {
        Box::pin(async move {
            let Some(writing) = &self.writing else {
                return Err(LedgerError::NotRecorded("it was opened for reading only".to_owned()));
            };
            let answered = writing.enqueue(draft)?;
            let gone = || LedgerError::Unknown("its writer stopped; restart the server".to_owned());
            answered.await.unwrap_or_else(|_| Err(gone()))
        })
    }

    fn newest(&self) -> BoxFuture<'_, Result<Option<CheckId>, LedgerError>> {
        Box::pin(self.readers.run(readers::newest))
    }

    fn rows(&self, query: RowQuery) -> BoxFuture<'_, Result<Vec<LedgerRow>, LedgerError>> {
        Box::pin(self.readers.run(move |connection| readers::rows(connection, &query)))
    }

    fn chain(&self, after: Option<CheckId>, limit: usize) -> BoxFuture<'_, Result<ChainPage, LedgerError>> {
        Box::pin(self.readers.run(move |connection| readers::chain(connection, after, limit)))
    }

    fn heads(&self) -> BoxFuture<'_, Result<Vec<ChainHead>, LedgerError>> {
        Box::pin(async { heads::read(&self.dir).map_err(LedgerError::Unreadable) })
    }
}

impl Drop for SqliteLedger {
    /// Writes what was accepted, the chain's head and the checkpoint, and waits for it.
    fn drop(&mut self) {
        let Some(writing) = &mut self.writing else { return };
        writing.queue.close();
        if let Some(thread) = writing.thread.take() {
            let _ = thread.join();
        }
    }
}
