//! Approved privacy requests that are carried out: what is told, what is forgotten, and that it ends once.

use futures_executor::block_on;
use jiff::{SignedDuration, Timestamp};
use laini_core::billing::Outcome;
use laini_core::line::{Event, EventKey, EventText, Happening, Imsi};
use laini_core::partner::{PersonId, PrivacyRequestId, StaffRole};
use laini_core::privacy::{HOLD, IdentityProof, PrivacyAction, RequestState};
use laini_core::store::{FeedItem, TrailQuery};
use laini_office::jobs::{CameTo, JobOf, JobState};
use laini_office::privacy::{
    Amendment, CarriedOut, Holdings, NewRequest, Order, PrivacyRequest, Right, Span, Subject, approve, begin_order,
    carry_out_order, check_identity, receive, take_dossier,
};
use laini_office::{Actor, Problem};
use laini_testkit::contract::ledger::{at, number};

use crate::requests::{BANK, Log};

/// Asked about by the rows of these tests.
const SECOND: u32 = 5;

fn staff(person: u64) -> Actor {
    Actor::Staff { person: PersonId::from_stored(person), role: StaffRole::Admin }
}

/// Two days after what was asked: old enough to be erased.
fn later() -> Timestamp {
    at(0) + SignedDuration::from_hours(48)
}

fn text(text: &str) -> EventText {
    EventText::parse(text).unwrap()
}

/// A log with a check and a refused call about a line, whose SIM was replaced long before.
fn asked() -> Log {
    let log = Log::new();
    let event = |id: &str, hours, happening| {
        let key = EventKey { id: text(id), source: text("default") };
        let at = at(0) - SignedDuration::from_hours(hours);
        FeedItem::Event(Event { key, at, recorded: at, msisdn: Some(number(SECOND)), happening })
    };
    let imsi = |text: &str| Imsi::parse(text).unwrap();
    // The feed began with the line, so it knows of every swap.
    for (id, hours, happening) in [
        ("first", 9_000, Happening::Registered(imsi("639021111111111"))),
        ("second", 8_000, Happening::SimReplaced(imsi("639022222222222"))),
    ] {
        let (told, now) = (vec![event(id, hours, happening)], at(0) - SignedDuration::from_hours(hours));
        block_on(log.office.subjects().unwrap().feed.record(told, now)).unwrap();
    }
    log.recorded(BANK, SECOND, Outcome::Answered);
    log.recorded(BANK, SECOND + 1, Outcome::Answered);
    log
}

fn order() -> Order {
    Order { number: number(SECOND), span: Span::default(), holdings: Holdings::Present, amendment: None }
}

/// A request that one took down and checked, and another approved.
fn approved(log: &Log, action: PrivacyAction) -> PrivacyRequestId {
    let new = NewRequest {
        number: number(SECOND),
        action,
        partner: None,
        any_holder: false,
        reason: "asked at the shop",
        held_until: None,
    };
    let subject = Subject::look_up(&log.office, number(SECOND)).unwrap();
    let request = log.office.run(&staff(1), later(), |work| {
        let request = receive(work, &new)?;
        check_identity(work, request, &subject, IdentityProof::DocumentInPerson)
    });
    let id = request.unwrap().id;
    approve_at(log, id, later(), false).unwrap();
    id
}

fn approve_at(log: &Log, id: PrivacyRequestId, at: Timestamp, override_hold: bool) -> Result<(), Problem> {
    let approved = log.office.run(&staff(2), at, |work| {
        let request = work.get(id)?;
        approve(work, request, None, "the papers fit", override_hold)
    });
    approved.map(drop)
}

fn state(log: &Log, id: PrivacyRequestId) -> RequestState {
    log.office.run(&Actor::System, later(), |work| work.get::<PrivacyRequest>(id)).unwrap().state
}

fn carried_out(log: &Log, id: PrivacyRequestId, order: &Order) -> Result<CarriedOut, Problem> {
    carry_out_order(&log.office, &staff(2), id, order, later(), |_| {})
}

