//! The office on a database: the way from a partner to a proved invoice, by commands and over HTTP.

use jiff::tz::TimeZone;
use laini_core::billing::Month;
use serde_json::Value;

use crate::bank::{Bank, IMSI};
use crate::noon::under_faketime;
use crate::running::{Lab, days_ago, succeed};
use crate::store_copy::Place;

/// A command after the end of this month and the next one's first days.
fn next_month(lab: &Lab, args: &[&str]) -> String {
    succeed(args, under_faketime(lab, &["-f", "+35d"], args).output().unwrap())
}

#[test]
fn a_partner_is_added_priced_asks_and_is_invoiced_on_a_database() {
    let lab = Lab::new();
    let place = Place::new(&lab);
    place.configure(&lab);
    let numbers = lab.import_sample(50, 1).served();
    let partner = lab.json(&["partner", "add", "Bank A"]);
    let app = lab.app("Bank A", "production", "imsi,swap");
    lab.json(&["agreement", "change", "Bank A", "--exact-times", "true", "--reason", "amendment 2"]);
    assert_eq!(lab.json(&["agreement", "list", "Bank A"]).as_array().unwrap().len(), 2);
    let prices = lab.json(&["price", "show", "Bank A"]);
    assert!(prices.to_string().contains("2000"), "{prices}");
    let added = lab.json(&["staff", "add", "finance@mobile.example", "--role", "finance"]);

    let server = lab.serve();
    let bank = Bank::of(&server, &app);
    for number in &numbers[..3] {
        assert!(bank.check(IMSI, number).header("Laini-Charge").starts_with("KES 20.00"));
    }
    let clerk = Bank::of_person(&server, added["token"].as_str().unwrap());
    let of_partner = |path: &str| {
        let url = clerk.url(&format!("/office/v1/partners/{}/{path}", partner["partner"].as_str().unwrap()));
        let answer = clerk.send(clerk.http().get(url).bearer_auth(clerk.token())).unwrap();
        assert_eq!(answer.status, 200, "{path}: {answer:?}");
        answer.json()
    };
    // The price stayed as it was, so both versions of the agreement have its first version.
    let priced = of_partner("prices");
    assert!(priced["prices"].as_array().unwrap().iter().all(|price| price["version"] == 1), "{priced}");
    assert_eq!(of_partner("agreements")["agreements"].as_array().unwrap().len(), 2);
    server.stop();
    lab.verify_ledger();

    let month = Month::of(days_ago(0), &TimeZone::get("Africa/Nairobi").unwrap()).to_string();
    let closed: Value = serde_json::from_str(&next_month(&lab, &["invoice", "close", &month, "--json"])).unwrap();
    assert_eq!((&closed[0]["invoices_made"], &closed[0]["was_closed"]), (&1.into(), &false.into()), "{closed}");
    let shown: Value = serde_json::from_str(&next_month(&lab, &["invoice", "show", "1", "--json"])).unwrap();
    // Three at 20.00, and 16 % tax.
    assert_eq!(shown["statement"]["total_minor"], 3 * 2_000 * 116 / 100, "{shown}");
    assert!(next_month(&lab, &["invoice", "verify", "1"]).contains("right to the cent"));
}
