//! The node's one writer: group commit, and what to do when a commit fails.

use std::pin::pin;
use std::rc::Rc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use laini_core::billing::{CheckId, Outcome};
use laini_core::store::{ChainHead, ChainKey, LedgerError, RepeatWindow};
use laini_store::ledger::{HEADS_FILE, HeadFile, reconcile};
use tokio::sync::mpsc::{Receiver, UnboundedReceiver};
use tokio::task::{JoinHandle, spawn_local};
use tokio::time::{Instant, sleep, timeout, timeout_at};

use super::LedgerSettings;
use super::batch::{Batch, Decided, Submitting, Work, decide};
use super::known::{Known, examine};
use super::repeats::Repeats;
use super::reversal::{Reversing, reverse};
use super::session::{Failure, Holder, Session, Slot, Tip, pause};
use crate::database::{LOCK_TIMEOUT, Link, Shared, Transaction, params};
use crate::error::{DbError, StoreError};

/// After so long a failed reversal is tried again where no other work comes first.
const REVERSE_AGAIN_AFTER: Duration = Duration::from_secs(1);
/// The first pause before an attempt that failed is repeated; it doubles each time.
const FIRST_PAUSE: Duration = Duration::from_millis(1);
/// Removing it may take so long.
const PURGE_TIMEOUT: Duration = Duration::from_secs(30);
/// So long opening waits for the database.
const OPEN_TIMEOUT: Duration = Duration::from_secs(10);

pub(super) struct Writer {
    shared: Rc<Shared>,
    settings: LedgerSettings,
    key: ChainKey,
    holder: Holder,
    /// `None` after a failure: the next attempt opens a new one.
    session: Option<Session>,
    /// The next connection in the making. It is made to the end, however soon those who wait for it give up.
    opening: Option<JoinHandle<Result<Session, Failure>>>,
    repeats: Repeats,
    /// Checks that may have been charged without their callers having learned of it. They are known to
    /// this process alone: after a crash each stays charged, and its repeats are free.
    to_reverse: Vec<CheckId>,
    /// Whether the newest attempt failed.
    is_in_trouble: bool,
    heads: HeadFile,
    /// Where the chain ended when it was last written down.
    head: ChainHead,
    /// Where it ends.
    tip: Tip,
    purged: Instant,
}

impl Writer {
    /// Takes the node's place in the table of writers.
    pub(super) async fn open(
        shared: Rc<Shared>,
        key: ChainKey,
        mut heads: HeadFile,
        settings: LedgerSettings,
    ) -> Result<Self, StoreError> {
        let process = (0..16).map(|_| fastrand::u8(..)).collect();
        let mut holder = Holder { node: settings.node.clone(), process, writer: None };
        let session = Session::open(&shared, &holder, Instant::now() + OPEN_TIMEOUT).await;
        let session = session.map_err(|failure| StoreError::Unreachable(failure.reason()))?;
        let Slot { writer, tip, .. } = session.slot;
        holder.writer = Some(writer);
        let head = ChainHead { at: tip.newest_at, writer: writer.cast_unsigned(), seq: tip.seq, mac: tip.mac };
        let file = |source| StoreError::File { file: HEADS_FILE.to_owned(), source };
        reconcile(&mut heads, head).map_err(file)?;
        let repeats = Repeats::new(settings.repeats_remembered);
        Ok(Self {
            shared,
            settings,
            key,
            holder,
            session: Some(session),
            opening: None,
            repeats,
            to_reverse: Vec::new(),
            is_in_trouble: false,
            heads,
            head,
            tip,
            purged: Instant::now(),
        })
    }

    /// Writes until nobody can hand in any more.
    pub(super) async fn run(mut self, mut work: Receiver<Work>, mut abandoned: UnboundedReceiver<Vec<CheckId>>) {
        let (mut waiting, mut before) = (Vec::new(), 0);
        loop {
            // In trouble a single one finds out whether it is over.
            let limit = if self.is_in_trouble { 1 } else { self.settings.queue_limit };
            tokio::select! {
                biased;
                taken = work.recv_many(&mut waiting, limit) => if taken == 0 { break },
                Some(ids) = abandoned.recv() => self.to_reverse.extend(ids),
                () = sleep(REVERSE_AGAIN_AFTER), if !self.to_reverse.is_empty() => {}
            }
            if before > 1 && !waiting.is_empty() && !self.is_in_trouble {
                self.gather(&mut work, &mut waiting, before).await;
            }
            while let Ok(ids) = abandoned.try_recv() {
                self.to_reverse.extend(ids);
            }
            before = waiting.len();
            if self.is_in_trouble {
                let patience = self.settings.patience_in_trouble;
                refuse_meanwhile(self.turn(&mut waiting), &mut work, patience).await;
            } else {
                self.turn(&mut waiting).await;
            }
        }
        while let Ok(ids) = abandoned.try_recv() {
            self.to_reverse.extend(ids);
        }
        self.turn(&mut waiting).await;
        self.close();
    }

