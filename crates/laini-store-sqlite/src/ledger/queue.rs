//! What waits for the writer: bounded, never blocking a caller.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use laini_core::store::{Draft, LedgerError, Recorded};
use tokio::sync::oneshot;

/// One check on its way into the ledger.
pub(super) struct Job {
    pub(super) draft: Draft,
    pub(super) sealed: Vec<u8>,
    pub(super) side_digest: [u8; 32],
    pub(super) answer: oneshot::Sender<Result<Recorded, LedgerError>>,
}

/// How to wait for company before a transaction.
#[derive(Debug, Clone, Copy)]
pub(super) struct Gather {
    /// With so many jobs the wait is over,
    pub(super) enough: usize,
    /// or when so long brought no further one,
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
    jobs: Vec<Job>,
    is_open: bool,
    /// With how many jobs the writer wants to be woken; `usize::MAX` while it is at work.
    wake_at: usize,
}

impl Queue {
    pub(super) fn new(limit: usize) -> Self {
        let state = State { jobs: Vec::new(), is_open: true, wake_at: usize::MAX };
        Self { state: Mutex::new(state), writer: Condvar::new(), limit }
    }

    /// Hands a job to the writer, or says at once why not.
    pub(super) fn push(&self, job: Job) -> Result<(), LedgerError> {
        let mut state = self.lock();
        if !state.is_open {
            return Err(LedgerError::NotRecorded("its writer has stopped; restart the server".to_owned()));
        }
        if state.jobs.len() >= self.limit {
            return Err(LedgerError::Busy);
        }
        state.jobs.push(job);
        let wake = state.jobs.len() == state.wake_at;
        drop(state);
        if wake {
            self.writer.notify_one();
        }
        Ok(())
    }

    /// Waits for work and takes all of it into `batch` (empty until then). `false` = closed and empty.
    ///
    /// `gather`: how to wait for company once there is some.
    pub(super) fn take(&self, batch: &mut Vec<Job>, gather: Option<Gather>) -> bool {
        let mut state = self.lock();
        while state.jobs.is_empty() {
            if !state.is_open {
                return false;
            }
            state.wake_at = 1;
            state = self.writer.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        state.wake_at = usize::MAX;
        if let Some(gather) = gather {
            state = self.gather(state, gather);
            state.wake_at = usize::MAX;
        }
        std::mem::swap(&mut state.jobs, batch);
        true
    }

    /// Waits while jobs keep coming: until there are enough, one step brought none, or the pause is over.
    fn gather<'a>(&'a self, mut state: MutexGuard<'a, State>, gather: Gather) -> MutexGuard<'a, State> {
        let mut left = gather.pause;
        while state.is_open && state.jobs.len() < gather.enough && !left.is_zero() {
            let before = state.jobs.len();
            let step = gather.step.min(left);
            left -= step;
            state.wake_at = gather.enough;
            let waited = self.writer.wait_timeout(state, step);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
            if state.jobs.len() == before {
                break;
            }
        }
        state
    }

    /// Refuses new jobs; those that wait are still written.
    pub(super) fn close(&self) {
        self.lock().is_open = false;
        self.writer.notify_one();
    }

    /// Refuses new jobs and drops those that wait: their callers learn it by the dropped sender.
    pub(super) fn abandon(&self) {
        let mut state = self.lock();
        state.is_open = false;
        state.jobs.clear();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // The state is whole between any two statements that could panic.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
