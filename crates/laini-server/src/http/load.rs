use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use tokio::time::Instant;

/// How long a check may wait for its record while nothing is amiss.
const WAIT_TARGET_US: u64 = 10_000;
/// Waits like these come of a ledger that hardly moves, not of many callers.
const WAIT_ALARMING_US: u64 = 250_000;
/// So many may wait as long as the ledger moves: commits in groups need company.
const WAITING_WHILE_BUSY: usize = 512;
/// So many may wait whatever happens, for otherwise nothing would show that it moves again.
const WAITING_MIN: usize = 16;
/// Where nobody's wait has ended for so long, the ledger stands still: who comes then is told at once.
const STALLED_US: u64 = 250_000;
/// How often the limit is thought over.
const INTERVAL_US: u64 = 50_000;

/// How many checks may wait for their records: measured, not guessed.
///
/// What counts is the shortest wait of an interval. A burst lengthens most waits and leaves the shortest
/// alone; where even that is long, a queue stands, and a longer one would carry no more.
#[derive(Debug)]
pub(crate) struct Load {
    waiting: AtomicUsize,
    limit: AtomicUsize,
    limit_max: usize,
    began: Instant,
    /// Of the present interval.
    shortest_us: AtomicU64,
    was_full: AtomicBool,
    /// When the present interval ends, since `began`.
    ends_us: AtomicU64,
    /// When a wait ended last, or the first of those that wait began; since `began`.
    moved_us: AtomicU64,
    /// Checks whose line is looked up.
    looking: AtomicUsize,
    /// When the last one was found, or the first of those that are looked up began; since `began`.
    found_us: AtomicU64,
}

impl Load {
    /// Lets `limit_max` checks wait until waits say otherwise.
    pub(crate) fn new(limit_max: usize) -> Self {
        Self {
            waiting: AtomicUsize::new(0),
            limit: AtomicUsize::new(limit_max),
            limit_max,
            began: Instant::now(),
            shortest_us: AtomicU64::new(u64::MAX),
            was_full: AtomicBool::new(false),
            ends_us: AtomicU64::new(INTERVAL_US),
            moved_us: AtomicU64::new(0),
            looking: AtomicUsize::new(0),
            found_us: AtomicU64::new(0),
        }
    }

    /// Whether a check that comes now would be refused. Asked before anything else is done for it.
    pub(crate) fn is_full(&self) -> bool {
        let waiting = self.waiting.load(Ordering::Relaxed);
        let is_full = waiting >= self.limit.load(Ordering::Relaxed)
            || (self.are_many(waiting) && self.stands_still(waiting, Instant::now()));
        if is_full {
            self.was_full.store(true, Ordering::Relaxed);
        }
        is_full
    }