    /// Waits for as much company as the commit before had, until there is enough or the pause is over.
    async fn gather(&self, work: &mut Receiver<Work>, waiting: &mut Vec<Work>, before: usize) {
        let until = Instant::now() + self.settings.pause;
        let company = before.min(self.settings.enough_for_a_commit);
        while waiting.len() < company {
            let room = company - waiting.len();
            if !timeout_at(until, work.recv_many(waiting, room)).await.is_ok_and(|came| came > 0) {
                return;
            }
        }
    }

    /// Takes back what is to be taken back, then writes what waits: a question that was taken back is
    /// charged when it is asked again.
    async fn turn(&mut self, waiting: &mut Vec<Work>) {
        let until = Instant::now() + self.settings.patience;
        if !self.to_reverse.is_empty() {
            self.reverse(until).await;
        }
        if waiting.is_empty() {
            return;
        }
        let mut batch = Batch::default();
        waiting.drain(..).for_each(|work| batch.push(work));
        batch.jobs.sort_unstable_by_key(|job| job.check.draft.id);
        self.write(batch, until).await;
        self.write_head_when_due();
        self.purge_when_due();
    }

    /// Writes a batch and tells everyone in it.
    async fn write(&mut self, batch: Batch, until: Instant) {
        let began = Instant::now();
        let mut is_in_doubt = false;
        match self.attempts(&batch, &mut is_in_doubt, until).await {
            Ok(decided) => {
                self.is_in_trouble = false;
                if let Some(observer) = &self.settings.observer {
                    observer.committed(decided.writes.checks.len(), began.elapsed());
                }
                self.tell(batch, decided, is_in_doubt);
            }
            Err(reason) => {
                self.is_in_trouble = true;
                let error = if is_in_doubt { LedgerError::Unknown(reason) } else { LedgerError::NotRecorded(reason) };
                tracing::error!(waiting = batch.len(), %error, "nothing was written to the ledger");
                self.tell_failure(batch, &error);
            }
        }
    }

    /// Tries until it is durable, or the time is over. After a commit in doubt the first thing is to
    /// find out what came of it.
    async fn attempts(&mut self, batch: &Batch, is_in_doubt: &mut bool, until: Instant) -> Result<Decided, String> {
        let (mut length, mut is_examined) = (FIRST_PAUSE, false);
        let without_connection_until = self.without_connection_until(until);
        loop {
            let failure = match self.attempt(batch, is_examined, until).await {
                Ok(decided) => return Ok(decided),
                Err(failure) => failure,
            };
            is_examined = true;
            *is_in_doubt |= matches!(failure, Failure::InDoubt(_));
            if !matches!(failure, Failure::Conflict | Failure::Passing(_) | Failure::LockedOut(_)) {
                self.session = None;
            }
            let reason = failure.reason();
            let end = if self.session.is_some() { until } else { without_connection_until };
            // Another wait for the lock would not fit in, and be cut off in doubt.
            let is_locked_out = matches!(failure, Failure::LockedOut(_)) && Instant::now() + LOCK_TIMEOUT > end;
            if Instant::now() >= end || is_locked_out || matches!(failure, Failure::TakenOver) {
                return Err(reason);
            }
            if self.session.is_none() {
                tracing::warn!(waiting = batch.len(), reason, "a ledger commit failed; trying again");
                pause(&mut length, until).await;
            }
        }
    }

    /// While the database is not to be had, callers learn it early. Once there is a connection, a commit has
    /// all of its time: a database that is only slow must be able to end the trouble.
    fn without_connection_until(&self, until: Instant) -> Instant {
        let early = Instant::now() + self.settings.patience_in_trouble;
        if self.is_in_trouble { until.min(early) } else { until }
    }

    async fn attempt(&mut self, batch: &Batch, is_examined: bool, until: Instant) -> Result<Decided, Failure> {
        self.reach(until).await?;
        let Some(session) = &mut self.session else { return Err(Failure::NotWritten("no connection".to_owned())) };
        let known = if is_examined {
            let (ids, keys, questions) = (batch.ids(), batch.answer_keys(), batch.questions());
            let asked = (ids.as_slice(), keys.as_slice(), questions.as_slice());
            session.confirm(until).await?;
            examine(session.connection(), asked, &mut self.repeats, until).await?
        } else {
            Known::default()
        };
        let decided = decide(batch, known, &self.repeats, (&session.slot, &self.key));
        session.commit(decided.after, &decided.writes, until).await?;
        self.tip = decided.after;
        for (question, change) in &decided.changes {
            self.repeats.set(*question, Some(change.now));
        }
        Ok(decided)
    }

    /// Sees to it that there is a connection with the node's place.
    async fn reach(&mut self, until: Instant) -> Result<(), Failure> {
        if self.session.is_some() {
            return Ok(());
        }
        let mut opening = self.opening.take().unwrap_or_else(|| {
            let (shared, holder) = (Rc::clone(&self.shared), self.holder.clone());
            spawn_local(async move { Session::open(&shared, &holder, Instant::now() + OPEN_TIMEOUT).await })
        });
        let Ok(opened) = timeout_at(self.without_connection_until(until), &mut opening).await else {
            self.opening = Some(opening);
            return Err(Failure::NotWritten("no connection to the database could be made in time".to_owned()));
        };
        let session = opened.unwrap_or_else(|error| Err(Failure::NotWritten(error.to_string())))?;
        // What others wrote meanwhile is read when it matters.
        self.repeats.clear();
        self.tip = session.slot.tip;
        self.session = Some(session);
        Ok(())
    }

