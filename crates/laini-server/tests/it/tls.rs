//! TLS: versions, protocols, renewal, client certificates, a handshake that stalls, shutting down.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http_body_util::Full;
use hyper::Request;
use hyper_util::rt::{TokioExecutor, TokioIo};
use laini_server::http::{Tls, TlsError};
use rustls::ALL_VERSIONS;
use rustls::version::{TLS12, TLS13};
use tokio::net::TcpStream;
use tokio::sync::Notify;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use crate::pki::{Identity, Pki, connect};
use crate::wire::{Connection, HANGS_AFTER, Reply, check, request};
use crate::world::{IMSI_PATH, World, assert_error};

const BODY: &str = r#"{"customerNumber":"254722000001"}"#;

async fn ask(world: &World, connector: &TlsConnector, request: String) -> Option<Reply> {
    let mut connection = Connection::over(connect(connector, world.address).await.ok()?);
    connection.send(request).await;
    connection.reply().await
}

/// A token, fetched over TLS as everything else.
async fn token(world: &World, connector: &TlsConnector) -> String {
    let headers = crate::wire::basic(&world.sandbox.key, &world.sandbox.secret);
    let generate = request("GET", "/oauth/v1/generate?grant_type=client_credentials", &headers, "");
    ask(world, connector, generate).await.unwrap().text("access_token")
}

#[tokio::test]
async fn checks_are_answered_over_tls_1_2_and_1_3_and_browsers_are_told_to_come_back_so() {
    let pki = Pki::new();
    let world = World::start_on(&[pki.listener()], |_| {}).await;
    for version in [&TLS12, &TLS13] {
        let connector = pki.client(None, &[version], &["http/1.1"]);
        let token = token(&world, &connector).await;
        let reply = ask(&world, &connector, check(IMSI_PATH, &token, BODY)).await.unwrap();
        assert_eq!(reply.status, 200, "{reply:?}");
        assert_eq!(reply.header("strict-transport-security"), Some("max-age=63072000"));
    }
}

#[tokio::test]
async fn older_versions_and_plain_http_get_an_alert_and_no_answer() {
    let pki = Pki::new();
    let world = World::start_on(&[pki.listener()], |_| {}).await;
    // A greeting of TLS 1.1 with one cipher suite, no compression, no extension.
    let mut greeting = b"\x16\x03\x01\x00\x2d\x01\x00\x00\x29\x03\x02".to_vec();
    greeting.extend_from_slice(&[7; 32]);
    greeting.extend_from_slice(b"\x00\x00\x02\xc0\x13\x01\x00");
    for first in [greeting, request("GET", "/livez", "", "").into_bytes()] {
        let mut connection = Connection::open(world.address).await;
        connection.send(first).await;
        let said = connection.closed().await;
        assert!(said.is_empty() || said[0] == 0x15, "no alert: {said:?}");
    }
}

#[tokio::test]
async fn http_2_is_agreed_on_and_carries_checks() {
    let pki = Pki::new();
    let world = World::start_on(&[pki.listener()], |_| {}).await;
    let token = token(&world, &pki.client(None, ALL_VERSIONS, &[])).await;
    let stream = connect(&pki.client(None, ALL_VERSIONS, &["h2", "http/1.1"]), world.address).await.unwrap();
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
    let (mut sender, driver) =
        hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
    let driver = tokio::spawn(driver);
    let response = sender.send_request(http_2_check(&token)).await.unwrap();
    assert_eq!((response.status().as_u16(), response.version()), (200, hyper::Version::HTTP_2));
    drop(sender);
    timeout(HANGS_AFTER, driver).await.unwrap().unwrap().unwrap();
}

fn http_2_check(token: &str) -> Request<Full<Bytes>> {
    Request::post(format!("https://laini.test{IMSI_PATH}"))
        .header("authorization", format!("Bearer {token}"))
        .body(Full::new(Bytes::from_static(BODY.as_bytes())))
        .unwrap()
}

#[tokio::test]
async fn a_renewed_certificate_is_noticed_and_connections_that_are_open_go_on() {
    let pki = Pki::new();
    let world = World::start_on(&[pki.listener()], |_| {}).await;
    let connector = pki.client(None, ALL_VERSIONS, &[]);
    let mut open = Connection::over(connect(&connector, world.address).await.unwrap());
    let renewed = pki.renew();
    let started = Instant::now();
    while served(&connector, &world).await != renewed {
        assert!(started.elapsed() < HANGS_AFTER, "the renewed certificate is not served");
    }
    open.send(request("GET", "/livez", "", "")).await;
    assert_eq!(open.reply().await.unwrap().status, 200);
}

async fn served(connector: &TlsConnector, world: &World) -> rustls::pki_types::CertificateDer<'static> {
    let stream = connect(connector, world.address).await.unwrap();
    stream.get_ref().1.peer_certificates().unwrap()[0].clone().into_owned()
}

