//! A backup made while the server serves, and what becomes of it.

use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use crate::bank::{Bank, IMSI};
use crate::running::{Lab, text};
use crate::subject::{assert_withheld, restrict};

const CLIENTS: usize = 4;
const BACKUPS: usize = 3;

/// The lab's data restored from `backup` into a lab of its own.
fn restored(backup: &Path) -> Lab {
    let lab = Lab::new();
    let report = lab.laini(&["restore", backup.to_str().unwrap(), "--json"]);
    assert!(report.contains("\"findings\":0"), "{report}");
    lab
}

/// The places of the ledger's chain, with what each comes to: in the order of commits, which is not that of ids.
fn chain(lab: &Lab) -> Vec<(i64, i64, Vec<u8>)> {
    let ledger = rusqlite::Connection::open(lab.data().join("ledger.db")).unwrap();
    let mut rows = ledger.prepare("SELECT writer, seq, mac FROM ledger ORDER BY writer, seq").unwrap();
    let rows = rows.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).unwrap();
    rows.map(Result::unwrap).collect()
}

#[test]
fn backups_under_load_are_whole_and_a_server_goes_on_from_them() {
    let lab = Lab::new();
    let numbers = lab.import_sample(2_000, 1).served();
    let app = lab.partner_app("Bank A", "production");
    let server = lab.serve();
    let banks: Vec<Bank> = (0..CLIENTS).map(|_| Bank::of(&server, &app)).collect();
    let is_over = AtomicBool::new(false);
    let backups: Vec<_> = (0..BACKUPS).map(|n| lab.path(&format!("backup-{n}"))).collect();
    thread::scope(|scope| {
        for bank in &banks {
            scope.spawn(|| {
                for number in numbers.iter().cycle().take_while(|_| !is_over.load(Ordering::Relaxed)) {
                    assert_eq!(bank.check(IMSI, number).status, 200);
                }
            });
        }
        let made = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            for backup in &backups {
                let report = lab.json(&["backup", backup.to_str().unwrap(), "--with-keys"]);
                assert_eq!(report["keys"], true);
            }
        }));
        is_over.store(true, Ordering::Relaxed);
        made.unwrap();
    });
    server.stop();
    let all = chain(&lab);
    let mut rows_before = 0;
    for backup in &backups {
        let manifest = fs::read_to_string(backup.join("manifest.json")).unwrap();
        assert_eq!(lab.canaries.find(&manifest), None);
        let copy = restored(backup);
        let rows = copy.verify_ledger();
        assert!(rows >= rows_before, "a later backup holds fewer checks");
        assert_eq!(chain(&copy), all[..usize::try_from(rows).unwrap()]);
        rows_before = rows;
    }
    let copy = restored(&backups[BACKUPS - 1]);
    let server = copy.serve();
    assert_eq!(Bank::of(&server, &app).check(IMSI, &numbers[0]).status, 200);
    server.stop();
    assert_eq!(copy.verify_ledger(), rows_before + 1);
    println!("family=backup cases={BACKUPS} failures=0 seed=1 rows={rows_before}");
}

#[test]
fn without_the_keys_nothing_can_be_read_and_with_them_put_back_everything_can() {
    let lab = Lab::new();
    lab.import_sample(100, 1);
    lab.partner_app("Bank A", "production");
    let backup = lab.path("backup");
    lab.laini(&["backup", backup.to_str().unwrap()]);
    assert!(!backup.join("keys").exists());
    let copy = Lab::new();
    copy.laini(&["restore", backup.to_str().unwrap()]);
    assert!(copy.refused(&["ledger", "verify"]).contains("is missing"));
    let moved = std::process::Command::new("cp").arg("-r").arg(lab.data().join("keys")).arg(copy.data()).status();
    assert!(moved.unwrap().success());
    assert_eq!(copy.verify_ledger(), 0);
    assert_eq!(copy.json(&["app", "list"]).as_array().unwrap().len(), 1);
}

#[test]
fn what_is_not_empty_is_not_written_over_and_what_was_altered_is_not_restored() {
    let lab = Lab::new();
    lab.partner_app("Bank A", "production");
    let backup = lab.path("backup");
    lab.laini(&["backup", backup.to_str().unwrap(), "--with-keys"]);
    assert!(lab.refused(&["backup", backup.to_str().unwrap()]).contains("exists already"));
    assert!(lab.refused(&["restore", backup.to_str().unwrap()]).contains("is not empty"));

    let file = backup.join("accounts.db");
    let mut bytes = fs::read(&file).unwrap();
    bytes[100] ^= 1;
    fs::write(&file, bytes).unwrap();
    let copy = Lab::new();
    let said = copy.refused(&["restore", backup.to_str().unwrap()]);
    assert!(said.contains("accounts.db is not what the manifest says"), "{said}");
    assert!(!copy.data().exists());
    fs::remove_file(backup.join("manifest.json")).unwrap();
    assert!(copy.refused(&["restore", backup.to_str().unwrap()]).contains("manifest.json"));
}

#[test]
fn a_backup_that_fails_leaves_nothing() {
    let lab = Lab::new();
    fs::create_dir_all(lab.data()).unwrap();
    let backup = lab.path("backup");
    assert!(lab.refused(&["backup", backup.to_str().unwrap()]).contains("nothing to back up"));
    let left: Vec<_> = fs::read_dir(lab.path(".")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, ["data"], "{}", text(format!("{left:?}").as_bytes()));
}

#[test]
fn a_restricted_number_is_withheld_by_a_server_that_begins_from_a_backup() {
    let lab = Lab::new();
    let numbers = lab.import_sample(50, 1).served();
    let app = lab.partner_app("Bank A", "production");
    restrict(&lab, &numbers[0]);
    let backup = lab.path("backup");
    lab.json(&["backup", backup.to_str().unwrap(), "--with-keys"]);
    let copy = restored(&backup);
    let server = copy.serve();
    assert_withheld(&Bank::of(&server, &app), &numbers[0], &numbers[1]);
    server.stop();
    copy.verify_ledger();
}
