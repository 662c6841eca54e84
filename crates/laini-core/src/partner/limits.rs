use std::num::NonZeroU32;

use jiff::Timestamp;

use super::Product;
use crate::billing::Money;

/// How many numbers may be asked about. Every limit counts numbers, not requests: a batch of ten counts
/// ten. `None` = no limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Limits {
    /// At a time (429, spike arrest).
    pub rate: Option<Rate>,
    /// From midnight to midnight in the operator's zone (429, quota).
    pub per_day: Option<u64>,
    /// In a calendar month of the operator's zone (429, quota).
    pub per_month: Option<u64>,
}

impl Limits {
    /// The most numbers a second, or at once, that somebody may set: whoever wants more wants none.
    pub const PER_SECOND_MAX: u32 = 1_000_000;
    /// The most numbers a day, or a month, that somebody may set.
    pub const PER_SPAN_MAX: u64 = 1_000_000_000;
    /// Nothing is limited.
    pub const NONE: Self = Self { rate: None, per_day: None, per_month: None };

    /// Whether anything is limited.
    pub fn is_set(&self) -> bool {
        *self != Self::NONE
    }

    /// Whether none of these is larger than the one of `ceiling`. Where there is none of its own, the ceiling holds.
    pub fn are_within(&self, ceiling: &Self) -> bool {
        let count = |own: Option<u64>, most: Option<u64>| own.zip(most).is_none_or(|(own, most)| own <= most);
        let rate = self.rate.zip(ceiling.rate);
        rate.is_none_or(|(own, most)| own.per_second <= most.per_second && own.burst <= most.burst)
            && count(self.per_day, ceiling.per_day)
            && count(self.per_month, ceiling.per_month)
    }
}

/// A rate with its burst.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// Numbers per second in the long run.
    pub per_second: NonZeroU32,
    /// Numbers at once.
    pub burst: NonZeroU32,
}

/// The limits of an app: of each product, and of all together.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AppLimits {
    /// Of each product; a product that is not listed has none of its own.
    pub products: Vec<(Product, Limits)>,
    /// Of everything that it asks.
    pub in_all: Limits,
    /// What it may spend.
    pub budget: Option<Budget>,
    /// What happens when it seems to walk through the numbers.
    pub probing: Probing,
}

impl AppLimits {
    /// The limits of `product` alone.
    pub fn of(&self, product: Product) -> Limits {
        self.products.iter().find(|(limited, _)| *limited == product).map_or(Limits::NONE, |(_, limits)| *limits)
    }

    /// Whether anything is limited; what is limited also limits the free 404s (promises, "Limits").
    pub fn is_set(&self) -> bool {
        self.in_all.is_set() || self.products.iter().any(|(_, limits)| limits.is_set()) || self.budget.is_some()
    }
}

/// What an app may spend in a calendar month of the operator's zone (contract §5). A fraud control must
/// not go dark for an invoice, so a budget warns and lets some overrun pass, unless a hard stop was chosen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Budget {
    /// The month's budget, before tax.
    pub month: Money,
    /// At which shares of it a warning is given, in per cent, ascending.
    pub warn_at_percent: Vec<u8>,
    /// How far beyond it checks are still answered, in per cent; without effect under a hard stop.
    pub overrun_percent: u16,
    /// Whether checks stop at the budget itself.
    pub hard_stop: bool,
}

impl Budget {
    /// A budget with the standard warnings (50, 80 and 100 %) and 20 % of overrun.
    pub fn standard(month: Money) -> Self {
        Self { month, warn_at_percent: vec![50, 80, 100], overrun_percent: 20, hard_stop: false }
    }

    /// The amount in minor units at which checks stop.
    pub fn stop_minor(&self) -> i64 {
        let overrun = if self.hard_stop { 0 } else { i64::from(self.overrun_percent) };
        let extra = i128::from(self.month.minor) * i128::from(overrun) / 100;
        self.month.minor.saturating_add(i64::try_from(extra).unwrap_or(i64::MAX))
    }

    /// The highest share whose warning `before` had not reached and `after` has; both in minor units.
    pub fn warning_between(&self, before: i64, after: i64) -> Option<u8> {
        let reached =
            |spent: i64, percent: u8| i128::from(spent) * 100 >= i128::from(self.month.minor) * i128::from(percent);
        let crossed = |percent: &&u8| reached(after, **percent) && !reached(before, **percent);
        self.warn_at_percent.iter().filter(crossed).max().copied()
    }
}

