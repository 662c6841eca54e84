//! What every ledger does with several checks at once, and with what commits with them.

#![expect(clippy::unwrap_used, reason = "an expectation that fails ends the test")]
#![expect(missing_docs, reason = "the name of a case is the promise that it holds")]

use std::collections::BTreeMap;
use std::sync::Arc;
use std::task::{Context, Waker};

use jiff::{SignedDuration, Timestamp};
use laini_core::billing::{Charge, Outcome};
use laini_core::partner::{AppId, Environment, Product};
use laini_core::store::{
    AnswerKey, AnswerWriter, Claim, Draft, KeyedAnswer, Ledger, LedgerError, LedgerRow, Recorded, RequestHash,
    StoredAnswer, Submission, Submitted, verify_ledger,
};

use super::ledger::{Desk, LedgerHome, QUESTION, Question, REPEATED, all, app, at, chain_key, charged, record};

/// A claim of app 1 under the key that consists of these bytes.
pub fn claim(key: u8, request: u8, at: Timestamp) -> Claim {
    Claim { app: app(1), key: AnswerKey([key; 16]), request: RequestHash([request; 16]), at }
}

/// Writes an answer that says what was charged.
pub(super) fn charges() -> AnswerWriter {
    Arc::new(|recorded: &[Recorded]| {
        let minor = |one: &Recorded| if let Charge::Charged(amount) = one.charge { amount.minor } else { 0 };
        recorded.iter().map(minor).flat_map(|minor| format!("{minor};").into_bytes()).collect()
    })
}

pub fn keyed(claim: Claim) -> KeyedAnswer {
    KeyedAnswer { claim, write: charges() }
}

fn checks(drafts: &[Draft]) -> Submission {
    Submission { drafts: drafts.to_vec(), ..Submission::default() }
}

pub async fn several_checks_are_recorded_together(home: &dyn LedgerHome) {
    let (ledger, desk) = (home.open(), Desk::default());
    let line = |line| desk.answered(Question { line, ..QUESTION }, at(0));
    let drafts = [line(1), line(2), line(1), Draft { outcome: Outcome::NotServed, ..line(3) }];
    let submitted = ledger.submit(checks(&drafts)).await.unwrap();
    // The third repeats the first.
    let expected = vec![charged(&drafts[0]), charged(&drafts[1]), REPEATED, drafts[3].decide(false)];
    assert_eq!(submitted, Submitted::Recorded(expected.clone(), None));
    let rows = all(&ledger).await;
    assert_eq!(rows.iter().map(LedgerRow::recorded).collect::<Vec<_>>(), expected);
    assert_eq!(ledger.submit(Submission::default()).await.unwrap(), Submitted::Recorded(vec![], None));
    assert_eq!(verify_ledger(&*ledger, chain_key(), |_| {}).await.unwrap(), (4, vec![]));
}

pub async fn a_submission_is_all_or_nothing(home: &dyn LedgerHome) {
    let (ledger, desk) = (home.open(), Desk::default());
    let line = |line| desk.answered(Question { line, ..QUESTION }, at(0));
    let (first, taken, third) = (line(1), line(2), line(3));
    record(&ledger, &taken).await;
    let stolen = Draft { id: taken.id, ..line(9) };
    let backwards = [third.clone(), first.clone()];
    for drafts in [&[first.clone(), stolen, third.clone()][..], &backwards, &[first.clone(), first.clone()]] {
        let all = Submission { answer: Some(keyed(claim(1, 1, at(0)))), ..checks(drafts) };
        let refused = ledger.submit(all).await;
        assert!(matches!(refused, Err(LedgerError::NotRecorded(_))), "{refused:?}");
    }
    assert_eq!(all(&ledger).await.len(), 1);
    // What was refused left neither an answer nor a question that could be repeated.
    let submission = Submission { answer: Some(keyed(claim(1, 1, at(1)))), ..checks(std::slice::from_ref(&first)) };
    let expected = Submitted::Recorded(vec![charged(&first)], Some(b"2000;".to_vec()));
    assert_eq!(ledger.submit(submission).await.unwrap(), expected);
}

