use std::collections::HashMap;
use std::hash::Hash;
use std::mem;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// Allows each key a burst at once and, in the long run, one more per interval (GCRA). Its memory is
/// bounded; under pressure it forgets, so it errs on the side of letting through.
#[derive(Debug)]
pub struct Throttle<K> {
    interval: Duration,
    burst: u32,
    keys_max: usize,
    kept: Mutex<Generations<K>>,
}

/// When each key will have used up nothing. What is not there has used up nothing already.
///
/// Two generations, so that forgetting costs nothing: a key's instant never lies further ahead than
/// the burst's whole time, so a generation of that age holds nothing that matters.
#[derive(Debug)]
struct Generations<K> {
    young: HashMap<K, Instant>,
    old: HashMap<K, Instant>,
    turned: Instant,
}

impl<K: Hash + Eq> Throttle<K> {
    /// Allows `burst` at once, regained one by one every `interval`, for at most `keys_max` keys.
    pub fn new(burst: u32, interval: Duration, keys_max: usize) -> Self {
        let kept = Generations { young: HashMap::new(), old: HashMap::new(), turned: Instant::now() };
        Self { interval, burst: burst.max(1), keys_max, kept: Mutex::new(kept) }
    }

    /// `Err` with the time to wait where `key` has used up everything. Uses up nothing.
    pub fn check(&self, key: &K) -> Result<(), Duration> {
        let now = Instant::now();
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let full = kept.full_again(key, now);
        let allowed_from = full + self.interval;
        let latest = now + self.interval * self.burst;
        if allowed_from <= latest { Ok(()) } else { Err(allowed_from - latest) }
    }

    /// Uses up one of `key`.
    pub fn spend(&self, key: K) {
        let now = Instant::now();
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let full = kept.full_again(&key, now) + self.interval;
        if kept.young.len() >= self.keys_max / 2 || now.duration_since(kept.turned) >= self.interval * self.burst {
            kept.old = mem::take(&mut kept.young);
            kept.turned = now;
        }
        kept.young.insert(key, full);
    }

    /// Uses up one of `key`, or says how long to wait for one.
    pub fn take(&self, key: K) -> Result<(), Duration> {
        self.check(&key)?;
        self.spend(key);
        Ok(())
    }
}

impl<K: Hash + Eq> Generations<K> {
    fn full_again(&self, key: &K, now: Instant) -> Instant {
        self.young.get(key).or_else(|| self.old.get(key)).map_or(now, |full| now.max(*full))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Duration = Duration::from_hours(1);

    #[test]
    fn a_key_waits_after_its_burst_and_others_do_not() {
        let throttle = Throttle::new(3, HOUR, 100);
        for _ in 0..3 {
            assert_eq!(throttle.take("a"), Ok(()));
        }
        let wait = throttle.take("a").unwrap_err();
        assert!(wait <= HOUR && wait > HOUR / 2, "{wait:?}");
        assert_eq!(throttle.take("b"), Ok(()));
    }

    #[test]
    fn what_was_used_up_comes_back() {
        let throttle = Throttle::new(2, Duration::from_nanos(1), 100);
        for _ in 0..1_000 {
            assert_eq!(throttle.take(()), Ok(()));
        }
    }

    #[test]
    fn its_memory_is_bounded() {
        let throttle = Throttle::new(1, HOUR, 100);
        for key in 0..10_000 {
            throttle.spend(key);
        }
        let kept = throttle.kept.lock().unwrap();
        assert!(kept.young.len() + kept.old.len() <= 100);
        drop(kept);
        assert!(throttle.check(&9_999).is_err());
        assert!(throttle.check(&0).is_ok());
    }
}
