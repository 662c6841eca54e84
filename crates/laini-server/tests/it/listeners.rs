//! Several listeners and host names, and whose credentials each answers.

use laini_server::{Environments, Listener};

use crate::wire::{Connection, Reply, basic, check, request};
use crate::world::{Credentials, IMSI_PATH, LOOPBACK, World, assert_error};

const BODY: &str = r#"{"customerNumber":"254722000001"}"#;
const WRONG: &str = "Forbidden - these credentials belong to another environment; use an app of this one";

async fn send(world: &World, listener: usize, request: String) -> Reply {
    let mut connection = Connection::open(world.addresses[listener]).await;
    connection.send(request).await;
    connection.reply().await.expect("an answer")
}

fn at_host(request: &str, host: &str) -> String {
    request.replace("Host: laini.test", &format!("Host: {host}"))
}

fn token_request(credentials: &Credentials) -> String {
    let headers = basic(&credentials.key, &credentials.secret);
    request("GET", "/oauth/v1/generate?grant_type=client_credentials", &headers, "")
}

#[tokio::test]
async fn each_listener_answers_its_own_environments() {
    let on = |environments| Listener { environments, ..Listener::new(LOOPBACK) };
    let listeners = [Environments::Both, Environments::SandboxOnly, Environments::ProductionOnly].map(on);
    let world = World::start_on(&listeners, |_| {}).await;
    world.put("254722000001", "2019-01-12T09:00:00Z", None);
    let answered = [(&world.sandbox, [true, true, false]), (&world.production, [true, false, true])];
    for (credentials, answered) in answered {
        let token = world.token(credentials).await;
        for (listener, answered) in answered.into_iter().enumerate() {
            let checked = send(&world, listener, check(IMSI_PATH, &token, BODY)).await;
            let generated = send(&world, listener, token_request(credentials)).await;
            if answered {
                assert_eq!((checked.status, generated.status), (200, 200), "listener {listener}");
            } else {
                assert_error(&checked, 403, "403.002.01", WRONG);
                assert_error(&generated, 400, "400.008.01", "Invalid Authentication passed");
            }
        }
    }
}

#[tokio::test]
async fn a_host_name_that_is_bound_to_an_environment_answers_no_other() {
    let world = World::start_with(|settings| {
        settings.hosts.sandbox = vec!["sandbox.bank.test".to_owned()];
        settings.hosts.production = vec!["api.bank.test".to_owned()];
    })
    .await;
    world.put("254722000001", "2019-01-12T09:00:00Z", None);
    let token = world.token(&world.production).await;
    let ask = check(IMSI_PATH, &token, BODY);
    for host in ["api.bank.test", "API.bank.test:8443", "elsewhere.test"] {
        assert_eq!(send(&world, 0, at_host(&ask, host)).await.status, 200, "{host}");
    }
    assert_error(&send(&world, 0, at_host(&ask, "sandbox.bank.test")).await, 403, "403.002.01", WRONG);
    let two_hosts = ask.replace("Host: laini.test", "Host: api.bank.test\r\nHost: sandbox.bank.test");
    assert_error(&send(&world, 0, two_hosts).await, 403, "403.002.01", WRONG);
    let absolute = at_host(&ask, "api.bank.test").replace(" /imsi", " http://sandbox.bank.test/imsi");
    assert_error(&send(&world, 0, absolute).await, 403, "403.002.01", WRONG);
    let generate = at_host(&token_request(&world.production), "sandbox.bank.test");
    assert_error(&send(&world, 0, generate).await, 400, "400.008.01", "Invalid Authentication passed");
}

#[tokio::test]
async fn every_answer_says_what_browsers_and_caches_may_do_with_it() {
    let world = World::start().await;
    let token = world.token(&world.sandbox).await;
    let requests = [
        check(IMSI_PATH, &token, BODY),
        check(IMSI_PATH, "bad", BODY),
        token_request(&world.sandbox),
        request("GET", "/livez", "", ""),
        request("GET", "/nowhere", "", ""),
        request("PUT", IMSI_PATH, "", ""),
    ];
    for request in requests {
        let reply = send(&world, 0, request).await;
        for (name, value) in [
            ("cache-control", "no-store"),
            ("x-content-type-options", "nosniff"),
            ("referrer-policy", "no-referrer"),
            ("content-security-policy", "default-src 'none'; frame-ancestors 'none'"),
        ] {
            assert_eq!(reply.header(name), Some(value), "{reply:?}");
        }
        assert_eq!(reply.header("strict-transport-security"), None, "{reply:?}");
    }
}