pub async fn a_submission_is_recorded_once(home: &dyn LedgerHome) {
    let (ledger, desk) = (home.open(), Desk::default());
    let drafts = [1, 2].map(|line| desk.answered(Question { line, ..QUESTION }, at(0)));
    let submission = || Submission { answer: Some(keyed(claim(1, 1, at(0)))), ..checks(&drafts) };
    let first = ledger.submit(submission()).await.unwrap();
    assert_eq!(ledger.submit(submission()).await.unwrap(), first);
    assert_eq!(all(&ledger).await.len(), 2);
}

pub async fn an_answer_is_stored_with_its_charge_and_told_as_stored(home: &dyn LedgerHome) {
    let everything = home.open_all();
    let desk = Desk::default();
    let draft = desk.answered(QUESTION, at(0));
    let submission = Submission { answer: Some(keyed(claim(1, 1, at(0)))), ..checks(std::slice::from_ref(&draft)) };
    let told = everything.ledger.submit(submission).await.unwrap();
    assert_eq!(told, Submitted::Recorded(vec![charged(&draft)], Some(b"2000;".to_vec())));
    // Only an answer, and nothing charged: that is stored as well.
    let submission = Submission { answer: Some(keyed(claim(2, 1, at(0)))), ..Submission::default() };
    assert_eq!(everything.ledger.submit(submission).await.unwrap(), Submitted::Recorded(vec![], Some(vec![])));
    drop(everything);
    let answers = home.open_all().answers;
    let found = answers.claim(claim(1, 1, at(9))).await.unwrap();
    assert!(matches!(&found, laini_core::store::Claimed::Stored(answer) if answer == b"2000;"), "{found:?}");
}

pub async fn an_answer_stored_meanwhile_is_told_and_nothing_is_written(home: &dyn LedgerHome) {
    let (ledger, desk) = (home.open(), Desk::default());
    let line = |line| desk.answered(Question { line, ..QUESTION }, at(0));
    let submission =
        |draft: &Draft, claim| Submission { answer: Some(keyed(claim)), ..checks(std::slice::from_ref(draft)) };
    let (first, second) = (line(1), line(2));
    ledger.submit(submission(&first, claim(1, 1, at(0)))).await.unwrap();
    let stored = StoredAnswer { request: RequestHash([1; 16]), at: at(0), answer: b"2000;".to_vec() };
    for other in [claim(1, 1, at(5)), claim(1, 2, at(6))] {
        let told = ledger.submit(submission(&second, other)).await.unwrap();
        assert_eq!(told, Submitted::Answered(other.key, stored.clone()));
    }
    assert_eq!(all(&ledger).await.len(), 1);
    // After a day the key is free.
    let late = claim(1, 2, at(0) + StoredAnswer::KNOWN_FOR + SignedDuration::from_secs(1));
    let told = ledger.submit(submission(&second, late)).await.unwrap();
    assert_eq!(told, Submitted::Recorded(vec![charged(&second)], Some(b"2000;".to_vec())));
}

pub async fn a_check_is_found_with_what_was_asked(home: &dyn LedgerHome) {
    let (ledger, desk) = (home.open(), Desk::default());
    let draft = desk.answered(QUESTION, at(0));
    assert_eq!(ledger.find(draft.id).await.unwrap(), None);
    record(&ledger, &draft).await;
    drop(ledger);
    let ledger = home.open();
    let found = ledger.find(draft.id).await.unwrap().unwrap();
    assert_eq!(found.row, all(&ledger).await[0]);
    assert_eq!((found.subject, found.is_reversed), (Some(draft.subject.clone()), false));
    let same_position = laini_core::billing::CheckId::from_parts(draft.id.position(), draft.id.tail() ^ 1);
    assert_eq!(ledger.find(same_position).await.unwrap(), None);
}

