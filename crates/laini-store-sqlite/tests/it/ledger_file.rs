//! The ledger's file over time: of an older release, of a newer one, and beside other processes.

use std::path::Path;
use std::sync::Arc;
use std::task::{Context, Waker};

use laini_core::billing::Outcome;
use laini_core::store::{Draft, Ledger, LedgerRow, Outbox, Retention, verify_ledger};
use laini_store_sqlite::{LedgerSettings, SqliteLedger, StoreError};
use laini_testkit::contract::ledger::{ALL, Desk, FixedDayKeys, QUESTION, Question, all, at, chain_key};
use laini_testkit::contract::outbox::delivery;
use laini_testkit::contract::submit::assert_counters_equal_rows;
use rusqlite::Connection;
use tempfile::TempDir;

const MIGRATION: &str = include_str!("../../src/ledger/migration_2.sql");

fn open(dir: &Path) -> Result<SqliteLedger, StoreError> {
    SqliteLedger::open(dir, chain_key(), Arc::new(FixedDayKeys::default()), LedgerSettings::default())
}

fn connect(dir: &Path) -> Connection {
    Connection::open(dir.join("ledger.db")).unwrap()
}

/// A ledger as the first release wrote it, with its rows.
async fn of_the_first_release() -> (TempDir, Desk, Vec<LedgerRow>) {
    let (dir, desk) = (tempfile::tempdir().unwrap(), Desk::default());
    let ledger = open(dir.path()).unwrap();
    for place in 0..20 {
        let draft = desk.answered(Question { line: place % 15, ..QUESTION }, at(i64::from(place)));
        let outcome = if place % 4 == 3 { Outcome::NotServed } else { Outcome::Answered };
        ledger.record(Draft { outcome, ..draft }).await.unwrap();
    }
    let rows = ledger.rows(ALL).await.unwrap();
    drop(ledger);
    let connection = connect(dir.path());
    let tables = ["reversed", "forgotten", "usage", "answer", "accepted", "delivery", "displaced"];
    let drop_tables: String = tables.map(|table| format!("DROP TABLE {table};")).concat();
    let back =
        format!("DROP VIEW checks; {drop_tables} ALTER TABLE ledger DROP COLUMN reverses; PRAGMA user_version=1;");
    connection.execute_batch(&back).unwrap();
    connection.execute_batch("CREATE VIEW checks AS SELECT position FROM ledger").unwrap();
    (dir, desk, rows)
}

async fn assert_goes_on(dir: &Path, desk: &Desk, rows: &[LedgerRow]) {
    let ledger: Arc<dyn Ledger> = Arc::new(open(dir).unwrap());
    assert_eq!(all(&ledger).await, rows);
    assert_counters_equal_rows(&ledger).await;
    // What was charged before is repeated for free.
    let repeat = desk.answered(Question { line: 2, ..QUESTION }, at(40));
    assert_eq!(ledger.record(repeat).await.unwrap().outcome, Outcome::Repeated);
    assert_counters_equal_rows(&ledger).await;
    let verified = verify_ledger(&*ledger, chain_key(), |_| {}).await.unwrap();
    assert_eq!(verified, (rows.len() as u64 + 1, vec![]));
}

#[tokio::test]
async fn a_ledger_of_the_first_release_opens_and_goes_on() {
    let (dir, desk, rows) = of_the_first_release().await;
    assert_goes_on(dir.path(), &desk, &rows).await;
    assert_goes_on_after_reader_came_first().await;
}

/// A command that is the first to open an old file migrates it.
async fn assert_goes_on_after_reader_came_first() {
    let (dir, desk, rows) = of_the_first_release().await;
    let reader = SqliteLedger::open_beside(dir.path(), Arc::new(FixedDayKeys::default())).unwrap();
    assert_eq!(reader.rows(ALL).await.unwrap(), rows);
    drop(reader);
    assert_goes_on(dir.path(), &desk, &rows).await;
}

