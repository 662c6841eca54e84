use std::sync::Barrier;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use laini_core::partner::{AppStatus, Limits, PartnerStatus, Purpose};
use laini_core::store::{AccountStore, AccountsError, AuditEntry, OfficeStore};
use laini_store_sqlite::SqliteAccounts;
use laini_testkit::contract::accounts::AccountsHome;
use rusqlite::Connection;
use tempfile::TempDir;

struct Home(TempDir);

impl AccountsHome for Home {
    fn open(&self) -> Box<dyn AccountStore> {
        Box::new(SqliteAccounts::open(self.0.path()).unwrap())
    }

    fn open_office(&self) -> Box<dyn OfficeStore> {
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
        partner: None,
    };
    let begun = Instant::now();
    let refused = accounts.audit(audit()).await;
    assert!(matches!(refused, Err(AccountsError::Engine(_))), "{refused:?}");
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    foreign.execute_batch("ROLLBACK").unwrap();
    accounts.audit(audit()).await.unwrap();
}

/// A file as the first release left it, with a bank, an app in use and a revoked one.
const FIRST_RELEASE: &str = "
    PRAGMA user_version = 1;
    INSERT INTO partner VALUES (1, 'Bank A');
    INSERT INTO agreement VALUES (2, 1, 1000, 3, 12, 0);
    INSERT INTO app VALUES (3, 1, 'in use', 'production', 'imsi,swap', 0, 4, 'live12345678', NULL, 0);
    INSERT INTO app VALUES (5, 1, 'revoked', 'sandbox', 'age', 1, 0, 'test12345678', 1, 1);
    INSERT INTO app_secret VALUES (3, 0, x'0000000000000000000000000000000000000000000000000000000000000001');
    INSERT INTO audit VALUES (1, 1000, 'a person', 'app.revoke', '0000000000000005', 'retired');
    UPDATE meta SET version = 6;
";

#[tokio::test]
async fn a_file_of_the_first_release_opens_and_keeps_its_rows() {
    let dir = tempfile::tempdir().unwrap();
    let old = Connection::open(dir.path().join("accounts.db")).unwrap();
    old.execute_batch(include_str!("../../src/accounts/schema.sql")).unwrap();
    old.execute_batch(FIRST_RELEASE).unwrap();
    drop(old);
    let accounts = SqliteAccounts::open(dir.path()).unwrap();
    let book = accounts.load().await.unwrap();
    assert_eq!(book.version, 6);
    assert_eq!((book.partners[0].status, book.partners[0].limits), (PartnerStatus::Active, Limits::NONE));
    assert_eq!((&book.agreements[0].purposes[..], book.agreements[0].exact_times), (&Purpose::ALL[..], false));
    let [in_use, revoked] = &book.apps[..] else { panic!("{:?}", book.apps) };
    assert_eq!((in_use.status, in_use.token_epoch, in_use.secrets.len()), (AppStatus::Active, 4, 1));
    assert_eq!((in_use.limits.is_set(), in_use.purpose), (false, Purpose::FraudPrevention));
    assert_eq!((revoked.status, revoked.profile.single_token), (AppStatus::Revoked, true));
    assert_eq!(accounts.audits(10).await.unwrap()[0].reason, "retired");
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
