//! Whether an app seems to walk through the numbers instead of asking about its customers.

use laini_core::line::Msisdn;

/// How many of the newest numbers a new one is compared to: an app's threads interleave.
const RECENT: usize = 16;
/// A number that lies so close to a recent one is a step of a walk. Customers' numbers hardly ever do.
const STEP: u64 = 3;
/// So many steps in a day make a walk, where they are at least a third of what was asked.
const WALK_STEPS: u64 = 200;
/// So many free 404s in a day are suspicious,
const NOT_SERVED_MIN: u64 = 100;
/// where they are more than this share of what was asked.
const NOT_SERVED_PERCENT: u64 = 20;
/// So many distinct numbers in a day are suspicious,
const DISTINCT_MIN: u64 = 1_000;
/// where they are so many times the most that the app asked on any day before.
const DISTINCT_TIMES: u64 = 10;

/// What an app did that looks like probing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Suspicion {
    /// It asked for number after number.
    Walk,
    /// It lives off the free "not served".
    FreeAnswers,
    /// It asked about far more numbers than ever.
    ManyNumbers,
}

impl Suspicion {
    /// For people: the log and the audit trail.
    pub(crate) fn reason(self) -> &'static str {
        match self {
            Self::Walk => "it asks for number after number",
            Self::FreeAnswers => "an unusual share of its numbers is not served",
            Self::ManyNumbers => "it asks about far more numbers than on any day before",
        }
    }
}

/// What one app asked today.
#[derive(Debug, Default)]
pub(super) struct Probe {
    recent: [u64; RECENT],
    newest: usize,
    asked: u64,
    steps: u64,
    not_served: u64,
    distinct: Distinct,
    suspected: Option<Suspicion>,
    /// The most numbers on any day before, as far as is known; 0 = no day is.
    most_before: u64,
}

impl Probe {
    /// Begins a new day.
    pub(super) fn next_day(&mut self) {
        let most_before = self.most_before.max(self.distinct.estimate());
        *self = Self { most_before, ..Self::default() };
    }

    /// Learns how many numbers the app asked about on an earlier day.
    pub(super) fn learn(&mut self, asked_on_a_day: u64) {
        self.most_before = self.most_before.max(asked_on_a_day);
    }

    /// What it is suspected of today.
    pub(super) fn suspected(&self) -> Option<Suspicion> {
        self.suspected
    }

    /// Notes a number; a suspicion is returned once a day.
    pub(super) fn asked(&mut self, msisdn: Msisdn) -> Option<Suspicion> {
        let number = msisdn.as_u64();
        self.asked += 1;
        self.steps += u64::from(self.recent.iter().any(|recent| (1..=STEP).contains(&recent.abs_diff(number))));
        self.newest = (self.newest + 1) % RECENT;
        self.recent[self.newest] = number;
        self.distinct.insert(number);
        self.suspect()
    }

    /// Notes that a number was not served.
    pub(super) fn not_served(&mut self) -> Option<Suspicion> {
        self.not_served += 1;
        self.suspect()
    }

    fn suspect(&mut self) -> Option<Suspicion> {
        if self.suspected.is_some() {
            return None;
        }
        let many = DISTINCT_MIN.max(self.most_before.saturating_mul(DISTINCT_TIMES));
        let suspicion = if self.steps >= WALK_STEPS && self.steps * 3 >= self.asked {
            Suspicion::Walk
        } else if self.not_served >= NOT_SERVED_MIN && self.not_served * 100 > self.asked * NOT_SERVED_PERCENT {
            Suspicion::FreeAnswers
        // Only a few of the askings are worth the logarithm.
        } else if self.most_before > 0
            && self.asked > many
            && self.asked.is_multiple_of(64)
            && self.distinct.estimate() > many
        {
            Suspicion::ManyNumbers
        } else {
            return None;
        };
        self.suspected = Some(suspicion);
        Some(suspicion)
    }
}

/// About how many distinct numbers there were, in 8 KiB (linear counting; good to some per cent up to
/// half a million).
#[derive(Debug, Default)]
struct Distinct {
    /// Allocated with the first number: most apps are quiet on most days.
    bits: Vec<u64>,
    set: u32,
}

impl Distinct {
    const BITS: u32 = 1 << 16;

