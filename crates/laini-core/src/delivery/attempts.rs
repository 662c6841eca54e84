use jiff::{SignedDuration, Timestamp};

use crate::store::DeliveryState;

/// A delivery is tried for so long after it was made, then given up.
pub const GIVEN_UP_AFTER: SignedDuration = SignedDuration::from_hours(72);

/// The longest pause after the first failed attempt; each further one doubles it.
const FIRST_PAUSE_MS: u64 = 5_000;
/// No pause is longer.
const PAUSE_MS_MAX: u64 = 4 * 3_600 * 1_000;

/// What a receiver's status says of an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It took the delivery.
    Delivered,
    /// It wants no more of this delivery.
    Gone,
    /// It did not take it; a redirect is not followed, so it is no success either.
    Failed,
}

impl Verdict {
    /// The verdict of an HTTP status.
    pub fn of(status: u16) -> Self {
        match status {
            200..=299 => Self::Delivered,
            410 => Self::Gone,
            _ => Self::Failed,
        }
    }
}

/// What comes after the failed attempt number `attempts` (from 1) at `now` of a delivery made at `made`:
/// pauses double, a random half of each is left out so that failures of many do not come back together,
/// and the last attempt is made when [`GIVEN_UP_AFTER`] has passed.
pub fn after_failure(made: Timestamp, now: Timestamp, attempts: u32, random: u64) -> DeliveryState {
    let end = made.checked_add(GIVEN_UP_AFTER).unwrap_or(Timestamp::MAX);
    if now >= end {
        return DeliveryState::Dead;
    }
    let doublings = attempts.saturating_sub(1).min(32);
    let pause_ms = (FIRST_PAUSE_MS << doublings).min(PAUSE_MS_MAX);
    let pause_ms = pause_ms / 2 + random % (pause_ms / 2 + 1);
    let pause = SignedDuration::from_millis(i64::try_from(pause_ms).unwrap_or(i64::MAX));
    DeliveryState::Due(now.checked_add(pause).unwrap_or(end).min(end))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const MADE: Timestamp = Timestamp::constant(1_795_000_000, 0);

    #[test]
    fn pauses_double_up_to_four_hours_and_half_of_each_is_chance() {
        // Attempt, and its longest pause.
        let table = [
            (1, 5_000_u64),
            (2, 10_000),
            (3, 20_000),
            (8, 640_000),
            (12, 10_240_000),
            (13, 14_400_000),
            (40, 14_400_000),
            (u32::MAX, 14_400_000),
        ];
        for (attempt, longest_ms) in table {
            let pause_ms = |random| match after_failure(MADE, MADE, attempt, random) {
                DeliveryState::Due(at) => at.duration_since(MADE).as_millis(),
                other => panic!("{other:?}"),
            };
            let half_ms = longest_ms / 2;
            assert_eq!(
                (pause_ms(0), pause_ms(half_ms)),
                (i128::from(half_ms), i128::from(longest_ms)),
                "attempt {attempt}"
            );
        }
    }

    #[test]
    fn the_last_attempt_is_made_after_three_days_and_then_it_is_dead() {
        let end = MADE + GIVEN_UP_AFTER;
        let just_before = end - SignedDuration::from_secs(1);
        assert_eq!(after_failure(MADE, just_before, 30, 0), DeliveryState::Due(end));
        assert_eq!(after_failure(MADE, end, 31, 0), DeliveryState::Dead);
        // Redelivered by hand a month later: one attempt, and dead again.
        assert_eq!(after_failure(MADE, end + SignedDuration::from_hours(720), 32, 0), DeliveryState::Dead);
    }

    #[test]
    fn only_2xx_is_a_delivery_and_410_is_the_end_of_it() {
        let table =
            [(200, Verdict::Delivered), (204, Verdict::Delivered), (299, Verdict::Delivered), (410, Verdict::Gone)];
        let failed = [100, 199, 300, 301, 302, 304, 307, 308, 400, 404, 409, 411, 429, 500, 503, 599];
        for (status, verdict) in table.into_iter().chain(failed.map(|status| (status, Verdict::Failed))) {
            assert_eq!(Verdict::of(status), verdict, "{status}");
        }
    }

    proptest! {
        #[test]
        fn every_delivery_ends_within_its_time(seed in any::<u64>()) {
            let (mut now, mut attempts) = (MADE, 0_u32);
            loop {
                attempts += 1;
                match after_failure(MADE, now, attempts, seed.rotate_left(attempts)) {
                    DeliveryState::Due(next) => {
                        prop_assert!(next > now && next <= MADE + GIVEN_UP_AFTER);
                        now = next;
                    }
                    state => {
                        prop_assert_eq!(state, DeliveryState::Dead);
                        break;
                    }
                }
            }
            prop_assert_eq!(now, MADE + GIVEN_UP_AFTER);
            prop_assert!((20..=60).contains(&attempts), "{} attempts", attempts);
        }
    }
}
