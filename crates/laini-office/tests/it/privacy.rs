use futures_executor::block_on;
use jiff::{SignedDuration, Timestamp};
use laini_core::disclosure::Horizon;
use laini_core::line::{Imsi, Line, LineState, LineStatus, Msisdn, NumberPlan, Swap, SwapCause};
use laini_core::partner::StaffRole;
use laini_core::privacy::{HOLD, IdentityProof, PrivacyAction, RequestState};
use laini_core::store::Lookup;
use laini_office::people::Seat;
use laini_office::privacy::{
    NewRequest, PrivacyRequest, Subject, approve, carry_out, check_identity, held_until, receive, refuse,
};
use laini_office::{Actor, Problem, Work};

use crate::desk::Desk;

fn number() -> Msisdn {
    NumberPlan::KENYA.parse("254722000001").unwrap()
}

fn console() -> Actor {
    Actor::Console { user: "test".to_owned() }
}

/// The number as it is looked up: its SIM was swapped then, in a registry that knows of every swap.
fn swapped(desk: &Desk, at: Option<Timestamp>) -> Subject {
    let line = Line {
        status: LineStatus::Active,
        sim: Imsi::parse("639021860913909").unwrap().into(),
        registered: "2019-05-01T00:00:00Z".parse().unwrap(),
        holder_since: None,
        last_swap: at.map(|at| Swap { at, cause: SwapCause::Replacement }),
        swap_learned: false,
        swap_before: None,
        last_pairing: None,
        contract: None,
        restricted: false,
        hashed_imsi: None,
    };
    let horizon = Horizon { as_of: None, history_since: Timestamp::MIN };
    let found = Lookup { state: LineState { line: Some(line), source_rejected: false }, horizon };
    Subject { number: number(), hash: desk.office.keys.subject().number(number()), found }
}

/// A request that came.
fn received(desk: &Desk, action: PrivacyAction, held_until: Option<Timestamp>) -> PrivacyRequest {
    let new = NewRequest { number: number(), action, partner: None, any_holder: false, reason: "asked", held_until };
    desk.run(&console(), |work| receive(work, &new)).unwrap()
}

/// A request that came and whose holder was checked.
fn checked(desk: &Desk, action: PrivacyAction, held_until: Option<Timestamp>) -> PrivacyRequest {
    let (received, subject) = (received(desk, action, held_until), swapped(desk, None));
    let how = IdentityProof::DocumentInPerson;
    desk.run(&console(), |work| with(work, &received, |work, request| check_identity(work, request, &subject, how)))
        .unwrap()
}

fn approved(
    desk: &Desk,
    actor: &Actor,
    request: &PrivacyRequest,
    subject: Option<&Subject>,
    override_hold: bool,
) -> Result<PrivacyRequest, Problem> {
    desk.run(actor, |work| {
        with(work, request, |work, request| approve(work, request, subject, "the papers fit", override_hold))
    })
}

/// A request as it is kept.
fn kept(desk: &Desk, request: &PrivacyRequest) -> PrivacyRequest {
    desk.run(&console(), |work| work.get(request.id)).unwrap()
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
    let (received, quiet) = (desk.at, swapped(&desk, None));
    desk.wait_s(3_600);
    assert_eq!(restricted_until(&desk), None);
    let version = block_on(desk.office.accounts.version()).unwrap();
    let done = approved(&desk, &console(), &request, Some(&quiet), false).unwrap();
    assert_eq!((done.state, restricted_until(&desk)), (RequestState::Done, Some(received)));
    assert!(block_on(desk.office.accounts.version()).unwrap() > version, "servers notice it");
    let lifting = checked(&desk, PrivacyAction::Unrestrict, None);
    approved(&desk, &console(), &lifting, Some(&quiet), false).unwrap();
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
    let ended = approved(&desk, &console(), &refused, Some(&swapped(&desk, None)), true);
    assert!(matches!(ended, Err(Problem::NotNow(_))), "{ended:?}");
}

#[test]
fn a_held_request_waits_and_support_overrides_nothing() {
    let mut desk = Desk::open();
    let until = desk.at + SignedDuration::from_hours(24);
    let request = checked(&desk, PrivacyAction::Erase, Some(until));
    let support = desk.person("support@operator.example", Seat::Staff { role: StaffRole::Support }).actor();
    let overridden = approved(&desk, &support, &request, None, true);
    assert!(matches!(overridden, Err(Problem::Forbidden(_))), "{overridden:?}");
    let held = approved(&desk, &console(), &request, None, false);
    assert!(matches!(held, Err(Problem::NotNow(_))), "{held:?}");
    let early = desk.run(&console(), |work| with(work, &request, |work, request| carry_out(work, request, "nothing")));
    assert!(matches!(early, Err(Problem::NotNow(_))), "{early:?}");
    desk.wait_s(24 * 3_600);
    let approved = approved(&desk, &console(), &request, None, false).unwrap();
    assert_eq!(approved.state, RequestState::Approved);
    let done = desk
        .run(&console(), |work| with(work, &approved, |work, request| carry_out(work, request, "2 checks")))
        .unwrap();
    assert_eq!(done.state, RequestState::Done);
}

