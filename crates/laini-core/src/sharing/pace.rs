use std::time::Duration;

use crate::partner::Rate;
use crate::store::Paces;

/// A rate that nobody asked at for so many ticks is not told to other nodes any more.
const IDLE_TICKS_MAX: u32 = 5;
/// Every node has at least its equal part of a rate divided by this.
const FLOOR: f64 = 4.0;

/// A node's part of a rate: what it is asked for, of what all nodes are; but never so little that it could
/// not begin. `nodes` are all there are, `others` what each other one with demand is asked for. The parts
/// of nodes that know the same come to one.
pub fn fraction(own: u64, others: &[u64], nodes: u32) -> f64 {
    let asked = u32::try_from(others.len()).unwrap_or(u32::MAX).saturating_add(1);
    let floor = 1.0 / (FLOOR * f64::from(nodes.max(asked)));
    let mut demands: Vec<u64> = others.iter().copied().chain([own]).collect();
    demands.sort_unstable();
    // Whoever would get less than the floor gets the floor; the others share the rest.
    let (mut divided, mut rest) = (1.0, demands.iter().copied().map(as_f64).sum::<f64>());
    for demand in demands {
        if divided * as_f64(demand) >= floor * rest {
            break;
        }
        if demand == own {
            return floor;
        }
        divided -= floor;
        rest -= as_f64(demand);
    }
    if rest > 0.0 { divided * as_f64(own) / rest } else { divided / f64::from(asked) }
}

#[expect(clippy::cast_precision_loss, reason = "demands lie far below 2⁵³")]
fn as_f64(count: u64) -> f64 {
    count as f64
}

/// A token bucket whose rate may change at any time without being filled by that.
#[derive(Debug, Clone, Copy, Default)]
pub struct Bucket {
    level: f64,
    filled_at: Option<Duration>,
}

impl Bucket {
    /// Takes `numbers` at this part of `rate`, or says how long to wait. More than the part's burst is
    /// taken from a full bucket, which then owes it.
    pub fn take(&mut self, numbers: u32, rate: Rate, part: f64, now: Duration) -> Result<(), Duration> {
        let burst = (f64::from(rate.burst.get()) * part).max(1.0);
        let per_second = f64::from(rate.per_second.get()) * part;
        let since = self.filled_at.map(|at| now.saturating_sub(at).as_secs_f64());
        self.level = since.map_or(burst, |since| (self.level + since * per_second).min(burst));
        self.filled_at = Some(now);
        let missing = f64::from(numbers).min(burst) - self.level;
        // Less than a millionth of a number is a rounding error.
        if missing > 1e-6 {
            let wait = Duration::try_from_secs_f64(missing / per_second);
            return Err(wait.unwrap_or(Duration::MAX));
        }
        self.level -= f64::from(numbers);
        Ok(())
    }

    /// What is left of a burst.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "rounded down between 0 and a u32")]
    pub fn left(&self) -> u32 {
        self.level.max(0.0) as u32
    }
}

/// A rate that several nodes share, as one of them sees it.
#[derive(Debug, Clone, Default)]
pub struct SharedPace {
    bucket: Bucket,
    /// This node's part; none before others were heard of.
    part: Option<f64>,
    asked: u64,
    per_tick: u64,
    idle_ticks: u32,
}

impl SharedPace {
    /// Whether this node knows its part.
    pub fn is_known(&self) -> bool {
        self.part.is_some()
    }

    /// Notes that `numbers` are asked for.
    pub fn want(&mut self, numbers: u32) {
        self.asked += u64::from(numbers);
    }

    /// Takes `numbers` at this node's part of `rate`, or says how long to wait.
    pub fn take(&mut self, numbers: u32, rate: Rate, now: Duration) -> Result<(), Duration> {
        self.bucket.take(numbers, rate, self.part.unwrap_or(1.0), now)
    }

    /// What is to be told to the others, in numbers per second; `None` where nothing is.
    pub fn demand(&self) -> Option<u64> {
        (self.asked > 0 || self.part.is_some()).then(|| self.per_second())
    }

    /// What it is asked for: as of the newest tick, or until then as far as it goes.
    fn per_second(&self) -> u64 {
        if self.per_tick == 0 { self.asked.max(1) } else { self.per_tick }
    }

    /// Takes over what others are asked for: the answer to the demand that was told at `place`.
    pub fn heard(&mut self, paces: &Paces, place: usize) {
        let others = paces.others.get(place).map_or(&[][..], Vec::as_slice);
        self.part = Some(fraction(self.per_second(), others, paces.nodes));
    }

    /// Nothing is to be heard; before anything was, this node makes do with the least part.
    pub fn unheard(&mut self, nodes: u32) {
        self.part.get_or_insert(1.0 / (FLOOR * f64::from(nodes.max(1))));
    }

