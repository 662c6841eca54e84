//! Nothing is sent where a partner's address must not lead: family `outbound`.

use std::collections::{HashMap, VecDeque};
use std::io;
use std::net::IpAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use axum::http::{StatusCode, header};
use axum::response::IntoResponse as _;
use jiff::Timestamp;
use laini_core::access::{KeyTree, RootKey};
use laini_core::delivery::{Reach, ResultUrl};
use laini_core::partner::{AppId, ResultAddress, ResultAddressId};
use laini_core::store::BoxFuture;
use laini_server::delivery::{ChallengeError, Outbound, Resolver, SendError, SignedMessage, prove};

use crate::receiver::{Receiver, Trap};

const NOW: Timestamp = Timestamp::constant(1_795_000_000, 0);

/// Names with the answers that each look-up gets, one after the other; the last one stays.
#[derive(Default)]
struct Names {
    answers: Mutex<HashMap<String, VecDeque<Vec<IpAddr>>>>,
    look_ups: AtomicUsize,
}

impl Names {
    fn point(&self, name: &str, answers: &[&[&str]]) {
        let parse = |answer: &&[&str]| answer.iter().map(|ip| ip.parse().unwrap()).collect();
        self.answers.lock().unwrap().insert(name.to_owned(), answers.iter().map(parse).collect());
    }
}

impl Resolver for Names {
    fn resolve(&self, name: &str) -> BoxFuture<'static, io::Result<Vec<IpAddr>>> {
        self.look_ups.fetch_add(1, Ordering::SeqCst);
        let mut answers = self.answers.lock().unwrap();
        let found = answers
            .get_mut(name)
            .map(|answers| if answers.len() > 1 { answers.pop_front().unwrap() } else { answers[0].clone() });
        Box::pin(async move { found.ok_or_else(|| io::Error::from(io::ErrorKind::NotFound)) })
    }
}

fn keys() -> KeyTree {
    KeyTree::new(RootKey::new([7; 32]))
}

fn address(url: &str) -> ResultAddress {
    ResultAddress {
        id: ResultAddressId::from_stored(7),
        app: AppId::from_stored(1),
        url: url.to_owned(),
        proven: None,
        secret_generation: 1,
        previous_until: None,
    }
}

fn message() -> SignedMessage {
    SignedMessage::sign(&keys(), &address(""), NOW, "971f-4359".to_owned(), "{}".to_owned())
}

fn outbound(reach: Reach, names: &Arc<Names>) -> Outbound {
    Outbound::new(reach, Arc::clone(names) as _, Vec::new()).unwrap()
}

/// Hosts that are loopback, inside or nowhere, in every notation that a parser may read.
const HOSTS: [&str; 38] = [
    "127.0.0.1",
    "127.1",
    "127.0.1",
    "127.255.255.254",
    "0",
    "0.0.0.0",
    "0x7f000001",
    "0x7f.0x0.0x0.0x1",
    "0X7F.1",
    "017700000001",
    "0177.0.0.1",
    "0177.0.0.01",
    "2130706433",
    "127.0.0.1.",
    "127%2e0%2e0%2e1",
    "%31%32%37.0.0.1",
    "１２７.0.0.1",
    "localhost",
    "LOCALHOST",
    "localhost.",
    "[::1]",
    "[0:0:0:0:0:0:0:1]",
    "[::]",
    "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]",
    "[0:0:0:0:0:ffff:127.0.0.1]",
    "[::127.0.0.1]",
    "[64:ff9b::7f00:1]",
    "[2002:7f00:1::]",
    "[2001:0:7f00:1::]",
    "[fe80::1]",
    "[fd00::1]",
    "169.254.169.254",
    "10.0.0.1",
    "192.168.1.1",
    "172.16.0.1",
    "100.64.0.1",
    "224.0.0.1",
];

