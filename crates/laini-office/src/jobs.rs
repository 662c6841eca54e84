//! Long pieces of work that read the ledger, with how far they are.
//!
//! Owns what this process remembers of them, in memory alone. Must never begin one by itself, or keep a result for long.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
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
/// Nothing of the ledger was read yet.
const NOWHERE: i64 = i64::MIN;

/// Long pieces of work that read the ledger, with how far they are: those of this process, in memory alone.
#[derive(Default)]
pub struct Jobs(Mutex<VecDeque<Arc<Job>>>);

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

    fn newest(&self, is_it: impl Fn(&Job) -> bool) -> Option<Arc<Job>> {
        self.lock().iter().rev().find(|job| is_it(job)).cloned()
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<Arc<Job>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
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
