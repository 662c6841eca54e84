use std::sync::{Arc, Mutex};

use jiff::Timestamp;
use laini_core::billing::{Charge, Money, Outcome};
use laini_core::partner::{AppView, Environment, Product};
use laini_core::store::Recorded;

use super::app::{AppState, held_for, place};
use super::partner::PartnerState;
use super::{Limiter, Notice, lock};

/// Numbers that may be asked about.
pub(crate) struct Permit<'a> {
    pub(super) limiter: &'a Limiter,
    pub(super) view: &'a AppView,
    pub(super) app: Arc<Mutex<AppState>>,
    pub(super) partner: Option<Arc<Mutex<PartnerState>>>,
    pub(super) product: Product,
    pub(super) unit: Money,
    pub(super) at: Timestamp,
    /// Numbers that were not noted yet.
    pub(super) open: u64,
    /// Whether these are given back where they are never noted.
    pub(super) is_counted: bool,
    /// Since when the balance counts that is held of, where its partner pays in advance.
    pub(super) balance_from: Option<Timestamp>,
}

impl Permit<'_> {
    /// Keeps its numbers counted: they are decided later ([`Limiter::resume`]).
    pub(crate) fn defer(mut self) {
        self.is_counted = false;
    }

    /// Notes how all of the numbers were recorded.
    pub(crate) fn note_all(&mut self, recorded: &[Recorded]) {
        for one in recorded {
            self.note(*one);
        }
    }

    /// Notes how one of the numbers was recorded.
    pub(crate) fn note(&mut self, recorded: Recorded) {
        self.open = self.open.saturating_sub(1);
        let is_production = self.view.app.environment == Environment::Production;
        let (warning, suspicion) = {
            self.release_balance(1, charged(recorded), self.at);
            let mut state = lock(&self.app);
            let before = state.spent;
            let charged_minor = charged(recorded);
            state.paid += u64::from(matches!(recorded.charge, Charge::Charged(_)));
            state.release(self.unit, 1, charged_minor, self.at);
            // Where nodes share a budget, the one whose reservation reaches the share tells of it.
            let budget = self.view.app.limits.budget.as_ref().filter(|_| state.spending.is_none());
            let warning = budget.and_then(|budget| budget.warning_between(before, state.spent));
            let missed = recorded.outcome == Outcome::NotServed;
            state.not_served += u64::from(missed);
            (warning, if missed && is_production { state.probe.not_served() } else { None })
        };
        for notice in [warning.map(Notice::Budget), suspicion.map(Notice::Probing)].into_iter().flatten() {
            (self.limiter.notify)(self.view, notice, self.at);
        }
    }

    /// Gives back what was held of what its partner paid in advance, less what was charged.
    fn release_balance(&self, numbers: u64, charged_minor: i64, at: Timestamp) {
        if let (Some(from), Some(partner)) = (self.balance_from, &self.partner) {
            let mut state = lock(partner);
            if let Some(balance) = state.balance().filter(|balance| balance.from == from) {
                balance.release(held_for(self.unit, numbers), charged_minor, at);
            }
        }
    }
}

fn charged(recorded: Recorded) -> i64 {
    match recorded.charge {
        Charge::Charged(amount) => amount.minor,
        Charge::Free(_) => 0,
    }
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        if self.open == 0 {
            return;
        }
        self.release_balance(self.open, 0, self.at);
        let mut state = lock(&self.app);
        state.release(self.unit, self.open, 0, self.at);
        if !self.is_counted {
            return;
        }
        state.products[place(self.product)].give_back(self.open, self.at);
        state.in_all.give_back(self.open, self.at);
        if let Some(partner) = &self.partner {
            lock(partner).meter.give_back(self.open, self.at);
        }
    }
}
