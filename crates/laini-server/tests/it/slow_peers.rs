//! Peers that read slowly or not at all, and those that open more than they may.

use std::time::{Duration, Instant};

use bytes::Bytes;
use http_body_util::{Empty, Full};
use hyper::Request;
use hyper::client::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo};
use laini_server::Limits;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::timeout;

use crate::wire::{Connection, HANGS_AFTER, request};
use crate::world::{World, assert_error};

/// Identifiers of HTTP/2 settings (RFC 9113, section 6.5.2).
const MAX_CONCURRENT_STREAMS: u16 = 3;
const MAX_HEADER_LIST_SIZE: u16 = 6;

#[test]
fn the_promised_limits_are_the_defaults() {
    let limits = Limits::default();
    let times = [limits.header_timeout_ms, limits.body_timeout_ms, limits.request_timeout_ms];
    assert_eq!(times, [10_000, 5_000, 8_000]);
    assert_eq!((limits.look_up_timeout_ms, limits.idle_timeout_ms, limits.drain_timeout_ms), (2_500, 75_000, 20_000));
    assert_eq!((limits.body_bytes, limits.http2_streams), (16 * 1024, 100));
    assert_eq!((limits.connections_max, limits.connections_per_address_max), (8_192, 4_096));
    assert_eq!((limits.answer_timeout_ms, limits.checks_waiting_max), (10_000, 8_192));
}

/// A connection whose own buffers are small, so that what is not read is felt soon.
async fn narrow(world: &World) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4_096).unwrap();
    socket.connect(world.address).await.unwrap()
}

#[tokio::test]
async fn a_peer_that_takes_no_answers_is_cut_while_it_goes_on_asking() {
    let world = World::start_with(|settings| settings.limits.answer_timeout_ms = 300).await;
    let mut stream = narrow(&world).await;
    let flood = request("GET", "/livez", "", "").repeat(200);
    let since = Instant::now();
    let flooding = async { while stream.write_all(flood.as_bytes()).await.is_ok() {} };
    timeout(HANGS_AFTER, flooding).await.expect("the connection is held for ever");
    assert!(since.elapsed() >= Duration::from_millis(295), "{:?}", since.elapsed());
    assert_eq!(world.get("/livez").await.status, 200);
}

#[tokio::test]
async fn a_peer_that_sips_its_answers_is_cut_too() {
    let world = World::start_with(|settings| settings.limits.answer_timeout_ms = 300).await;
    let (mut reader, mut writer) = narrow(&world).await.into_split();
    let flood = request("GET", "/livez", "", "").repeat(200);
    let flooding = tokio::spawn(async move { while writer.write_all(flood.as_bytes()).await.is_ok() {} });
    let sipping = async {
        let mut ticks = tokio::time::interval(Duration::from_millis(20));
        let mut sip = [0; 16];
        while matches!(reader.read(&mut sip).await, Ok(1..)) {
            ticks.tick().await;
        }
    };
    // What lies in its own buffer can be sipped for long; the server has let go of it by then.
    tokio::select! {
        () = sipping => {}
        done = timeout(HANGS_AFTER, flooding) => done.expect("the connection is held for ever").unwrap(),
    }
}

#[tokio::test]
async fn an_http_2_peer_that_grants_no_window_is_cut() {
    let world = World::start_with(|settings| {
        settings.limits.idle_timeout_ms = 300;
        settings.limits.header_timeout_ms = 300;
    })
    .await;
    let stream = TcpStream::connect(world.address).await.unwrap();
    let mut builder = http2::Builder::new(TokioExecutor::new());
    let (mut sender, connection) = builder.initial_stream_window_size(0).handshake(TokioIo::new(stream)).await.unwrap();
    let driver = tokio::spawn(connection);
    let livez = Request::get("http://laini.test/livez").body(Empty::<Bytes>::new()).unwrap();
    let response = sender.send_request(livez).await.unwrap();
    assert_eq!(response.status(), 200);
    let _ = timeout(HANGS_AFTER, driver).await.expect("the connection is held for ever");
}

