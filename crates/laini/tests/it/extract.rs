//! One operator's extract, whole: imported, brought up to date by its events, and every answer
//! compared over HTTP. The fixture's README tells what is in it.

use std::collections::HashMap;
use std::fs::File;
use std::io::Read as _;
use std::path::PathBuf;
use std::thread;

use flate2::read::GzDecoder;
use serde::Deserialize;
use serde_json::Value;

use crate::bank::{Answer, Bank, IMSI};
use crate::noon::{json_at_noon, serve_at_noon};
use crate::running::Lab;

const CUT: &str = "2026-11-21T04:30:00+03:00";
const GOOD_ROWS: u64 = 100_000;
const BAD_ROWS: u64 = 235;
const EVENTS: u64 = 4_887;
const DELIVERIES: u64 = 5_217;
const CASES: usize = 5_050;
/// Clients that ask side by side, so that they share the ledger's commits.
const CLIENTS: usize = 8;

/// One row of `expected.csv.gz`.
#[derive(Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Expected {
    customer_number: String,
    status: u16,
    last_swap_date: String,
    msisdn_registration_date: String,
    #[serde(rename = "imsi_group")]
    imsi_group: String,
}

#[test]
fn extract_answers_every_row_as_expected() {
    let failures = load_and_compare(&["--as-of", CUT]);
    println!("family=extract cases={CASES} failures={} seed=7", failures.len());
    assert!(failures.is_empty(), "{:#?}", &failures[..failures.len().min(10)]);
}

#[test]
fn extract_names_its_own_cut_where_none_is_stated() {
    let failures = load_and_compare(&[]);
    println!("family=extract-own-cut cases={CASES} failures={} seed=7", failures.len());
    assert!(failures.is_empty(), "{:#?}", &failures[..failures.len().min(10)]);
}

/// Loads the fixture into a fresh directory and asks about every expected row; what differed.
fn load_and_compare(import_flags: &[&str]) -> Vec<String> {
    let lab = Lab::new();
    let registry = fixture("registry.csv.gz");
    let imported = json_at_noon(&lab, &[&["registry", "import", registry.to_str().unwrap()], import_flags].concat());
    assert_eq!(imported["lines"], GOOD_ROWS, "{imported}");
    assert_eq!(imported["rejected"], BAD_ROWS, "{imported}");
    assert_eq!(imported["as_of"], "2026-11-21T01:30:00Z", "{imported}");
    assert_rejects_are_listed(&lab);
    assert_eq!(json_at_noon(&lab, &["registry", "status"])["rejects"], BAD_ROWS);

    let events = fixture("events.ndjson.gz");
    let apply = ["registry", "apply", events.to_str().unwrap()];
    let counts = |report: &Value| {
        ["events", "accepted", "repeated", "waiting", "rejected"].map(|count| report[count].as_u64().unwrap())
    };
    assert_eq!(counts(&json_at_noon(&lab, &apply)), [DELIVERIES, EVENTS, DELIVERIES - EVENTS, 0, 0]);
    assert_eq!(counts(&json_at_noon(&lab, &apply)), [DELIVERIES, 0, DELIVERIES, 0, 0]);

    let (server, credentials) = serve_at_noon(&lab, &[]);
    let expected = expected();
    let answers = ask_all(&expected, || Bank::of(&server, &credentials));
    let failures = compare(&expected, &answers);
    assert_eq!(lab.ledger().len(), CASES, "each check leaves one row");
    server.stop();
    failures
}

fn fixture(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/extract").join(name)
}

/// The text of a compressed fixture.
fn unpacked(name: &str) -> String {
    let mut text = String::new();
    GzDecoder::new(File::open(fixture(name)).unwrap()).read_to_string(&mut text).unwrap();
    text
}

fn expected() -> Vec<Expected> {
    let text = unpacked("expected.csv.gz");
    let rows: Vec<Expected> =
        csv::Reader::from_reader(text.as_bytes()).deserialize().collect::<Result<_, _>>().unwrap();
    assert_eq!(rows.len(), CASES);
    rows
}

/// Each refused row is listed with the line on which it stands and a reason that repeats nothing of it.
fn assert_rejects_are_listed(lab: &Lab) {
    let text = std::fs::read_to_string(lab.data().join("registry-rejects.csv")).unwrap();
    let mut rejects = csv::Reader::from_reader(text.as_bytes());
    assert_eq!(rejects.headers().unwrap(), &["file", "line", "reason"][..]);
    let extract = unpacked("registry.csv.gz");
    let extract: Vec<&str> = extract.lines().collect();
    let mut count = 0;
    for reject in rejects.records() {
        let reject = reject.unwrap();
        let (line, reason): (usize, &str) = (reject[1].parse().unwrap(), &reject[2]);
        let row: Vec<&str> = extract[line - 1].split(',').collect();
        let is_bad = match reason.split([' ', ':']).next().unwrap() {
            "msisdn" => row[0].bytes().filter(u8::is_ascii_digit).count() < 9 || row[0].contains(char::is_alphabetic),
            "imsi" => row[1].len() != 15,
            "registered_at" => row[2].contains('/') || &row[2][..4] > "2026",
            "status" => !["active", "suspended", "terminated", "ported_out"].contains(&row[5]),
            _ => false,
        };
        assert!(is_bad, "line {line} is not the one that was refused: {reason}");
        assert!(!reason.contains("2547") && !reason.contains("63902"), "what stood there is repeated");
        count += 1;
    }
    assert_eq!(count, BAD_ROWS);
}

/// Every answer, in the order of `expected`.
fn ask_all(expected: &[Expected], bank: impl Fn() -> Bank + Sync) -> Vec<Answer> {
    let share = expected.len().div_ceil(CLIENTS);
    thread::scope(|scope| {
        let clients: Vec<_> = expected
            .chunks(share)
            .map(|rows| {
                let bank = &bank;
                scope.spawn(move || {
                    let bank = bank();
                    rows.iter().map(|row| bank.check(IMSI, &row.customer_number)).collect::<Vec<_>>()
                })
            })
            .collect();
        clients.into_iter().flat_map(|client| client.join().unwrap()).collect()
    })
}

/// What differs, one remark a row.
fn compare(expected: &[Expected], answers: &[Answer]) -> Vec<String> {
    let mut pseudonym_of: HashMap<&str, String> = HashMap::new();
    let mut group_of: HashMap<String, &str> = HashMap::new();
    let mut failures = Vec::new();
    for (row, answer) in expected.iter().zip(answers) {
        let got = [answer.field("lastSwapDate"), answer.field("msisdnRegistrationDate")];
        let wanted = [row.last_swap_date.clone(), row.msisdn_registration_date.clone()];
        let mut is_right = answer.status == row.status && got == wanted;
        if row.status == 200 {
            let pseudonym = answer.field("imsi");
            is_right &= pseudonym.len() == 16 && answer.field("customerNumber") == row.customer_number;
            is_right &= *pseudonym_of.entry(&row.imsi_group).or_insert_with(|| pseudonym.clone()) == pseudonym;
            is_right &= *group_of.entry(pseudonym).or_insert(&row.imsi_group) == row.imsi_group;
        } else {
            is_right &= answer.field("errorCode") == "404.002.01";
        }
        if !is_right {
            failures.push(format!("expected {} {wanted:?}, got {} {got:?}", row.status, answer.status));
        }
    }
    failures
}
