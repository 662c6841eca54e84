//! Payments, accounts and certificates over HTTP.

use laini_core::billing::{Currency, Money, OpenItem};
use laini_core::partner::{MemberRole, PartnerId, StaffRole};
use laini_office::people::Seat;
use laini_office::{Actor, payments};
use serde_json::{Value, json};

use crate::office::signed_in;
use crate::wire::{Reply, request};
use crate::world::{NOW, World};

/// The bank of every world.
const BANK: PartnerId = PartnerId::from_stored(1);
const TABLE: &str = "date,amount,reference,id\n2026-11-20,1160.00,INV-17,FT1\n2026-11-20,1.00,,FT2\nx,1,,FT3\n";

/// Somebody at work.
struct Desk<'a> {
    world: &'a World,
    token: String,
}

impl<'a> Desk<'a> {
    fn of(world: &'a World, number: u64, seat: Seat) -> Self {
        Self { world, token: signed_in(world, number, seat) }
    }

    async fn send(&self, method: &str, path: &str, media_type: &str, body: &str) -> Reply {
        let headers = format!("Authorization: Bearer {}\r\nContent-Type: {media_type}\r\n", self.token);
        self.world.send(request(method, &format!("/office/v1/{path}"), &headers, body)).await
    }

    async fn get(&self, path: &str) -> Value {
        let reply = self.send("GET", path, "application/json", "").await;
        assert_eq!(reply.status, 200, "{reply:?}");
        reply.json()
    }

    async fn post(&self, path: &str, body: &Value) -> Reply {
        self.send("POST", path, "application/json", &body.to_string()).await
    }
}

/// A world in which the bank owes KES 1160.00 for invoice 17.
async fn world() -> World {
    let world = World::start().await;
    let (issued, due) = (jiff::civil::date(2026, 11, 1), jiff::civil::date(2026, 12, 1));
    let item = OpenItem { number: 17, partner: BANK, total: Money::new(116_000, Currency::KES), issued, due };
    world.office.run(&Actor::System, NOW.parse().unwrap(), |work| payments::post(work, &item)).unwrap();
    world
}

#[tokio::test(flavor = "multi_thread")]
async fn finance_imports_and_matches_and_the_partner_reads_what_is_its() {
    let world = world().await;
    let finance = Desk::of(&world, 1, Seat::Staff { role: StaffRole::Finance });
    let billing = Desk::of(&world, 2, Seat::Member { partner: BANK, role: MemberRole::Billing });
    for (added, known) in [(2, 0), (0, 2)] {
        let reply = finance.send("POST", "payments/import?format=csv", "text/csv", TABLE).await;
        let told = reply.json();
        assert_eq!(
            (&told["added"], &told["known"], &told["bad"]),
            (&json!(added), &json!(known), &json!(1)),
            "{reply:?}"
        );
        assert_eq!(told["problems"][0]["place"], 4);
    }
    assert_eq!(finance.send("POST", "payments/import?format=pdf", "text/csv", TABLE).await.status, 400);
    let account = billing.get(&format!("partners/{BANK}/account")).await;
    assert_eq!((&account["open_minor"], &account["credit_minor"]), (&json!(0), &json!(0)), "{account}");
    let unmatched = finance.get("payments?unmatched=true").await;
    assert_eq!(unmatched["items"].as_array().unwrap().len(), 1);
    let id = unmatched["items"][0]["payment"].as_str().unwrap();
    let matched =
        finance.post(&format!("payments/{id}/match"), &json!({"partner": BANK.to_string(), "invoice": 17})).await;
    assert_eq!((matched.status, &matched.json()["matched_by"]), (200, &json!("person")));
    let own = billing.get(&format!("partners/{BANK}/payments")).await;
    assert_eq!(own["items"].as_array().unwrap().len(), 2);
    let reversed = finance.post(&format!("payments/{id}/reverse"), &json!({"reason": "a mistake"})).await;
    assert_eq!((reversed.status, &reversed.json()["reversed_on"]), (200, &json!("2026-11-22")));
    assert_eq!(finance.post(&format!("payments/{id}/reverse"), &json!({"reason": "again"})).await.status, 409);

    let statement = billing.get(&format!("partners/{BANK}/statement?from=2026-11-01&until=2026-11-22")).await;
    assert_eq!((&statement["closing_minor"], statement["entries"].as_array().unwrap().len()), (&json!(0), 4));
    let path = format!("partners/{BANK}/statement?format=html");
    let page = billing.send("GET", &path, "application/json", "").await;
    assert_eq!(page.header("content-type"), Some("text/html;charset=UTF-8"));
    assert!(page.header("content-disposition").unwrap().contains(".html") && page.body.contains("Invoice 17"));
    let ageing = finance.get("ageing?on=2026-11-19").await;
    assert_eq!(ageing["all"]["not_due_minor"], 116_000);
    let none = billing.send("GET", &format!("partners/{BANK}/prepaid"), "application/json", "").await;
    assert_eq!(none.status, 404, "it pays invoices");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_member_registers_a_certificate_and_finance_accepts_it() {
    let world = world().await;
    let finance = Desk::of(&world, 1, Seat::Staff { role: StaffRole::Finance });
    let owner = Desk::of(&world, 2, Seat::Member { partner: BANK, role: MemberRole::Owner });
    let path = format!("partners/{BANK}/certificates");
    let body = json!({"number": "KRA 1", "amount_minor": 5_000, "currency": "KES", "on": "2026-11-20", "invoice": 17});
    let registered = owner.post(&path, &body).await;
    assert_eq!((registered.status, &registered.json()["state"]), (200, &json!("registered")));
    assert_eq!(owner.post(&path, &body).await.status, 409, "its number is taken");
    let mut wrong = body.clone();
    wrong["currency"] = json!("USD");
    assert_eq!(owner.post(&path, &wrong).await.status, 400);
    let id = registered.json()["certificate"].as_str().unwrap().to_owned();
    assert_eq!(owner.post(&format!("{path}/{id}/accept"), &json!({})).await.status, 403);
    let foreign = format!("partners/{}/certificates/{id}/accept", PartnerId::from_stored(77));
    assert_eq!(finance.post(&foreign, &json!({})).await.status, 404, "of another partner");
    assert_eq!(finance.post(&format!("{path}/{id}/accept"), &json!({})).await.json()["state"], "accepted");
    let account = owner.get(&format!("partners/{BANK}/account")).await;
    assert_eq!(account["open_minor"], 111_000);
}
