use std::num::NonZeroU32;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use laini_core::partner::{Limits, PartnerId};
use laini_core::sharing::Reserve;
use laini_core::store::{Allowance, Limited};

use super::meter::{Calendar, Meter, Monotonic, Refusal};
use super::shared_meter::{Look, SharedMeter};
use super::sharer::Sharer;

/// What all production apps of one partner asked together.
pub(super) struct PartnerState {
    pub(super) calendar: Calendar,
    /// When they were asked last.
    pub(super) newest: Timestamp,
    pub(super) meter: Meter,
}

impl PartnerState {
    pub(super) fn new(id: PartnerId, is_shared: bool, at: Timestamp, zone: &TimeZone) -> Self {
        let meter = Meter::new(is_shared.then_some(Limited::Partner(id)));
        Self { calendar: Calendar::new(at, zone), newest: at, meter }
    }

    pub(super) fn roll(&mut self, at: Timestamp, zone: &TimeZone) {
        self.newest = at;
        let begun = self.calendar.roll(at, zone);
        self.meter.roll(begun);
    }

    /// Looks whether this node has what would be used, where nodes share it.
    pub(super) fn look(&mut self, look: &mut Look, limits: Limits, count: NonZeroU32) {
        self.meter.look(look, limits, count.get(), self.newest, &self.calendar);
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
        None
    }
}
