//! Shutting down: what was accepted is finished, nothing else is begun.

use std::sync::Arc;
use std::time::Instant;

use tokio::net::TcpStream;
use tokio::sync::Notify;

use crate::wire::{Connection, HANGS_AFTER, check, request};
use crate::world::{IMSI_PATH, World};

const BODY: &str = r#"{"customerNumber":"254722000001"}"#;

#[tokio::test]
async fn an_accepted_request_is_finished_and_its_connection_closed() {
    let mut world = World::start().await;
    let token = world.token(&world.sandbox).await;
    let gate = Arc::new(Notify::new());
    *world.ledger.gate.lock().unwrap() = Some(Arc::clone(&gate));
    let mut connection = Connection::open(world.address).await;
    connection.send(check(IMSI_PATH, &token, BODY)).await;
    world.ledger.arrived.notified().await;
    world.stop();
    let started = Instant::now();
    while TcpStream::connect(world.address).await.is_ok() {
        assert!(started.elapsed() < HANGS_AFTER, "still accepting");
    }
    gate.notify_one();
    let reply = connection.reply().await.expect("the answer");
    assert_eq!((reply.status, reply.header("connection")), (200, Some("close")));
    assert!(connection.closed().await.is_empty());
    assert_eq!(world.ledger.outcomes().len(), 1);
    world.stopped().await;
}

#[tokio::test]
async fn idle_connections_do_not_hold_a_shutdown_up() {
    let mut world = World::start().await;
    let mut idle = Connection::open(world.address).await;
    idle.send(request("GET", "/livez", "", "")).await;
    assert_eq!(idle.reply().await.unwrap().status, 200);
    let mut silent = Connection::open(world.address).await;
    world.get("/livez").await;
    world.stop();
    assert!(idle.closed().await.is_empty());
    assert!(silent.closed().await.is_empty());
    world.stopped().await;
}

#[tokio::test]
async fn what_does_not_end_is_cut_at_the_drain_timeout() {
    let mut world = World::start_with(|settings| settings.limits.drain_timeout_ms = 100).await;
    let token = world.token(&world.sandbox).await;
    *world.ledger.gate.lock().unwrap() = Some(Arc::new(Notify::new()));
    let mut connection = Connection::open(world.address).await;
    connection.send(check(IMSI_PATH, &token, BODY)).await;
    world.ledger.arrived.notified().await;
    world.stop();
    assert!(connection.reply().await.is_none());
    world.stopped().await;
}