    /// Everything is durable. A caller that stopped waiting meanwhile was told that its charge is
    /// unknown, so it is taken back.
    fn tell(&mut self, batch: Batch, decided: Decided, was_in_doubt: bool) {
        for (job, answer) in batch.jobs.into_iter().zip(decided.jobs) {
            let is_charged = answer.as_ref().is_ok_and(|recorded| recorded.outcome == Outcome::Answered);
            // Where an attempt was in doubt, it can be the one that wrote the row.
            if job.answer.send(answer).is_err() && (is_charged || was_in_doubt) {
                self.to_reverse.push(job.check.draft.id);
            }
        }
        for (Submitting { submission, sender }, written) in batch.submissions.into_iter().zip(decided.submissions) {
            if sender.send(written).is_err() {
                self.to_reverse.extend(submission.unheard());
            }
        }
    }

    fn tell_failure(&mut self, batch: Batch, error: &LedgerError) {
        let is_in_doubt = matches!(error, LedgerError::Unknown(_));
        for job in batch.jobs {
            if is_in_doubt {
                self.to_reverse.push(job.check.draft.id);
            }
            let _ = job.answer.send(Err(error.clone()));
        }
        for Submitting { submission, sender } in batch.submissions {
            if is_in_doubt {
                self.to_reverse.extend(submission.unheard());
            }
            let _ = sender.send(Err(error.clone()));
        }
    }

    /// Takes charges back; what fails is tried again with the next turn.
    async fn reverse(&mut self, until: Instant) {
        match self.try_reverse(until).await {
            Ok(()) => self.to_reverse.clear(),
            Err(Failure::Conflict | Failure::Passing(_) | Failure::LockedOut(_)) => {}
            Err(failure) => {
                self.session = None;
                self.is_in_trouble = true;
                let reason = failure.reason();
                tracing::warn!(charges = self.to_reverse.len(), reason, "charges are still to be taken back");
            }
        }
    }

    async fn try_reverse(&mut self, until: Instant) -> Result<(), Failure> {
        self.reach(until).await?;
        let Some(session) = &mut self.session else { return Err(Failure::NotWritten("no connection".to_owned())) };
        let reversing = reverse(session, &self.to_reverse, &self.key, until).await?;
        let Reversing { writes, after, forgotten } = reversing;
        if writes.checks.len() > 0 {
            session.commit(after, &writes, until).await?;
            self.tip = after;
        }
        for question in forgotten {
            self.repeats.set(question, None);
        }
        Ok(())
    }

    /// Removes the questions that nothing can repeat any more, by the ledger's own clock, beside what is
    /// written meanwhile.
    fn purge_when_due(&mut self) {
        if self.purged.elapsed() < self.settings.purge_every {
            return;
        }
        self.purged = Instant::now();
        let (shared, newest_at) = (Rc::clone(&self.shared), self.tip.newest_at);
        spawn_local(async move {
            if let Err(error) = purge(&Link::within(shared, PURGE_TIMEOUT), newest_at).await {
                tracing::debug!(%error, "questions that nothing can repeat any more stay until the next try");
            }
        });
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
        let head = ChainHead { at: newest_at, seq, mac, ..self.head };
        match self.heads.append(&head) {
            Ok(()) => self.head = head,
            Err(error) => tracing::warn!(%error, "{HEADS_FILE} cannot be written; the next head will be tried"),
        }
    }

    fn close(&mut self) {
        if self.tip.seq != self.head.seq {
            self.write_head();
        }
        let (writer, seq, mac) = (self.head.writer, self.tip.seq, self.tip.mac.hex());
        tracing::info!(writer, seq, mac, "ledger closed; its chain ends here");
    }
}

/// Has a turn taken that may be in vain: whoever waits for it longer than the patience is refused, and so is
/// who comes then.
async fn refuse_meanwhile(turn: impl Future<Output = ()>, work: &mut Receiver<Work>, patience: Duration) {
    let mut turn = pin!(turn);
    if timeout(patience, &mut turn).await.is_ok() {
        return;
    }
    loop {
        tokio::select! {
            biased;
            () = &mut turn => return,
            Some(work) = work.recv() => work.refuse(LedgerError::Busy),
        }
    }
}

/// A check decided on another node can be older than the newest of this one by so much.
const NODES_APART: SignedDuration = SignedDuration::from_mins(2);

async fn purge(link: &Link, newest_at: Timestamp) -> Result<(), DbError> {
    let Ok(before) = newest_at.checked_sub(RepeatWindow::LONGEST + NODES_APART) else { return Ok(()) };
    let before = before.as_microsecond();
    link.transact(async |transaction: &Transaction<'_>| {
        transaction.execute("DELETE FROM repeatable WHERE charged_at < $1", params![before]).await.map(drop)
    })
    .await
}
