//! The one thread that writes: group commit, and what to do when a commit fails.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use laini_core::store::{ChainHead, ChainKey, LedgerError, RepeatBatch, RepeatMemory};
use rusqlite::Connection;

use super::LedgerSettings;
use super::append::{Answers, Failure, Rules, Stage, Tip, append};
use super::heads::{self, HeadFile};
use super::lock::WriterLock;
use super::queue::{Gather, Job, Queue};
use super::restore::{load_tip, open_connection, recall_repeats, settle};
use crate::sql::{StoreError, failed};

pub(super) struct Writer {
    path: PathBuf,
    settings: LedgerSettings,
    key: ChainKey,
    queue: Arc<Queue>,
    /// `None` after a failure: the next attempt opens a new one.
    connection: Option<Connection>,
    /// A commit may or may not be in the file; nothing is written before that is known.
    unsettled: bool,
    tip: Tip,
    /// The instant of the newest row: the ledger's only clock.
    newest_at: Timestamp,
    repeats: RepeatMemory,
    noted: RepeatBatch,
    answers: Answers,
    heads: HeadFile,
    head: ChainHead,
    wal_pages: usize,
    _lock: WriterLock,
}

/// Sees to it that nobody waits for a writer that is gone, even if it panicked.
struct Abandon(Arc<Queue>);

impl Drop for Abandon {
    fn drop(&mut self) {
        self.0.abandon();
    }
}

impl Writer {
    /// Opens the ledger of `dir` for its only writer.
    pub(super) fn open(
        dir: &Path,
        key: ChainKey,
        queue: Arc<Queue>,
        settings: LedgerSettings,
    ) -> Result<Self, StoreError> {
        let lock = WriterLock::take(dir)?;
        let path = dir.join("ledger.db");
        let connection = open_connection(&path)?;
        // What a crash left in the WAL must be durable before anything is built on it.
        settle(&connection).map_err(failed(&path))?;
        let (tip, newest_at) = load_tip(&connection, settings.writer).map_err(failed(&path))?;
        let newest_at = newest_at.unwrap_or(Timestamp::UNIX_EPOCH);
        let mut repeats = RepeatMemory::new(settings.repeats_remembered);
        recall_repeats(&connection, &mut repeats).map_err(failed(&path))?;
        let mut heads = HeadFile::open(dir)?;
        let head = ChainHead { at: newest_at, writer: settings.writer, seq: tip.seq, mac: tip.mac };
        heads::reconcile(dir, &mut heads, head)?;
        Ok(Self {
            path,
            settings,
            key,
            queue,
            connection: Some(connection),
            unsettled: false,
            tip,
            newest_at,
            repeats,
            noted: RepeatBatch::default(),
            answers: Answers::new(),
            heads,
            head,
            wal_pages: 0,
            _lock: lock,
        })
    }

    /// Writes until the queue is closed and empty.
    pub(super) fn run(mut self) {
        let _abandon = Abandon(Arc::clone(&self.queue));
        let mut batch = Vec::new();
        let mut batch_before = 0;
        while self.queue.take(&mut batch, self.gather(batch_before)) {
            batch_before = batch.len();
            self.record(&mut batch);
            self.write_head_when_due();
            self.checkpoint_when_due();
        }
        self.close();
    }

    /// Whether to wait for company: not where checks come one by one, for nobody would come.
    fn gather(&self, batch_before: usize) -> Option<Gather> {
        (batch_before > 1).then_some(Gather {
            enough: self.settings.enough_for_a_commit,
            step: Duration::from_micros(self.settings.step_us),
            pause: Duration::from_micros(self.settings.pause_us),
        })
    }

    /// Writes a batch and answers everyone in it.
    fn record(&mut self, batch: &mut Vec<Job>) {
        batch.sort_unstable_by_key(|job| job.draft.id);
        let result = self.attempt(batch).or_else(|first| {
            tracing::warn!(checks = batch.len(), reason = first.reason, "a ledger commit failed; trying once more");
            self.attempt(batch).map_err(|second| verdict(&first, second))
        });
        match result {
            Ok(()) => {
                self.repeats.keep(&mut self.noted);
                for (job, answer) in batch.drain(..).zip(self.answers.drain(..)) {
                    // A caller that gave up since its row was written has the row all the same.
                    let _ = job.answer.send(answer);
                }
            }
            Err(error) => {
                tracing::error!(checks = batch.len(), %error, "checks were not recorded");
                for job in batch.drain(..) {
                    let _ = job.answer.send(Err(error.clone()));
                }
            }
        }
    }

