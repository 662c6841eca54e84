use std::num::NonZeroU32;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use laini_core::billing::Money;
use laini_core::partner::{AppId, AppLimits, Budget, Environment, Limits, Probing, Product};
use laini_core::sharing::Reserve;
use laini_core::store::{Allowance, Limited, Quota};

use super::Ask;
use super::meter::{Begun, Calendar, Meter, Monotonic, Refusal};
use super::probing::Probe;
use super::shared_meter::{Look, SharedMeter};
use super::sharer::Sharer;

/// Free "not served" answers of a day that every limited app has,
const NOT_SERVED_MIN: u64 = 100;
/// and the share of its charged checks of that day, in per cent, that it has besides.
const NOT_SERVED_PERCENT: u64 = 5;

/// What one app asked and spent.
pub(super) struct AppState {
    id: AppId,
    pub(super) calendar: Calendar,
    /// When it was asked last.
    pub(super) newest: Timestamp,
    pub(super) in_all: Meter,
    /// In the order of [`Product::ALL`].
    pub(super) products: [Meter; 3],
    /// Asked at the rate of a slowed app.
    pub(super) slowed: Meter,
    /// Charged this month, and held for checks under way; minor units.
    pub(super) spent: i64,
    pub(super) held: i64,
    /// The same where nodes share the budget: what this one reserved of it.
    pub(super) spending: Option<Reserve>,
    /// Charged and not served today.
    pub(super) paid: u64,
    pub(super) not_served: u64,
    pub(super) probe: Probe,
}

impl AppState {
    pub(super) fn new(id: AppId, is_shared: bool, at: Timestamp, zone: &TimeZone) -> Self {
        let meter = |of| Meter::new(is_shared.then_some(of));
        Self {
            id,
            calendar: Calendar::new(at, zone),
            newest: at,
            in_all: meter(Limited::App(id)),
            products: Product::ALL.map(|product| meter(Limited::Product(id, product))),
            slowed: meter(Limited::Slowed(id)),
            spending: is_shared.then(Reserve::default),
            spent: 0,
            held: 0,
            paid: 0,
            not_served: 0,
            probe: Probe::default(),
        }
    }

    pub(super) fn roll(&mut self, at: Timestamp, zone: &TimeZone) {
        self.newest = at;
        let begun = self.calendar.roll(at, zone);
        if begun == Begun::Nothing {
            return;
        }
        self.in_all.roll(begun);
        self.products.iter_mut().for_each(|meter| meter.roll(begun));
        (self.paid, self.not_served) = (0, 0);
        self.probe.next_day();
        if begun == Begun::Month {
            self.spent = 0;
            self.spending = self.spending.is_some().then(Reserve::default);
        }
    }

    /// Looks whether this node has everything that would be used, where nodes share it.
    pub(super) fn look(&mut self, look: &mut Look, ask: &Ask<'_>, limits: &AppLimits, count: NonZeroU32) {
        let (numbers, calendar) = (count.get(), &self.calendar);
        self.products[place(ask.product)].look(look, limits.of(ask.product), numbers, ask.at, calendar);
        self.in_all.look(look, limits.in_all, numbers, ask.at, calendar);
        if let Some(slow) = slow(limits.probing, &self.probe) {
            self.slowed.look(look, slow, numbers, ask.at, calendar);
        }
        if let Some(spending) = &mut self.spending {
            let stop = limits.budget.as_ref().map(Budget::stop_minor);
            look.at(spending, held_for(ask.unit, u64::from(numbers)), stop, ask.at, calendar.month_ends());
        }
    }

    /// Checks what can be checked without using it up, then uses up the rates.
    pub(super) fn check(
        &mut self,
        ask: &Ask<'_>,
        limits: &AppLimits,
        count: NonZeroU32,
        clock: Monotonic,
    ) -> Result<(), Refusal> {
        let numbers = u64::from(count.get());
        let of_product = limits.of(ask.product);
        let product = &mut self.products[place(ask.product)];
        product.check_quota(of_product, numbers, &self.calendar)?;
        self.in_all.check_quota(limits.in_all, numbers, &self.calendar)?;
        if let (Some(budget), None) = (&limits.budget, &self.spending) {
            let wanted = ask.unit.minor.saturating_mul(i64::from(count.get()));
            if self.spent.saturating_add(self.held).saturating_add(wanted) > budget.stop_minor() {
                return Err(Refusal::Quota(self.calendar.month_ends()));
            }
        }
        let free = NOT_SERVED_MIN.max(self.paid * NOT_SERVED_PERCENT / 100);
        if limits.is_set() && ask.app.app.environment == Environment::Production && self.not_served >= free {
            return Err(Refusal::Quota(self.calendar.day_ends()));
        }
        if let Some(slow) = slow(limits.probing, &self.probe) {
            self.slowed.take_rate(slow, clock, count)?;
        }
        product.take_rate(of_product, clock, count)?;
        self.in_all.take_rate(limits.in_all, clock, count)
    }

    pub(super) fn count(&mut self, ask: &Ask<'_>, numbers: u64) {
        self.products[place(ask.product)].count(numbers);
        self.in_all.count(numbers);
        self.hold(ask.unit, numbers);
    }

    /// Notes the budget that nodes share, where nothing is looked for in it.
    pub(super) fn watch_budget(&mut self, budget: &Budget, at: Timestamp) {
        if let Some(spending) = &mut self.spending {
            spending.look(0, Some(budget.stop_minor()), at);
        }
    }

    /// Holds what so many numbers cost at most.
    pub(super) fn hold(&mut self, unit: Money, numbers: u64) {
        let amount = held_for(unit, numbers);
        self.held = self.held.saturating_add(amount);
        if let Some(spending) = &mut self.spending {
            spending.take(amount);
        }
    }

    /// Gives back what was held at `at` for so many numbers, less what was charged.
    pub(super) fn release(&mut self, unit: Money, numbers: u64, charged_minor: i64, at: Timestamp) {
        let amount = held_for(unit, numbers);
        self.held = self.held.saturating_sub(amount);
        self.spent = self.spent.saturating_add(charged_minor);
        if let Some(spending) = &mut self.spending {
            spending.give_back(amount.saturating_sub(charged_minor), at);
        }
    }
}

impl Sharer for AppState {
    fn calendar(&self) -> Calendar {
        self.calendar
    }

    fn meters(&mut self) -> Box<dyn Iterator<Item = &mut SharedMeter> + '_> {
        let meters = self.products.iter_mut().chain([&mut self.in_all, &mut self.slowed]);
        Box::new(meters.filter_map(Meter::shared))
    }

    fn budget(&mut self) -> Option<(Allowance, &mut Reserve)> {
        let (of, quota) = (Limited::App(self.id), Quota::Budget);
        let allowance = Allowance { of, quota, from: self.calendar.begins(quota) };
        self.spending.as_mut().map(|reserve| (allowance, reserve))
    }
}

/// The limits of an app that is slowed down.
fn slow(probing: Probing, probe: &Probe) -> Option<Limits> {
    match (probing, probe.suspected()) {
        (Probing::Slow(rate), Some(_)) => Some(Limits { rate: Some(rate), ..Limits::NONE }),
        _ => None,
    }
}

pub(super) fn held_for(unit: Money, numbers: u64) -> i64 {
    unit.minor.saturating_mul(i64::try_from(numbers).unwrap_or(i64::MAX))
}

pub(super) fn place(product: Product) -> usize {
    match product {
        Product::Imsi => 0,
        Product::Swap => 1,
        Product::Age => 2,
    }
}
