//! People over HTTP: in by invitation, out by sign-out, and nothing told to strangers on the way.

use laini_core::partner::{MemberRole, PartnerId, StaffRole};
use laini_office::people::Seat;
use serde_json::{Value, json};

use crate::office::signed_in;
use crate::wire::{Connection, Reply, request};
use crate::world::World;

const PASSWORD: &str = "four words walk home";

struct Desk {
    world: World,
    connection: Connection,
}

impl Desk {
    async fn open() -> Self {
        let world = World::start().await;
        let connection = Connection::open(world.address).await;
        Self { world, connection }
    }

    async fn send(&mut self, method: &str, path: &str, token: Option<&str>, body: &Value) -> Reply {
        let mut headers = token.map(|token| format!("Authorization: Bearer {token}\r\n")).unwrap_or_default();
        let body = if body.is_null() { String::new() } else { body.to_string() };
        if !body.is_empty() {
            headers += "Content-Type: application/json\r\n";
        }
        self.connection.send(request(method, &format!("/office/v1/{path}"), &headers, &body)).await;
        self.connection.reply().await.unwrap()
    }

    /// The partner that apps of the world belong to.
    fn partner(&self) -> PartnerId {
        self.world.accounts.book.lock().unwrap().partners[0].id
    }

    /// Somebody comes in by the invitation of `inviter`; their token.
    async fn invite(&mut self, inviter: &str, path: &str, email: &str, role: &str) -> String {
        let whom = json!({"email": email, "name": "A. Person", "role": role});
        let invited = self.send("POST", path, Some(inviter), &whom).await;
        assert_eq!(invited.status, 201, "{}", invited.body);
        let letter = self.world.letter_to(email).await;
        let token = letter.text.lines().find(|line| line.starts_with("laini_t_")).unwrap().to_owned();
        assert!(!invited.body.contains(&token), "a token in an answer");
        let accept = json!({"token": token, "password": PASSWORD});
        let accepted = self.send("POST", "invitations/accept", None, &accept).await;
        assert_eq!(accepted.status, 201, "{}", accepted.body);
        assert_eq!(self.send("POST", "invitations/accept", None, &accept).await.status, 400, "once");
        accepted.json()["token"].as_str().unwrap().to_owned()
    }

