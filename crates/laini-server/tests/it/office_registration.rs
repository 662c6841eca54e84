//! An organisation registers itself over HTTP, and a stranger learns nothing on the way.

use serde_json::{Value, json};

use crate::wire::{Connection, Reply, request};
use crate::world::World;

const PASSWORD: &str = "four words walk home";

async fn post(connection: &mut Connection, path: &str, token: &str, body: &Value) -> Reply {
    let session = if token.is_empty() { String::new() } else { format!("Authorization: Bearer {token}\r\n") };
    let headers = format!("{session}Content-Type: application/json\r\n");
    connection.send(request("POST", &format!("/office/v1/{path}"), &headers, &body.to_string())).await;
    connection.reply().await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn from_a_stranger_to_the_owner_of_a_partner() {
    let world = World::start_office().await;
    let mut connection = Connection::open(world.address).await;
    connection.send(request("GET", "/office/v1/terms", "", "")).await;
    let terms = connection.reply().await.unwrap().json();
    let terms = json!({"version": terms["version"], "sha256": terms["sha256"]});
    let asked = |email: &str| json!({"company": "New Bank", "email": email, "name": "F. Ounder", "terms": terms});
    let registered = post(&mut connection, "registrations", "", &asked("founder@new.example")).await;
    assert_eq!((registered.status, registered.body.as_str()), (202, ""));
    let letter = world.letter_to("founder@new.example").await;
    let token = letter.text.lines().find(|line| line.starts_with("laini_t_")).unwrap();
    let confirm = json!({"token": token, "password": PASSWORD});
    let confirmed = post(&mut connection, "registrations/confirm", "", &confirm).await;
    assert_eq!(confirmed.status, 201, "{}", confirmed.body);
    let again = post(&mut connection, "registrations/confirm", "", &confirm).await;
    assert_eq!(again.status, 400, "once");
    let come = confirmed.json();
    assert_eq!(come["role"], "owner");
    let (session, partner) = (come["token"].as_str().unwrap(), come["partner"].as_str().unwrap());
    let headers = format!("Authorization: Bearer {session}\r\n");
    connection.send(request("GET", &format!("/office/v1/partners/{partner}/onboarding"), &headers, "")).await;
    let onboarding = connection.reply().await.unwrap();
    assert_eq!((onboarding.status, &onboarding.json()["step"]), (200, &json!("submitted")), "{}", onboarding.body);
    // Somebody has the address now, and the same is answered.
    let known = post(&mut connection, "registrations", "", &asked("Founder@new.example")).await;
    let unknown = post(&mut connection, "registrations", "", &asked("nobody@new.example")).await;
    let answer = |reply: &Reply| (reply.status, reply.body.clone());
    assert_eq!(answer(&known), answer(&unknown));
    assert_eq!(answer(&known), (202, String::new()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_registration_names_the_terms_in_force_and_its_own_fields_alone() {
    let world = World::start().await;
    let mut connection = Connection::open(world.address).await;
    let whole = json!({
        "company": "New Bank", "email": "founder@new.example", "name": "F. Ounder",
        "terms": {"version": 1, "sha256": "0".repeat(64)},
    });
    assert_eq!(post(&mut connection, "registrations", "", &whole).await.status, 409);
    for (field, value) in [("role", json!("owner")), ("partner", json!("1")), ("terms", json!({"version": 1}))] {
        let mut body = whole.clone();
        body[field] = value;
        assert_eq!(post(&mut connection, "registrations", "", &body).await.status, 400, "{field}");
    }
    let no_token = json!({"token": "laini_t_0000000000000001_xxxx", "password": PASSWORD});
    assert_eq!(post(&mut connection, "registrations/confirm", "", &no_token).await.status, 400);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stranger_who_knocks_too_often_is_told_to_wait_at_every_door() {
    let world = World::start().await;
    let document = laini_server::openapi::document();
    let paths = document["paths"].as_object().unwrap().iter().filter(|(path, _)| path.starts_with("/office/"));
    let of_path = |(path, methods): (&String, &Value)| {
        let open = methods.as_object().unwrap().iter().filter(|(_, operation)| operation["security"] == json!([]));
        open.map(|(method, _)| (method.to_ascii_uppercase(), path.clone())).collect::<Vec<_>>()
    };
    let doors: Vec<_> = paths.flat_map(of_path).collect();
    assert!(doors.len() > 5, "{doors:?}");
    let mut connection = Connection::open(world.address).await;
    for (method, path) in doors {
        let mut statuses = Vec::new();
        while statuses.last() != Some(&429) && statuses.len() < 200 {
            connection.send(request(&method, &path, "Content-Type: application/json\r\n", "")).await;
            statuses.push(connection.reply().await.unwrap().status);
        }
        assert_eq!(statuses.last(), Some(&429), "{method} {path}: {statuses:?}");
    }
}
