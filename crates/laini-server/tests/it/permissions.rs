//! Who may what: every kind of caller at every route.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use jiff::{SignedDuration, Timestamp};
use laini_core::access::{AddressRules, ConsumerKey, OperatorCredential, TokenClaims};
use laini_core::partner::{
    App, AppId, AppStatus, Environment, OperatorKey, OperatorScope, Partner, PartnerId, PartnerStatus,
};
use laini_core::store::AccountBook;

use crate::wire::{Connection, Reply, request};
use crate::world::{NOW, World, assert_error};

/// Who calls, with what they show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Caller {
    Nobody,
    Sandbox,
    Production,
    SuspendedApp,
    AppOfSuspendedPartner,
    RevokedApp,
    ExpiredToken,
    OperatorKey(OperatorScope),
}

const CALLERS: [Caller; 9] = [
    Caller::Nobody,
    Caller::Sandbox,
    Caller::Production,
    Caller::SuspendedApp,
    Caller::AppOfSuspendedPartner,
    Caller::RevokedApp,
    Caller::ExpiredToken,
    Caller::OperatorKey(OperatorScope::FeedWrite),
    Caller::OperatorKey(OperatorScope::FeedRead),
];

const SUSPENDED_APP: u64 = 21;
const APP_OF_SUSPENDED_PARTNER: u64 = 22;
const REVOKED_APP: u64 = 23;
const SUSPENDED_PARTNER: PartnerId = PartnerId::from_stored(7);

/// For whom a route is.
#[derive(Debug, Clone, Copy)]
enum For {
    /// Anybody, whatever they show.
    Anybody,
    /// Whoever has consumer key and secret, which none of these callers shows.
    Credentials,
    /// Apps that are neither suspended nor revoked.
    Apps,
    /// Of these, the sandbox ones.
    SandboxApps,
    /// Operator keys of this scope.
    Operator(OperatorScope),
}

