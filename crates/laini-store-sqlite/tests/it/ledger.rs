use std::io::Write;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::task::{Context, Waker};
use std::time::{Duration, Instant};

use laini_core::billing::Outcome;
use laini_core::store::{ChainBreak, Draft, Ledger, LedgerError, verify_ledger};
use laini_store_sqlite::{LedgerSettings, SqliteLedger, StoreError};
use laini_testkit::contract::ledger::{
    ALL, Desk, Everything, FixedDayKeys, LedgerHome, QUESTION, Question, at, chain_key, number,
};
use rusqlite::Connection;
use tempfile::TempDir;

struct Home(TempDir);

impl LedgerHome for Home {
    fn open_all(&self) -> Everything {
        Everything::of(open(self.0.path()))
    }
}

laini_testkit::ledger_contract!(Home(tempfile::tempdir().unwrap()));
laini_testkit::beside_ledger_contract!(Home(tempfile::tempdir().unwrap()));

fn open(dir: &Path) -> SqliteLedger {
    try_open(dir).unwrap()
}

fn try_open(dir: &Path) -> Result<SqliteLedger, StoreError> {
    SqliteLedger::open(dir, chain_key(), Arc::new(FixedDayKeys::default()), LedgerSettings::default())
}

/// A closed ledger of `rows` charged checks about as many lines.
async fn ledger_of(rows: u32) -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    let (ledger, desk) = (open(dir.path()), Desk::default());
    for line in 0..rows {
        ledger.record(desk.answered(Question { line, ..QUESTION }, at(i64::from(line)))).await.unwrap();
    }
    dir
}

async fn breaks(dir: &Path) -> Vec<ChainBreak> {
    let ledger = SqliteLedger::open_beside(dir, Arc::new(FixedDayKeys::default())).unwrap();
    verify_ledger(&ledger, chain_key(), |_| {}).await.unwrap().1
}

#[tokio::test]
async fn a_second_server_is_refused_and_names_the_first() {
    let dir = ledger_of(1).await;
    let first = open(dir.path());
    let refused = try_open(dir.path()).map(drop).unwrap_err().to_string();
    let pid = std::process::id();
    let expected = format!("another laini server is running on this data directory (pid {pid})");
    assert!(refused.starts_with(&expected), "{refused}");
    drop(first);
    open(dir.path());
}

#[tokio::test]
async fn a_reader_works_beside_the_writer_and_writes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let reader = SqliteLedger::open_beside(dir.path(), Arc::new(FixedDayKeys::default())).unwrap();
    assert_eq!(reader.newest().await.unwrap(), None);
    let (ledger, desk) = (open(dir.path()), Desk::default());
    let draft = desk.answered(QUESTION, at(0));
    ledger.record(draft.clone()).await.unwrap();
    assert_eq!(reader.newest().await.unwrap(), Some(draft.id));
    assert_eq!(reader.rows(ALL).await.unwrap(), ledger.rows(ALL).await.unwrap());
    let refused = reader.record(draft).await;
    assert!(matches!(refused, Err(LedgerError::NotRecorded(_))), "{refused:?}");
}

#[tokio::test]
async fn every_altered_column_is_found() {
    let alterations = [
        "position = position + 1",
        "position = position | (1 << 60)",
        "tail = tail + 1",
        "tail = -1",
        "writer = 2",
        "seq = 500",
        "seq = -1",
        "at = at + 1",
        "at = 1 << 62",
        "partner = partner + 1",
        "partner = partner | (1 << 63)",
        "app = app + 1",
        "agreement = NULL",
        "product = 2",
        "product = 99",
        "environment = 1",
        "purpose = 2",
        "outcome = 2",
        "outcome = 0",
        "price_version = 4",
        "price_version = -1",
        "list_minor = 1",
        "charge_minor = 0",
        "currency = 'UGX'",
        "currency = 'shilling'",
        "as_of = NULL",
        "as_of = as_of - 1",
        "policy_version = 2",
        "side_digest = zeroblob(32)",
        "side_digest = x''",
        "mac = zeroblob(32)",
        "mac = zeroblob(31)",
        "reverses = zeroblob(16)",
        "reverses = x'0193a5d2971f7359b6116845a1be45ef'",
    ];
    let columns = columns_of("ledger").await;
    for column in &columns {
        assert!(alterations.iter().any(|change| change.starts_with(&format!("{column} ="))), "{column} is not altered");
    }
    for change in alterations {
        let found = after(&format!("UPDATE ledger SET {change} WHERE seq = 5")).await;
        assert!(!found.is_empty(), "{change} was not found");
        assert!(found.len() <= 3, "{change} is one alteration, but found: {found:?}");
    }
}

