use std::time::Duration;

/// How long to wait before another attempt, and when to stop.
#[derive(Debug, Clone)]
pub(crate) struct Backoff {
    pub(crate) max_retries: u32,
    pub(crate) first: Duration,
    pub(crate) max: Duration,
    pub(crate) retry_after_max: Duration,
}

impl Backoff {
    /// The pause before retry number `retry` (from 0): doubling from `first` to `max`, half of it
    /// random (`jitter`, 0 to 1), on top of what the server asked for. `None` = stop: the retries are
    /// used up, the server wants more patience than allowed, or the pause would outlast the time left.
    pub(crate) fn pause(&self, retry: u32, asked: Option<Duration>, left: Duration, jitter: f64) -> Option<Duration> {
        let asked = asked.unwrap_or_default();
        if retry >= self.max_retries || asked > self.retry_after_max {
            return None;
        }
        let full = self.first.saturating_mul(2u32.saturating_pow(retry)).min(self.max);
        let pause = asked + full / 2 + (full / 2).mul_f64(jitter.clamp(0.0, 1.0));
        (pause < left).then_some(pause)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: Duration = Duration::from_mins(1);

    fn backoff() -> Backoff {
        Backoff {
            max_retries: 4,
            first: Duration::from_millis(200),
            max: Duration::from_secs(1),
            retry_after_max: Duration::from_secs(10),
        }
    }

    #[test]
    fn pauses_double_up_to_their_limit_and_half_is_jitter() {
        let pauses = |jitter| [0, 1, 2, 3].map(|retry| backoff().pause(retry, None, LONG, jitter).unwrap().as_millis());
        assert_eq!(pauses(0.0), [100, 200, 400, 500]);
        assert_eq!(pauses(1.0), [200, 400, 800, 1_000]);
        assert_eq!(backoff().pause(4, None, LONG, 0.0), None);
    }

    #[test]
    fn the_server_is_given_the_time_that_it_asks_for_or_the_check_ends() {
        let pause = |seconds, left| backoff().pause(0, Some(Duration::from_secs(seconds)), left, 0.0);
        assert_eq!(pause(10, LONG), Some(Duration::from_millis(10_100)));
        assert_eq!(pause(0, LONG), Some(Duration::from_millis(100)));
        assert_eq!(pause(11, LONG), None);
        assert_eq!(pause(10, Duration::from_secs(10)), None);
    }

    #[test]
    fn extremes_do_not_overflow() {
        let wild = Backoff { max_retries: u32::MAX, max: Duration::MAX, ..backoff() };
        assert!(wild.pause(10, None, Duration::MAX, f64::INFINITY).is_some());
        let bounded = Backoff { max_retries: u32::MAX, ..backoff() };
        assert!(bounded.pause(u32::MAX - 1, None, LONG, 0.5).is_some());
    }
}
