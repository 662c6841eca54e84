//! Every row of the error table that tokens and checks can reach.

use laini_core::billing::Outcome;

use crate::fakes::Mood;
use crate::wire::{Connection, check, request};
use crate::world::{AGE_PATH, CHECK_PATHS, IMSI_PATH, World, assert_error};

const NUMBER: &str = "254700000001";
const BODY: &str = r#"{"customerNumber":"254700000001"}"#;
const UNREACHABLE: &str = "Service is currently unreachable";
const NOT_CONFIRMED: &str = "Record not confirmed - repeat with the same key";

async fn world() -> World {
    let world = World::start_with(|settings| {
        settings.limits.body_timeout_ms = 150;
        settings.limits.look_up_timeout_ms = 50;
        settings.limits.record_timeout_ms = 50;
    })
    .await;
    world.put(NUMBER, "2019-01-12T09:00:00Z", None);
    world
}

#[tokio::test]
async fn a_body_that_is_no_object_is_refused() {
    let world = world().await;
    let token = world.token(&world.production).await;
    for body in ["x", "[]", "\"254700000001\"", "{", "{\"customerNumber\":}", "null", "<a/>"] {
        let reply = world.check_with(IMSI_PATH, &token, body).await;
        assert_error(&reply, 400, "400.002.05", "Invalid Request Payload");
        assert_eq!(reply.header("laini-charge"), Some("none; reason=refused"));
    }
    let empty = world.send(check(IMSI_PATH, &token, "")).await;
    assert_error(&empty, 400, "400.002.05", "Invalid Request Payload");
    assert!(world.ledger.outcomes().is_empty());
}

