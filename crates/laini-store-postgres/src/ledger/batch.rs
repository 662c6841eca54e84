//! What waits for one commit, and what it comes to given what is known.

use std::collections::HashMap;

use laini_core::billing::CheckId;
use laini_core::billing::Outcome;
use laini_core::store::{
    AnswerKey, BodyOwner, ChainKey, DayKey, DeliveryDraft, Draft, KeyedAnswer, LedgerError, LedgerRow, Recorded,
    Repeatable,
};
use laini_store::ledger::{
    Counters, Link, SealedAnswer, SealedDraft, SealedSubmission, Written, gave_up, out_of_order, taken,
};
use tokio::sync::oneshot;

use super::arrays::{Counts, Questions};
use super::known::Known;
use super::repeats::{Change, Question, Repeats};
use super::session::{Slot, Tip};
use super::statement::Writes;
use crate::columns::place;

/// One check on its way into the ledger.
pub(super) struct Job {
    pub(super) check: SealedDraft,
    pub(super) answer: oneshot::Sender<Result<Recorded, LedgerError>>,
}

/// Several checks, and what must commit with them.
pub(super) struct Submitting {
    pub(super) submission: SealedSubmission,
    pub(super) sender: oneshot::Sender<Result<Written, LedgerError>>,
}

/// Something for the writer.
pub(super) enum Work {
    Check(Job),
    Submission(Submitting),
}

impl Work {
    /// Tells its caller that nothing was done.
    pub(super) fn refuse(self, error: LedgerError) {
        // Whoever does not wait any more needs no answer.
        match self {
            Self::Check(job) => drop(job.answer.send(Err(error))),
            Self::Submission(submission) => drop(submission.sender.send(Err(error))),
        }
    }
}

/// What joins one commit.
#[derive(Default)]
pub(super) struct Batch {
    pub(super) jobs: Vec<Job>,
    pub(super) submissions: Vec<Submitting>,
}

impl Batch {
    pub(super) fn push(&mut self, work: Work) {
        match work {
            Work::Check(job) => self.jobs.push(job),
            Work::Submission(submission) => self.submissions.push(submission),
        }
    }

    pub(super) fn len(&self) -> usize {
        self.jobs.len() + self.submissions.len()
    }

    fn drafts(&self) -> impl Iterator<Item = &Draft> {
        let submitted = self.submissions.iter().flat_map(|submitting| &submitting.submission.checks);
        self.jobs.iter().map(|job| &job.check).chain(submitted).map(|check| &check.draft)
    }

    pub(super) fn ids(&self) -> Vec<CheckId> {
        self.drafts().map(|draft| draft.id).collect()
    }

    pub(super) fn questions(&self) -> Vec<Question> {
        self.drafts().map(question).collect()
    }

    pub(super) fn answer_keys(&self) -> Vec<AnswerKey> {
        let keyed = self.submissions.iter().filter_map(|submitting| submitting.submission.answer.as_ref());
        keyed.map(|(_, keyed)| keyed.claim.key).collect()
    }
}

fn question(draft: &Draft) -> Question {
    (draft.partner, draft.repeat.0)
}

/// A batch as it will be written, and what its callers will be told once it is durable.
pub(super) struct Decided {
    pub(super) writes: Writes,
    pub(super) after: Tip,
    pub(super) jobs: Vec<Result<Recorded, LedgerError>>,
    pub(super) submissions: Vec<Result<Written, LedgerError>>,
    /// What this node knows of these questions from then on.
    pub(super) changes: HashMap<Question, Change>,
}

/// Decides every check of a batch: in the order of ids, the single ones first.
pub(super) fn decide(batch: &Batch, known: Known, repeats: &Repeats, (slot, key): (&Slot, &ChainKey)) -> Decided {
    let mut deciding = Deciding {
        known,
        repeats,
        writer: slot.writer.cast_unsigned(),
        key,
        tip: slot.tip,
        counters: Counters::default(),
        changes: HashMap::new(),
        writes: Writes::default(),
    };
    let jobs = batch.jobs.iter().map(|job| deciding.job(job)).collect();
    let submissions = batch.submissions.iter().map(|submission| deciding.submission(submission)).collect();
    let Deciding { tip, counters, changes, mut writes, .. } = deciding;
    writes.questions = Questions::of(changes.iter().map(|(question, change)| (*question, *change)));
    writes.counts = Counts::of(&counters);
    Decided { writes, after: tip, jobs, submissions, changes }
}

struct Deciding<'a> {
    known: Known,
    repeats: &'a Repeats,
    writer: u32,
    key: &'a ChainKey,
    tip: Tip,
    counters: Counters,
    changes: HashMap<Question, Change>,
    writes: Writes,
}

