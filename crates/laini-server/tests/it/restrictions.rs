//! Numbers that the operator has restricted: withheld on every way, free, recorded, and for their holder alone.

use jiff::Timestamp;
use laini_core::billing::Outcome;
use laini_core::line::{LineStatus, NumberPlan};
use laini_core::store::SubjectHash;
use laini_wire::check::{AGE_PATH, IMSI_PATH, SWAP_PATH};
use serde_json::json;

use crate::wire::{check_under, request};
use crate::world::{NOW, World, assert_error};

const NUMBER: &str = "254722000000";

fn hash(world: &World, number: &str) -> SubjectHash {
    world.keys.subject().number(NumberPlan::KENYA.parse(number).unwrap())
}

/// Restricts a number, or lifts its restriction, and waits until that holds.
async fn restrict(world: &World, number: &str, until: Option<Timestamp>) {
    let expected = until.is_some();
    world.accounts.restrict(hash(world, number), until);
    // One token for all: the token door has limits of its own.
    let (token, body) = (world.token(&world.production).await, json!({"customerNumber": number}).to_string());
    let withheld = async || (world.check_with(SWAP_PATH, &token, &body).await.status == 403) == expected;
    world.accounts_noticed(withheld).await;
    world.ledger.rows.lock().unwrap().clear();
}

async fn world() -> World {
    let world = World::start().await;
    world.put(NUMBER, "2019-01-01T00:00:00Z", Some("2026-11-20T09:00:00Z"));
    world
}

#[tokio::test]
async fn a_restricted_number_is_withheld_free_and_recorded_on_every_path() {
    let world = world().await;
    restrict(&world, NUMBER, Some(NOW.parse().unwrap())).await;
    for path in [IMSI_PATH, SWAP_PATH, AGE_PATH] {
        let reply = world.check(path, NUMBER).await;
        assert_error(&reply, 403, "403.002.02", "Forbidden - withheld");
        assert_eq!(reply.header("laini-charge"), Some("none; reason=withheld"));
        assert!(!reply.body.contains("2019") && !reply.body.contains("2026-11-20"), "{}", reply.body);
    }
    assert_eq!(world.ledger.outcomes(), [Outcome::Withheld; 3]);
    let token = world.token(&world.production).await;
    let reply = world.check_with("/v1/checks", &token, &json!({"numbers": [NUMBER]}).to_string()).await;
    let answer = reply.json();
    assert_eq!(
        (&answer["checks"][0]["line"], &answer["checks"][0]["swap"]["reason"]),
        (&json!("unknown"), &json!("withheld"))
    );
    // A number of somebody else tells as before, and so does this one once the restriction is lifted.
    world.put("254722000001", "2019-01-01T00:00:00Z", None);
    assert_eq!(world.check(SWAP_PATH, "254722000001").await.status, 200);
    restrict(&world, NUMBER, None).await;
    assert_eq!(world.check(IMSI_PATH, NUMBER).await.status, 200);
}

#[tokio::test]
async fn a_restriction_is_never_told_as_not_served_and_ends_with_the_holding() {
    let world = world().await;
    let made: Timestamp = NOW.parse().unwrap();
    restrict(&world, NUMBER, Some(made)).await;
    let status = async || world.check(SWAP_PATH, NUMBER).await.status;
    for given_up in [LineStatus::Terminated, LineStatus::PortedOut] {
        world.change_line(NUMBER, |state| state.line.as_mut().unwrap().status = given_up);
        assert_eq!(status().await, 403, "{given_up:?}");
    }
    world.change_line(NUMBER, |state| state.source_rejected = true);
    assert_eq!(status().await, 403);
    // The next holder is not restricted.
    world.put(NUMBER, "2026-11-22T09:00:01Z", None);
    world.clock.advance(60);
    assert_eq!(status().await, 200);
    world.put(NUMBER, "2019-01-01T00:00:00Z", None);
    world.change_line(NUMBER, |state| {
        state.line.as_mut().unwrap().holder_since = Some("2026-11-22T09:00:01Z".parse().unwrap());
    });
    assert_eq!(status().await, 200);
    // Unless it was told so.
    restrict(&world, NUMBER, Some(Timestamp::MAX)).await;
    assert_eq!(status().await, 403);
}

