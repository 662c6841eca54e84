use std::fmt;
use std::time::Duration;

use hdrhistogram::Histogram;

/// Figures over time are kept for so long each.
pub(super) const WINDOW: Duration = Duration::from_millis(100);
/// A later answer counts as this late.
const LATENCY_US_AT_MOST: u64 = 60_000_000;
/// Two digits: 1 % is less than the noise.
const DIGITS: u8 = 2;

/// How the server answered one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::bench) enum Outcome {
    /// 200.
    Accepted,
    /// 503: it sheds load.
    Shed,
    /// 429: a limit of the partner's own.
    Limited,
    /// Any other status.
    Unexpected,
}

impl Outcome {
    pub(super) fn of(status: u16) -> Self {
        match status {
            200 => Self::Accepted,
            503 => Self::Shed,
            429 => Self::Limited,
            _ => Self::Unexpected,
        }
    }
}

/// What became of the requests that fell due in one stretch of time.
#[derive(Clone)]
pub(in crate::bench) struct Window {
    pub(in crate::bench) offered: u64,
    accepted: Histogram<u64>,
    shed: Histogram<u64>,
    pub(in crate::bench) limited: u64,
    pub(in crate::bench) unexpected: u64,
    /// The connection broke, or no answer came.
    pub(in crate::bench) broken: u64,
    /// Never sent: every connection was still waiting for an answer.
    pub(in crate::bench) unsent: u64,
    /// Never sent: the generator itself was behind.
    pub(in crate::bench) skipped: u64,
}

impl Window {
    fn new() -> Self {
        let (accepted, shed) = (histogram(), histogram());
        Self { offered: 0, accepted, shed, limited: 0, unexpected: 0, broken: 0, unsent: 0, skipped: 0 }
    }

    /// Whether every request was accepted that could be made.
    pub(super) fn is_clean(&self) -> bool {
        !self.accepted.is_empty() && self.accepted.len() + self.skipped == self.offered
    }

    pub(in crate::bench) fn accepted(&self) -> u64 {
        self.accepted.len()
    }

    pub(in crate::bench) fn shed(&self) -> u64 {
        self.shed.len()
    }

    /// How long accepted requests took, from when they fell due, in ms.
    pub(super) fn accepted_ms(&self, quantile: f64) -> f64 {
        milliseconds(&self.accepted, quantile)
    }

    /// The same of those that were shed.
    pub(super) fn shed_ms(&self, quantile: f64) -> f64 {
        milliseconds(&self.shed, quantile)
    }

    fn add(&mut self, other: &Self) {
        self.offered += other.offered;
        add(&mut self.accepted, &other.accepted);
        add(&mut self.shed, &other.shed);
        self.limited += other.limited;
        self.unexpected += other.unexpected;
        self.broken += other.broken;
        self.unsent += other.unsent;
        self.skipped += other.skipped;
    }
}

/// What became of one load.
#[derive(Clone)]
pub(in crate::bench) struct Tally {
    length: Duration,
    pub(super) windows: Vec<Window>,
    /// How long after they fell due requests were sent: the generator's own share of every latency.
    late: Histogram<u64>,
    /// From the end of the load until the last answer.
    pub(super) drain: Duration,
}

impl Tally {
    pub(in crate::bench) fn new(length: Duration) -> Self {
        let windows = length.as_nanos().div_ceil(WINDOW.as_nanos());
        let windows = vec![Window::new(); usize::try_from(windows).unwrap_or(usize::MAX)];
        Self { length, windows, late: histogram(), drain: Duration::ZERO }
    }

    fn window(&mut self, due: Duration) -> &mut Window {
        let index = usize::try_from(due.as_nanos() / WINDOW.as_nanos()).unwrap_or(usize::MAX);
        let last = self.windows.len() - 1;
        &mut self.windows[index.min(last)]
    }

    pub(in crate::bench) fn offered(&mut self, due: Duration) {
        self.window(due).offered += 1;
    }

    pub(super) fn sent(&mut self, due: Duration, at: Duration) {
        self.late.saturating_record(micros(at.saturating_sub(due)));
    }

    pub(super) fn unsent(&mut self, due: Duration) {
        self.window(due).unsent += 1;
    }

    pub(super) fn skipped(&mut self, due: Duration) {
        self.window(due).skipped += 1;
    }