/// Whole addresses that lead astray; `PORT` is the trap's.
const ADDRESSES: [&str; 16] = [
    "http://bank.example:PORT/",
    "http://127.0.0.1:PORT/",
    "https://bank.example@127.0.0.1:PORT/",
    "https://127.0.0.1:PORT@bank.example:22/",
    "https://bank.example:80@127.0.0.1:PORT/",
    "https://127.0.0.1:PORT\\@bank.example/",
    "https://bank.example\\@127.0.0.1:PORT/",
    "https:127.0.0.1:PORT/",
    "https:\\\\127.0.0.1:PORT\\",
    "//127.0.0.1:PORT/",
    "ftp://127.0.0.1:PORT/",
    "file:///etc/passwd",
    "gopher://127.0.0.1:PORT/_x",
    "unix:/var/run/docker.sock",
    "https://127.0.0.1:PORT/#@bank.example",
    "https://bank.example:25/",
];

/// What a name must not stand for, alone or among others.
const RESOLVED: [&[&str]; 30] = [
    &["127.0.0.1"],
    &["127.8.8.8"],
    &["0.0.0.0"],
    &["0.1.2.3"],
    &["10.1.2.3"],
    &["100.64.0.1"],
    &["100.127.255.255"],
    &["169.254.169.254"],
    &["172.16.0.1"],
    &["172.31.255.255"],
    &["192.0.0.1"],
    &["192.0.2.1"],
    &["192.168.0.1"],
    &["198.18.0.1"],
    &["203.0.113.1"],
    &["224.0.0.1"],
    &["240.0.0.1"],
    &["255.255.255.255"],
    &["::1"],
    &["::"],
    &["::ffff:127.0.0.1"],
    &["::ffff:8.8.8.8"],
    &["64:ff9b::a00:1"],
    &["2002:a00:1::1"],
    &["2001::1"],
    &["fc00::1"],
    &["fe80::1"],
    &["ff02::1"],
    &["8.8.8.8", "127.0.0.1"],
    &["2606:4700::1", "10.0.0.1", "8.8.8.8"],
];

#[tokio::test]
async fn outbound_nothing_out_of_reach_is_connected_to() {
    let trap = Trap::set().await;
    let names = Arc::new(Names::default());
    let outbound = outbound(Reach::Public, &names);
    let mut cases = 0;
    let hosts = HOSTS.map(|host| format!("https://{host}:{}/", trap.port));
    let addresses = ADDRESSES.map(|address| address.replace("PORT", &trap.port.to_string()));
    for text in hosts.iter().chain(&addresses) {
        cases += 1;
        // Whatever the notation, it is refused when it is registered, before anything is resolved.
        assert!(ResultUrl::parse(text, Reach::Public).is_err(), "{text}");
    }
    for (n, answer) in RESOLVED.iter().enumerate() {
        cases += 1;
        names.point("bank.example", &[answer]);
        let to = ResultUrl::parse(&format!("https://bank.example:{}/{n}", trap.port), Reach::Public).unwrap();
        let refused = outbound.send(&to, &message()).await.unwrap_err();
        assert!(matches!(refused, SendError::OutOfReach(_)), "{answer:?}: {refused:?}");
    }
    assert_eq!(names.look_ups.load(Ordering::SeqCst), RESOLVED.len(), "a name is looked up once per attempt");
    // An address that was good on a server on loopback is judged again when its listeners changed.
    let here = ResultUrl::parse(&format!("https://127.0.0.1:{}/", trap.port), Reach::Loopback).unwrap();
    assert!(matches!(outbound.send(&here, &message()).await, Err(SendError::OutOfReach(_))));
    cases += 1;
    cases += redirects_lead_nowhere(&trap).await;
    cases += moving_names_lead_nowhere(&trap).await;
    assert_eq!(trap.connects(), 0);
    println!("family=outbound cases={cases} failures=0 seed=0");
    assert!(cases >= 60);
}