#[tokio::test]
async fn a_reload_that_fails_keeps_the_certificate_in_force_and_says_which_file_without_showing_it() {
    let pki = Pki::new();
    let listener = pki.listener();
    let tls = Arc::clone(listener.tls.as_ref().unwrap());
    let world = World::start_on(&[listener], |_| {}).await;
    let connector = pki.client(None, ALL_VERSIONS, &[]);
    let before = served(&connector, &world).await;
    let key = std::fs::read_to_string(pki.path("key.pem")).unwrap();
    for (file, holds) in [
        ("certificate.pem", "no PEM at all".to_owned()),
        ("certificate.pem", key.clone()),
        ("key.pem", String::new()),
        ("key.pem", key.replace("MIG", "????")),
        // Of another certificate.
        ("key.pem", Pki::new().key_text()),
    ] {
        let good = std::fs::read(pki.path(file)).unwrap();
        std::fs::write(pki.path(file), &holds).unwrap();
        let error = tls.reload().unwrap_err().to_string();
        assert!(error.contains(file) && !error.contains("PRIVATE"), "{error}");
        assert_eq!(served(&connector, &world).await, before);
        std::fs::write(pki.path(file), good).unwrap();
    }
    std::fs::remove_file(pki.path("key.pem")).unwrap();
    assert!(matches!(tls.reload(), Err(TlsError::File { .. })));
    assert!(Tls::load(pki.files()).is_err());
    std::fs::write(pki.path("key.pem"), key).unwrap();
    tls.reload().unwrap();
    assert_eq!(served(&connector, &world).await, before);
}

#[tokio::test]
async fn a_client_without_the_certificate_that_is_required_gets_no_answer() {
    let pki = Pki::new();
    let world = World::start_on(&[pki.mutual(true)], |_| {}).await;
    let known = pki.issue("bank");
    let stranger = Pki::new().issue("bank");
    let livez = || request("GET", "/livez", "", "");
    for identity in [None, Some(&stranger)] {
        for version in [&TLS12, &TLS13] {
            let connector = pki.client(identity, &[version], &[]);
            assert!(ask(&world, &connector, livez()).await.is_none());
        }
    }
    let connector = pki.client(Some(&known), ALL_VERSIONS, &[]);
    assert_eq!(ask(&world, &connector, livez()).await.unwrap().status, 200);
}

#[tokio::test]
async fn an_app_that_is_bound_to_a_certificate_is_answered_under_it_alone() {
    let pki = Pki::new();
    let world = World::start_on(&[pki.mutual(false)], |_| {}).await;
    let (own, other) = (pki.issue("bank"), pki.issue("another"));
    let token = token(&world, &pki.client(None, ALL_VERSIONS, &[])).await;
    let asked_as = async |identity: Option<&Identity>| {
        let connector = pki.client(identity, ALL_VERSIONS, &[]);
        ask(&world, &connector, check(IMSI_PATH, &token, BODY)).await.unwrap()
    };
    for identity in [None, Some(&own), Some(&other)] {
        assert_eq!(asked_as(identity).await.status, 200, "an app that is not bound");
    }
    world.accounts.change_app(world.sandbox.app, |app| app.client_certificate = Some(own.fingerprint()));
    let started = Instant::now();
    while asked_as(None).await.status == 200 {
        assert!(started.elapsed() < HANGS_AFTER, "the binding does not hold");
    }
    let message = "Forbidden - client certificate not allowed; present the one that is registered for this app";
    for identity in [None, Some(&other)] {
        assert_error(&asked_as(identity).await, 403, "403.002.01", message);
    }
    assert_eq!(asked_as(Some(&own)).await.status, 200);
}

#[tokio::test]
async fn a_handshake_that_stalls_is_cut_at_the_header_timeout() {
    let pki = Pki::new();
    let world = World::start_on(&[pki.listener()], |settings| settings.limits.header_timeout_ms = 200).await;
    let since = Instant::now();
    for greeting in [&b""[..], b"\x16\x03\x01\x02\x00\x01"] {
        let mut connection = Connection::over(TcpStream::connect(world.address).await.unwrap());
        connection.send(greeting).await;
        assert!(connection.closed().await.is_empty());
    }
    assert!(since.elapsed() >= Duration::from_millis(2 * 195), "{:?}", since.elapsed());
}

#[tokio::test]
async fn what_was_accepted_over_tls_is_finished_at_a_shutdown() {
    let pki = Pki::new();
    let mut world = World::start_on(&[pki.listener()], |_| {}).await;
    let connector = pki.client(None, ALL_VERSIONS, &[]);
    let token = token(&world, &connector).await;
    let gate = Arc::new(Notify::new());
    *world.ledger.gate.lock().unwrap() = Some(Arc::clone(&gate));
    let mut first = Connection::over(connect(&connector, world.address).await.unwrap());
    first.send(check(IMSI_PATH, &token, BODY)).await;
    world.ledger.arrived.notified().await;
    let stream = connect(&pki.client(None, ALL_VERSIONS, &["h2"]), world.address).await.unwrap();
    let (mut sender, driver) =
        hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
    let driver = tokio::spawn(driver);
    let second = tokio::spawn(sender.send_request(http_2_check(&token)));
    world.ledger.arrived.notified().await;
    world.stop();
    while TcpStream::connect(world.address).await.is_ok() {}
    gate.notify_one();
    gate.notify_one();
    gate.notify_waiters();
    assert_eq!(first.reply().await.expect("the answer").status, 200);
    // One permit is stored at a time; the second check may have begun to wait after it was taken.
    gate.notify_one();
    assert_eq!(timeout(HANGS_AFTER, second).await.unwrap().unwrap().unwrap().status(), 200);
    timeout(HANGS_AFTER, driver).await.unwrap().unwrap().unwrap();
    assert_eq!(world.ledger.outcomes().len(), 2);
    world.stopped().await;
}
