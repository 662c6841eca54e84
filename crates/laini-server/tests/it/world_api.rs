//! Sandbox worlds over HTTP: what an app makes its own, and what its checks answer then.

use std::time::{Duration, Instant};

use jiff::tz::TimeZone;
use laini_core::line::NumberPlan;
use laini_core::sandbox::{LifeEvent, Moment};
use laini_core::store::WorldStore as _;
use serde_json::{Value, json};

use crate::wire::{Reply, request};
use crate::world::{AGE_PATH, IMSI_PATH, SWAP_PATH, World, assert_error};

const NONE: &str = "01-01-1900";
const OLDER: &str = "MSISDN registration is more than one year old";
/// What another process changed is noticed within this.
const NOTICED_WITHIN: Duration = Duration::from_secs(1);

/// A sandbox app at work.
struct Tester {
    world: World,
    token: String,
}

impl Tester {
    async fn start() -> Self {
        let world = World::start().await;
        let token = world.token(&world.sandbox).await;
        Self { world, token }
    }

    async fn call(&self, method: &str, path: &str, body: &Value) -> Reply {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let headers = format!("Authorization: Bearer {}\r\nContent-Type: application/json\r\n", self.token);
        self.world.send(request(method, &format!("/sandbox/v1{path}"), &headers, &body)).await
    }

    /// A call that must succeed.
    async fn done(&self, method: &str, path: &str, body: Value) -> Value {
        let reply = self.call(method, path, &body).await;
        assert_eq!(reply.status, 200, "{method} {path} {body}: {reply:?}");
        reply.json()
    }

    async fn event(&self, number: &str, event: Value) -> Value {
        self.done("POST", &format!("/lines/{number}/events"), event).await
    }

    async fn check(&self, path: &str, number: &str) -> Reply {
        self.world.check_with(path, &self.token, &json!({ "customerNumber": number }).to_string()).await
    }

    /// Last swap and registration, as answered.
    async fn dates(&self, number: &str) -> (String, String) {
        let reply = self.check(IMSI_PATH, number).await;
        (reply.text("lastSwapDate"), reply.text("msisdnRegistrationDate"))
    }
}

fn dates(swapped: &str, registered: &str) -> (String, String) {
    (swapped.to_owned(), registered.to_owned())
}

#[tokio::test]
async fn a_line_is_put_asked_changed_and_removed() {
    let tester = Tester::start().await;
    let number = "254733000001";
    assert_eq!(tester.check(IMSI_PATH, number).await.status, 404);
    let line = json!({ "registered_at": "2026-03-01", "last_swap_at": "-P10D", "swap_cause": "esim" });
    let put = tester.done("PUT", "/lines/0733000001", line).await;
    assert_eq!(
        put,
        json!({
            "msisdn": number, "origin": "own", "status": "active", "registered_at": "2026-02-28T21:00:00Z",
            "last_swap_at": "2026-11-12T09:00:00Z", "swap_cause": "esim", "restricted": false, "source_rejected": false
        })
    );
    assert_eq!(tester.dates(number).await, dates("12-11-2026", "01-03-2026"));
    let before = tester.check(IMSI_PATH, number).await.text("imsi");
    let amended =
        tester.done("PATCH", "/lines/254733000001", json!({ "last_swap_at": null, "status": "suspended" })).await;
    assert_eq!(amended["status"], "suspended");
    assert_eq!(amended.get("last_swap_at"), None);
    assert_eq!(tester.dates(number).await, dates(NONE, "01-03-2026"));
    assert_eq!(tester.check(IMSI_PATH, number).await.text("imsi"), before, "the same SIM");
    assert_eq!(tester.done("GET", "/lines/254733000001", Value::Null).await, amended);
    tester.done("PATCH", "/lines/254733000001", json!({ "restricted": true })).await;
    assert_error(&tester.check(IMSI_PATH, number).await, 403, "403.002.02", "Forbidden - withheld");
    assert_eq!(tester.call("DELETE", "/lines/254733000001", &Value::Null).await.status, 204);
    assert_eq!(tester.check(IMSI_PATH, number).await.status, 404);
    assert_error(
        &tester.call("GET", "/lines/254733000001", &Value::Null).await,
        404,
        "404.002.01",
        "Resource not found",
    );
}