async fn redirects_lead_nowhere(trap: &Trap) -> usize {
    let receiver = Receiver::start().await;
    let outbound = outbound(Reach::Loopback, &Arc::default());
    let to = ResultUrl::parse(&receiver.url(), Reach::Loopback).unwrap();
    let statuses = [300, 301, 302, 303, 305, 307, 308];
    for status in statuses {
        let trapped = format!("http://127.0.0.1:{}/", trap.port);
        receiver.answers(move |_| {
            (StatusCode::from_u16(status).unwrap(), [(header::LOCATION, trapped.clone())]).into_response()
        });
        assert_eq!(outbound.send(&to, &message()).await, Ok(status));
    }
    assert_eq!(receiver.received().len(), statuses.len());
    statuses.len()
}

/// A name that points at a good address when it is judged, and elsewhere a moment later.
async fn moving_names_lead_nowhere(trap: &Trap) -> usize {
    let receiver = Receiver::start().await;
    receiver.answers_status(200);
    let names = Arc::new(Names::default());
    let outbound = outbound(Reach::Loopback, &names);
    let elsewhere = ["10.0.0.1", "169.254.169.254", "0.0.0.0", "::ffff:127.0.0.1", "fe80::1"];
    for (n, moved) in elsewhere.iter().enumerate() {
        // The name stays `localhost`, the only one that plain HTTP may name.
        names.point("localhost", &[&["127.0.0.1"], &[moved]]);
        let to = |port| ResultUrl::parse(&format!("http://localhost:{port}/"), Reach::Loopback).unwrap();
        assert_eq!(outbound.send(&to(receiver.address.port()), &message()).await, Ok(200), "{moved}");
        assert_eq!(names.look_ups.load(Ordering::SeqCst), 2 * n + 1, "judged and connected to in one look-up");
        let refused = outbound.send(&to(trap.port), &message()).await.unwrap_err();
        assert!(matches!(refused, SendError::OutOfReach(_)), "{moved}: {refused:?}");
    }
    elsewhere.len()
}

#[tokio::test]
async fn outbound_a_name_without_an_address_is_unresolved() {
    let outbound = outbound(Reach::Public, &Arc::default());
    let to = ResultUrl::parse("https://nobody.example/", Reach::Public).unwrap();
    assert_eq!(outbound.send(&to, &message()).await, Err(SendError::Unresolved));
}

#[tokio::test]
async fn outbound_an_address_is_proven_by_the_challenge_alone() {
    let receiver = Receiver::start().await;
    let outbound = outbound(Reach::Loopback, &Arc::default());
    let to = ResultUrl::parse(&receiver.url(), Reach::Loopback).unwrap();
    let (keys, address) = (keys(), address(to.as_str()));
    let proven = || prove(&outbound, &keys, (&address, &to), NOW, [9; 16]);
    let challenge = "09".repeat(16);

    // The whole body echoed, the value as JSON, as text, as text with a line end.
    assert_eq!(proven().await, Ok(()));
    let told = receiver.received()[0].clone();
    assert_eq!(told.json(), serde_json::json!({ "type": "challenge", "challenge": challenge }));
    assert_eq!(told.header("content-type"), "application/json;charset=UTF-8");
    for answer in [format!("{challenge}\r\n"), format!("\"{challenge}\""), format!("{{\"challenge\":\"{challenge}\"}}")]
    {
        receiver.answers(move |_| answer.clone().into_response());
        assert_eq!(proven().await, Ok(()));
    }
    let long = challenge.repeat(10_000);
    for answer in [String::new(), "ok".to_owned(), challenge[1..].to_owned(), "{\"challenge\":1}".to_owned(), long] {
        receiver.answers(move |_| answer.clone().into_response());
        assert_eq!(proven().await, Err(ChallengeError::OtherAnswer));
    }
    for status in [302, 404, 410, 500] {
        receiver.answers_status(status);
        assert_eq!(proven().await, Err(ChallengeError::Status(status)));
    }
    drop(receiver);
    assert!(matches!(proven().await, Err(ChallengeError::Send(SendError::NoConnection(_)))));
}
