use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// How failures in a row slow somebody down: the first ones cost nothing, then each pause is twice the one before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backoff {
    /// So many failures cost nothing.
    pub free: u32,
    /// The first pause.
    pub first: SignedDuration,
    /// The longest pause.
    pub longest: SignedDuration,
    /// After so long without a failure all of them are forgotten.
    pub forgotten_after: SignedDuration,
}

/// Of one client address that tries one e-mail address: a person who mistypes does not notice, a program does.
pub const OF_PAIR: Backoff = Backoff {
    free: 5,
    first: SignedDuration::from_secs(30),
    longest: SignedDuration::from_hours(1),
    forgotten_after: SignedDuration::from_hours(24),
};

/// Of one e-mail address, from wherever it is tried. Never long: whoever holds it must get in while others guess.
pub const OF_EMAIL: Backoff = Backoff {
    free: 20,
    first: SignedDuration::from_secs(5),
    longest: SignedDuration::from_secs(60),
    forgotten_after: SignedDuration::from_hours(24),
};

/// Failures in a row.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failures {
    /// How many.
    pub count: u32,
    /// When the last one was.
    pub last: Timestamp,
}

impl Failures {
    /// When the next attempt is looked at; not before `now`.
    pub fn next_attempt(self, backoff: &Backoff, now: Timestamp) -> Timestamp {
        let over = self.still_counted(backoff, now).saturating_sub(backoff.free);
        if over == 0 {
            return now;
        }
        let pause = backoff.first * (1_i32 << (over - 1).min(20));
        (self.last + pause.min(backoff.longest)).max(now)
    }

    /// With one more failure at `now`.
    #[must_use]
    pub fn and_one_more(self, backoff: &Backoff, now: Timestamp) -> Self {
        Self { count: self.still_counted(backoff, now).saturating_add(1), last: now }
    }

    /// Without the last one, which turned out to be none.
    #[must_use]
    pub fn without_last(self) -> Self {
        Self { count: self.count.saturating_sub(1), ..self }
    }

    fn still_counted(self, backoff: &Backoff, now: Timestamp) -> u32 {
        if self.last + backoff.forgotten_after <= now { 0 } else { self.count }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NOW: Timestamp = Timestamp::constant(1_795_000_000, 0);

    #[test]
    fn pauses_begin_after_the_free_failures_double_and_end_at_the_longest() {
        // Failures, and the seconds until the next attempt: of a pair, of an e-mail address.
        let cases = [
            (0, 0, 0),
            (5, 0, 0),
            (6, 30, 0),
            (7, 60, 0),
            (8, 120, 0),
            (12, 1_920, 0),
            (13, 3_600, 0),
            (20, 3_600, 0),
            (21, 3_600, 5),
            (22, 3_600, 10),
            (24, 3_600, 40),
            (25, 3_600, 60),
            (u32::MAX, 3_600, 60),
        ];
        for (count, pair, email) in cases {
            let failures = Failures { count, last: NOW };
            let wait = |backoff| (failures.next_attempt(backoff, NOW) - NOW).get_seconds();
            assert_eq!((wait(&OF_PAIR), wait(&OF_EMAIL)), (pair, email), "{count}");
        }
    }

    #[test]
    fn failures_are_forgotten_together_after_a_quiet_day() {
        let failures = Failures { count: 40, last: NOW };
        let day = NOW + SignedDuration::from_hours(24);
        assert_eq!(failures.and_one_more(&OF_PAIR, day), Failures { count: 1, last: day });
        let before = day - SignedDuration::from_secs(1);
        assert_eq!(failures.and_one_more(&OF_PAIR, before).count, 41);
        assert_eq!(failures.and_one_more(&OF_PAIR, NOW).without_last().count, 40);
    }

    proptest! {
        #[test]
        fn nobody_waits_longer_than_the_longest_pause_whatever_they_do(
            gaps_s in prop::collection::vec(0_i64..200_000, 0..60),
        ) {
            for backoff in [&OF_PAIR, &OF_EMAIL] {
                let (mut failures, mut now) = (Failures::default(), NOW);
                for gap in &gaps_s {
                    now += SignedDuration::from_secs(*gap);
                    failures = failures.and_one_more(backoff, now);
                    let next = failures.next_attempt(backoff, now);
                    prop_assert!(next >= now && next <= now + backoff.longest);
                    prop_assert!(failures.count > backoff.free || next == now);
                }
            }
        }
    }
}
