//! Every call on the charge path, failing, standing still, or the last thing the process does.

use std::collections::HashMap;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use laini_core::billing::CheckId;
use laini_core::store::{
    AnswerMemory, BoxFuture, Claimed, Draft, Ledger, LedgerError, Outbox, Recorded, Submission, Submitted,
};
use laini_store_sqlite::SqliteLedger;
use laini_testkit::contract::ledger::{Desk, QUESTION, Question, at};
use laini_testkit::contract::outbox::delivery;
use laini_testkit::contract::submit::{claim, keyed};

use crate::faulty_io::{Fault, arm, disarm, wait_a_moment_for_held};
use crate::{Ended, assert_holds, in_memory, open};

/// What is asked while a fault is waiting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ask {
    /// One check by itself.
    Record,
    /// Two checks at once.
    Several,
    /// A check with a stored answer and a delivery.
    Keyed,
}

const ASKS: [Ask; 3] = [Ask::Record, Ask::Several, Ask::Keyed];
const BEFORE: u32 = 3;
/// A child that this names aborts in the middle of its work.
const CHILD: &str = "LAINI_TEST_ABORT_AT";

impl Ask {
    fn drafts(self, desk: &Desk) -> Vec<Draft> {
        let lines = if self == Self::Several { 10..12 } else { 10..11 };
        lines.map(|line| desk.answered(Question { line, ..QUESTION }, at(1))).collect()
    }
}

/// A ledger with a few checks, and one more under way.
struct Case {
    desk: Desk,
    told: HashMap<CheckId, Ended>,
    drafts: Vec<Draft>,
}

impl Case {
    /// Opened anew after what stands there before, so that no call of the earlier ones is under way.
    async fn begin(dir: &Path, ask: Ask) -> (Self, Arc<SqliteLedger>) {
        let (desk, mut told) = (Desk::default(), HashMap::new());
        let ledger = open(dir);
        for line in 0..BEFORE {
            let draft = desk.answered(Question { line, ..QUESTION }, at(0));
            told.insert(draft.id, Ended::Answered(ledger.record(draft).await.unwrap().outcome));
        }
        drop(ledger);
        let drafts = ask.drafts(&desk);
        (Self { desk, told, drafts }, open(dir))
    }

    fn ask<'a>(&self, ledger: &'a SqliteLedger, ask: Ask) -> BoxFuture<'a, Result<Vec<Recorded>, LedgerError>> {
        let mut submission = Submission { drafts: self.drafts.clone(), ..Submission::default() };
        if ask == Ask::Keyed {
            submission.answer = Some(keyed(claim(1, 1, at(1))));
            submission.delivery = Some(delivery(&self.desk, 1, at(1)));
        }
        Box::pin(async move {
            if ask == Ask::Record {
                return ledger.record(submission.drafts.remove(0)).await.map(|recorded| vec![recorded]);
            }
            match ledger.submit(submission).await? {
                Submitted::Recorded(recorded, _) => Ok(recorded),
                Submitted::Answered(..) => panic!("nobody stored an answer"),
            }
        })
    }

    fn note(&mut self, ended: &Result<Vec<Recorded>, LedgerError>) {
        for (place, draft) in self.drafts.iter().enumerate() {
            self.told.insert(
                draft.id,
                match ended {
                    Ok(recorded) => Ended::Answered(recorded[place].outcome),
                    Err(LedgerError::Unknown(_)) => Ended::Unknown,
                    Err(_) => Ended::Failed,
                },
            );
        }
    }

    /// What was asked can be asked again and is recorded now; then everything holds, also after a start.
    async fn assert_healed(mut self, ledger: Arc<SqliteLedger>, dir: &Path, ask: Ask) {
        let after = self.desk.answered(Question { line: 20, ..QUESTION }, at(2));
        self.told.insert(after.id, Ended::Answered(ledger.record(after).await.unwrap().outcome));
        drop(ledger);
        let ledger = open(dir);
        let stored = ledger.claim(claim(1, 1, at(2))).await.unwrap();
        let is_stored = matches!(stored, Claimed::Stored(_));
        assert!(is_stored || matches!(stored, Claimed::Mine(_)), "{stored:?}");
        let is_recorded = ledger.find(self.drafts[0].id).await.unwrap().is_some();
        // Charge, answer and delivery are there together, or none is.
        let deliveries = ledger.depth().await.unwrap().deliveries;
        assert_eq!((is_stored, deliveries), (is_recorded && ask == Ask::Keyed, u64::from(is_stored)));
        assert_holds(&ledger, &self.told, async |_| is_stored).await;
    }
}

