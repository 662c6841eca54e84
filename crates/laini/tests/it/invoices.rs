//! A month that is over becomes invoices, which the operator and the partner prove right, each by itself.

use std::sync::Arc;
use std::time::Duration;

use jiff::SignedDuration;
use jiff::tz::TimeZone;
use laini_core::access::{KeyTree, RootKey};
use laini_core::billing::{Money, Month, PriceStamp};
use laini_core::partner::{AgreementId, PartnerId, Product};
use laini_core::store::{Draft, Ledger as _};
use laini_store_sqlite::{LedgerSettings, SqliteLedger};
use laini_testkit::contract::ledger::{Desk, FixedDayKeys, QUESTION, Question};
use serde_json::{Value, json};

use crate::bank::Bank;
use crate::portal::Browser;
use crate::running::{Lab, days_ago, wait_until};

/// So many `imsi` and `swap` checks, two months ago.
const CHECKS: u32 = 40;
/// What is worked out for a page is there so soon.
const WITHIN: Duration = Duration::from_secs(20);

fn month() -> Month {
    Month::of(days_ago(0), &TimeZone::get("Africa/Nairobi").unwrap()).previous().previous()
}

/// The keys of a lab, whose ledger is written here.
fn keys(lab: &Lab) -> KeyTree {
    let hex = std::fs::read_to_string(lab.data().join("keys/root-1.key")).unwrap();
    let byte = |place: usize| u8::from_str_radix(&hex.trim()[2 * place..2 * place + 2], 16).unwrap();
    KeyTree::new(RootKey::new(std::array::from_fn(byte)))
}

/// A lab in whose ledger stand checks of a partner, two months ago.
fn lab() -> Lab {
    let lab = Lab::new();
    let partner = lab.json(&["partner", "add", "Bank A"]);
    let agreement = lab.json(&["agreement", "show", "Bank A"]);
    let partner = PartnerId::parse(partner["partner"].as_str().unwrap()).unwrap();
    let agreement = AgreementId::parse(agreement["agreement"].as_str().unwrap()).unwrap();
    let (days, settings) = (Arc::new(FixedDayKeys::default()), LedgerSettings::default());
    let ledger = SqliteLedger::open(lab.data(), keys(&lab).chain(), days, settings).unwrap();
    let desk = Desk::default();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let begun = month().begins(&TimeZone::get("Africa/Nairobi").unwrap());
    for line in 0..CHECKS {
        let at = begun + SignedDuration::from_hours(i64::from(line));
        let (product, list) = if line % 4 == 0 { (Product::Swap, 100) } else { (Product::Imsi, 2_000) };
        let draft = desk.answered(Question { product, line, ..QUESTION }, at);
        let list = Money { minor: list, ..draft.price.list };
        let price = PriceStamp { version: 1, list, exact: product == Product::Imsi };
        let draft = Draft { partner, agreement: Some(agreement), price, ..draft };
        runtime.block_on(ledger.record(draft)).unwrap();
    }
    lab
}

#[test]
fn a_month_is_closed_and_proved_right_by_both_sides() {
    let lab = lab();
    let month = month().to_string();
    let closed = lab.json(&["invoice", "close", &month]);
    assert_eq!((&closed[0]["invoices_made"], &closed[0]["was_closed"]), (&1.into(), &false.into()), "{closed}");
    assert_eq!(lab.json(&["invoice", "close", &month])[0]["was_closed"], true);
    let shown = lab.json(&["invoice", "show", "1"]);
    // 30 `imsi` at 20.00; 10 `swap`, all free, and their set-up fee; 16 % tax.
    let total = (30 * 2_000 + 5_000_000) * 116 / 100;
    assert_eq!(shown["statement"]["total_minor"], total, "{shown}");
    assert!(lab.laini(&["invoice", "list"]).contains("KES 58696.00"));
    assert!(lab.laini(&["invoice", "verify", "1"]).contains("right to the cent; chain heads found in the ledger: 1"));

    let (invoice, export, rows) = (lab.path("invoice.json"), lab.path("ledger.csv"), lab.path("rows.csv"));
    let [invoice, export, rows] = [&invoice, &export, &rows].map(|path| path.to_str().unwrap());
    lab.laini(&["invoice", "print", "1", "--form", "json", "--output", invoice]);
    lab.laini(&["ledger", "export", "--format", "csv", "--output", export]);
    lab.laini(&["invoice", "rows", "1", "--line", "1", "--output", rows]);
    let told = lab.laini(&["verify-invoice", invoice, "--export", export]);
    assert!(told.contains("40 units") && told.contains("right to the cent"), "{told}");
    assert_eq!(std::fs::read_to_string(rows).unwrap().lines().count(), 1 + 30);
    // One row that is not there is missed.
    let text = std::fs::read_to_string(export).unwrap();
    let without: Vec<&str> = text.lines().enumerate().filter(|(place, _)| *place != 2).map(|(_, line)| line).collect();
    std::fs::write(export, without.join("\n")).unwrap();
    let output = lab.output(&["verify-invoice", invoice, "--export", export]);
    assert_eq!(output.status.code(), Some(1));
    let refused = String::from_utf8(output.stderr).unwrap();
    assert!(refused.contains("does not follow from the export"), "{refused}");
}

