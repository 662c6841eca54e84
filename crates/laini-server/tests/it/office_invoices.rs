//! Invoices over HTTP: who pays sees its own, and disputes; who is paid gives back.

use laini_core::billing::Month;
use laini_core::partner::{MemberRole, PartnerId, StaffRole};
use laini_office::Actor;
use laini_office::billing::{Invoice, close_month};
use laini_office::people::Seat;
use serde_json::{Value, json};

use crate::office::signed_in;
use crate::wire::{Reply, request};
use crate::world::World;

const BANK: PartnerId = PartnerId::from_stored(1);
const IMSI: &str = "/imsi/v1/checkATI";

async fn call(world: &World, token: &str, method: &str, path: &str, body: &Value) -> Reply {
    let (headers, body) = match body {
        Value::Null => (String::new(), String::new()),
        body => ("Content-Type: application/json\r\n".to_owned(), body.to_string()),
    };
    world.send(request(method, path, &format!("Authorization: Bearer {token}\r\n{headers}"), &body)).await
}

/// A world in which November was asked in and is closed, with its invoice.
async fn closed() -> (World, Invoice) {
    let world = World::start().await;
    for number in ["254733000001", "254733000002"] {
        world.put(number, "2020-01-12T00:00:00Z", None);
        assert_eq!(world.check(IMSI, number).await.status, 200);
    }
    world.clock.advance(10 * 86_400);
    let office = std::sync::Arc::clone(&world.office);
    let closing = tokio::task::spawn_blocking(move || {
        let now = "2026-12-02T00:00:00Z".parse().unwrap();
        close_month(&office, &Actor::System, Month::parse("2026-11").unwrap(), now, false).unwrap();
        office.run(&Actor::System, now, |work| work.get::<Invoice>(laini_core::store::RecordId(1))).unwrap()
    });
    (world, closing.await.unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_invoice_is_seen_disputed_and_given_back() {
    let (world, invoice) = closed().await;
    let payer = signed_in(&world, 1, Seat::Member { partner: BANK, role: MemberRole::Billing });
    let finance = signed_in(&world, 2, Seat::Staff { role: StaffRole::Finance });
    let own = format!("/office/v1/partners/{BANK}/invoices");
    let listed = call(&world, &payer, "GET", &own, &Value::Null).await.json();
    assert_eq!((&listed["invoices"][0]["number"], &listed["invoices"][0]["total_minor"]), (&json!(1), &json!(4_640)));
    let of_month = call(&world, &finance, "GET", "/office/v1/invoices?month=2026-11", &Value::Null).await.json();
    assert_eq!(of_month["invoices"], listed["invoices"]);
    let shown = call(&world, &payer, "GET", &format!("{own}/1"), &Value::Null).await.json();
    let canonical: Value = serde_json::from_slice(&invoice.json().unwrap()).unwrap();
    assert_eq!(shown["statement"], canonical);
    // The canonical form and the wire's are the same bytes.
    let typed: laini_wire::office::invoices::InvoiceStatement =
        serde_json::from_slice(&invoice.json().unwrap()).unwrap();
    assert_eq!(serde_json::to_vec(&typed).unwrap(), invoice.json().unwrap());
    let lines = call(&world, &payer, "GET", &format!("{own}/1/lines"), &Value::Null).await;
    assert!(lines.body.contains("1,2026-11,1,units,imsi,1,2,2000,4000,KES"), "{}", lines.body);
    let paper = call(&world, &payer, "GET", &format!("{own}/1/paper"), &Value::Null).await;
    assert!(paper.body.contains("<h1>Invoice 1</h1>"), "{}", paper.body);

    let dispute = json!({"line": 1, "reason": "we count one"});
    let opened = call(&world, &payer, "POST", &format!("{own}/1/disputes"), &dispute).await;
    assert_eq!(opened.status, 201, "{}", opened.body);
    let waiting = call(&world, &finance, "GET", "/office/v1/disputes", &Value::Null).await.json();
    assert_eq!(waiting["disputes"][0], opened.json());
    let path = format!("/office/v1/partners/{BANK}/disputes/{}", opened.text("dispute"));
    let settlement = json!({"accept_minor": 2_000, "answer": "you are right"});
    let settled = call(&world, &finance, "POST", &path, &settlement).await;
    assert_eq!((settled.text("state").as_str(), &settled.json()["credit_note"]), ("accepted", &json!(1)));
    let too_much = json!({"lines": [{"line": 1, "amount_minor": 2_001}], "reason": "goodwill"});
    let refused = call(&world, &finance, "POST", &format!("{own}/1/credits"), &too_much).await;
    assert_eq!(refused.status, 400, "{}", refused.body);
    let verified = call(&world, &finance, "GET", &format!("{own}/1/verification"), &Value::Null).await.json();
    assert_eq!((&verified["differences"], &verified["total_minor"]), (&json!([]), &json!(4_640)));
    let receipt = json!({"number": "KRA0001/7", "qr": "https://etims.example/1"});
    let kept = call(&world, &finance, "POST", &format!("{own}/1/tax-receipt"), &receipt).await;
    assert_eq!(kept.status, 204, "{}", kept.body);
    let shown = call(&world, &payer, "GET", &format!("{own}/1"), &Value::Null).await.json();
    assert_eq!((&shown["credit_notes"][0]["total_minor"], &shown["tax_receipt"]), (&json!(2_320), &receipt));
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_sees_anothers_invoice() {
    let (world, _) = closed().await;
    let other = PartnerId::from_stored(12);
    let stranger = signed_in(&world, 1, Seat::Member { partner: other, role: MemberRole::Owner });
    let finance = signed_in(&world, 2, Seat::Staff { role: StaffRole::Finance });
    // Under the bank's path, and the bank's number under its own.
    for partner in [BANK, other] {
        let path = format!("/office/v1/partners/{partner}/invoices/1");
        assert_eq!(call(&world, &stranger, "GET", &path, &Value::Null).await.status, 404);
        let dispute = json!({"line": 1, "reason": "not mine"});
        assert_eq!(call(&world, &stranger, "POST", &format!("{path}/disputes"), &dispute).await.status, 404);
    }
    let wrong = format!("/office/v1/partners/{other}/invoices/1");
    assert_eq!(call(&world, &finance, "GET", &wrong, &Value::Null).await.status, 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn usage_and_prices_are_told() {
    let (world, _) = closed().await;
    let payer = signed_in(&world, 1, Seat::Member { partner: BANK, role: MemberRole::Owner });
    let finance = signed_in(&world, 2, Seat::Staff { role: StaffRole::Finance });
    let of = format!("/office/v1/partners/{BANK}");
    let days = format!("{of}/usage?from=2026-11-01&until=2026-12-01");
    let usage = call(&world, &payer, "GET", &days, &Value::Null).await.json();
    assert_eq!((&usage["usage"][0]["checks"], &usage["usage"][0]["day"]), (&json!(2), &json!("2026-11-22")));
    let without = call(&world, &payer, "GET", &format!("{of}/usage"), &Value::Null).await;
    assert_eq!(without.status, 400);
    let references = format!("{of}/usage/references?from=2026-11-01&until=2026-12-01");
    let told = call(&world, &payer, "GET", &references, &Value::Null).await.json();
    assert_eq!(told["references"][0]["checks"], 2, "{told}");
    let prices = call(&world, &payer, "GET", &format!("{of}/prices"), &Value::Null).await.json();
    assert_eq!(prices["prices"][0]["bands"], json!([{"up_to": null, "unit_minor": 2_000}]));
    let other = json!({
        "product": "imsi", "month": "2026-11", "set_up_minor": 0, "free_units": 1, "free_per_month": true,
        "bands": [{"up_to": null, "unit_minor": 3_000}], "monthly_minimum_minor": 0,
    });
    let simulated = call(&world, &finance, "POST", &format!("{of}/prices/simulation"), &other).await.json();
    let sums = (&simulated["was_minor"], &simulated["would_be_minor"]);
    assert_eq!(sums, (&json!(4_000), &json!(3_000)), "{simulated}");
}
