//! The ledger: every check that reached the registry, durable, linked, never changed, from any node.
//!
//! Owns the tables of checks and of what commits with them, and this node's chain. One task writes for
//! all requests of the node: many checks, one statement, one commit. Must never answer `Ok` before the
//! commit was acknowledged, or before a later one was where the first was in doubt; must never write one
//! id twice, update or delete a row, or keep a number in the clear.
//!
//! Everything a commit changes stands or falls with one row of the table `writer`: the end of this
//! node's chain, under a fence. After a commit in doubt the node takes the row anew with a higher fence.
//! Once that is acknowledged, whatever was sent before is either there, and as durable as the fence, or
//! will never be (decision 0032).

mod answers;
mod arrays;
mod asked;
mod batch;
mod known;
mod outbox;
mod repeats;
mod retention;
mod reversal;
mod rows;
mod session;
mod statement;
mod writer;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::time::Duration;

use jiff::Timestamp;
use laini_core::billing::CheckId;
use laini_core::store::{
    AskedPage, AskedQuery, BoxFuture, ChainHead, ChainKey, ChainPage, CommitObserver, DayKey, DayKeys, Draft,
    FoundCheck, Ledger, LedgerError, LedgerRow, PlacedRow, Recorded, RowQuery, Submission, Submitted, Usage, WriterEnd,
};
use laini_store::ledger::{
    DayOpener, HEADS_FILE, HeadFile, SealedDraft, SealedSubmission, Today, Waiting, WriterLock, existing_day_key,
    read_heads, writer_stopped,
};
use tokio::sync::mpsc::{Sender, UnboundedSender, channel, error::TrySendError, unbounded_channel};
use tokio::sync::oneshot;

use crate::database::{Database, Link};
use crate::error::{DbError, StoreError};
use answers::Claims;
use batch::{Job, Submitting, Work};
use outbox::Leases;
use writer::Writer;

/// A read may take so long before its caller is told that the ledger cannot be read.
const READ_TIMEOUT: Duration = Duration::from_secs(10);
/// So long a closing ledger waits for its last commit.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(20);

/// The limits and rhythms of a node's writer.
#[derive(Debug, Clone)]
pub struct LedgerSettings {
    /// What this node is called; two that run at once never share a name.
    pub node: String,
    /// How many checks may wait for the writer, and the most that one commit holds. Beyond it a
    /// record is refused at once.
    pub queue_limit: usize,
    /// With so many checks waiting the writer commits at once.
    pub enough_for_a_commit: usize,
    /// So long it waits for as many as the commit before had; the grain of a timer is a millisecond. Who
    /// comes alone never waits.
    pub pause: Duration,
    /// For so long a commit is tried and its outcome found out, before callers are told what is known.
    pub patience: Duration,
    /// For so long a connection is waited for while the attempt before has failed, and for so long callers wait
    /// for the next one, which a single check makes: they are refused early until the database is back.
    pub patience_in_trouble: Duration,
    /// How many charged checks the node remembers, so that their repeats cost no second look.
    pub repeats_remembered: usize,
    /// What nothing can repeat any more is removed so often.
    pub purge_every: Duration,
    /// A chain head is written down after so many rows,
    pub head_every_rows: u64,
    /// or after so many seconds from one row to another.
    pub head_every_s: i64,
    /// Who is told of every commit.
    pub observer: Option<Arc<dyn CommitObserver>>,
}

impl LedgerSettings {
    /// The defaults, for the node of this name.
    pub fn new(node: &str) -> Self {
        Self {
            node: node.to_owned(),
            queue_limit: 8_192,
            enough_for_a_commit: 64,
            pause: Duration::from_millis(1),
            patience: Duration::from_millis(3_500),
            patience_in_trouble: Duration::from_millis(200),
            repeats_remembered: 200_000,
            purge_every: Duration::from_mins(1),
            head_every_rows: 1_000_000,
            head_every_s: 60,
            observer: None,
        }
    }
}

/// The ledger as one node has it.
pub struct PostgresLedger {
    database: Arc<Database>,
    dir: PathBuf,
    day_keys: Arc<dyn DayKeys>,
    today: Today,
    claims: Claims,
    leases: Leases,
    writing: Option<Writing>,
    lock: Option<WriterLock>,
}

