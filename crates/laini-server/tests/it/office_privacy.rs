//! Privacy requests over HTTP: one receives and checks, another approves, and a thief waits.

use laini_core::partner::{MemberRole, PartnerId, StaffRole};
use laini_core::store::TrailQuery;
use laini_office::people::Seat;
use serde_json::{Value, json};

use crate::office::signed_in;
use crate::wire::{Connection, Reply, request};
use crate::world::{IMSI_PATH, World};

const REQUESTS: &str = "/office/v1/privacy-requests";
const NUMBER: &str = "0722 000 001";
const DIGITS: &str = "722000001";

/// A world with somebody on every seat that matters.
struct Desk {
    world: World,
    support: String,
    admin: String,
    auditor: String,
    member: String,
}

impl Desk {
    async fn open() -> Self {
        let world = World::start().await;
        // Its swap history reaches back far enough.
        world.put("254722000001", "2019-01-01T00:00:00Z", None);
        let staff = |number, role| signed_in(&world, number, Seat::Staff { role });
        let (support, admin, auditor) =
            (staff(1, StaffRole::Support), staff(2, StaffRole::Admin), staff(3, StaffRole::Auditor));
        let seat = Seat::Member { partner: PartnerId::from_stored(1), role: MemberRole::FraudDesk };
        let member = signed_in(&world, 4, seat);
        Self { world, support, admin, auditor, member }
    }

    async fn call(&self, token: &str, method: &str, path: &str, body: Option<Value>) -> Reply {
        let headers = format!("Authorization: Bearer {token}\r\nContent-Type: application/json\r\n");
        let mut connection = Connection::open(self.world.address).await;
        let body = body.map(|body| body.to_string()).unwrap_or_default();
        connection.send(request(method, path, &headers, &body)).await;
        connection.reply().await.unwrap()
    }

    async fn post(&self, token: &str, path: &str, body: Value) -> Reply {
        self.call(token, "POST", path, Some(body)).await
    }

    /// Takes a request down; its path.
    async fn received(&self, token: &str, action: &str) -> (String, Value) {
        let body = json!({"number": NUMBER, "action": action, "reason": "asked at the shop"});
        let reply = self.post(token, REQUESTS, body).await;
        assert_eq!(reply.status, 201, "{}", reply.body);
        let answer = reply.json();
        (format!("{REQUESTS}/{}", answer["id"].as_str().unwrap()), answer)
    }

    async fn checked(&self, token: &str, path: &str) -> Reply {
        let body = json!({"number": NUMBER, "how": "document_in_person"});
        self.post(token, &format!("{path}/identity-check"), body).await
    }

    async fn approve(&self, token: &str, path: &str, override_hold: bool) -> Reply {
        let body = json!({"number": NUMBER, "reason": "the papers fit", "override_hold": override_hold});
        self.post(token, &format!("{path}/approve"), body).await
    }