#[tokio::test]
async fn a_number_that_was_never_known_can_be_restricted() {
    let world = world().await;
    let unknown = "254722999999";
    assert_eq!(world.check(SWAP_PATH, unknown).await.status, 404);
    restrict(&world, unknown, Some(NOW.parse().unwrap())).await;
    assert_error(&world.check(IMSI_PATH, unknown).await, 403, "403.002.02", "Forbidden - withheld");
}

#[tokio::test]
async fn what_was_told_is_not_told_again_of_a_number_that_is_restricted_since() {
    let world = world().await;
    let token = world.token(&world.production).await;
    let asked = world.check_with("/v1/checks", &token, &json!({"number": NUMBER}).to_string()).await.json();
    let id = asked["checks"][0]["id"].as_str().unwrap().to_owned();
    let again = async || {
        let headers = format!("Authorization: Bearer {token}\r\n");
        world.send(request("GET", &format!("/v1/checks/{id}"), &headers, "")).await.json()
    };
    assert_eq!(again().await["swap"]["status"], "swapped");
    world.accounts.restrict(hash(&world, NUMBER), Some(NOW.parse().unwrap()));
    world.accounts_noticed(async || again().await["swap"]["reason"] == "withheld").await;
    let withheld = again().await;
    assert!(withheld["sim"] == json!({}) && !withheld.to_string().contains("2026-11-20"), "{withheld}");
    // What it cost stays.
    assert_eq!(withheld["charge"], asked["checks"][0]["charge"]);
}

#[tokio::test]
async fn a_key_does_not_tell_again_what_is_withheld_since() {
    let world = world().await;
    let (other, token) = ("254722000001", world.token(&world.production).await);
    world.put(other, "2019-01-01T00:00:00Z", None);
    let keyed = async |path: &str, body: &serde_json::Value| {
        world.send(check_under(path, &token, "Idempotency-Key: k1\r\n", &body.to_string())).await
    };
    let (one, several) = (json!({"customerNumber": NUMBER}), json!({"numbers": [NUMBER, other]}));
    let first = keyed(IMSI_PATH, &one).await;
    let both = keyed("/v1/checks", &several).await;
    assert_eq!((first.status, both.status), (200, 200));
    assert_eq!(keyed(IMSI_PATH, &one).await.body, first.body);
    // It was asked for before the first answer, and approved after it.
    let received: Timestamp = "2026-11-22T08:00:00Z".parse().unwrap();
    world.accounts.restrict(hash(&world, NUMBER), Some(received));
    world.accounts_noticed(async || keyed(IMSI_PATH, &one).await.status == 403).await;
    assert_error(&keyed(IMSI_PATH, &one).await, 403, "403.002.02", "Forbidden - withheld");
    let again = keyed("/v1/checks", &several).await;
    let (told, before) = (again.json(), both.json());
    assert_eq!(again.header("idempotent-replayed"), Some("true"));
    assert_eq!((&told["checks"][0]["line"], &told["checks"][0]["sim"]), (&json!("unknown"), &json!({})));
    assert_eq!(told["checks"][0]["swap"], json!({"status": "unknown", "reason": "withheld", "window": "P3M"}));
    assert_eq!(told["checks"][0]["charge"], before["checks"][0]["charge"]);
    assert_eq!(told["checks"][1], before["checks"][1]);
    let headers = format!("Authorization: Bearer {token}\r\n");
    let id = before["checks"][0]["id"].as_str().unwrap();
    let read = world.send(request("GET", &format!("/v1/checks/{id}"), &headers, "")).await.json();
    assert_eq!(read["swap"]["reason"], "withheld");
    // Nothing was charged, and nothing new recorded: of the second question, the first number repeats the one before.
    assert_eq!(world.ledger.outcomes(), [Outcome::Answered, Outcome::Repeated, Outcome::Answered]);
    // Somebody else holds the number now, of whom the answer may be told again.
    world.put(NUMBER, "2026-11-22T08:30:00Z", None);
    assert_eq!(keyed(IMSI_PATH, &one).await.body, first.body);
}
