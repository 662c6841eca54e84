//! More checks than the ledger can take: some are refused early, those that wait are answered.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::Notify;

use crate::wire::{Connection, check, request};
use crate::world::{IMSI_PATH, World, assert_error};

const BODY: &str = r#"{"customerNumber":"254722000001"}"#;
const WAITING: usize = 3;

#[tokio::test]
async fn beyond_what_may_wait_a_check_is_refused_before_its_body_and_everything_else_goes_on() {
    let world = World::start_with(|settings| settings.limits.checks_waiting_max = WAITING).await;
    let token = world.token(&world.sandbox).await;
    let gate = Arc::new(Notify::new());
    *world.ledger.gate.lock().unwrap() = Some(Arc::clone(&gate));
    let mut waiting = Vec::new();
    for _ in 0..WAITING {
        let mut connection = Connection::open(world.address).await;
        connection.send(check(IMSI_PATH, &token, BODY)).await;
        world.ledger.arrived.notified().await;
        waiting.push(connection);
    }
    // The body never comes: the refusal does not wait for it.
    let headers = format!("Authorization: Bearer {token}\r\nContent-Length: 100\r\n");
    let mut refused = Connection::open(world.address).await;
    refused.send(request("POST", IMSI_PATH, &headers, "")).await;
    let reply = refused.reply().await.unwrap();
    assert_error(&reply, 503, "503.002.01", "Service is currently unreachable");
    assert_eq!(reply.header("retry-after"), Some("1"));
    assert_eq!(reply.header("laini-charge"), Some("none; reason=refused"));
    assert_eq!(world.send(check("/v1/checks", &token, "{}")).await.status, 503);
    assert_eq!(world.get("/livez").await.status, 200);
    assert_eq!(world.get("/v1/checks").await.status, 405, "only what is a check is shed");
    assert_eq!(world.generate(&world.sandbox).await.status, 200);

    *world.ledger.gate.lock().unwrap() = None;
    for mut connection in waiting {
        gate.notify_one();
        assert_eq!(connection.reply().await.unwrap().status, 200);
    }
    assert_eq!(world.ledger.outcomes().len(), WAITING, "a refused check left a row");
    assert_eq!(world.check_with(IMSI_PATH, &token, BODY).await.status, 200);
}

#[tokio::test]
async fn refusals_come_at_once() {
    let world = World::start_with(|settings| settings.limits.checks_waiting_max = 0).await;
    let token = world.token(&world.sandbox).await;
    let mut connection = Connection::open(world.address).await;
    let mut quickest = Duration::MAX;
    for _ in 0..50 {
        let began = Instant::now();
        connection.send(check(IMSI_PATH, &token, BODY)).await;
        assert_eq!(connection.reply().await.unwrap().status, 503);
        quickest = quickest.min(began.elapsed());
    }
    assert!(quickest <= Duration::from_millis(5), "{quickest:?}");
}