    /// What the trail says; it never holds a number.
    async fn trail(&self) -> Vec<String> {
        let query = TrailQuery { limit: 100, ..TrailQuery::default() };
        let rows = self.world.office.store.trail(query).await.unwrap();
        for row in &rows {
            let text = format!("{:?}", row.entry);
            assert!(!text.contains(DIGITS), "{text}");
        }
        rows.into_iter().rev().map(|row| row.entry.action).filter(|action| action.starts_with("subject.")).collect()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restriction_is_made_by_two_people() {
    let desk = Desk::open().await;
    let (path, answer) = desk.received(&desk.support, "restrict").await;
    assert_eq!((&answer["status"], &answer["number"]), (&json!("received"), &json!("254******001")), "{answer}");
    assert_eq!(
        (&answer["deadline"], &answer["held_until"]),
        (&json!("2026-12-22T09:00:00Z"), &Value::Null),
        "{answer}"
    );
    // Nobody approves before it is known who asks; and the SIM proves nothing.
    assert_eq!(desk.approve(&desk.admin, &path, false).await.status, 409);
    for wrong in [
        json!({"number": NUMBER, "how": "sms"}),
        json!({"how": "document_in_person"}),
        json!({"number": "0722 000 002", "how": "document_in_person"}),
    ] {
        assert_eq!(desk.post(&desk.support, &format!("{path}/identity-check"), wrong).await.status, 400);
    }
    assert_eq!(desk.checked(&desk.support, &path).await.json()["status"], "identity_checked");
    let approved = desk.approve(&desk.admin, &path, false).await;
    assert_eq!((approved.status, &approved.json()["status"]), (200, &json!("done")), "{}", approved.body);
    assert_eq!(desk.approve(&desk.admin, &path, false).await.status, 409);
    let read = desk.call(&desk.auditor, "GET", &path, None).await;
    assert_eq!(read.json()["ended"], "restricted");
    let open = desk.call(&desk.auditor, "GET", &format!("{REQUESTS}?status=open"), None).await;
    assert_eq!(open.json()["requests"], json!([]));
    let steps = ["received", "identity_checked", "approved", "done"].map(|step| format!("subject.restrict.{step}"));
    assert_eq!(desk.trail().await, steps);
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_had_a_hand_in_it_does_not_approve_it() {
    let desk = Desk::open().await;
    let (received_by_admin, _) = desk.received(&desk.admin, "restrict").await;
    assert_eq!(desk.checked(&desk.support, &received_by_admin).await.status, 200);
    let (checked_by_admin, _) = desk.received(&desk.support, "restrict").await;
    assert_eq!(desk.checked(&desk.admin, &checked_by_admin).await.status, 200);
    for path in [received_by_admin, checked_by_admin] {
        let refused = desk.approve(&desk.admin, &path, true).await;
        assert_eq!(refused.status, 403, "{}", refused.body);
        assert!(refused.body.contains("somebody else"), "{}", refused.body);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_about_a_swapped_sim_is_held_until_somebody_answers_for_it() {
    let desk = Desk::open().await;
    desk.world.put("254722000001", "2019-01-01T00:00:00Z", Some("2026-11-20T08:00:00Z"));
    let (path, answer) = desk.received(&desk.support, "erase").await;
    let held = (&answer["status"], &answer["held_until"]);
    assert_eq!(held, (&json!("held"), &json!("2026-12-20T08:00:00Z")), "{answer}");
    assert_eq!(desk.checked(&desk.support, &path).await.json()["status"], "held");
    let refused = desk.approve(&desk.admin, &path, false).await;
    assert_eq!(refused.status, 409);
    assert!(refused.body.contains("may be the thief"), "{}", refused.body);
    let approved = desk.approve(&desk.admin, &path, true).await;
    assert_eq!(approved.json()["status"], "approved", "{}", approved.body);
    assert!(desk.trail().await.contains(&"subject.erase.hold_overridden".to_owned()));
    // What was approved can still be refused, and then it has ended.
    let refusal = json!({"reason": "the papers are of somebody else"});
    let refused = desk.post(&desk.support, &format!("{path}/refuse"), refusal.clone()).await;
    assert_eq!(refused.json()["status"], "refused");
    assert_eq!(desk.post(&desk.support, &format!("{path}/refuse"), refusal).await.status, 409);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_swap_after_a_request_came_holds_it_before_it_takes_effect() {
    let desk = Desk::open().await;
    let (path, answer) = desk.received(&desk.support, "unrestrict").await;
    assert_eq!(answer["held_until"], Value::Null, "{answer}");
    assert_eq!(desk.checked(&desk.support, &path).await.json()["status"], "identity_checked");
    let blind = json!({"reason": "the papers fit", "override_hold": true});
    assert_eq!(desk.post(&desk.admin, &format!("{path}/approve"), blind).await.status, 400, "the number is wanted");
    desk.world.put("254722000001", "2019-01-01T00:00:00Z", Some("2026-11-22T08:00:00Z"));
    let held = desk.approve(&desk.admin, &path, false).await;
    assert_eq!((held.status, held.body.contains("may be the thief")), (409, true), "{}", held.body);
    let read = desk.call(&desk.auditor, "GET", &path, None).await.json();
    let until = (&read["status"], &read["held_until"]);
    assert_eq!(until, (&json!("held"), &json!("2026-12-22T08:00:00Z")), "{read}");
    assert_eq!(desk.approve(&desk.admin, &path, true).await.json()["status"], "done");
    let steps = ["received", "identity_checked", "held", "hold_overridden", "done"];
    assert_eq!(desk.trail().await, steps.map(|step| format!("subject.unrestrict.{step}")));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_partner_files_and_learns_nothing_of_the_number() {
    let desk = Desk::open().await;
    desk.world.put("254722000001", "2019-01-01T00:00:00Z", Some("2026-11-20T08:00:00Z"));
    let path = format!("/office/v1/partners/{}/privacy-requests", PartnerId::from_stored(1));
    let body = json!({"number": NUMBER, "action": "restrict", "reason": "our customer asked"});
    let filed = desk.post(&desk.member, &path, body).await;
    assert_eq!(filed.status, 201, "{}", filed.body);
    assert_eq!(filed.json()["status"], "open");
    let listed = desk.call(&desk.member, "GET", &path, None).await;
    assert_eq!(listed.json()["requests"], json!([filed.json()]));
    for told in [&filed.body, &listed.body] {
        assert!(!told.contains("held") && !told.contains("2026-12-20"), "a swap is told for nothing: {told}");
    }
    // The operator sees both that and whose it is.
    let all = desk.call(&desk.support, "GET", REQUESTS, None).await.json();
    assert_eq!(
        (&all["requests"][0]["status"], &all["requests"][0]["partner"]),
        (&json!("held"), &json!("0000000000000001"))
    );
    desk.trail().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reason_with_a_phone_number_is_refused() {
    let desk = Desk::open().await;
    let body = json!({"number": NUMBER, "action": "restrict", "reason": "0722 000 001 asked"});
    let refused = desk.post(&desk.support, REQUESTS, body).await;
    assert_eq!(refused.status, 400, "{}", refused.body);
    assert!(!refused.body.contains(DIGITS), "{}", refused.body);
    let body = json!({"number": "no number", "action": "restrict", "reason": "asked"});
    assert_eq!(desk.post(&desk.support, REQUESTS, body).await.status, 400);
    let body = json!({"number": NUMBER, "action": "erase", "reason": "asked", "any_holder": true});
    assert_eq!(desk.post(&desk.support, REQUESTS, body).await.status, 400);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_asked_about_whom_is_told_to_auditors_with_numbers_masked() {
    let desk = Desk::open().await;
    let token = desk.world.token(&desk.world.sandbox).await;
    assert_eq!(desk.world.check_with(IMSI_PATH, &token, "{\"customerNumber\":\"254722000001\"}").await.status, 200);
    let span = json!({"from": "2026-11-22", "until": "2026-11-22", "number": NUMBER, "reason": "notice 2026-17"});
    for nobody in [&desk.support, &desk.member] {
        assert_eq!(desk.post(nobody, "/office/v1/look-ups", span.clone()).await.status, 403);
    }
    let report = desk.post(&desk.auditor, "/office/v1/look-ups", span).await;
    assert_eq!(report.status, 200, "{}", report.body);
    let lines: Vec<&str> = report.body.lines().collect();
    assert_eq!(lines[0], "at,partner,app,environment,product,purpose,outcome,number,number_hash");
    assert!(lines.len() == 2 && lines[1].contains("254******001") && !report.body.contains(DIGITS), "{}", report.body);
    let none = json!({"until": "2026-11-21", "reason": "notice 2026-17"});
    assert_eq!(desk.post(&desk.admin, "/office/v1/look-ups", none).await.body.lines().count(), 1);
    let reason = json!({"reason": "0722 000 001 called"});
    assert_eq!(desk.post(&desk.admin, "/office/v1/look-ups", reason).await.status, 400);
    assert_eq!(desk.trail().await, ["subject.lookups", "subject.lookups"]);
}