#[tokio::test]
async fn every_event_shows_in_the_next_check() {
    let tester = Tester::start().await;
    let number = "254722000001";
    let mut sims = vec![tester.check(IMSI_PATH, number).await.text("imsi")];
    for (event, expected) in [
        (json!({ "type": "device-change" }), dates(NONE, OLDER)),
        (json!({ "type": "swap", "at": "-P20D" }), dates("02-11-2026", OLDER)),
        (json!({ "type": "esim", "at": "2026-11-10" }), dates("10-11-2026", OLDER)),
        (json!({ "type": "suspend" }), dates("10-11-2026", OLDER)),
        (json!({ "type": "resume" }), dates("10-11-2026", OLDER)),
        (json!({ "type": "recycle", "at": "-P5D" }), dates("17-11-2026", "17-11-2026")),
        (json!({ "type": "port-in", "at": "-P3D" }), dates("19-11-2026", "19-11-2026")),
    ] {
        tester.event(number, event.clone()).await;
        assert_eq!(tester.dates(number).await, expected, "{event}");
        sims.push(tester.check(IMSI_PATH, number).await.text("imsi"));
    }
    sims.dedup();
    assert_eq!(sims.len(), 5, "a new SIM for each event that brings one, and none for the others");
    for (event, status) in [
        (json!({ "type": "restrict" }), 403),
        (json!({ "type": "unrestrict" }), 200),
        (json!({ "type": "row-refused" }), 503),
        (json!({ "type": "swap" }), 200),
        (json!({ "type": "terminate" }), 404),
        (json!({ "type": "register" }), 200),
        (json!({ "type": "port-out" }), 404),
        (json!({ "type": "port-in" }), 200),
        (json!({ "type": "number-change", "new_msisdn": "0733000009" }), 404),
    ] {
        tester.world.clock.advance(1);
        tester.event(number, event.clone()).await;
        assert_eq!(tester.check(IMSI_PATH, number).await.status, status, "{event}");
    }
    assert_eq!(tester.check(SWAP_PATH, "254733000009").await.header("laini-swap"), Some("swapped"));
}

#[tokio::test]
async fn the_clock_moves_windows_and_nothing_else() {
    let tester = Tester::start().await;
    assert_eq!(tester.dates("254722000002").await, dates("22-11-2026", OLDER));
    let clock = tester.done("POST", "/clock/advance", json!({ "by": "P30D" })).await;
    assert_eq!(clock, json!({ "now": "2026-12-22T09:00:00Z", "ahead_s": 30 * 86_400 }));
    assert_eq!(tester.done("GET", "/clock", Value::Null).await, clock);
    // The swap of today is a swap of 30 days ago now, and the as-of moved along.
    assert_eq!(tester.dates("254722000002").await, dates("22-11-2026", OLDER));
    assert_eq!(tester.check(IMSI_PATH, "254722000002").await.header("laini-as-of"), Some("2026-12-22T09:00:00Z"));
    tester.done("POST", "/clock/advance", json!({ "to": "2027-02-23" })).await;
    assert_eq!(tester.dates("254722000002").await, dates(NONE, OLDER));
    assert_eq!(tester.check(AGE_PATH, "254722000008").await.text("msisdnRegistrationDate"), OLDER);
    // The sample is the one fixed answer, and the token is as old as it was.
    assert_eq!(tester.dates("254722000000").await, dates("01-05-2022", "01-03-2022"));
    assert_eq!(tester.world.ledger.rows.lock().unwrap()[0].0.at.to_string(), "2026-11-22T09:00:00Z");
    for (body, status) in [
        (json!({ "to": "2026-12-01" }), 409),
        (json!({ "by": "P101Y" }), 409),
        (json!({ "by": "-P1D" }), 400),
        (json!({ "by": "soon" }), 400),
        (json!({ "by": "P1D", "to": "2028-01-01" }), 400),
        (json!({}), 400),
    ] {
        assert_eq!(tester.call("POST", "/clock/advance", &body).await.status, status, "{body}");
    }
}

