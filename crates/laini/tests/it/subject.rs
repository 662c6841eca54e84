//! What the holder of a number may ask for, end to end: withheld, told, forgotten; and who asked about whom.

use std::fs;
use std::time::Duration;

use serde_json::Value;

use crate::bank::{AGE, Bank, IMSI, SWAP};
use crate::noon::under_faketime;
use crate::running::{Lab, days_ago, succeed, wait_until};

const WITHIN: Duration = Duration::from_secs(5);
const ORDER: [&str; 4] = ["--identity-checked", "document_in_person", "--reason", "asked at the shop"];

fn subject<'a>(verb: &'a str, number: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    [&["subject", verb, number], more, &ORDER].concat()
}

/// Restricts a number, whatever became of its SIM lately.
pub(crate) fn restrict(lab: &Lab, number: &str) {
    assert_eq!(lab.json(&subject("restrict", number, &["--override-hold"]))["restricted"], true);
}

/// A server withholds a number, whatever is asked about it, and tells of another one.
pub(crate) fn assert_withheld(bank: &Bank, number: &str, other: &str) {
    for path in [IMSI, SWAP, AGE] {
        let answer = bank.check(path, number);
        assert_eq!((answer.status, &*answer.field("errorCode")), (403, "403.002.02"), "{path}: {answer:?}");
        assert_eq!(answer.field("errorMessage"), "Forbidden - withheld");
        assert_eq!(answer.header("Laini-Charge"), "none; reason=withheld");
        assert_eq!(bank.check(path, other).status, 200, "{path}");
    }
}

/// A number whose SIM was not swapped lately, and one whose was half a minute ago.
fn quiet_and_swapped(lab: &Lab, numbers: &[String]) -> (String, String) {
    let is_held = |number: &String| !lab.output(&subject("unrestrict", number, &[])).status.success();
    let mut quiet = numbers.iter().filter(|number| !is_held(number));
    let (quiet, swapped) = (quiet.next().unwrap().clone(), quiet.next().unwrap().clone());
    swap(lab, "s1", &swapped);
    assert!(is_held(&swapped));
    (quiet, swapped)
}