type Kind = (AppId, Product, Environment, &'static str, Timestamp);

/// What the rows say that the counters must say.
pub async fn assert_counters_equal_rows(ledger: &Arc<dyn Ledger>) {
    let quarter = |at: Timestamp| Timestamp::from_second(at.as_second().div_euclid(900) * 900).unwrap();
    let mut expected: BTreeMap<String, (u64, i64)> = BTreeMap::new();
    let name = |kind: Kind| format!("{kind:?}");
    for row in all(ledger).await {
        let kind = (row.app, row.product, row.environment, row.outcome.word(), quarter(row.at));
        let sum = expected.entry(name(kind)).or_default();
        *sum = (sum.0 + 1, sum.1 + row.charge.minor);
    }
    let usage = ledger.usage(Timestamp::UNIX_EPOCH, at(1_000_000)).await.unwrap();
    let counted = usage.iter().map(|one| {
        let kind = (one.app, one.product, one.environment, one.outcome.word(), one.from);
        (name(kind), (one.checks, one.charged_minor))
    });
    assert_eq!(counted.collect::<BTreeMap<_, _>>(), expected);
}

pub async fn counters_equal_the_rows(home: &dyn LedgerHome) {
    let (ledger, desk) = (home.open(), Desk::default());
    for place in 0..120u32 {
        let product = Product::ALL[place as usize % 3];
        let question = Question { app: app(u64::from(place % 2)), product, line: place % 40, ..QUESTION };
        let draft = desk.answered(question, at(i64::from(place) * 40));
        let outcome = if place % 7 == 0 { Outcome::Unknown } else { draft.outcome };
        record(&ledger, &Draft { outcome, ..draft }).await;
    }
    let drafts = [200, 201].map(|line| desk.answered(Question { line, ..QUESTION }, at(4_800)));
    ledger.submit(checks(&drafts)).await.unwrap();
    // An id that stands there already is counted once.
    record(&ledger, &drafts[0]).await;
    assert_counters_equal_rows(&ledger).await;
    drop(ledger);
    let ledger = home.open();
    assert_counters_equal_rows(&ledger).await;
    // 9:00 is a quarter of an hour's beginning; bounds are rounded outwards.
    let quarters = async |from, until| -> Vec<i64> {
        let usage = ledger.usage(at(from), at(until)).await.unwrap();
        let mut quarters: Vec<i64> = usage.iter().map(|one| one.from.duration_since(at(0)).as_mins()).collect();
        quarters.dedup();
        quarters
    };
    assert_eq!(quarters(0, 900).await, [0]);
    assert_eq!(quarters(899, 901).await, [0, 15]);
    assert_eq!(quarters(900, 901).await, [15]);
    assert_eq!(quarters(900, 900).await, [0; 0]);
}

/// Whenever a caller stops waiting: what it would have learned of is not written, or taken back.
pub async fn a_check_whose_caller_is_gone_is_not_charged(home: &dyn LedgerHome) {
    let (ledger, desk) = (home.open(), Desk::default());
    let mut line = 0;
    for delay in 0..200u32 {
        line += 2;
        let drafts = [line, line + 1].map(|line| desk.answered(Question { line, ..QUESTION }, at(0)));
        let mut waiting = ledger.submit(checks(&drafts));
        let mut context = Context::from_waker(Waker::noop());
        assert!(waiting.as_mut().poll(&mut context).is_pending());
        for _ in 0..delay * 20 {
            std::hint::spin_loop();
        }
        drop(waiting);
    }
    // The same questions again: each is charged, for nothing is a repeat of what was taken back.
    for line in 2..=line + 1 {
        let draft = desk.answered(Question { line, ..QUESTION }, at(1));
        assert_eq!(record(&ledger, &draft).await, charged(&draft));
    }
    drop(ledger);
    let ledger = home.open();
    let rows = all(&ledger).await;
    let sum: i64 = rows.iter().map(|row| row.charge.minor).sum();
    assert_eq!(sum, i64::from(line) * 2_000);
    for row in rows.iter().filter(|row| row.outcome == Outcome::Reversal) {
        let reversed = ledger.find(row.reverses.unwrap()).await.unwrap().unwrap();
        assert!(reversed.is_reversed);
        assert_eq!(*row, reversed.row.reversal(row.id, row.at));
    }
    assert_counters_equal_rows(&ledger).await;
    let (verified, breaks) = verify_ledger(&*ledger, chain_key(), |_| {}).await.unwrap();
    assert_eq!((verified, breaks), (rows.len() as u64, vec![]));
}