#[tokio::test]
async fn a_stopped_feed_withdraws_reassurance_and_keeps_swaps() {
    let tester = Tester::start().await;
    let feed = tester.done("POST", "/feed/stop", Value::Null).await;
    assert_eq!(feed, json!({ "running": false, "as_of": "2026-11-22T09:00:00Z" }));
    assert_eq!(tester.check(IMSI_PATH, "254722000001").await.status, 200);
    tester.done("POST", "/clock/advance", json!({ "by": "PT16M" })).await;
    let stale = tester.check(IMSI_PATH, "254722000001").await;
    assert_error(&stale, 503, "503.002.02", "Registry data is stale");
    assert_eq!(stale.header("laini-as-of"), Some("2026-11-22T09:00:00Z"));
    assert_eq!(tester.dates("254722000010").await, dates("15-11-2026", "15-11-2026"), "a known swap is answered");
    assert_eq!(tester.check(AGE_PATH, "254722000001").await.status, 200, "26 hours are not over");
    tester.done("POST", "/clock/advance", json!({ "by": "PT26H" })).await;
    assert_eq!(tester.check(AGE_PATH, "254722000001").await.status, 503);
    let refused = tester.call("POST", "/lines/254722000001/events", &json!({ "type": "swap" })).await;
    let why = "Conflict - the world's feed is stopped, so nothing new can be told; start it first";
    assert_error(&refused, 409, "409.003.01", why);
    assert_eq!(tester.done("POST", "/feed/start", Value::Null).await["running"], true);
    assert_eq!(tester.dates("254722000001").await, dates(NONE, OLDER));
}

#[tokio::test]
async fn a_changed_persona_is_the_apps_own_until_a_reset() {
    let tester = Tester::start().await;
    tester.event("254722000001", json!({ "type": "swap" })).await;
    tester.done("PUT", "/lines/254722000050", json!({})).await;
    tester.done("POST", "/clock/advance", json!({ "by": "P1D" })).await;
    assert_eq!(tester.dates("254722000001").await, dates("22-11-2026", OLDER));
    assert_eq!(tester.dates("254722000050").await, dates(NONE, OLDER), "a line of its own has no fault");
    let world = tester.done("GET", "/world", Value::Null).await;
    assert_eq!((&world["lines"], &world["events"], &world["lines_max"]), (&json!(2), &json!(1), &json!(1_000)));
    let fresh = tester.done("POST", "/reset", Value::Null).await;
    assert_eq!(
        (&fresh["lines"], &fresh["clock"]["ahead_s"], &fresh["feed"]["running"]),
        (&json!(0), &json!(0), &json!(true))
    );
    assert_eq!(tester.dates("254722000001").await, dates(NONE, OLDER));
    assert_eq!(tester.check(IMSI_PATH, "254722000050").await.status, 500);
    tester.event("254722000001", json!({ "type": "swap" })).await;
    assert_eq!(tester.call("DELETE", "/world", &Value::Null).await.status, 204);
    assert_eq!(tester.dates("254722000001").await, dates(NONE, OLDER));
    for (method, path, body) in
        [("PUT", "/lines/254722000000", json!({})), ("POST", "/lines/254722000000/events", json!({ "type": "swap" }))]
    {
        let why = "Conflict - the published sample is fixed; use another number";
        assert_error(&tester.call(method, path, &body).await, 409, "409.003.01", why);
    }
}

