//! The status by real probes, and incidents and tickets by command beside a running server.

use std::time::Duration;

use serde_json::{Value, json};

use crate::bank::{Answer, Bank};
use crate::running::{Lab, PROBE_EVERY, wait_until};

/// A probe is made at once, and the picture is taken every ten seconds.
const SHOWN_WITHIN: Duration = Duration::from_secs(40);

fn asked(bank: &Bank, path: &str, accept: &str) -> Answer {
    bank.send(bank.http().get(bank.url(path)).header("accept", accept)).unwrap()
}

#[test]
fn a_server_probes_itself_and_says_what_it_found_and_what_it_was_told() {
    let lab = Lab::new();
    lab.json(&["partner", "add", "Bank A"]);
    lab.import_sample(50, 1);
    let mut command = lab.command(&["serve", "--listen", "127.0.0.1:0"]);
    command.env(PROBE_EVERY, "15");
    let server = lab.start(command);
    let bank = Bank::stranger(&server);
    let status = || asked(&bank, "/status.json", "application/json").json();
    wait_until("it is probed", SHOWN_WITHIN, || !status()["probed"].is_null());
    let probed = status();
    assert_eq!(probed["status"], "ok", "{probed}");
    let found: Vec<_> = probed["components"].as_array().unwrap().iter().map(|one| one["component"].clone()).collect();
    assert_eq!(found, ["tokens", "checks", "deliveries", "feed", "portal"]);
    // A check in the sandbox, recorded and free, of nobody who pays.
    let rows = lab.ledger();
    assert!(!rows.is_empty() && rows.iter().all(|row| row.environment == "sandbox" && row.charge_minor == 0));
    let text = "Since 10:15 checks are slow.";
    let opened =
        lab.json(&["incident", "open", "Slow", "--severity", "critical", "--component", "checks", "--text", text]);
    let id = opened["id"].as_str().unwrap().to_owned();
    wait_until("the incident is shown", SHOWN_WITHIN, || status()["open"] != json!([]));
    let told = status();
    assert_eq!((&told["status"], &told["open"][0]["id"]), (&json!("down"), &opened["id"]), "{told}");
    lab.json(&["incident", "update", &id, "--state", "monitoring", "--text", "Mended."]);
    lab.json(&["incident", "resolve", &id, "--text", "Over."]);
    assert!(lab.refused(&["incident", "resolve", &id, "--text", "Over."]).contains("was resolved"));
    assert_eq!(lab.json(&["incident", "list", "--state", "open"]), json!([]));
    assert_eq!(lab.json(&["incident", "show", &id])["updates"].as_array().map(Vec::len), Some(3));
    let shared = asked(&bank, "/status.json", "application/json");
    assert_eq!(shared.header("cache-control"), "public, max-age=15");
    let feed = asked(&bank, "/status.atom", "application/atom+xml");
    assert!(feed.status == 200 && feed.text.starts_with("<?xml"), "{feed:?}");
    server.stop();
}

#[test]
fn a_ticket_is_answered_by_command_and_an_unknown_path_is_a_page_for_browsers_alone() {
    let lab = Lab::new();
    let partner = lab.json(&["partner", "add", "Bank A"])["partner"].as_str().unwrap().to_owned();
    let server = lab.serve();
    let invited = lab.json(&["member", "add", "Bank A", "a@bank.example", "--role", "owner"]);
    let owner = Bank::of_person(&server, invited["token"].as_str().unwrap());
    let path = format!("/office/v1/partners/{partner}/tickets");
    let new = json!({"subject": "Refused", "severity": "major", "text": "Why?"}).to_string();
    let opened = owner.post(&path, &[], &new).unwrap().json();
    let id = opened["id"].as_str().unwrap().to_owned();
    let ids = |listed: Value| listed.as_array().unwrap().iter().map(|one| one["id"].clone()).collect::<Vec<_>>();
    assert_eq!(ids(lab.json(&["ticket", "list"])), [json!(id)]);
    let answered = lab.json(&["ticket", "reply", &id, "--text", "No agreement."]);
    assert_eq!(answered["state"], "waiting_for_partner", "{answered}");
    assert!(ids(lab.json(&["ticket", "list"])).is_empty());
    assert_eq!(ids(lab.json(&["ticket", "list", "--partner", "Bank A"])), [json!(id)]);
    assert_eq!(lab.json(&["ticket", "close", &id])["state"], "solved");
    assert!(lab.laini(&["ticket", "show", &id]).contains("No agreement."));
    let page = asked(&owner, "/nowhere", "text/html,*/*;q=0.8");
    assert!(page.status == 404 && page.text.contains("There is no such page"), "{page:?}");
    assert!(page.header("content-security-policy").contains("frame-ancestors 'none'"));
    for accept in ["application/json", "*/*"] {
        let refused = asked(&owner, "/nowhere", accept);
        assert!(refused.status == 404 && refused.json()["errorCode"].is_string(), "{refused:?}");
    }
    server.stop();
}
