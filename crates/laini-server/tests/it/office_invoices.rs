//! Invoices over HTTP: who pays sees its own, and disputes; who is paid gives back.

use std::time::Duration;

use laini_core::billing::Month;
use laini_core::partner::{MemberRole, PartnerId, StaffRole};
use laini_core::store::RowQuery;
use laini_core::support::CallTimes;
use laini_office::Actor;
use laini_office::billing::{Invoice, Names, close_month, export_csv};
use laini_office::call_times::{add_call_times, partner_call_times};
use laini_office::people::Seat;
use laini_server::Clock as _;
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

/// A world in which November was asked in and is over.
async fn december() -> World {
    let world = World::start().await;
    for number in ["254733000001", "254733000002"] {
        world.put(number, "2020-01-12T00:00:00Z", None);
        assert_eq!(world.check(IMSI, number).await.status, 200);
    }
    world.clock.advance(10 * 86_400);
    world
}

/// The same, closed, with its invoice.
async fn closed() -> (World, Invoice) {
    let world = december().await;
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
    for either in [&finance, &payer] {
        let verified = call(&world, either, "GET", &format!("{own}/1/verification"), &Value::Null).await.json();
        assert_eq!((&verified["differences"], &verified["total_minor"]), (&json!([]), &json!(4_640)));
        assert_eq!(verified["chain_heads"], 1);
        let sale = call(&world, either, "GET", &format!("{own}/1/etims"), &Value::Null).await.json();
        assert_eq!((&sale["invcNo"], &sale["totAmt"]), (&json!(1), &json!(46.4)), "{sale}");
    }
    let told = |number: u64| format!("/office/v1/partners/{BANK}/credit-notes/{number}/etims");
    let credit = call(&world, &finance, "GET", &told(1), &Value::Null).await.json();
    let told_of = (&credit["rcptTyCd"], &credit["orgInvcNo"], &credit["totAmt"]);
    assert_eq!(told_of, (&json!("R"), &json!(1), &json!(23.2)), "{credit}");
    assert_eq!(call(&world, &finance, "GET", &told(2), &Value::Null).await.status, 404);
    let receipt = json!({"number": "KRA0001/7", "qr": "https://etims.example/1"});
    let kept = call(&world, &finance, "POST", &format!("{own}/1/tax-receipt"), &receipt).await;
    assert_eq!(kept.status, 204, "{}", kept.body);
    let shown = call(&world, &payer, "GET", &format!("{own}/1"), &Value::Null).await.json();
    assert_eq!((&shown["credit_notes"][0]["total_minor"], &shown["tax_receipt"]), (&json!(2_320), &receipt));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_month_is_closed_once() {
    let world = december().await;
    let finance = signed_in(&world, 1, Seat::Staff { role: StaffRole::Finance });
    let close = async |month: &str| {
        let body = json!({"month": month});
        call(&world, &finance, "POST", "/office/v1/closes", &body).await
    };
    let early = close("2026-12").await;
    assert_eq!(early.status, 409, "{}", early.body);
    let next = call(&world, &finance, "GET", "/office/v1/closes/next", &Value::Null).await.json();
    assert_eq!((&next["month"], &next["is_over"], &next["begun"]), (&json!("2026-11"), &json!(true), &Value::Null));
    let no_month = close("December").await;
    assert_eq!(no_month.status, 400, "{}", no_month.body);
    let done = close("2026-11").await.json();
    assert_eq!(done, json!({"month": "2026-11", "invoices_made": 1, "was_closed": false}));
    let again = close("2026-11").await.json();
    assert_eq!(again, json!({"month": "2026-11", "invoices_made": 0, "was_closed": true}));
    let closes = call(&world, &finance, "GET", "/office/v1/closes", &Value::Null).await.json();
    assert_eq!((&closes["closes"][0]["month"], &closes["closes"][0]["is_done"]), (&json!("2026-11"), &json!(true)));
    let next = call(&world, &finance, "GET", "/office/v1/closes/next", &Value::Null).await.json();
    assert_eq!((&next["month"], &next["is_over"]), (&json!("2026-12"), &json!(false)));
    let revenue = call(&world, &finance, "GET", "/office/v1/revenue?months=2", &Value::Null).await.json();
    let brought = &revenue["revenue"][0];
    assert_eq!((&brought["month"], &brought["is_invoiced"]), (&json!("2026-11"), &json!(true)), "{revenue}");
    let too_many = call(&world, &finance, "GET", "/office/v1/revenue?months=25", &Value::Null).await;
    assert_eq!(too_many.status, 400);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_running_month_is_told_to_who_pays_and_prices_are_finances() {
    let world = december().await;
    let payer = signed_in(&world, 1, Seat::Member { partner: BANK, role: MemberRole::Billing });
    let of = format!("/office/v1/partners/{BANK}");
    let month = call(&world, &payer, "GET", &format!("{of}/usage/month"), &Value::Null).await.json();
    assert_eq!(month["month"], "2026-12", "{month}");
    assert!(month["products"].as_array().is_some_and(|products| !products.is_empty()), "{month}");
    let price = json!({"product": "imsi", "bands": [{"up_to": null, "unit_minor": 1_800}]});
    let refused = call(&world, &payer, "POST", &format!("{of}/prices"), &price).await;
    assert_eq!(refused.status, 403);
    let finance = signed_in(&world, 2, Seat::Staff { role: StaffRole::Finance });
    let none = json!({"product": "everything", "bands": []});
    assert_eq!(call(&world, &finance, "POST", &format!("{of}/prices"), &none).await.status, 400);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_ledger_is_exported_as_commands_export_it_and_each_partner_has_its_own_rows() {
    let world = december().await;
    let payer = signed_in(&world, 1, Seat::Member { partner: BANK, role: MemberRole::Billing });
    let finance = signed_in(&world, 2, Seat::Staff { role: StaffRole::Finance });
    let path = format!("/office/v1/partners/{BANK}/ledger");
    let query = RowQuery { limit: 100, ..RowQuery::default() };
    let rows = world.office.ledger.placed(query).await.unwrap();
    let names = Names::of(world.office.accounts.load().await.unwrap());
    let rows = rows.iter().filter(|placed| placed.row.partner == BANK).map(|placed| names.row(placed));
    let expected = String::from_utf8(export_csv(rows, true).unwrap()).unwrap();
    assert_eq!(expected.lines().count(), 1 + 2);
    for token in [&payer, &finance] {
        let exported = call(&world, token, "GET", &path, &Value::Null).await;
        assert_eq!((exported.status, &exported.body), (200, &expected));
    }
    let lines = async |query: &str| {
        let exported = call(&world, &payer, "GET", &format!("{path}?{query}"), &Value::Null).await;
        exported.body.lines().count()
    };
    assert_eq!((lines("from=2026-11-22").await, lines("until=2026-11-22").await), (1 + 2, 1));
    let refused = call(&world, &payer, "GET", &format!("{path}?from=now"), &Value::Null).await;
    assert_eq!(refused.status, 400);
    let other = PartnerId::from_stored(12);
    let stranger = signed_in(&world, 3, Seat::Member { partner: other, role: MemberRole::Owner });
    assert_eq!(call(&world, &stranger, "GET", &path, &Value::Null).await.status, 404);
    let nobodys = format!("/office/v1/partners/{}/ledger", PartnerId::from_stored(99));
    assert_eq!(call(&world, &finance, "GET", &nobodys, &Value::Null).await.status, 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_rows_of_a_line_are_told_a_page_at_a_time() {
    let (world, _) = closed().await;
    let payer = signed_in(&world, 1, Seat::Member { partner: BANK, role: MemberRole::Billing });
    let path = format!("/office/v1/partners/{BANK}/invoices/1/lines/1/rows");
    let page = async |query: String| call(&world, &payer, "GET", &format!("{path}{query}"), &Value::Null).await;
    let all = page(String::new()).await.json();
    let of = |page: &Value| -> Vec<String> {
        let rows = page["rows"].as_array().unwrap().iter();
        rows.map(|row| row["request_ref_id"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!((of(&all).len(), &all["next"]), (2, &Value::Null), "{all}");
    assert_eq!((&all["rows"][0]["app"], &all["rows"][0]["reverses"]), (&json!("production app"), &Value::Null));
    let first = page("?limit=1".to_owned()).await.json();
    let second = page(format!("?limit=1&after={}", first["next"].as_str().unwrap())).await.json();
    assert_eq!([of(&first), of(&second)].concat(), of(&all));
    assert_eq!(page("?after=nothing".to_owned()).await.status, 400);
    for line in ["2", "one"] {
        let path = format!("/office/v1/partners/{BANK}/invoices/1/lines/{line}/rows");
        assert_eq!(call(&world, &payer, "GET", &path, &Value::Null).await.status, 404);
    }
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
        assert_eq!(call(&world, &stranger, "GET", &format!("{path}/lines/1/rows"), &Value::Null).await.status, 404);
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

#[tokio::test(flavor = "multi_thread")]
async fn how_long_answered_checks_took_is_counted_by_app_and_told_by_day() {
    let mut world = World::start().await;
    world.put("254733000001", "2020-01-12T00:00:00Z", None);
    for (number, status) in [("254733000001", 200), ("254733000001", 200), ("254733000009", 404)] {
        assert_eq!(world.check(IMSI, number).await.status, status);
    }
    let (office, at) = (std::sync::Arc::clone(&world.office), world.clock.now());
    let (app, other) = (world.production.app, world.sandbox.app);
    let payer = signed_in(&world, 1, Seat::Member { partner: BANK, role: MemberRole::Billing });
    let mut took = CallTimes::default();
    took.add(Duration::from_micros(700));
    took.add(Duration::from_mins(1));
    office.run(&Actor::System, at, |work| add_call_times(work, &[(other, at, took)])).unwrap();
    let of = format!("/office/v1/partners/{BANK}/usage/times");
    let days = format!("{of}?from=2026-11-01&until=2026-12-01");
    let told = call(&world, &payer, "GET", &days, &Value::Null).await.json();
    let day = json!({
        "day": "2026-11-22", "app": other.to_string(), "environment": "sandbox", "calls": 2,
        "half_within_micros": 1_000, "most_within_micros": null,
    });
    // What this server itself has counted may be there, too.
    assert!(told["times"].as_array().unwrap().contains(&day), "{told}");
    let none = call(&world, &payer, "GET", &format!("{of}?from=2026-10-01&until=2026-11-01"), &Value::Null).await;
    assert_eq!(none.json(), json!({"times": []}));
    assert_eq!(call(&world, &payer, "GET", &of, &Value::Null).await.status, 400);
    // What the server counted itself is written down when it ends, at the latest.
    world.stop();
    world.stopped().await;
    let (from, until) = (jiff::civil::date(2026, 11, 1), jiff::civil::date(2026, 12, 1));
    let days = office.run(&Actor::System, at, |work| partner_call_times(work, BANK, from, until)).unwrap();
    let calls: Vec<_> = days.iter().filter(|of| of.app == app).map(|of| of.times.calls()).collect();
    assert_eq!(calls, [2], "a number that is not served is no answered check");
}
