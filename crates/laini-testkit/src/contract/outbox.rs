//! What every outbox does.

#![expect(clippy::unwrap_used, reason = "an expectation that fails ends the test")]
#![expect(missing_docs, reason = "the name of a case is the promise that it holds")]

use std::sync::Arc;

use jiff::Timestamp;
use laini_core::disclosure::FactSet;
use laini_core::partner::{Product, Purpose, ResultAddressId};
use laini_core::store::{
    AcceptedCheck, AskedAs, Attempt, Backlog, Claimed, Delivery, DeliveryDraft, DeliveryId, DeliveryKind,
    DeliveryQuery, DeliveryState, Draft, Ledger, LedgerError, Outbox, OutboxDepth, Submission, Submitted,
};

use super::ledger::{Desk, LedgerHome, QUESTION, Question, all, app, at, charged, record};
use super::submit::{charges, claim, keyed};

fn address(number: u64) -> ResultAddressId {
    ResultAddressId::from_stored(number)
}

fn accepted(draft: &Draft) -> AcceptedCheck {
    AcceptedCheck {
        id: draft.id,
        at: draft.at,
        app: draft.app,
        product: Product::Swap,
        asked: match draft.id.position() % 3 {
            0 => AskedAs::Published,
            1 => AskedAs::Explicit { facts: FactSet::SWAP.with(FactSet::SIM), expect: Some("93".to_owned()) },
            _ => AskedAs::Explicit { facts: FactSet::REGISTRATION, expect: None },
        },
        msisdn: draft.subject.msisdn,
        purpose: Purpose::Onboarding,
        reference: (draft.id.position().is_multiple_of(2)).then(|| "cheque 17".to_owned()),
        repeat: draft.repeat,
        address: address(1),
    }
}

pub fn delivery(desk: &Desk, to: u64, at: Timestamp) -> DeliveryDraft {
    let id = desk.answered(QUESTION, at).id;
    DeliveryDraft {
        id: DeliveryId(id),
        kind: DeliveryKind::BudgetWarning,
        app: app(1),
        address: address(to),
        at,
        write: Arc::new(|_| b"a body".to_vec()),
    }
}

pub(super) fn attempt(second: i64) -> Attempt {
    Attempt { at: at(second), status: Some(500), problem: "500 Internal Server Error".to_owned() }
}

async fn lease(outbox: &dyn Outbox, now: i64, until: i64) -> Vec<Delivery> {
    outbox.lease_deliveries(at(now), at(until), 100, 10).await.unwrap()
}

pub async fn an_accepted_check_is_leased_by_one_worker_until_it_is_ended(home: &dyn LedgerHome) {
    let everything = home.open_all();
    let (outbox, desk) = (&everything.outbox, Desk::default());
    let lease = async |now, until, limit| outbox.lease_checks(at(now), at(until), limit).await.unwrap();
    assert_eq!(lease(0, 10, 10).await, []);
    let checks = [1, 2, 3].map(|line| accepted(&desk.answered(Question { line, ..QUESTION }, at(0))));
    for check in &checks {
        outbox.accept(check.clone()).await.unwrap();
        outbox.accept(check.clone()).await.unwrap();
    }
    assert_eq!(lease(0, 10, 2).await, checks[..2]);
    assert_eq!(lease(1, 11, 2).await, checks[2..]);
    assert_eq!(lease(9, 19, 9).await, []);
    // The first lease has ended and nobody came back.
    assert_eq!(lease(10, 20, 9).await, checks[..2]);
    let refusal = DeliveryDraft { id: DeliveryId(checks[0].id), ..delivery(&desk, 1, at(11)) };
    outbox.put(refusal).await.unwrap();
    assert_eq!(lease(30, 40, 9).await, checks[1..]);
    assert_eq!(outbox.depth().await.unwrap(), OutboxDepth { checks: 2, deliveries: 1, dead: 0 });
}