#[tokio::test]
async fn every_altered_side_column_is_found() {
    for change in [
        "number_hash = zeroblob(16)",
        "number_hash = x''",
        "repeat_key = zeroblob(16)",
        "sealed = CAST(sealed || x'00' AS BLOB)",
        "sealed = zeroblob(64)",
        "sealed = x''",
    ] {
        let sql = format!("UPDATE subject SET {change} WHERE position = (SELECT position FROM ledger WHERE seq = 5)");
        assert_eq!(after(&sql).await, [ChainBreak::SideAltered { writer: 1, seq: 5 }], "{change}");
    }
    let moved = "UPDATE subject SET sealed = (SELECT sealed FROM subject ORDER BY position LIMIT 1)
                 WHERE position = (SELECT position FROM ledger WHERE seq = 5)";
    assert_eq!(after(moved).await, [ChainBreak::SideAltered { writer: 1, seq: 5 }]);
}

#[tokio::test]
async fn removed_and_inserted_rows_are_found() {
    assert_eq!(after("DELETE FROM ledger WHERE seq = 5").await, [ChainBreak::Missing { writer: 1, seq: 5 }]);
    let cut = after("DELETE FROM ledger WHERE seq > 7").await;
    assert!(matches!(cut[..], [ChainBreak::HeadLost { writer: 1, seq: 10, .. }]), "{cut:?}");
    let emptied = after("DELETE FROM ledger").await;
    let expected = |found: &&ChainBreak| matches!(found, ChainBreak::HeadLost { .. });
    assert!(emptied.len() == 2 && emptied.iter().all(|found| expected(&found)), "{emptied:?}");
    let columns = columns_of("ledger").await[1..].join(", ");
    let copied = format!("INSERT INTO ledger SELECT position + 1, {columns} FROM ledger WHERE seq = 5");
    assert_eq!(after(&copied).await, [ChainBreak::Doubled { writer: 1, seq: 5 }]);
}

#[tokio::test]
async fn a_cut_tail_stays_found_after_the_server_wrote_on() {
    let dir = ledger_of(10).await;
    execute(dir.path(), "DELETE FROM ledger WHERE seq > 7");
    let (ledger, desk) = (open(dir.path()), Desk::default());
    for line in 20..30 {
        ledger.record(desk.answered(Question { line, ..QUESTION }, at(i64::from(line)))).await.unwrap();
    }
    drop(ledger);
    let found = breaks(dir.path()).await;
    assert!(matches!(found[..], [ChainBreak::HeadLost { writer: 1, seq: 10, .. }]), "{found:?}");
}

/// What a verification finds in a ledger of ten rows after `sql`.
async fn after(sql: &str) -> Vec<ChainBreak> {
    let dir = ledger_of(10).await;
    assert_eq!(breaks(dir.path()).await, []);
    execute(dir.path(), sql);
    breaks(dir.path()).await
}

fn execute(dir: &Path, sql: &str) {
    Connection::open(dir.join("ledger.db")).unwrap().execute_batch(sql).unwrap();
}

async fn columns_of(table: &str) -> Vec<String> {
    let dir = ledger_of(0).await;
    let connection = Connection::open(dir.path().join("ledger.db")).unwrap();
    let mut statement = connection.prepare(&format!("SELECT name FROM pragma_table_info('{table}')")).unwrap();
    statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
}

