use std::sync::Barrier;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use laini_core::store::{AccountStore, AccountsError, AuditEntry};
use laini_store_sqlite::SqliteAccounts;
use laini_testkit::contract::accounts::AccountsHome;
use rusqlite::Connection;
use tempfile::TempDir;

struct Home(TempDir);

impl AccountsHome for Home {
    fn open(&self) -> Box<dyn AccountStore> {
        Box::new(SqliteAccounts::open(self.0.path()).unwrap())
    }
}

laini_testkit::accounts_contract!(Home(tempfile::tempdir().unwrap()));

#[tokio::test]
async fn a_change_gives_up_after_a_second_where_somebody_else_holds_the_file() {
    let dir = tempfile::tempdir().unwrap();
    let accounts = SqliteAccounts::open(dir.path()).unwrap();
    let foreign = Connection::open(dir.path().join("accounts.db")).unwrap();
    foreign.execute_batch("BEGIN IMMEDIATE").unwrap();
    let audit = || AuditEntry {
        at: Timestamp::UNIX_EPOCH,
        actor: "a test".to_owned(),
        action: "line.show".to_owned(),
        target: String::new(),
        reason: String::new(),
    };
    let begun = Instant::now();
    let refused = accounts.audit(audit()).await;
    assert!(matches!(refused, Err(AccountsError::Engine(_))), "{refused:?}");
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    foreign.execute_batch("ROLLBACK").unwrap();
    accounts.audit(audit()).await.unwrap();
}

#[test]
fn a_new_file_may_be_opened_by_many_at_once() {
    const ROUNDS: usize = 50;
    const OPENERS: usize = 8;
    for _ in 0..ROUNDS {
        let dir = tempfile::tempdir().unwrap();
        let together = Barrier::new(OPENERS);
        let open = || {
            together.wait();
            SqliteAccounts::open(dir.path()).map(drop)
        };
        let opened: Vec<_> = std::thread::scope(|scope| {
            let openers: Vec<_> = (0..OPENERS).map(|_| scope.spawn(open)).collect();
            openers.into_iter().map(|opener| opener.join().unwrap()).collect()
        });
        assert!(opened.iter().all(Result::is_ok), "{opened:?}");
    }
}
