//! What commands change about apps holds at a server that is already running.

use std::time::{Duration, Instant};

use crate::bank::{AGE, Bank, IMSI};
use crate::running::{Lab, wait_until};

/// Promised for revocations.
const IN_FORCE_WITHIN: Duration = Duration::from_secs(5);
const PERSONA: &str = "254722000001";

fn refused(bank: &Bank) -> Option<String> {
    let answer = bank.check(IMSI, PERSONA);
    assert!([200, 401].contains(&answer.status), "{answer:?}");
    (answer.status == 401).then(|| answer.field("errorMessage"))
}

#[test]
fn accounts_changes_hold_at_a_running_server() {
    let lab = Lab::new();
    lab.json(&["partner", "add", "Bank A"]);
    let server = lab.serve();
    let stranger = Bank::stranger(&server);
    let measured = |what: &str, done: &mut dyn FnMut() -> bool| {
        let began = Instant::now();
        wait_until(what, IN_FORCE_WITHIN, done);
        began.elapsed()
    };

    let app = lab.app("Bank A", "sandbox", "imsi");
    let began = Instant::now();
    let bank = Bank::of_newcomer(&server, &app, IN_FORCE_WITHIN);
    let usable = began.elapsed();
    assert_eq!(refused(&bank), None);
    let answer = bank.check(AGE, PERSONA);
    assert_eq!((answer.status, answer.field("errorCode").as_str()), (401, "401.002.01"));
    assert_eq!(answer.field("errorMessage"), "Invalid API call as no apiproduct match found");

    let report = lab.json(&["app", "revoke-tokens", &app.consumer_key, "--reason", "a token leaked"]);
    assert_eq!(report["token_epoch"], 1, "{report}");
    let tokens_gone = measured("its tokens are refused", &mut || refused(&bank).is_some());
    assert_eq!(refused(&bank).unwrap(), "Error Occurred - Invalid Access Token - revoked, request a new one");
    let renewed = Bank::of(&server, &app);
    assert_eq!(refused(&renewed), None, "new tokens are good");

    lab.json(&["app", "revoke", &app.consumer_key, "--reason", "the app is retired"]);
    let app_gone = measured("the app is refused", &mut || refused(&renewed).is_some());
    let no_token = stranger.generate(&app).unwrap();
    assert_eq!((no_token.status, no_token.field("errorCode").as_str()), (400, "400.008.01"));
    println!("family=control cases=3 failures=0 usable={usable:?} tokens_gone={tokens_gone:?} app_gone={app_gone:?}");
    server.stop();

    // What was revoked stays revoked.
    let server = lab.serve();
    let mut late = renewed;
    late.move_to(&server);
    assert!(refused(&late).is_some());
    server.stop();
}

#[test]
fn accounts_with_one_token_at_a_time_refuse_the_one_before() {
    let lab = Lab::new();
    lab.json(&["partner", "add", "Bank A"]);
    let args =
        ["app", "add", "--partner", "Bank A", "--environment", "sandbox", "--products", "imsi", "--single-token"];
    let app = serde_json::from_value(lab.json(&args)).unwrap();
    let server = lab.serve();
    let first = Bank::of(&server, &app);
    assert_eq!(refused(&first), None);
    let second = Bank::of(&server, &app);
    assert!(refused(&first).is_some(), "refused at once on the server that gave the new one");
    assert_eq!(refused(&second), None);
    server.stop();
}
