use std::collections::VecDeque;

use super::measured::{COMMIT_FIXED_MS, COMMIT_US_PER_ROW, ROWS_WAITING_MAX};

/// One node's chain: checks arrive at random moments, wait for the commit that is under way, and go
/// together in the next one.
#[derive(Debug, Clone, Copy)]
pub(super) struct Chain {
    /// What a commit takes whatever it holds.
    pub(super) commit_ms: f64,
}

/// How checks fared.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Fared {
    pub(super) p50_ms: f64,
    pub(super) p99_ms: f64,
    /// Checks that found the queue full and were answered 503, of all.
    pub(super) refused_share: f64,
    /// Rows of a commit, on the mean.
    pub(super) rows_per_commit: f64,
}

/// What happens before this is not counted: the queue begins empty.
const WARM_UP_S: f64 = 1.0;

impl Chain {
    pub(super) fn new(standby_ms: f64) -> Self {
        Self { commit_ms: COMMIT_FIXED_MS + standby_ms }
    }

    /// Plays `seconds` with so many checks a second.
    #[expect(clippy::cast_precision_loss, reason = "counts of a short run")]
    pub(super) fn play(self, checks_per_s: f64, seconds: f64, seed: u64) -> Fared {
        let mut random = fastrand::Rng::with_seed(seed);
        let mut next = |now: f64| now - (1.0 - random.f64()).ln() / checks_per_s;
        let (mut arrival, mut free_at) = (next(0.0), 0.0);
        let (mut waiting, mut times_ms) = (VecDeque::new(), Vec::new());
        let (mut refused, mut counted, mut commits, mut rows) = (0_u64, 0_u64, 0_u64, 0_u64);
        while free_at < WARM_UP_S + seconds {
            // Whoever comes until the writer is free waits for it; an idle one begins with the first.
            while arrival <= free_at || waiting.is_empty() {
                counted += u64::from(arrival >= WARM_UP_S);
                if waiting.len() < ROWS_WAITING_MAX {
                    waiting.push_back(arrival);
                } else {
                    refused += u64::from(arrival >= WARM_UP_S);
                }
                free_at = if waiting.len() == 1 { arrival.max(free_at) } else { free_at };
                arrival = next(arrival);
            }
            let held = waiting.len();
            free_at += self.commit_ms / 1e3 + held as f64 * COMMIT_US_PER_ROW / 1e6;
            commits += 1;
            rows += held as u64;
            let done = waiting.drain(..).filter(|came| *came >= WARM_UP_S);
            times_ms.extend(done.map(|came| (free_at - came) * 1e3));
        }
        times_ms.sort_unstable_by(f64::total_cmp);
        let at = |percent: usize| times_ms.get(times_ms.len() * percent / 100).copied().unwrap_or(0.0);
        Fared {
            p50_ms: at(50),
            p99_ms: at(99),
            refused_share: refused as f64 / counted.max(1) as f64,
            rows_per_commit: rows as f64 / commits.max(1) as f64,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CEILING: f64 = 1e6 / COMMIT_US_PER_ROW;

    #[test]
    fn a_commit_holds_what_came_during_the_one_before() {
        let chain = Chain::new(1.0);
        for load in [0.5, 0.8, 0.9] {
            let fared = chain.play(CEILING * load, 20.0, 7);
            // n = λ (f + n c), so n = λ f / (1 - λ c).
            let expected = CEILING * load * chain.commit_ms / 1e3 / (1.0 - load);
            assert!((fared.rows_per_commit / expected - 1.0).abs() < 0.05, "{load}: {fared:?}, {expected}");
            assert!(fared.refused_share == 0.0, "{fared:?}");
        }
    }

    #[test]
    fn a_lone_check_takes_one_commit() {
        let fared = Chain::new(1.0).play(1.0, 500.0, 3);
        assert!((fared.p50_ms - 1.447).abs() < 0.01, "{fared:?}");
    }

    #[test]
    fn beyond_what_a_chain_carries_checks_are_refused_and_waits_stay_bounded() {
        let chain = Chain::new(1.0);
        let fared = chain.play(CEILING * 1.5, 10.0, 5);
        assert!((0.30..0.36).contains(&fared.refused_share), "{fared:?}");
        let commit_ms = chain.commit_ms + 8_192.0 * COMMIT_US_PER_ROW / 1e3;
        assert!(fared.p99_ms <= 2.0 * commit_ms, "{fared:?}");
    }

    #[test]
    fn equal_seeds_play_alike() {
        let chain = Chain::new(0.0);
        assert_eq!(chain.play(5_000.0, 2.0, 9), chain.play(5_000.0, 2.0, 9));
    }
}
