//! Several checks, and what must commit with them: all or nothing.

use laini_core::billing::CheckId;
use laini_core::store::{KeyedAnswer, LedgerError, Recorded};
use tokio::sync::oneshot;

use super::answers;
use super::append::{Inserts, Transaction, row_at};
use super::chore::{Chore, not_reached};
use super::outbox;
use laini_store::ledger::{SealedAnswer, SealedSubmission, Written, gave_up, out_of_order, taken};

/// A submission on its way.
pub(super) struct Submitting {
    pub(super) submission: SealedSubmission,
    pub(super) result: Option<Result<Written, LedgerError>>,
    pub(super) sender: oneshot::Sender<Result<Written, LedgerError>>,
}

impl Chore for Submitting {
    fn write(&mut self, transaction: &mut Transaction<'_>) -> rusqlite::Result<()> {
        self.result = Some(if self.sender.is_closed() { Err(gave_up()) } else { self.decide(transaction)? });
        Ok(())
    }

    fn done(self: Box<Self>, committed: Result<(), LedgerError>) -> Vec<CheckId> {
        let Self { submission, result, sender } = *self;
        let has_failed = committed.is_err();
        let written = committed.and_then(|()| result.unwrap_or_else(|| Err(not_reached())));
        let is_unheard = sender.send(written).is_err();
        if has_failed || is_unheard { submission.unheard() } else { Vec::new() }
    }
}

impl Submitting {
    fn decide(&self, transaction: &mut Transaction<'_>) -> rusqlite::Result<Result<Written, LedgerError>> {
        let mut is_own = false;
        if let Some((_, keyed)) = &self.submission.answer
            && let Some(stored) = answers::stored(transaction.connection, keyed.claim.key)?
        {
            is_own = self.is_own(&stored);
            if stored.is_known_at(keyed.claim.at) && !is_own {
                return Ok(Ok(Written::Answered(keyed.claim.key, stored)));
            }
        }
        let recorded = match self.record(transaction)? {
            Ok(recorded) => recorded,
            Err(error) => return Ok(Err(error)),
        };
        let connection = transaction.connection;
        let mut told = None;
        if let Some((day_key, keyed)) = &self.submission.answer {
            let answer = (keyed.write)(&recorded);
            answers::store(connection, keyed.claim, day_key, &answer)?;
            told = Some(answer);
        }
        // One that an attempt of this very submission accepted may be decided by now.
        if let (Some((check, sealed)), false) = (&self.submission.accepted, is_own) {
            outbox::insert_check(connection, check, sealed)?;
        }
        if let Some((day_key, delivery)) = &self.submission.delivery {
            outbox::insert(connection, delivery, day_key, &(delivery.write)(&recorded))?;
        }
        Ok(Ok(Written::Recorded(recorded, told)))
    }

    /// Whether an answer was stored by an attempt of this very submission whose commit was in doubt.
    fn is_own(&self, stored: &SealedAnswer) -> bool {
        let is_same = |keyed: &KeyedAnswer| (keyed.claim.request, keyed.claim.at) == (stored.request, stored.at);
        self.submission.answer.as_ref().is_some_and(|(_, keyed)| is_same(keyed))
    }

    /// Writes every check, or finds every one of them as it was recorded before. Anything else is a
    /// mistake of the caller's, and nothing is written.
    fn record(&self, transaction: &mut Transaction<'_>) -> rusqlite::Result<Result<Vec<Recorded>, LedgerError>> {
        let ids = || self.submission.checks.iter().map(|check| check.draft.id);
        if !ids().is_sorted_by(|one, next| one.position() < next.position()) {
            return Ok(Err(out_of_order()));
        }
        let mut found = 0;
        for id in ids() {
            found += usize::from(row_at(transaction.connection, id)?.is_some());
        }
        let mut inserts = Inserts::of(transaction.connection)?;
        let mut recorded = Vec::with_capacity(self.submission.checks.len());
        for check in &self.submission.checks {
            let one =
                if found == 0 { transaction.insert(&mut inserts, check)? } else { transaction.already_there(check)? };
            match one {
                Some(one) => recorded.push(one),
                None => return Ok(Err(taken())),
            }
        }
        Ok(Ok(recorded))
    }
}