/// How many calls there are from the question until the ledger is closed.
async fn calls(ask: Ask) -> u64 {
    let dir = in_memory();
    let (case, ledger) = Case::begin(dir.path(), ask).await;
    arm(Fault::None, 0, 0);
    case.ask(&ledger, ask).await.unwrap();
    drop(ledger);
    disarm()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_fault_at_any_call_of_a_charge_leaves_it_right() {
    let _turn = crate::TURN.lock().await;
    let mut cases = 0;
    for ask in ASKS {
        let calls = calls(ask).await;
        assert!(calls >= 5, "{ask:?}: only {calls} calls");
        for call in 0..calls {
            for error in [libc::EIO, libc::ENOSPC] {
                failing(ask, Fault::Error(error), call).await;
                failing(ask, Fault::ErrorsFromHere(error), call).await;
            }
            for _ in 0..2 {
                standing_still(ask, call).await;
                aborting(ask, call).await;
            }
            cases += 8;
        }
    }
    println!("family=fault-points cases={cases} failures=0 seed=none");
}

async fn failing(ask: Ask, fault: Fault, call: u64) {
    let dir = in_memory();
    let (mut case, ledger) = Case::begin(dir.path(), ask).await;
    arm(fault, call, 0);
    let ended = case.ask(&ledger, ask).await;
    disarm();
    case.note(&ended);
    case.assert_healed(ledger, dir.path(), ask).await;
}

/// The disk stands still in the middle of the call, and the caller gives up.
async fn standing_still(ask: Ask, call: u64) {
    let dir = in_memory();
    let (mut case, ledger) = Case::begin(dir.path(), ask).await;
    arm(Fault::Held, call, 0);
    let mut waiting = case.ask(&ledger, ask);
    let mut context = Context::from_waker(Waker::noop());
    let ended = loop {
        // Looked at before the answer is: a call that comes after it holds nobody up.
        let is_held = wait_a_moment_for_held();
        if let Poll::Ready(answer) = waiting.as_mut().poll(&mut context) {
            break Some(answer);
        }
        if is_held {
            break None;
        }
    };
    drop(waiting);
    disarm();
    case.note(&ended.unwrap_or_else(|| Err(LedgerError::Unknown("nobody waited".to_owned()))));
    case.assert_healed(ledger, dir.path(), ask).await;
}

/// This very program, told to do the same and to abort there.
async fn aborting(ask: Ask, call: u64) {
    let dir = in_memory();
    let place = ASKS.iter().position(|one| *one == ask).unwrap();
    let mut child = Command::new(std::env::current_exe().unwrap());
    child.args(["--exact", "points::a_child_aborts_in_the_middle", "--nocapture"]);
    child.env(CHILD, format!("{place} {call} {}", dir.path().display()));
    let output = child.output().unwrap();
    assert!(!output.status.success(), "it did not abort at call {call} of {ask:?}");
    let ledger = open(dir.path());
    // The same questions under the same ids again: a desk is deterministic. Nobody was told anything.
    let mut case = Case { desk: Desk::default(), told: HashMap::new(), drafts: Vec::new() };
    for line in 0..BEFORE {
        let draft = case.desk.answered(Question { line, ..QUESTION }, at(0));
        case.told.insert(draft.id, Ended::Answered(draft.outcome));
    }
    case.drafts = ask.drafts(&case.desk);
    let is_stored = matches!(ledger.claim(claim(1, 1, at(1))).await.unwrap(), Claimed::Stored(_));
    if is_stored {
        case.told.insert(case.drafts[0].id, Ended::Answered(case.drafts[0].outcome));
    } else {
        let again = case.ask(&ledger, ask).await;
        case.note(&again);
        assert!(again.is_ok(), "{again:?}");
    }
    case.assert_healed(ledger, dir.path(), ask).await;
}

#[expect(clippy::disallowed_methods, reason = "a test's own setting, not the product's")]
#[tokio::test]
async fn a_child_aborts_in_the_middle() {
    let _turn = crate::TURN.lock().await;
    let Ok(order) = std::env::var(CHILD) else { return };
    let mut words = order.splitn(3, ' ');
    let mut word = || words.next().unwrap();
    let (place, call): (usize, u64) = (word().parse().unwrap(), word().parse().unwrap());
    let (case, ledger) = Case::begin(Path::new(word()), ASKS[place]).await;
    arm(Fault::Abort, call, 0);
    let _ = case.ask(&ledger, ASKS[place]).await;
    drop(ledger);
    disarm();
}
