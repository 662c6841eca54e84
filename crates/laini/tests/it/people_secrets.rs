//! What people prove themselves with stands nowhere: not in the log, in no file of the data directory, in no letter.

use std::fs;
use std::path::Path;

use laini_core::access::{TotpSecret, normal_recovery_code};
use serde_json::{Value, json};

use crate::bank::Bank;
use crate::running::{Lab, Running, days_ago};

const EMAIL: &str = "admin@mobile.example";
const FIRST: &str = "four words walk home";
const WRONG: &str = "five words went astray";
const SECOND: &str = "another four words rest";

/// What somebody signs in with, as it must be found nowhere.
#[derive(Default)]
struct Secrets(Vec<Vec<u8>>);

impl Secrets {
    fn add(&mut self, secret: impl AsRef<[u8]>) {
        assert!(secret.as_ref().len() >= 12, "too short to be told from other bytes");
        self.0.push(secret.as_ref().to_vec());
    }

    /// A token's public part is an id, which may stand anywhere.
    fn token(&mut self, answer: &Value) -> String {
        let token = answer["token"].as_str().unwrap();
        self.add(token.rsplit_once('_').unwrap().1);
        token.to_owned()
    }

    fn recovery_codes(&mut self, answer: &Value) -> String {
        let codes = answer["codes"].as_array().unwrap();
        for code in codes {
            self.add(code.as_str().unwrap());
            self.add(&**normal_recovery_code(code.as_str().unwrap()));
        }
        codes[0].as_str().unwrap().to_owned()
    }

    fn assert_absent(&self, place: &str, bytes: &[u8]) {
        for secret in &self.0 {
            let is_there = bytes.windows(secret.len()).any(|window| window == secret);
            assert!(!is_there, "{} in {place}", String::from_utf8_lossy(secret));
        }
    }
}

/// Every file below `directory`, with its bytes.
fn files(directory: &Path) -> Vec<(String, Vec<u8>)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).unwrap().flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.push((path.display().to_string(), fs::read(&path).unwrap()));
        }
    }
    found
}

fn call(bank: &Bank, server: &Running, (method, path): (&str, &str), token: &str, body: &Value) -> Value {
    let url = format!("http://{}/office/v1/{path}", server.address());
    let request = if method == "PUT" { bank.http().put(url) } else { bank.http().post(url) };
    let request = request.header("content-type", "application/json").body(body.to_string());
    let request = if token.is_empty() { request } else { request.header("authorization", format!("Bearer {token}")) };
    let answer = bank.send(request).unwrap();
    if answer.status == 204 { Value::Null } else { answer.json() }
}

/// The bytes that stand behind the Base32 of a second factor.
fn bytes_of(secret: &str) -> [u8; 20] {
    const ALPHABET: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let mut bits = String::new();
    for c in secret.chars() {
        bits += &format!("{:05b}", ALPHABET.find(c).unwrap());
    }
    let bytes: Vec<u8> = (0..20).map(|place| u8::from_str_radix(&bits[place * 8..][..8], 2).unwrap()).collect();
    bytes.try_into().unwrap()
}

#[test]
fn what_people_prove_themselves_with_is_in_no_log_no_file_and_no_letter() {
    let lab = Lab::new();
    let invitation = lab.json(&["staff", "add", EMAIL, "--role", "admin"]);
    let server = lab.serve();
    let bank = Bank::stranger(&server);
    let post = |path: &str, token: &str, body: Value| call(&bank, &server, ("POST", path), token, &body);
    let mut secrets = Secrets::default();
    for password in [FIRST, WRONG, SECOND] {
        secrets.add(password);
    }
    secrets.token(&invitation);
    let accept = json!({"token": invitation["token"], "password": FIRST});
    let session = secrets.token(&post("invitations/accept", "", accept));
    let begun = post("second-factor", &session, json!({"password": FIRST}));
    let secret = begun["secret"].as_str().unwrap();
    secrets.add(secret);
    secrets.add(bytes_of(secret));
    let code = TotpSecret::new(bytes_of(secret)).code_at(days_ago(0));
    let codes = post("second-factor/confirm", &session, json!({"code": *code}));
    let spare = secrets.recovery_codes(&codes);
    let wrong = post("sessions", "", json!({"email": EMAIL, "password": WRONG, "recovery_code": spare}));
    assert_eq!(wrong["errorCode"], "401.005.01");
    let come = post("sessions", "", json!({"email": EMAIL, "password": FIRST, "recovery_code": spare}));
    let session = secrets.token(&come);
    let renewal = json!({"password": FIRST, "code": codes["codes"][1]});
    secrets.recovery_codes(&post("second-factor/recovery-codes", &session, renewal));
    let change = json!({"password": FIRST, "new_password": SECOND});
    assert_eq!(call(&bank, &server, ("PUT", "password"), &session, &change), Value::Null);
    let staff = json!({"email": "second@mobile.example", "name": "S. Econd", "role": "support"});
    assert_eq!(post("staff", &session, staff)["status"], "invited");
    // What was queued is written by the time that the server has stopped, or lies in the store.
    let (out, log) = server.printed();
    server.stop();
    secrets.assert_absent("the output", out.as_bytes());
    secrets.assert_absent("the log", log.as_bytes());
    secrets.assert_absent("the trail", lab.json(&["audit", "list"]).to_string().as_bytes());
    let files = files(lab.data());
    let is_known = |bytes: &[u8]| bytes.windows(EMAIL.len()).any(|window| window == EMAIL.as_bytes());
    assert!(files.iter().any(|(_, bytes)| is_known(bytes)), "the search finds what is there");
    for (name, bytes) in &files {
        secrets.assert_absent(name, bytes);
    }
}
