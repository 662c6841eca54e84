//! The log of requests: a call that failed is found by its id and by its number, with where it ended.

use jiff::{SignedDuration, Timestamp};
use laini_core::Clock as _;
use laini_core::billing::CheckId;
use laini_core::partner::{AppId, Environment, MemberRole, PartnerId, StaffRole};
use laini_core::store::{RefusedCall, Stage, TrailQuery};
use laini_office::people::Seat;
use serde_json::{Value, json};

use crate::office::signed_in;
use crate::wire::{Reply, basic, request};
use crate::world::World;

const BANK: PartnerId = PartnerId::from_stored(1);
const STRANGER: PartnerId = PartnerId::from_stored(12);
const IMSI: &str = "/imsi/v1/checkATI";

async fn call(world: &World, token: &str, method: &str, path: &str, body: &Value) -> Reply {
    let (headers, body) = match body {
        Value::Null => (String::new(), String::new()),
        body => ("Content-Type: application/json\r\n".to_owned(), body.to_string()),
    };
    world.send(request(method, path, &format!("Authorization: Bearer {token}\r\n{headers}"), &body)).await
}

/// A call, once it is told with a failure: it is written down beside the answer.
pub(crate) async fn opened(world: &World, session: &str, id: &str) -> Value {
    let path = format!("/office/v1/partners/{BANK}/requests/{id}");
    let is_there =
        async || call(world, session, "GET", &path, &Value::Null).await.json()["request"]["failure"].is_object();
    world.accounts_noticed(is_there).await;
    call(world, session, "GET", &path, &Value::Null).await.json()
}

