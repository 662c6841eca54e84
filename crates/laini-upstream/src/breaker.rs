use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// Keeps look-ups from a back end that fails, and lets one through now and then to see whether it is
/// back.
pub(crate) struct Breaker {
    /// Failures in a row that open it.
    failures_max: u32,
    open_for: Duration,
    state: Mutex<State>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Look-ups pass; so many have failed in a row.
    Closed { failures: u32 },
    /// None passes before `until`; the first one after it is the probe.
    Open { until: Instant },
    /// One is under way, the others wait for what becomes of it.
    HalfOpen,
}

/// Leave for one look-up. Whoever drops it without a verdict has learned nothing.
pub(crate) struct Pass<'a> {
    breaker: &'a Breaker,
    is_probe: bool,
    is_settled: bool,
}

impl Breaker {
    pub(crate) fn new(failures_max: u32, open_for: Duration) -> Self {
        Self { failures_max, open_for, state: Mutex::new(State::Closed { failures: 0 }) }
    }

    /// Leave for a look-up, or `None` while the back end rests.
    pub(crate) fn admit(&self, now: Instant) -> Option<Pass<'_>> {
        let mut state = self.state();
        let is_probe = match *state {
            State::Closed { .. } => false,
            State::Open { until } if now >= until => true,
            State::Open { .. } | State::HalfOpen => return None,
        };
        if is_probe {
            *state = State::HalfOpen;
        }
        Some(Pass { breaker: self, is_probe, is_settled: false })
    }

    /// Whether a look-up at `now` would be refused.
    pub(crate) fn is_open(&self, now: Instant) -> bool {
        matches!(*self.state(), State::Open { until } if now < until)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Every assignment leaves it whole.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Pass<'_> {
    /// The back end answered.
    pub(crate) fn succeeded(mut self) {
        self.is_settled = true;
        let mut state = self.breaker.state();
        if self.is_probe || matches!(*state, State::Closed { .. }) {
            *state = State::Closed { failures: 0 };
        }
    }

    /// It did not, or said that it cannot.
    pub(crate) fn failed(mut self, now: Instant) {
        self.is_settled = true;
        let mut state = self.breaker.state();
        match *state {
            State::Closed { failures } if failures + 1 < self.breaker.failures_max => {
                *state = State::Closed { failures: failures + 1 };
            }
            State::Closed { .. } => *state = State::Open { until: now + self.breaker.open_for },
            _ if self.is_probe => *state = State::Open { until: now + self.breaker.open_for },
            // Sent before it opened: nothing new.
            State::Open { .. } | State::HalfOpen => {}
        }
    }
}

impl Drop for Pass<'_> {
    fn drop(&mut self) {
        if self.is_probe && !self.is_settled {
            // The caller went away: the next one is the probe.
            *self.breaker.state() = State::Open { until: Instant::now() };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const REST: Duration = Duration::from_secs(5);

    fn opened(now: Instant) -> Breaker {
        let breaker = Breaker::new(3, REST);
        for _ in 0..3 {
            breaker.admit(now).unwrap().failed(now);
        }
        assert!(breaker.is_open(now));
        breaker
    }

    #[test]
    fn failures_in_a_row_open_it_and_an_answer_starts_the_count_anew() {
        let now = Instant::now();
        let breaker = Breaker::new(3, REST);
        for _ in 0..2 {
            breaker.admit(now).unwrap().failed(now);
        }
        breaker.admit(now).unwrap().succeeded();
        for _ in 0..2 {
            breaker.admit(now).unwrap().failed(now);
        }
        assert!(breaker.admit(now).is_some());
        breaker.admit(now).unwrap().failed(now);
        assert!(breaker.admit(now).is_none());
    }

    #[test]
    fn after_its_rest_one_probe_decides() {
        let now = Instant::now();
        let breaker = opened(now);
        assert!(breaker.admit(now + REST / 2).is_none());
        let probe = breaker.admit(now + REST).unwrap();
        assert!(breaker.admit(now + REST).is_none(), "one probe at a time");
        probe.failed(now + REST);
        assert!(breaker.admit(now + REST).is_none(), "it rests again");
        breaker.admit(now + REST * 2).unwrap().succeeded();
        assert!(!breaker.is_open(now + REST * 2));
        assert!(breaker.admit(now + REST * 2).is_some());
    }

    #[test]
    fn a_probe_that_nobody_waits_for_leaves_its_place_to_the_next() {
        let now = Instant::now();
        let breaker = opened(now);
        drop(breaker.admit(now + REST).unwrap());
        assert!(breaker.admit(Instant::now()).is_some());
    }

    #[test]
    fn a_late_answer_to_what_was_sent_before_does_not_close_it() {
        let now = Instant::now();
        let breaker = Breaker::new(1, REST);
        let (early, other) = (breaker.admit(now).unwrap(), breaker.admit(now).unwrap());
        other.failed(now);
        early.succeeded();
        assert!(breaker.is_open(now));
    }
}