    async fn status(&mut self, method: &str, path: &str, token: &str) -> u16 {
        self.send(method, path, Some(token), &Value::Null).await.status
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn from_an_invitation_to_a_sign_out() {
    let mut desk = Desk::open().await;
    let admin = signed_in(&desk.world, 900, Seat::Staff { role: StaffRole::Admin });
    let members = format!("partners/{}/members", desk.partner());
    let owner = desk.invite(&admin, &members, "owner@bank.example", "owner").await;
    let developer = desk.invite(&owner, &members, "dev@bank.example", "developer").await;
    let listed = desk.send("GET", &members, Some(&owner), &Value::Null).await.json();
    let shown: Vec<_> = listed["items"].as_array().unwrap().iter().map(|one| (&one["email"], &one["status"])).collect();
    assert_eq!(shown.len(), 2);
    assert!(shown.contains(&(&json!("dev@bank.example"), &json!("active"))));
    assert_eq!(desk.status("GET", &members, &developer).await, 403);
    // From before signing in, nothing is left.
    let sign_in = json!({"email": "dev@bank.example", "password": PASSWORD});
    let again = desk.send("POST", "sessions", Some(&developer), &sign_in).await;
    assert_eq!(again.status, 201);
    let token = again.json()["token"].as_str().unwrap().to_owned();
    assert_eq!(desk.status("GET", "me", &developer).await, 401, "the session from before has ended");
    let elsewhere = desk.send("POST", "sessions", None, &sign_in).await.json()["token"].as_str().unwrap().to_owned();
    let sessions = desk.send("GET", "sessions", Some(&token), &Value::Null).await.json();
    let current: Vec<_> = sessions["items"].as_array().unwrap().iter().map(|one| &one["is_current"]).collect();
    assert_eq!(current.len(), 2);
    assert_eq!(current.iter().filter(|is| ***is == json!(true)).count(), 1);
    assert_eq!(desk.status("DELETE", "sessions", &token).await, 204);
    assert_eq!((desk.status("GET", "me", &elsewhere).await, desk.status("GET", "me", &token).await), (401, 200));
    assert_eq!(desk.status("DELETE", "sessions/current", &token).await, 204);
    assert_eq!(desk.status("GET", "me", &token).await, 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_comes_along_with_an_invitation_ends() {
    let mut desk = Desk::open().await;
    let admin = signed_in(&desk.world, 900, Seat::Staff { role: StaffRole::Admin });
    let members = format!("partners/{}/members", desk.partner());
    let before = desk.invite(&admin, &members, "owner@bank.example", "owner").await;
    let whom = json!({"email": "dev@bank.example", "name": "A. Person", "role": "developer"});
    assert_eq!(desk.send("POST", &members, Some(&before), &whom).await.status, 201);
    let letter = desk.world.letter_to("dev@bank.example").await;
    let token = letter.text.lines().find(|line| line.starts_with("laini_t_")).unwrap();
    let accept = json!({"token": token, "password": PASSWORD});
    let come = desk.send("POST", "invitations/accept", Some(&before), &accept).await;
    assert_eq!(come.status, 201, "{}", come.body);
    assert_eq!(desk.status("GET", "me", &before).await, 401, "the session from before has ended");
    assert_eq!(desk.status("GET", "me", come.json()["token"].as_str().unwrap()).await, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stranger_learns_nothing_from_the_answer_to_an_unknown_address() {
    let mut desk = Desk::open().await;
    let admin = signed_in(&desk.world, 900, Seat::Staff { role: StaffRole::Admin });
    let members = format!("partners/{}/members", desk.partner());
    desk.invite(&admin, &members, "owner@bank.example", "owner").await;
    let without_id = |reply: &Reply| {
        let mut body = if reply.body.is_empty() { Value::Null } else { reply.json() };
        if body.is_object() {
            body["requestId"] = Value::Null;
        }
        (reply.status, body)
    };
    for attempt in 0..9 {
        let mut answers = Vec::new();
        for email in ["owner@bank.example", "nobody@bank.example"] {
            let wrong = json!({"email": email, "password": "not the password"});
            answers.push(without_id(&desk.send("POST", "sessions", None, &wrong).await));
        }
        assert_eq!(answers[0], answers[1], "{attempt}");
        assert_eq!(answers[0].0, if attempt < 6 { 401 } else { 429 }, "{attempt}");
    }
    for email in ["owner@bank.example", "nobody@bank.example"] {
        let asked = desk.send("POST", "password-resets", None, &json!({"email": email})).await;
        assert_eq!((asked.status, asked.body.as_str()), (204, ""));
    }
    let letter = desk.world.letter_to("owner@bank.example").await;
    let token = letter.text.lines().find(|line| line.starts_with("laini_t_")).unwrap();
    let set = json!({"token": token, "password": "another four words"});
    assert_eq!(desk.send("POST", "password-resets/complete", None, &set).await.status, 204);
    assert_eq!(desk.send("POST", "password-resets/complete", None, &set).await.status, 400);
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_raises_themselves_and_the_trail_tells_the_partner_its_own_part() {
    let mut desk = Desk::open().await;
    let admin = signed_in(&desk.world, 900, Seat::Staff { role: StaffRole::Admin });
    let members = format!("partners/{}/members", desk.partner());
    let owner = desk.invite(&admin, &members, "owner@bank.example", "owner").await;
    let viewer = desk.invite(&owner, &members, "viewer@bank.example", "viewer").await;
    let id = |me: Reply| me.json()["person"].as_str().unwrap().to_owned();
    let viewer_id = id(desk.send("GET", "me", Some(&viewer), &Value::Null).await);
    let owner_id = id(desk.send("GET", "me", Some(&owner), &Value::Null).await);
    let as_owner = json!({"role": "owner"});
    let path = |of: &str, what: &str| format!("{members}/{of}/{what}");
    assert_eq!(desk.send("PUT", &path(&viewer_id, "role"), Some(&viewer), &as_owner).await.status, 403);
    assert_eq!(desk.send("PUT", &path(&owner_id, "role"), Some(&owner), &as_owner).await.status, 403);
    assert_eq!(desk.send("PUT", &path(&viewer_id, "role"), Some(&owner), &json!({"role": "admin"})).await.status, 400);
    let billing = desk.send("PUT", &path(&viewer_id, "role"), Some(&owner), &json!({"role": "billing"})).await;
    assert_eq!(billing.json()["role"], "billing");
    let left = json!({"reason": "left"});
    let last = desk.send("POST", &path(&owner_id, "disable"), Some(&admin), &left).await;
    assert_eq!(last.status, 409, "{}", last.body);
    assert_eq!(desk.send("POST", &path(&viewer_id, "disable"), Some(&owner), &left).await.status, 200);
    assert_eq!(desk.status("GET", "me", &viewer).await, 401);
    let audit = format!("partners/{}/audit", desk.partner());
    let rows = desk.send("GET", &format!("{audit}?limit=3"), Some(&owner), &Value::Null).await.json();
    let action = |row: &Value| row["action"].as_str().unwrap().to_owned();
    let newest: Vec<_> = rows["items"].as_array().unwrap().iter().map(action).collect();
    assert_eq!(newest, ["person.disable", "person.role", "session.open"]);
    let rest = format!("{audit}?before={}&limit=500", rows["next"]);
    let rest = desk.send("GET", &rest, Some(&owner), &Value::Null).await;
    let by_operator = rest.json()["items"].as_array().unwrap().iter().filter(|row| row["actor"] == "operator").count();
    assert_eq!(by_operator, 1, "{}", rest.body);
    let whole = desk.send("GET", "audit?limit=500", Some(&admin), &Value::Null).await;
    assert!(whole.body.contains("staff:"));
    for body in [&rest.body, &whole.body] {
        assert!(!body.contains("bank.example") && !body.contains("laini_"), "{body}");
    }
    assert_eq!(desk.status("GET", "audit?limit=0", &admin).await, 400);
    let developer = signed_in(&desk.world, 901, Seat::Member { partner: desk.partner(), role: MemberRole::Developer });
    assert_eq!(desk.status("GET", &audit, &developer).await, 403);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_kept_for_repeats_holds_no_hash_of_a_password_and_shows_no_secret_again() {
    let mut desk = Desk::open().await;
    let admin = signed_in(&desk.world, 900, Seat::Staff { role: StaffRole::Admin });
    let members = format!("partners/{}/members", desk.partner());
    let owner = desk.invite(&admin, &members, "owner@bank.example", "owner").await;
    let body = json!({"password": PASSWORD}).to_string();
    let headers =
        format!("Authorization: Bearer {owner}\r\nContent-Type: application/json\r\nIdempotency-Key: key-1\r\n");
    let mut statuses = Vec::new();
    for _ in 0..2 {
        desk.connection.send(request("POST", "/office/v1/second-factor", &headers, &body)).await;
        statuses.push(desk.connection.reply().await.unwrap().status);
    }
    assert_eq!(statuses, [201, 409]);
}