    /// Another second is over.
    pub fn tick(&mut self) {
        self.idle_ticks = if self.asked == 0 { self.idle_ticks.saturating_add(1) } else { 0 };
        let is_new = self.per_tick == 0;
        self.per_tick = if is_new { self.asked } else { self.per_tick.midpoint(self.asked) };
        self.asked = 0;
        if self.idle_ticks >= IDLE_TICKS_MAX {
            (self.part, self.per_tick) = (None, 0);
        }
    }

    /// What is left of the burst in all, as far as this node can tell.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "bounded by the burst")]
    pub fn left(&self, burst: u32) -> u32 {
        match self.part {
            Some(part) if self.bucket.filled_at.is_some() => {
                (f64::from(self.bucket.left()) / part).min(f64::from(burst)) as u32
            }
            _ => burst,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;

    use super::*;
    use proptest::prelude::*;

    fn rate(per_second: u32, burst: u32) -> Rate {
        let count = |n| NonZeroU32::new(n).unwrap();
        Rate { per_second: count(per_second), burst: count(burst) }
    }

    fn parts(demands: &[u64], nodes: u32) -> Vec<f64> {
        let part = |place: usize| {
            let mut others = demands.to_vec();
            let own = others.remove(place);
            fraction(own, &others, nodes)
        };
        (0..demands.len()).map(part).collect()
    }

    #[test]
    fn a_rate_is_split_by_demand_with_a_floor() {
        let table: [(&[u64], u32, &[f64]); 6] = [
            (&[7], 1, &[1.0]),
            (&[7], 3, &[1.0]),
            (&[50, 50], 2, &[0.5, 0.5]),
            (&[60, 30, 10], 3, &[0.6, 0.3, 0.1]),
            (&[90, 5, 5], 3, &[10.0 / 12.0, 1.0 / 12.0, 1.0 / 12.0]),
            (&[0, 0], 2, &[0.5, 0.5]),
        ];
        for (demands, nodes, expected) in table {
            for (part, expected) in parts(demands, nodes).into_iter().zip(expected) {
                assert!((part - expected).abs() < 1e-9, "{demands:?}: {part}, not {expected}");
            }
        }
    }

    proptest! {
        #[test]
        fn parts_come_to_one_and_none_lies_below_the_floor(
            demands in prop::collection::vec(0_u64..1_000_000, 1..12), more in 0_u32..5,
        ) {
            let nodes = u32::try_from(demands.len()).unwrap() + more;
            let parts = parts(&demands, nodes);
            prop_assert!((parts.iter().sum::<f64>() - 1.0).abs() < 1e-9, "{parts:?}");
            let floor = 1.0 / (FLOOR * f64::from(nodes));
            prop_assert!(parts.iter().all(|part| *part >= floor - 1e-12), "{parts:?}");
        }

        #[test]
        fn a_bucket_lets_through_its_burst_and_its_rate_whatever_its_part_does(
            steps in prop::collection::vec((0_u64..2_000, 1_u32..40, 0.05_f64..1.0), 1..200),
        ) {
            let (rate, mut bucket) = (rate(50, 40), Bucket::default());
            let (mut now, mut let_through, mut allowed) = (Duration::ZERO, 0.0, 40.0);
            for (millis, numbers, part) in steps {
                now += Duration::from_millis(millis);
                allowed += 50.0 * part * Duration::from_millis(millis).as_secs_f64();
                if bucket.take(numbers, rate, part, now).is_ok() {
                    let_through += f64::from(numbers);
                }
                // A batch beyond the part's burst is owed by the bucket.
                prop_assert!(let_through <= allowed + 40.0 + 1e-3, "{let_through} of {allowed}");
            }
        }
    }

    #[test]
    fn whoever_waits_as_long_as_told_is_let_through() {
        let (rate, mut bucket) = (rate(10, 100), Bucket::default());
        let mut now = Duration::from_secs(5);
        assert_eq!(bucket.take(100, rate, 0.25, now), Ok(()), "a whole burst, of a full bucket");
        assert_eq!(bucket.left(), 0);
        for numbers in [1, 25, 60, 100, 3] {
            let wait = bucket.take(numbers, rate, 0.25, now).unwrap_err();
            now += wait + Duration::from_micros(1);
            assert_eq!(bucket.take(numbers, rate, 0.25, now), Ok(()), "{numbers} after {wait:?}");
        }
    }

    #[test]
    fn what_nobody_asks_for_is_told_for_a_while_and_then_forgotten() {
        let mut pace = SharedPace::default();
        assert_eq!(pace.demand(), None);
        pace.want(8);
        assert_eq!((pace.demand(), pace.is_known()), (Some(8), false));
        pace.heard(&Paces { nodes: 2, others: vec![vec![8]] }, 0);
        assert!(pace.is_known());
        let told: Vec<_> = (0..8).map(|_| (pace.tick(), pace.demand()).1).collect();
        assert_eq!(told, [Some(8), Some(4), Some(2), Some(1), Some(1), None, None, None]);
        assert!(!pace.is_known());
    }
}
