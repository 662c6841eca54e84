//! Both token doors, and what becomes of bad tokens.

use laini_core::access::TokenClaims;
use laini_core::partner::{Agreement, AppStatus, Environment, Product};

use crate::fakes::Mood;
use crate::wire::{Connection, Reply, basic, request};
use crate::world::{AGE_PATH, Credentials, IMSI_PATH, World, assert_error};

const GENERATE: &str = "/oauth/v1/generate?grant_type=client_credentials";
const BODY: &str = r#"{"customerNumber":"254722000000"}"#;

#[tokio::test]
async fn the_published_door_gives_a_token_as_published() {
    let world = World::start().await;
    let reply = world.generate(&world.sandbox).await;
    let token = reply.text("access_token");
    assert_eq!(reply.status, 200);
    assert_eq!(reply.body, format!(r#"{{"access_token":"{token}","expires_in":"3599"}}"#));
    assert!(token.bytes().all(|b| b.is_ascii_alphanumeric()));
    assert_eq!(reply.header("cache-control"), Some("no-store"));
    let other = world.token(&world.sandbox).await;
    assert_ne!(token, other);
    for token in [token, other] {
        assert_eq!(world.check_with(IMSI_PATH, &token, BODY).await.status, 200);
    }
}

#[tokio::test]
async fn the_published_door_is_lenient_about_what_does_not_matter() {
    let world = World::start().await;
    let Credentials { key, secret, .. } = &world.sandbox;
    let header = basic(key, secret);
    let encoded = header.trim_end().trim_start_matches("Authorization: Basic ").to_owned();
    for authorization in [
        format!("basic {encoded}"),
        format!("BASIC    {encoded}"),
        format!("Basic {}", encoded.trim_end_matches('=')),
        format!("Basic {}", encoded.replace('+', "-").replace('/', "_")),
    ] {
        let headers = format!("Authorization: {authorization}\r\nContent-Type: application/json\r\n");
        assert_eq!(world.send(request("GET", GENERATE, &headers, "")).await.status, 200, "{authorization}");
    }
    let extra = format!("{GENERATE}&other=1");
    assert_eq!(world.send(request("GET", &extra, &header, "")).await.status, 200);
}

#[tokio::test]
async fn the_published_door_refuses_as_published() {
    let world = World::start().await;
    let Credentials { key, secret, .. } = &world.sandbox;
    let good = basic(key, secret);
    for headers in [
        String::new(),
        "Authorization: Basic !!!\r\n".to_owned(),
        "Authorization: Basic\r\n".to_owned(),
        format!("Authorization: Bearer {key}\r\n"),
        basic(key, "wrong"),
        basic("wrong", secret),
        basic(key, ""),
        basic(&world.production.key, secret),
        format!("{good}{good}"),
    ] {
        let reply = world.send(request("GET", GENERATE, &headers, "")).await;
        assert_error(&reply, 400, "400.008.01", "Invalid Authentication passed");
        assert_eq!(reply.header("cache-control"), Some("no-store"));
    }
    for query in ["", "?", "?grant_type=", "?grant_type=password", "?grant_type=client_credentials&grant_type=x"] {
        let reply = world.send(request("GET", &format!("/oauth/v1/generate{query}"), &good, "")).await;
        assert_error(&reply, 400, "400.008.02", "Invalid grant type passed");
    }
}

fn form(body: &str, headers: &str) -> String {
    let headers = format!("Content-Type: application/x-www-form-urlencoded\r\n{headers}");
    request("POST", "/oauth2/token", &headers, body)
}

#[tokio::test]
async fn the_standard_door_follows_rfc_6749() {
    let world = World::start().await;
    let Credentials { key, secret, .. } = &world.sandbox;
    let in_header = world.send(form("grant_type=client_credentials", &basic(key, secret))).await;
    let in_body = format!("grant_type=client_credentials&client_id={key}&client_secret={secret}&scope=any");
    let in_body = world.send(form(&in_body, "")).await;
    for reply in [in_header, in_body] {
        assert_eq!(reply.status, 200, "{reply:?}");
        let token = reply.text("access_token");
        assert_eq!(reply.body, format!(r#"{{"access_token":"{token}","token_type":"Bearer","expires_in":3599}}"#));
        assert_eq!(reply.header("cache-control"), Some("no-store"));
        assert_eq!(world.check_with(IMSI_PATH, &token, BODY).await.status, 200);
    }
}

#[tokio::test]
async fn the_standard_door_refuses_as_rfc_6749_says() {
    let world = World::start().await;
    let Credentials { key, secret, .. } = &world.sandbox;
    let good = basic(key, secret);
    let grant = "grant_type=client_credentials";
    let cases = [
        (form(grant, ""), 401, "invalid_client"),
        (form(grant, &basic(key, "wrong")), 401, "invalid_client"),
        (form(&format!("{grant}&client_id={key}&client_secret=wrong"), ""), 401, "invalid_client"),
        (form(&format!("{grant}&client_id={key}"), ""), 401, "invalid_client"),
        (form(&format!("{grant}&client_id={key}&client_secret={secret}"), &good), 400, "invalid_request"),
        (form("", &good), 400, "invalid_request"),
        (form(&format!("{grant}&{grant}"), &good), 400, "invalid_request"),
        (form("grant_type=password", &good), 400, "unsupported_grant_type"),
        (request("POST", "/oauth2/token", &good, "{}"), 400, "invalid_request"),
    ];
    for (request, status, error) in cases {
        let reply = world.send(&request).await;
        assert_eq!((reply.status, reply.text("error").as_str()), (status, error), "{request}");
        assert!(!reply.text("error_description").is_empty());
        assert_eq!(reply.header("cache-control"), Some("no-store"));
        assert_eq!(reply.header("www-authenticate").is_some(), status == 401);
    }
}

pub(crate) fn assert_token_refused(reply: &Reply, reason: &str) {
    assert_error(reply, 401, "401.002.01", &format!("Error Occurred - Invalid Access Token - {reason}"));
    assert_eq!(reply.header("laini-charge"), Some("none; reason=refused"));
}

pub(crate) fn claims(world: &World) -> TokenClaims {
    TokenClaims {
        app: world.sandbox.app,
        environment: Environment::Sandbox,
        epoch: 0,
        expires: "2026-11-22T10:00:00Z".parse().unwrap(),
        nonce: 1,
    }
}

#[tokio::test]
async fn credentials_of_an_environment_that_is_not_answered_here_are_refused() {
    let world = World::start_sandbox().await;
    assert_error(&world.generate(&world.production).await, 400, "400.008.01", "Invalid Authentication passed");
    let claims = TokenClaims { app: world.production.app, environment: Environment::Production, ..claims(&world) };
    let token = world.keys.token().sign(&claims);
    let reply = world.check_with(IMSI_PATH, token.reveal(), BODY).await;
    let message = "Forbidden - these credentials belong to another environment; use an app of this one";
    assert_error(&reply, 403, "403.002.01", message);
}

#[tokio::test]
async fn a_revocation_holds_within_a_second() {
    let world = World::start().await;
    let token = world.token(&world.sandbox).await;
    assert_eq!(world.check_with(IMSI_PATH, &token, BODY).await.status, 200);
    world.accounts.change_app(world.sandbox.app, |app| app.token_epoch += 1);
    refused_within_a_second(&world, &token).await;
    let fresh = world.token(&world.sandbox).await;
    assert_eq!(world.check_with(IMSI_PATH, &fresh, BODY).await.status, 200);
    world.accounts.change_app(world.sandbox.app, |app| app.status = AppStatus::Revoked);
    refused_within_a_second(&world, &fresh).await;
    assert_error(&world.generate(&world.sandbox).await, 400, "400.008.01", "Invalid Authentication passed");
}

async fn refused_within_a_second(world: &World, token: &str) {
    let started = std::time::Instant::now();
    loop {
        let reply = world.check_with(IMSI_PATH, token, BODY).await;
        if reply.status != 200 {
            return assert_token_refused(&reply, "revoked, request a new one");
        }
        assert!(started.elapsed().as_secs() < 1, "still valid");
    }
}

#[tokio::test]
async fn under_the_single_token_profile_a_new_token_revokes_the_last() {
    let world = World::start().await;
    world.accounts.change_app(world.sandbox.app, |app| app.profile.single_token = true);
    let (mut first, started) = (world.token(&world.sandbox).await, std::time::Instant::now());
    while world.accounts.audits.lock().unwrap().is_empty() {
        assert!(started.elapsed().as_secs() < 5, "the profile was not seen");
        first = world.token(&world.sandbox).await;
    }
    assert_eq!(world.check_with(IMSI_PATH, &first, BODY).await.status, 200);
    let second = world.token(&world.sandbox).await;
    assert_token_refused(&world.check_with(IMSI_PATH, &first, BODY).await, "revoked, request a new one");
    assert_eq!(world.check_with(IMSI_PATH, &second, BODY).await.status, 200);
    *world.accounts.mood.lock().unwrap() = Mood::Bad;
    let reply = world.generate(&world.sandbox).await;
    assert_error(&reply, 503, "503.002.01", "Service is currently unreachable");
}

#[tokio::test]
async fn a_product_that_the_app_or_its_agreement_lacks_is_refused() {
    let world = World::start().await;
    let token = world.token(&world.production).await;
    world.accounts.change_app(world.production.app, |app| app.products = [Product::Imsi].into_iter().collect());
    let started = std::time::Instant::now();
    let reply = loop {
        let reply = world.check_with(AGE_PATH, &token, BODY).await;
        if reply.status == 401 || started.elapsed().as_secs() > 5 {
            break reply;
        }
    };
    assert_error(&reply, 401, "401.002.01", "Invalid API call as no apiproduct match found");
    {
        let mut book = world.accounts.book.lock().unwrap();
        book.version += 1;
        book.agreements[0].prices.clear();
    }
    let started = std::time::Instant::now();
    let reply = loop {
        let reply = world.check_with(IMSI_PATH, &token, BODY).await;
        if reply.status == 403 || started.elapsed().as_secs() > 5 {
            break reply;
        }
    };
    let message = "Forbidden - the agreement does not cover the product imsi; ask the operator to add it: \
                   the app's page in the portal begins a ticket";
    assert_error(&reply, 403, "403.002.01", message);
}

#[tokio::test]
async fn a_partner_without_an_agreement_has_the_sandbox_alone() {
    let world = World::start().await;
    let (sandbox, production) = (world.token(&world.sandbox).await, world.token(&world.production).await);
    let refused = async |change: &dyn Fn(&mut Vec<Agreement>), why: &str| {
        {
            let mut book = world.accounts.book.lock().unwrap();
            book.version += 1;
            change(&mut book.agreements);
        }
        let message = format!("Forbidden - {why}");
        let started = std::time::Instant::now();
        let reply = loop {
            let reply = world.check_with(IMSI_PATH, &production, BODY).await;
            if reply.json()["errorMessage"] == *message || started.elapsed().as_secs() > 5 {
                break reply;
            }
        };
        assert_error(&reply, 403, "403.002.01", &message);
    };
    let at = |text: &str| text.parse().unwrap();
    let ended = |agreements: &mut Vec<Agreement>| agreements[0].valid_until = Some(at("2026-01-31T21:00:00Z"));
    refused(&ended, "the agreement ended at 2026-01-31T21:00:00Z; ask the operator for a new one").await;
    let to_come = |agreements: &mut Vec<Agreement>| agreements[0].valid_from = at("2999-01-01T00:00:00Z");
    refused(&to_come, "the agreement begins at 2999-01-01T00:00:00Z; wait until then, or ask the operator").await;
    refused(&Vec::clear, "there is no agreement in force; ask the operator for one").await;
    let reply = world.check_with(IMSI_PATH, &sandbox, BODY).await;
    assert_eq!((reply.status, reply.header("laini-charge")), (200, Some("KES 0.00")));
}

#[tokio::test]
async fn guessing_a_secret_is_throttled_and_locks_no_other_key_out() {
    let world = World::start_with(|settings| settings.limits.token_failures_per_minute = 3).await;
    let wrong = Credentials { secret: "wrong".to_owned(), ..world.sandbox.clone() };
    for _ in 0..3 {
        assert_eq!(world.generate(&wrong).await.status, 400);
    }
    let reply = world.generate(&wrong).await;
    assert_error(&reply, 429, "500.003.02", "Error Occurred: Spike Arrest Violation");
    let wait: u64 = reply.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=21).contains(&wait), "{wait}");
    let standard = world.send(form("grant_type=client_credentials", &basic(&wrong.key, "wrong"))).await;
    assert_eq!(standard.status, 429);
    assert!(standard.header("retry-after").is_some());
    assert_eq!(world.generate(&world.production).await.status, 200);
    // Neither does another address suffer: here one with a loopback address of its own.
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.bind(([127, 0, 0, 2], 0).into()).unwrap();
    let mut elsewhere = Connection::over(socket.connect(world.address).await.unwrap());
    elsewhere.send(request("GET", GENERATE, &basic(&world.sandbox.key, &world.sandbox.secret), "")).await;
    assert_eq!(elsewhere.reply().await.unwrap().status, 200);
}

#[tokio::test]
async fn the_token_doors_have_a_rate_per_address() {
    let world = World::start_with(|settings| {
        settings.limits.token_requests_burst = 2;
        settings.limits.token_requests_per_second = 1;
    })
    .await;
    let statuses = [
        world.generate(&world.sandbox).await.status,
        world.generate(&world.sandbox).await.status,
        world.generate(&world.sandbox).await.status,
    ];
    assert_eq!(statuses, [200, 200, 429]);
}