/// A script of calls, and every check's answer without its id.
async fn play(tester: &Tester) -> Vec<String> {
    tester.done("PUT", "/lines/0733000001", json!({ "registered_at": "-P2Y" })).await;
    tester.event("0733000001", json!({ "type": "swap", "at": "-P4M" })).await;
    tester.event("0722000003", json!({ "type": "recycle" })).await;
    tester.done("POST", "/clock/advance", json!({ "by": "P45D" })).await;
    tester.event("0733000001", json!({ "type": "number-change", "new_msisdn": "0733000002" })).await;
    let mut answers = Vec::new();
    for number in ["0733000001", "0733000002", "0722000003", "0722000004", "0722000010"] {
        for path in [IMSI_PATH, SWAP_PATH, AGE_PATH] {
            let reply = tester.check(path, number).await;
            let mut body = reply.json();
            for id in ["requestRefID", "requestId"] {
                body.as_object_mut().unwrap().remove(id);
            }
            answers.push(format!("{} {body} {:?}", reply.status, reply.header("laini-as-of")));
        }
    }
    answers
}

#[tokio::test]
async fn the_same_calls_get_the_same_answers() {
    let tester = Tester::start().await;
    let first = play(&tester).await;
    tester.done("POST", "/reset", Value::Null).await;
    assert_eq!(play(&tester).await, first, "after a reset");
    assert_eq!(play(&Tester::start().await).await, first, "on another server");
}

#[tokio::test]
async fn only_sandbox_apps_have_a_world_and_each_its_own() {
    let tester = Tester::start().await;
    tester.event("254722000001", json!({ "type": "swap" })).await;
    let production = Tester { token: tester.world.token(&tester.world.production).await, world: tester.world };
    let nobody = |token: &str| format!("Authorization: Bearer {token}\r\n");
    for (method, path) in [
        ("GET", "/world"),
        ("DELETE", "/world"),
        ("POST", "/reset"),
        ("GET", "/lines"),
        ("GET", "/lines/254722000001"),
        ("PUT", "/lines/254722000001"),
        ("PATCH", "/lines/254722000001"),
        ("DELETE", "/lines/254722000001"),
        ("POST", "/lines/254722000001/events"),
        ("GET", "/clock"),
        ("POST", "/clock/advance"),
        ("POST", "/feed/stop"),
        ("POST", "/feed/start"),
    ] {
        let why = "Forbidden - worlds belong to sandbox apps; use the token of a sandbox app";
        assert_error(&production.call(method, path, &Value::Null).await, 403, "403.002.01", why);
        let reply = production.world.send(request(method, &format!("/sandbox/v1{path}"), &nobody("x"), "")).await;
        assert_eq!((reply.status, reply.text("errorCode").as_str()), (401, "401.002.01"), "{method} {path}");
        let reply = production.call("OPTIONS", path, &Value::Null).await;
        assert_eq!((reply.status, reply.text("errorCode").as_str()), (405, "405.001"), "{path}");
    }
    assert_eq!(production.world.worlds.version().await.unwrap(), 1, "nothing was changed");
}

#[tokio::test]
async fn what_cannot_be_read_is_named() {
    let tester = Tester::start().await;
    let expected = |field: &str| format!("Bad Request - Invalid {field} - ");
    for (method, path, body, field) in [
        ("PUT", "/lines/abc", json!({}), "msisdn"),
        ("PUT", "/lines/%ff", json!({}), "msisdn"),
        ("PUT", "/lines/0733000001", json!({ "status": "fine" }), "status"),
        ("PUT", "/lines/0733000001", json!({ "registered_at": "yesterday" }), "registered_at"),
        ("PUT", "/lines/0733000001", json!({ "last_swap_at": "P3D" }), "last_swap_at"),
        ("PUT", "/lines/0733000001", json!({ "contract_type": "x" }), "contract_type"),
        ("PUT", "/lines/0733000001", json!({ "hashed_imsi": "1 2" }), "hashed_imsi"),
        ("PUT", "/lines/0733000001", json!({ "imsi": "639021234567890" }), "body"),
        ("PUT", "/lines/0733000001", json!({ "restricted": "yes" }), "body"),
        ("POST", "/lines/0733000001/events", json!({ "type": "explode" }), "type"),
        ("POST", "/lines/0733000001/events", json!({}), "body"),
        ("POST", "/lines/0733000001/events", json!({ "type": "number-change" }), "new_msisdn"),
        ("POST", "/lines/0733000001/events", json!({ "type": "swap", "new_msisdn": "0733000002" }), "new_msisdn"),
        ("POST", "/lines/0733000001/events", json!({ "type": "restrict", "at": "-P1D" }), "at"),
        ("GET", "/lines?limit=101", Value::Null, "limit"),
        ("GET", "/lines?after=x", Value::Null, "after"),
        ("GET", "/lines?page=2", Value::Null, "query"),
    ] {
        let reply = tester.call(method, path, &body).await;
        assert_eq!((reply.status, reply.text("errorCode").as_str()), (400, "400.002.02"), "{method} {path} {body}");
        assert!(reply.text("errorMessage").starts_with(&expected(field)), "{method} {path} {body}: {reply:?}");
    }
    let broken = "Authorization: Bearer ";
    let headers = format!("{broken}{}\r\nContent-Type: application/json\r\n", tester.token);
    for body in ["{", "", "[]", "null", "\"x\""] {
        let reply = tester.world.send(request("PUT", "/sandbox/v1/lines/0733000001", &headers, body)).await;
        assert_error(&reply, 400, "400.002.05", "Invalid Request Payload");
    }
}