    fn attempt(&mut self, batch: &[Job]) -> Result<(), Failure> {
        self.noted.clear();
        self.answers.clear();
        let connection = match self.connection.take() {
            Some(connection) => connection,
            None => self.reopen().map_err(Stage::Opening.failed())?,
        };
        let began = self.settings.observer.is_some().then(Instant::now);
        let rules = Rules { key: &self.key, writer: self.settings.writer, repeats: &self.repeats };
        match append(&connection, &rules, self.tip, batch, (&mut self.noted, &mut self.answers)) {
            Ok(tip) => {
                self.connection = Some(connection);
                self.tip = tip;
                let written = batch.iter().zip(&self.answers).filter(|(_, answer)| answer.is_ok());
                self.newest_at = written.map(|(job, _)| job.draft.at).fold(self.newest_at, Timestamp::max);
                self.wal_pages += pages(batch.len());
                if let (Some(observer), Some(began)) = (&self.settings.observer, began) {
                    observer.committed(batch.len(), began.elapsed());
                }
                Ok(())
            }
            // The connection goes, with whatever it believes: a new one reads the file itself.
            Err(failure) => {
                self.unsettled |= failure.stage == Stage::Committing;
                Err(failure)
            }
        }
    }

    fn reopen(&mut self) -> Result<Connection, StoreError> {
        let connection = open_connection(&self.path)?;
        if self.unsettled {
            settle(&connection).map_err(failed(&self.path))?;
            // Rows of the commit in doubt are there or not; the memory must say the same.
            self.repeats = RepeatMemory::new(self.settings.repeats_remembered);
            recall_repeats(&connection, &mut self.repeats).map_err(failed(&self.path))?;
            self.unsettled = false;
        }
        self.tip = load_tip(&connection, self.settings.writer).map_err(failed(&self.path))?.0;
        Ok(connection)
    }

    fn write_head_when_due(&mut self) {
        let rows = self.tip.seq.saturating_sub(self.head.seq);
        let seconds = self.newest_at.duration_since(self.head.at).as_secs();
        if rows >= self.settings.head_every_rows || (rows > 0 && seconds >= self.settings.head_every_s) {
            self.write_head();
        }
    }

    fn write_head(&mut self) {
        let Tip { seq, mac } = self.tip;
        let head = ChainHead { at: self.newest_at, writer: self.settings.writer, seq, mac };
        match self.heads.append(&head) {
            Ok(()) => self.head = head,
            Err(error) => tracing::warn!(%error, "{} cannot be written; the next head will be tried", heads::FILE),
        }
    }

    /// Copies the WAL into the database between two batches, after the answers have left.
    fn checkpoint_when_due(&mut self) {
        let Some(connection) = self.connection.as_ref().filter(|_| self.wal_pages >= self.settings.checkpoint_pages)
        else {
            return;
        };
        self.wal_pages = 0;
        if let Err(error) = connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(())) {
            tracing::warn!(%error, "the ledger's WAL cannot be checkpointed; it grows until it can");
        }
    }

    fn close(&mut self) {
        if self.tip.seq != self.head.seq {
            self.write_head();
        }
        if let Some(Err(error)) = self.connection.as_ref().map(settle) {
            tracing::warn!(%error, "the ledger's WAL stays; the next start reads it");
        }
        let (writer, seq, mac) = (self.settings.writer, self.tip.seq, self.tip.mac.hex());
        tracing::info!(writer, seq, mac, "ledger closed; its chain ends here");
    }
}

/// What two failed attempts mean for the callers.
fn verdict(first: &Failure, second: Failure) -> LedgerError {
    let undecided = match second.stage {
        Stage::Opening => first.stage == Stage::Committing,
        // That it came to writing means that the first one was settled: it is not in the file.
        Stage::Writing => false,
        Stage::Committing => true,
    };
    if undecided { LedgerError::Unknown(second.reason) } else { LedgerError::NotRecorded(second.reason) }
}

/// About how many pages a transaction of so many rows adds to the WAL: the last leaf of each table
/// and now and then a parent, and a page for every dozen rows.
fn pages(rows: usize) -> usize {
    3 + rows / 12
}
