//! Worlds by command, beside a running server.

use std::time::Duration;

use serde_json::{Value, json};

use crate::bank::{Bank, IMSI};
use crate::noon::{at_noon, json_at_noon, output_at_noon};
use crate::running::{Lab, Running, text, wait_until};

/// What a command changed is noticed within this.
const NOTICED_WITHIN: Duration = Duration::from_secs(1);

/// The swap date of a number, once a server that looks again and again sees `expected`.
fn noticed(bank: &Bank, number: &str, expected: &str) {
    wait_until(&format!("{number} is answered {expected}"), NOTICED_WITHIN, || {
        bank.check(IMSI, number).field("lastSwapDate") == expected
    });
}

fn world(lab: &Lab, args: &[&str]) -> Value {
    json_at_noon(lab, &[&["sandbox", "world"], args].concat())
}

fn serve(lab: &Lab) -> (Running, Bank) {
    let credentials = lab.partner_app("Bank A", "sandbox");
    let server = lab.start(at_noon(lab, &["serve", "--listen", "127.0.0.1:0"]));
    let bank = Bank::of(&server, &credentials);
    (server, bank)
}

#[test]
fn worlds_are_changed_beside_a_server_which_notices_within_a_second() {
    let lab = Lab::new();
    let (server, bank) = serve(&lab);
    assert_eq!(bank.check(IMSI, "254733000001").status, 404);
    let line = world(&lab, &["line", "add", "0733000001", "--registered-at", "2026-03-01", "--last-swap-at=-P10D"]);
    assert_eq!((&line["origin"], &line["swap_cause"]), (&json!("own"), &json!("replacement")));
    noticed(&bank, "254733000001", "12-11-2026");
    world(&lab, &["event", "0733000001", "esim", "--at", "2026-11-20"]);
    noticed(&bank, "254733000001", "20-11-2026");
    world(&lab, &["advance", "P4M"]);
    noticed(&bank, "254733000001", "01-01-1900");
    assert_eq!(world(&lab, &["feed", "stop"])["feed"]["running"], false);
    assert_eq!(world(&lab, &["feed", "start"])["feed"]["running"], true);
    let shown = world(&lab, &["show", "--app", "sandbox-1"]);
    assert_eq!((&shown["lines"], &shown["events"]), (&json!(1), &json!(1)));
    assert_eq!(world(&lab, &["line", "list"])["lines"].as_array().unwrap().len(), 1);
    world(&lab, &["event", "254722000001", "swap"]);
    noticed(&bank, "254722000001", "22-03-2027");
    assert_eq!(world(&lab, &["line", "remove", "254722000001"])["origin"], "persona");
    noticed(&bank, "254722000001", "01-01-1900");
    assert_eq!(world(&lab, &["reset"])["clock"]["ahead_s"], 0);
    wait_until("the line is gone", NOTICED_WITHIN, || bank.check(IMSI, "254733000001").status == 404);
    server.stop();
}

#[test]
fn a_world_survives_a_restart() {
    let lab = Lab::new();
    let (server, bank) = serve(&lab);
    world(&lab, &["event", "254722000001", "swap"]);
    noticed(&bank, "254722000001", "22-11-2026");
    server.stop();
    let credentials = lab.app("Bank A", "sandbox", "imsi");
    let server = lab.start(at_noon(&lab, &["serve", "--listen", "127.0.0.1:0"]));
    assert_eq!(world(&lab, &["show", "--app", "sandbox-1"])["lines"], 1);
    // Another app sees the persona.
    let other = Bank::of(&server, &credentials);
    assert_eq!(other.check(IMSI, "254722000001").field("lastSwapDate"), "01-01-1900");
    server.stop();
}

#[test]
fn what_a_world_refuses_is_said_with_what_to_do() {
    let lab = Lab::new();
    let (said, none) =
        (|args: &[&str]| output_at_noon(&lab, &[&["sandbox", "world"], args].concat()), "there is no sandbox app");
    assert!(text(&said(&["show"]).stderr).contains(none));
    lab.partner_app("Bank A", "sandbox");
    for (args, part) in [
        (vec!["event", "0733000001", "swap"], "the number is not known"),
        (vec!["event", "0722000000", "swap"], "the published sample is fixed"),
        (vec!["event", "0722000001", "explode"], "type: expected register"),
        (vec!["advance", "--to", "2020-01-01"], "the clock moves forward only"),
        (vec!["advance", "soon"], "by: expected a duration forward"),
        (vec!["line", "remove", "0733000001"], "the world has no such line"),
        (vec!["line", "add", "12"], "the number cannot be read"),
    ] {
        let output = said(&args);
        assert_eq!(output.status.code(), Some(1), "{args:?}");
        assert!(text(&output.stderr).contains(part), "{args:?}: {}", text(&output.stderr));
    }
    lab.app("Bank A", "sandbox", "imsi");
    assert!(text(&said(&["show"]).stderr).contains("there are several sandbox apps"));
    lab.app("Bank A", "production", "imsi");
    assert!(text(&said(&["show", "--app", "production-1"]).stderr).contains("is an app of production"));
}