#[tokio::test]
async fn lines_come_a_page_at_a_time() {
    let tester = Tester::start().await;
    for last in [5, 1, 3, 2, 4] {
        tester.done("PUT", &format!("/lines/073300000{last}"), json!({})).await;
    }
    let mut seen = Vec::new();
    let mut page = tester.done("GET", "/lines?limit=2", Value::Null).await;
    loop {
        let lines = page["lines"].as_array().unwrap();
        assert!(lines.len() <= 2);
        seen.extend(lines.iter().map(|line| line["msisdn"].as_str().unwrap().to_owned()));
        let Some(after) = page["next_after"].as_str() else { break };
        page = tester.done("GET", &format!("/lines?limit=2&after={after}"), Value::Null).await;
    }
    assert_eq!(seen, [1, 2, 3, 4, 5].map(|last| format!("25473300000{last}")));
}

#[tokio::test]
async fn a_full_world_says_so() {
    let tester = Tester::start().await;
    let app = tester.world.sandbox.app;
    let fill = |world: &mut laini_core::sandbox::World| {
        let zone = TimeZone::UTC;
        let moment = Moment { real: "2026-11-22T09:00:00Z".parse().unwrap(), zone: &zone };
        (0..1_000).try_for_each(|last| {
            let msisdn = NumberPlan::KENYA.parse(&format!("254733{last:06}")).unwrap();
            world.happen(msisdn, LifeEvent::Register, None, moment)
        })
    };
    tester.world.worlds.change(app, "2026-11-22T09:00:00Z".parse().unwrap(), Box::new(fill)).await.unwrap();
    let full = tester.call("PUT", "/lines/0734000000", &json!({})).await;
    let why = "Conflict - the world has 1000 lines of its own, the most there may be; remove some, or reset it";
    assert_error(&full, 409, "409.003.01", why);
}

#[tokio::test]
async fn what_another_process_changes_is_noticed_within_a_second() {
    let tester = Tester::start().await;
    let app = tester.world.sandbox.app;
    assert_eq!(tester.dates("254722000001").await, dates(NONE, OLDER));
    let swap = |world: &mut laini_core::sandbox::World| {
        let zone = TimeZone::UTC;
        let moment = Moment { real: "2026-11-22T09:00:00Z".parse().unwrap(), zone: &zone };
        world.happen(NumberPlan::KENYA.parse("254722000001").unwrap(), LifeEvent::Swap, None, moment)
    };
    tester.world.worlds.change(app, "2026-11-22T09:00:00Z".parse().unwrap(), Box::new(swap)).await.unwrap();
    let begun = Instant::now();
    while tester.dates("254722000001").await == dates(NONE, OLDER) {
        assert!(begun.elapsed() < NOTICED_WITHIN, "not noticed");
    }
    assert_eq!(tester.dates("254722000001").await, dates("22-11-2026", OLDER));
}
