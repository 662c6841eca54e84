//! The sandbox numbers that go wrong, over real connections.

use std::io::ErrorKind;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http_body_util::Full;
use hyper::Request;
use hyper_util::rt::{TokioExecutor, TokioIo};
use laini_core::billing::Outcome;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::wire::{HANGS_AFTER, Reply, check};
use crate::world::{AGE_PATH, CHECK_PATHS, IMSI_PATH, SWAP_PATH, World, assert_error};

fn body(last_digits: u32) -> String {
    format!("{{\"customerNumber\":\"2547220000{last_digits:02}\"}}")
}

async fn ask(world: &World, path: &str, last_digits: u32) -> Reply {
    let token = world.token(&world.sandbox).await;
    world.check_with(path, &token, &body(last_digits)).await
}

#[tokio::test]
async fn each_fault_answers_its_status_on_every_check_and_is_free() {
    let world = World::start().await;
    let unreachable = "Service is currently unreachable";
    for (digits, status, code, message, retry_after) in [
        (50, 500, "500.003.1001", "Internal Server Error", None),
        (51, 502, "502.002.01", unreachable, None),
        (52, 503, "503.002.01", unreachable, Some("1")),
        (53, 504, "504.002.01", unreachable, Some("1")),
        (54, 429, "500.003.02", "Error Occurred: Spike Arrest Violation", Some("1")),
        (55, 429, "500.003.03", "Error Occurred: Quota Violation", Some("60")),
        (56, 408, "408.002.01", "Request Timeout", None),
    ] {
        for path in CHECK_PATHS {
            let reply = ask(&world, path, digits).await;
            assert_error(&reply, status, code, message);
            assert_eq!(reply.header("retry-after"), retry_after, "{digits}");
            assert_eq!(reply.header("laini-charge"), Some("none; reason=refused"), "{digits}");
            assert_eq!(reply.header("laini-environment"), Some("sandbox"), "{digits}");
        }
    }
    assert_eq!(world.ledger.outcomes(), []);
}

#[tokio::test]
async fn a_stale_feed_withdraws_every_reassuring_answer_and_is_free() {
    let world = World::start().await;
    for path in CHECK_PATHS {
        let reply = ask(&world, path, 58).await;
        assert_error(&reply, 503, "503.002.02", "Registry data is stale");
        assert_eq!(reply.header("retry-after"), Some("60"));
        assert_eq!(reply.header("laini-charge"), Some("none; reason=unknown"));
        assert_eq!(reply.header("laini-as-of"), Some("2026-11-20T09:00:00Z"));
    }
    assert_eq!(world.ledger.outcomes(), [Outcome::Unknown; 3]);
}

#[tokio::test]
async fn a_late_answer_is_right_and_charged() {
    let world = World::start().await;
    let begun = Instant::now();
    let reply = ask(&world, IMSI_PATH, 57).await;
    assert!(begun.elapsed() >= Duration::from_secs(3), "{:?}", begun.elapsed());
    assert_eq!(reply.text("lastSwapDate"), "01-01-1900");
    assert_eq!(reply.header("laini-charge"), Some("KES 20.00"));
    assert_eq!(world.ledger.outcomes(), [Outcome::Answered]);
}

#[tokio::test]
async fn a_reset_is_a_reset() {
    let world = World::start().await;
    let token = world.token(&world.sandbox).await;
    for path in [IMSI_PATH, SWAP_PATH, AGE_PATH] {
        let mut stream = TcpStream::connect(world.address).await.unwrap();
        stream.write_all(check(path, &token, &body(59)).as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        let ended = timeout(HANGS_AFTER, stream.read_to_end(&mut answer)).await.expect("the server hangs");
        assert_eq!(ended.unwrap_err().kind(), ErrorKind::ConnectionReset);
        assert_eq!(answer, b"");
    }
    assert_eq!(world.ledger.outcomes(), []);
    assert_eq!(world.get("/livez").await.status, 200);
}

#[tokio::test]
async fn over_http2_the_stream_is_reset_and_the_others_go_on() {
    let world = World::start().await;
    let token = world.token(&world.sandbox).await;
    let stream = TcpStream::connect(world.address).await.unwrap();
    let (mut sender, connection) =
        hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
    let driver = tokio::spawn(connection);
    let asked = |digits| {
        let request = Request::post(format!("http://laini.test{IMSI_PATH}"));
        let request = request.header("authorization", format!("Bearer {token}"));
        request.body(Full::new(Bytes::from(body(digits)))).unwrap()
    };
    for _ in 0..2 {
        let failed = timeout(HANGS_AFTER, sender.send_request(asked(59))).await.expect("the server hangs").unwrap_err();
        assert!(failed.to_string().contains("http2"), "{failed}");
        assert_eq!(sender.send_request(asked(1)).await.unwrap().status(), 200);
    }
    drop(sender);
    let _ = timeout(HANGS_AFTER, driver).await.expect("the server hangs");
}

#[tokio::test]
async fn in_production_the_numbers_are_numbers() {
    let world = World::start().await;
    for digits in 50..60 {
        assert_eq!(world.check(IMSI_PATH, &format!("2547220000{digits}")).await.status, 404);
    }
}
