use std::sync::Arc;

use jiff::Timestamp;
use laini_core::billing::CheckId;
use laini_core::store::{
    AcceptedCheck, AnswerKey, DayKey, DayKeys, DeliveryDraft, KeyedAnswer, LedgerError, Recorded, Submission, Submitted,
};

use super::{SealedAnswer, SealedCheck, SealedDraft};

/// Several checks with their side rows sealed, and what must commit with them: all or nothing.
pub struct SealedSubmission {
    /// In the order of their ids.
    pub checks: Vec<SealedDraft>,
    /// With the key of the day that seals it.
    pub answer: Option<(Arc<DayKey>, KeyedAnswer)>,
    /// With its sealed part.
    pub accepted: Option<(AcceptedCheck, Vec<u8>)>,
    /// As the answer.
    pub delivery: Option<(Arc<DayKey>, DeliveryDraft)>,
}

impl SealedSubmission {
    /// Seals the checks, and finds the keys for the rest, which is written only once they are decided.
    pub fn new(
        submission: Submission,
        day_key: impl Fn(Timestamp) -> Result<Arc<DayKey>, LedgerError>,
    ) -> Result<Self, LedgerError> {
        let Submission { drafts, answer, accepted, delivery } = submission;
        let mut checks = Vec::with_capacity(drafts.len());
        for draft in drafts {
            let day_key = day_key(draft.at)?;
            checks.push(SealedDraft::new(draft, &day_key));
        }
        let answer = answer.map(|answer| Ok((day_key(answer.claim.at)?, answer))).transpose()?;
        let accepted = accepted.map(|check| {
            let sealed = SealedCheck::seal(&*day_key(check.at)?, &check);
            Ok((check, sealed))
        });
        let accepted = accepted.transpose()?;
        let delivery = delivery.map(|delivery| Ok((day_key(delivery.at)?, delivery))).transpose()?;
        Ok(Self { checks, answer, accepted, delivery })
    }

    /// The checks whose charges are taken back where nobody hears what came of them: none where the answer
    /// can be fetched later.
    pub fn unheard(&self) -> Vec<CheckId> {
        let can_be_fetched = self.answer.is_some() || self.delivery.is_some();
        if can_be_fetched { Vec::new() } else { self.checks.iter().map(|check| check.draft.id).collect() }
    }
}

/// What became of a submission; an answer that was stored before is opened on the caller's thread.
#[derive(Debug)]
pub enum Written {
    /// It was recorded, perhaps with an answer.
    Recorded(Vec<Recorded>, Option<Vec<u8>>),
    /// It was answered before.
    Answered(AnswerKey, SealedAnswer),
}

impl Written {
    /// What its caller is told.
    pub fn open(self, day_keys: &dyn DayKeys) -> Result<Submitted, LedgerError> {
        match self {
            Self::Recorded(recorded, answer) => Ok(Submitted::Recorded(recorded, answer)),
            Self::Answered(key, sealed) => Ok(Submitted::Answered(key, sealed.open(key, day_keys)?)),
        }
    }
}
