//! What `laini doctor` finds.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;

use serde_json::Value;

use crate::running::Lab;

/// The findings, and whether the exit code says that there is a problem.
fn examine(lab: &Lab, settings: &[(&str, &str)]) -> (Vec<Value>, bool) {
    let mut command = lab.command(&["doctor", "--json"]);
    let output = command.envs(settings.iter().copied()).output().unwrap();
    let report: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {output:?}"));
    assert_eq!(lab.canaries.find(&report.to_string()), None);
    (report["findings"].as_array().unwrap().clone(), output.status.code() == Some(1))
}

fn tells(findings: &[Value], severity: &str, about: &str, words: &str) -> bool {
    findings.iter().any(|finding| {
        let hint = finding["hint"].as_str().unwrap();
        assert!(!hint.is_empty(), "{finding}");
        finding["severity"] == severity
            && finding["about"] == about
            && finding["found"].as_str().unwrap().contains(words)
    })
}

#[test]
fn a_sound_installation_has_no_problem_and_an_unsafe_one_is_told_by_name() {
    let lab = Lab::new();
    lab.import_sample(100, 1);
    lab.partner_app("Bank A", "production");
    let (findings, is_bad) = examine(&lab, &[]);
    assert!(!is_bad, "{findings:?}");
    assert!(tells(&findings, "advice", "freshness", "swap_stale_after_s"), "{findings:?}");
    assert!(tells(&findings, "advice", "keys", "inside the data directory"), "{findings:?}");

    let (findings, is_bad) = examine(&lab, &[("LAINI_SERVER_LISTEN", "0.0.0.0:8080")]);
    assert!(is_bad && tells(&findings, "problem", "listener", "plain HTTP where everybody"), "{findings:?}");
    let (findings, is_bad) = examine(&lab, &[("LAINI_SERVER_LISTEN", "192.168.1.1:8080")]);
    assert!(!is_bad && tells(&findings, "advice", "listener", "private network"), "{findings:?}");
    let (findings, is_bad) = examine(&lab, &[("LAINI_REGISTRY_SWAP_STALE_AFTER_S", "1")]);
    assert!(is_bad && tells(&findings, "problem", "feed", "the limit for swap facts is 1 s"), "{findings:?}");
    let (findings, is_bad) = examine(&lab, &[("LAINI_SERVER_CONNECTIONS_MAX", "1000000000")]);
    assert!(is_bad && tells(&findings, "problem", "limits", "file descriptors"), "{findings:?}");
}

#[test]
fn keys_and_data_that_others_can_read_are_a_problem() {
    let lab = Lab::new();
    lab.partner_app("Bank A", "production");
    for (path, mode) in [(lab.data().join("keys/root-1.key"), 0o644), (lab.data().join("accounts.db"), 0o640)] {
        let before = fs::metadata(&path).unwrap().permissions();
        fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
        let (findings, is_bad) = examine(&lab, &[]);
        assert!(is_bad && tells(&findings, "problem", "permissions", path.to_str().unwrap()), "{findings:?}");
        fs::set_permissions(&path, before).unwrap();
        assert!(!examine(&lab, &[]).1);
    }
}

#[test]
fn a_file_of_a_newer_release_and_a_lost_key_are_a_problem() {
    let lab = Lab::new();
    lab.partner_app("Bank A", "production");
    let accounts = rusqlite::Connection::open(lab.data().join("accounts.db")).unwrap();
    let known: i64 = accounts.query_row("PRAGMA user_version", [], |row| row.get(0)).unwrap();
    accounts.pragma_update(None, "user_version", 99).unwrap();
    let (findings, is_bad) = examine(&lab, &[]);
    assert!(
        is_bad && tells(&findings, "problem", "schema", "accounts.db was written by a newer release"),
        "{findings:?}"
    );
    accounts.pragma_update(None, "user_version", known).unwrap();
    drop(accounts);
    fs::remove_file(lab.data().join("keys/root-1.key")).unwrap();
    let (findings, is_bad) = examine(&lab, &[]);
    assert!(is_bad && tells(&findings, "problem", "keys", "is missing"), "{findings:?}");
}
