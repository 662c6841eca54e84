use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use laini_core::support::{CALL_TIME_BOUNDS, CallTimes};
use prometheus_client::encoding::{EncodeMetric, MetricEncoder, NoLabelSet};
use prometheus_client::metrics::{MetricType, TypedMetric};

/// Upper bounds of latencies, in nanoseconds.
static LATENCY_BOUNDS_NS: [u64; CALL_TIME_BOUNDS.len()] = in_nanoseconds(CALL_TIME_BOUNDS);
/// Upper bounds of how many things come at once.
const COUNT_BOUNDS: &[u64] = &[1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1_024, 2_048, 4_096, 8_192];
const NS_PER_S: f64 = 1e9;

/// A histogram of two atomic additions per observation: the library's own takes a lock.
#[derive(Debug, Clone)]
pub(super) struct Distribution(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    bounds: &'static [u64],
    /// How many of the unit that is counted in make one of the unit that is shown.
    scale: f64,
    /// One per bound, and one for what lies beyond the last.
    counts: Vec<AtomicU64>,
    sum: AtomicU64,
}

impl Distribution {
    /// Of durations, shown in seconds.
    pub(super) fn of_latencies() -> Self {
        Self::new(&LATENCY_BOUNDS_NS, NS_PER_S)
    }

    /// Of counts.
    pub(super) fn of_counts() -> Self {
        Self::new(COUNT_BOUNDS, 1.0)
    }

    fn new(bounds: &'static [u64], scale: f64) -> Self {
        let counts = (0..=bounds.len()).map(|_| AtomicU64::new(0)).collect();
        Self(Arc::new(Inner { bounds, scale, counts, sum: AtomicU64::new(0) }))
    }

    /// Adds a duration.
    pub(super) fn took(&self, took: Duration) {
        self.observe(u64::try_from(took.as_nanos()).unwrap_or(u64::MAX));
    }

    /// In how many microseconds so many of a hundred durations lie: a bound of the histogram; `None` = there is none, or
    /// they lie beyond the last.
    pub(super) fn within(&self, percent: u64) -> Option<u64> {
        let counts: Vec<u64> = self.0.counts.iter().map(|count| count.load(Ordering::Relaxed)).collect();
        CallTimes::of(counts.try_into().ok()?).within(percent)
    }

    /// Adds a value, in the unit that is counted in.
    pub(super) fn observe(&self, value: u64) {
        let bucket = self.0.bounds.partition_point(|bound| *bound < value);
        self.0.counts[bucket].fetch_add(1, Ordering::Relaxed);
        self.0.sum.fetch_add(value, Ordering::Relaxed);
    }
}

const fn in_nanoseconds<const N: usize>(mut micros: [u64; N]) -> [u64; N] {
    let mut at = 0;
    while at < N {
        micros[at] *= 1_000;
        at += 1;
    }
    micros
}

#[expect(clippy::cast_precision_loss, reason = "shown figures need no more than 52 bits")]
fn shown(value: u64, scale: f64) -> f64 {
    value as f64 / scale
}

impl EncodeMetric for Distribution {
    fn encode(&self, mut encoder: MetricEncoder<'_>) -> Result<(), fmt::Error> {
        let Inner { bounds, scale, counts, sum } = &*self.0;
        let bounds = bounds.iter().map(|bound| shown(*bound, *scale)).chain([f64::INFINITY]);
        let counts = counts.iter().map(|count| count.load(Ordering::Relaxed));
        let buckets: Vec<(f64, u64)> = bounds.zip(counts).collect();
        let count = buckets.iter().map(|(_, count)| count).sum();
        encoder.encode_histogram::<NoLabelSet>(shown(sum.load(Ordering::Relaxed), *scale), count, &buckets, None)
    }

    fn metric_type(&self) -> MetricType {
        MetricType::Histogram
    }
}

impl TypedMetric for Distribution {
    const TYPE: MetricType = MetricType::Histogram;
}

#[cfg(test)]
mod tests {
    use prometheus_client::encoding::text::encode;
    use prometheus_client::registry::Registry;

    use super::*;

    #[test]
    fn a_value_lies_in_the_first_bucket_that_holds_it() {
        let latencies = Distribution::of_latencies();
        for micros in [99, 100, 101, 30_000_000] {
            latencies.took(Duration::from_micros(micros));
        }
        let mut registry = Registry::default();
        registry.register("x", "X", latencies);
        let mut text = String::new();
        encode(&mut text, &registry).unwrap();
        for line in [
            "x_count 4",
            "x_bucket{le=\"0.0001\"} 2",
            "x_bucket{le=\"0.00025\"} 3",
            "x_bucket{le=\"10.0\"} 3",
            "x_bucket{le=\"+Inf\"} 4",
        ] {
            assert!(text.contains(line), "{line} in {text}");
        }
        assert!(text.contains("x_sum 30.0003"), "{text}");
    }

    #[test]
    fn a_share_of_what_was_seen_lies_within_a_bound() {
        let latencies = Distribution::of_latencies();
        assert_eq!(latencies.within(50), None);
        for micros in std::iter::repeat_n(200, 98).chain([900_000, 30_000_000]) {
            latencies.took(Duration::from_micros(micros));
        }
        assert_eq!(latencies.within(50), Some(250));
        assert_eq!(latencies.within(99), Some(1_000_000));
        assert_eq!(latencies.within(100), None, "beyond the last bound");
    }
}