/// The way to the node's writer.
struct Writing {
    work: Sender<Work>,
    abandoned: UnboundedSender<Vec<CheckId>>,
    closed: Mutex<mpsc::Receiver<()>>,
}

impl PostgresLedger {
    /// Opens the ledger for a node that records checks. Chain heads are written down in `dir`.
    pub fn open(
        database: Arc<Database>,
        dir: &Path,
        key: ChainKey,
        day_keys: Arc<dyn DayKeys>,
        settings: LedgerSettings,
    ) -> Result<Self, StoreError> {
        let file = |source| StoreError::File { file: HEADS_FILE.to_owned(), source };
        let lock = WriterLock::take(dir)?;
        let heads = HeadFile::open(dir).map_err(file)?;
        let (work, receiver) = channel(settings.queue_limit.max(1));
        let (abandoned, to_reverse) = unbounded_channel();
        let (opened, opening) = mpsc::channel();
        let (closing, closed) = mpsc::channel();
        database.spawn(async move |shared| {
            let writer = Writer::open(shared, key, heads, settings).await;
            let writer = match writer {
                Ok(writer) => writer,
                Err(error) => return drop(opened.send(Err(error))),
            };
            if opened.send(Ok(())).is_ok() {
                writer.run(receiver, to_reverse).await;
            }
            let _ = closing.send(());
        });
        let stopped = |_| Err(StoreError::Unreachable("its thread stopped".to_owned()));
        opening.recv().unwrap_or_else(stopped)?;
        let mut ledger = Self::open_beside(database, dir, day_keys);
        ledger.writing = Some(Writing { work, abandoned, closed: Mutex::new(closed) });
        ledger.lock = Some(lock);
        Ok(ledger)
    }

    /// Opens the ledger for a process that records no checks: for reading, and for the small writes of
    /// commands (redelivery, retention).
    pub fn open_beside(database: Arc<Database>, dir: &Path, day_keys: Arc<dyn DayKeys>) -> Self {
        let (today, claims) = (Today::default(), Claims::default());
        Self {
            database,
            dir: dir.to_owned(),
            day_keys,
            today,
            claims,
            leases: Leases::default(),
            writing: None,
            lock: None,
        }
    }

    fn day_key(&self, at: Timestamp) -> Result<Arc<DayKey>, LedgerError> {
        self.today.key(&*self.day_keys, at)
    }

    fn writing(&self) -> Result<&Writing, LedgerError> {
        let beside = || LedgerError::NotRecorded("this process does not record checks".to_owned());
        self.writing.as_ref().ok_or_else(beside)
    }

    async fn read<T: Send + 'static>(
        &self,
        read: impl AsyncFnOnce(&Link) -> Result<T, DbError> + Send + 'static,
    ) -> Result<T, LedgerError> {
        let found = self.database.run(READ_TIMEOUT, read).await;
        found.map_err(|error| LedgerError::Unreadable(error.to_string()))
    }

    async fn submit_all(&self, submission: Submission) -> Result<Submitted, LedgerError> {
        let writing = self.writing()?;
        let submission = SealedSubmission::new(submission, |at| self.day_key(at))?;
        let unheard = submission.unheard();
        let (sender, answered) = oneshot::channel();
        writing.push(Work::Submission(Submitting { submission, sender }))?;
        let written = Waiting::new(answered, unheard, |ids: &[CheckId]| writing.take_back(ids)).answer().await?;
        written.open(&*self.day_keys)
    }

    async fn record_one(&self, draft: Draft) -> Result<Recorded, LedgerError> {
        let writing = self.writing()?;
        let id = draft.id;
        let day_key = self.day_key(draft.at)?;
        let check = SealedDraft::new(draft, &day_key);
        let (answer, answered) = oneshot::channel();
        writing.push(Work::Check(Job { check, answer }))?;
        Waiting::new(answered, [id], |ids: &[CheckId]| writing.take_back(ids)).answer().await
    }
}