#[tokio::test]
async fn a_number_that_cannot_be_read_is_refused_with_help_where_there_is_some() {
    let world = world().await;
    let token = world.token(&world.production).await;
    let invalid = "Bad Request - Invalid customerNumber";
    for (body, help) in [
        ("{}", ""),
        (r#"{"customerNumber":""}"#, ""),
        (r#"{"customerNumber":"12"}"#, ""),
        (r#"{"customerNumber":"2547000000012345678"}"#, ""),
        (r#"{"customerNumber":"2547ABC00000"}"#, ""),
        (r#"{"customerNumber":null}"#, ""),
        (r#"{"customerNumber":[1]}"#, ""),
        (r#"{"customerNumber":"0700-000-001"}"#, " - did you mean 254700000001?"),
        (r#"{"customerNumber":"00254700000001"}"#, " - did you mean 254700000001?"),
        (r#"{"msisdn":"254700000001"}"#, " - the field is named customerNumber, not msisdn"),
        (r#"{"phoneNumber":"254700000001"}"#, " - the field is named customerNumber, not phoneNumber"),
        (r#"{"CustomerNumber":"254700000001"}"#, " - the field is named customerNumber, not CustomerNumber"),
    ] {
        let reply = world.check_with(AGE_PATH, &token, body).await;
        assert_error(&reply, 400, "400.002.02", &format!("{invalid}{help}"));
    }
    assert!(world.ledger.outcomes().is_empty());
}

#[tokio::test]
async fn unknown_paths_and_wrong_methods_are_json_too() {
    let world = world().await;
    for path in ["/", "/imsi/v1/checkati", "/imsi/v1/checkATI/", "/imsi/v3/checkATI", "/%00", "/..%2f", "/a?b=c"] {
        assert_error(&world.get(path).await, 404, "404.001.01", "Resource not found");
    }
    for path in CHECK_PATHS {
        for method in ["GET", "PUT", "DELETE", "OPTIONS", "PATCH"] {
            let reply = world.send(request(method, path, "", "")).await;
            assert_error(&reply, 405, "405.001", &format!("{method} Method Not Allowed"));
            assert_eq!(reply.header("allow"), Some("POST"));
        }
    }
    let reply = world.send(request("POST", "/oauth/v1/generate", "", "")).await;
    assert_error(&reply, 405, "405.001", "POST Method Not Allowed");
    assert_eq!(reply.header("allow"), Some("GET"));
    let reply = world.send(request("GET", "/oauth2/token", "", "")).await;
    assert_error(&reply, 405, "405.001", "GET Method Not Allowed");
    let long = "X".repeat(200);
    assert_error(&world.send(request(&long, IMSI_PATH, "", "")).await, 405, "405.001", "Method Not Allowed");
}

#[tokio::test]
async fn bodies_of_another_type_are_415() {
    let world = world().await;
    let token = world.token(&world.production).await;
    let send = async |content_type: &str| {
        let headers = format!("Authorization: Bearer {token}\r\n{content_type}");
        world.send(request("POST", IMSI_PATH, &headers, BODY)).await
    };
    for other in ["text/plain", "application/x-www-form-urlencoded", "application/xml", "\u{e9}"] {
        let reply = send(&format!("Content-Type: {other}\r\n")).await;
        assert_error(&reply, 415, "415.002.01", "Unsupported Media Type");
    }
    for json in ["", "Content-Type: application/json; charset=utf-8\r\n", "Content-Type: APPLICATION/JSON\r\n"] {
        assert_eq!(send(json).await.status, 200, "{json}");
    }
}

#[tokio::test]
async fn bodies_that_are_too_large_are_413_announced_or_not() {
    let world = world().await;
    let token = world.token(&world.production).await;
    let large = format!("{{\"x\":\"{}\",\"customerNumber\":\"{NUMBER}\"}}", "y".repeat(16 * 1024));
    let reply = world.check_with(IMSI_PATH, &token, &large).await;
    assert_error(&reply, 413, "413.002.01", "Payload Too Large");
    let headers = format!("Authorization: Bearer {token}\r\nTransfer-Encoding: chunked\r\n");
    let chunk = format!("{:x}\r\n{large}\r\n0\r\n\r\n", large.len());
    let reply = world.send(format!("{}{chunk}", request("POST", IMSI_PATH, &headers, ""))).await;
    assert_error(&reply, 413, "413.002.01", "Payload Too Large");
    let fits = format!("{{\"customerNumber\":\"{NUMBER}\"{}}}", " ".repeat(16 * 1024 - BODY.len()));
    assert_eq!(world.check_with(IMSI_PATH, &token, &fits).await.status, 200);
}

#[tokio::test]
async fn a_body_that_stalls_or_drips_is_408() {
    let world = world().await;
    let token = world.token(&world.production).await;
    let headers = format!("Authorization: Bearer {token}\r\nContent-Length: 500\r\n");
    let mut stalled = Connection::open(world.address).await;
    stalled.send(format!("{}{{\"cust", request("POST", IMSI_PATH, &headers, ""))).await;
    assert_error(&stalled.reply().await.unwrap(), 408, "408.002.01", "Request Timeout");
    assert!(stalled.closed().await.is_empty());
}

#[tokio::test]
async fn what_the_registry_cannot_answer_is_no_answer_and_no_row() {
    let world = world().await;
    for (mood, status, code, message) in [
        (Mood::Empty, 503, "503.002.02", "Registry data is incomplete"),
        (Mood::Bad, 502, "502.002.01", UNREACHABLE),
        (Mood::Unavailable, 503, "503.002.01", UNREACHABLE),
        (Mood::Hangs, 504, "504.002.01", UNREACHABLE),
        (Mood::Panics, 500, "500.003.1001", "Internal Server Error"),
    ] {
        *world.registry.mood.lock().unwrap() = mood;
        let reply = world.check(IMSI_PATH, NUMBER).await;
        assert_error(&reply, status, code, message);
        assert_eq!(reply.json().as_object().unwrap().len(), 6, "{reply:?}");
    }
    assert!(world.ledger.outcomes().is_empty());
    *world.registry.mood.lock().unwrap() = Mood::Good;
    assert_eq!(world.check(IMSI_PATH, NUMBER).await.status, 200);
}

#[tokio::test]
async fn without_a_durable_row_no_fact_leaves() {
    let world = world().await;
    for (mood, charge) in
        [(Mood::Unavailable, "none; reason=refused"), (Mood::Unconfirmed, "unknown"), (Mood::Hangs, "unknown")]
    {
        *world.ledger.mood.lock().unwrap() = mood;
        for number in [NUMBER, "254700000099"] {
            let reply = world.check(IMSI_PATH, number).await;
            assert_error(&reply, 503, "503.002.03", NOT_CONFIRMED);
            assert_eq!(reply.header("laini-charge"), Some(charge));
            assert!(reply.header("retry-after").unwrap().parse::<u32>().is_ok());
            assert_eq!(reply.header("laini-swap"), None);
        }
    }
    *world.ledger.mood.lock().unwrap() = Mood::Good;
    assert_eq!(world.check(IMSI_PATH, NUMBER).await.status, 200);
    assert_eq!(world.ledger.outcomes(), [Outcome::Answered]);
}

#[tokio::test]
async fn a_ledger_that_sheds_load_is_free_and_stays_ready() {
    let world = world().await;
    *world.ledger.mood.lock().unwrap() = Mood::Busy;
    let reply = world.check(IMSI_PATH, NUMBER).await;
    assert_error(&reply, 503, "503.002.01", UNREACHABLE);
    assert_eq!(reply.header("laini-charge"), Some("none; reason=refused"));
    assert!(reply.header("retry-after").unwrap().parse::<u32>().is_ok());
    assert_eq!(world.get("/readyz").await.status, 200);
}

#[tokio::test]
async fn probes_tell_living_from_ready() {
    let world = world().await;
    assert_eq!(world.get("/livez").await.body, r#"{"status":"live"}"#);
    let ready = world.get("/readyz").await;
    assert_eq!((ready.status, ready.body.as_str()), (200, r#"{"status":"ready"}"#));
    *world.registry.mood.lock().unwrap() = Mood::Empty;
    let reply = world.get("/readyz").await;
    assert_eq!(reply.status, 503);
    assert_eq!(reply.json()["reasons"], serde_json::json!(["the registry is empty"]));
    *world.registry.mood.lock().unwrap() = Mood::Good;
    *world.ledger.mood.lock().unwrap() = Mood::Unavailable;
    world.check(IMSI_PATH, NUMBER).await;
    let reply = world.get("/readyz").await;
    assert_eq!(reply.json()["reasons"], serde_json::json!(["the ledger does not confirm records"]));
    *world.ledger.mood.lock().unwrap() = Mood::Good;
    world.check(IMSI_PATH, NUMBER).await;
    assert_eq!(world.get("/readyz").await.status, 200);
    assert_eq!(world.get("/livez").await.status, 200);
}

#[tokio::test]
async fn accounts_that_cannot_be_read_stay_in_force_and_are_told() {
    let world = world().await;
    let token = world.token(&world.production).await;
    *world.accounts.mood.lock().unwrap() = Mood::Bad;
    let started = std::time::Instant::now();
    let reply = loop {
        let reply = world.get("/readyz").await;
        if reply.status == 503 || started.elapsed().as_secs() > 5 {
            break reply;
        }
    };
    assert_eq!(reply.json()["reasons"], serde_json::json!(["the accounts cannot be read"]));
    assert_eq!(world.check_with(IMSI_PATH, &token, BODY).await.status, 200);
}

#[tokio::test]
async fn a_sandbox_is_ready_without_a_registry() {
    let world = World::start_sandbox().await;
    *world.registry.mood.lock().unwrap() = Mood::Empty;
    assert_eq!(world.get("/readyz").await.status, 200);
}
