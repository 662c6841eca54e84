//! How this process writes: by the writer's thread where it records checks, else in small transactions
//! of its own beside the process that does.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use laini_core::billing::CheckId;
use laini_core::store::{ChainKey, DayKey, Draft, LedgerError, Recorded, Submission, Submitted};
use rusqlite::{Connection, TransactionBehavior};
use tokio::sync::oneshot;

use super::chore::Task;
use super::queue::{Job, Queue};
use laini_store::ledger::{SealedDraft, SealedSubmission, Waiting, writer_stopped};

use super::schema::MIGRATIONS;
use super::submit::Submitting;
use super::writer::Writer;
use super::{LedgerSettings, SqliteLedger};
use crate::sql::{self, StoreError, file_failed};

pub(super) enum Writing {
    /// This process records checks.
    Thread(WriterThread),
    /// Another one does, or none.
    Beside(Arc<Beside>),
}

/// The writer's thread and the way to it.
pub(super) struct WriterThread {
    queue: Arc<Queue>,
    thread: Option<JoinHandle<()>>,
}

/// A connection for small writes; made by the first of them.
pub(super) struct Beside {
    path: PathBuf,
    connection: Mutex<Option<Connection>>,
}

impl Writing {
    pub(super) fn start(dir: &Path, key: ChainKey, settings: LedgerSettings) -> Result<Self, StoreError> {
        let queue = Arc::new(Queue::new(settings.queue_limit));
        let writer = Writer::open(dir, key, Arc::clone(&queue), settings)?;
        let thread = std::thread::Builder::new().name("laini-ledger".to_owned());
        let thread = thread.spawn(move || writer.run()).map_err(file_failed(&dir.join("ledger.db")))?;
        Ok(Self::Thread(WriterThread { queue, thread: Some(thread) }))
    }

    pub(super) fn beside(path: PathBuf) -> Self {
        Self::Beside(Arc::new(Beside { path, connection: Mutex::default() }))
    }

    fn queue(&self) -> Result<&Queue, LedgerError> {
        match self {
            Self::Thread(thread) => Ok(&thread.queue),
            Self::Beside(_) => Err(LedgerError::NotRecorded("this process does not record checks".to_owned())),
        }
    }

    /// Hands a check to the writer; what comes back waits for it.
    pub(super) fn record(
        &self,
        draft: Draft,
        day_key: &DayKey,
    ) -> Result<impl Future<Output = Result<Recorded, LedgerError>>, LedgerError> {
        let queue = self.queue()?;
        let id = draft.id;
        let check = SealedDraft::new(draft, day_key);
        let (answer, answered) = oneshot::channel();
        queue.push(Job { check, answer })?;
        Ok(Waiting::new(answered, [id], |ids: &[CheckId]| queue.abandoned(ids)).answer())
    }
}

impl SqliteLedger {
    pub(super) async fn submit_all(&self, submission: Submission) -> Result<Submitted, LedgerError> {
        let queue = self.writing.queue()?;
        let submission = SealedSubmission::new(submission, |at| self.day_key(at))?;
        let unheard = submission.unheard();
        let (sender, answered) = oneshot::channel();
        queue.push_chore(Box::new(Submitting { submission, result: None, sender }))?;
        let written = Waiting::new(answered, unheard, |ids: &[CheckId]| queue.abandoned(ids)).answer().await?;
        written.open(&*self.day_keys)
    }

    /// Has `work` done in a transaction, also where another process records checks. It may be called
    /// twice, where the first commit failed or was in doubt.
    pub(super) async fn perform<T: Send + 'static>(
        &self,
        work: impl FnMut(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, LedgerError> {
        let beside = match &self.writing {
            Writing::Thread(thread) => {
                let (task, answered) = Task::new(work);
                thread.queue.push_chore(Box::new(task))?;
                return answered.await.unwrap_or_else(|_| Err(writer_stopped()));
            }
            Writing::Beside(beside) => Arc::clone(beside),
        };
        match tokio::runtime::Handle::try_current() {
            Ok(runtime) => runtime
                .spawn_blocking(move || beside.perform(work))
                .await
                .unwrap_or_else(|error| Err(LedgerError::Unknown(error.to_string()))),
            Err(_) => beside.perform(work),
        }
    }
}

impl Beside {
    /// One transaction; it waits a bounded time for the process that records checks, and that for it.
    fn perform<T>(&self, mut work: impl FnMut(&Connection) -> rusqlite::Result<T>) -> Result<T, LedgerError> {
        let not_written = |error: rusqlite::Error| LedgerError::NotRecorded(format!("ledger.db: {error}"));
        let mut kept = self.connection.lock().unwrap_or_else(PoisonError::into_inner);
        // A connection that failed is not kept: the next write starts afresh.
        let mut connection = match kept.take() {
            Some(connection) => connection,
            None => {
                sql::open_writer(&self.path, MIGRATIONS).map_err(|error| LedgerError::NotRecorded(error.to_string()))?
            }
        };
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(not_written)?;
        let done = work(&transaction).map_err(not_written)?;
        transaction.commit().map_err(|error| LedgerError::Unknown(format!("ledger.db: {error}")))?;
        *kept = Some(connection);
        Ok(done)
    }
}

impl Drop for WriterThread {
    /// Writes what was accepted, the chain's head and the checkpoint, and waits for it.
    fn drop(&mut self) {
        self.queue.close();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
