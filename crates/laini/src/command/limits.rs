//! Limits as people type and read them, for partners and apps alike.

use std::num::NonZeroU32;
use std::str::FromStr;

use clap::Args;
use laini_core::partner::{Limits, Rate};
use serde::Serialize;

/// A number, or the word `none`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct OrNone<T>(pub(crate) Option<T>);

impl<T: FromStr> FromStr for OrNone<T> {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "none" => Ok(Self(None)),
            number => number.parse().map(|number| Self(Some(number))).map_err(|_| "expected a whole number, or none"),
        }
    }
}

/// Which limits become others; what is not named stays.
#[derive(Args)]
#[group(required = true, multiple = true)]
pub(crate) struct LimitArgs {
    /// Numbers per second in the long run, or none.
    #[arg(long, value_name = "NUMBERS")]
    rate: Option<OrNone<NonZeroU32>>,
    /// Numbers at once (default: as many as the rate lets pass in a second).
    #[arg(long, value_name = "NUMBERS", requires = "rate")]
    burst: Option<NonZeroU32>,
    /// Numbers from midnight to midnight in the operator's zone, or none.
    #[arg(long, value_name = "NUMBERS")]
    per_day: Option<OrNone<u64>>,
    /// Numbers in a calendar month of the operator's zone, or none.
    #[arg(long, value_name = "NUMBERS")]
    per_month: Option<OrNone<u64>>,
}

impl LimitArgs {
    /// `limits` with what was named changed.
    pub(crate) fn applied_to(&self, limits: Limits) -> Limits {
        Limits {
            rate: self.rate.map_or(limits.rate, |rate| rate.0.map(|per_second| rate_of(per_second, self.burst))),
            per_day: self.per_day.map_or(limits.per_day, |count| count.0),
            per_month: self.per_month.map_or(limits.per_month, |count| count.0),
        }
    }
}

/// A rate, whose burst is a second's worth where none is said.
pub(crate) fn rate_of(per_second: NonZeroU32, burst: Option<NonZeroU32>) -> Rate {
    Rate { per_second, burst: burst.unwrap_or(per_second) }
}

/// Limits for scripts; `null` = none.
#[derive(Serialize)]
pub(crate) struct LimitsReport {
    rate_per_second: Option<u32>,
    burst: Option<u32>,
    per_day: Option<u64>,
    per_month: Option<u64>,
}

impl From<Limits> for LimitsReport {
    fn from(limits: Limits) -> Self {
        let (rate_per_second, burst) = limits.rate.map(|rate| (rate.per_second.get(), rate.burst.get())).unzip();
        Self { rate_per_second, burst, per_day: limits.per_day, per_month: limits.per_month }
    }
}

/// Limits for people: `5/s (burst 10), 1000 a day`.
pub(crate) fn in_words(limits: Limits) -> String {
    let parts = [
        limits.rate.map(rate_in_words),
        limits.per_day.map(|count| format!("{count} a day")),
        limits.per_month.map(|count| format!("{count} a month")),
    ];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    if parts.is_empty() { "none".to_owned() } else { parts.join(", ") }
}

/// A rate for people.
pub(crate) fn rate_in_words(rate: Rate) -> String {
    format!("{}/s (burst {})", rate.per_second, rate.burst)
}
