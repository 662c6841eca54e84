//! What servers tell whoever started them, and what banks are answered: tokens, personas, repeats.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use serde_json::{Value, json};

use crate::bank::{AGE, Answer, Bank, IMSI, SWAP};
use crate::noon::{at_noon, json_at_noon, serve_at_noon};
use crate::running::{Credentials, Lab, Running};

const OLD: &str = "MSISDN registration is more than one year old";
const SENTINEL: &str = "01-01-1900";
/// How often a charged check may be repeated for free.
const FREE_REPEATS: usize = 5;
const PAID: &str = "KES 20.00";
const FREE: &str = "none; reason=repeat";

/// The ready file of a lab's first server, and its mode.
fn ready_file(lab: &Lab) -> (Value, u32) {
    let path = lab.path("server-0.json");
    let mode = fs::metadata(&path).unwrap().permissions().mode() & 0o777;
    (serde_json::from_slice(&fs::read(path).unwrap()).unwrap(), mode)
}

fn start(args: &[&str]) -> (Lab, Running) {
    let lab = Lab::new();
    let server = lab.start(lab.command(&[args, &["--listen", "127.0.0.1:0"]].concat()));
    (lab, server)
}

#[test]
fn serving_ready_files_tell_what_a_script_needs() {
    for (command, expected) in [("serve", [false, false]), ("sandbox", [true, false]), ("demo", [true, true])] {
        let (lab, server) = start(&[command]);
        let (ready, mode) = ready_file(&lab);
        assert_eq!(mode, 0o600, "{command}");
        let fields: Vec<_> = ready.as_object().unwrap().keys().cloned().collect();
        assert_eq!(fields, ["base_url", "operator_url", "pid", "production", "sandbox"], "{command}");
        for (environment, has_credentials) in ["sandbox", "production"].into_iter().zip(expected) {
            assert_eq!(!ready[environment].is_null(), has_credentials, "{command}: {environment}");
        }
        assert_eq!(ready["pid"], server.pid.as_raw_nonzero().get());
        assert_eq!(Bank::stranger(&server).get("/readyz").unwrap().status, if command == "serve" { 503 } else { 200 });
        for credentials in server.sandbox.iter().chain(&server.production) {
            let answer = Bank::of(&server, credentials).check(AGE, "254722000007");
            assert!([200, 404].contains(&answer.status), "{answer:?}");
        }
        server.stop();
    }
}

#[test]
fn serving_mints_fresh_credentials_at_each_start() {
    let lab = Lab::new();
    let start = || lab.start(lab.command(&["sandbox", "--listen", "127.0.0.1:0"]));
    let first = start();
    let old = first.sandbox.clone().unwrap();
    first.stop();
    let second = start();
    let new = second.sandbox.clone().unwrap();
    assert_ne!(old.consumer_key, new.consumer_key);
    for credentials in [old, new] {
        assert_eq!(Bank::of(&second, &credentials).check(IMSI, "254722000001").status, 200);
    }
    second.stop();
}

/// A persona's number, and what the three products say of it on 2026-11-22: swap day and registration.
const PERSONAS: [(&str, &str, &str); 13] = [
    ("254722000000", "01-05-2022", "01-03-2022"),
    ("254722000001", SENTINEL, OLD),
    ("254722000002", "22-11-2026", OLD),
    ("254722000003", "23-10-2026", OLD),
    ("254722000004", "23-08-2026", OLD),
    ("254722000005", "22-08-2026", OLD),
    ("254722000006", SENTINEL, OLD),
    ("254722000007", SENTINEL, "21-11-2026"),
    ("254722000008", SENTINEL, "22-11-2025"),
    ("254722000009", SENTINEL, OLD),
    ("254722000010", "15-11-2026", "15-11-2026"),
    ("254722000011", "15-11-2026", "15-11-2026"),
    ("254722000012", SENTINEL, OLD),
];

/// Numbers without an answer: status and code.
const REFUSED_PERSONAS: [(&str, u16, &str); 4] = [
    ("254722000040", 404, "404.002.01"),
    ("254722000041", 404, "404.002.01"),
    ("254722000042", 403, "403.002.02"),
    ("254722000099", 404, "404.002.01"),
];

