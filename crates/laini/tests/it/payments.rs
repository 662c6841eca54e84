//! Money that comes in, by the binary: a paybill statement, a balance, and checks that stop where it is used up.

use std::fs;
use std::time::Duration;

use serde_json::{Value, json};

use crate::bank::{Bank, IMSI};
use crate::running::{Lab, wait_until};

/// Promised for a top-up.
const IN_FORCE_WITHIN: Duration = Duration::from_secs(5);

/// A paybill statement as the portal exports it: two payments, a charge, and a payment that was cancelled.
const STATEMENT: &str = "Short Code:,600000\n\
    Organization Name:,Test Mobile\n\
    \n\
    Receipt No.,Completion Time,Initiation Time,Details,Transaction Status,Paid In,Withdrawn,Balance,\
    Balance Confirmed,Reason Type,Other Party Info,Linked Transaction ID,A/C No.\n\
    SKM7A1B2C3,22-11-2026 10:03:45,,Pay Bill from 25472****01 - A PERSON Acc. BANKA,Completed,\"1,160.00\",,,,,\
    254722000001 - A PERSON,,BANKA\n\
    SKM7A1B2C3,22-11-2026 10:03:45,,Pay Bill Charge,Completed,,-5.00,,,,,,\n\
    SKM7A1B2C4,22-11-2026 11:00:00,,Pay Bill from 25472****02 - B PERSON,Completed,200,,,,,,,SOMETHING\n\
    SKM7A1B2C5,22-11-2026 11:00:00,,Pay Bill,Cancelled,200,,,,,,,BANKA\n";

#[test]
fn a_paybill_statement_twice_adds_nothing_the_second_time_and_tops_a_balance_up() {
    let lab = Lab::new();
    lab.json(&["partner", "add", "Bank A"]);
    lab.laini(&["payment", "references", "Bank A", "--set", "BANKA"]);
    let file = lab.path("paybill.csv");
    fs::write(&file, STATEMENT).unwrap();
    let import = ["payment", "import", file.to_str().unwrap(), "--format", "mpesa"];
    let counted = |report: &Value| {
        [&report["added"], &report["matched"], &report["known"], &report["passed_over"]].map(Value::clone)
    };
    assert_eq!(counted(&lab.json(&import)), [2, 1, 0, 2].map(|n| json!(n)));
    // Without --format the statement tells itself what it is.
    assert_eq!(counted(&lab.json(&import[..3])), [0, 0, 2, 2].map(|n| json!(n)));

    let all = lab.json(&["payment", "list"]);
    assert_eq!(all.as_array().unwrap().len(), 2);
    assert!(!all.to_string().contains("PERSON"), "who paid is nobody's business: {all}");
    let unmatched = lab.json(&["payment", "list", "--unmatched"]);
    assert_eq!(unmatched[0]["bank_id"], "SKM7A1B2C4");
    let id = unmatched[0]["payment"].as_str().unwrap();
    lab.laini(&["payment", "match", id, "--partner", "Bank A"]);
    lab.laini(&["payment", "reverse", id, "--reason", "it was another bank's"]);
    assert!(lab.refused(&["payment", "reverse", id, "--reason", "again"]).contains("was reversed already"));

    let credit = lab.json(&["ageing"])["partners"][0]["credit_minor"].clone();
    assert_eq!(credit, 116_000);
    let statement =
        lab.laini(&["statement", "Bank A", "--from", "2026-11-01", "--until", "2026-11-23", "--format", "csv"]);
    // Which of the two of a day stands first is their ids' affair; the sum at the end is not.
    let paid: Vec<_> = statement.lines().filter(|line| line.starts_with("2026-11-22,payment,")).collect();
    assert!(paid.len() == 2 && paid.iter().any(|line| line.contains(",,1160.00,")), "{statement}");
    assert!(statement.ends_with("2026-11-23,closing_balance,,,,-1360.00,KES\n"), "{statement}");
    let pdf = lab.path("statement.pdf");
    lab.laini(&["statement", "Bank A", "--format", "pdf", "--out", pdf.to_str().unwrap()]);
    assert!(fs::read(&pdf).unwrap().starts_with(b"%PDF-"));
    assert!(lab.refused(&["prepaid", "show", "Bank A"]).contains("Bank A pays invoices"));
    let own = lab.json(&["payment", "list", "--partner", "Bank A"]);
    let paid = own.as_array().unwrap().iter().find(|one| one["bank_id"] == "SKM7A1B2C3").unwrap();
    let top_up = ["prepaid", "top-up", "Bank A", "--payment", paid["payment"].as_str().unwrap()];
    let balance = lab.json(&top_up);
    assert_eq!((&balance["paid_minor"], &balance["left_minor"]), (&json!(100_000), &json!(100_000)), "without its tax");
    assert!(lab.refused(&top_up).contains("KES 0.00 are free"));
    assert_eq!(lab.json(&["ageing"])["partners"], json!([]));
}

#[test]
fn checks_stop_where_a_balance_is_used_up_and_a_restart_gives_nothing_back() {
    let lab = Lab::new();
    let numbers = lab.import_sample(100, 1).served();
    let app = lab.partner_app("Bank A", "production");
    let pay = |amount: &str| {
        let payment = lab.json(&["payment", "add", "--partner", "Bank A", "--amount", amount]);
        lab.json(&["prepaid", "top-up", "Bank A", "--payment", payment["payment"].as_str().unwrap()])
    };
    // Three checks of KES 20.00, with 16 % tax.
    assert_eq!(pay("69.60")["paid_minor"], 6_000);
    let server = lab.serve();
    let mut bank = Bank::of(&server, &app);
    let mut fresh = numbers.iter();
    let awaited = fresh.next().unwrap();
    let mut status = |bank: &Bank| bank.check(IMSI, fresh.next().unwrap()).status;
    assert_eq!([(); 4].map(|()| status(&bank)), [200, 200, 200, 429]);
    pay("23.20");
    // What is refused is not asked about: one number will do for all looks.
    wait_until("a top-up holds", IN_FORCE_WITHIN, || bank.check(IMSI, awaited).status == 200);
    assert_eq!(status(&bank), 429);
    server.stop();
    let server = lab.serve();
    bank.move_to(&server);
    let refused = bank.check(IMSI, numbers.last().unwrap());
    assert_eq!((refused.status, refused.field("errorCode").as_str()), (429, "500.003.03"));
    let left = lab.json(&["prepaid", "show", "Bank A"]);
    assert_eq!((&left["used_minor"], &left["left_minor"]), (&json!(8_000), &json!(0)));
    server.stop();
}
