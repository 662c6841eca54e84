//! The outbox, in memory.

use std::sync::Mutex;

use jiff::Timestamp;
use laini_core::store::{
    AcceptedCheck, Attempt, Backlog, BoxFuture, Delivery, DeliveryDraft, DeliveryId, DeliveryQuery, DeliveryState,
    LedgerError, Outbox, OutboxDepth, Recorded,
};

/// What waits, with the end of its lease.
#[derive(Default)]
pub(crate) struct VecOutbox {
    pub(crate) checks: Mutex<Vec<(AcceptedCheck, Timestamp)>>,
    pub(crate) deliveries: Mutex<Vec<(Delivery, Timestamp)>>,
}

impl VecOutbox {
    /// As a ledger does it, in the transaction of the rows.
    pub(crate) fn keep(&self, draft: &DeliveryDraft, recorded: &[Recorded]) {
        self.checks.lock().unwrap().retain(|(check, _)| DeliveryId(check.id) != draft.id);
        let delivery = Delivery {
            id: draft.id,
            kind: draft.kind,
            app: draft.app,
            address: draft.address,
            at: draft.at,
            body: (draft.write)(recorded),
            attempts: 0,
            last: None,
            state: DeliveryState::Due(draft.at),
        };
        self.deliveries.lock().unwrap().push((delivery, Timestamp::MIN));
    }

    pub(crate) fn states(&self) -> Vec<DeliveryState> {
        self.deliveries.lock().unwrap().iter().map(|(delivery, _)| delivery.state).collect()
    }
}

impl Outbox for VecOutbox {
    fn accept(&self, check: AcceptedCheck) -> BoxFuture<'_, Result<(), LedgerError>> {
        self.checks.lock().unwrap().push((check, Timestamp::MIN));
        Box::pin(async { Ok(()) })
    }

    fn lease_checks(
        &self,
        now: Timestamp,
        until: Timestamp,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<AcceptedCheck>, LedgerError>> {
        let mut checks = self.checks.lock().unwrap();
        let free = checks.iter_mut().filter(|(_, leased)| *leased <= now).take(limit);
        let leased = free
            .map(|(check, leased)| {
                *leased = until;
                check.clone()
            })
            .collect();
        Box::pin(async { Ok(leased) })
    }

    fn put(&self, delivery: DeliveryDraft) -> BoxFuture<'_, Result<(), LedgerError>> {
        self.keep(&delivery, &[]);
        Box::pin(async { Ok(()) })
    }

    fn lease_deliveries(
        &self,
        now: Timestamp,
        until: Timestamp,
        limit: usize,
        per_address: usize,
    ) -> BoxFuture<'_, Result<Vec<Delivery>, LedgerError>> {
        let mut all = self.deliveries.lock().unwrap();
        let mut leased = Vec::new();
        for at in 0..all.len() {
            let (delivery, lease) = &all[at];
            let of_address = all.iter().filter(|(other, lease)| other.address == delivery.address && *lease > now);
            let is_due = matches!(delivery.state, DeliveryState::Due(due) if due <= now) && *lease <= now;
            if is_due && leased.len() < limit && of_address.count() < per_address {
                all[at].1 = until;
                leased.push(all[at].0.clone());
            }
        }
        Box::pin(async { Ok(leased) })
    }

    fn settle(&self, id: DeliveryId, attempt: Attempt, next: DeliveryState) -> BoxFuture<'_, Result<(), LedgerError>> {
        let mut all = self.deliveries.lock().unwrap();
        let (delivery, lease) = all.iter_mut().find(|(delivery, _)| delivery.id == id).unwrap();
        delivery.attempts += 1;
        (delivery.last, delivery.state, *lease) = (Some(attempt), next, Timestamp::MIN);
        Box::pin(async { Ok(()) })
    }

    fn deliveries(&self, query: DeliveryQuery) -> BoxFuture<'_, Result<Vec<Delivery>, LedgerError>> {
        let all = self.deliveries.lock().unwrap();
        assert!(!query.oldest_first, "nobody asks this outbox for the oldest");
        let wanted = all.iter().rev().map(|(delivery, _)| delivery).filter(|delivery| {
            query.app.is_none_or(|app| app == delivery.app)
                && query.address.is_none_or(|address| address == delivery.address)
                && (!query.only_dead || delivery.state == DeliveryState::Dead)
                && query.after.is_none_or(|after| delivery.id < after)
        });
        let listed =
            wanted.take(query.limit).map(|delivery| Delivery { body: Vec::new(), ..delivery.clone() }).collect();
        Box::pin(async { Ok(listed) })
    }

    fn redeliver(&self, id: DeliveryId, now: Timestamp) -> BoxFuture<'_, Result<bool, LedgerError>> {
        let mut all = self.deliveries.lock().unwrap();
        let found = all.iter_mut().find(|(delivery, _)| delivery.id == id && !delivery.body.is_empty());
        let is_there = found.map(|(delivery, _)| delivery.state = DeliveryState::Due(now)).is_some();
        Box::pin(async move { Ok(is_there) })
    }

    fn backlogs(&self, now: Timestamp) -> BoxFuture<'_, Result<Vec<Backlog>, LedgerError>> {
        let mut backlogs: Vec<Backlog> = Vec::new();
        let all = self.deliveries.lock().unwrap();
        for (delivery, lease) in all.iter() {
            let DeliveryState::Due(since) = delivery.state else { continue };
            let under_way = all.iter().filter(|(other, lease)| other.address == delivery.address && *lease > now);
            let backlog = Backlog { address: delivery.address, since, under_way: under_way.count() as u64 };
            match backlogs.iter_mut().find(|found| found.address == delivery.address) {
                _ if since > now || *lease > now => {}
                Some(found) => found.since = found.since.min(since),
                None => backlogs.push(backlog),
            }
        }
        Box::pin(async { Ok(backlogs) })
    }

    fn depth(&self) -> BoxFuture<'_, Result<OutboxDepth, LedgerError>> {
        let count = |wanted: fn(DeliveryState) -> bool| self.states().into_iter().filter(|s| wanted(*s)).count() as u64;
        let depth = OutboxDepth {
            checks: self.checks.lock().unwrap().len() as u64,
            deliveries: count(|state| matches!(state, DeliveryState::Due(_))),
            dead: count(|state| state == DeliveryState::Dead),
        };
        Box::pin(async move { Ok(depth) })
    }
}