#[test]
fn serving_personas_are_ready_in_the_sandbox() {
    let lab = Lab::new();
    let server = lab.start(at_noon(&lab, &["sandbox", "--listen", "127.0.0.1:0"]));
    let bank = Bank::of(&server, server.sandbox.as_ref().unwrap());
    let mut pseudonyms = std::collections::HashSet::new();
    for (number, swap, registration) in PERSONAS {
        let imsi = bank.check(IMSI, number);
        let pseudonym = imsi.field("imsi");
        let expected = json!({
            "requestRefID": imsi.field("requestRefID"), "responseCode": "200", "responseDesc": "Success",
            "imsi": pseudonym, "lastSwapDate": swap, "msisdnRegistrationDate": registration, "customerNumber": number,
        });
        assert_eq!(imsi.json(), expected);
        assert!(pseudonym.len() == 16 && pseudonym.bytes().all(|b| b.is_ascii_digit()), "{pseudonym}");
        assert_eq!(bank.check(IMSI, number).field("imsi"), pseudonym, "the same SIM, the same digits");
        pseudonyms.insert(pseudonym);

        let asked = bank.check(SWAP, number);
        assert_eq!(asked.field("lastSwapDate"), format!("{swap} 00:00"), "{number}");
        assert_eq!(asked.header("laini-swap"), if swap == SENTINEL { "not-swapped" } else { "swapped" }, "{number}");
        let age = bank.check(AGE, number);
        assert_eq!(age.field("msisdnRegistrationDate"), registration, "{number}");
        assert_eq!(age.field("customerNumber"), number);
        for answer in [&imsi, &asked, &age] {
            assert_eq!((answer.status, answer.header("laini-environment")), (200, "sandbox"));
        }
    }
    assert_eq!(pseudonyms.len(), PERSONAS.len(), "another SIM, other digits");
    assert_eq!(bank.check(IMSI, "254722000000").field("imsi"), "9233817055099406", "the published sample");
    for (number, status, code) in REFUSED_PERSONAS {
        for path in [IMSI, SWAP, AGE] {
            let answer = bank.check(path, number);
            assert_eq!((answer.status, answer.field("errorCode").as_str()), (status, code), "{number} {path}");
            assert!(answer.header("laini-charge").starts_with("none; reason="), "{answer:?}");
        }
    }
    server.stop();
}

#[test]
fn serving_keeps_sandbox_and_production_apart() {
    let lab = Lab::new();
    let extract = lab.path("extract.csv");
    let line = "254700000001";
    fs::write(&extract, format!("msisdn,imsi,registered_at,last_swap_at\n{line},639020000000001,2015-01-01,\n"))
        .unwrap();
    json_at_noon(&lab, &["registry", "import", extract.to_str().unwrap()]);
    let (server, production) = serve_at_noon(&lab, &[]);
    let sandbox = lab.app("Bank A", "sandbox", "imsi,swap,age");
    let in_production = Bank::of(&server, &production);
    assert_eq!(in_production.check(IMSI, line).field("lastSwapDate"), SENTINEL);
    assert_eq!(in_production.check(IMSI, "254722000001").status, 404, "personas live in the sandbox alone");
    server.stop();

    let server = lab.start(at_noon(&lab, &["serve", "--listen", "127.0.0.1:0"]));
    let in_sandbox = Bank::of(&server, &sandbox);
    assert_eq!(in_sandbox.check(IMSI, "254722000001").header("laini-environment"), "sandbox");
    assert_eq!(in_sandbox.check(IMSI, line).status, 404, "subscribers live in production alone");
    let production_token = Bank::of(&server, &production);
    server.stop();

    // A server for one environment answers neither credentials nor tokens of the other.
    let sandbox_only = lab.start(at_noon(&lab, &["sandbox", "--listen", "127.0.0.1:0"]));
    let refused = Bank::stranger(&sandbox_only).generate(&production).unwrap();
    assert_eq!((refused.status, refused.field("errorCode").as_str()), (400, "400.008.01"));
    let mut stray = production_token;
    stray.move_to(&sandbox_only);
    let answer = stray.check(IMSI, "254722000001");
    assert_eq!((answer.status, answer.field("errorCode").as_str()), (403, "403.002.01"));
    sandbox_only.stop();
}

