//! The link to the database breaks, and its statements fail: nothing acknowledged is lost, nothing is
//! double, nothing is left in doubt.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use laini_core::billing::{CheckId, Outcome};
use laini_core::store::{Draft, Ledger, LedgerError, LedgerRow, verify_ledger};
use laini_store_postgres::{Database, DatabaseSettings, LedgerSettings, PostgresLedger};
use laini_testkit::contract::ledger::{Desk, FixedDayKeys, QUESTION, Question, all, at, chain_key};
use laini_testkit::contract::submit::assert_counters_equal_rows;
use laini_testkit::postgres::{Act, Door, FaultProxy, Faults, Rule, TestDatabase, fresh_database};
use tempfile::TempDir;

const CALLERS: u32 = 16;
/// What is drawn by lot is drawn from this.
const SEED: u64 = 20_261_123;

/// A node behind a link that breaks.
struct Node {
    dir: TempDir,
    test: TestDatabase,
    link: FaultProxy,
    ledger: Arc<dyn Ledger>,
}

impl Node {
    fn start() -> Self {
        let (dir, test) = (tempfile::tempdir().unwrap(), fresh_database());
        let port = test.url().rsplit_once(':').unwrap().1.split('/').next().unwrap().parse().unwrap();
        let link = FaultProxy::start(port, SEED);
        let database = Database::open(DatabaseSettings::new(&test.url_at(link.port()))).unwrap();
        let day_keys = Arc::new(FixedDayKeys::default());
        let settings = LedgerSettings::new("a");
        let ledger = PostgresLedger::open(database, dir.path(), chain_key(), day_keys, settings).unwrap();
        Self { dir, test, link, ledger: Arc::new(ledger) }
    }

    /// The ledger as a node with a whole link sees it.
    fn aside(&self) -> Arc<dyn Ledger> {
        let database = Database::open(DatabaseSettings::new(&self.test.url())).unwrap();
        let day_keys = Arc::new(FixedDayKeys::default());
        Arc::new(PostgresLedger::open_beside(database, self.dir.path(), day_keys))
    }
}

/// What callers were told, by check.
#[derive(Default)]
struct Told {
    acknowledged: HashMap<CheckId, Outcome>,
    failed: Vec<CheckId>,
    unknown: Vec<CheckId>,
}

/// Every caller asks until `enough` says so; each question is another one.
async fn ask(node: &Node, enough: impl Fn() -> bool + Clone + Send + 'static) -> Told {
    let desk = Arc::new(Desk::default());
    let mut callers = Vec::new();
    for caller in 0..CALLERS {
        let (ledger, desk, enough) = (Arc::clone(&node.ledger), Arc::clone(&desk), enough.clone());
        callers.push(tokio::spawn(async move {
            let (mut told, mut check) = (Told::default(), 0);
            while !enough() {
                let line = caller * 100_000 + check;
                let draft: Draft = desk.answered(Question { line, ..QUESTION }, at(i64::from(check)));
                let id = draft.id;
                match ledger.record(draft).await {
                    Ok(recorded) => drop(told.acknowledged.insert(id, recorded.outcome)),
                    Err(LedgerError::Unknown(_)) => told.unknown.push(id),
                    Err(LedgerError::NotRecorded(_) | LedgerError::Busy) => told.failed.push(id),
                    Err(error) => panic!("{error}"),
                }
                check += 1;
            }
            told
        }));
    }
    let mut all = Told::default();
    for caller in callers {
        let told = caller.await.unwrap();
        all.acknowledged.extend(told.acknowledged);
        all.failed.extend(told.failed);
        all.unknown.extend(told.unknown);
    }
    all
}

/// Charged, not taken back, and nobody was told.
fn left_in_doubt(rows: &[LedgerRow], told: &Told) -> Vec<CheckId> {
    let reversed: Vec<CheckId> = rows.iter().filter_map(|row| row.reverses).collect();
    let charged = rows.iter().filter(|row| row.charge.minor > 0).map(|row| row.id);
    charged.filter(|id| told.unknown.contains(id) && !reversed.contains(id)).collect()
}

