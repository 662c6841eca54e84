//! What was paid in advance: checks stop where it is used up (contract §5).

use jiff::Timestamp;
use laini_core::billing::Outcome;
use laini_core::partner::{PartnerId, Prepaid};
use laini_core::store::{AccountStore as _, AuditEntry, PartnerChange};
use serde_json::json;

use crate::fakes::Mood;
use crate::wire::{Reply, check_under};
use crate::world::{AGE_PATH, IMSI_PATH, NOW, SWAP_PATH, World, assert_error};

const NUMBER: &str = "254700000001";
/// What one check of `imsi` costs.
const PRICE: i64 = 2_000;

fn now() -> Timestamp {
    NOW.parse().unwrap()
}

fn paid(paid_minor: i64) -> Prepaid {
    Prepaid { from: Prepaid::begins(now()), paid_minor }
}

/// A world whose bank paid so much.
async fn prepaid(paid_minor: i64) -> World {
    let world = World::start_with_accounts(|book| book.partners[0].prepaid = Some(paid(paid_minor))).await;
    world.put(NUMBER, "2026-02-03T20:59:00Z", None);
    world
}

async fn pays(world: &World, paid_minor: i64) {
    let audit = AuditEntry {
        at: now(),
        actor: "a test".to_owned(),
        action: "prepaid.top-up".to_owned(),
        target: "1".to_owned(),
        reason: String::new(),
        partner: None,
    };
    let change = PartnerChange::Prepaid(paid(paid_minor));
    world.accounts.change_partner(PartnerId::from_stored(1), change, audit).await.unwrap();
}

/// A check that repeats no other.
async fn ask(world: &World, path: &str, question: u32) -> Reply {
    let headers = format!("X-Request-ID: {question}\r\n");
    let body = format!("{{\"customerNumber\":\"{NUMBER}\"}}");
    world.send(check_under(path, world.first_token().await, &headers, &body)).await
}

fn assert_used_up(reply: &Reply) {
    assert_error(reply, 429, "500.003.03", "Error Occurred: Quota Violation");
    assert_eq!(reply.header("retry-after"), Some("60"));
}

#[tokio::test]
async fn a_balance_for_three_answers_three_and_a_top_up_answers_more() {
    let mut world = prepaid(3 * PRICE + PRICE - 1).await;
    for question in 0..3 {
        let reply = ask(&world, IMSI_PATH, question).await;
        assert_eq!((reply.status, reply.header("ratelimit")), (200, None), "a balance is nobody's limit to be told");
    }
    let refused = ask(&world, IMSI_PATH, 3).await;
    assert_used_up(&refused);
    assert_eq!(refused.header("laini-charge"), Some("none; reason=refused"));
    assert_eq!(ask(&world, AGE_PATH, 4).await.status, 200, "what is left is enough for a cheaper one");
    pays(&world, 6 * PRICE).await;
    world.accounts_noticed(async || ask(&world, IMSI_PATH, 5).await.status == 200).await;
    // Three and one of KES 20.00, one of KES 4.00.
    assert_eq!(ask(&world, IMSI_PATH, 6).await.status, 200);
    assert_used_up(&ask(&world, IMSI_PATH, 7).await);
    world.stop();
    let world = world.restarted().await;
    assert_used_up(&ask(&world, IMSI_PATH, 8).await);
    assert_eq!(ask(&world, AGE_PATH, 9).await.status, 200, "and neither took anything away");
}

#[tokio::test]
async fn what_is_free_or_never_recorded_uses_nothing_up() {
    let world = prepaid(PRICE).await;
    *world.registry.mood.lock().unwrap() = Mood::Unavailable;
    assert_eq!(ask(&world, IMSI_PATH, 0).await.status, 503);
    *world.registry.mood.lock().unwrap() = Mood::Good;
    let missing =
        world.send(check_under(IMSI_PATH, world.first_token().await, "", "{\"customerNumber\":\"254700000099\"}"));
    assert_eq!(missing.await.status, 404);
    assert_eq!(ask(&world, IMSI_PATH, 1).await.status, 200);
    assert_used_up(&ask(&world, IMSI_PATH, 2).await);
    let sandbox = world.token(&world.sandbox).await;
    let body = "{\"customerNumber\":\"254722000000\"}";
    assert_eq!(world.check_with(IMSI_PATH, &sandbox, body).await.status, 200, "the sandbox is never invoiced");
}

#[tokio::test]
async fn a_batch_is_paid_whole_and_by_the_highest_rate() {
    let world = prepaid(2 * PRICE).await;
    world.put("254700000002", "2026-02-03T20:59:00Z", None);
    let token = world.first_token().await.to_owned();
    let batch = async |numbers: &[&str]| {
        world.send(check_under("/v1/checks", &token, "", &json!({"numbers": numbers}).to_string())).await
    };
    let three = batch(&[NUMBER, "254700000002", "254700000003"]).await;
    assert_used_up(&three);
    // The swap product has free units, which are allotted when the month is closed.
    assert_eq!(ask(&world, SWAP_PATH, 0).await.status, 200);
    assert_used_up(&batch(&[NUMBER, "254700000002"]).await);
    assert_eq!(batch(&[NUMBER]).await.status, 200);
    assert_eq!(world.ledger.outcomes(), [Outcome::Answered, Outcome::Answered]);
}

#[tokio::test]
async fn who_begins_to_pay_in_advance_pays_for_the_quarter_of_an_hour() {
    let world = World::start().await;
    world.put(NUMBER, "2026-02-03T20:59:00Z", None);
    for question in 0..2 {
        assert_eq!(ask(&world, IMSI_PATH, question).await.status, 200);
    }
    pays(&world, 3 * PRICE).await;
    let answered = std::cell::Cell::new(2);
    world
        .accounts_noticed(async || {
            let reply = ask(&world, IMSI_PATH, 100 + answered.get()).await;
            if reply.status == 200 {
                answered.set(answered.get() + 1);
            }
            reply.status == 429
        })
        .await;
    // Whatever was answered before the change was noticed was charged, and counts.
    assert!(answered.get() >= 3, "{}", answered.get());
    let spent = PRICE * i64::try_from(world.ledger.outcomes().len()).unwrap();
    pays(&world, spent + PRICE).await;
    world.accounts_noticed(async || ask(&world, IMSI_PATH, 1_000_000).await.status == 200).await;
    assert_used_up(&ask(&world, IMSI_PATH, 1_000_001).await);
}
