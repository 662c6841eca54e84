//! What one caller asked and spent, and how much it may.

use std::num::NonZeroU32;
use std::time::Duration;

use governor::RateLimiter;
use governor::clock::Clock;
use governor::middleware::StateInformationMiddleware;
use governor::state::{InMemoryState, NotKeyed};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};
use laini_core::partner::{Limits, Rate};
use laini_core::store::{Limited, Quota};
use tokio::time::Instant;

use super::shared_meter::{Look, SharedMeter};

/// Why numbers may not be asked about now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refusal {
    /// Too fast; come back after so long.
    Rate(Duration),
    /// More at once than the burst will ever allow.
    Burst(NonZeroU32),
    /// The day's or the month's share is used up; it is renewed then.
    Quota(Timestamp),
}

/// The monotonic time, as the limiter library wants it: since the server's start.
#[derive(Debug, Clone, Copy)]
pub(super) struct Monotonic(Instant);

impl Monotonic {
    pub(super) fn start() -> Self {
        Self(Instant::now())
    }
}

impl Clock for Monotonic {
    type Instant = Duration;

    fn now(&self) -> Duration {
        self.0.elapsed()
    }
}

type Limiter = RateLimiter<NotKeyed, InMemoryState, Monotonic, StateInformationMiddleware>;

/// A rate as it is used up.
#[derive(Debug)]
pub(super) struct Pace {
    rate: Rate,
    limiter: Limiter,
    /// What was left of the burst after the newest request.
    left: u32,
}

impl Pace {
    /// Uses up `numbers` at `rate`; a rate that was changed begins anew.
    fn take(pace: &mut Option<Self>, rate: Rate, clock: Monotonic, numbers: NonZeroU32) -> Result<(), Refusal> {
        let mut kept = match pace.take() {
            Some(kept) if kept.rate == rate => kept,
            _ => Self::new(rate, clock),
        };
        let taken = match kept.limiter.check_n(numbers) {
            Err(_) => Err(Refusal::Burst(rate.burst)),
            Ok(Err(not_until)) => {
                kept.left = 0;
                Err(Refusal::Rate(not_until.wait_time_from(clock.now())))
            }
            Ok(Ok(state)) => {
                kept.left = state.remaining_burst_capacity();
                Ok(())
            }
        };
        *pace = Some(kept);
        taken
    }

    fn new(rate: Rate, clock: Monotonic) -> Self {
        let quota = governor::Quota::per_second(rate.per_second).allow_burst(rate.burst);
        let limiter = RateLimiter::direct_with_clock(quota, clock).with_middleware();
        Self { rate, limiter, left: rate.burst.get() }
    }
}

/// The calendar day and month of the operator's zone in which a meter stands.
#[derive(Debug, Clone, Copy)]
pub(super) struct Calendar {
    date: Date,
    day_began: Timestamp,
    month_began: Timestamp,
    day_ends: Timestamp,
    month_ends: Timestamp,
}

/// What has begun since a calendar was last looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Begun {
    Nothing,
    Day,
    Month,
}

impl Calendar {
    pub(super) fn new(at: Timestamp, zone: &TimeZone) -> Self {
        let date = zone.to_datetime(at).date();
        let start_of = |date: Date| date.to_zoned(zone.clone()).map_or(Timestamp::MAX, |start| start.timestamp());
        let tomorrow = date.tomorrow().unwrap_or(Date::MAX);
        let next_month = date.first_of_month().checked_add(1.month()).unwrap_or(Date::MAX);
        Self {
            date,
            day_began: start_of(date),
            month_began: start_of(date.first_of_month()),
            day_ends: start_of(tomorrow),
            month_ends: start_of(next_month),
        }
    }

    /// The first instant of the month of `at`.
    pub(super) fn month_begins(at: Timestamp, zone: &TimeZone) -> Timestamp {
        let first = zone.to_datetime(at).date().first_of_month();
        first.to_zoned(zone.clone()).map_or(at, |start| start.timestamp())
    }

    /// Moves on to `at`. A clock that was set back changes nothing: what was asked stays asked.
    pub(super) fn roll(&mut self, at: Timestamp, zone: &TimeZone) -> Begun {
        if at < self.day_ends {
            return Begun::Nothing;
        }
        let month_over = at >= self.month_ends;
        *self = Self::new(at, zone);
        if month_over { Begun::Month } else { Begun::Day }
    }

    /// When the day is over.
    pub(super) fn day_ends(&self) -> Timestamp {
        self.day_ends
    }

    /// When the month is over.
    pub(super) fn month_ends(&self) -> Timestamp {
        self.month_ends
    }

    /// When that began which `quota` counts.
    pub(super) fn begins(&self, quota: Quota) -> Timestamp {
        match quota {
            Quota::Day | Quota::Prepaid => self.day_began,
            Quota::Month | Quota::Budget => self.month_began,
        }
    }

    /// The day that it stands in.
    pub(super) fn date(&self) -> Date {
        self.date
    }
}

/// Numbers asked about, of one product or in all, against the limits of the moment.
#[derive(Debug, Default)]
pub(super) struct Meter {
    pace: Option<Pace>,
    day: u64,
    month: u64,
    /// What counts instead where nodes share the limits.
    shared: Option<Box<SharedMeter>>,
}

