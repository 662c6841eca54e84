use std::time::Duration;

use serde::{Deserialize, Serialize};

/// What is told apart of how long calls take: upper bounds in microseconds, 100 µs to 10 s.
pub const CALL_TIME_BOUNDS: [u64; 16] = [
    100, 250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000, 1_000_000, 2_500_000,
    5_000_000, 10_000_000,
];

/// How many calls took how long.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallTimes {
    /// Of each bound, and of what lies beyond the last.
    counts: [u64; CALL_TIME_BOUNDS.len() + 1],
}

impl CallTimes {
    /// Those that were counted so: of each bound of [`CALL_TIME_BOUNDS`], and of what lies beyond the last.
    pub fn of(counts: [u64; CALL_TIME_BOUNDS.len() + 1]) -> Self {
        Self { counts }
    }

    /// Counts a call.
    pub fn add(&mut self, took: Duration) {
        let micros = u64::try_from(took.as_nanos().div_ceil(1_000)).unwrap_or(u64::MAX);
        let place = CALL_TIME_BOUNDS.partition_point(|bound| *bound < micros);
        if let Some(count) = self.counts.get_mut(place) {
            *count = count.saturating_add(1);
        }
    }

    /// Both together.
    #[must_use]
    pub fn with(mut self, other: &Self) -> Self {
        for (count, more) in self.counts.iter_mut().zip(other.counts) {
            *count = count.saturating_add(more);
        }
        self
    }

    /// How many calls there were.
    pub fn calls(&self) -> u64 {
        self.counts.iter().fold(0, |sum, count| u64::saturating_add(sum, *count))
    }

    /// In how many microseconds so many of a hundred calls were answered at most: one of [`CALL_TIME_BOUNDS`]; `None` =
    /// there was none, or they lie beyond the last.
    pub fn within(&self, percent: u64) -> Option<u64> {
        let wanted = self.calls().saturating_mul(percent).div_ceil(100).max(1);
        let mut seen = 0_u64;
        let place = self.counts.iter().position(|count| {
            seen = seen.saturating_add(*count);
            seen >= wanted
        })?;
        CALL_TIME_BOUNDS.get(place).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_are_counted_by_the_bound_that_they_kept_to() {
        let mut times = CallTimes::default();
        assert_eq!((times.calls(), times.within(50)), (0, None));
        for nanos in [1, 100_000, 100_001, 250_000, 250_001] {
            times.add(Duration::from_nanos(nanos));
        }
        assert_eq!(times.calls(), 5);
        let within = [1, 40, 41, 80, 81, 100].map(|percent| times.within(percent));
        assert_eq!(within, [Some(100), Some(100), Some(250), Some(250), Some(500), Some(500)]);
        times.add(Duration::from_secs(10));
        assert_eq!(times.within(100), Some(10_000_000));
        times.add(Duration::from_secs(11));
        assert_eq!((times.calls(), times.within(100), times.within(50)), (7, None, Some(250)));
    }

    #[test]
    fn two_counts_make_one() {
        let [mut one, mut other, mut both] = [CallTimes::default(); 3];
        for millis in 0..200 {
            let took = Duration::from_millis(millis * millis);
            if millis % 3 == 0 {
                one.add(took);
            } else {
                other.add(took);
            }
            both.add(took);
        }
        assert_eq!((one.with(&other), other.with(&one)), (both, both));
    }
}