    pub(super) fn broken(&mut self, due: Duration) {
        self.window(due).broken += 1;
    }

    pub(in crate::bench) fn answered(&mut self, due: Duration, at: Duration, outcome: Outcome) {
        let took = micros(at.saturating_sub(due));
        let window = self.window(due);
        match outcome {
            Outcome::Accepted => window.accepted.saturating_record(took),
            Outcome::Shed => window.shed.saturating_record(took),
            Outcome::Limited => window.limited += 1,
            Outcome::Unexpected => window.unexpected += 1,
        }
    }

    /// For how long the load was offered.
    pub(super) fn length_s(&self) -> f64 {
        self.length.as_secs_f64()
    }

    /// All windows in one.
    pub(in crate::bench) fn whole(&self) -> Window {
        let mut whole = Window::new();
        self.windows.iter().for_each(|window| whole.add(window));
        whole
    }

    /// A count of this load, a second.
    #[expect(clippy::cast_precision_loss, reason = "counts of one load are far below 2^52")]
    pub(in crate::bench) fn per_s(&self, count: u64) -> f64 {
        count as f64 / self.length_s()
    }

    pub(in crate::bench) fn accepted_per_s(&self) -> f64 {
        self.per_s(self.whole().accepted())
    }

    pub(in crate::bench) fn accepted_ms(&self, quantile: f64) -> f64 {
        self.whole().accepted_ms(quantile)
    }

    pub(in crate::bench) fn shed_ms(&self, quantile: f64) -> f64 {
        self.whole().shed_ms(quantile)
    }

    /// How late the generator itself was, in ms.
    pub(in crate::bench) fn late_ms(&self, quantile: f64) -> f64 {
        milliseconds(&self.late, quantile)
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let whole = self.whole();
        let Window { offered, limited, unexpected, broken, unsent, skipped, .. } = whole;
        let (accepted, shed) = (whole.accepted(), whole.shed());
        write!(f, "offered {:.0}/s, 200 {:.0}/s", self.per_s(offered), self.per_s(accepted))?;
        write!(f, " (p99 {:.1} ms), 503 {:.0}/s", whole.accepted_ms(0.99), self.per_s(shed))?;
        write!(f, " (p99 {:.1} ms), {limited} × 429, {unexpected} others, {broken} broken", whole.shed_ms(0.99))?;
        write!(f, ", {:.0}/s unsent, {:.0}/s skipped", self.per_s(unsent), self.per_s(skipped))?;
        write!(f, ", sent {:.1} ms late (p99)", self.late_ms(0.99))
    }
}

fn histogram() -> Histogram<u64> {
    Histogram::new_with_bounds(1, LATENCY_US_AT_MOST, DIGITS).expect("the bounds are valid")
}

fn add(to: &mut Histogram<u64>, from: &Histogram<u64>) {
    to.add(from).expect("both have the same bounds");
}

#[expect(clippy::cast_precision_loss, reason = "a minute in µs is far below 2^52")]
fn milliseconds(histogram: &Histogram<u64>, quantile: f64) -> f64 {
    histogram.value_at_quantile(quantile) as f64 / 1e3
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_outcome_is_counted_where_it_fell_due() {
        let ms = Duration::from_millis;
        let mut tally = Tally::new(ms(1_000));
        assert_eq!(tally.windows.len(), 10);
        for (due, status) in [(0, 200), (50, 503), (150, 429), (999, 500), (1_000, 200)] {
            tally.offered(ms(due));
            tally.answered(ms(due), ms(due + 20), Outcome::of(status));
        }
        tally.offered(ms(990));
        tally.unsent(ms(990));
        let seen: Vec<_> =
            tally.windows.iter().map(|one| (one.offered, one.accepted(), one.shed(), one.limited)).collect();
        assert_eq!(&seen[..3], [(2, 1, 1, 0), (1, 0, 0, 1), (0, 0, 0, 0)]);
        assert_eq!(seen[9], (3, 1, 0, 0));
        let whole = tally.whole();
        assert_eq!((whole.offered, whole.unexpected, whole.unsent, whole.broken), (6, 1, 1, 0));
        assert!((tally.accepted_ms(0.99) - 20.0).abs() < 0.5, "{}", tally.accepted_ms(0.99));
    }
}