#[tokio::test]
async fn heads_are_written_while_it_runs_and_a_torn_one_is_ignored() {
    let dir = tempfile::tempdir().unwrap();
    let settings = LedgerSettings { head_every_rows: 3, ..LedgerSettings::default() };
    let ledger = SqliteLedger::open(dir.path(), chain_key(), Arc::new(FixedDayKeys::default()), settings).unwrap();
    let desk = Desk::default();
    for line in 0..7 {
        ledger.record(desk.answered(Question { line, ..QUESTION }, at(0))).await.unwrap();
    }
    ledger.record(desk.answered(Question { line: 8, ..QUESTION }, at(61))).await.unwrap();
    drop(ledger);
    let file = dir.path().join("ledger-heads.ndjson");
    let seqs = async || -> Vec<u64> {
        let heads =
            SqliteLedger::open_beside(dir.path(), Arc::new(FixedDayKeys::default())).unwrap().heads().await.unwrap();
        heads.iter().map(|head| head.seq).collect()
    };
    assert_eq!(seqs().await, [1, 4, 7, 8]);
    let whole = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, format!("{whole}{{\"at\":\"2026-11-2")).unwrap();
    assert_eq!(seqs().await, [1, 4, 7, 8]);
    // The next server takes the torn line away.
    drop(open(dir.path()));
    assert_eq!(std::fs::read_to_string(&file).unwrap(), whole);
    std::fs::write(&file, whole.replacen("writer", "wr1ter", 1)).unwrap();
    let edited = SqliteLedger::open_beside(dir.path(), Arc::new(FixedDayKeys::default()))
        .unwrap()
        .heads()
        .await
        .unwrap_err()
        .to_string();
    assert!(edited.contains("line 1"), "{edited}");
}

#[tokio::test]
async fn a_start_reads_the_end_of_the_heads_alone() {
    let dir = ledger_of(10).await;
    let file = dir.path().join("ledger-heads.ndjson");
    let newest = std::fs::read_to_string(&file).unwrap().lines().last().unwrap().to_owned();
    // A megabyte that somebody wrote there: `verify` reads it all, a start does not.
    let foreign = "not a head\n".repeat(100_000);
    std::fs::write(&file, format!("{foreign}{newest}\n{{\"at\":")).unwrap();
    drop(open(dir.path()));
    assert_eq!(std::fs::read_to_string(&file).unwrap(), format!("{foreign}{newest}\n"));
    std::fs::write(&file, format!("{foreign}{newest}\nnot a head\n")).unwrap();
    let refused = try_open(dir.path()).map(drop).unwrap_err().to_string();
    assert!(refused.contains("ledger-heads.ndjson"), "{refused}");
}

#[tokio::test]
async fn a_head_that_a_crash_kept_from_being_written_is_written_at_the_next_start() {
    let dir = ledger_of(10).await;
    std::fs::remove_file(dir.path().join("ledger-heads.ndjson")).unwrap();
    let ledger = open(dir.path());
    let heads = ledger.heads().await.unwrap();
    assert_eq!(heads.iter().map(|head| head.seq).collect::<Vec<_>>(), [10]);
}

#[tokio::test]
async fn the_file_holds_no_number_in_the_clear() {
    let dir = tempfile::tempdir().unwrap();
    let (ledger, desk) = (open(dir.path()), Desk::default());
    let question = Question { line: 22_000_123, ..QUESTION };
    ledger.record(desk.answered(question, at(0))).await.unwrap();
    drop(ledger);
    let bytes = std::fs::read(dir.path().join("ledger.db")).unwrap();
    let number = number(question.line);
    let holds = |secret: &[u8]| bytes.windows(secret.len()).any(|window| window == secret);
    assert!(holds(b"KES"));
    assert!(!holds(number.digits().as_bytes()));
    assert!(!holds(&number.as_u64().to_be_bytes()[2..]));
    assert!(!holds(b"registration="));
}

#[tokio::test]
async fn the_view_for_people_says_the_words_of_the_rules() {
    let dir = tempfile::tempdir().unwrap();
    let (ledger, desk) = (open(dir.path()), Desk::default());
    let mut line = 0;
    let mut expected = Vec::new();
    for outcome in Outcome::ALL.into_iter().filter(|outcome| !matches!(outcome, Outcome::Repeated | Outcome::Reversal))
    {
        for (purpose, product) in laini_core::partner::Purpose::ALL.into_iter().zip(laini_core::partner::Product::ALL) {
            line += 1;
            let draft = desk.answered(Question { line, product, ..QUESTION }, at(0));
            expected.push([product.word(), "production", purpose.word(), outcome.word()].join(" "));
            ledger.record(Draft { outcome, purpose, ..draft }).await.unwrap();
        }
    }
    let connection = Connection::open(dir.path().join("ledger.db")).unwrap();
    let sql = "SELECT product || ' ' || environment || ' ' || purpose || ' ' || outcome FROM checks ORDER BY position";
    let mut statement = connection.prepare(sql).unwrap();
    let shown: Vec<String> = statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
    assert_eq!(shown, expected);
}

