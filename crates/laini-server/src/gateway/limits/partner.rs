use std::num::NonZeroU32;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use laini_core::partner::{Limits, PartnerId, Prepaid};
use laini_core::sharing::Reserve;
use laini_core::store::{Allowance, Limited, Quota};

use super::Ask;
use super::app::held_for;
use super::balance::Balance;
use super::meter::{Begun, Calendar, Meter, Monotonic, Refusal};
use super::shared_meter::{Look, SharedMeter};
use super::sharer::Sharer;

/// What all production apps of one partner asked together.
pub(super) struct PartnerState {
    id: PartnerId,
    pub(super) calendar: Calendar,
    /// When they were asked last.
    pub(super) newest: Timestamp,
    pub(super) meter: Meter,
    /// What it paid in advance, once that was met.
    balance: Option<Box<Balance>>,
}

impl PartnerState {
    pub(super) fn new(id: PartnerId, is_shared: bool, at: Timestamp, zone: &TimeZone) -> Self {
        let meter = Meter::new(is_shared.then_some(Limited::Partner(id)));
        Self { id, calendar: Calendar::new(at, zone), newest: at, meter, balance: None }
    }

    pub(super) fn roll(&mut self, at: Timestamp, zone: &TimeZone) {
        self.newest = at;
        let begun = self.calendar.roll(at, zone);
        self.meter.roll(begun);
        if let (Some(balance), true) = (&mut self.balance, begun != Begun::Nothing) {
            balance.shared = balance.shared.is_some().then(Reserve::default);
        }
    }

    /// Looks whether this node has what would be used, where nodes share it.
    pub(super) fn look(&mut self, look: &mut Look, limits: Limits, count: NonZeroU32) {
        self.meter.look(look, limits, count.get(), self.newest, &self.calendar);
    }

    /// Looks whether this node has what checks would cost of what was paid in advance, where nodes share it.
    pub(super) fn look_for_balance(&mut self, look: &mut Look, ask: &Ask<'_>, prepaid: Prepaid, count: NonZeroU32) {
        if !self.has_met(prepaid) {
            self.balance = Some(Box::new(Balance::shared(prepaid)));
        }
        if let Some(balance) = &mut self.balance {
            balance.look(look, prepaid, held_for(ask.unit, count.get().into()), ask.at);
        }
    }

    /// Whether it is known what was used of a balance.
    pub(super) fn has_met(&self, prepaid: Prepaid) -> bool {
        self.balance.as_ref().is_some_and(|balance| balance.from == prepaid.from)
    }

    /// Takes over what the ledger counted of a balance, on a server that is alone; the first one to tell is right.
    pub(super) fn meet(&mut self, prepaid: Prepaid, spent: i64) {
        if !self.has_met(prepaid) {
            self.balance = Some(Box::new(Balance::alone(prepaid, spent)));
        }
    }

    /// Whether what was paid in advance covers so many checks.
    pub(super) fn check_balance(&self, ask: &Ask<'_>, prepaid: Prepaid, numbers: u64) -> Result<(), Refusal> {
        let Some(balance) = &self.balance else { return Ok(()) };
        balance.check(prepaid, held_for(ask.unit, numbers))
    }

    /// What it paid in advance, where checks hold some of it.
    pub(super) fn balance(&mut self) -> Option<&mut Balance> {
        self.balance.as_deref_mut()
    }

    pub(super) fn take(&mut self, limits: Limits, count: NonZeroU32, clock: Monotonic) -> Result<(), Refusal> {
        self.meter.check_quota(limits, u64::from(count.get()), &self.calendar)?;
        self.meter.take_rate(limits, clock, count)?;
        self.meter.count(u64::from(count.get()));
        Ok(())
    }
}

impl Sharer for PartnerState {
    fn calendar(&self) -> Calendar {
        self.calendar
    }

    fn meters(&mut self) -> Box<dyn Iterator<Item = &mut SharedMeter> + '_> {
        Box::new(self.meter.shared().into_iter())
    }

    fn budget(&mut self) -> Option<(Allowance, &mut Reserve)> {
        let balance = self.balance.as_deref_mut()?;
        let from = balance.from.max(self.calendar.begins(Quota::Prepaid));
        let allowance = Allowance { of: Limited::Partner(self.id), quota: Quota::Prepaid, from };
        Some((allowance, balance.shared.as_mut()?))
    }
}