/// The SIM of a number is replaced, half a minute ago; when.
fn swap(lab: &Lab, id: &str, number: &str) -> String {
    let at = (days_ago(0) - jiff::SignedDuration::from_secs(30)).to_string();
    let event =
        format!(r#"{{"id":"{id}","type":"sim_replaced","at":"{at}","msisdn":"{number}","imsi":"639029999999999"}}"#);
    let file = lab.path(id);
    fs::write(&file, event).unwrap();
    lab.json(&["registry", "apply", file.to_str().unwrap()]);
    at
}

/// The trail, which never holds a number in full.
fn trail(lab: &Lab, numbers: &[&str]) -> String {
    let accounts = rusqlite::Connection::open(lab.data().join("accounts.db")).unwrap();
    let mut rows = accounts.prepare("SELECT action || ' ' || target || ' ' || reason FROM audit").unwrap();
    let rows: Vec<String> = rows.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
    let trail = rows.join("\n");
    for number in numbers {
        assert!(!trail.contains(&number[3..]), "the trail names a number:\n{trail}");
    }
    trail
}

#[test]
fn a_restricted_number_is_withheld_by_the_running_server_until_the_restriction_is_lifted() {
    let lab = Lab::new();
    let numbers = lab.import_sample(400, 1).served();
    let app = lab.partner_app("Bank A", "production");
    let (quiet, swapped) = quiet_and_swapped(&lab, &numbers);
    let server = lab.serve();
    let bank = Bank::of(&server, &app);
    assert_eq!(bank.check(IMSI, &quiet).status, 200);
    let restricted = lab.json(&subject("restrict", &quiet, &[]));
    assert_eq!(restricted["restricted"], true, "{restricted}");
    let code = |number: &str| bank.check(IMSI, number).field("errorCode");
    wait_until("the number is withheld", WITHIN, || code(&quiet) == "403.002.02");
    assert_eq!(bank.check(IMSI, &swapped).status, 200);
    // The one who holds a SIM that was swapped lately may be the thief.
    let refused = lab.refused(&subject("restrict", &swapped, &[]));
    assert!(refused.contains("may be the thief") && refused.contains("--override-hold"), "{refused}");
    let held = lab.json(&["subject", "requests"]);
    let held = held.as_array().unwrap().iter().rfind(|request| request["action"] == "restrict").unwrap();
    assert_eq!((&held["status"], held["identity_checked"].is_null()), (&Value::from("held"), false), "{held}");
    let id = held["id"].as_str().unwrap();
    let refused = lab.refused(&["subject", "restrict", &quiet, "--request", id, "--reason", "another one"]);
    assert!(refused.contains("about another number"), "{refused}");
    lab.json(&["subject", "restrict", &swapped, "--request", id, "--reason", "an order", "--override-hold"]);
    wait_until("the other is withheld", WITHIN, || code(&swapped) == "403.002.02");
    lab.json(&subject("unrestrict", &quiet, &[]));
    wait_until("the number is told again", WITHIN, || bank.check(IMSI, &quiet).status == 200);
    server.stop();
    lab.verify_ledger();
    let trail = trail(&lab, &[&quiet, &swapped]);
    assert!(trail.contains("subject.restrict.done") && trail.contains("subject.restrict.hold_overridden"), "{trail}");
}

#[test]
fn what_is_held_is_told_and_what_was_asked_is_forgotten_and_the_money_stays() {
    let lab = Lab::new();
    let numbers = lab.import_sample(400, 1).served();
    let app = lab.partner_app("Bank A", "production");
    let (number, other) = quiet_and_swapped(&lab, &numbers);
    let server = lab.serve();
    let bank = Bank::of(&server, &app);
    for asked in [&number, &other, &number] {
        assert_eq!(bank.check(IMSI, asked).status, 200);
    }
    server.stop();
    let charged = lab.json(&["ledger", "verify"]);
    let export = |file: &str| {
        let (json, paper) = (lab.path(file), lab.path("paper.html"));
        let files = ["--output", json.to_str().unwrap(), "--paper", paper.to_str().unwrap()];
        lab.json(&subject("export", &number, &files));
        let held: Value = serde_json::from_str(&fs::read_to_string(&json).unwrap()).unwrap();
        (held, fs::read_to_string(paper).unwrap())
    };
    let (held, paper) = export("before.json");
    assert_eq!(held["number"], number.as_str());
    let checks = held["checks"].as_array().unwrap();
    assert_eq!(checks.len(), 2, "{held}");
    assert!(checks.iter().all(|check| check["partner"] == "Bank A" && check["disclosed"].is_string()), "{held}");
    assert!(held["line"]["sim"].as_str().unwrap().len() == 15 && !held.to_string().contains(&other), "{held}");
    assert!(paper.contains("Bank A") && paper.contains(&number), "{paper}");
    // Who asked about whom: masked, unless somebody answers for more.
    let report = |more: &[&str]| lab.laini(&[&["subject", "lookups", "--reason", "a breach"], more].concat());
    let masked = report(&[]);
    assert_eq!(masked.lines().count(), 4, "{masked}");
    assert!(!masked.contains(&number) && masked.contains("******"), "{masked}");
    assert_eq!(report(&["--reveal", "--number", &number]).matches(&number).count(), 2);
    assert_eq!(report(&["--partner", "Bank A", "--format", "ndjson"]).lines().count(), 3);
    // Younger than a day and an hour nothing is forgotten: a retry would be charged again.
    let early = lab.json(&subject("erase", &number, &[]));
    assert_eq!((&early["checks"], &early["forgotten"]), (&Value::from(0), &Value::from(0)), "{early}");
    let args = [subject("erase", &number, &[]), vec!["--json"]].concat();
    let later = succeed(&args, under_faketime(&lab, &["-f", "+3d"], &args).output().unwrap());
    let erased: Value = serde_json::from_str(&later).unwrap();
    assert_eq!((&erased["checks"], &erased["forgotten"]), (&Value::from(2), &Value::from(2)), "{erased}");
    assert!(erased["stays"].to_string().contains("the network serves it"), "{erased}");
    assert_eq!(lab.json(&["ledger", "verify"]), charged);
    assert_eq!(lab.ledger().len(), 3);
    let (held, _) = export("after.json");
    let checks = held["checks"].as_array().unwrap();
    assert!(checks.len() == 2 && checks.iter().all(|check| check["disclosed"].is_null()), "{held}");
    let revealed = report(&["--reveal"]);
    assert!(!revealed.contains(&number) && revealed.contains(&other), "{revealed}");
    let trail = trail(&lab, &[&number, &other]);
    for action in ["subject.export.done", "subject.erase.done", "subject.lookups.reveal"] {
        assert!(trail.contains(action), "{action} is missing:\n{trail}");
    }
}

#[test]
fn a_wrong_event_is_corrected_by_its_request_alone() {
    let lab = Lab::new();
    let numbers = lab.import_sample(400, 1).served();
    let (number, _) = quiet_and_swapped(&lab, &numbers);
    let at = swap(&lab, "e1", &number);
    assert_eq!(lab.json(&["registry", "show", &number])["swap_cause"], "replacement");
    let dry = lab.json(&subject("rectify", &number, &["--event", "e1", "--retract", "--dry-run"]));
    assert_eq!((&dry["type"], &dry["is_done"]), (&Value::from("sim_replaced"), &Value::from(false)), "{dry}");
    // The very swap that is said to be wrong holds it.
    let refused = lab.refused(&subject("rectify", &number, &["--event", "e1", "--retract"]));
    assert!(refused.contains("may be the thief"), "{refused}");
    let done = lab.json(&subject("rectify", &number, &["--event", "e1", "--retract", "--override-hold"]));
    assert_eq!(done["is_done"], true, "{done}");
    let last_swap = lab.json(&["registry", "show", &number])["last_swap"].clone();
    assert!(last_swap.as_str().is_none_or(|swap| !swap.starts_with(&at[..19])), "{last_swap}");
    let unknown = lab.refused(&subject("rectify", &number, &["--event", "e2", "--retract"]));
    assert!(unknown.contains("no event e2"), "{unknown}");
}

#[test]
fn who_held_a_number_before_is_forgotten_and_the_present_holder_is_told_of_as_before() {
    let lab = Lab::new();
    let number = "254799000123";
    let told = [
        (60, "first", "registered", "639021111111111"),
        (55, "replaced", "sim_replaced", "639022222222222"),
        (50, "given-up", "terminated", ""),
        (40, "second", "registered", "639023333333333"),
    ];
    let told = told.map(|(days, id, kind, imsi)| {
        let imsi = if imsi.is_empty() { String::new() } else { format!(r#","imsi":"{imsi}""#) };
        format!(r#"{{"id":"{id}","type":"{kind}","at":"{}","msisdn":"{number}"{imsi}}}"#, days_ago(days))
    });
    let file = lab.path("told.ndjson");
    fs::write(&file, told.join("\n")).unwrap();
    let apply = ["registry", "apply", file.to_str().unwrap()];
    lab.json(&apply);
    let app = lab.partner_app("Bank A", "production");
    let server = lab.serve();
    let bank = Bank::of(&server, &app);
    let answered = || {
        let answer = bank.check(IMSI, number);
        assert_eq!(answer.status, 200, "{answer:?}");
        ["imsi", "lastSwapDate", "msisdnRegistrationDate"].map(|field| answer.field(field))
    };
    let before = answered();
    // The registry began with these events, so nobody can say that the SIM was not swapped.
    let earlier = subject("erase", number, &["--earlier-holders", "--override-hold"]);
    let erased = lab.json(&earlier);
    assert_eq!((&erased["events"], &erased["checks"]), (&Value::from(3), &Value::from(0)), "{erased}");
    assert!(erased["stays"].to_string().contains("somebody held the number before"), "{erased}");
    let history = || {
        let out = lab.path("held.json");
        let files = ["--all-holdings", "--override-hold", "--output", out.to_str().unwrap()];
        lab.json(&subject("export", number, &files));
        let held: Value = serde_json::from_str(&fs::read_to_string(&out).unwrap()).unwrap();
        let events = held["events"].as_array().unwrap().iter();
        events.map(|event| event["type"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(history(), ["erased", "registered"]);
    // The feed tells it again, and nothing comes back.
    lab.output(&apply);
    assert_eq!(history(), ["erased", "registered"]);
    assert_eq!(lab.json(&earlier)["events"], 0);
    assert_eq!(answered(), before);
    server.stop();
    lab.verify_ledger();
}
