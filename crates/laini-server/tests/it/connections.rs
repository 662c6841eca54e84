//! Connections: timeouts, caps, reuse, HTTP/2.

use std::time::{Duration, Instant};

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::Request;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tokio::time::{interval, timeout};

use crate::wire::{Connection, HANGS_AFTER, check, request};
use crate::world::{IMSI_PATH, World, assert_error};

const BODY: &str = r#"{"customerNumber":"254722000001"}"#;
const HEADER_TIMEOUT_MS: u64 = 200;

async fn hasty() -> World {
    World::start_with(|settings| {
        settings.limits.header_timeout_ms = HEADER_TIMEOUT_MS;
        settings.limits.idle_timeout_ms = 1_000;
    })
    .await
}

/// Asserts that the connection is cut no earlier than the header timeout, and well before the idle one.
async fn assert_header_is_cut(mut connection: Connection, since: Instant) {
    assert!(connection.closed().await.is_empty());
    let took = since.elapsed();
    assert!(took >= Duration::from_millis(HEADER_TIMEOUT_MS - 5), "{took:?}");
    assert!(took < Duration::from_millis(900), "{took:?}");
}

#[tokio::test]
async fn a_connection_that_says_nothing_is_cut() {
    let world = hasty().await;
    let since = Instant::now();
    assert_header_is_cut(Connection::open(world.address).await, since).await;
}

#[tokio::test]
async fn a_header_that_stalls_is_cut_on_a_new_connection_and_on_a_used_one() {
    let world = hasty().await;
    let since = Instant::now();
    let mut fresh = Connection::open(world.address).await;
    fresh.send("GET /livez HTTP/1.1\r\nHos").await;
    assert_header_is_cut(fresh, since).await;
    let mut used = Connection::open(world.address).await;
    used.send(request("GET", "/livez", "", "")).await;
    assert_eq!(used.reply().await.unwrap().status, 200);
    let since = Instant::now();
    used.send("G").await;
    assert_header_is_cut(used, since).await;
}

#[tokio::test]
async fn a_header_that_drips_is_cut() {
    let world = hasty().await;
    let since = Instant::now();
    let mut connection = Connection::open(world.address).await;
    let mut drops = interval(Duration::from_millis(20));
    for byte in b"GET /livez HTTP/1.1\r\nX-Drip: aaaaaaaaaaaaaaaaaaaaaaaaaaaaa" {
        drops.tick().await;
        connection.send([*byte]).await;
    }
    assert!(connection.closed().await.is_empty());
    assert!(since.elapsed() >= Duration::from_millis(HEADER_TIMEOUT_MS - 5));
}

#[tokio::test]
async fn an_idle_connection_is_kept_beyond_the_header_timeout_and_closed_at_its_own() {
    let world = hasty().await;
    let mut connection = Connection::open(world.address).await;
    connection.send(request("GET", "/livez", "", "")).await;
    assert_eq!(connection.reply().await.unwrap().status, 200);
    let since = Instant::now();
    let mut ticks = interval(Duration::from_millis(HEADER_TIMEOUT_MS * 2));
    ticks.tick().await;
    ticks.tick().await;
    connection.send(request("GET", "/livez", "", "")).await;
    assert_eq!(connection.reply().await.unwrap().status, 200, "idle for twice the header timeout");
    assert!(connection.closed().await.is_empty());
    assert!(since.elapsed() >= Duration::from_millis(HEADER_TIMEOUT_MS * 2 + 1_000 - 5));
}

#[tokio::test]
async fn a_slow_answer_is_not_taken_for_idleness() {
    let world = World::start_with(|settings| {
        settings.limits.header_timeout_ms = 50;
        settings.limits.idle_timeout_ms = 50;
        settings.limits.body_timeout_ms = 400;
    })
    .await;
    let token = world.token(&world.sandbox).await;
    let mut connection = Connection::open(world.address).await;
    let headers = format!("Authorization: Bearer {token}\r\nContent-Length: 100\r\n");
    connection.send(request("POST", IMSI_PATH, &headers, "")).await;
    assert_eq!(connection.reply().await.unwrap().status, 408);
}

#[tokio::test]
async fn a_client_that_never_reads_is_cut() {
    let world = World::start_with(|settings| {
        settings.limits.header_timeout_ms = 100;
        settings.limits.idle_timeout_ms = 100;
    })
    .await;
    let mut stream = TcpStream::connect(world.address).await.unwrap();
    let flood = request("GET", "/livez", "", "").repeat(100);
    let flooding = async { while stream.write_all(flood.as_bytes()).await.is_ok() {} };
    timeout(HANGS_AFTER, flooding).await.expect("the connection is held for ever");
}

#[tokio::test]
async fn one_connection_serves_many_requests_pipelined_or_not() {
    let world = World::start().await;
    let token = world.token(&world.sandbox).await;
    let mut connection = Connection::open(world.address).await;
    for _ in 0..3 {
        connection.send(check(IMSI_PATH, &token, BODY)).await;
        assert_eq!(connection.reply().await.unwrap().status, 200);
    }
    connection.send(check(IMSI_PATH, &token, BODY).repeat(20)).await;
    for _ in 0..20 {
        assert_eq!(connection.reply().await.unwrap().status, 200);
    }
    // An error before the body was looked at does not spoil what follows.
    connection.send(check(IMSI_PATH, "bad", BODY)).await;
    assert_eq!(connection.reply().await.unwrap().status, 401);
    connection.send(check(IMSI_PATH, &token, BODY)).await;
    assert_eq!(connection.reply().await.unwrap().status, 200);
    assert_eq!(world.ledger.outcomes().len(), 24);
}

