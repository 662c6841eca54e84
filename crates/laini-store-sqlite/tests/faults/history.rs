//! A long history of calls on a file system that fails now and then, and what the ledger says of it.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

use laini_core::billing::CheckId;
use laini_core::store::{
    AnswerKey, AnswerMemory, Claim, Claimed, Ledger, LedgerError, RequestHash, Submission, Submitted,
};
use laini_store_sqlite::SqliteLedger;
use laini_testkit::contract::ledger::{Desk, QUESTION, Question, at};
use laini_testkit::contract::submit::keyed;

use crate::faulty_io::{Fault, arm, disarm, struck};
use crate::{Ended, Found, assert_holds, in_memory, open};

const OPERATIONS: u32 = 100_000;
const SEED: u64 = 20_261_122;
const CALLERS: u32 = 64;
/// The ledger is closed and opened again after so many operations.
const ROUNDS: u32 = 10;
/// One call of the system in so many fails.
const FAULT_ONE_IN: u64 = 100;

/// What callers saw.
#[derive(Default)]
struct Log {
    told: HashMap<CheckId, Ended>,
    keys: HashMap<CheckId, Claim>,
}

struct Caller {
    ledger: Arc<SqliteLedger>,
    desk: Arc<Desk>,
    log: Arc<Mutex<Log>>,
    second: u32,
    rng: fastrand::Rng,
}

impl Caller {
    /// One check, alone or with a stored answer, waited for or given up at some moment.
    async fn ask(&mut self, line: u32) {
        // Some lines are asked about again soon: repeats.
        let line = if self.rng.u8(..10) == 0 { line % 7 } else { line };
        let draft = self.desk.answered(Question { line, ..QUESTION }, at(self.second.into()));
        let (id, mut submission) = (draft.id, Submission { drafts: vec![draft], ..Submission::default() });
        if self.rng.u8(..4) == 0 {
            let key = AnswerKey(*id.uuid().as_bytes());
            let claim = Claim { app: QUESTION.app, key, request: RequestHash([1; 16]), at: at(self.second.into()) };
            submission.answer = Some(keyed(claim));
            self.log.lock().unwrap().keys.insert(id, claim);
        }
        let ledger = Arc::clone(&self.ledger);
        let is_alone = submission.answer.is_none() && self.rng.bool();
        let mut waiting = Box::pin(async move {
            if is_alone {
                return ledger.record(submission.drafts.remove(0)).await;
            }
            match ledger.submit(submission).await? {
                Submitted::Recorded(recorded, _) => Ok(recorded[0]),
                Submitted::Answered(..) => panic!("a key is used once"),
            }
        });
        // Given up before the writer has seen it, while it is being committed, or hardly ever.
        let mut patience = if self.rng.u8(..10) == 0 { Some(1_u32 << self.rng.u32(..13)) } else { None };
        let ended =
            std::future::poll_fn(move |context: &mut Context<'_>| match (waiting.as_mut().poll(context), patience) {
                (Poll::Ready(ended), _) => Poll::Ready(ended),
                (Poll::Pending, None) => Poll::Pending,
                (Poll::Pending, Some(0)) => Poll::Ready(Err(LedgerError::Unknown("given up".to_owned()))),
                (Poll::Pending, Some(left)) => {
                    patience = Some(left - 1);
                    context.waker().wake_by_ref();
                    Poll::Pending
                }
            });
        let ended = match ended.await {
            Ok(recorded) => Ended::Answered(recorded.outcome),
            Err(LedgerError::Unknown(_)) => Ended::Unknown,
            Err(_) => Ended::Failed,
        };
        assert!(self.log.lock().unwrap().told.insert(id, ended).is_none());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_a_long_history_of_faults_every_check_is_there_as_often_as_it_was_told() {
    let _turn = crate::TURN.lock().await;
    let operations = on_demand("LAINI_TEST_OPERATIONS", OPERATIONS);
    let seed = on_demand("LAINI_TEST_SEED", SEED);
    let dir = in_memory();
    let (desk, log) = (Arc::new(Desk::default()), Arc::new(Mutex::new(Log::default())));
    let next = Arc::new(AtomicU32::new(100));
    for round in 0..ROUNDS {
        let ledger = open(dir.path());
        arm(Fault::Random(FAULT_ONE_IN), 0, seed + u64::from(round));
        let callers = (0..CALLERS).map(|number| {
            let rng = fastrand::Rng::with_seed(seed ^ u64::from(round * CALLERS + number));
            let (ledger, desk, log) = (Arc::clone(&ledger), Arc::clone(&desk), Arc::clone(&log));
            let mut caller = Caller { ledger, desk, log, second: round, rng };
            let (next, checks) = (Arc::clone(&next), operations / ROUNDS / CALLERS + 1);
            tokio::spawn(async move {
                for _ in 0..checks {
                    caller.ask(next.fetch_add(1, Ordering::Relaxed)).await;
                }
            })
        });
        for caller in callers.collect::<Vec<_>>() {
            caller.await.unwrap();
        }
        disarm();
    }
    let ledger = open(dir.path());
    let Log { told, keys } = std::mem::take(&mut *log.lock().unwrap());
    let mut stored = HashSet::new();
    for (id, claim) in &keys {
        if matches!(ledger.claim(*claim).await.unwrap(), Claimed::Stored(_)) {
            stored.insert(*id);
        }
    }
    let found = assert_holds(&ledger, &told, async |id| stored.contains(&id)).await;
    let (cases, faults, Found { rows, reversed, fetched }) = (told.len(), struck(), found);
    assert!(faults > 100 && reversed > 0, "{faults} faults, {reversed} reversed");
    println!(
        "family=history cases={cases} failures=0 seed={seed} faults={faults} rows={rows} reversed={reversed} fetched={fetched}"
    );
}

#[expect(clippy::disallowed_methods, reason = "a test's own setting, not the product's")]
fn on_demand<T: std::str::FromStr>(variable: &str, otherwise: T) -> T {
    std::env::var(variable).ok().and_then(|text| text.parse().ok()).unwrap_or(otherwise)
}