fn drawn(opened: &Value) -> Vec<String> {
    let steps = opened["steps"].as_array().unwrap().iter();
    steps.map(|step| format!("{}:{}", step["stage"].as_str().unwrap(), step["state"].as_str().unwrap())).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_call_is_found_by_its_id_and_says_where_it_ended() {
    let world = World::start().await;
    let session = signed_in(&world, 1, Seat::Member { partner: BANK, role: MemberRole::Developer });
    let token = world.first_token().await.to_owned();
    world.put("254733000001", "2020-01-12T00:00:00Z", None);
    let good = world.check(IMSI, "254733000001").await;
    assert_eq!(good.status, 200);
    let bad_body = world.check_with(IMSI, &token, "[]").await;
    let bad_number = world.check_with(IMSI, &token, r#"{"customerNumber":"12345"}"#).await;
    let unknown = world.check(IMSI, "254733999999").await;
    let lost = call(&world, &token, "GET", "/v1/no-such-path", &Value::Null).await;
    assert_eq!((bad_body.status, bad_number.status, unknown.status, lost.status), (400, 400, 404, 404));

    let told = opened(&world, &session, &bad_body.text("requestRefID")).await;
    assert_eq!(told["request"]["status"], 400);
    assert_eq!(told["request"]["failure"]["error_code"], "400.002.05");
    assert_eq!(told["request"]["failure"]["path"], IMSI);
    assert_eq!(told["request"]["outcome"], Value::Null);
    assert_eq!(drawn(&told)[..3], ["token:passed", "request:failed", "limits:not_reached"]);

    // It reached the registry: a row that costs nothing, and a failure, are one call.
    let told = opened(&world, &session, &unknown.text("requestRefID")).await;
    let request = &told["request"];
    assert_eq!((&request["status"], &request["outcome"]), (&json!(404), &json!("not_served")));
    assert_eq!((&request["number"], &request["charge_minor"]), (&json!("254******999"), &json!(0)));
    assert_eq!(drawn(&told)[3..], ["registry:failed", "disclosure:not_reached", "charge:passed"]);

    let told = opened(&world, &session, &lost.text("requestId")).await;
    assert_eq!((&told["request"]["failure"]["path"], &told["request"]["product"]), (&json!(""), &Value::Null));
    let answered = format!("/office/v1/partners/{BANK}/requests/{}", good.text("requestRefID"));
    let told = call(&world, &session, "GET", &answered, &Value::Null).await.json();
    assert_eq!((&told["request"]["status"], &told["request"]["outcome"]), (&json!(200), &json!("answered")));
    assert!(drawn(&told).iter().all(|step| step.ends_with(":passed")));

    // Nobody else's business.
    let stranger = signed_in(&world, 2, Seat::Member { partner: STRANGER, role: MemberRole::Owner });
    assert_eq!(call(&world, &stranger, "GET", &answered, &Value::Null).await.status, 404);
    let all = format!("/office/v1/partners/{BANK}/requests");
    for filter in ["status=x", "outcome=x", "answered=x", "from=x", "app=x", "after=x"] {
        assert_eq!(
            call(&world, &session, "GET", &format!("{all}?{filter}"), &Value::Null).await.status,
            400,
            "{filter}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_with_an_expired_token_or_a_wrong_secret_is_told_to_its_partner() {
    let world = World::start().await;
    let staff = signed_in(&world, 1, Seat::Staff { role: StaffRole::Support });
    let token = world.first_token().await.to_owned();
    let key = &world.production.key;
    let wrong = basic(key, "not-the-secret");
    let path = "/oauth/v1/generate?grant_type=client_credentials";
    let wrong = world.send(request("GET", path, &wrong, "")).await;
    assert_eq!(wrong.status, 400);
    let told = opened(&world, &staff, &wrong.text("requestId")).await;
    assert_eq!(told["request"]["failure"]["error_code"], "400.008.01");
    assert_eq!(drawn(&told)[0], "token:failed");

    world.clock.advance(2 * 3_600);
    let staff = signed_in(&world, 1, Seat::Staff { role: StaffRole::Support });
    let expired = world.check_with(IMSI, &token, r#"{"customerNumber":"254733000001"}"#).await;
    assert_eq!(expired.status, 401);
    let told = opened(&world, &staff, &expired.text("requestRefID")).await;
    let message = told["request"]["failure"]["error_message"].as_str().unwrap();
    assert!(message.contains("expired"), "{message}");
    assert_eq!(told["request"]["number"], Value::Null, "who is not let in is not read");
    let forged = world.check_with(IMSI, "0000000000000000000000000000000000000000", "{}").await;
    let forged = format!("/office/v1/partners/{BANK}/requests/{}", forged.text("requestRefID"));
    assert_eq!(call(&world, &staff, "GET", &forged, &Value::Null).await.status, 404, "a stranger's call is nobody's");

    let causes = format!("/office/v1/partners/{BANK}/request-causes");
    let causes = call(&world, &staff, "GET", &causes, &Value::Null).await.json();
    let codes: Vec<_> = causes["causes"].as_array().unwrap().iter().map(|cause| cause["error_code"].clone()).collect();
    assert_eq!(codes.len(), 2);
    assert!(codes.contains(&json!("401.002.01")) && codes.contains(&json!("400.008.01")), "{codes:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn staff_are_told_why_calls_of_all_partners_failed_in_the_hours_they_ask_for() {
    let world = World::start().await;
    let now = world.clock.now();
    let failed = |partner: PartnerId, at: Timestamp| RefusedCall {
        id: CheckId::from_parts(CheckId::floor(at).position(), partner.as_u64()),
        at,
        partner,
        app: AppId::from_stored(partner.as_u64() + 100),
        environment: Environment::Production,
        path: IMSI.to_owned(),
        product: None,
        status: 429,
        code: "500.003.02".to_owned(),
        stage: Stage::Limits,
        reason: "Error Occurred: Spike Arrest Violation".to_owned(),
        micros: 312,
        about: None,
    };
    // The hour begins now.
    let before = now - SignedDuration::from_secs(1);
    let calls = vec![failed(BANK, before), failed(BANK, now), failed(STRANGER, now)];
    world.office.refusals.keep(calls, 100).await.unwrap();
    for (number, role) in (1..).zip(StaffRole::ALL) {
        let session = signed_in(&world, number, Seat::Staff { role });
        for (hours, counted, since) in [(1, 2, "2026-11-22T09:00:00Z"), (2, 3, "2026-11-22T08:00:00Z")] {
            let path = format!("/office/v1/traffic?hours={hours}");
            let told = call(&world, &session, "GET", &path, &Value::Null).await.json();
            let expected = json!([{
                "environment": "production",
                "cause": {
                    "status": 429, "error_code": "500.003.02", "error_message": "Error Occurred: Spike Arrest Violation",
                    "stage": "limits", "calls": counted, "newest": "2026-11-22T09:00:00Z",
                },
            }]);
            assert_eq!((&told["errors"], &told["errors_since"]), (&expected, &json!(since)), "{role:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_may_not_search_by_a_number_still_lists_calls_and_a_search_is_in_the_trail() {
    let world = World::start().await;
    let member = |number, role| signed_in(&world, number, Seat::Member { partner: BANK, role });
    let staff = |number, role| signed_in(&world, number, Seat::Staff { role });
    let all = format!("/office/v1/partners/{BANK}/requests");
    let search = json!({"number": "0733 000 001"});
    for (session, status) in [
        (member(1, MemberRole::Owner), 200),
        (member(2, MemberRole::Developer), 200),
        (member(3, MemberRole::FraudDesk), 200),
        (member(4, MemberRole::Billing), 403),
        (member(5, MemberRole::Viewer), 403),
        (staff(6, StaffRole::Admin), 200),
        (staff(7, StaffRole::Support), 200),
        (staff(8, StaffRole::Auditor), 200),
        (staff(9, StaffRole::Onboarding), 403),
        (staff(10, StaffRole::Finance), 403),
    ] {
        assert_eq!(call(&world, &session, "GET", &all, &Value::Null).await.status, 200);
        let found = call(&world, &session, "POST", &format!("{all}/search"), &search).await;
        assert_eq!(found.status, status, "{}", found.body);
    }
    let query = TrailQuery { limit: 100, ..TrailQuery::default() };
    let rows = world.office.store.trail(query).await.unwrap();
    let searched: Vec<_> = rows.iter().filter(|row| row.entry.action == "subject.search").collect();
    assert_eq!(searched.len(), 6);
    for row in searched {
        assert!(row.entry.target.starts_with("254******001 ") && !format!("{row:?}").contains("733000001"), "{row:?}");
    }
}