    fn insert(&mut self, number: u64) {
        if self.bits.is_empty() {
            self.bits = vec![0; Self::BITS as usize / 64];
        }
        let hash = mixed(number) >> 48;
        let (word, bit) = ((hash / 64) as usize, 1 << (hash % 64));
        self.set += u32::from(self.bits[word] & bit == 0);
        self.bits[word] |= bit;
    }

    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count, rounded")]
    fn estimate(&self) -> u64 {
        let all = f64::from(Self::BITS);
        let clear = (all - f64::from(self.set)).max(1.0);
        (all * (all / clear).ln()).round() as u64
    }
}

/// Spreads neighbours over all bits (the finaliser of SplitMix64).
fn mixed(number: u64) -> u64 {
    let number = (number ^ number >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ number >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ number >> 31
}

#[cfg(test)]
mod tests {
    use super::*;
    use laini_core::line::NumberPlan;

    fn number(n: u64) -> Msisdn {
        NumberPlan::KENYA.parse(&format!("2547{n:08}")).unwrap()
    }

    /// Numbers as customers have them: all over the plan.
    fn scattered(n: u64) -> Msisdn {
        number(n.wrapping_mul(0x9e37_79b9_7f4a_7c15) % 100_000_000)
    }

    fn ask(probe: &mut Probe, numbers: impl Iterator<Item = Msisdn>) -> Vec<Suspicion> {
        numbers.filter_map(|number| probe.asked(number)).collect()
    }

    #[test]
    fn a_walk_is_noticed_once_a_day_also_in_steps_backwards_and_between_others() {
        for walk in [
            (0..400).map(number).collect::<Vec<_>>(),
            (0..400).rev().map(|n| number(n * 3)).collect(),
            (0..400).flat_map(|n| [number(n), scattered(n)]).collect(),
            (0..200).flat_map(|n| [number(n), number(50_000 + n), number(90_000_000 - n)]).collect(),
        ] {
            let mut probe = Probe::default();
            assert_eq!(ask(&mut probe, walk.iter().copied()), [Suspicion::Walk]);
            probe.next_day();
            assert_eq!(probe.suspected(), None);
            assert_eq!(ask(&mut probe, walk.into_iter()), [Suspicion::Walk]);
        }
    }

    #[test]
    fn customers_are_no_walk() {
        let mut probe = Probe::default();
        assert_eq!(ask(&mut probe, (0..50_000).map(scattered)), []);
        // A family's numbers, or a company's: a few neighbours among many.
        let mut probe = Probe::default();
        let mixed = (0..20_000).map(|n| if n % 50 == 0 { number(n / 50) } else { scattered(n) });
        assert_eq!(ask(&mut probe, mixed), []);
    }

    #[test]
    fn living_off_free_answers_is_noticed() {
        let mut probe = Probe::default();
        let suspicions: Vec<_> = (0..400)
            .flat_map(|n| {
                let asked = probe.asked(scattered(n));
                let missed = if n % 3 == 0 { probe.not_served() } else { None };
                [asked, missed]
            })
            .flatten()
            .collect();
        assert_eq!(suspicions, [Suspicion::FreeAnswers]);
    }

    #[test]
    fn far_more_numbers_than_ever_are_noticed_and_the_first_day_is_not() {
        let mut probe = Probe::default();
        assert_eq!(ask(&mut probe, (0..900).map(scattered)), []);
        probe.next_day();
        assert_eq!(ask(&mut probe, (0..8_000).map(scattered)), []);
        probe.next_day();
        // The same few over and over are a retry storm, not a probe.
        assert_eq!(ask(&mut probe, (0..200_000).map(|n| scattered(n % 500))), []);
        probe.next_day();
        assert_eq!(ask(&mut probe, (0..100_000).map(scattered)), [Suspicion::ManyNumbers]);
        let mut told = Probe::default();
        told.learn(2_000);
        assert_eq!(ask(&mut told, (0..19_000).map(scattered)), []);
        assert_eq!(ask(&mut told, (19_000..30_000).map(scattered)), [Suspicion::ManyNumbers]);
    }

    #[test]
    fn distinct_numbers_are_counted_to_a_few_per_cent() {
        for count in [10_u64, 1_000, 50_000, 300_000] {
            let mut distinct = Distinct::default();
            (0..count).for_each(|n| distinct.insert(scattered(n).as_u64()));
            let estimate = distinct.estimate();
            assert!(estimate.abs_diff(count) * 100 <= count * 6, "{count}: {estimate}");
        }
    }
}
