//! What an operator decides about partners holds at a server that is already running.

use std::time::{Duration, Instant};

use crate::bank::{Bank, IMSI};
use crate::running::{Lab, wait_until};

/// Promised for suspensions and limits (P7).
const IN_FORCE_WITHIN: Duration = Duration::from_secs(5);
const PERSONA: &str = "254722000001";

/// How long it takes until checks are answered with `status` and, where it is an error, with `message`.
fn measured(bank: &Bank, status: u16, message: &str) -> Duration {
    let began = Instant::now();
    wait_until(&format!("{status} {message}"), IN_FORCE_WITHIN, || {
        let answer = bank.check(IMSI, PERSONA);
        answer.status == status && (status == 200 || answer.field("errorMessage") == message)
    });
    began.elapsed()
}

#[test]
fn suspensions_and_limits_hold_at_a_running_server() {
    let lab = Lab::new();
    let app = lab.partner_app("Bank A", "sandbox");
    let key = app.consumer_key.as_str();
    let server = lab.serve();
    let bank = Bank::of(&server, &app);
    let tell = |args: &[&str]| lab.laini(&[args, &["--reason", "a drill"]].concat());
    assert_eq!(bank.check(IMSI, PERSONA).status, 200);
    let mut slowest = Duration::ZERO;
    let mut holds = |status: u16, message: &str| slowest = slowest.max(measured(&bank, status, message));

    tell(&["app", "suspend", key]);
    holds(403, "Forbidden - this app is suspended; ask the operator why");
    tell(&["app", "resume", key]);
    holds(200, "");
    // For debt there must have been a notice.
    let refused =
        lab.refused(&["partner", "suspend", "Bank A", "--because", "debt", "--reason", "invoice 17 is 45 days late"]);
    assert!(refused.contains("no notice of debt was given"), "{refused}");
    tell(&["partner", "suspend", "Bank A"]);
    holds(403, "Forbidden - this partner is suspended; ask the operator why");
    tell(&["partner", "resume", "Bank A"]);
    holds(200, "");
    tell(&["app", "limits", key, "--per-day", "1"]);
    holds(429, "Error Occurred: Quota Violation");
    tell(&["app", "limits", key, "--per-day", "none"]);
    holds(200, "");
    println!("family=control cases=6 failures=0 seed=none slowest={slowest:?}");
    server.stop();
}
