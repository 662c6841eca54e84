//! Long pieces of work that read the ledger, with how far they are.
//!
//! Owns what this process remembers of them, in memory alone, and how many go on at once, whoever asks for them. Must never
//! begin one by itself, or keep a result for long.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicI64, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::{SignedDuration, Timestamp};
use laini_core::partner::PrivacyRequestId;

use crate::Problem;
use crate::privacy::CarriedOut;

/// What came of a job is kept for so long after it has ended, in memory alone.
pub const RESULT_KEPT: SignedDuration = SignedDuration::from_secs(15 * 60);
/// Jobs of this process that are remembered; beyond, the oldest that has ended is forgotten, or where none has, the
/// oldest report: what a privacy request comes to is never lost sight of while it goes on.
const JOBS_KEPT_MAX: usize = 32;
/// When to look again where one is under way already.
const RETRY_AFTER_S: u64 = 5;
/// Answers that read a month of the ledger or more go on so many at a time: they take seconds.
const LONG_READS_MAX: usize = 2;
/// When to come back while so many do.
const LONG_READ_RETRY_AFTER_S: u64 = 10;
/// Months are closed one after the other.
const CLOSES_MAX: usize = 1;
/// When to come back while one is.
const CLOSE_RETRY_AFTER_S: u64 = 30;
/// Nothing of the ledger was read yet.
const NOWHERE: i64 = i64::MIN;

/// Long pieces of work that read the ledger, with how far they are: those of this process, in memory alone.
#[derive(Default)]
pub struct Jobs {
    known: Mutex<VecDeque<Arc<Job>>>,
    long_reads: Arc<AtomicUsize>,
    closes: Arc<AtomicUsize>,
}

/// A place among the few that do something at once; given back when it is dropped.
#[must_use = "it is given back when it is dropped"]
pub struct Place(Arc<AtomicUsize>);

impl Place {
    fn among(taken: &Arc<AtomicUsize>, at_most: usize, retry_after_s: u64) -> Result<Self, Problem> {
        let free = |taken: usize| (taken < at_most).then_some(taken + 1);
        let found = taken.fetch_update(Ordering::Relaxed, Ordering::Relaxed, free);
        found.map(|_| Self(Arc::clone(taken))).map_err(|_| Problem::TooOften { retry_after_s })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// What a job is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JobOf {
    /// An approved privacy request is carried out; of these there is one at a time.
    Privacy(PrivacyRequestId),
    /// A report who asked about whom is made, while somebody downloads it.
    LookUps,
}

/// A long piece of work.
pub struct Job {
    /// What for.
    pub of: JobOf,
    /// Who began it, as the trail names them.
    pub by: String,
    /// When.
    pub begun: Timestamp,
    rows: AtomicU64,
    reached_us: AtomicI64,
    state: Mutex<JobState>,
}

/// How a job is.
#[derive(Clone, Default)]
pub enum JobState {
    /// It goes on.
    #[default]
    UnderWay,
    /// It was done; what came of it, where that is no file that somebody has already.
    Done(Option<Arc<CarriedOut>>),
    /// It failed: why.
    Failed(Problem),
}

impl Jobs {
    /// Notes that a job begins. It takes the place of the one before that was for the same.
    pub fn begin(&self, of: JobOf, by: String, begun: Timestamp) -> Result<Arc<Job>, Problem> {
        let mut jobs = self.lock();
        if let JobOf::Privacy(_) = of {
            if jobs.iter().any(|job| job.of != JobOf::LookUps && job.is_under_way()) {
                return Err(Problem::TooOften { retry_after_s: RETRY_AFTER_S });
            }
            jobs.retain(|job| job.of != of);
        }
        let (rows, reached_us) = (AtomicU64::new(0), AtomicI64::new(NOWHERE));
        let job = Arc::new(Job { of, by, begun, rows, reached_us, state: Mutex::default() });
        if jobs.len() >= JOBS_KEPT_MAX {
            let of = |is_it: fn(&Job) -> bool| jobs.iter().position(|job| is_it(job));
            if let Some(oldest) = of(|job| !job.is_under_way()).or_else(|| of(|job| job.of == JobOf::LookUps)) {
                jobs.remove(oldest);
            }
        }
        jobs.push_back(Arc::clone(&job));
        Ok(job)
    }

