//! What was kept long enough is forgotten, in the server and by command, and in backups too.

use std::fs;

use crate::bank::{Bank, IMSI};
use crate::noon::under_faketime;
use crate::running::{Lab, succeed, wait_until};

const WITHIN: std::time::Duration = std::time::Duration::from_secs(20);

fn subjects(lab: &Lab) -> i64 {
    let ledger = rusqlite::Connection::open(lab.data().join("ledger.db")).unwrap();
    ledger.query_row("SELECT count(*) FROM subject", [], |row| row.get(0)).unwrap()
}

/// Checks of which nothing but the keyed hash of the number is left.
fn hashes(lab: &Lab) -> i64 {
    let ledger = rusqlite::Connection::open(lab.data().join("ledger.db")).unwrap();
    let sql = "SELECT count(*) FROM forgotten JOIN ledger USING (position) WHERE length(number_hash) = 16";
    ledger.query_row(sql, [], |row| row.get(0)).unwrap()
}

fn day_keys(lab: &Lab) -> usize {
    fs::read_dir(lab.data().join("keys/day")).unwrap().count()
}

/// A command or server so many days later.
fn later(lab: &Lab, days: &str, args: &[&str]) -> std::process::Command {
    under_faketime(lab, &["-f", days], args)
}

/// A lab in which a few checks were made today.
fn asked(checks: usize) -> Lab {
    let lab = Lab::new();
    let numbers = lab.import_sample(100, 1).served();
    let app = lab.partner_app("Bank A", "production");
    let server = lab.serve();
    let bank = Bank::of(&server, &app);
    for number in &numbers[..checks] {
        assert_eq!(bank.check(IMSI, number).status, 200);
    }
    server.stop();
    lab
}

#[test]
fn numbers_and_facts_go_after_the_dispute_window_and_the_ledger_stays_whole() {
    let lab = asked(20);
    let run = |days| succeed(&[days], later(&lab, days, &["retention", "run", "--json"]).output().unwrap());
    let before_its_time = run("+119d");
    assert!(before_its_time.contains("\"subjects\":0"), "{before_its_time}");
    assert_eq!((subjects(&lab), day_keys(&lab)), (20, 1));
    let swept = run("+122d");
    assert!(swept.contains("\"subjects\":20") && swept.contains("\"day_keys\":1"), "{swept}");
    assert_eq!((subjects(&lab), day_keys(&lab), hashes(&lab)), (0, 0, 20));
    // Seven years later the rows are there still, and say as little.
    run("+2557d");
    assert_eq!(hashes(&lab), 20);
    assert_eq!(lab.verify_ledger(), 20);
    assert_eq!(lab.ledger().len(), 20);
}

#[test]
fn the_server_forgets_by_itself() {
    let lab = asked(20);
    let server = lab.start(later(&lab, "+122d", &["serve", "--listen", "127.0.0.1:0"]));
    wait_until("the server has forgotten", WITHIN, || subjects(&lab) == 0 && day_keys(&lab) == 0);
    wait_until("it is told", WITHIN, || server.printed().1.contains("subjects=20"));
    server.stop();
    assert_eq!(lab.verify_ledger(), 20);
}