pub async fn an_accepted_check_and_the_answer_of_its_key_are_durable_together_or_not_at_all(home: &dyn LedgerHome) {
    let (everything, desk) = (home.open_all(), Desk::default());
    let line = |line| desk.answered(Question { line, ..QUESTION }, at(0));
    let (first, taken, second) = (line(1), line(2), line(3));
    record(&everything.ledger, &taken).await;
    let submission = |draft: &Draft, claim| Submission {
        accepted: Some(accepted(draft)),
        answer: Some(keyed(claim)),
        ..Submission::default()
    };
    let refused =
        Submission { drafts: vec![Draft { id: taken.id, ..line(9) }], ..submission(&first, claim(1, 1, at(0))) };
    let refused = everything.ledger.submit(refused).await;
    assert!(matches!(refused, Err(LedgerError::NotRecorded(_))), "{refused:?}");
    assert_eq!(everything.outbox.depth().await.unwrap(), OutboxDepth::default());
    let accept = async |ledger: &dyn Ledger| ledger.submit(submission(&first, claim(1, 1, at(0)))).await.unwrap();
    for _ in 0..2 {
        assert_eq!(accept(&*everything.ledger).await, Submitted::Recorded(vec![], Some(vec![])));
    }
    // The key was answered meanwhile: what came second is no second check.
    let told = everything.ledger.submit(submission(&second, claim(1, 1, at(5)))).await.unwrap();
    assert!(matches!(told, Submitted::Answered(..)), "{told:?}");
    drop(everything);
    let everything = home.open_all();
    assert_eq!(everything.outbox.lease_checks(at(0), at(1), 9).await.unwrap(), [accepted(&first)]);
    // Where its commit was in doubt it comes again, and may be decided by then.
    let result = DeliveryDraft { id: DeliveryId(first.id), ..delivery(&desk, 1, at(2)) };
    everything.outbox.put(result).await.unwrap();
    accept(&*everything.ledger).await;
    assert_eq!(everything.outbox.depth().await.unwrap(), OutboxDepth { checks: 0, deliveries: 1, dead: 0 });
    let found = everything.answers.claim(claim(1, 1, at(9))).await.unwrap();
    assert!(matches!(found, Claimed::Stored(_)), "{found:?}");
}

pub async fn a_delivery_commits_with_its_charge_once(home: &dyn LedgerHome) {
    let everything = home.open_all();
    let (outbox, desk) = (&everything.outbox, Desk::default());
    let draft = desk.answered(QUESTION, at(0));
    outbox.accept(accepted(&draft)).await.unwrap();
    let result = DeliveryDraft {
        id: DeliveryId(draft.id),
        kind: DeliveryKind::Result,
        write: charges(),
        ..delivery(&desk, 1, at(0))
    };
    for _ in 0..2 {
        let submission =
            Submission { drafts: vec![draft.clone()], delivery: Some(result.clone()), ..Submission::default() };
        let submitted = everything.ledger.submit(submission).await.unwrap();
        assert_eq!(submitted, Submitted::Recorded(vec![charged(&draft)], None));
    }
    assert_eq!(all(&everything.ledger).await.len(), 1);
    assert_eq!(outbox.depth().await.unwrap(), OutboxDepth { checks: 0, deliveries: 1, dead: 0 });
    let leased = lease(&**outbox, 0, 10).await;
    let expected = Delivery {
        id: DeliveryId(draft.id),
        kind: DeliveryKind::Result,
        app: app(1),
        address: address(1),
        at: at(0),
        body: b"2000;".to_vec(),
        attempts: 0,
        last: None,
        state: DeliveryState::Due(at(0)),
    };
    assert_eq!(leased, [expected]);
}

