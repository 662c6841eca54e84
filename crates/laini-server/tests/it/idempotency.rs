//! `Idempotency-Key`: one answer, one charge, however often a client asks (contract §5).

use std::sync::Arc;

use laini_core::billing::Outcome;
use laini_core::line::LineStatus;
use laini_core::partner::ProductSet;
use tokio::sync::Notify;

use crate::fakes::Mood;
use crate::wire::{Connection, Reply, check_under, request};
use crate::world::{CHECK_PATHS, IMSI_PATH, SWAP_PATH, World, assert_error};

const NUMBER: &str = "254700000001";
const BODY: &str = r#"{"customerNumber":"254700000001"}"#;

async fn world() -> World {
    let world = World::start().await;
    world.put(NUMBER, "2026-02-03T20:59:00Z", Some("2026-10-31T21:05:00Z"));
    world
}

async fn keyed(world: &World, path: &str, key: &str, body: &str) -> Reply {
    let keyed = format!("Idempotency-Key: {key}\r\n");
    // A clock that moved on by a day needs a new token; for the rest the first one does.
    let reply = world.send(check_under(path, world.first_token().await, &keyed, body)).await;
    if reply.status != 401 {
        return reply;
    }
    let token = world.token(&world.production).await;
    world.send(check_under(path, &token, &keyed, body)).await
}

#[tokio::test]
async fn a_repeat_gets_the_stored_answer_byte_for_byte_and_free() {
    let world = world().await;
    for path in CHECK_PATHS {
        let first = keyed(&world, path, "k1", BODY).await;
        assert_eq!((first.status, first.header("idempotent-replayed")), (200, None));
        // Another form of the same number is the same request.
        for body in [BODY, r#"{ "customerNumber" : 700000001, "note": 1 }"#] {
            let again = keyed(&world, path, "k1", body).await;
            assert_eq!((again.status, &again.body), (200, &first.body));
            assert_eq!(again.header("idempotent-replayed"), Some("true"));
            assert_eq!(again.header("laini-charge"), Some("none; reason=replay"));
            for name in ["laini-swap", "laini-window", "laini-as-of", "laini-environment", "content-type"] {
                assert_eq!(again.header(name), first.header(name), "{name}");
            }
        }
    }
    assert_eq!(world.ledger.outcomes(), [Outcome::Answered; 3], "each path has keys of its own");
}

#[tokio::test]
async fn the_alias_is_the_same_key_and_two_that_differ_are_refused() {
    let world = world().await;
    let token = world.token(&world.production).await;
    let send = |headers: &str| world.send(check_under(IMSI_PATH, &token, headers, BODY));
    let first = send("X-Idempotency-Key: k\r\n").await;
    let again = send("Idempotency-Key: k\r\n").await;
    assert_eq!((again.body, again.status), (first.body, 200));
    let long = format!("Idempotency-Key: {}\r\n", "k".repeat(256));
    for headers in
        ["Idempotency-Key: a\r\nX-Idempotency-Key: b\r\n", "Idempotency-Key: \r\n", "Idempotency-Key: a b\r\n", &long]
    {
        assert_error(
            &send(headers).await,
            400,
            "400.002.02",
            "Bad Request - Invalid header idempotency-key - send it once, as visible ASCII characters",
        );
    }
    let longest = format!("Idempotency-Key: {}\r\n", "k".repeat(255));
    assert_eq!(send(&longest).await.status, 200);
}