impl Deciding<'_> {
    /// One that nobody waits for any more is left out: no answer can leave, so nothing may be charged.
    fn job(&mut self, job: &Job) -> Result<Recorded, LedgerError> {
        if job.answer.is_closed() {
            return Err(gave_up());
        }
        match self.known.row(job.check.draft.id, self.writer) {
            Some(row) => already_there(row, &job.check).ok_or_else(taken),
            None => Ok(self.insert(&job.check)),
        }
    }

    fn submission(&mut self, Submitting { submission, sender }: &Submitting) -> Result<Written, LedgerError> {
        if sender.is_closed() {
            return Err(gave_up());
        }
        let keyed = submission.answer.as_ref().map(|(day_key, keyed)| (day_key, keyed));
        let stored = keyed.and_then(|(_, keyed)| self.known.answer(keyed.claim.key)).cloned();
        let stored = stored.zip(keyed.map(|(_, keyed)| keyed.claim));
        // An answer of this very submission was stored by an attempt whose commit was in doubt.
        let is_own =
            stored.as_ref().is_some_and(|(stored, claim)| (stored.request, stored.at) == (claim.request, claim.at));
        if let Some((stored, claim)) = stored
            && stored.is_known_at(claim.at)
            && !is_own
        {
            return Ok(Written::Answered(claim.key, stored));
        }
        let recorded = self.record_together(&submission.checks)?;
        let mut told = None;
        if let Some((day_key, keyed)) = keyed {
            let answer = (keyed.write)(&recorded);
            if !is_own {
                self.store(day_key, keyed, &answer);
            }
            told = Some(answer);
        }
        // One that an attempt of this very submission accepted may be decided by now.
        if let (Some((check, sealed)), false) = (&submission.accepted, is_own) {
            self.writes.accepted.push(check, sealed);
        }
        if let Some((day_key, delivery)) = &submission.delivery {
            self.deliver(day_key, delivery, &(delivery.write)(&recorded));
        }
        Ok(Written::Recorded(recorded, told))
    }

    /// Writes every check, or finds every one of them as it was recorded before. Anything else is a
    /// mistake of the caller's, and nothing is written.
    fn record_together(&mut self, checks: &[SealedDraft]) -> Result<Vec<Recorded>, LedgerError> {
        let ids = || checks.iter().map(|check| check.draft.id);
        if !ids().is_sorted_by(|one, next| one.position() < next.position()) {
            return Err(out_of_order());
        }
        let is_new = ids().all(|id| self.known.row(id, self.writer).is_none());
        if is_new {
            return Ok(checks.iter().map(|check| self.insert(check)).collect());
        }
        let found = |check: &SealedDraft| {
            let row = self.known.row(check.draft.id, self.writer)?;
            already_there(row, check)
        };
        checks.iter().map(|check| found(check).ok_or_else(taken)).collect()
    }

    /// Decides a check, links its row and writes it.
    fn insert(&mut self, check: &SealedDraft) -> Recorded {
        let draft = &check.draft;
        let (_, window) = draft.repeat;
        let question = question(draft);
        let change = self.changes.get(&question).copied();
        let was = change.map_or_else(|| self.repeats.get(question), |change| change.was);
        let now = change.map_or(was, |change| Some(change.now));
        let recorded = draft.decide(now.is_some_and(|now| now.covers(window, draft.at)));
        let next = match (recorded.outcome, now) {
            (Outcome::Answered, _) => Some(Repeatable::charged(draft.at)),
            (Outcome::Repeated, Some(now)) => Some(now.repeated()),
            _ => None,
        };
        if let Some(now) = next {
            self.changes.insert(question, Change { window, was, now });
        }
        self.append(draft.row(recorded, check.side_digest), Some(check));
        recorded
    }

    fn append(&mut self, row: LedgerRow, check: Option<&SealedDraft>) {
        let link = chained(&mut self.tip, self.key, self.writer, &row);
        self.writes.checks.push(&row, link, check);
        self.counters.count(&row);
        self.known.add_row(row, self.writer);
    }

    fn store(&mut self, day_key: &DayKey, keyed: &KeyedAnswer, answer: &[u8]) {
        let claim = keyed.claim;
        let sealed = day_key.seal_body(BodyOwner::Answer(claim.key), answer);
        let answers = &mut self.writes.answers;
        answers.key.push(claim.key.0.to_vec());
        answers.request.push(claim.request.0.to_vec());
        answers.at.push(claim.at.as_microsecond());
        answers.sealed.push(sealed.clone());
        let stored = SealedAnswer { request: claim.request, at: claim.at, sealed };
        self.known.add_answer(claim.key, stored);
    }

    fn deliver(&mut self, day_key: &DayKey, delivery: &DeliveryDraft, body: &[u8]) {
        let (position, tail) = place(delivery.id.0);
        let deliveries = &mut self.writes.deliveries;
        deliveries.position.push(position);
        deliveries.tail.push(tail);
        deliveries.kind.push(delivery.kind.word().to_owned());
        deliveries.app.push(delivery.app.as_u64().cast_signed());
        deliveries.address.push(delivery.address.as_u64().cast_signed());
        deliveries.at.push(delivery.at.as_microsecond());
        deliveries.sealed.push(day_key.seal_body(BodyOwner::Delivery(delivery.id), body));
    }
}

/// Links a row to the end of the chain, which moves on to it.
pub(super) fn chained(tip: &mut Tip, key: &ChainKey, writer: u32, row: &LedgerRow) -> Link {
    let seq = tip.seq + 1;
    let mac = key.link(tip.mac, writer, seq, row);
    *tip = Tip { seq, mac, newest: tip.newest.max(Some(row.id)), newest_at: tip.newest_at.max(row.at) };
    Link { writer, seq, mac }
}

/// An id stands in the ledger once: recording the same check again finds how it was recorded. `None` =
/// the id is another check's.
fn already_there(row: &LedgerRow, check: &SealedDraft) -> Option<Recorded> {
    let recorded = row.recorded();
    (check.draft.row(recorded, check.side_digest) == *row).then_some(recorded)
}
