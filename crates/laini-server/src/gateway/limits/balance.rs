use jiff::Timestamp;
use laini_core::partner::Prepaid;
use laini_core::sharing::Reserve;

use super::meter::Refusal;
use super::shared_meter::Look;

/// What one partner paid in advance, as this server uses it up.
pub(super) struct Balance {
    /// Since when it counts.
    pub(super) from: Timestamp,
    /// Charged since then, and held for checks under way; minor units.
    spent: i64,
    held: i64,
    /// What counts instead where nodes share it.
    pub(super) shared: Option<Reserve>,
}

impl Balance {
    /// Of a server that is alone; `spent` as the ledger has it.
    pub(super) fn alone(prepaid: Prepaid, spent: i64) -> Self {
        Self { from: prepaid.from, spent, held: 0, shared: None }
    }

    /// Of a node among others.
    pub(super) fn shared(prepaid: Prepaid) -> Self {
        Self { from: prepaid.from, spent: 0, held: 0, shared: Some(Reserve::default()) }
    }

    /// Looks whether this node has so much of it, where nodes share it.
    pub(super) fn look(&mut self, look: &mut Look, prepaid: Prepaid, amount: i64, at: Timestamp) {
        if let Some(shared) = &mut self.shared {
            // It is renewed when somebody pays: nobody knows when.
            look.at(shared, amount, Some(prepaid.paid_minor), at, Timestamp::MAX);
        }
    }

    /// Whether it covers so much more. Where nodes share it, [`Balance::look`] has said so.
    pub(super) fn check(&self, prepaid: Prepaid, amount: i64) -> Result<(), Refusal> {
        let used = self.spent.saturating_add(self.held).saturating_add(amount);
        let is_covered = self.shared.is_some() || amount == 0 || used <= prepaid.paid_minor;
        is_covered.then_some(()).ok_or(Refusal::Quota(Timestamp::MAX))
    }

    /// Holds what checks cost at most.
    pub(super) fn hold(&mut self, amount: i64) {
        self.held = self.held.saturating_add(amount);
        if let Some(shared) = &mut self.shared {
            shared.take(amount);
        }
    }

    /// Gives back what was held at `at`, less what was charged.
    pub(super) fn release(&mut self, amount: i64, charged_minor: i64, at: Timestamp) {
        self.held = self.held.saturating_sub(amount);
        self.spent = self.spent.saturating_add(charged_minor);
        if let Some(shared) = &mut self.shared {
            shared.give_back(amount.saturating_sub(charged_minor), at);
        }
    }
}