pub async fn a_delivery_is_leased_by_one_worker_and_settled(home: &dyn LedgerHome) {
    let everything = home.open_all();
    let (outbox, desk) = (&everything.outbox, Desk::default());
    outbox.put(delivery(&desk, 1, at(5))).await.unwrap();
    assert_eq!(lease(&**outbox, 4, 10).await, []);
    let leased = lease(&**outbox, 5, 15).await;
    assert_eq!((leased.len(), leased[0].body.as_slice()), (1, &b"a body"[..]));
    let id = leased[0].id;
    assert_eq!(lease(&**outbox, 14, 24).await, []);
    assert_eq!(lease(&**outbox, 15, 25).await, leased);
    outbox.settle(id, attempt(16), DeliveryState::Due(at(60))).await.unwrap();
    // The lease ended with it; what counts is when it is due.
    assert_eq!(lease(&**outbox, 59, 70).await, []);
    let again = lease(&**outbox, 60, 70).await;
    assert_eq!((again[0].attempts, &again[0].last), (1, &Some(attempt(16))));
    let arrived = Attempt { status: Some(204), problem: String::new(), ..attempt(61) };
    outbox.settle(id, arrived.clone(), DeliveryState::Delivered).await.unwrap();
    assert_eq!(lease(&**outbox, 1_000, 1_010).await, []);
    let listed = outbox.deliveries(DeliveryQuery { limit: 9, ..DeliveryQuery::default() }).await.unwrap();
    assert_eq!((listed[0].attempts, listed[0].state), (2, DeliveryState::Delivered));
    assert_eq!((&listed[0].last, listed[0].body.len()), (&Some(arrived), 0));
    let unknown = DeliveryId(desk.answered(QUESTION, at(0)).id);
    let refused = outbox.settle(unknown, attempt(0), DeliveryState::Dead).await;
    assert!(matches!(refused, Err(LedgerError::NotRecorded(_))), "{refused:?}");
}

pub async fn a_slow_address_holds_up_no_other(home: &dyn LedgerHome) {
    let everything = home.open_all();
    let (outbox, desk) = (&everything.outbox, Desk::default());
    for second in 0..50 {
        outbox.put(delivery(&desk, 1, at(second))).await.unwrap();
    }
    for to in [2, 3] {
        outbox.put(delivery(&desk, to, at(60))).await.unwrap();
    }
    let lease = async |now, until, limit| -> Vec<ResultAddressId> {
        let leased = outbox.lease_deliveries(at(now), at(until), limit, 4).await.unwrap();
        leased.iter().map(|delivery| delivery.address).collect()
    };
    let slow = [address(1); 4];
    assert_eq!(lease(100, 200, 100).await, [&slow[..], &[address(2), address(3)]].concat());
    // Four are at work there until their lease ends.
    assert_eq!(lease(101, 201, 100).await, []);
    assert_eq!(lease(200, 300, 5).await, [&slow[..], &[address(2)]].concat());
}

pub async fn what_waits_is_told_by_address_with_what_is_under_way(home: &dyn LedgerHome) {
    let everything = home.open_all();
    let (outbox, desk) = (&everything.outbox, Desk::default());
    let backlogs = async |now| {
        let mut backlogs = outbox.backlogs(at(now)).await.unwrap();
        backlogs.sort_unstable_by_key(|backlog| backlog.address);
        backlogs
    };
    assert_eq!(backlogs(0).await, []);
    for (to, second) in [(1, 5), (1, 3), (1, 4), (2, 6), (3, 90)] {
        outbox.put(delivery(&desk, to, at(second))).await.unwrap();
    }
    let backlog = |to, since, under_way| Backlog { address: address(to), since: at(since), under_way };
    assert_eq!(backlogs(10).await, [backlog(1, 3, 0), backlog(2, 6, 0)]);
    // Those that are due longest are under way; the last of each lease ends after it.
    let leased = outbox.lease_deliveries(at(10), at(20), 2, 2).await.unwrap();
    assert_eq!(backlogs(10).await, [backlog(1, 5, 2), backlog(2, 6, 0)]);
    assert_eq!(backlogs(20).await, [backlog(1, 3, 0), backlog(2, 6, 0)]);
    // What failed waits for its next attempt, and what arrived for nothing.
    outbox.settle(leased[0].id, attempt(12), DeliveryState::Due(at(60))).await.unwrap();
    outbox.settle(leased[1].id, attempt(12), DeliveryState::Delivered).await.unwrap();
    assert_eq!(backlogs(13).await, [backlog(1, 5, 0), backlog(2, 6, 0)]);
}

