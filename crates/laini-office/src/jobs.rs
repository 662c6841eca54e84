//! Long pieces of work that read the ledger, with how far they are.
//!
//! Owns what this process remembers of them, in memory alone, and how many go on at once, whoever asks for them. Must never
//! begin one by itself, or keep a result for long.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicI64, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use laini_core::partner::{PartnerId, PrivacyRequestId};

use crate::Problem;
use crate::billing::{ReferenceUsage, Verification};
use crate::privacy::CarriedOut;

/// What came of a job is kept for so long after it has ended, in memory alone.
pub const RESULT_KEPT: SignedDuration = SignedDuration::from_secs(15 * 60);
/// Jobs of this process that are remembered; beyond, the oldest that has ended is forgotten, or where none has, the
/// oldest report: what a privacy request comes to is never lost sight of while it goes on.
const JOBS_KEPT_MAX: usize = 32;
/// The same, of what is worked out from the rows of partners: what they ask for takes no place of the others.
const FIGURES_KEPT_MAX: usize = 16;
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
    /// Something is worked out from the rows of this partner, and shown to whom its pages are shown.
    Figures(PartnerId, Figures),
}

/// What is worked out from the rows of a partner.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Figures {
    /// Where in the ledger the lines of the invoice of this number part; it is kept beside the invoice.
    Split(u64),
    /// Whether the invoice of this number is right.
    Verification(u64),
    /// What was asked by the caller's own references, from a day until before another.
    References(Date, Date),
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
    /// It was done.
    Done(CameTo),
    /// It failed: why.
    Failed(Problem),
}

/// What came of a job that was done.
#[derive(Clone)]
pub enum CameTo {
    /// Nothing that is kept with it: a file that somebody has already, or a record.
    Elsewhere,
    /// A privacy request was carried out.
    CarriedOut(Arc<CarriedOut>),
    /// An invoice was computed again.
    Verified(Arc<Verification>),
    /// What was asked by references was counted.
    References(Arc<[ReferenceUsage]>),
}

impl Jobs {
    /// Notes that a job begins. It takes the place of the one before that was for the same.
    pub fn begin(&self, of: JobOf, by: String, begun: Timestamp) -> Result<Arc<Job>, Problem> {
        let mut jobs = self.lock();
        if let JobOf::Privacy(_) = of {
            if jobs.iter().any(|job| matches!(job.of, JobOf::Privacy(_)) && job.is_under_way()) {
                return Err(Problem::TooOften { retry_after_s: RETRY_AFTER_S });
            }
            jobs.retain(|job| job.of != of);
        }
        make_room(&mut jobs, |of| !of.is_figures(), JOBS_KEPT_MAX);
        let job = Arc::new(Job::begun(of, by, begun));
        jobs.push_back(Arc::clone(&job));
        Ok(job)
    }

    /// The job that works something out for a partner: the one that goes on already, for two who ask for the same share
    /// it, or one that begins, with its place among long reads. That takes the stead of the one before.
    pub fn work_out(
        &self,
        partner: PartnerId,
        figures: Figures,
        by: String,
        begun: Timestamp,
    ) -> Result<(Arc<Job>, Option<Place>), Problem> {
        let of = JobOf::Figures(partner, figures);
        let mut jobs = self.lock();
        if let Some(job) = jobs.iter().find(|job| job.of == of && job.is_under_way()) {
            return Ok((Arc::clone(job), None));
        }
        let place = self.long_read()?;
        jobs.retain(|job| job.of != of && !job.is_outdone_by(of));
        make_room(&mut jobs, JobOf::is_figures, FIGURES_KEPT_MAX);
        let job = Arc::new(Job::begun(of, by, begun));
        jobs.push_back(Arc::clone(&job));
        Ok((job, Some(place)))
    }

    /// The job that works or worked something out for a partner. Another partner's is never found.
    pub fn figures_of(&self, partner: PartnerId, figures: Figures) -> Option<Arc<Job>> {
        self.newest(|job| job.of == JobOf::Figures(partner, figures))
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

/// Forgets a job where there are as many of a kind as are remembered.
fn make_room(jobs: &mut VecDeque<Arc<Job>>, is_of_kind: fn(JobOf) -> bool, at_most: usize) {
    if jobs.iter().filter(|job| is_of_kind(job.of)).count() < at_most {
        return;
    }
    let of = |is_it: fn(&Job) -> bool| jobs.iter().position(|job| is_of_kind(job.of) && is_it(job));
    if let Some(oldest) = of(|job| !job.is_under_way()).or_else(|| of(|job| job.of == JobOf::LookUps)) {
        jobs.remove(oldest);
    }
}

impl JobOf {
    fn is_figures(self) -> bool {
        matches!(self, Self::Figures(..))
    }
}

impl Job {
    fn begun(of: JobOf, by: String, begun: Timestamp) -> Self {
        let (rows, reached_us) = (AtomicU64::new(0), AtomicI64::new(NOWHERE));
        Self { of, by, begun, rows, reached_us, state: Mutex::default() }
    }

    /// Whether its result goes once another job begins: of a partner's references, which may be many, those are kept that
    /// were counted last.
    fn is_outdone_by(&self, other: JobOf) -> bool {
        let (JobOf::Figures(of, Figures::References(..)), JobOf::Figures(partner, Figures::References(..))) =
            (self.of, other)
        else {
            return false;
        };
        of == partner && !self.is_under_way()
    }

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

    #[test]
    fn of_a_partners_references_the_last_are_kept_and_few_figures_of_all() {
        let (jobs, now) = (Jobs::default(), Timestamp::UNIX_EPOCH);
        let done = |partner, figures| {
            let partner = PartnerId::from_stored(partner);
            let (job, _place) = jobs.work_out(partner, figures, String::new(), now).unwrap();
            job.end(JobState::Done(CameTo::Elsewhere));
        };
        let is_kept = |partner, figures| jobs.figures_of(PartnerId::from_stored(partner), figures).is_some();
        let (day, next) = (Date::constant(2026, 11, 22), Date::constant(2026, 11, 23));
        let [one, other] = [Figures::References(day, next), Figures::References(day, day)];
        let report = jobs.begin(JobOf::LookUps, "staff:1".to_owned(), now).unwrap();
        report.end(JobState::Done(CameTo::Elsewhere));
        done(1, one);
        done(2, one);
        done(1, other);
        assert_eq!((is_kept(1, one), is_kept(1, other), is_kept(2, one)), (false, true, true));
        for number in 0..40 {
            done(1, Figures::Verification(number));
        }
        assert_eq!((is_kept(2, one), is_kept(1, Figures::Verification(39))), (false, true));
        assert_eq!(jobs.lock().iter().filter(|job| job.of.is_figures()).count(), FIGURES_KEPT_MAX);
        assert!(jobs.look_ups_of("staff:1").is_some(), "they take no place of other jobs");
        // One that cannot begin is none.
        let _places = [jobs.long_read().unwrap(), jobs.long_read().unwrap()];
        let refused = jobs.work_out(PartnerId::from_stored(1), one, String::new(), now);
        assert!(
            matches!(refused, Err(Problem::TooOften { .. }))
                && !is_kept(1, one)
                && is_kept(1, Figures::Verification(39))
        );
    }
}