    /// A place among those that wait; `None` where they are too many.
    pub(crate) fn enter(&self) -> Option<Waiting<'_>> {
        if self.is_full() {
            return None;
        }
        let since = Instant::now();
        if self.waiting.fetch_add(1, Ordering::Relaxed) == 0 {
            self.moved_us.store(self.micros(since), Ordering::Relaxed);
        }
        Some(Waiting { load: self, since })
    }

    /// A look-up begins that waits for the registry.
    pub(crate) fn look(&self) -> Looking<'_> {
        if self.looking.fetch_add(1, Ordering::Relaxed) == 0 {
            self.found_us.store(self.micros(Instant::now()), Ordering::Relaxed);
        }
        Looking(self)
    }

    /// Whether many wait and nothing comes: for their records, or some for them and the others for the registry, which then
    /// have the same reason. A registry alone that is slow says so itself.
    fn stands_still(&self, waiting: usize, now: Instant) -> bool {
        self.is_stalled(now) && (waiting >= WAITING_MIN || self.finds_nothing(now))
    }

    /// Whether some wait for their records, and many for these or their lines.
    fn are_many(&self, waiting: usize) -> bool {
        waiting > 0 && waiting + self.looking.load(Ordering::Relaxed) >= WAITING_MIN
    }

    /// Whether no line was found for a while.
    fn finds_nothing(&self, now: Instant) -> bool {
        self.micros(now).saturating_sub(self.found_us.load(Ordering::Relaxed)) > STALLED_US
    }

    /// Whether so many wait, and for none of them anything has come for a while.
    fn is_stalled(&self, now: Instant) -> bool {
        self.micros(now).saturating_sub(self.moved_us.load(Ordering::Relaxed)) > STALLED_US
    }

    fn micros(&self, at: Instant) -> u64 {
        u64::try_from(at.saturating_duration_since(self.began).as_micros()).unwrap_or(u64::MAX)
    }

    /// Notes a wait that ended, at `now`.
    fn waited(&self, wait: Duration, now: Instant) {
        let now_us = self.micros(now);
        self.moved_us.store(now_us, Ordering::Relaxed);
        let ends_us = self.ends_us.load(Ordering::Relaxed);
        if now_us >= ends_us {
            let next = now_us + INTERVAL_US;
            let is_ours = self.ends_us.compare_exchange(ends_us, next, Ordering::Relaxed, Ordering::Relaxed).is_ok();
            if is_ours {
                let shortest_us = self.shortest_us.swap(u64::MAX, Ordering::Relaxed);
                let was_full = self.was_full.swap(false, Ordering::Relaxed);
                let limit = self.limit.load(Ordering::Relaxed);
                self.limit.store(adjusted(limit, self.limit_max, shortest_us, was_full), Ordering::Relaxed);
            }
        }
        let wait_us = u64::try_from(wait.as_micros()).unwrap_or(u64::MAX);
        self.shortest_us.fetch_min(wait_us, Ordering::Relaxed);
    }
}

/// The limit after an interval whose shortest wait was `shortest_us`; `u64::MAX` where none ended.
fn adjusted(limit: usize, limit_max: usize, shortest_us: u64, was_full: bool) -> usize {
    let at_least = if shortest_us < WAIT_ALARMING_US { WAITING_WHILE_BUSY } else { WAITING_MIN };
    if shortest_us > WAIT_TARGET_US {
        // Never up: a limit that an alarm brought down stays until waits are short again.
        limit.min((limit * 3 / 4).max(at_least))
    } else if was_full {
        (limit + limit / 4 + 1).min(limit_max)
    } else {
        limit
    }
}

/// A check that waits for its record.
pub(crate) struct Waiting<'a> {
    load: &'a Load,
    since: Instant,
}

impl Waiting<'_> {
    /// Its record is there.
    pub(crate) fn ended(self) {
        let now = Instant::now();
        self.load.waited(now.saturating_duration_since(self.since), now);
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.load.waiting.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A check whose line is looked up.
pub(crate) struct Looking<'a>(&'a Load);

impl Looking<'_> {
    /// The registry has answered.
    pub(crate) fn found(self) {
        self.0.found_us.store(self.0.micros(Instant::now()), Ordering::Relaxed);
    }
}