    /// The newest job for a privacy request.
    pub fn of_request(&self, request: PrivacyRequestId) -> Option<Arc<Job>> {
        self.newest(|job| job.of == JobOf::Privacy(request))
    }

    /// The newest report that somebody had made.
    pub fn look_ups_of(&self, by: &str) -> Option<Arc<Job>> {
        self.newest(|job| job.of == JobOf::LookUps && job.by == by)
    }

    /// Forgets a job, with what came of it.
    pub fn forget(&self, job: &Arc<Job>) {
        self.lock().retain(|other| !Arc::ptr_eq(other, job));
    }

    /// A place to read a month of the ledger or more for an answer.
    pub fn long_read(&self) -> Result<Place, Problem> {
        Place::among(&self.long_reads, LONG_READS_MAX, LONG_READ_RETRY_AFTER_S)
    }

    /// The place to close a month, for somebody who asks for it.
    pub fn close(&self) -> Result<Place, Problem> {
        Place::among(&self.closes, CLOSES_MAX, CLOSE_RETRY_AFTER_S)
    }

    /// Whether somebody has a month closed now.
    pub fn is_closing(&self) -> bool {
        self.closes.load(Ordering::Relaxed) > 0
    }

    fn newest(&self, is_it: impl Fn(&Job) -> bool) -> Option<Arc<Job>> {
        self.lock().iter().rev().find(|job| is_it(job)).cloned()
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<Arc<Job>>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Job {
    /// So many more rows of the ledger were read,
    pub fn read(&self, rows: u64) {
        self.rows.fetch_add(rows, Ordering::Relaxed);
    }

    /// up to this instant.
    pub fn reach(&self, at: Timestamp) {
        self.reached_us.store(at.as_microsecond(), Ordering::Relaxed);
    }

    /// How many rows of the ledger were read.
    pub fn rows(&self) -> u64 {
        self.rows.load(Ordering::Relaxed)
    }

    /// Up to which instant the ledger was read, where that is known.
    pub fn reached(&self) -> Option<Timestamp> {
        let reached = self.reached_us.load(Ordering::Relaxed);
        Timestamp::from_microsecond(reached).ok().filter(|_| reached != NOWHERE)
    }

    /// How it is.
    pub fn state(&self) -> JobState {
        self.lock().clone()
    }

    /// Whether it goes on.
    pub fn is_under_way(&self) -> bool {
        matches!(*self.lock(), JobState::UnderWay)
    }

    /// It has ended.
    pub fn end(&self, state: JobState) {
        *self.lock() = state;
    }

    fn lock(&self) -> MutexGuard<'_, JobState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl JobState {
    /// As shown.
    pub fn word(&self) -> &'static str {
        match self {
            Self::UnderWay => "under_way",
            Self::Done(_) => "done",
            Self::Failed(_) => "failed",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_have_a_place_at_once_and_places_come_back() {
        let jobs = Jobs::default();
        let (one, other) = (jobs.long_read().unwrap(), jobs.long_read().unwrap());
        assert_eq!(jobs.long_read().err(), Some(Problem::TooOften { retry_after_s: LONG_READ_RETRY_AFTER_S }));
        drop(one);
        let third = jobs.long_read().unwrap();
        assert!(jobs.long_read().is_err() && !jobs.is_closing());
        drop((other, third));
        let close = jobs.close().unwrap();
        assert!(jobs.close().is_err() && jobs.is_closing() && jobs.long_read().is_ok());
        drop(close);
        assert!(!jobs.is_closing() && jobs.close().is_ok());
    }
}