#[tokio::test]
async fn a_client_that_closes_its_side_is_still_answered() {
    let world = World::start().await;
    let token = world.token(&world.sandbox).await;
    let mut connection = Connection::open(world.address).await;
    connection.send(check(IMSI_PATH, &token, BODY)).await;
    connection.finish_sending().await;
    assert_eq!(connection.reply().await.unwrap().status, 200);
    assert!(connection.closed().await.is_empty());
}

#[tokio::test]
async fn http_1_0_and_expect_continue_are_understood() {
    let world = World::start().await;
    let mut old = Connection::open(world.address).await;
    old.send("GET /livez HTTP/1.0\r\n\r\n").await;
    assert_eq!(old.reply().await.unwrap().status, 200);
    assert!(old.closed().await.is_empty());
    let token = world.token(&world.sandbox).await;
    let mut polite = Connection::open(world.address).await;
    let headers =
        format!("Authorization: Bearer {token}\r\nExpect: 100-continue\r\nContent-Length: {}\r\n", BODY.len());
    polite.send(request("POST", IMSI_PATH, &headers, "")).await;
    assert_eq!(polite.reply().await.unwrap().status, 100);
    polite.send(BODY).await;
    assert_eq!(polite.reply().await.unwrap().status, 200);
}

#[tokio::test]
async fn connections_beyond_a_cap_are_told_and_closed_and_places_come_back() {
    for (all, per_address) in [(2, 100), (100, 2)] {
        let world = World::start_with(|settings| {
            settings.limits.connections_max = all;
            settings.limits.connections_per_address_max = per_address;
        })
        .await;
        let mut kept = Vec::new();
        for _ in 0..2 {
            let mut connection = Connection::open(world.address).await;
            connection.send(request("GET", "/livez", "", "")).await;
            assert_eq!(connection.reply().await.unwrap().status, 200);
            kept.push(connection);
        }
        let mut surplus = Connection::open(world.address).await;
        surplus.send(request("GET", "/livez", "", "")).await;
        let reply = surplus.reply().await.unwrap();
        assert_error(&reply, 503, "503.002.01", "Service is currently unreachable");
        assert_eq!((reply.header("retry-after"), reply.header("connection")), (Some("1"), Some("close")));
        assert!(surplus.closed().await.is_empty());
        drop(kept);
        let started = Instant::now();
        while world.get("/livez").await.status != 200 {
            assert!(started.elapsed() < HANGS_AFTER, "no place came back");
        }
    }
}

#[tokio::test]
async fn http_2_with_prior_knowledge_carries_checks_at_once() {
    let world = World::start().await;
    let token = world.token(&world.sandbox).await;
    let stream = TcpStream::connect(world.address).await.unwrap();
    let (sender, connection) =
        hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
    let driver = tokio::spawn(connection);
    let asking: Vec<_> = (0..50)
        .map(|n| {
            let request = Request::post(format!("http://laini.test{IMSI_PATH}"))
                .header("authorization", format!("Bearer {token}"))
                .header("x-request-id", n)
                .body(Full::new(Bytes::from_static(BODY.as_bytes())))
                .unwrap();
            let mut sender = sender.clone();
            tokio::spawn(async move { sender.send_request(request).await.unwrap() })
        })
        .collect();
    for response in asking {
        let response = timeout(HANGS_AFTER, response).await.unwrap().unwrap();
        assert_eq!((response.status().as_u16(), response.version()), (200, hyper::Version::HTTP_2));
        let body = response.into_body().collect().await.unwrap().to_bytes();
        assert!(std::str::from_utf8(&body).unwrap().contains("254722000001"));
    }
    drop(sender);
    timeout(HANGS_AFTER, driver).await.unwrap().unwrap().unwrap();
    assert_eq!(world.ledger.outcomes().len(), 50);
}

#[tokio::test]
async fn an_http_2_connection_is_idle_between_requests_not_in_a_header() {
    let world = hasty().await;
    let stream = TcpStream::connect(world.address).await.unwrap();
    let (mut sender, connection) =
        hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
    let mut driver = tokio::spawn(connection);
    let livez = || Request::get("http://laini.test/livez").body(Full::<Bytes>::default()).unwrap();
    assert_eq!(sender.send_request(livez()).await.unwrap().status(), 200);
    let since = Instant::now();
    let kept = timeout(Duration::from_millis(HEADER_TIMEOUT_MS * 2), &mut driver).await;
    assert!(kept.is_err(), "closed while idle");
    assert_eq!(sender.send_request(livez()).await.unwrap().status(), 200);
    let _ = timeout(HANGS_AFTER, driver).await.expect("never closed");
    assert!(since.elapsed() >= Duration::from_millis(HEADER_TIMEOUT_MS * 2 + 1_000 - 5));
}