/// Looks until it is so; what takes longer than this never comes.
async fn until(what: &str, is_so: impl AsyncFn() -> bool) {
    let begun = Instant::now();
    while !is_so().await {
        assert!(begun.elapsed() < Duration::from_secs(20), "not in time: {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Compares what callers were told with what the ledger says, once the node has had its last word.
async fn settle(node: Node, told: &Told) -> usize {
    node.link.set(Faults::default());
    let aside = node.aside();
    let Node { ledger, .. } = &node;
    let last = Desk::default().answered(Question { line: 99_999_999, ..QUESTION }, at(100_000));
    ledger.record(last.clone()).await.unwrap();
    until("nothing is left in doubt", async || left_in_doubt(&all(&aside).await, told).is_empty()).await;
    let rows = all(&aside).await;
    let reversed: HashMap<CheckId, &LedgerRow> = rows.iter().filter_map(|row| Some((row.reverses?, row))).collect();
    let by_id: HashMap<CheckId, &LedgerRow> = rows.iter().map(|row| (row.id, row)).collect();
    assert_eq!(by_id.len(), rows.len(), "an id stands in the ledger twice");
    for (id, outcome) in &told.acknowledged {
        let row = by_id.get(id).unwrap_or_else(|| panic!("an acknowledged check is lost"));
        assert_eq!((row.outcome, reversed.contains_key(id)), (*outcome, false), "an acknowledged check was changed");
    }
    for id in &told.failed {
        assert!(!by_id.contains_key(id), "a check that failed stands in the ledger");
    }
    let unknown_rows = told.unknown.iter().filter(|id| by_id.contains_key(id)).count();
    let own_rows = rows.iter().filter(|row| row.reverses.is_none()).count();
    assert_eq!(own_rows, told.acknowledged.len() + unknown_rows + 1);
    assert_counters_equal_rows(&aside).await;
    assert_eq!(verify_ledger(&*aside, chain_key(), |_| {}).await.unwrap(), (rows.len() as u64, vec![]));
    told.acknowledged.len() + told.failed.len() + told.unknown.len()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn replies_to_commits_are_lost() {
    let cuts = cases("LAINI_TEST_CUT_COMMITS", 1_000);
    let node = Node::start();
    let rules = vec![Rule { holds: "UPDATE writer SET seq", per_mille: 300, act: Act::LoseReply }];
    node.link.set(Faults { rules, ..Faults::default() });
    let begun = Instant::now();
    let told = {
        let link = &node.link;
        let counted = Arc::new(std::sync::atomic::AtomicBool::new(false));
        let enough = Arc::clone(&counted);
        let asking = ask(&node, move || enough.load(std::sync::atomic::Ordering::Relaxed));
        let watching = async {
            while link.counts().1 < cuts {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            counted.store(true, std::sync::atomic::Ordering::Relaxed);
        };
        tokio::join!(asking, watching).0
    };
    let (acknowledged, unknown) = (told.acknowledged.len(), told.unknown.len());
    let checks = settle(node, &told).await;
    println!(
        "family=commit replies cut cases={cuts} checks={checks} acknowledged={acknowledged} unknown={unknown} failures=0 \
         seed={SEED} seconds={:.0}",
        begun.elapsed().as_secs_f64()
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_tenth_of_the_statements_fails() {
    let statements = cases("LAINI_TEST_FAILED_STATEMENTS", 10_000);
    let node = Node::start();
    let states = ["40001", "40P01", "55P03", "57P01", "08006"];
    // Each rule draws for itself: together they strike about a tenth.
    let begun = Instant::now();
    let counted = Arc::new(std::sync::atomic::AtomicBool::new(false));
    let enough = Arc::clone(&counted);
    let link = &node.link;
    let asking = ask(&node, move || enough.load(std::sync::atomic::Ordering::Relaxed));
    let striking = async {
        let mut round = 0usize;
        while link.counts().0 < statements {
            let act = Act::Fail(states[round % states.len()]);
            let rules = vec![Rule { holds: "", per_mille: 110, act }];
            // Now and then the server has no room for another connection.
            link.set(Faults {
                rules,
                door: if round % 10 == 9 { Door::Full } else { Door::Open },
                ..Faults::default()
            });
            round += 1;
            tokio::time::sleep(Duration::from_millis(30)).await;
        }
        counted.store(true, std::sync::atomic::Ordering::Relaxed);
    };
    let (told, ()) = tokio::join!(asking, striking);
    let (requests, struck) = node.link.counts();
    let acknowledged = told.acknowledged.len();
    let checks = settle(node, &told).await;
    assert!(acknowledged * 2 > checks, "{acknowledged} of {checks} came through");
    println!(
        "family=SQL errors cases={requests} struck={struck} checks={checks} acknowledged={acknowledged} failures=0 \
         seed={SEED} seconds={:.0}",
        begun.elapsed().as_secs_f64()
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_does_not_answer_is_given_up_in_time() {
    let node = Node::start();
    let desk = Desk::default();
    node.ledger.record(desk.answered(QUESTION, at(0))).await.unwrap();
    node.link.set(Faults { is_mute: true, ..Faults::default() });
    let begun = Instant::now();
    let first = desk.answered(Question { line: 2, ..QUESTION }, at(0));
    let told = node.ledger.record(first.clone()).await;
    assert!(matches!(told, Err(LedgerError::Unknown(_))), "{told:?}");
    assert!(begun.elapsed() < Duration::from_secs(4), "{:?}", begun.elapsed());
    // From then on callers are told early, until the database is back.
    let begun = Instant::now();
    let told = node.ledger.record(desk.answered(Question { line: 3, ..QUESTION }, at(0))).await;
    assert!(matches!(told, Err(LedgerError::NotRecorded(_))), "{told:?}");
    assert!(begun.elapsed() < Duration::from_millis(600), "{:?}", begun.elapsed());
    // It is back, and slower than callers are kept waiting in trouble: that must not keep the trouble up.
    node.link.set(Faults { delay: Duration::from_millis(300), ..Faults::default() });
    let again = desk.answered(Question { line: 4, ..QUESTION }, at(1));
    until("it records again", async || node.ledger.record(again.clone()).await.is_ok()).await;
    node.link.set(Faults::default());
    // The first was written, its caller was told that nobody knows: it is taken back.
    until("it is taken back", async || all(&node.aside()).await.iter().any(|row| row.reverses == Some(first.id))).await;
    assert_counters_equal_rows(&node.aside()).await;
}

/// As many cases as the environment asks for, or the floor.
fn cases(variable: &str, floor: u64) -> u64 {
    #[expect(clippy::disallowed_methods, reason = "the environment asks for more cases")]
    std::env::var(variable).ok().and_then(|text| text.parse().ok()).unwrap_or(floor)
}
