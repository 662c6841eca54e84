use std::sync::Arc;

use jiff::Timestamp;
use laini_core::line::Msisdn;
use laini_core::partner::PrivacyRequestId;
use laini_core::privacy::{PrivacyAction, RequestRefusal, RequestState};

use super::steps::{carry_out, handed_out, refused};
use super::{Amendment, Dossier, Erasure, Holdings, PrivacyRequest, Rectified, Span, Subject};
use super::{erase_subject, export, hold_again, rectify};
use crate::jobs::{CameTo, Job, JobOf, JobState};
use crate::{Actor, Office, Problem, Work};

/// How an approved request is to be carried out. Only its keyed hash is kept of a number, so whoever has it carried out
/// says it again.
#[derive(Debug, Clone)]
pub struct Order {
    /// The number.
    pub number: Msisdn,
    /// Which time it is about.
    pub span: Span,
    /// Whose.
    pub holdings: Holdings,
    /// What is to be corrected; of corrections alone.
    pub amendment: Option<Amendment>,
}

/// What came of an order.
pub enum CarriedOut {
    /// What is held was put together; the request ends when somebody takes it.
    Exported(Box<Dossier>),
    /// It was forgotten.
    Erased(Erasure),
    /// It was corrected.
    Rectified(Rectified),
}

/// The request, if it is about this number, approved, and not held since.
pub fn approved(work: &mut Work<'_>, id: PrivacyRequestId, subject: &Subject) -> Result<PrivacyRequest, Problem> {
    let mut request: PrivacyRequest = work.get(id)?;
    request.standing().done().map_err(refused)?;
    hold_again(work, &mut request, subject)?;
    match request.held_until.filter(|_| request.state != RequestState::Approved) {
        Some(until) => Err(refused(RequestRefusal::Held(until))),
        None => Ok(request),
    }
}

/// Carries an approved request out, and ends it; an export is ended by [`take_dossier`]. It may read the whole ledger:
/// `progress` is told how many rows more were read. Doing it again, where it failed, does what was left over.
pub fn carry_out_order(
    office: &Office,
    actor: &Actor,
    id: PrivacyRequestId,
    order: &Order,
    at: Timestamp,
    progress: impl FnMut(u64),
) -> Result<CarriedOut, Problem> {
    let subject = Subject::look_up(office, order.number)?;
    let request = office.run(actor, at, |work| approved(work, id, &subject))?;
    let done = match request.action {
        PrivacyAction::Export if order.holdings == Holdings::Earlier => {
            return Err(Problem::invalid("holdings", "what is held of earlier holders alone is nobody's to be told"));
        }
        PrivacyAction::Export => {
            let span = subject.span(order.span, order.holdings)?;
            return Ok(CarriedOut::Exported(Box::new(export(office, &subject, span, at, progress)?)));
        }
        PrivacyAction::Erase => {
            CarriedOut::Erased(erase_subject(office, &subject, id, (order.span, order.holdings), at, progress)?)
        }
        PrivacyAction::Rectify => {
            let amendment = order.amendment.as_ref().ok_or(Problem::invalid("event", "say which event is wrong"))?;
            CarriedOut::Rectified(rectify(office, &subject, id, amendment, at)?)
        }
        PrivacyAction::Restrict | PrivacyAction::Unrestrict => {
            return Err(Problem::not_now("a restriction is made and lifted with its approval"));
        }
    };
    let what = done.in_record();
    office.run(actor, at, |work| {
        let request = work.get(id)?;
        carry_out(work, request, &what).map(drop)
    })?;
    Ok(done)
}

impl CarriedOut {
    /// As a request's record has it.
    pub fn in_record(&self) -> String {
        match self {
            Self::Exported(dossier) => dossier.in_record(),
            Self::Erased(erasure) => erasure.in_record(),
            Self::Rectified(rectified) => rectified.in_record(),
        }
    }
}

/// The job that carries a request out, if it has put a dossier together that is still kept; with that the request ends.
/// That it was taken is in the trail, each time.
pub fn take_dossier(work: &mut Work<'_>, id: PrivacyRequestId) -> Result<Arc<CarriedOut>, Problem> {
    let gone = || Problem::not_now("no dossier is kept here: have it put together, and take it within 15 minutes");
    let job = work.office.jobs.of_request(id).ok_or_else(gone)?;
    let JobState::Done(CameTo::CarriedOut(carried_out)) = job.state() else { return Err(gone()) };
    let CarriedOut::Exported(dossier) = &*carried_out else { return Err(gone()) };
    let request: PrivacyRequest = work.get(id)?;
    handed_out(work, request, &dossier.in_record())?;
    Ok(carried_out)
}

/// Notes that an order begins, one at a time; refused where it could not be carried out.
pub fn begin_order(
    office: &Office,
    actor: &Actor,
    id: PrivacyRequestId,
    order: &Order,
    at: Timestamp,
) -> Result<Arc<Job>, Problem> {
    let subject = Subject::look_up(office, order.number)?;
    office.run(actor, at, |work| approved(work, id, &subject))?;
    office.subjects()?;
    office.jobs.begin(JobOf::Privacy(id), actor.in_trail(), at)
}