#[tokio::test]
async fn a_full_queue_refuses_at_once_and_the_rest_is_recorded() {
    let dir = tempfile::tempdir().unwrap();
    let settings = LedgerSettings { queue_limit: 4, ..LedgerSettings::default() };
    let ledger = SqliteLedger::open(dir.path(), chain_key(), Arc::new(FixedDayKeys::default()), settings).unwrap();
    let ledger = Arc::new(ledger);
    // A foreign transaction holds the writer, so that the queue fills.
    let foreign = Connection::open(dir.path().join("ledger.db")).unwrap();
    foreign.execute_batch("BEGIN IMMEDIATE").unwrap();
    let desk = Desk::default();
    let mut callers = tokio::task::JoinSet::new();
    for line in 0..40 {
        let (ledger, draft) = (Arc::clone(&ledger), desk.answered(Question { line, ..QUESTION }, at(0)));
        callers.spawn(async move { ledger.record(draft).await });
    }
    let mut refused = 0;
    while refused < 32 {
        let answer = callers.join_next().await.unwrap().unwrap();
        assert!(matches!(answer, Err(LedgerError::Busy)), "{answer:?}");
        refused += 1;
    }
    foreign.execute_batch("ROLLBACK").unwrap();
    let mut recorded = 0;
    while let Some(answer) = callers.join_next().await {
        recorded += usize::from(answer.unwrap().is_ok());
    }
    assert!(recorded >= 4, "{recorded}");
    assert_eq!(ledger.rows(ALL).await.unwrap().len(), recorded);
}

#[tokio::test]
async fn a_check_that_nobody_waits_for_any_more_is_not_written() {
    let dir = tempfile::tempdir().unwrap();
    let (ledger, desk) = (open(dir.path()), Desk::default());
    let foreign = Connection::open(dir.path().join("ledger.db")).unwrap();
    foreign.execute_batch("BEGIN IMMEDIATE").unwrap();
    let (given_up, kept) = (desk.answered(QUESTION, at(0)), desk.answered(QUESTION, at(1)));
    let mut waiting = ledger.record(given_up);
    assert!(waiting.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    drop(waiting);
    foreign.execute_batch("ROLLBACK").unwrap();
    // Nothing was charged yet, so the same question is no repeat.
    assert_eq!(ledger.record(kept.clone()).await.unwrap().outcome, Outcome::Answered);
    let rows = ledger.rows(ALL).await.unwrap();
    assert_eq!(rows.iter().map(|row| row.id).collect::<Vec<_>>(), [kept.id]);
    drop(ledger);
    assert_eq!(breaks(dir.path()).await, []);
}

#[tokio::test]
async fn a_file_that_somebody_else_holds_is_given_up_before_the_caller_gives_up() {
    let dir = tempfile::tempdir().unwrap();
    let (ledger, desk) = (open(dir.path()), Desk::default());
    let foreign = Connection::open(dir.path().join("ledger.db")).unwrap();
    foreign.execute_batch("BEGIN IMMEDIATE").unwrap();
    let begun = Instant::now();
    let refused = ledger.record(desk.answered(QUESTION, at(0))).await;
    assert!(matches!(refused, Err(LedgerError::NotRecorded(_))), "{refused:?}");
    // Two attempts of 2 s each, and what a busy machine adds.
    assert!(begun.elapsed() < Duration::from_secs(8), "{:?}", begun.elapsed());
    foreign.execute_batch("ROLLBACK").unwrap();
    ledger.record(desk.answered(QUESTION, at(1))).await.unwrap();
}

#[tokio::test]
async fn a_failing_insert_or_commit_records_nothing_and_heals() {
    // What fails, by way of the schema: an insert in the middle of a batch, or the commit itself.
    let failing_insert = "CREATE TRIGGER fault BEFORE INSERT ON subject WHEN new.position % 2 = 1
                          BEGIN SELECT RAISE(FAIL, 'fault'); END;";
    let failing_commit = "CREATE TABLE fault_parent (id INTEGER PRIMARY KEY);
        CREATE TABLE fault_child (id REFERENCES fault_parent DEFERRABLE INITIALLY DEFERRED);
        CREATE TRIGGER fault AFTER INSERT ON subject BEGIN INSERT INTO fault_child VALUES (1); END;";
    for fault in [failing_insert, failing_commit] {
        let dir = tempfile::tempdir().unwrap();
        let (ledger, desk) = (Arc::new(open(dir.path())), Desk::default());
        ledger.record(desk.answered(QUESTION, at(0))).await.unwrap();
        execute(dir.path(), fault);
        let record = |line| {
            let (ledger, draft) = (Arc::clone(&ledger), desk.answered(Question { line, ..QUESTION }, at(1)));
            tokio::spawn(async move { ledger.record(draft).await })
        };
        let callers: Vec<_> = (10..30).map(record).collect();
        let mut recorded = 1;
        for caller in callers {
            match caller.await.unwrap() {
                Ok(_) => recorded += 1,
                Err(error) => assert!(matches!(error, LedgerError::NotRecorded(_)), "{error:?}"),
            }
        }
        assert!(recorded < 21);
        execute(dir.path(), "DROP TRIGGER fault");
        // A failed charge is no charge: the same questions are charged now, and the chain goes on.
        for line in 40..45 {
            let answer = record(line).await.unwrap().unwrap();
            assert_eq!(answer.outcome, Outcome::Answered);
        }
        assert_eq!(ledger.rows(ALL).await.unwrap().len(), recorded + 5);
        assert_eq!(breaks(dir.path()).await, []);
    }
}

/// A file system of so many KiB, gone with the value.
struct SmallDisk(TempDir);

impl SmallDisk {
    fn new(kib: u32) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let size = format!("size={kib}k");
        as_root(&["mount", "-t", "tmpfs", "-o", &size, "laini-test"], dir.path());
        Self(dir)
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        as_root(&["umount", "--lazy"], self.0.path());
    }
}