#[test]
fn a_partner_proves_its_invoice_right_by_what_it_fetches() {
    let lab = lab();
    lab.json(&["invoice", "close", &month().to_string()]);
    let invited = lab.json(&["member", "add", "Bank A", "payer@bank.example", "--role", "billing"]);
    let server = lab.serve();
    let bank = Bank::stranger(&server);
    let accept = json!({"token": invited["token"], "password": "four words walk home"}).to_string();
    let accepted = bank.post("/office/v1/invitations/accept", &[], &accept);
    let token = accepted.unwrap().field("token");
    let fetched = |path: &str| {
        let answer = bank.send(bank.http().get(bank.url(path)).bearer_auth(&token)).unwrap();
        assert_eq!(answer.status, 200, "{answer:?}");
        answer
    };
    let me = fetched("/office/v1/me").json();
    let own = format!("/office/v1/partners/{}", me["partner"].as_str().unwrap());
    let statement = fetched(&format!("{own}/invoices/1")).json()["statement"].to_string();
    let (invoice, export) = (lab.path("fetched.json"), lab.path("fetched.csv"));
    std::fs::write(&invoice, statement).unwrap();
    std::fs::write(&export, &fetched(&format!("{own}/ledger")).text).unwrap();
    server.stop();
    let [invoice, export] = [&invoice, &export].map(|path| path.to_str().unwrap());
    let told = lab.laini(&["verify-invoice", invoice, "--export", export]);
    assert!(told.contains("40 units") && told.contains("right to the cent"), "{told}");
    assert_eq!(lab.laini(&["ledger", "export"]), std::fs::read_to_string(export).unwrap());
}

#[test]
fn what_reads_a_month_is_worked_out_once_and_shown_on_its_page() {
    let lab = lab();
    lab.json(&["invoice", "close", &month().to_string()]);
    lab.json(&["partner", "add", "Bank B"]);
    let server = lab.serve();
    let payer = |partner: &str, email: &str| {
        Browser::of_person(&lab, &server, &["member", "add", partner, email, "--role", "billing"])
    };
    let (own, other) = (payer("Bank A", "p@a.example"), payer("Bank B", "p@b.example"));
    let shows = |path: &str, text: &str| {
        wait_until(&format!("{path} shows {text}"), WITHIN, || own.get(path).text.contains(text));
    };
    // The first look works out where the lines part.
    shows("/invoices/1/lines/1", "<th scope=\"row\" class=\"mono\">");
    assert_eq!(own.get("/invoices/1/lines/1").text.matches("<th scope=\"row\" class=\"mono\">").count(), 30);
    let verified = own.post("/invoices/1/verify", &own.csrf, None);
    assert!([200, 303].contains(&verified.status), "{verified:?}");
    shows("/invoices/1", "right to the cent");
    let begun = month().begins(&TimeZone::get("Africa/Nairobi").unwrap());
    let day = |days: i64| {
        let at = begun + SignedDuration::from_hours(24 * days);
        at.to_zoned(TimeZone::get("Africa/Nairobi").unwrap()).date()
    };
    let asked = format!("from={}&until={}", day(0), day(3));
    let (references, csv) = (format!("/usage/references?{asked}"), format!("/usage/references.csv?{asked}"));
    assert_eq!(own.get(&csv).status, 303, "what was not counted is counted on its page");
    shows(&references, "Counted at");
    let counted = |page: &str| page.split("Counted at ").nth(1).unwrap().split('<').next().unwrap().to_owned();
    let at = counted(&own.get(&references).text);
    let sorted = own.get(&format!("{references}&sort=-checks"));
    assert_eq!(counted(&sorted.text), at, "sorting counts nothing again");
    let file = own.get(&format!("{csv}&sort=-checks"));
    assert_eq!((file.status, file.text.lines().count()), (200, 3), "{file:?}");
    assert!(file.text.contains(",imsi,30,30,60000,KES"), "{file:?}");
    // None of it is shown to another partner.
    for path in ["/invoices/1/lines/1", "/invoices/1"] {
        assert_eq!(other.get(path).status, 404, "{path}");
    }
    assert_eq!(other.post("/invoices/1/verify", &other.csrf, None).status, 404);
    assert_eq!(other.get(&csv).status, 303);
    let again = own.get(&format!("{references}&again=1"));
    assert_eq!((again.status, again.header("location")), (303, references.as_str()), "{again:?}");
    assert_eq!(own.get(&csv).status, 303, "it is forgotten");
    server.stop();
}

#[test]
fn what_a_line_gives_back_is_a_paper_of_its_own() {
    let lab = lab();
    lab.json(&["invoice", "close", &month().to_string()]);
    let dispute = lab.json(&["invoice", "dispute", "1", "--line", "1", "--reason", "we count fewer"]);
    let id = dispute["id"].as_str().unwrap();
    assert!(lab.laini(&["invoice", "disputes"]).contains("we count fewer"));
    let settled = lab.json(&["invoice", "settle", id, "--accept", "20.00", "--answer", "you are right"]);
    assert_eq!(settled["state"]["accepted"]["credit_note"], 1, "{settled}");
    let credit = lab.json(&["invoice", "credit", "1", "--line", "2=50000", "--reason", "goodwill"]);
    assert_eq!((&credit["number"], &credit["total_minor"]), (&2.into(), &5_800_000.into()));
    assert!(lab.laini(&["invoice", "print", "2", "--credit-note"]).contains("<h1>Credit note 2</h1>"));
    let too_much = lab.refused(&["invoice", "credit", "1", "--line", "2=0.01", "--reason", "more"]);
    assert!(too_much.contains("only 0 minor units are left"), "{too_much}");
    let shown: Value = lab.json(&["price", "show", "Bank A"]);
    assert_eq!(shown.as_array().unwrap().len(), 3, "{shown}");
    let simulated =
        lab.json(&["price", "simulate", "Bank A", "imsi", "--month", &month().to_string(), "--bands", "10=20,15"]);
    let sums = (&simulated["was_minor"], &simulated["would_be_minor"]);
    assert_eq!(sums, (&60_000.into(), &50_000.into()), "{simulated}");
}
