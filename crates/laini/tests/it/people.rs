//! People of the operator and of partners, by the real binary: from the first command to a session, and nothing in
//! the log that opens one.

use std::fs;
use std::time::Duration;

use serde_json::{Value, json};

use crate::bank::Bank;
use crate::running::{Lab, Running, wait_until};

const PASSWORD: &str = "four words walk home";
const WRONG: &str = "not the right password";
const EMAIL: &str = "admin@mobile.example";

fn post(bank: &Bank, server: &Running, path: &str, body: &Value) -> (u16, Value) {
    let request = bank.http().post(format!("http://{}{path}", server.address()));
    let request = request.header("content-type", "application/json").body(body.to_string());
    let answer = bank.send(request).unwrap();
    (answer.status, answer.json())
}

#[test]
fn people_come_in_by_a_printed_token_and_the_log_tells_nothing_of_them() {
    let lab = Lab::new();
    lab.json(&["partner", "add", "Bank A"]);
    let added = lab.json(&["staff", "add", EMAIL, "--role", "admin"]);
    let token = added["token"].as_str().unwrap();
    lab.json(&["member", "add", "Bank A", "owner@bank.example", "--role", "owner", "--send"]);
    let server = lab.serve();
    let bank = Bank::stranger(&server);
    let (status, accepted) =
        post(&bank, &server, "/office/v1/invitations/accept", &json!({"token": token, "password": PASSWORD}));
    assert_eq!((status, &accepted["role"]), (201, &json!("admin")), "{accepted}");
    let sign_in =
        |password: &str| post(&bank, &server, "/office/v1/sessions", &json!({"email": EMAIL, "password": password}));
    assert_eq!(sign_in(WRONG).0, 401);
    let (status, session) = sign_in(PASSWORD);
    assert_eq!(status, 201, "{session}");
    // The letter to the owner lies in the folder.
    let folder = lab.data().join("outbox-mail");
    let is_told = || server.printed().1.contains("a letter was written");
    wait_until("a letter is written", Duration::from_secs(15), is_told);
    let letters: Vec<_> = fs::read_dir(&folder).unwrap().map(|file| file.unwrap().path()).collect();
    let letter = letters.iter().find(|file| file.extension().is_some_and(|ending| ending == "eml")).unwrap();
    let letter = fs::read_to_string(letter).unwrap();
    assert!(letter.contains("To: owner@bank.example"), "{letter}");
    let sent = letter.lines().find(|line| line.starts_with("laini_t_")).unwrap().trim();

    let (_, log) = server.printed();
    let secrets = [token, sent, accepted["token"].as_str().unwrap(), session["token"].as_str().unwrap()];
    for secret in secrets.into_iter().chain([PASSWORD, WRONG, EMAIL, "owner@bank.example"]) {
        assert!(!log.contains(secret), "{secret} in the log");
    }
    let listed = lab.json(&["staff", "list"]);
    assert_eq!(listed[0]["status"], "active");
    let members = lab.json(&["member", "list", "Bank A"]);
    assert_eq!(members[0]["status"], "invited");
    assert!(lab.refused(&["staff", "disable", EMAIL, "--reason", "left"]).contains("last administrator"));
    server.stop();

    let trail = lab.json(&["audit", "list"]);
    // What the server makes for visitors of the portal is its own.
    let rows = trail.as_array().unwrap().iter().filter(|row| row["actor"] != "laini");
    let actions: Vec<_> = rows.map(|row| row["action"].as_str().unwrap()).collect();
    assert_eq!(
        actions,
        ["session.open", "session.open", "person.accept", "person.invite", "person.invite", "partner.add"]
    );
    let of_partner = lab.json(&["audit", "list", "--partner", "Bank A"]);
    let actions: Vec<_> = of_partner.as_array().unwrap().iter().map(|row| row["action"].as_str().unwrap()).collect();
    assert_eq!(actions, ["person.invite", "partner.add"], "{of_partner}");
    assert!(!trail.to_string().contains('@'), "{trail}");
}