#[tokio::test]
async fn an_http_2_peer_is_told_its_limits() {
    let world = World::start().await;
    let mut stream = TcpStream::connect(world.address).await.unwrap();
    stream.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0").await.unwrap();
    let mut frame = [0; 9];
    stream.read_exact(&mut frame).await.unwrap();
    assert_eq!(frame[3], 4, "the first frame is no SETTINGS: {frame:?}");
    let mut settings = vec![0; usize::from(u16::from_be_bytes([frame[1], frame[2]]))];
    stream.read_exact(&mut settings).await.unwrap();
    let value = |id: u16| {
        let found = settings.chunks(6).find(|one| one[..2] == id.to_be_bytes())?;
        Some(u32::from_be_bytes([found[2], found[3], found[4], found[5]]))
    };
    assert_eq!((value(MAX_CONCURRENT_STREAMS), value(MAX_HEADER_LIST_SIZE)), (Some(100), Some(32 * 1024)));
}

#[tokio::test]
async fn streams_that_are_opened_and_reset_at_once_end_the_connection() {
    let world = World::start().await;
    let mut stream = TcpStream::connect(world.address).await.unwrap();
    stream.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0").await.unwrap();
    // Bursts of GET / over http (static table 2, 4, 6), each reset with CANCEL.
    let mut id = 1_u32;
    let flooding = async {
        loop {
            let mut burst = Vec::new();
            for _ in 0..500 {
                burst.extend_from_slice(b"\0\0\x03\x01\x05");
                burst.extend_from_slice(&id.to_be_bytes());
                burst.extend_from_slice(&[0x82, 0x84, 0x86]);
                burst.extend_from_slice(b"\0\0\x04\x03\0");
                burst.extend_from_slice(&id.to_be_bytes());
                burst.extend_from_slice(&8_u32.to_be_bytes());
                id += 2;
            }
            if stream.write_all(&burst).await.is_err() {
                break;
            }
        }
    };
    timeout(HANGS_AFTER, flooding).await.expect("it may go on for ever");
    assert_eq!(world.get("/livez").await.status, 200);
}

#[tokio::test]
async fn headers_beyond_their_limits_get_no_further() {
    let world = World::start().await;
    let header = |bytes: usize| request("GET", "/livez", &format!("X-A: {}\r\n", "a".repeat(bytes)), "");
    assert_eq!(world.send(header(16 * 1024)).await.status, 200);
    assert_eq!(world.send(header(40 * 1024)).await.status, 431);
    let many = |count: usize| request("GET", "/livez", &"A: b\r\n".repeat(count), "");
    assert_eq!(world.send(many(99)).await.status, 200);
    assert_eq!(world.send(many(101)).await.status, 431);
    let long = format!("/livez?{}", "a".repeat(7 * 1024));
    assert_eq!(world.get(&long).await.status, 200);
    let longer = format!("/livez?{}", "a".repeat(9 * 1024));
    assert_error(&world.get(&longer).await, 404, "404.001.01", "Resource not found");
}

#[tokio::test]
async fn an_http_2_header_list_beyond_its_limit_is_refused() {
    let world = World::start().await;
    let stream = TcpStream::connect(world.address).await.unwrap();
    let (mut sender, connection) = http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
    let driver = tokio::spawn(connection);
    let with = |bytes: usize| {
        let request = Request::get("http://laini.test/livez").header("x-a", "a".repeat(bytes));
        request.body(Full::<Bytes>::default()).unwrap()
    };
    assert_eq!(sender.send_request(with(16 * 1024)).await.unwrap().status(), 200);
    let refused = sender.send_request(with(40 * 1024)).await;
    assert!(refused.is_err() || refused.is_ok_and(|response| response.status() == 431));
    driver.abort();
}

#[tokio::test]
async fn a_proxy_is_many_clients_and_names_them() {
    let world = World::start_with(|settings| {
        settings.limits.connections_per_address_max = 1;
        settings.limits.token_requests_burst = 2;
        settings.limits.token_requests_per_second = 1;
        settings.proxies.networks = laini_core::access::AddressRules::parse(["127.0.0.1"]).unwrap();
    })
    .await;
    let asked_for = async |client: &str| {
        let credentials = crate::wire::basic(&world.sandbox.key, &world.sandbox.secret);
        let headers = format!("X-Forwarded-For: 198.51.100.1, {client}\r\n{credentials}");
        let mut connection = Connection::open(world.address).await;
        connection.send(request("GET", "/oauth/v1/generate?grant_type=client_credentials", &headers, "")).await;
        let status = connection.reply().await.unwrap().status;
        (status, connection)
    };
    let mut kept = Vec::new();
    for (client, expected) in [("192.0.2.1", 200), ("192.0.2.1", 200), ("192.0.2.1", 429), ("192.0.2.2", 200)] {
        let (status, connection) = asked_for(client).await;
        assert_eq!(status, expected, "{client}");
        kept.push(connection);
    }
}
