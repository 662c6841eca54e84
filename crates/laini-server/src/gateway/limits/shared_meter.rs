use std::num::NonZeroU32;
use std::time::Duration;

use jiff::Timestamp;
use laini_core::partner::Limits;
use laini_core::sharing::{Asked, Reserve, SharedPace, Stock};
use laini_core::store::{Allowance, Demand, Grant, Limited, Paces, Quota, SharesError};

use super::meter::{Begun, Calendar, Refusal};

/// Why something that nodes share cannot be used now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shortage {
    /// No node could use it.
    Refused(Refusal),
    /// This node has to ask for it first.
    Lacking,
}

/// What came of a look at everything that a request would use.
#[derive(Debug, Default)]
pub(super) struct Look {
    refused: Option<Refusal>,
    is_lacking: bool,
    /// Whether more should be asked for.
    pub(super) wants_more: bool,
}

impl Look {
    /// Looks whether `reserve` has so much; what is used up is renewed at `end`.
    pub(super) fn at(&mut self, reserve: &mut Reserve, wanted: i64, limit: Option<i64>, at: Timestamp, end: Timestamp) {
        let stock = reserve.look(wanted, limit, at);
        self.is_lacking |= stock == Stock::Lacking;
        self.wants_more |= matches!(stock, Stock::Lacking | Stock::Low);
        if stock == Stock::Exhausted {
            self.refused = self.refused.or(Some(Refusal::Quota(end)));
        }
    }

    fn lacks(&mut self, is_lacking: bool) {
        self.is_lacking |= is_lacking;
        self.wants_more |= is_lacking;
    }

    /// What it comes to.
    pub(super) fn result(&self) -> Result<(), Shortage> {
        match self.refused {
            Some(refusal) => Err(Shortage::Refused(refusal)),
            None if self.is_lacking => Err(Shortage::Lacking),
            None => Ok(()),
        }
    }
}

/// What this node may use of limits that nodes share.
#[derive(Debug)]
pub(super) struct SharedMeter {
    of: Limited,
    day: Reserve,
    month: Reserve,
    pace: SharedPace,
}

impl SharedMeter {
    pub(super) fn new(of: Limited) -> Self {
        Self { of, day: Reserve::default(), month: Reserve::default(), pace: SharedPace::default() }
    }

    pub(super) fn roll(&mut self, begun: Begun) {
        if begun != Begun::Nothing {
            self.day = Reserve::default();
        }
        if begun == Begun::Month {
            self.month = Reserve::default();
        }
    }

    /// Looks whether so many numbers can be asked about within `limits`.
    pub(super) fn look(&mut self, look: &mut Look, limits: Limits, numbers: u32, at: Timestamp, calendar: &Calendar) {
        let wanted = i64::from(numbers);
        look.at(&mut self.month, wanted, limits.per_month.map(signed), at, calendar.month_ends());
        look.at(&mut self.day, wanted, limits.per_day.map(signed), at, calendar.day_ends());
        if limits.rate.is_some() && !self.pace.is_known() {
            self.pace.want(numbers);
            look.lacks(true);
        }
    }

    /// Uses up `numbers` of this node's part of the rate, where there is one.
    pub(super) fn take_rate(&mut self, limits: Limits, now: Duration, numbers: NonZeroU32) -> Result<(), Refusal> {
        let Some(rate) = limits.rate else { return Ok(()) };
        if numbers > rate.burst {
            return Err(Refusal::Burst(rate.burst));
        }
        self.pace.want(numbers.get());
        self.pace.take(numbers.get(), rate, now).map_err(Refusal::Rate)
    }

    pub(super) fn count(&mut self, numbers: u64) {
        self.day.take(signed(numbers));
        self.month.take(signed(numbers));
    }

    /// Takes numbers back that were admitted at `at` and never reached the registry.
    pub(super) fn give_back(&mut self, numbers: u64, at: Timestamp) {
        self.day.give_back(signed(numbers), at);
        self.month.give_back(signed(numbers), at);
    }

    /// What is left of a day and of a month, as far as this node can tell; `None` where it never asked.
    pub(super) fn left_of_quotas(&self) -> (Option<u64>, Option<u64>) {
        (self.day.remaining(), self.month.remaining())
    }

    /// What is left of a burst, as far as this node can tell.
    pub(super) fn left_of_burst(&self, burst: u32) -> u32 {
        self.pace.left(burst)
    }

    /// What is to be exchanged now.
    pub(super) fn ask(&mut self, calendar: &Calendar, asked: &mut Vec<(Allowance, Asked)>) {
        let of = self.of;
        for (reserve, quota) in [(&mut self.day, Quota::Day), (&mut self.month, Quota::Month)] {
            let allowance = Allowance { of, quota, from: calendar.begins(quota) };
            asked.extend(reserve.ask().map(|asked| (allowance, asked)));
        }
    }

    /// Takes an answer over, if it is for this, and for the day or month that it stands in.
    pub(super) fn answered(&mut self, calendar: &Calendar, allowance: Allowance, answer: Result<Grant, &SharesError>) {
        let Allowance { of, quota, from } = allowance;
        match quota {
            _ if of != self.of || from != calendar.begins(quota) => {}
            Quota::Day => self.day.answered(answer),
            Quota::Month => self.month.answered(answer),
            Quota::Budget | Quota::Prepaid => {}
        }
    }

    /// What it is asked for at a rate; with `is_new`, only where its part is not known yet.
    pub(super) fn demand(&self, is_new: bool) -> Option<Demand> {
        let per_second = self.pace.demand().filter(|_| !is_new || !self.pace.is_known())?;
        Some(Demand { of: self.of, per_second })
    }

    /// Takes over what others are asked for, if `of` is this; or how many nodes there were, where nothing
    /// was heard.
    pub(super) fn heard(&mut self, of: Limited, place: usize, paces: Result<&Paces, u32>) {
        match paces {
            _ if of != self.of => {}
            Ok(paces) => self.pace.heard(paces, place),
            Err(nodes) => self.pace.unheard(nodes),
        }
    }

    pub(super) fn tick(&mut self) {
        self.day.tick();
        self.month.tick();
        self.pace.tick();
    }

    pub(super) fn close(&mut self) {
        self.day.close();
        self.month.close();
    }
}

/// No limit lies beyond what an engine can count to.
fn signed(numbers: u64) -> i64 {
    i64::try_from(numbers).unwrap_or(i64::MAX)
}
