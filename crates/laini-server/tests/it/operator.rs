//! The operator's API as far as it does not need a registry: who is let in, and what an upload may be.

use jiff::{SignedDuration, Timestamp};
use laini_core::access::OperatorCredential;
use laini_core::partner::{OperatorKey, OperatorScope};
use laini_core::store::AccountBook;

use crate::wire::{Connection, Reply, request};
use crate::world::{NOW, World, assert_error};

const EVENTS: &str = "/operator/v1/events";
const HEARTBEATS: &str = "/operator/v1/heartbeats";

fn credential(id: u64) -> OperatorCredential {
    // Of an id one bit is dropped.
    OperatorCredential::mint(2 * id, [id, 2, 3, 4])
}

fn add_key(book: &mut AccountBook, id: u64, change: impl FnOnce(&mut OperatorKey)) {
    let now: Timestamp = NOW.parse().unwrap();
    let mut key = OperatorKey {
        id: credential(id).key,
        name: id.to_string(),
        scopes: OperatorScope::ALL.into_iter().collect(),
        hash: credential(id).secret.hash(),
        created: now,
        expires: now + SignedDuration::from_hours(1),
        is_revoked: false,
    };
    change(&mut key);
    book.operator_keys.push(key);
}

async fn post(world: &World, path: &str, headers: &str, key: &str, body: &str) -> Reply {
    let headers = format!("Authorization: Bearer {key}\r\n{headers}");
    world.send(request("POST", path, &headers, body)).await
}

#[tokio::test]
async fn operator_keys_that_are_not_good_are_told_apart() {
    let now: Timestamp = NOW.parse().unwrap();
    let world = World::start_with_accounts(|book| {
        add_key(book, 1, |_| {});
        add_key(book, 2, |key| key.expires = now);
        add_key(book, 3, |key| key.is_revoked = true);
    })
    .await;
    assert_eq!(post(&world, EVENTS, "", &credential(1).reveal(), "").await.status, 200);
    let message = |why: &str| format!("Error Occurred - Invalid Access Token - {why}");
    let forged = OperatorCredential::mint(2, [9; 4]).reveal().to_string();
    for (key, why) in [
        (credential(2).reveal().to_string(), "expired, request a new one"),
        (credential(3).reveal().to_string(), "revoked, request a new one"),
        (credential(4).reveal().to_string(), "not issued by this service"),
        (forged.clone(), "not issued by this service"),
    ] {
        assert_error(&post(&world, EVENTS, "", &key, "").await, 401, "401.002.01", &message(why));
    }
    // Who guesses has to wait, whatever comes next.
    let mut guesses = 0;
    while post(&world, EVENTS, "", &forged, "").await.status == 401 {
        guesses += 1;
        assert!(guesses <= 20, "nobody stops a guesser");
    }
    let waits = post(&world, EVENTS, "", &credential(1).reveal(), "").await;
    assert_error(&waits, 429, "500.003.02", "Error Occurred: Spike Arrest Violation");
    let other = post(&world, EVENTS, "", &credential(4).reveal(), "").await;
    assert_eq!(other.status, 401, "other keys are asked for from there still");
}

#[tokio::test]
async fn each_line_of_an_upload_is_answered_in_order() {
    let world = World::start_with_accounts(|book| add_key(book, 1, |_| {})).await;
    let body = "\n{\"type\":\"heartbeat\",\"at\":\"2026-11-22\"}\nno event\n";
    let reply = post(&world, EVENTS, "", &credential(1).reveal(), body).await;
    assert_eq!((reply.status, reply.header("content-type")), (200, Some("application/x-ndjson")));
    let expected = [
        r#"{"line":2,"result":"accepted"}"#,
        r#"{"line":3,"result":"refused","event":"line 3","reason":"is not a JSON object whose fields are texts"}"#,
        r#"{"summary":{"events":2,"accepted":1,"repeated":0,"waiting":0,"refused":1}}"#,
    ];
    assert_eq!(reply.body.lines().collect::<Vec<_>>(), expected);
}

#[tokio::test]
async fn an_upload_that_cannot_be_read_says_how_far_it_was() {
    let world = World::start_customised(
        |settings| {
            settings.limits.upload_silence_ms = 50;
            settings.limits.event_lines_max = 3;
            settings.limits.upload_bytes = 400;
        },
        |book| add_key(book, 1, |_| {}),
    )
    .await;
    let key = credential(1).reveal();
    let beat = "{\"type\":\"heartbeat\",\"at\":\"2026-11-22\"}\n";

    let brotli = post(&world, EVENTS, "Content-Encoding: br\r\n", &key, beat).await;
    assert_error(&brotli, 415, "415.002.01", "Unsupported Media Type");
    let many = post(&world, EVENTS, "", &key, &beat.repeat(4)).await;
    let message = "Bad Request - one upload may have 3 lines, which were recorded; send the rest in another one";
    assert_error(&many, 400, "400.004.01", message);
    let large = post(&world, EVENTS, "", &key, &"x".repeat(401)).await;
    assert_eq!(large.json()["errorCode"], "400.004.01");
    assert!(large.json()["errorMessage"].as_str().unwrap().contains("larger than one upload may be"), "{large:?}");

    let mut silent = Connection::open(world.address).await;
    let head = format!(
        "POST {EVENTS} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {}\r\nContent-Length: 300\r\n\r\n{beat}",
        *key
    );
    silent.send(head).await;
    let reply = silent.reply().await.unwrap();
    let message = "Bad Request - after line 1 it cannot be read: nothing came for too long; \
                   the lines up to there were recorded: send it again whole, or what is left";
    assert_error(&reply, 400, "400.004.01", message);
}

#[tokio::test]
async fn a_heartbeat_is_an_object_or_nothing() {
    let world = World::start_with_accounts(|book| add_key(book, 1, |_| {})).await;
    let key = credential(1).reveal();
    for body in ["", " ", "{}", r#" {"source":"hlr-2"}"#] {
        assert_eq!(post(&world, HEARTBEATS, "", &key, body).await.status, 200, "{body}");
    }
    for body in ["[null,null]", "[]", "null", "{", r#"{"sauce":"hlr-2"}"#] {
        let refused = post(&world, HEARTBEATS, "", &key, body).await;
        assert_error(&refused, 400, "400.002.05", "Invalid Request Payload");
    }
}