#[tokio::test]
async fn another_request_under_the_same_key_is_refused() {
    let world = world().await;
    world.put("254700000002", "2020-01-01T00:00:00Z", None);
    keyed(&world, IMSI_PATH, "k", BODY).await;
    let other = keyed(&world, IMSI_PATH, "k", r#"{"customerNumber":"254700000002"}"#).await;
    assert_error(
        &other,
        422,
        "422.002.01",
        "Unprocessable - this idempotency key was used for another request; use a new key for each request",
    );
    // Another app's key is another key.
    let token = world.token(&world.sandbox).await;
    let sandbox = world
        .send(check_under(IMSI_PATH, &token, "Idempotency-Key: k\r\n", r#"{"customerNumber":"254722000000"}"#))
        .await;
    assert_eq!(sandbox.status, 200);
}

#[tokio::test]
async fn a_stale_answer_is_not_told_again() {
    let world = world().await;
    let first = keyed(&world, SWAP_PATH, "k", BODY).await;
    world.clock.advance(600);
    assert_eq!(keyed(&world, SWAP_PATH, "k", BODY).await.body, first.body);
    world.clock.advance(1);
    let late = keyed(&world, SWAP_PATH, "k", BODY).await;
    assert_error(
        &late,
        409,
        "409.002.02",
        "Conflict - this idempotency key was answered more than 10 minutes ago; ask anew with a new key",
    );
    world.clock.advance(86_400);
    let anew = keyed(&world, SWAP_PATH, "k", BODY).await;
    assert_eq!((anew.status, anew.header("idempotent-replayed")), (200, None));
    assert_eq!(world.ledger.outcomes(), [Outcome::Answered; 2]);
}

#[tokio::test]
async fn a_repeat_while_the_first_still_runs_is_told_to_wait() {
    let world = world().await;
    let gate = Arc::new(Notify::new());
    *world.ledger.gate.lock().unwrap() = Some(Arc::clone(&gate));
    let token = world.token(&world.production).await;
    let request = check_under(IMSI_PATH, &token, "Idempotency-Key: k\r\n", BODY);
    let mut first = Connection::open(world.address).await;
    first.send(&request).await;
    world.ledger.arrived.notified().await;
    let second = world.send(&request).await;
    assert_error(
        &second,
        409,
        "409.002.01",
        "Conflict - a request with this idempotency key is still running; repeat in a moment",
    );
    assert_eq!(second.header("retry-after"), Some("1"));
    gate.notify_one();
    assert_eq!(first.reply().await.unwrap().status, 200);
    assert_eq!(world.send(&request).await.header("idempotent-replayed"), Some("true"));
    assert_eq!(world.ledger.outcomes(), [Outcome::Answered]);
}

#[tokio::test]
async fn only_answers_are_stored_and_the_key_is_free_after_an_error() {
    let world = world().await;
    *world.registry.mood.lock().unwrap() = Mood::Unavailable;
    assert_eq!(keyed(&world, IMSI_PATH, "k", BODY).await.status, 503);
    *world.registry.mood.lock().unwrap() = Mood::Good;
    *world.ledger.mood.lock().unwrap() = Mood::Unconfirmed;
    assert_eq!(keyed(&world, IMSI_PATH, "k", BODY).await.status, 503);
    *world.ledger.mood.lock().unwrap() = Mood::Good;
    world.change_line(NUMBER, |state| state.line.as_mut().unwrap().status = LineStatus::Terminated);
    assert_eq!(keyed(&world, IMSI_PATH, "k", BODY).await.status, 404);
    world.change_line(NUMBER, |state| state.line.as_mut().unwrap().status = LineStatus::Active);
    assert_eq!(keyed(&world, IMSI_PATH, "k", r#"{"customerNumber":"x"}"#).await.status, 400);
    let answered = keyed(&world, IMSI_PATH, "k", BODY).await;
    assert_eq!((answered.status, answered.header("idempotent-replayed")), (200, None));
    assert_eq!(world.ledger.outcomes(), [Outcome::NotServed, Outcome::Answered]);
}

#[tokio::test]
async fn a_stored_answer_is_authorised_anew() {
    let world = world().await;
    keyed(&world, IMSI_PATH, "k", BODY).await;
    let unauthorised = world.send(request("POST", IMSI_PATH, "Idempotency-Key: k\r\n", BODY)).await;
    assert_eq!(unauthorised.status, 401);
    world.accounts.change_app(world.production.app, |app| app.products = ProductSet::parse("age").unwrap());
    tokio::time::timeout(crate::wire::HANGS_AFTER, async {
        while keyed(&world, IMSI_PATH, "k", BODY).await.status == 200 {
            tokio::task::yield_now().await;
        }
    })
    .await
    .expect("the products were taken away");
    assert_eq!(keyed(&world, IMSI_PATH, "k", BODY).await.status, 401);
}
