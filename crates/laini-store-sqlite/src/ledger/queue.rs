//! What waits for the writer: bounded, never blocking a caller.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use laini_core::billing::CheckId;
use laini_core::store::{LedgerError, Recorded};
use tokio::sync::oneshot;

use super::chore::Chore;
use laini_store::ledger::SealedDraft;

/// One check on its way into the ledger.
pub(super) struct Job {
    pub(super) check: SealedDraft,
    pub(super) answer: oneshot::Sender<Result<Recorded, LedgerError>>,
}

/// What joins one transaction.
#[derive(Default)]
pub(super) struct Batch {
    pub(super) jobs: Vec<Job>,
    /// Everything else that is written, in the order in which it came.
    pub(super) chores: Vec<Box<dyn Chore>>,
    /// Checks that were recorded for a caller who never learned of it.
    pub(super) abandoned: Vec<CheckId>,
}

impl Batch {
    pub(super) fn len(&self) -> usize {
        self.jobs.len() + self.chores.len() + self.abandoned.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// How to wait for company before a transaction.
#[derive(Debug, Clone, Copy)]
pub(super) struct Gather {
    /// With so much waiting the wait is over,
    pub(super) enough: usize,
    /// or when so long brought nothing further,
    pub(super) step: Duration,
    /// or after so long in all.
    pub(super) pause: Duration,
}

/// Many callers push, one writer takes everything at once.
pub(super) struct Queue {
    state: Mutex<State>,
    writer: Condvar,
    limit: usize,
}

struct State {
    waiting: Batch,
    is_open: bool,
    /// With how much waiting the writer wants to be woken; `usize::MAX` while it is at work.
    wake_at: usize,
}

impl Queue {
    pub(super) fn new(limit: usize) -> Self {
        let state = State { waiting: Batch::default(), is_open: true, wake_at: usize::MAX };
        Self { state: Mutex::new(state), writer: Condvar::new(), limit }
    }

    /// Hands a job to the writer, or says at once why not.
    pub(super) fn push(&self, job: Job) -> Result<(), LedgerError> {
        self.add(|waiting| waiting.jobs.push(job))
    }

    /// Hands a chore to the writer, or says at once why not.
    pub(super) fn push_chore(&self, chore: Box<dyn Chore>) -> Result<(), LedgerError> {
        self.add(|waiting| waiting.chores.push(chore))
    }

    fn add(&self, push: impl FnOnce(&mut Batch)) -> Result<(), LedgerError> {
        let mut state = self.lock();
        if !state.is_open {
            return Err(LedgerError::NotRecorded("its writer has stopped; restart the server".to_owned()));
        }
        if state.waiting.len() >= self.limit {
            return Err(LedgerError::Busy);
        }
        push(&mut state.waiting);
        self.wake(state);
        Ok(())
    }

    /// Has the charges of these checks taken back. Never refused: each was a job or part of a chore
    /// before, so there are no more of them than of those.
    pub(super) fn abandoned(&self, ids: &[CheckId]) {
        let mut state = self.lock();
        state.waiting.abandoned.extend_from_slice(ids);
        self.wake(state);
    }

    fn wake(&self, state: MutexGuard<'_, State>) {
        let wake = state.waiting.len() >= state.wake_at;
        drop(state);
        if wake {
            self.writer.notify_one();
        }
    }

    /// Waits for work and takes all of it into `batch` (empty until then). `false` = closed and empty.
    ///
    /// `gather`: how to wait for company once there is some. `patience`: how long to wait for work
    /// before going on without any; for ever where it is `None`.
    pub(super) fn take(&self, batch: &mut Batch, gather: Option<Gather>, patience: Option<Duration>) -> bool {
        let mut state = self.lock();
        while state.waiting.is_empty() {
            if !state.is_open {
                return false;
            }
            state.wake_at = 1;
            let Some(patience) = patience else {
                state = self.writer.wait(state).unwrap_or_else(PoisonError::into_inner);
                continue;
            };
            state = self.writer.wait_timeout(state, patience).unwrap_or_else(PoisonError::into_inner).0;
            if state.waiting.is_empty() {
                state.wake_at = usize::MAX;
                return state.is_open;
            }
        }
        state.wake_at = usize::MAX;
        if let Some(gather) = gather {
            state = self.gather(state, gather);
            state.wake_at = usize::MAX;
        }
        std::mem::swap(&mut state.waiting, batch);
        true
    }

    /// Waits while work keeps coming: until there is enough, one step brought none, or the pause is over.
    fn gather<'a>(&'a self, mut state: MutexGuard<'a, State>, gather: Gather) -> MutexGuard<'a, State> {
        let mut left = gather.pause;
        while state.is_open && state.waiting.len() < gather.enough && !left.is_zero() {
            let before = state.waiting.len();
            let step = gather.step.min(left);
            left -= step;
            state.wake_at = gather.enough;
            let waited = self.writer.wait_timeout(state, step);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
            if state.waiting.len() == before {
                break;
            }
        }
        state
    }

    /// Refuses new work; what waits is still written.
    pub(super) fn close(&self) {
        self.lock().is_open = false;
        self.writer.notify_one();
    }

    /// Refuses new work and drops what waits: its callers learn it by the dropped sender.
    pub(super) fn abandon(&self) {
        let mut state = self.lock();
        state.is_open = false;
        state.waiting = Batch::default();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // The state is whole between any two statements that could panic.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