#[test]
fn a_dossier_is_taken_in_person_and_with_that_the_request_ends() {
    let log = asked();
    let id = approved(&log, PrivacyAction::Export);
    let other = Order { number: number(SECOND + 1), ..order() };
    assert!(matches!(begin_order(&log.office, &staff(2), id, &other, later()), Err(Problem::Invalid { .. })));
    let job = begin_order(&log.office, &staff(2), id, &order(), later()).unwrap();
    // One at a time, whoever asks.
    let again = begin_order(&log.office, &staff(3), approved(&log, PrivacyAction::Erase), &order(), later());
    assert!(matches!(again, Err(Problem::TooOften { .. })));
    let take = || log.office.run(&staff(2), later(), |work| take_dossier(work, id));
    assert!(matches!(take(), Err(Problem::NotNow(_))), "it is not ready");
    let done = carry_out_order(&log.office, &staff(2), id, &order(), later(), |rows| job.read(rows)).unwrap();
    assert!(job.rows() > 0);
    let CarriedOut::Exported(dossier) = &done else { panic!("a dossier") };
    assert_eq!((dossier.checks.len(), dossier.events.len(), dossier.requests.len()), (1, 2, 2));
    assert_eq!(dossier.number, number(SECOND).digits());
    assert_eq!(state(&log, id), RequestState::Approved, "nobody has it yet");
    job.end(JobState::Done(CameTo::CarriedOut(std::sync::Arc::new(done))));
    for _ in 0..2 {
        assert!(matches!(&*take().unwrap(), CarriedOut::Exported(_)));
        assert_eq!(state(&log, id), RequestState::Done);
    }
    log.office.jobs.forget(&job);
    assert!(matches!(take(), Err(Problem::NotNow(_))), "it is kept for a while");
    let query = TrailQuery { limit: 100, ..TrailQuery::default() };
    let trail = format!("{:?}", block_on(log.office.store.trail(query)).unwrap());
    assert!(trail.contains("subject.export.done") && trail.contains("subject.export.handed_out"), "{trail}");
    assert!(!trail.contains(&number(SECOND).digits()), "{trail}");
}

#[test]
fn what_was_asked_is_forgotten_by_one_order_and_the_request_ends() {
    let log = asked();
    let id = approved(&log, PrivacyAction::Erase);
    let Ok(CarriedOut::Erased(erasure)) = carried_out(&log, id, &order()) else { panic!("an erasure") };
    assert_eq!((erasure.erased.checks, erasure.erased.forgotten, erasure.events), (1, 1, 0));
    assert!(erasure.stays.iter().any(|stays| stays.contains("the network serves it")), "{:?}", erasure.stays);
    assert_eq!(state(&log, id), RequestState::Done);
    assert!(matches!(carried_out(&log, id, &order()), Err(Problem::NotNow(_))), "once");
    // What is told of it later says so.
    let id = approved(&log, PrivacyAction::Export);
    let Ok(CarriedOut::Exported(dossier)) = carried_out(&log, id, &order()) else { panic!("a dossier") };
    assert!(dossier.checks.len() == 1 && dossier.checks[0].disclosed.is_none());
}

