use std::collections::HashMap;

use jiff::Timestamp;
use laini_core::billing::Outcome;
use laini_core::partner::{AppId, Environment, Product};
use laini_core::store::LedgerRow;

/// A quarter of an hour in seconds: what the running counters count by.
pub const QUARTER_S: i64 = 900;

/// How many rows of each kind one transaction writes: one change a kind, not one a row.
#[derive(Debug, Default)]
pub struct Counters(HashMap<Kind, Sum>);

/// What is counted together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Kind {
    /// Quarters of an hour since 1970.
    pub quarter: i64,
    /// Whose.
    pub app: AppId,
    /// Of what.
    pub product: Product,
    /// Where.
    pub environment: Environment,
    /// What came of them.
    pub outcome: Outcome,
}

/// What they come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Sum {
    /// How many.
    pub checks: i64,
    /// What they cost together, in minor units.
    pub charged_minor: i64,
}

impl Counters {
    /// Starts anew.
    pub fn clear(&mut self) {
        self.0.clear();
    }

    /// Counts a row.
    pub fn count(&mut self, row: &LedgerRow) {
        let quarter = row.at.as_second().div_euclid(QUARTER_S);
        let LedgerRow { app, product, environment, outcome, .. } = *row;
        let sum = self.0.entry(Kind { quarter, app, product, environment, outcome }).or_default();
        sum.checks += 1;
        sum.charged_minor = sum.charged_minor.saturating_add(row.charge.minor);
    }

    /// Whether nothing was counted.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What was counted, in no order.
    pub fn iter(&self) -> impl Iterator<Item = (Kind, Sum)> + '_ {
        self.0.iter().map(|(kind, sum)| (*kind, *sum))
    }
}

/// The quarters from `from` (rounded down) until before `until` (rounded up).
pub fn quarters(from: Timestamp, until: Timestamp) -> (i64, i64) {
    // An instant within a second counts as the whole second.
    let until_s = until.as_second() + i64::from(until.subsec_nanosecond() > 0);
    (from.as_second().div_euclid(QUARTER_S), -(-until_s).div_euclid(QUARTER_S))
}
