//! The one thread that writes: group commit, and what to do when a commit fails.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use laini_core::billing::{CheckId, Outcome};
use laini_core::store::{ChainHead, ChainKey, LedgerError, RepeatMemory};
use laini_store::ledger::{HEADS_FILE, HeadFile, WriterLock, reconcile};
use rusqlite::Connection;

use super::LedgerSettings;
use super::append::{Failure, Learned, Rules, Stage, Tip, append, reversible};
use super::queue::{Batch, Gather, Queue};
use super::restore::{load_tip, open_connection, recall_repeats, settle};
use crate::sql::{StoreError, failed, file_failed};

/// After so long a failed reversal is tried again where no other work comes first.
const REVERSE_AGAIN_AFTER: Duration = Duration::from_secs(1);

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
    repeats: RepeatMemory,
    learned: Learned,
    /// Checks that may have been charged without their callers having learned of it. They are known
    /// to this process alone: after a crash each stays charged, and its repeats are free.
    to_reverse: Vec<CheckId>,
    /// Whether the newest transaction failed.
    has_failed: bool,
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
        let tip = load_tip(&connection, settings.writer).map_err(failed(&path))?;
        let mut repeats = RepeatMemory::new(settings.repeats_remembered);
        recall_repeats(&connection, &mut repeats).map_err(failed(&path))?;
        let mut heads = HeadFile::open(dir).map_err(file_failed(&dir.join(HEADS_FILE)))?;
        let head = ChainHead { at: tip.newest_at, writer: settings.writer, seq: tip.seq, mac: tip.mac };
        reconcile(&mut heads, head).map_err(file_failed(&dir.join(HEADS_FILE)))?;
        Ok(Self {
            path,
            settings,
            key,
            queue,
            connection: Some(connection),
            unsettled: false,
            tip,
            repeats,
            learned: Learned::default(),
            to_reverse: Vec::new(),
            has_failed: false,
            heads,
            head,
            wal_pages: 0,
            _lock: lock,
        })
    }

    /// Writes until the queue is closed and empty.
    pub(super) fn run(mut self) {
        let _abandon = Abandon(Arc::clone(&self.queue));
        let mut batch = Batch::default();
        let mut batch_before = 0;
        while self.queue.take(&mut batch, self.gather(batch_before), self.patience()) {
            batch_before = batch.len();
            self.write(&mut batch);
            self.write_head_when_due();
            self.checkpoint_when_due();
        }
        self.write(&mut batch);
        self.close();
    }

    /// How long to wait for work: not at all while there is something to reverse, unless that just failed.
    fn patience(&self) -> Option<Duration> {
        let pause = if self.has_failed { REVERSE_AGAIN_AFTER } else { Duration::ZERO };
        (!self.to_reverse.is_empty()).then_some(pause)
    }

    /// Whether to wait for company: not where checks come one by one, for nobody would come.
    fn gather(&self, batch_before: usize) -> Option<Gather> {
        (batch_before > 1).then_some(Gather {
            enough: self.settings.enough_for_a_commit,
            step: Duration::from_micros(self.settings.step_us),
            pause: Duration::from_micros(self.settings.pause_us),
        })
    }

    /// Writes a batch and what is to be reversed, and tells everyone in it.
    fn write(&mut self, batch: &mut Batch) {
        self.to_reverse.append(&mut batch.abandoned);
        if batch.is_empty() && self.to_reverse.is_empty() {
            return;
        }
        batch.jobs.sort_unstable_by_key(|job| job.check.draft.id);
        let mut was_in_doubt = false;
        let result = self.attempt(batch).or_else(|first| {
            tracing::warn!(waiting = batch.len(), reason = first.reason, "a ledger commit failed; trying once more");
            was_in_doubt = first.stage == Stage::Committing;
            self.attempt(batch).map_err(|second| verdict(&first, second))
        });
        self.has_failed = result.is_err();
        match result {
            Ok(()) => self.tell(batch, was_in_doubt),
            Err(error) => {
                tracing::error!(waiting = batch.len(), %error, "nothing was written to the ledger");
                self.tell_failure(batch, &error);
            }
        }
    }

    /// Everything is durable. A caller that stopped waiting meanwhile was told that its charge is
    /// unknown, so it is taken back.
    fn tell(&mut self, batch: &mut Batch, was_in_doubt: bool) {
        self.repeats.keep(&mut self.learned.noted);
        self.to_reverse.clear();
        for (job, answer) in batch.jobs.drain(..).zip(self.learned.answers.drain(..)) {
            let is_charged = answer.as_ref().is_ok_and(|recorded| recorded.outcome == Outcome::Answered);
            // Where the first attempt was in doubt, it can be the one that wrote the row.
            if job.answer.send(answer).is_err() && (is_charged || was_in_doubt) {
                self.to_reverse.push(job.check.draft.id);
            }
        }
        for chore in batch.chores.drain(..) {
            self.to_reverse.extend(chore.done(Ok(())));
        }
    }

    fn tell_failure(&mut self, batch: &mut Batch, error: &LedgerError) {
        let is_undecided = matches!(error, LedgerError::Unknown(_));
        for job in batch.jobs.drain(..) {
            if is_undecided {
                self.to_reverse.push(job.check.draft.id);
            }
            let _ = job.answer.send(Err(error.clone()));
        }
        for chore in batch.chores.drain(..) {
            let charged = chore.done(Err(error.clone()));
            self.to_reverse.extend(charged.into_iter().filter(|_| is_undecided));
        }
    }

    fn attempt(&mut self, batch: &mut Batch) -> Result<(), Failure> {
        self.learned.clear();
        let connection = match self.connection.take() {
            Some(connection) => connection,
            None => self.reopen().map_err(Stage::Opening.failed())?,
        };
        let began = self.settings.observer.is_some().then(Instant::now);
        let rules = Rules { key: &self.key, writer: self.settings.writer, repeats: &self.repeats };
        match append(&connection, &rules, self.tip, (&self.to_reverse, batch), &mut self.learned) {
            Ok(tip) => {
                self.connection = Some(connection);
                let rows = usize::try_from(tip.seq - self.tip.seq).unwrap_or(usize::MAX);
                self.tip = tip;
                self.wal_pages += pages(batch.len());
                if let (Some(observer), Some(began)) = (&self.settings.observer, began)
                    && rows > 0
                {
                    observer.committed(rows, began.elapsed());
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
            self.forget_unwritten(&connection).map_err(failed(&self.path))?;
            self.unsettled = false;
        }
        self.tip = load_tip(&connection, self.settings.writer).map_err(failed(&self.path))?;
        Ok(connection)
    }

    /// Of what is to be reversed keeps what is there: nothing else will turn up any more.
    fn forget_unwritten(&mut self, connection: &Connection) -> rusqlite::Result<()> {
        let mut kept = Vec::new();
        for id in &self.to_reverse {
            if reversible(connection, *id)?.is_some() {
                kept.push(*id);
            }
        }
        self.to_reverse = kept;
        Ok(())
    }

    fn write_head_when_due(&mut self) {
        let rows = self.tip.seq.saturating_sub(self.head.seq);
        let seconds = self.tip.newest_at.duration_since(self.head.at).as_secs();
        if rows >= self.settings.head_every_rows || (rows > 0 && seconds >= self.settings.head_every_s) {
            self.write_head();
        }
    }

    fn write_head(&mut self) {
        let Tip { seq, mac, newest_at, .. } = self.tip;
        let head = ChainHead { at: newest_at, writer: self.settings.writer, seq, mac };
        match self.heads.append(&head) {
            Ok(()) => self.head = head,
            Err(error) => tracing::warn!(%error, "{} cannot be written; the next head will be tried", HEADS_FILE),
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

/// What two failed attempts mean for the callers. Once a commit was in doubt, no later failure proves
/// that it is not in the file.
fn verdict(first: &Failure, second: Failure) -> LedgerError {
    let undecided = [first.stage, second.stage].contains(&Stage::Committing);
    if undecided { LedgerError::Unknown(second.reason) } else { LedgerError::NotRecorded(second.reason) }
}

/// About how many pages a transaction of so many rows adds to the WAL: the last leaf of each table
/// and now and then a parent, and a page for every dozen rows.
fn pages(rows: usize) -> usize {
    3 + rows / 12
}