fn as_root(command: &[&str], path: &Path) {
    let is_root = std::fs::metadata("/proc/self").is_ok_and(|me| std::os::unix::fs::MetadataExt::uid(&me) == 0);
    let words = if is_root { command.to_vec() } else { [&["sudo", "--non-interactive"], command].concat() };
    let status = Command::new(words[0]).args(&words[1..]).arg(path).status().unwrap();
    assert!(status.success(), "{words:?} needs root or sudo without a password");
}

/// Writes until the disk is full.
fn fill_up(path: &Path) {
    let mut file = std::fs::File::create(path).unwrap();
    while file.write_all(&[0; 4_096]).is_ok() {}
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_records_nothing_and_heals_when_space_returns() {
    let disk = SmallDisk::new(1_024);
    let dir = disk.0.path();
    let (ledger, desk) = (Arc::new(open(dir)), Arc::new(Desk::default()));
    let ballast = dir.join("ballast");
    let mut recorded = Vec::new();
    for fill in 0..3u32 {
        fill_up(&ballast);
        let mut line = fill * 10_000;
        let mut failed = 0;
        while failed < 20 {
            let mut callers = tokio::task::JoinSet::new();
            for _ in 0..32 {
                line += 1;
                let draft = desk.answered(Question { line, ..QUESTION }, at(i64::from(line)));
                let ledger = Arc::clone(&ledger);
                callers.spawn(async move { (draft.id, ledger.record(draft).await) });
            }
            while let Some(answer) = callers.join_next().await {
                match answer.unwrap() {
                    (id, Ok(_)) => recorded.push(id),
                    (_, Err(LedgerError::NotRecorded(_))) => failed += 1,
                    (_, Err(error)) => panic!("a full disk is no doubt: {error}"),
                }
            }
            assert!(line < (fill + 1) * 10_000, "the disk never filled");
        }
        std::fs::remove_file(&ballast).unwrap();
        let after = desk.answered(Question { line: line + 1, ..QUESTION }, at(i64::from(line) + 1));
        recorded.push(after.id);
        ledger.record(after).await.unwrap();
    }
    recorded.sort_unstable();
    let stored: Vec<_> = ledger.rows(ALL).await.unwrap().iter().map(|row| row.id).collect();
    assert_eq!(stored, recorded);
    drop(ledger);
    assert_eq!(breaks(dir).await, []);
}
