//! Every command works beside a running server, which notices what it changed; and none that reads
//! makes a directory.

use std::fs;
use std::time::Duration;

use crate::bank::{Bank, IMSI};
use crate::running::{Lab, wait_until};

/// The server looks four times a second; the rest is for a machine that is busy with other tests.
const NOTICED_WITHIN: Duration = Duration::from_secs(5);

#[test]
fn a_running_server_notices_what_commands_change() {
    let lab = Lab::new();
    let server = lab.serve();
    let app = lab.partner_app("Bank A", "production");
    let bank = Bank::of_newcomer(&server, &app, NOTICED_WITHIN);
    let sample = lab.sample(100, 1);
    let number = sample.served()[0].clone();
    assert_eq!(bank.check(IMSI, &number).status, 503);
    lab.import(&sample.path);
    wait_until("the registry is there", NOTICED_WITHIN, || bank.check(IMSI, &number).status == 200);
    let event = serde_json::json!({
        "id": "e1", "at": crate::running::days_ago(0).to_string(), "type": "terminated", "msisdn": number,
    });
    let events = lab.path("events.ndjson");
    fs::write(&events, format!("{event}\n")).unwrap();
    lab.laini(&["registry", "apply", events.to_str().unwrap()]);
    wait_until("the event holds", NOTICED_WITHIN, || bank.check(IMSI, &number).status == 404);
    lab.laini(&["app", "revoke", &app.consumer_key]);
    wait_until("the revocation holds", NOTICED_WITHIN, || bank.check(IMSI, &number).status == 401);
    server.stop();
}

#[test]
fn reading_commands_work_beside_a_server() {
    let lab = Lab::new();
    let numbers = lab.import_sample(100, 1).served();
    let app = lab.partner_app("Bank A", "production");
    let server = lab.serve();
    let bank = Bank::of(&server, &app);
    assert_eq!(bank.check(IMSI, &numbers[0]).status, 200);
    let backup = lab.path("backup");
    for command in [
        &["registry", "status"][..],
        &["registry", "show", &numbers[0]],
        &["app", "list"],
        &["ledger", "list"],
        &["ledger", "export", "--format", "csv"],
        &["ledger", "verify"],
        &["config", "check"],
        &["doctor"],
        &["backup", backup.to_str().unwrap()],
    ] {
        lab.laini(command);
    }
    assert_eq!(bank.check(IMSI, &numbers[1]).status, 200);
    server.stop();
}

#[test]
fn no_reading_command_makes_a_misspelt_directory() {
    let lab = Lab::new();
    let backup = lab.path("backup");
    for command in [
        &["registry", "status"][..],
        &["registry", "show", "254722000001"],
        &["app", "list"],
        &["ledger", "list"],
        &["ledger", "export", "--format", "csv"],
        &["ledger", "verify"],
        &["doctor"],
        &["backup", backup.to_str().unwrap()],
    ] {
        let said = lab.refused(command);
        assert!(said.contains("there is no data directory") && said.contains("hint: "), "{command:?}: {said}");
        assert!(!lab.data().exists(), "{command:?} made the directory");
    }
}