impl Drop for Looking<'_> {
    fn drop(&mut self) {
        self.0.looking.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const MAX: usize = 8_192;

    /// A ledger that records `per_interval` checks an interval, asked by more than wait: the limit it
    /// settles at.
    fn settle(limit: usize, per_interval: usize, intervals: usize) -> usize {
        (0..intervals).fold(limit, |limit, _| {
            let wait_us = limit as u64 * INTERVAL_US / per_interval as u64;
            adjusted(limit, MAX, wait_us, true)
        })
    }

    #[test]
    fn waits_within_the_target_leave_everybody_in() {
        assert_eq!(adjusted(MAX, MAX, WAIT_TARGET_US, true), MAX);
        assert_eq!(adjusted(MAX, MAX, 0, false), MAX);
    }

    #[test]
    fn a_ledger_that_is_busy_keeps_the_company_its_commits_need() {
        // 1,000 an interval are 20,000 a second; with 512 waiting, each waits 26 ms.
        assert_eq!(settle(MAX, 1_000, 20), WAITING_WHILE_BUSY);
        // 10,000 an interval: 2,000 wait for 10 ms.
        let limit = settle(MAX, 10_000, 40);
        assert!((1_400..=2_501).contains(&limit), "{limit}");
    }

    #[test]
    fn a_ledger_that_hardly_moves_is_asked_by_few_and_by_all_again_within_5_s() {
        // 2 an interval are 40 a second.
        let few = settle(MAX, 2, 40);
        assert!(few < 20, "{few}");
        let in_5_s = 5_000_000 / usize::try_from(INTERVAL_US).unwrap();
        assert_eq!(settle(few, 1_000_000, in_5_s), MAX);
    }

    #[test]
    fn places_come_back_and_beyond_the_limit_there_is_none() {
        let load = Load::new(2);
        let (first, second) = (load.enter().unwrap(), load.enter().unwrap());
        assert!(load.is_full() && load.enter().is_none());
        drop(first);
        assert!(!load.is_full());
        second.ended();
        assert_eq!(load.waiting.load(Ordering::Relaxed), 0);
    }

    #[test]
    fn a_ledger_that_stands_still_lets_only_a_few_wait() {
        let load = Load::new(MAX);
        let places: Vec<_> = (0..WAITING_MIN).map(|_| load.enter().unwrap()).collect();
        let at = |ms: u64| load.began + Duration::from_millis(ms);
        load.moved_us.store(1_000_000, Ordering::Relaxed);
        assert!(!load.is_stalled(at(1_250)) && load.is_stalled(at(1_251)));
        // It moves again: whoever comes may wait.
        load.waited(Duration::from_millis(900), at(1_900));
        assert!(!load.is_stalled(at(2_000)));
        drop(places);
    }

    #[test]
    fn where_records_and_look_ups_stand_still_together_few_wait_for_both() {
        let load = Load::new(MAX);
        let of_records: Vec<_> = (0..WAITING_MIN / 2).map(|_| load.enter().unwrap()).collect();
        let mut looking: Vec<_> = (0..WAITING_MIN / 2).map(|_| load.look()).collect();
        for moved in [&load.moved_us, &load.found_us] {
            moved.store(1_000_000, Ordering::Relaxed);
        }
        let still_at = |ms: u64| {
            let waiting = load.waiting.load(Ordering::Relaxed);
            load.are_many(waiting) && load.stands_still(waiting, load.began + Duration::from_millis(ms))
        };
        assert!(!still_at(1_250) && still_at(1_251), "neither moves");
        load.found_us.store(1_200_000, Ordering::Relaxed);
        assert!(!still_at(1_450) && still_at(1_451), "the registry has answered in between");
        drop(looking.pop());
        assert!(!still_at(1_451), "fewer wait");
        drop(of_records);
        looking.extend((0..WAITING_MIN).map(|_| load.look()));
        assert!(!still_at(9_000), "of a registry that is slow alone its engine knows more");
        looking.into_iter().for_each(Looking::found);
        assert_eq!(load.looking.load(Ordering::Relaxed), 0);
    }

    #[test]
    fn the_limit_is_thought_over_once_an_interval() {
        let load = Load::new(MAX);
        let at = |ms: u64| load.began + Duration::from_millis(ms);
        let slow = Duration::from_millis(40);
        for ms in 1..=49 {
            load.waited(slow, at(ms));
        }
        assert_eq!(load.limit.load(Ordering::Relaxed), MAX);
        load.waited(slow, at(51));
        let lowered = MAX * 3 / 4;
        assert_eq!(load.limit.load(Ordering::Relaxed), lowered);
        // One short wait shows that no queue stands.
        load.waited(Duration::from_millis(1), at(60));
        load.waited(slow, at(102));
        assert_eq!(load.limit.load(Ordering::Relaxed), lowered);
    }

    proptest! {
        #[test]
        fn the_limit_stays_within_its_bounds(limit in WAITING_MIN..=MAX, shortest_us: u64, was_full: bool) {
            let next = adjusted(limit, MAX, shortest_us, was_full);
            prop_assert!((WAITING_MIN..=MAX).contains(&next), "{}", next);
        }
    }
}
