//! What every engine does with the answers under idempotency keys.

#![expect(clippy::unwrap_used, reason = "an expectation that fails ends the test")]
#![expect(missing_docs, reason = "the name of a case is the promise that it holds")]

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use jiff::SignedDuration;
use laini_core::store::{Claimed, StoredAnswer, Submission, Submitted};
use tokio::sync::Barrier;

use super::ledger::{Desk, Everything, LedgerHome, QUESTION, all, at};
use super::submit::{claim, keyed};

async fn answer(everything: &Everything, key: u8, second: i64) {
    let submission = Submission { answer: Some(keyed(claim(key, 1, at(second)))), ..Submission::default() };
    assert!(matches!(everything.ledger.submit(submission).await, Ok(Submitted::Recorded(_, Some(_)))));
}

pub async fn a_key_is_held_by_one_caller_and_free_when_dropped(home: &dyn LedgerHome) {
    let answers = home.open_all().answers;
    let held = answers.claim(claim(1, 1, at(0))).await.unwrap();
    assert!(matches!(held, Claimed::Mine(_)));
    for request in [1, 2] {
        assert!(matches!(answers.claim(claim(1, request, at(1))).await.unwrap(), Claimed::Running));
    }
    assert!(matches!(answers.claim(claim(2, 1, at(1))).await.unwrap(), Claimed::Mine(_)));
    drop(held);
    assert!(matches!(answers.claim(claim(1, 1, at(2))).await.unwrap(), Claimed::Mine(_)));
}

pub async fn what_was_answered_is_told_across_a_reopen(home: &dyn LedgerHome) {
    let everything = home.open_all();
    answer(&everything, 1, 0).await;
    drop(everything);
    let answers = home.open_all().answers;
    let told = async |request, second| answers.claim(claim(1, request, at(second))).await.unwrap();
    for _ in 0..2 {
        assert!(matches!(told(1, 600).await, Claimed::Stored(answer) if answer.is_empty()));
        assert!(matches!(told(1, 601).await, Claimed::TooLate));
        assert!(matches!(told(2, 0).await, Claimed::OtherRequest));
        assert!(matches!(told(2, 86_400).await, Claimed::OtherRequest));
    }
}

/// Each that holds the key submits one charged check; the others are told that it runs, or its answer.
pub async fn of_many_callers_one_holds_the_key(home: &dyn LedgerHome) {
    const CALLERS: usize = 64;
    const KEYS: u8 = 100;
    let (everything, desk) = (home.open_all(), Arc::new(Desk::default()));
    for key in 0..KEYS {
        let (start, mine) = (Arc::new(Barrier::new(CALLERS)), Arc::new(AtomicUsize::new(0)));
        let caller = |_| {
            let (everything, desk) = (everything.clone(), Arc::clone(&desk));
            let (start, mine) = (Arc::clone(&start), Arc::clone(&mine));
            tokio::spawn(async move {
                let claim = claim(key, 1, at(i64::from(key)));
                start.wait().await;
                match everything.answers.claim(claim).await.unwrap() {
                    Claimed::Mine(_held) => {
                        mine.fetch_add(1, Ordering::Relaxed);
                        let drafts = vec![desk.answered(QUESTION, claim.at)];
                        let submission = Submission { drafts, answer: Some(keyed(claim)), ..Submission::default() };
                        everything.ledger.submit(submission).await.unwrap();
                    }
                    Claimed::Running | Claimed::Stored(_) => {}
                    other => panic!("{other:?}"),
                }
            })
        };
        for caller in (0..CALLERS).map(caller).collect::<Vec<_>>() {
            caller.await.unwrap();
        }
        assert_eq!(mine.load(Ordering::Relaxed), 1, "key {key}");
    }
    assert_eq!(all(&everything.ledger).await.len(), usize::from(KEYS));
}

pub async fn a_key_is_free_again_after_a_day(home: &dyn LedgerHome) {
    let everything = home.open_all();
    answer(&everything, 1, 0).await;
    let late = at(1) + StoredAnswer::KNOWN_FOR;
    let held = everything.answers.claim(claim(1, 2, late)).await.unwrap();
    assert!(matches!(held, Claimed::Mine(_)), "{held:?}");
    drop(held);
    let second = late.duration_since(at(0)) + SignedDuration::from_secs(1);
    answer(&everything, 1, second.as_secs()).await;
    assert!(matches!(everything.answers.claim(claim(1, 1, late)).await.unwrap(), Claimed::Stored(_)));
}
