//! What every engine forgets, and what it keeps.

#![expect(clippy::unwrap_used, reason = "an expectation that fails ends the test")]
#![expect(missing_docs, reason = "the name of a case is the promise that it holds")]

use jiff::civil::Date;
use laini_core::store::{
    AskedQuery, Claimed, DeliveryDraft, DeliveryId, DeliveryState, Draft, Forgotten, Submission, verify_ledger,
};

use super::ledger::{Desk, LedgerHome, QUESTION, Question, all, at, chain_key, record};
use super::outbox::{attempt, delivery};
use super::submit::{claim, keyed};

pub async fn forgotten_subjects_leave_their_rows_and_a_whole_chain(home: &dyn LedgerHome) {
    let (everything, desk) = (home.open_all(), Desk::default());
    let drafts: Vec<_> = (0..10u32).map(|n| desk.answered(Question { line: n, ..QUESTION }, at(n.into()))).collect();
    for draft in &drafts {
        record(&everything.ledger, draft).await;
    }
    let rows = all(&everything.ledger).await;
    let forget = async |second, limit| everything.retention.forget_subjects(at(second), limit).await.unwrap();
    assert_eq!(forget(7, 5).await, Forgotten { count: 5, more: true });
    assert_eq!(forget(7, 5).await, Forgotten { count: 2, more: false });
    assert_eq!(forget(7, 5).await, Forgotten { count: 0, more: false });
    for (place, draft) in drafts.iter().enumerate() {
        let found = everything.ledger.find(draft.id).await.unwrap().unwrap();
        assert_eq!(found.subject.is_some(), place >= 7);
    }
    assert_eq!(all(&everything.ledger).await, rows);
    assert_eq!(verify_ledger(&*everything.ledger, chain_key(), |_| {}).await.unwrap(), (10, vec![]));
}

pub async fn old_answers_are_deleted_piece_by_piece(home: &dyn LedgerHome) {
    let everything = home.open_all();
    for key in 0..10 {
        let submission = Submission { answer: Some(keyed(claim(key, 1, at(key.into())))), ..Submission::default() };
        everything.ledger.submit(submission).await.unwrap();
    }
    let forget = async |second, limit| everything.retention.forget_answers(at(second), limit).await.unwrap();
    assert_eq!(forget(7, 5).await, Forgotten { count: 5, more: true });
    assert_eq!(forget(7, 5).await, Forgotten { count: 2, more: false });
    for key in 0..10 {
        let claimed = everything.answers.claim(claim(key, 1, at(10))).await.unwrap();
        assert_eq!(matches!(claimed, Claimed::Mine(_)), key < 7, "key {key}: {claimed:?}");
    }
}

pub async fn only_ended_deliveries_are_forgotten(home: &dyn LedgerHome) {
    let (everything, desk) = (home.open_all(), Desk::default());
    let made: Vec<_> = (0..4).map(|second| delivery(&desk, 1, at(second))).collect();
    for draft in &made {
        everything.outbox.put(draft.clone()).await.unwrap();
    }
    let ends = [DeliveryState::Delivered, DeliveryState::Due(at(9)), DeliveryState::Dead, DeliveryState::Delivered];
    for (draft, end) in made.iter().zip(ends) {
        everything.outbox.settle(draft.id, attempt(5), end).await.unwrap();
    }
    let forget = async || everything.retention.forget_deliveries(at(3), 9).await.unwrap();
    assert_eq!(forget().await, Forgotten { count: 2, more: false });
    assert_eq!(forget().await, Forgotten { count: 0, more: false });
    let can_be_redelivered = async |place: usize| everything.outbox.redeliver(made[place].id, at(20)).await.unwrap();
    assert!(!can_be_redelivered(0).await && !can_be_redelivered(2).await);
    assert!(can_be_redelivered(1).await && can_be_redelivered(3).await);
    let due = everything.outbox.lease_deliveries(at(20), at(30), 9, 9).await.unwrap();
    assert!(due.len() == 2 && due.iter().all(|delivery| delivery.body == b"a body"));
}

pub async fn a_destroyed_day_key_takes_its_subjects_along(home: &dyn LedgerHome) {
    let (everything, desk) = (home.open_all(), Desk::default());
    let (old, new) = (desk.answered(QUESTION, at(0)), desk.answered(QUESTION, at(86_400)));
    for draft in [&old, &new] {
        record(&everything.ledger, draft).await;
    }
    let day = Date::constant(2026, 11, 23);
    assert_eq!(everything.retention.destroy_day_keys(day).await.unwrap().count, 1);
    let subject = async |id| everything.ledger.find(id).await.unwrap().unwrap().subject;
    assert_eq!(subject(old.id).await, None);
    assert_eq!(subject(new.id).await, Some(new.subject.clone()));
    assert_eq!(verify_ledger(&*everything.ledger, chain_key(), |_| {}).await.unwrap(), (2, vec![]));
}

pub async fn named_checks_are_forgotten_and_their_money_stays(home: &dyn LedgerHome) {
    let (everything, desk) = (home.open_all(), Desk::default());
    let drafts: Vec<_> = (0..6u32).map(|n| desk.answered(Question { line: n / 2, ..QUESTION }, at(n.into()))).collect();
    for (place, draft) in drafts.iter().enumerate() {
        let delivery = delivery_of(draft);
        let submission = Submission { drafts: vec![draft.clone()], delivery: Some(delivery), ..Submission::default() };
        everything.ledger.submit(submission).await.unwrap();
        let end = if place == 2 { DeliveryState::Due(at(30)) } else { DeliveryState::Delivered };
        everything.outbox.settle(DeliveryId(draft.id), attempt(5), end).await.unwrap();
    }
    let rows = all(&everything.ledger).await;
    // Both checks about the second line, and one that is not there.
    let mut named: Vec<_> = drafts[2..4].iter().map(|draft| (draft.partner, draft.id)).collect();
    named.push((drafts[0].partner, desk.answered(QUESTION, at(99)).id));
    let forget = async || everything.retention.forget_checks(named.clone()).await.unwrap();
    assert_eq!(forget().await, Forgotten { count: 2, more: false });
    assert_eq!(forget().await, Forgotten { count: 0, more: false });
    for (place, draft) in drafts.iter().enumerate() {
        let is_named = (2..4).contains(&place);
        let found = everything.ledger.find(draft.id).await.unwrap().unwrap();
        assert_eq!((found.subject.is_none(), found.number), (is_named, Some(draft.subject.hash)), "{place}");
        // What is still to be delivered is delivered.
        let has_body = everything.outbox.redeliver(DeliveryId(draft.id), at(40)).await.unwrap();
        assert_eq!(has_body, place != 3, "{place}");
    }
    // The keyed hash stays: the checks are still found by their number.
    let query = AskedQuery { numbers: vec![drafts[2].subject.hash], limit: 10, ..AskedQuery::default() };
    let found = everything.ledger.asked(query).await.unwrap().checks;
    assert_eq!(found.iter().map(|check| check.row.id).collect::<Vec<_>>(), [drafts[2].id, drafts[3].id]);
    assert!(found.iter().all(|check| check.subject.is_none() && check.number == Some(drafts[2].subject.hash)));
    assert_eq!(all(&everything.ledger).await, rows);
    assert_eq!(verify_ledger(&*everything.ledger, chain_key(), |_| {}).await.unwrap(), (6, vec![]));
}

fn delivery_of(draft: &Draft) -> DeliveryDraft {
    DeliveryDraft { id: DeliveryId(draft.id), ..delivery(&Desk::default(), 1, draft.at) }
}