#[test]
fn an_event_is_corrected_by_one_order() {
    let log = asked();
    let id = approved(&log, PrivacyAction::Rectify);
    assert!(matches!(carried_out(&log, id, &order()), Err(Problem::Invalid { field: "event", .. })));
    let amend = |event: &str| {
        let amendment = Amendment { event: text(event), source: text("default"), right: Right::Retracted };
        Order { amendment: Some(amendment), ..order() }
    };
    assert!(matches!(carried_out(&log, id, &amend("third")), Err(Problem::NotNow(_))));
    assert_eq!(state(&log, id), RequestState::Approved, "it can be done rightly still");
    let Ok(CarriedOut::Rectified(done)) = carried_out(&log, id, &amend("second")) else { panic!("a correction") };
    assert_eq!((done.r#type, done.becomes), ("sim_replaced", None));
    assert_eq!(state(&log, id), RequestState::Done);
    let found = block_on(log.office.registry.as_ref().unwrap().look_up(number(SECOND))).unwrap();
    assert_eq!(found.state.line.unwrap().last_swap, None);
}

#[test]
fn nothing_is_carried_out_before_its_approval_or_for_whom_it_is_not_meant() {
    let log = asked();
    let new = NewRequest {
        number: number(SECOND),
        action: PrivacyAction::Erase,
        partner: None,
        any_holder: false,
        reason: "asked at the shop",
        held_until: None,
    };
    let received = log.office.run(&staff(1), later(), |work| receive(work, &new)).unwrap();
    assert!(matches!(carried_out(&log, received.id, &order()), Err(Problem::NotNow(_))));
    let id = approved(&log, PrivacyAction::Export);
    let earlier = Order { holdings: Holdings::Earlier, ..order() };
    assert!(matches!(carried_out(&log, id, &earlier), Err(Problem::Invalid { field: "holdings", .. })));
    let before = Span { from: None, until: Some(at(0) - SignedDuration::from_hours(20_000)) };
    let no_day = carried_out(&log, id, &Order { span: before, ..order() });
    assert!(matches!(no_day, Err(Problem::NotNow(_))));
}

#[test]
fn a_swap_since_its_approval_holds_a_request_and_its_override_answers_for_no_later_one() {
    let log = asked();
    let id = approved(&log, PrivacyAction::Erase);
    let swap = |id: &str, at: Timestamp| {
        let key = EventKey { id: text(id), source: text("default") };
        let happening = Happening::SimReplaced(Imsi::parse(&format!("63902333333333{id}")).unwrap());
        let event = Event { key, at, recorded: at, msisdn: Some(number(SECOND)), happening };
        block_on(log.office.subjects().unwrap().feed.record(vec![FeedItem::Event(event)], at)).unwrap();
    };
    let request = || log.office.run(&Actor::System, later(), |work| work.get::<PrivacyRequest>(id)).unwrap();
    for (number, hour) in (3..).zip([1, 3]) {
        let (swapped, now) =
            (later() + SignedDuration::from_hours(hour), later() + SignedDuration::from_hours(hour + 1));
        swap(&number.to_string(), swapped);
        let begun = begin_order(&log.office, &staff(2), id, &order(), now);
        assert!(matches!(&begun, Err(Problem::NotNow(why)) if why.contains("may be the thief")), "{:?}", begun.err());
        assert!(log.office.jobs.of_request(id).is_none(), "nothing goes on");
        let held = request();
        assert_eq!((held.state, held.held_until), (RequestState::IdentityChecked, Some(swapped + HOLD)));
        assert!(matches!(carry_out_order(&log.office, &staff(2), id, &order(), now, |_| {}), Err(Problem::NotNow(_))));
        assert!(matches!(approve_at(&log, id, now, false), Err(Problem::NotNow(_))));
        approve_at(&log, id, now, true).unwrap();
        assert!(request().approval.unwrap().overrode_hold);
    }
    let now = later() + SignedDuration::from_hours(5);
    let done = carry_out_order(&log.office, &staff(2), id, &order(), now, |_| {});
    assert!(matches!(done, Ok(CarriedOut::Erased(_))), "the swap that was answered for holds nothing");
    assert_eq!(state(&log, id), RequestState::Done);
}

#[test]
fn reports_are_told_to_whom_they_are_made_for_and_few_jobs_are_remembered() {
    let log = Log::new();
    let jobs = &log.office.jobs;
    let first = jobs.begin(JobOf::LookUps, "staff:1".to_owned(), at(0)).unwrap();
    first.read(70);
    first.reach(at(9));
    assert!(jobs.look_ups_of("staff:2").is_none());
    let seen = jobs.look_ups_of("staff:1").unwrap();
    assert_eq!((seen.rows(), seen.reached(), seen.is_under_way()), (70, Some(at(9)), true));
    first.end(JobState::Done(CameTo::Elsewhere));
    let [order, another] = [1, 2].map(|id| JobOf::Privacy(PrivacyRequestId::from_stored(id)));
    let erasing = jobs.begin(order, "staff:3".to_owned(), at(1)).unwrap();
    for _ in 0..40 {
        jobs.begin(JobOf::LookUps, "staff:2".to_owned(), at(1)).unwrap();
    }
    assert!(jobs.look_ups_of("staff:1").is_none(), "the oldest that has ended goes first");
    assert!(jobs.look_ups_of("staff:2").unwrap().reached().is_none());
    let beside = jobs.begin(another, "staff:3".to_owned(), at(2));
    assert!(matches!(beside, Err(Problem::TooOften { .. })), "one goes on, however many reports came after it");
    erasing.end(JobState::Done(CameTo::Elsewhere));
    assert!(jobs.begin(another, "staff:3".to_owned(), at(2)).is_ok());
}