#[tokio::test]
async fn a_migration_killed_after_any_statement_is_done_again() {
    let statements: Vec<&str> = MIGRATION.split_inclusive(";\n").collect();
    assert!(statements.len() > 10);
    for done in 0..=statements.len() {
        let (dir, desk, rows) = of_the_first_release().await;
        let connection = connect(dir.path());
        // Nothing stays in memory, so that the file and its WAL hold what a kill would leave.
        connection.execute_batch("PRAGMA cache_size=1; PRAGMA cache_spill=1; BEGIN IMMEDIATE").unwrap();
        for statement in &statements[..done] {
            connection.execute_batch(statement).unwrap();
        }
        let killed = tempfile::tempdir().unwrap();
        for file in ["ledger.db", "ledger.db-wal", "ledger-heads.ndjson"] {
            if dir.path().join(file).exists() {
                std::fs::copy(dir.path().join(file), killed.path().join(file)).unwrap();
            }
        }
        drop(connection);
        assert_goes_on(killed.path(), &desk, &rows).await;
    }
}

#[tokio::test]
async fn a_ledger_of_a_newer_release_is_refused() {
    let (dir, _, _) = of_the_first_release().await;
    connect(dir.path()).pragma_update(None, "user_version", 5).unwrap();
    let beside = SqliteLedger::open_beside(dir.path(), Arc::new(FixedDayKeys::default()));
    for refused in [open(dir.path()), beside] {
        let refused = refused.map(drop).unwrap_err();
        assert!(matches!(refused, StoreError::Newer { found: 5, known: 4, .. }), "{refused}");
    }
}

#[tokio::test]
async fn commands_write_beside_a_busy_server() {
    let (dir, desk) = (tempfile::tempdir().unwrap(), Arc::new(Desk::default()));
    let server = Arc::new(open(dir.path()).unwrap());
    let command = SqliteLedger::open_beside(dir.path(), Arc::new(FixedDayKeys::default())).unwrap();
    let made: Vec<_> = (0..20).map(|second| delivery(&desk, 1, at(second))).collect();
    for draft in &made {
        server.put(draft.clone()).await.unwrap();
    }
    let (asking, desk) = (Arc::clone(&server), Arc::clone(&desk));
    let asking = tokio::spawn(async move {
        for line in 0..500 {
            asking.record(desk.answered(Question { line, ..QUESTION }, at(line.into()))).await.unwrap();
        }
    });
    for draft in &made {
        assert!(command.redeliver(draft.id, at(100)).await.unwrap());
        command.forget_subjects(at(10), 1).await.unwrap();
    }
    asking.await.unwrap();
    assert_eq!(server.lease_deliveries(at(100), at(200), 100, 100).await.unwrap().len(), made.len());
    let refused = command.record(Desk::default().answered(QUESTION, at(0))).await;
    assert!(refused.is_err(), "{refused:?}");
}

#[tokio::test]
async fn a_charge_whose_caller_left_between_commit_and_answer_is_taken_back() {
    let (dir, desk) = (tempfile::tempdir().unwrap(), Desk::default());
    let ledger = open(dir.path()).unwrap();
    let draft = desk.answered(QUESTION, at(0));
    let mut waiting = ledger.record(draft.clone());
    assert!(waiting.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    // The answer lies ready, and the caller goes without it.
    while ledger.find(draft.id).await.unwrap().is_none() {
        tokio::task::yield_now().await;
    }
    drop(waiting);
    let again = desk.answered(QUESTION, at(1));
    assert_eq!(ledger.record(again).await.unwrap().outcome, Outcome::Answered);
    drop(ledger);
    let ledger = open(dir.path()).unwrap();
    let rows = ledger.rows(ALL).await.unwrap();
    let outcomes: Vec<Outcome> = rows.iter().map(|row| row.outcome).collect();
    assert_eq!(outcomes.iter().filter(|outcome| **outcome == Outcome::Reversal).count(), 1);
    assert_eq!(rows.iter().map(|row| row.charge.minor).sum::<i64>(), 2_000);
    assert!(ledger.find(draft.id).await.unwrap().unwrap().is_reversed);
    // A start knows it too: the one that stands is repeated for free, once.
    let repeat = desk.answered(QUESTION, at(2));
    assert_eq!(ledger.record(repeat).await.unwrap().outcome, Outcome::Repeated);
    let verified = verify_ledger(&ledger, chain_key(), |_| {}).await.unwrap();
    assert_eq!(verified, (4, vec![]));
}