/// What a partner paid in advance (contract §5): its production checks stop where that is used up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Prepaid {
    /// Every check that is decided from then on is paid from it; the first instant of a quarter of an hour,
    /// because that is how the ledger counts.
    pub from: Timestamp,
    /// All top-ups together, before tax: minor units of the currency of its prices.
    pub paid_minor: i64,
}

impl Prepaid {
    /// The latest instant up to `at` from which a balance can count.
    pub fn begins(at: Timestamp) -> Timestamp {
        const QUARTER_S: i64 = 900;
        let second = at.as_second().div_euclid(QUARTER_S) * QUARTER_S;
        Timestamp::from_second(second).unwrap_or(at)
    }

    /// Whether a check that was decided at `at` is paid from it, and so is on no invoice.
    pub fn pays(&self, at: Timestamp) -> bool {
        at >= self.from
    }
}

/// What happens to an app that seems to walk through the numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Probing {
    /// It is flagged: the log, a metric and the operator's list say so.
    #[default]
    Flag,
    /// It is flagged, and until the next day it may ask at this rate only.
    Slow(Rate),
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::billing::Currency;

    #[test]
    fn a_budget_warns_once_per_share_and_stops_where_it_was_told() {
        let mut budget = Budget::standard(Money::new(10_000, Currency::KES));
        assert_eq!(budget.stop_minor(), 12_000);
        let table = [
            (0, 4_999, None),
            (4_999, 5_000, Some(50)),
            (5_000, 7_999, None),
            (4_000, 8_000, Some(80)),
            (0, 20_000, Some(100)),
            (10_000, 12_000, None),
        ];
        for (before, after, warned) in table {
            assert_eq!(budget.warning_between(before, after), warned, "{before} to {after}");
        }
        budget.hard_stop = true;
        assert_eq!(budget.stop_minor(), 10_000);
    }

    #[test]
    fn a_balance_counts_from_the_quarter_of_an_hour_that_it_was_begun_in() {
        let instant = |text: &str| text.parse::<Timestamp>().unwrap();
        for (at, from) in [
            ("2026-11-22T09:00:00Z", "2026-11-22T09:00:00Z"),
            ("2026-11-22T09:14:59.999999Z", "2026-11-22T09:00:00Z"),
            ("1969-12-31T23:59:59Z", "1969-12-31T23:45:00Z"),
        ] {
            let prepaid = Prepaid { from: Prepaid::begins(instant(at)), paid_minor: 1 };
            assert_eq!(prepaid.from, instant(from));
            assert!(prepaid.pays(instant(at)) && !prepaid.pays(instant(from) - jiff::SignedDuration::from_micros(1)));
        }
    }

    #[test]
    fn huge_budgets_do_not_wrap() {
        let budget = Budget::standard(Money::new(i64::MAX, Currency::KES));
        assert_eq!(budget.stop_minor(), i64::MAX);
        assert_eq!(budget.warning_between(0, i64::MAX), Some(100));
    }

    #[test]
    fn limits_are_held_against_a_ceiling_one_by_one() {
        let rate = |per_second, burst| {
            Some(Rate { per_second: NonZeroU32::new(per_second).unwrap(), burst: NonZeroU32::new(burst).unwrap() })
        };
        let ceiling = Limits { rate: rate(10, 20), per_day: Some(100), per_month: None };
        for (own, is_within) in [
            (Limits::NONE, true),
            (ceiling, true),
            (Limits { per_month: Some(u64::MAX), ..Limits::NONE }, true),
            (Limits { rate: rate(11, 20), ..Limits::NONE }, false),
            (Limits { rate: rate(10, 21), ..Limits::NONE }, false),
            (Limits { per_day: Some(101), ..Limits::NONE }, false),
        ] {
            assert_eq!(own.are_within(&ceiling), is_within, "{own:?}");
            assert!(own.are_within(&Limits::NONE));
        }
    }

    #[test]
    fn a_product_without_limits_of_its_own_has_none() {
        let day = Limits { per_day: Some(5), ..Limits::NONE };
        let limits = AppLimits { products: vec![(Product::Swap, day)], ..AppLimits::default() };
        assert_eq!((limits.of(Product::Swap), limits.of(Product::Imsi)), (day, Limits::NONE));
        assert!(limits.is_set() && !AppLimits::default().is_set());
    }
}
