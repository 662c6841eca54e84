//! Approved privacy requests that staff carry out over HTTP and on pages, and what nobody keeps of them.

use std::time::Duration;

use serde_json::{Value, json};

use crate::bank::{Answer, Bank, IMSI};
use crate::running::{Lab, Running, wait_until};

const WITHIN: Duration = Duration::from_secs(20);
const REQUESTS: &str = "/office/v1/privacy-requests";

/// Somebody of the operator's staff.
fn staff(lab: &Lab, server: &Running, email: &str, role: &str) -> Bank {
    let added = lab.json(&["staff", "add", email, "--role", role]);
    Bank::of_person(server, added["token"].as_str().unwrap())
}

fn post(person: &Bank, path: &str, body: &Value) -> Answer {
    person.post(path, &[], &body.to_string()).unwrap()
}

fn get(person: &Bank, path: &str) -> Answer {
    person.send(person.http().get(person.url(path)).bearer_auth(person.token())).unwrap()
}

/// A request that support took down and checked and an administrator approved; its path.
fn approved(support: &Bank, admin: &Bank, number: &str, action: &str) -> String {
    let taken = post(support, REQUESTS, &json!({"number": number, "action": action, "reason": "asked at the shop"}));
    assert_eq!(taken.status, 201, "{taken:?}");
    let path = format!("{REQUESTS}/{}", taken.field("id"));
    let checked =
        post(support, &format!("{path}/identity-check"), &json!({"number": number, "how": "document_in_person"}));
    assert_eq!(checked.status, 200, "{checked:?}");
    let approval = json!({"reason": "the papers fit", "override_hold": true});
    let approved = post(admin, &format!("{path}/approve"), &approval);
    assert_eq!(approved.field("status"), "approved", "{approved:?}");
    path
}

/// What the job came to.
fn ended(person: &Bank, path: &str) -> Value {
    let mut told = Value::Null;
    wait_until("the request is carried out", WITHIN, || {
        told = get(person, &format!("{path}/progress")).json();
        told["status"] != "under_way"
    });
    told
}

#[test]
fn what_was_approved_is_carried_out_over_http_and_the_number_stays_nowhere() {
    let lab = Lab::new();
    let numbers = lab.import_sample(400, 1).served();
    let app = lab.partner_app("Bank A", "production");
    let (number, other) = (&numbers[0], &numbers[1]);
    let server = lab.serve();
    let bank = Bank::of(&server, &app);
    assert_eq!(bank.check(IMSI, number).status, 200);
    let support = staff(&lab, &server, "support@operator.example", "support");
    let admin = staff(&lab, &server, "admin@operator.example", "admin");
    let path = approved(&support, &admin, number, "export");
    let carry_out = format!("{path}/carry-out");
    assert_eq!(get(&admin, &format!("{path}/progress")).status, 404);
    assert_eq!(post(&support, &carry_out, &json!({"number": number})).status, 403);
    let wrong = post(&admin, &carry_out, &json!({"number": other}));
    assert_eq!((wrong.status, wrong.text.contains("another number")), (400, true), "{wrong:?}");
    assert_eq!(post(&admin, &format!("{path}/dossier"), &json!({})).status, 409, "there is none yet");
    let begun = post(&admin, &carry_out, &json!({"number": number}));
    assert_eq!(begun.status, 202, "{begun:?}");
    let told = ended(&support, &path);
    assert_eq!((&told["status"], &told["came_to"]), (&json!("done"), &json!("1 checks, 0 events")), "{told}");
    assert_eq!(get(&support, &path).field("status"), "approved", "nobody has it yet");
    assert_eq!(post(&support, &format!("{path}/dossier"), &json!({})).status, 403);
    let dossier = admin.post(&format!("{path}/dossier"), &[("idempotency-key", "once")], "{}").unwrap();
    assert_eq!((dossier.status, dossier.field("number")), (200, number.clone()), "{dossier:?}");
    assert_eq!(dossier.json()["checks"][0]["partner"], "Bank A");
    // What it shows is in no replay.
    assert_eq!(admin.post(&format!("{path}/dossier"), &[("idempotency-key", "once")], "{}").unwrap().status, 409);
    let paper = post(&admin, &format!("{path}/dossier-paper"), &json!({}));
    assert!(paper.text.contains("What is held about your number") && paper.text.contains(number), "{paper:?}");
    assert_eq!(get(&support, &path).field("status"), "done");
    assert_eq!(post(&admin, &carry_out, &json!({"number": number})).status, 409, "once");
    // What is younger than a day and an hour is not forgotten, and the request ends with that.
    let path = approved(&support, &admin, number, "erase");
    assert_eq!(post(&admin, &format!("{path}/carry-out"), &json!({"number": number, "holdings": "all"})).status, 202);
    let told = ended(&admin, &path);
    assert_eq!(told["status"], "done", "{told}");
    assert!(told["stays"].to_string().contains("the network serves it"), "{told}");
    assert_eq!(get(&admin, &path).field("status"), "done");
    let path = approved(&support, &admin, number, "rectify");
    let order = json!({"number": number, "event": "e1", "is_retracted": true});
    assert_eq!(post(&admin, &format!("{path}/carry-out"), &order).status, 202);
    let told = ended(&admin, &path);
    assert_eq!(told["status"], "failed", "{told}");
    assert!(told["failed_for"].as_str().unwrap().contains("no event e1"), "{told}");
    assert_eq!(get(&admin, &path).field("status"), "approved", "it can be done rightly still");
    server.stop();
    let national = number.strip_prefix("254").unwrap();
    for name in ["accounts.db", "accounts.db-wal"] {
        let kept = std::fs::read(lab.data().join(name)).unwrap_or_default();
        assert!(!kept.windows(national.len()).any(|part| part == national.as_bytes()), "{name} holds the number");
    }
}

#[test]
fn a_report_tells_how_far_it_is_to_whom_it_is_made_for() {
    let lab = Lab::new();
    let numbers = lab.import_sample(400, 1).served();
    let app = lab.partner_app("Bank A", "production");
    let server = lab.serve();
    let bank = Bank::of(&server, &app);
    assert_eq!(bank.check(IMSI, &numbers[0]).status, 200);
    let auditor = staff(&lab, &server, "auditor@operator.example", "auditor");
    let admin = staff(&lab, &server, "admin@operator.example", "admin");
    let progress = "/office/v1/look-ups/progress";
    assert_eq!(get(&auditor, progress).status, 404);
    let report = post(&auditor, "/office/v1/look-ups", &json!({"reason": "notice 7"}));
    assert_eq!((report.status, report.text.lines().count()), (200, 2), "{report:?}");
    let told = get(&auditor, progress).json();
    assert_eq!(told["status"], "done", "{told}");
    assert!(told["rows_read"].as_u64().unwrap() > 0, "{told}");
    assert_eq!(get(&admin, progress).status, 404, "it is the auditor's");
}
