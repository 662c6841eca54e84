//! The ledger on a file system that fails: every write, fsync and truncation of the charge path.
//!
//! A test target of its own, for it puts itself between the engine and the system's calls.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on panics")]

mod faulty_io;
mod history;
mod points;

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use laini_core::billing::{CheckId, Outcome};
use laini_core::store::{Ledger, LedgerRow, verify_ledger};
use laini_store_sqlite::{LedgerSettings, SqliteLedger};
use laini_testkit::contract::ledger::{FixedDayKeys, all, chain_key};
use laini_testkit::contract::submit::assert_counters_equal_rows;
use tempfile::TempDir;

/// Faults strike in the whole process, so one test has its turn at a time.
static TURN: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());

/// A ledger that does everything after each check that it does now and then: heads, checkpoints.
fn open(dir: &Path) -> Arc<SqliteLedger> {
    let settings = LedgerSettings { head_every_rows: 1, checkpoint_pages: 1, ..LedgerSettings::default() };
    Arc::new(SqliteLedger::open(dir, chain_key(), Arc::new(FixedDayKeys::default()), settings).unwrap())
}

/// A directory whose files cost no disk: what fails here fails by decree.
fn in_memory() -> TempDir {
    let memory = Path::new("/dev/shm");
    let made = if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() };
    made.unwrap()
}

/// How one check ended for its caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ended {
    /// It was answered so.
    Answered(Outcome),
    /// It was told that nothing was recorded.
    Failed,
    /// It was told that nobody knows, or it stopped waiting.
    Unknown,
}

/// The whole ledger against what callers were told: what was answered stands there once, what failed
/// never, and what is unknown costs nothing in the end. `can_be_fetched`: an answer was stored with it.
async fn assert_holds(
    ledger: &Arc<SqliteLedger>,
    told: &HashMap<CheckId, Ended>,
    can_be_fetched: impl AsyncFn(CheckId) -> bool,
) -> Found {
    let ledger = Arc::clone(ledger) as Arc<dyn Ledger>;
    let rows = all(&ledger).await;
    let (reversals, rows): (Vec<_>, Vec<_>) = rows.into_iter().partition(|row| row.outcome == Outcome::Reversal);
    let by_id: HashMap<CheckId, &LedgerRow> = rows.iter().map(|row| (row.id, row)).collect();
    assert_eq!(by_id.len(), rows.len(), "an id stands there twice");
    let mut reversed: HashMap<CheckId, &LedgerRow> = HashMap::new();
    for row in &reversals {
        let of = by_id[&row.reverses.unwrap()];
        assert_eq!(*row, of.reversal(row.id, row.at));
        assert!(reversed.insert(of.id, row).is_none(), "{of:?} is reversed twice");
    }
    let mut found = Found { rows: rows.len(), reversed: reversals.len(), fetched: 0 };
    for (id, ended) in told {
        let (row, is_reversed) = (by_id.get(id), reversed.contains_key(id));
        match (ended, row) {
            (Ended::Answered(outcome), Some(row)) => {
                assert_eq!((row.outcome, is_reversed), (*outcome, false), "{row:?}");
            }
            (Ended::Answered(_), None) => panic!("{id:?} was answered and is not there"),
            (Ended::Failed | Ended::Unknown, None) => {}
            (Ended::Failed, Some(row)) => panic!("{row:?} is there, and its caller was told that it is not"),
            (Ended::Unknown, Some(_)) if can_be_fetched(*id).await => found.fetched += 1,
            (Ended::Unknown, Some(row)) => assert!(is_reversed || !row.is_charged(), "{row:?} is charged for nothing"),
        }
    }
    assert!(by_id.keys().all(|id| told.contains_key(id)), "a row that nobody asked for");
    assert_counters_equal_rows(&ledger).await;
    let verified = verify_ledger(&*ledger, chain_key(), |_| {}).await.unwrap();
    assert_eq!(verified, ((rows.len() + reversals.len()) as u64, vec![]));
    found
}

/// What stands in a ledger.
struct Found {
    rows: usize,
    reversed: usize,
    fetched: usize,
}
