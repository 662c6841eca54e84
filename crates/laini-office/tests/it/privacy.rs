use futures_executor::block_on;
use jiff::{SignedDuration, Timestamp};
use laini_core::line::{Msisdn, NumberPlan};
use laini_core::partner::StaffRole;
use laini_core::privacy::{IdentityProof, PrivacyAction, RequestState};
use laini_office::people::Seat;
use laini_office::privacy::{
    NewRequest, PrivacyRequest, approve, carry_out, check_identity, held_until, receive, refuse,
};
use laini_office::{Actor, Problem, Work};

use crate::desk::Desk;

fn number() -> Msisdn {
    NumberPlan::KENYA.parse("254722000001").unwrap()
}

fn console() -> Actor {
    Actor::Console { user: "test".to_owned() }
}

/// A request that came and whose holder was checked.
fn checked(desk: &Desk, action: PrivacyAction, held_until: Option<Timestamp>) -> PrivacyRequest {
    let new = NewRequest { number: number(), action, partner: None, any_holder: false, reason: "asked", held_until };
    let received = desk.run(&console(), |work| receive(work, &new)).unwrap();
    desk.run(&console(), |work| {
        let request = work.get(received.id)?;
        check_identity(work, request, IdentityProof::DocumentInPerson)
    })
    .unwrap()
}

/// The same request as it is kept now.
fn with(
    work: &mut Work<'_>,
    request: &PrivacyRequest,
    step: impl FnOnce(&mut Work<'_>, PrivacyRequest) -> Result<PrivacyRequest, Problem>,
) -> Result<PrivacyRequest, Problem> {
    let kept = work.get(request.id)?;
    step(work, kept)
}

fn restricted_until(desk: &Desk) -> Option<Timestamp> {
    let hash = desk.office.keys.subject().number(number());
    block_on(desk.office.accounts.restriction(hash)).unwrap().and_then(|row| row.until)
}

#[test]
fn a_restriction_is_in_force_with_its_approval_and_for_who_asked() {
    let mut desk = Desk::open();
    let request = checked(&desk, PrivacyAction::Restrict, None);
    let received = desk.at;
    desk.wait_s(3_600);
    assert_eq!(restricted_until(&desk), None);
    let version = block_on(desk.office.accounts.version()).unwrap();
    let done = desk
        .run(&console(), |work| with(work, &request, |work, request| approve(work, request, "an order", false)))
        .unwrap();
    assert_eq!((done.state, restricted_until(&desk)), (RequestState::Done, Some(received)));
    assert!(block_on(desk.office.accounts.version()).unwrap() > version, "servers notice it");
    let lifting = checked(&desk, PrivacyAction::Unrestrict, None);
    desk.run(&console(), |work| with(work, &lifting, |work, request| approve(work, request, "asked", false))).unwrap();
    assert_eq!(restricted_until(&desk), None);
}

#[test]
fn what_was_refused_changes_nothing() {
    let desk = Desk::open();
    let request = checked(&desk, PrivacyAction::Restrict, None);
    let refused = desk
        .run(&console(), |work| {
            with(work, &request, |work, request| refuse(work, request, "the papers are of somebody else"))
        })
        .unwrap();
    assert_eq!((refused.state, restricted_until(&desk)), (RequestState::Refused, None));
    let ended =
        desk.run(&console(), |work| with(work, &refused, |work, request| approve(work, request, "after all", true)));
    assert!(matches!(ended, Err(Problem::NotNow(_))), "{ended:?}");
}

#[test]
fn a_held_request_waits_and_support_overrides_nothing() {
    let mut desk = Desk::open();
    let until = desk.at + SignedDuration::from_hours(24);
    let request = checked(&desk, PrivacyAction::Erase, Some(until));
    let support = desk.person("support@operator.example", Seat::Staff { role: StaffRole::Support }).actor();
    let overridden =
        desk.run(&support, |work| with(work, &request, |work, request| approve(work, request, "it is urgent", true)));
    assert!(matches!(overridden, Err(Problem::Forbidden(_))), "{overridden:?}");
    let held = desk
        .run(&console(), |work| with(work, &request, |work, request| approve(work, request, "it is urgent", false)));
    assert!(matches!(held, Err(Problem::NotNow(_))), "{held:?}");
    let early = desk.run(&console(), |work| with(work, &request, |work, request| carry_out(work, request, "nothing")));
    assert!(matches!(early, Err(Problem::NotNow(_))), "{early:?}");
    desk.wait_s(24 * 3_600);
    let approved = desk
        .run(&console(), |work| {
            with(work, &request, |work, request| approve(work, request, "its time has come", false))
        })
        .unwrap();
    assert_eq!(approved.state, RequestState::Approved);
    let done = desk
        .run(&console(), |work| with(work, &approved, |work, request| carry_out(work, request, "2 checks")))
        .unwrap();
    assert_eq!(done.state, RequestState::Done);
}

#[test]
fn no_record_holds_the_number_and_without_a_registry_nothing_is_received_over_http() {
    let desk = Desk::open();
    let request = checked(&desk, PrivacyAction::Export, None);
    let record = serde_json::to_string(&request).unwrap();
    assert!(!record.contains("722000001") && record.contains("254******001"), "{record}");
    assert!(matches!(desk.run(&console(), |work| held_until(work, number())), Err(Problem::NotNow(_))));
}