#[test]
fn serving_has_two_token_doors() {
    let (_lab, server) = start(&["sandbox"]);
    let credentials = server.sandbox.clone().unwrap();
    let Credentials { consumer_key: key, consumer_secret: secret, .. } = &credentials;
    let door = Bank::stranger(&server);
    let published = door.generate(&credentials).unwrap();
    let token = published.field("access_token");
    assert_eq!(published.json(), json!({ "access_token": token, "expires_in": "3599" }));
    assert_eq!(published.header("cache-control"), "no-store");
    assert!(token.bytes().all(|b| b.is_ascii_alphanumeric()));

    let standard = |body: String, basic: Option<&str>| {
        let request = door.http().post(format!("{}/oauth2/token", server.base_url));
        let request = request.header("Content-Type", "application/x-www-form-urlencoded").body(body);
        let answer =
            door.send(basic.iter().fold(request, |request, secret| request.basic_auth(key, Some(secret)))).unwrap();
        if answer.status == 200 {
            server.canaries.word(&answer.field("access_token"));
        }
        answer
    };
    let grant = "grant_type=client_credentials";
    let in_header = standard(grant.to_owned(), Some(secret));
    assert_eq!((in_header.status, &in_header.json()["expires_in"]), (200, &3599.into()));
    assert_eq!(standard(format!("{grant}&client_id={key}&client_secret={secret}"), None).status, 200);

    let mut wrong = credentials.clone();
    wrong.consumer_secret.push('x');
    let refused = door.generate(&wrong).unwrap();
    assert_eq!((refused.status, refused.field("errorCode").as_str()), (400, "400.008.01"));
    let refused = standard(grant.to_owned(), Some(&wrong.consumer_secret));
    assert_eq!((refused.status, refused.field("error").as_str()), (401, "invalid_client"));
    let refused = door.get("/oauth/v1/generate?grant_type=client_credentials").unwrap();
    assert_eq!((refused.status, refused.field("errorCode").as_str()), (400, "400.008.01"));
    let grant = door.http().get(format!("{}/oauth/v1/generate", server.base_url)).basic_auth(key, Some(secret));
    let refused = door.send(grant).unwrap();
    assert_eq!((refused.status, refused.field("errorCode").as_str()), (400, "400.008.02"));
    server.stop();
}

#[test]
fn serving_charges_a_question_once_across_restarts() {
    let lab = Lab::new();
    let sample = lab.import_sample(200, 5);
    let number = &sample.served()[0];
    let credentials = lab.partner_app("Bank A", "production");
    let server = lab.serve();
    let mut bank = Bank::of(&server, &credentials);
    let charge = |answer: &Answer| {
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.header("laini-charge").to_owned()
    };
    let plain = |bank: &Bank| charge(&bank.check(IMSI, number));
    let named = |bank: &Bank, id| charge(&bank.try_check(IMSI, number, Some(id)).unwrap());
    assert_eq!([plain(&bank), plain(&bank)], [PAID, FREE]);
    assert_eq!([named(&bank, "order-1"), named(&bank, "order-1"), named(&bank, "order-2")], [PAID, FREE, PAID]);
    assert_eq!(charge(&bank.check(AGE, number)), "KES 4.00", "another product is another question");
    server.stop();

    // The same token and the same memory after a restart.
    let server = lab.serve();
    bank.move_to(&server);
    assert_eq!([named(&bank, "order-1"), named(&bank, "order-2")], [FREE, FREE]);
    let again: Vec<_> = (1..=FREE_REPEATS).map(|_| plain(&bank)).collect();
    let mut expected = vec![FREE; FREE_REPEATS - 1];
    expected.push(PAID);
    assert_eq!(again, expected, "one of {FREE_REPEATS} free repeats was used before the restart");
    server.stop();

    let rows = lab.ledger();
    let count = |outcome: &str| rows.iter().filter(|row| row.outcome == outcome).count();
    assert_eq!((count("answered"), count("repeated")), (5, 8), "{rows:?}");
    for row in &rows {
        let list_price = if row.product == "age" { 400 } else { 2_000 };
        assert_eq!(row.charge_minor, if row.outcome == "answered" { list_price } else { 0 }, "{row:?}");
    }
    assert_eq!(lab.verify_ledger(), 13);
}
