//! Coming in through the pages ends the session that the browser brought: whoever comes in first has nothing of whoever
//! sat there before.

use std::fs;
use std::time::Duration;

use serde_json::{Value, json};

use crate::bank::{Answer, Bank};
use crate::portal::Browser;
use crate::running::{Lab, Running, wait_until};

const FOUNDER: &str = "founder@new.example";
const WITHIN: Duration = Duration::from_secs(20);

/// Somebody of Bank A who is signed in.
fn member(lab: &Lab, server: &Running) -> Browser {
    Browser::of_person(lab, server, &["member", "add", "Bank A", "before@bank.example", "--role", "owner"])
}

/// Sends the form of a page with a token and a password, in the browser of somebody who is signed in.
fn come_in(before: &Browser, page: &str, token: &str) -> Answer {
    before.post(page, &format!("{}&token={token}&password=four+words+walk+home", before.csrf), None)
}

/// Whether a session is still good.
fn is_good(person: &Browser) -> bool {
    person.get("/account").status == 200
}

#[test]
fn an_invitation_that_is_accepted_ends_the_session_that_was_there() {
    let lab = Lab::new();
    lab.json(&["partner", "add", "Bank A"]);
    let server = lab.serve();
    let before = member(&lab, &server);
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
    let before = member(&lab, &server);
    let stranger = Bank::stranger(&server);
    let terms: Value = stranger.get("/office/v1/terms").unwrap().json();
    let terms = json!({"version": terms["version"], "sha256": terms["sha256"]});
    let body = json!({"company": "New Bank", "email": FOUNDER, "name": "F. Ounder", "terms": terms});
    let registered = stranger.post("/office/v1/registrations", &[], &body.to_string()).unwrap();
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

#[test]
fn a_part_of_a_page_is_refused_as_a_part_and_without_a_session_the_whole_page_goes_to_sign_in() {
    let lab = Lab::new();
    lab.json(&["partner", "add", "Bank A"]);
    let server = lab.serve();
    let mut person = member(&lab, &server);
    assert_eq!(person.post_part("/requests", "find=254******002").status, 200);
    let good = std::mem::replace(&mut person.csrf, "another".to_owned());
    let forged = person.post_part("/requests", "find=254******002");
    assert_eq!(forged.status, 403, "{forged:?}");
    assert!(forged.text.contains("role=\"alert\"") && !forged.text.contains("<html"), "{forged:?}");
    person.csrf = good;
    assert_eq!(person.post("/sign-out", &person.csrf, None).status, 303);
    let gone = person.post_part("/requests", "find=254******002");
    assert_eq!((gone.status, gone.header("hx-redirect"), gone.text.as_str()), (401, "/sign-in?next=%2F", ""));
    assert_eq!(gone.header("location"), "", "a script would follow it, and take that page for the part");
    server.stop();
}