struct Route {
    method: &'static str,
    /// As the server's source names it.
    source: &'static str,
    path: &'static str,
    body: &'static str,
    is_for: For,
    /// What whoever may call is answered: the status, and the code where there is nothing for it.
    granted: (u16, &'static str),
}

/// It is answered;
const OK: (u16, &str) = (200, "");
/// or it may be asked, and nothing is there.
const NOTHING: (u16, &str) = (404, "404.001.01");
/// or what is sent is not understood, which is looked at after the caller.
const UNREADABLE: (u16, &str) = (400, "400.002.05");
const CHECK: &str = r#"{"customerNumber":"254722000001"}"#;

const ROUTES: &[Route] = &[
    apps("POST", "IMSI_PATH", "/imsi/v1/checkATI", CHECK, OK),
    apps("POST", "SWAP_PATH", "/imsi/v2/checkATI", CHECK, OK),
    apps("POST", "AGE_PATH", "/registration/lookup/v1/checkATI", CHECK, OK),
    apps("POST", "CHECKS_PATH", "/v1/checks", r#"{"number":"254722000001"}"#, OK),
    apps("GET", "\"/v1/checks/{id}\"", "/v1/checks/0000-4000-8000-0000000000001000000", "", NOTHING),
    apps("GET", "DELIVERIES_PATH", "/v1/deliveries", "", (400, "400.002.02")),
    apps("POST", "ACKNOWLEDGE_PATH", "/v1/deliveries/acknowledge", r#"{"id":"nobody's","status":200}"#, NOTHING),
    sandbox("GET", "WORLD_PATH", "/sandbox/v1/world", "", OK),
    sandbox("GET", "LINES_PATH", "/sandbox/v1/lines", "", OK),
    sandbox("GET", "LINE_PATH", "/sandbox/v1/lines/254722000001", "", OK),
    sandbox("PUT", "LINE_PATH", "/sandbox/v1/lines/254722000001", "[]", UNREADABLE),
    sandbox("PATCH", "LINE_PATH", "/sandbox/v1/lines/254722000001", "[]", UNREADABLE),
    sandbox("DELETE", "LINE_PATH", "/sandbox/v1/lines/254722000001", "", (404, "404.002.01")),
    sandbox("POST", "EVENTS_PATH", "/sandbox/v1/lines/254722000001/events", "[]", UNREADABLE),
    sandbox("GET", "CLOCK_PATH", "/sandbox/v1/clock", "", OK),
    sandbox("POST", "ADVANCE_PATH", "/sandbox/v1/clock/advance", "[]", UNREADABLE),
    sandbox("POST", "FEED_STOP_PATH", "/sandbox/v1/feed/stop", "", OK),
    sandbox("POST", "FEED_START_PATH", "/sandbox/v1/feed/start", "", OK),
    sandbox("POST", "RESET_PATH", "/sandbox/v1/reset", "", OK),
    sandbox("DELETE", "WORLD_PATH", "/sandbox/v1/world", "", (204, "")),
    credentials("GET", "GENERATE_PATH", "/oauth/v1/generate?grant_type=client_credentials", ""),
    credentials("POST", "OAUTH2_PATH", "/oauth2/token", "grant_type=client_credentials"),
    operator("POST", "EVENTS_PATH", "/operator/v1/events", OperatorScope::FeedWrite, OK),
    operator("GET", "EVENTS_PATH", "/operator/v1/events", OperatorScope::FeedRead, OK),
    operator("POST", "SNAPSHOTS_PATH", "/operator/v1/snapshots", OperatorScope::FeedWrite, (400, "400.004.01")),
    operator("POST", "HEARTBEATS_PATH", "/operator/v1/heartbeats", OperatorScope::FeedWrite, OK),
    operator("GET", "FEED_PATH", "/operator/v1/feed", OperatorScope::FeedRead, OK),
    operator("GET", "REJECTS_PATH", "/operator/v1/rejects", OperatorScope::FeedRead, OK),
    operator("POST", "RETRY_PATH", "/operator/v1/rejects/retry", OperatorScope::FeedWrite, OK),
    anybody("\"/livez\"", "/livez"),
    anybody("\"/readyz\"", "/readyz"),
    anybody("OPENAPI_PATH", "/openapi.json"),
    anybody("POSTMAN_PATH", "/postman.json"),
];

/// Routes of listeners of their own, which are not for callers: their own tests prove them.
const ELSEWHERE: &[(&str, &str)] = &[("GET", "\"/metrics\"")];

const fn apps(
    method: &'static str,
    source: &'static str,
    path: &'static str,
    body: &'static str,
    granted: (u16, &'static str),
) -> Route {
    Route { method, source, path, body, is_for: For::Apps, granted }
}

const fn sandbox(
    method: &'static str,
    source: &'static str,
    path: &'static str,
    body: &'static str,
    granted: (u16, &'static str),
) -> Route {
    Route { method, source, path, body, is_for: For::SandboxApps, granted }
}

const fn credentials(method: &'static str, source: &'static str, path: &'static str, body: &'static str) -> Route {
    Route { method, source, path, body, is_for: For::Credentials, granted: OK }
}

const fn operator(
    method: &'static str,
    source: &'static str,
    path: &'static str,
    scope: OperatorScope,
    granted: (u16, &'static str),
) -> Route {
    Route { method, source, path, body: "", is_for: For::Operator(scope), granted }
}

const fn anybody(source: &'static str, path: &'static str) -> Route {
    Route { method: "GET", source, path, body: "", is_for: For::Anybody, granted: OK }
}

/// The status, and the error code where it is refused.
fn expected(route: &Route, caller: Caller) -> (u16, &'static str) {
    match (route.is_for, caller) {
        (For::Anybody, _) | (For::Apps, Caller::Sandbox | Caller::Production) | (For::SandboxApps, Caller::Sandbox) => {
            route.granted
        }
        (For::Operator(scope), Caller::OperatorKey(held)) if scope == held => route.granted,
        (For::Credentials, _) if route.source == "OAUTH2_PATH" => (401, "invalid_client"),
        (For::Credentials, _) => (400, "400.008.01"),
        (For::SandboxApps, Caller::Production)
        | (For::Operator(_), Caller::OperatorKey(_))
        | (For::Apps | For::SandboxApps, Caller::SuspendedApp | Caller::AppOfSuspendedPartner) => (403, "403.002.01"),
        (For::Apps | For::SandboxApps | For::Operator(_), _) => (401, "401.002.01"),
    }
}

/// Adds a suspended app, a revoked one, one of a suspended partner, and a key of each scope.
fn add_callers(book: &mut AccountBook) {
    let production = book.apps.iter().find(|app| app.environment == Environment::Production).unwrap().clone();
    let other = |id: u64, change: &dyn Fn(&mut App)| {
        let consumer_key = ConsumerKey::mint(Environment::Production, [id, 0, 0]);
        let mut app = App { id: AppId::from_stored(id), name: id.to_string(), consumer_key, ..production.clone() };
        change(&mut app);
        app
    };
    let partner = Partner { status: PartnerStatus::Suspended, ..Partner::new(SUSPENDED_PARTNER, "Bank S".to_owned()) };
    let mut agreement = book.agreements[0].clone();
    agreement.partner = partner.id;
    book.partners.push(partner);
    book.agreements.push(agreement);
    book.apps.extend([
        other(SUSPENDED_APP, &|app| app.status = AppStatus::Suspended),
        other(REVOKED_APP, &|app| app.status = AppStatus::Revoked),
        other(APP_OF_SUSPENDED_PARTNER, &|app| app.partner = SUSPENDED_PARTNER),
    ]);
    let now: Timestamp = NOW.parse().unwrap();
    book.operator_keys.extend(OperatorScope::ALL.map(|scope| OperatorKey {
        id: credential(scope).key,
        name: scope.word().to_owned(),
        scopes: [scope].into_iter().collect(),
        hash: credential(scope).secret.hash(),
        created: now,
        expires: now + SignedDuration::from_hours(1),
        is_revoked: false,
    }));
}

fn credential(scope: OperatorScope) -> OperatorCredential {
    OperatorCredential::mint(if scope == OperatorScope::FeedWrite { 2 } else { 4 }, [1, 2, 3, 4])
}

/// What a caller shows as its bearer token.
fn shown(world: &World, caller: Caller) -> Option<String> {
    let now: Timestamp = NOW.parse().unwrap();
    let token = |app: AppId, environment, expires| {
        let claims = TokenClaims { app, environment, epoch: 0, expires, nonce: 1 };
        Some(world.keys.token().sign(&claims).reveal().to_owned())
    };
    let live = now + SignedDuration::from_mins(30);
    let production = |id| token(AppId::from_stored(id), Environment::Production, live);
    match caller {
        Caller::Nobody => None,
        Caller::Sandbox => token(world.sandbox.app, Environment::Sandbox, live),
        Caller::Production => token(world.production.app, Environment::Production, live),
        Caller::SuspendedApp => production(SUSPENDED_APP),
        Caller::AppOfSuspendedPartner => production(APP_OF_SUSPENDED_PARTNER),
        Caller::RevokedApp => production(REVOKED_APP),
        Caller::ExpiredToken => {
            token(world.production.app, Environment::Production, now - SignedDuration::from_secs(1))
        }
        Caller::OperatorKey(scope) => Some(credential(scope).reveal().to_string()),
    }
}

/// The code of a refusal, in whichever envelope it comes.
fn code(reply: &Reply) -> String {
    if reply.status < 400 {
        return String::new();
    }
    let body = reply.json();
    let code = body["errorCode"].as_str().or(body["error"].as_str());
    code.unwrap_or_default().to_owned()
}

#[tokio::test]
async fn every_kind_of_caller_is_held_to_what_it_may() {
    let world = World::start_with_accounts(add_callers).await;
    world.put("254722000001", "2025-01-01T00:00:00Z", None);
    let mut connection = Connection::open(world.address).await;
    let (mut cases, mut wrong) = (0, Vec::new());
    for route in ROUTES {
        for caller in CALLERS {
            let mut headers = String::new();
            if let Some(token) = shown(&world, caller) {
                headers = format!("Authorization: Bearer {token}\r\n");
            }
            if !route.body.is_empty() {
                let is_form = matches!(route.is_for, For::Credentials);
                let kind = if is_form { "application/x-www-form-urlencoded" } else { "application/json" };
                headers += &format!("Content-Type: {kind}\r\n");
            }
            connection.send(request(route.method, route.path, &headers, route.body)).await;
            let reply = connection.reply().await.unwrap();
            let (found, expected) = ((reply.status, code(&reply)), expected(route, caller));
            if (found.0, found.1.as_str()) != expected {
                wrong.push(format!("{caller:?} at {} {}: {found:?}, not {expected:?}", route.method, route.path));
            }
            cases += 1;
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert_eq!(cases, ROUTES.len() * CALLERS.len());
    println!("family=\"who may what\" cases={cases} failures=0 seed=none");
}

#[tokio::test]
async fn an_app_is_answered_from_its_own_addresses_alone() {
    let world = World::start_with_accounts(|book| {
        for app in &mut book.apps {
            app.allowed_addresses = AddressRules::parse(["127.0.0.2", "2001:db8::/32"]).unwrap();
        }
    })
    .await;
    let token = world.token(&world.sandbox).await;
    let asked = crate::wire::check("/imsi/v1/checkATI", &token, CHECK);
    let from = async |address: [u8; 4]| {
        let socket = tokio::net::TcpSocket::new_v4().unwrap();
        socket.bind((address, 0).into()).unwrap();
        let mut connection = Connection::over(socket.connect(world.address).await.unwrap());
        connection.send(&asked).await;
        connection.reply().await.unwrap()
    };
    assert_eq!(from([127, 0, 0, 2]).await.status, 200);
    let message =
        "Forbidden - address not allowed; call from a registered address, or ask the operator to add this one";
    assert_error(&from([127, 0, 0, 3]).await, 403, "403.002.01", message);
    assert_eq!(world.ledger.outcomes().len(), 1);
}

/// The routes that the server's source registers: axum does not tell them.
fn registered() -> BTreeSet<(String, String)> {
    let mut found = BTreeSet::new();
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("src")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                collect(&fs::read_to_string(path).unwrap(), &mut found);
            }
        }
    }
    found
}

/// Reads every `.route(PATH, get(…).post(…))` of a source text.
fn collect(source: &str, found: &mut BTreeSet<(String, String)>) {
    for registration in source.split(".route(").skip(1) {
        let end = closing(registration);
        let (path, handlers) = registration[..end].split_once(',').unwrap();
        for method in ["get", "post", "put", "patch", "delete"] {
            let called = handlers.match_indices(&format!("{method}(")).any(|(at, _)| {
                let before = handlers[..at].chars().next_back();
                !before.is_some_and(|before| before.is_alphanumeric() || before == '_')
            });
            if called {
                found.insert((method.to_ascii_uppercase(), path.trim().to_owned()));
            }
        }
    }
}

/// Where the parenthesis that is open at the beginning of `text` closes.
fn closing(text: &str) -> usize {
    let mut depth = 1;
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'(' => depth += 1,
            b')' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return at;
        }
    }
    panic!("a route that does not end: {text}");
}

#[test]
fn every_route_of_the_server_stands_in_the_table() {
    let registered = registered();
    let listed: BTreeSet<_> = ROUTES.iter().map(|route| (route.method.to_owned(), route.source.to_owned())).collect();
    let elsewhere: BTreeSet<_> =
        ELSEWHERE.iter().map(|(method, source)| ((*method).to_owned(), (*source).to_owned())).collect();
    let missing: Vec<_> =
        registered.iter().filter(|route| !listed.contains(route) && !elsewhere.contains(route)).collect();
    assert!(missing.is_empty(), "say in ROUTES who may call {missing:?}");
    let gone: Vec<_> = listed.difference(&registered).collect();
    assert!(gone.is_empty(), "no such route any more: {gone:?}");
}

/// What the document says that a caller of a route must show.
fn documented(is_for: For) -> serde_json::Value {
    match is_for {
        For::Anybody => serde_json::json!([]),
        For::Credentials => serde_json::json!([{"basic": []}]),
        For::Apps | For::SandboxApps => serde_json::json!([{"bearer": []}]),
        For::Operator(scope) => serde_json::json!([{"operatorKey": [scope.word()]}]),
    }
}

/// Whether a path is one of a template such as `/v1/checks/{id}`.
fn is_of(template: &str, path: &str) -> bool {
    let path = path.split('?').next().unwrap();
    let (template, path): (Vec<_>, Vec<_>) = (template.split('/').collect(), path.split('/').collect());
    template.len() == path.len()
        && template.iter().zip(&path).all(|(expected, segment)| expected.starts_with('{') || expected == segment)
}

#[test]
fn the_document_describes_every_route_and_no_other() {
    let document = laini_server::openapi::document();
    let mut described: Vec<(String, String, &serde_json::Value)> = Vec::new();
    for (template, methods) in document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            // Those of the office are held against the document in tests of their own.
            if operation.get("x-laini-may").is_none() && !template.starts_with("/office/") {
                described.push((method.to_ascii_uppercase(), template.clone(), &operation["security"]));
            }
        }
    }
    for route in ROUTES {
        let found: Vec<_> = described
            .iter()
            .filter(|(method, template, _)| method == route.method && is_of(template, route.path))
            .collect();
        assert_eq!(found.len(), 1, "describe {} {} in laini-server/src/openapi", route.method, route.path);
        assert_eq!(*found[0].2, documented(route.is_for), "{} {}", route.method, route.path);
    }
    for (method, template, _) in &described {
        let is_served = ROUTES.iter().any(|route| method == route.method && is_of(template, route.path));
        assert!(is_served, "the document describes {method} {template}, which is no route");
    }
}