pub async fn deliveries_are_listed_newest_first_and_redelivered(home: &dyn LedgerHome) {
    let everything = home.open_all();
    let (outbox, desk) = (&everything.outbox, Desk::default());
    let mut ids = Vec::new();
    for number in 0..6u64 {
        let made = DeliveryDraft { app: app(number % 2), ..delivery(&desk, 1 + number / 3, at(0)) };
        ids.insert(0, made.id);
        outbox.put(made).await.unwrap();
    }
    for id in &ids[..2] {
        outbox.settle(*id, attempt(1), DeliveryState::Dead).await.unwrap();
    }
    let list = async |query: DeliveryQuery| -> Vec<DeliveryId> {
        outbox.deliveries(query).await.unwrap().iter().map(|delivery| delivery.id).collect()
    };
    let query = DeliveryQuery { limit: 100, ..DeliveryQuery::default() };
    assert_eq!(list(query.clone()).await, ids);
    assert_eq!(list(DeliveryQuery { after: Some(ids[1]), limit: 2, ..query.clone() }).await, ids[2..4]);
    let oldest = DeliveryQuery { oldest_first: true, ..query.clone() };
    assert!(list(oldest.clone()).await.iter().eq(ids.iter().rev()));
    assert!(list(DeliveryQuery { after: Some(ids[3]), limit: 2, ..oldest }).await.iter().eq(ids[1..3].iter().rev()));
    assert_eq!(list(DeliveryQuery { app: Some(app(1)), ..query.clone() }).await, [ids[0], ids[2], ids[4]]);
    let to_one = DeliveryQuery { address: Some(address(2)), ..query.clone() };
    assert_eq!(list(to_one.clone()).await, ids[..3]);
    assert_eq!(list(DeliveryQuery { after: Some(ids[0]), limit: 1, ..to_one.clone() }).await, ids[1..2]);
    assert_eq!(list(DeliveryQuery { app: Some(app(1)), ..to_one }).await, [ids[0], ids[2]]);
    assert_eq!(list(DeliveryQuery { only_dead: true, ..query }).await, ids[..2]);
    assert_eq!(outbox.depth().await.unwrap(), OutboxDepth { checks: 0, deliveries: 4, dead: 2 });
    assert!(outbox.redeliver(ids[0], at(900)).await.unwrap());
    assert!(!outbox.redeliver(DeliveryId(desk.answered(QUESTION, at(0)).id), at(900)).await.unwrap());
    assert_eq!(outbox.depth().await.unwrap(), OutboxDepth { checks: 0, deliveries: 5, dead: 1 });
    let due = lease(&**outbox, 900, 901).await;
    let again = due.iter().find(|delivery| delivery.id == ids[0]).unwrap();
    assert_eq!((again.state, again.attempts), (DeliveryState::Due(at(900)), 1));
}

pub async fn the_outbox_survives_a_reopen(home: &dyn LedgerHome) {
    let (everything, desk) = (home.open_all(), Desk::default());
    let check = accepted(&desk.answered(QUESTION, at(0)));
    everything.outbox.accept(check.clone()).await.unwrap();
    everything.outbox.put(delivery(&desk, 1, at(0))).await.unwrap();
    let leased = lease(&*everything.outbox, 0, 10).await;
    drop(everything);
    let outbox = home.open_all().outbox;
    assert_eq!(outbox.lease_checks(at(0), at(1), 9).await.unwrap(), [check]);
    // A lease is as durable as the rest: whoever had it may be at work still.
    assert_eq!(lease(&*outbox, 9, 19).await, []);
    assert_eq!(lease(&*outbox, 10, 20).await, leased);
}
