//! Coming in through the pages ends the session that the browser brought: whoever comes in first has nothing of whoever
//! sat there before.

use std::fs;
use std::time::Duration;

use reqwest::redirect::Policy;
use serde_json::{Value, json};

use crate::bank::{Answer, Bank};
use crate::running::{Lab, Running, wait_until};

const SESSION: &str = "__Host-laini_session";
const FOUNDER: &str = "founder@new.example";
const WITHIN: Duration = Duration::from_secs(20);

/// Somebody of Bank A who is signed in.
fn member(lab: &Lab, server: &Running, email: &str) -> Bank {
    let added = lab.json(&["member", "add", "Bank A", email, "--role", "owner"]);
    Bank::of_person(server, added["token"].as_str().unwrap())
}

/// Sends the form of a page with a token and a password, in the browser of somebody who is signed in.
fn come_in(before: &Bank, page: &str, token: &str) -> Answer {
    let http = reqwest::Client::builder().no_proxy().redirect(Policy::none()).build().unwrap();
    let cookie = format!("{SESSION}={}", before.token());
    let shown = before.send(http.get(before.url(page)).header("cookie", &cookie)).unwrap();
    let csrf = shown.text.split("name=\"csrf\" value=\"").nth(1).unwrap().split('"').next().unwrap();
    let form = format!("csrf={csrf}&token={token}&password=four+words+walk+home");
    let request = http.post(before.url(page)).header("cookie", &cookie).body(form);
    before.send(request.header("content-type", "application/x-www-form-urlencoded")).unwrap()
}

/// Whether a session is still good.
fn is_good(person: &Bank) -> bool {
    person.send(person.http().get(person.url("/office/v1/me")).bearer_auth(person.token())).unwrap().status == 200
}

#[test]
fn an_invitation_that_is_accepted_ends_the_session_that_was_there() {
    let lab = Lab::new();
    lab.json(&["partner", "add", "Bank A"]);
    let server = lab.serve();
    let before = member(&lab, &server, "before@bank.example");
    let invited = lab.json(&["member", "add", "Bank A", "new@bank.example", "--role", "viewer"]);
    assert!(is_good(&before));
    let come = come_in(&before, "/invitation", invited["token"].as_str().unwrap());
    assert_eq!((come.status, come.header("location")), (303, "/"), "{come:?}");
    assert!(!is_good(&before));
    server.stop();
}

#[test]
fn a_registration_that_is_confirmed_ends_the_session_that_was_there() {
    let lab = Lab::new();
    lab.json(&["partner", "add", "Bank A"]);
    let server = lab.serve();
    let before = member(&lab, &server, "before@bank.example");
    let terms: Value = before.get("/office/v1/terms").unwrap().json();
    let terms = json!({"version": terms["version"], "sha256": terms["sha256"]});
    let body = json!({"company": "New Bank", "email": FOUNDER, "name": "F. Ounder", "terms": terms});
    let registered = Bank::stranger(&server).post("/office/v1/registrations", &[], &body.to_string()).unwrap();
    assert_eq!(registered.status, 202, "{registered:?}");
    let mut letter = None;
    wait_until("the letter is written", WITHIN, || {
        let files = fs::read_dir(lab.data().join("outbox-mail")).into_iter().flatten().flatten();
        letter = files.filter_map(|file| fs::read_to_string(file.path()).ok()).find(|text| text.contains(FOUNDER));
        letter.as_ref().is_some_and(|text| text.contains("laini_t_"))
    });
    let letter = letter.unwrap();
    let token = letter.lines().find(|line| line.starts_with("laini_t_")).unwrap().trim();
    assert!(is_good(&before));
    let come = come_in(&before, "/registration", token);
    assert_eq!((come.status, come.header("location")), (303, "/apps"), "{come:?}");
    assert!(!is_good(&before));
    server.stop();
}
