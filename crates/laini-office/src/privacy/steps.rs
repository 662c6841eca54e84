use jiff::Timestamp;
use laini_core::line::Msisdn;
use laini_core::partner::{PartnerId, PrivacyRequestId, StaffRole};
use laini_core::privacy::{IdentityProof, PrivacyAction, RequestRefusal, RequestState};
use laini_core::store::{AccountsChange, SubjectHash};

use super::{Approval, Ending, IdentityCheck, PrivacyRequest, Subject, hold_again, reason};
use crate::{Actor, Problem, Work};

/// A request as it comes.
#[derive(Debug, Clone)]
pub struct NewRequest<'a> {
    /// About whom.
    pub number: Msisdn,
    /// What is asked for.
    pub action: PrivacyAction,
    /// The partner that files it.
    pub partner: Option<PartnerId>,
    /// Whether a restriction is to hold for whoever has the number later.
    pub any_holder: bool,
    /// Why.
    pub reason: &'a str,
    /// Until when it is held: [`held_until`](super::held_until).
    pub held_until: Option<Timestamp>,
}

/// How the trail names a number: masked, with its keyed hash.
pub fn target_of(number: Msisdn, hash: SubjectHash) -> String {
    format!("{} {}", number.masked(), hash.hex())
}

/// Takes a request down.
pub fn receive(work: &mut Work<'_>, new: &NewRequest<'_>) -> Result<PrivacyRequest, Problem> {
    if new.any_holder && new.action != PrivacyAction::Restrict {
        return Err(Problem::invalid("any_holder", "only a restriction can hold for whoever has the number later"));
    }
    let hash = work.office.keys.subject().number(new.number);
    let request = PrivacyRequest {
        id: PrivacyRequestId::from_random(work.office.entropy.next_u64()),
        number: hash.hex(),
        masked: new.number.masked(),
        action: new.action,
        partner: new.partner,
        any_holder: new.any_holder,
        received: work.at,
        received_by: work.actor.in_trail(),
        reason: reason(new.reason)?,
        state: RequestState::Received,
        held_until: new.held_until,
        identity: None,
        approval: None,
        ending: None,
    };
    note(work, &request, "received", &request.reason);
    work.put(&request)?;
    Ok(request)
}

/// Says how it was made sure who asks, and looks again whether the number is held.
pub fn check_identity(
    work: &mut Work<'_>,
    mut request: PrivacyRequest,
    subject: &Subject,
    how: IdentityProof,
) -> Result<PrivacyRequest, Problem> {
    hold_again(work, &mut request, subject)?;
    request.state = request.standing().identity_checked().map_err(refused)?;
    request.identity = Some(IdentityCheck { how, by: work.actor.in_trail(), at: work.at });
    note(work, &request, "identity_checked", how.word());
    work.put(&request)?;
    Ok(request)
}

/// Approves a request. A restriction is made or lifted at once, so whether it is held is looked at again by `subject`;
/// everything else is carried out by an order, which looks then.
pub fn approve(
    work: &mut Work<'_>,
    mut request: PrivacyRequest,
    subject: Option<&Subject>,
    why: &str,
    override_hold: bool,
) -> Result<PrivacyRequest, Problem> {
    let (why, by) = (reason(why)?, work.actor.in_trail());
    match subject {
        Some(subject) => hold_again(work, &mut request, subject)?,
        None if request.takes_effect_with_approval() => {
            let why = "say it again: a restriction is made and lifted with its approval, and may be held by now";
            return Err(Problem::invalid("number", why));
        }
        None => {}
    }
    let is_held = request.standing().is_held(work.at);
    let may_override = matches!(work.actor, Actor::Console { .. } | Actor::Staff { role: StaffRole::Admin, .. });
    if is_held && override_hold && !may_override {
        return Err(Problem::Forbidden("only an administrator answers for a request that is held".into()));
    }
    request.state =
        request.standing().approved(work.at, override_hold, is_same_person(work, &request)).map_err(refused)?;
    note(work, &request, if is_held { "hold_overridden" } else { "approved" }, &why);
    request.approval = Some(Approval { by, at: work.at, reason: why, overrode_hold: is_held });
    match request.action {
        PrivacyAction::Restrict => {
            // Who holds the number since it was received is somebody else.
            let until = if request.any_holder { Timestamp::MAX } else { request.received };
            restrict(work, &mut request, Some(until), "restricted")?;
        }
        PrivacyAction::Unrestrict => restrict(work, &mut request, None, "the restriction is lifted")?,
        PrivacyAction::Export | PrivacyAction::Rectify | PrivacyAction::Erase => work.put(&request)?,
    }
    Ok(request)
}

/// Ends an approved request that was carried out.
pub fn carry_out(work: &mut Work<'_>, mut request: PrivacyRequest, what: &str) -> Result<PrivacyRequest, Problem> {
    end(work, &mut request, what)?;
    Ok(request)
}

/// Notes that what is held was handed out; with the first time the request ends.
pub(super) fn handed_out(work: &mut Work<'_>, mut request: PrivacyRequest, what: &str) -> Result<(), Problem> {
    if request.state == RequestState::Approved {
        return end(work, &mut request, what);
    }
    note(work, &request, "handed_out", what);
    Ok(())
}

/// Ends a request that will not be carried out.
pub fn refuse(work: &mut Work<'_>, mut request: PrivacyRequest, why: &str) -> Result<PrivacyRequest, Problem> {
    let what = reason(why)?;
    request.state = request.standing().refused().map_err(refused)?;
    note(work, &request, "refused", &what);
    request.ending = Some(Ending { by: work.actor.in_trail(), at: work.at, what });
    work.put(&request)?;
    Ok(request)
}

fn restrict(
    work: &mut Work<'_>,
    request: &mut PrivacyRequest,
    until: Option<Timestamp>,
    what: &str,
) -> Result<(), Problem> {
    let damaged = || Problem::Store("a privacy request names no number".to_owned());
    let number = SubjectHash::parse(&request.number).ok_or_else(damaged)?;
    work.accounts(AccountsChange::Restriction(number, until));
    end(work, request, what)
}

fn end(work: &mut Work<'_>, request: &mut PrivacyRequest, what: &str) -> Result<(), Problem> {
    request.state = request.standing().done().map_err(refused)?;
    note(work, request, "done", what);
    request.ending = Some(Ending { by: work.actor.in_trail(), at: work.at, what: what.to_owned() });
    work.put(request)
}

/// Whether the one who approves has had a hand in it before. Whoever has the operator's machine acts alone.
fn is_same_person(work: &Work<'_>, request: &PrivacyRequest) -> bool {
    let by = work.actor.in_trail();
    let checked_by = request.identity.as_ref().map(|identity| identity.by.as_str());
    matches!(work.actor, Actor::Staff { .. }) && (request.received_by == by || checked_by == Some(by.as_str()))
}

pub(super) fn note(work: &mut Work<'_>, request: &PrivacyRequest, step: &str, why: &str) {
    let action = format!("subject.{}.{step}", request.action.word());
    let target = format!("{} {} request {}", request.masked, request.number, request.id);
    // For the operator alone: who files for a partner must not learn how the operator decides.
    work.note(&action, None, target, why);
}

pub(super) fn refused(refusal: RequestRefusal) -> Problem {
    match refusal {
        RequestRefusal::SamePerson => Problem::Forbidden(refusal.to_string().into()),
        _ => Problem::not_now(refusal.to_string()),
    }
}