impl Writing {
    /// Hands work to the writer, or says at once why not.
    fn push(&self, work: Work) -> Result<(), LedgerError> {
        self.work.try_send(work).map_err(|refused| match refused {
            TrySendError::Full(_) => LedgerError::Busy,
            TrySendError::Closed(_) => writer_stopped(),
        })
    }

    /// Has the charges of these checks taken back.
    fn take_back(&self, ids: &[CheckId]) {
        // A writer that is gone has told everybody that their charges are unknown.
        let _ = self.abandoned.send(ids.to_vec());
    }
}

impl Drop for PostgresLedger {
    /// Lets the writer write what was accepted, and the chain's head, and waits for it.
    fn drop(&mut self) {
        if let Some(Writing { work, abandoned, closed }) = self.writing.take() {
            drop((work, abandoned));
            let closed = closed.into_inner().unwrap_or_else(PoisonError::into_inner);
            let _ = closed.recv_timeout(CLOSE_TIMEOUT);
        }
    }
}

impl Ledger for PostgresLedger {
    fn record(&self, draft: Draft) -> BoxFuture<'_, Result<Recorded, LedgerError>> {
        Box::pin(self.record_one(draft))
    }

    fn submit(&self, submission: Submission) -> BoxFuture<'_, Result<Submitted, LedgerError>> {
        Box::pin(self.submit_all(submission))
    }

    fn find(&self, id: CheckId) -> BoxFuture<'_, Result<Option<FoundCheck>, LedgerError>> {
        Box::pin(async move {
            let found = self.read(async move |link: &Link| rows::find(link, id).await).await?;
            let Some(rows::Found { row, number, sealed, is_reversed }) = found else { return Ok(None) };
            let mut subject = None;
            if let Some((hash, sealed)) = number.zip(sealed)
                && let Some(day_key) = existing_day_key(&*self.day_keys, row.at)?
            {
                let opened = day_key.open(row.id, &sealed, hash);
                subject = Some(opened.map_err(|error| LedgerError::Unreadable(error.to_string()))?);
            }
            Ok(Some(FoundCheck { row, number, subject, is_reversed }))
        })
    }

    fn usage(&self, from: Timestamp, until: Timestamp) -> BoxFuture<'_, Result<Vec<Usage>, LedgerError>> {
        Box::pin(self.read(async move |link: &Link| rows::usage(link, from, until).await))
    }

    fn newest(&self) -> BoxFuture<'_, Result<Option<CheckId>, LedgerError>> {
        Box::pin(self.read(async |link: &Link| rows::newest(link).await))
    }

    fn rows(&self, query: RowQuery) -> BoxFuture<'_, Result<Vec<LedgerRow>, LedgerError>> {
        Box::pin(async move { Ok(self.placed(query).await?.into_iter().map(|placed| placed.row).collect()) })
    }

    fn placed(&self, query: RowQuery) -> BoxFuture<'_, Result<Vec<PlacedRow>, LedgerError>> {
        Box::pin(self.read(async move |link: &Link| rows::rows(link, &query).await))
    }

    fn ends(&self, _: Option<CheckId>) -> BoxFuture<'_, Result<Vec<WriterEnd>, LedgerError>> {
        Box::pin(self.read(async |link: &Link| rows::ends(link).await))
    }

    fn asked(&self, query: AskedQuery) -> BoxFuture<'_, Result<AskedPage, LedgerError>> {
        Box::pin(async move {
            let scanned = self.read(async move |link: &Link| asked::scan(link, &query).await).await?;
            let mut opener = DayOpener::new(&*self.day_keys);
            let open = |raw: asked::Raw| opener.asked(raw.row, raw.number, raw.sealed.as_deref());
            let checks = scanned.found.into_iter().map(open).collect::<Result<_, _>>()?;
            Ok(AskedPage { checks, looked_at: scanned.looked_at, after: scanned.after })
        })
    }

    fn chain(&self, after: Option<CheckId>, limit: usize) -> BoxFuture<'_, Result<ChainPage, LedgerError>> {
        Box::pin(self.read(async move |link: &Link| rows::chain(link, after, limit).await))
    }

    fn heads(&self) -> BoxFuture<'_, Result<Vec<ChainHead>, LedgerError>> {
        Box::pin(async { read_heads(&self.dir).map_err(LedgerError::Unreadable) })
    }
}