#[test]
fn a_swap_since_a_request_came_holds_it_when_it_is_checked_who_asks() {
    let mut desk = Desk::open();
    let request = received(&desk, PrivacyAction::Export, None);
    desk.wait_s(48 * 3_600);
    let (swap, how) = (desk.at - SignedDuration::from_hours(1), IdentityProof::DocumentInPerson);
    let check = |subject: &Subject| {
        desk.run(&console(), |work| with(work, &request, |work, request| check_identity(work, request, subject, how)))
    };
    let other = NumberPlan::KENYA.parse("254722000002").unwrap();
    let foreign = Subject { hash: desk.office.keys.subject().number(other), ..swapped(&desk, None) };
    assert!(matches!(check(&foreign), Err(Problem::Invalid { field: "number", .. })));
    let checked = check(&swapped(&desk, Some(swap))).unwrap();
    assert_eq!((checked.state, checked.held_until), (RequestState::IdentityChecked, Some(swap + HOLD)));
    assert_eq!((kept(&desk, &request), checked.status(desk.at)), (checked.clone(), "held"));
    let held = approved(&desk, &console(), &checked, None, false);
    assert!(matches!(held, Err(Problem::NotNow(_))), "{held:?}");
    let actions: Vec<_> = desk.trail().into_iter().map(|row| row.entry.action).collect();
    assert_eq!(actions[..3], ["subject.export.identity_checked", "subject.export.held", "subject.export.received"]);
}

#[test]
fn a_restriction_is_looked_at_again_with_its_approval_and_each_swap_holds_it_for_longer() {
    for action in [PrivacyAction::Restrict, PrivacyAction::Unrestrict] {
        let mut desk = Desk::open();
        let request = checked(&desk, action, None);
        let blind = approved(&desk, &console(), &request, None, true);
        assert!(matches!(blind, Err(Problem::Invalid { field: "number", .. })), "{blind:?}");
        let mut until = None;
        for _ in 0..2 {
            desk.wait_s(20 * 86_400);
            let again = swapped(&desk, Some(desk.at - SignedDuration::from_hours(1)));
            let held = approved(&desk, &console(), &request, Some(&again), false);
            assert!(matches!(held, Err(Problem::NotNow(_))), "{held:?}");
            let kept = kept(&desk, &request);
            assert_eq!((kept.state, kept.status(desk.at)), (RequestState::IdentityChecked, "held"));
            assert!(kept.held_until > until, "{kept:?}");
            until = kept.held_until;
        }
        assert_eq!(restricted_until(&desk), None);
        let again = swapped(&desk, until.map(|until| until - HOLD));
        let done = approved(&desk, &console(), &request, Some(&again), true).unwrap();
        assert_eq!((done.state, done.held_until), (RequestState::Done, until));
        assert!(done.approval.unwrap().overrode_hold);
    }
}

#[test]
fn what_nobody_can_say_holds_a_request_once() {
    let mut desk = Desk::open();
    let request = received(&desk, PrivacyAction::Restrict, None);
    let mut unknown = swapped(&desk, None);
    unknown.found.horizon.history_since = Timestamp::MAX;
    let how = IdentityProof::Order;
    let checked = desk
        .run(&console(), |work| with(work, &request, |work, request| check_identity(work, request, &unknown, how)))
        .unwrap();
    assert_eq!(checked.held_until, Some(desk.at + HOLD));
    desk.wait_s(HOLD.as_secs());
    let done = approved(&desk, &console(), &request, Some(&unknown), false).unwrap();
    assert_eq!((done.state, done.held_until), (RequestState::Done, checked.held_until));
}

#[test]
fn no_record_holds_the_number_and_without_a_registry_nothing_is_received_over_http() {
    let desk = Desk::open();
    let request = checked(&desk, PrivacyAction::Export, None);
    let record = serde_json::to_string(&request).unwrap();
    assert!(!record.contains("722000001") && record.contains("254******001"), "{record}");
    assert!(matches!(desk.run(&console(), |work| held_until(work, number())), Err(Problem::NotNow(_))));
}
