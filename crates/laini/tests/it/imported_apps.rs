//! Credentials of another gateway work as they are; a rotation has an overlap, and an end.

use std::fmt::Write as _;
use std::fs;
use std::time::Duration;

use laini_core::access::ConsumerSecret;
use serde_json::Value;

use crate::bank::{Bank, IMSI, SWAP};
use crate::running::{Credentials, Lab, wait_until};

/// Promised for changes of accounts.
const IN_FORCE_WITHIN: Duration = Duration::from_secs(5);
const PERSONA: &str = "254722000001";

fn credentials(key: &str, secret: &str) -> Credentials {
    let (consumer_key, consumer_secret) = (key.to_owned(), secret.to_owned());
    Credentials { name: String::new(), consumer_key, consumer_secret }
}

#[test]
fn imported_credentials_get_a_token_and_rotate() {
    const KEY: &str = "wU62DjlyDBnq87GlBwplfqvmAbAa";
    const SECRET: &str = "Zq8xLm2Vt7Rk4Ws9";
    let lab = Lab::new();
    lab.json(&["partner", "add", "Bank A"]);
    lab.canaries.word(SECRET);
    let mut digest = String::new();
    for byte in ConsumerSecret::presented("n0t-sh0wn-t0-an-0perat0r").hash().0 {
        write!(digest, "{byte:02x}").unwrap();
    }
    let file = lab.path("apps.csv");
    let header = "consumer_key,consumer_secret,consumer_secret_sha256,name,environment,products\n";
    let good =
        format!("{header}{KEY},{SECRET},,core,sandbox,\"imsi,swap\"\nbank_a-cards.prod,,{digest},cards,sandbox,imsi\n");

    // One bad row keeps all of them out, and no secret is told.
    fs::write(&file, format!("{good}short,{SECRET},,core,live,imsi\n")).unwrap();
    let import = ["app", "import", file.to_str().unwrap(), "--partner", "Bank A"];
    let output = lab.output(&import);
    let said = String::from_utf8(output.stdout).unwrap() + &String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("line 4 (core)") && said.contains("nothing was imported"), "{said}");
    assert!(!said.contains(SECRET), "{said}");
    assert_eq!(lab.json(&["app", "list"]).as_array().unwrap().len(), 0);

    fs::write(&file, &good).unwrap();
    assert_eq!(lab.json(&[&import[..], &["--dry-run"]].concat())["imported"], 0);
    assert_eq!(lab.json(&import)["imported"], 2);
    let server = lab.serve();
    let old = credentials(KEY, SECRET);
    assert_eq!(Bank::of(&server, &old).check(IMSI, PERSONA).status, 200);
    let hashed = credentials("bank_a-cards.prod", "n0t-sh0wn-t0-an-0perat0r");
    assert_eq!(Bank::of(&server, &hashed).check(IMSI, PERSONA).status, 200);

    // Both secrets are good, until the old one is retired.
    let rotated = lab.json(&["app", "rotate", KEY]);
    let new = credentials(KEY, rotated["consumer_secret"].as_str().unwrap());
    lab.canaries.word(&new.consumer_secret);
    let (stranger, bank) = (Bank::stranger(&server), Bank::of(&server, &old));
    // What the server has seen is told by products: whoever tries secrets again and again is slowed down.
    let is_seen = |products: &str, status: u16| {
        lab.json(&["app", "products", KEY, products]);
        wait_until("the change is in force", IN_FORCE_WITHIN, || bank.check(SWAP, PERSONA).status == status);
    };
    let gets_token = |credentials: &Credentials| stranger.generate(credentials).unwrap().status == 200;
    is_seen("imsi", 401);
    assert!(gets_token(&new) && gets_token(&old));
    assert!(lab.refused(&["app", "rotate", KEY]).contains("two secrets are good already"));
    assert_eq!(lab.json(&["app", "retire-secret", KEY, "0"])["secrets"], serde_json::json!([1]));
    is_seen("imsi,swap", 200);
    assert!(!gets_token(&old) && gets_token(&new));
    assert_eq!(Bank::of(&server, &new).check(IMSI, PERSONA).status, 200);
    let products = lab.json(&["app", "products", KEY, "swap"]);
    assert_eq!(products["products"], "swap");
    let bank = Bank::of(&server, &new);
    wait_until("a product that was unticked is refused", IN_FORCE_WITHIN, || bank.check(IMSI, PERSONA).status == 401);

    // When they were last used is written down at the latest as the server stops.
    server.stop();
    let shown = lab.json(&["app", "show", KEY]);
    assert_eq!(shown["secrets"][0]["number"], 1);
    assert!(shown["secrets"][0]["last_used"].is_string(), "{shown}");
    let ending = &new.consumer_secret[new.consumer_secret.len() - 4..];
    assert_eq!(shown["secrets"][0]["ending"], ending);
    let unused = lab.json(&["app", "rotate", "cards"]);
    assert!(unused["consumer_secret"].is_string());
    let cards = lab.json(&["app", "show", "cards"]);
    assert_eq!(cards["secrets"][1]["last_used"], Value::Null);
    assert_eq!(cards["secrets"][0]["ending"], Value::Null, "nothing is kept of a secret that was brought along");
    assert_eq!(lab.json(&["app", "go-live", "list"]), serde_json::json!([]));
}