impl Meter {
    /// For a node among others that share the limits of `shared`.
    pub(super) fn new(shared: Option<Limited>) -> Self {
        Self { shared: shared.map(|of| Box::new(SharedMeter::new(of))), ..Self::default() }
    }

    /// Begins a new day or month.
    pub(super) fn roll(&mut self, begun: Begun) {
        if let Some(shared) = &mut self.shared {
            shared.roll(begun);
        }
        match begun {
            Begun::Nothing => {}
            Begun::Day => self.day = 0,
            Begun::Month => (self.day, self.month) = (0, 0),
        }
    }

    /// Adds what was asked before the server started.
    pub(super) fn learn(&mut self, numbers: u64, today: bool) {
        self.month += numbers;
        self.day += if today { numbers } else { 0 };
    }

    /// Looks whether this node has what would be used, where nodes share it.
    pub(super) fn look(&mut self, look: &mut Look, limits: Limits, numbers: u32, at: Timestamp, calendar: &Calendar) {
        if let Some(shared) = &mut self.shared {
            shared.look(look, limits, numbers, at, calendar);
        }
    }

    /// Whether the quotas allow `numbers` more. Where nodes share them, [`Meter::look`] has said so.
    pub(super) fn check_quota(&self, limits: Limits, numbers: u64, calendar: &Calendar) -> Result<(), Refusal> {
        if self.shared.is_some() {
            return Ok(());
        }
        let within = |asked: u64, limit: Option<u64>| limit.is_none_or(|limit| asked.saturating_add(numbers) <= limit);
        if !within(self.month, limits.per_month) {
            return Err(Refusal::Quota(calendar.month_ends));
        }
        if within(self.day, limits.per_day) { Ok(()) } else { Err(Refusal::Quota(calendar.day_ends)) }
    }

    /// Uses up `numbers` of the rate, where there is one.
    pub(super) fn take_rate(&mut self, limits: Limits, clock: Monotonic, numbers: NonZeroU32) -> Result<(), Refusal> {
        match (limits.rate, &mut self.shared) {
            (None, _) => Ok(()),
            (Some(_), Some(shared)) => shared.take_rate(limits, clock.now(), numbers),
            (Some(rate), None) => Pace::take(&mut self.pace, rate, clock, numbers),
        }
    }

    /// Counts numbers that are going to be asked about.
    pub(super) fn count(&mut self, numbers: u64) {
        self.day += numbers;
        self.month += numbers;
        if let Some(shared) = &mut self.shared {
            shared.count(numbers);
        }
    }

    /// Takes numbers back that were admitted at `at` and never reached the registry.
    pub(super) fn give_back(&mut self, numbers: u64, at: Timestamp) {
        self.day = self.day.saturating_sub(numbers);
        self.month = self.month.saturating_sub(numbers);
        if let Some(shared) = &mut self.shared {
            shared.give_back(numbers, at);
        }
    }

    /// What it has of limits that nodes share.
    pub(super) fn shared(&mut self) -> Option<&mut SharedMeter> {
        self.shared.as_deref_mut()
    }

    /// Its limits and what is left of them, as the two headers say it (draft-ietf-httpapi-ratelimit-headers).
    pub(super) fn describe(&self, name: &str, limits: Limits, calendar: &Calendar, at: Timestamp) -> Vec<Shown> {
        let mut shown = Vec::new();
        let until = |end: Timestamp| end.duration_since(at).as_secs().max(0).unsigned_abs();
        if let Some(rate) = limits.rate {
            let window_s = u64::from(rate.burst.get().div_ceil(rate.per_second.get()));
            let left = match &self.shared {
                Some(shared) => shared.left_of_burst(rate.burst.get()),
                None => self.pace.as_ref().map_or(rate.burst.get(), |pace| pace.left),
            };
            shown.push(Shown::new(name, "rate", u64::from(rate.burst.get()), window_s, u64::from(left), window_s));
        }
        let left = |limit: Option<u64>, asked| limit.map(|limit| limit.saturating_sub(asked));
        let (day, month) = match &self.shared {
            Some(shared) => shared.left_of_quotas(),
            None => (left(limits.per_day, self.day), left(limits.per_month, self.month)),
        };
        for (period, limit, left, end, window_s) in [
            ("day", limits.per_day, day, calendar.day_ends, 86_400),
            ("month", limits.per_month, month, calendar.month_ends, 31 * 86_400),
        ] {
            if let Some(limit) = limit {
                let left = left.map_or(limit, |left| left.min(limit));
                shown.push(Shown::new(name, period, limit, window_s, left, until(end)));
            }
        }
        shown
    }
}

/// One limit in the words of the headers.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Shown {
    pub(super) policy: String,
    pub(super) left: String,
}

impl Shown {
    fn new(name: &str, period: &str, limit: u64, window_s: u64, left: u64, reset_s: u64) -> Self {
        Self {
            policy: format!("\"{name}-{period}\";q={limit};w={window_s}"),
            left: format!("\"{name}-{period}\";r={left};t={reset_s}"),
        }
    }
}
