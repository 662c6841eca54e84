//! From a request to production credentials: a checklist that only deeds tick off.

use laini_core::partner::{MemberRole, StaffRole};
use laini_office::Actor;
use laini_office::organisation::{Details, Organisation};
use laini_server::Clock as _;
use serde_json::{Value, json};

use crate::office_apps::{BANK, Caller, credentials};
use crate::wire::{check, check_under, request};
use crate::world::{IMSI_PATH, SWAP_PATH, World};

/// Never known to the sandbox, its made-up rate limit, and one that is known.
const UNKNOWN: &str = "{\"customerNumber\":\"254722000040\"}";
const RATE_LIMITED: &str = "{\"customerNumber\":\"254722000054\"}";
const KNOWN: &str = "{\"customerNumber\":\"254722000001\"}";

fn steps(run: &Value) -> Vec<String> {
    let steps = run["steps"].as_array().unwrap().iter();
    steps.map(|step| step["state"].as_str().unwrap().to_owned()).collect()
}

/// Who sees to an item, and since when it is as it is.
fn clock<'a>(go_live: &'a Value, item: &str) -> (&'a str, &'a str) {
    let items = go_live["checklist"].as_array().unwrap();
    let found = items.iter().find(|found| found["item"] == item).unwrap();
    (found["owner"].as_str().unwrap(), found["since"].as_str().unwrap())
}

fn open(go_live: &Value) -> Vec<&str> {
    let items = go_live["checklist"].as_array().unwrap().iter().filter(|item| item["is_done"] == false);
    items.map(|item| item["item"].as_str().unwrap()).collect()
}

/// The nonce that waits at the app's listener.
async fn delivered_nonce(world: &World, token: &str) -> String {
    let headers = format!("Authorization: Bearer {token}\r\n");
    let reply = world.send(request("GET", "/v1/deliveries", &headers, "")).await;
    assert_eq!(reply.status, 200, "{reply:?}");
    let page = reply.json();
    let delivery = &page["deliveries"][0];
    assert!(delivery.to_string().contains("v1,"), "it is signed: {page}");
    let body: Value = serde_json::from_str(delivery["body"].as_str().unwrap()).unwrap();
    assert_eq!(body["type"], "scripted_run");
    body["nonce"].as_str().unwrap().to_owned()
}

/// The bank's data-protection registration is valid up to this day.
fn has_certificate(world: &World, last_day: &str) {
    let details = Details {
        data_protection_number: Some("ODPC-1".to_owned()),
        data_protection_expires: Some(last_day.parse().unwrap()),
        ..Details::default()
    };
    let noted = world.office.run(&Actor::System, world.clock.now(), |work| {
        work.look::<Organisation>(BANK)?;
        let details = details.clone();
        work.put(&Organisation { partner: BANK, details, changed: work.at, certified: None })
    });
    noted.unwrap();
}

/// A run that a sandbox app passed; its id.
async fn passed_run(world: &World, developer: &Caller<'_>) -> String {
    let token = world.token(&world.sandbox).await;
    let app = world.sandbox.app.to_string();
    let listen = json!({"url": "laini:listen"});
    developer.done("POST", &format!("apps/{app}/result-addresses"), Some(listen)).await;
    // Once a later change is noticed, so is the address.
    let later = json!({"name": "noticed", "products": ["imsi"]});
    world.has_token(&credentials(&developer.done("POST", "apps", Some(later)).await), true).await;
    // What was done before the run counts for nothing.
    world.check_with(IMSI_PATH, &token, UNKNOWN).await;
    world.clock.advance(1);
    let run = developer.done("POST", "scripted-runs", Some(json!({"app": app}))).await;
    assert_eq!(steps(&run), ["open"; 4]);
    let path = format!("scripted-runs/{}", run["run"].as_str().unwrap());

    // A 429 is not backed off, then it is.
    for (wait_s, state) in [(0, "open"), (1, "passed")] {
        assert_eq!(world.check_with(IMSI_PATH, &token, RATE_LIMITED).await.status, 429);
        world.clock.advance(wait_s);
        assert_eq!(world.check_with(IMSI_PATH, &token, KNOWN).await.status, 200);
        world.clock.advance(1);
        assert_eq!(steps(&developer.done("GET", &path, None).await)[1], state);
    }
    // A retry under its key.
    let keyed = check_under(SWAP_PATH, &token, "Idempotency-Key: retry-1\r\n", KNOWN);
    assert_eq!(world.send(&keyed).await.status, 200);
    assert_eq!(world.send(&keyed).await.header("idempotent-replayed"), Some("true"));
    // An unknown number is asked about again too early, then left alone.
    assert_eq!(world.check_with(IMSI_PATH, &token, UNKNOWN).await.status, 404);
    world.clock.advance(9);
    let reply = world.send(check(IMSI_PATH, &token, UNKNOWN)).await;
    assert_eq!(reply.status, 404);
    world.clock.advance(9);
    let run = developer.done("GET", &path, None).await;
    assert_eq!(steps(&run), ["waiting", "passed", "passed", "open"]);
    world.clock.advance(1);

    // The delivery's nonce is brought back.
    let guess = json!({"nonce": "0123456789abcdef0123456789abcdef"});
    let early = developer.refused(409, "POST", &format!("{path}/echo"), Some(guess.clone())).await;
    assert!(early.contains("was not sent yet"), "{early}");
    let sent = developer.done("POST", &format!("{path}/delivery"), None).await;
    let nonce = delivered_nonce(world, &token).await;
    assert!(!sent.to_string().contains(&nonce), "only the delivery tells it");
    developer.refused(400, "POST", &format!("{path}/echo"), Some(guess)).await;
    let run = developer.done("POST", &format!("{path}/echo"), Some(json!({"nonce": nonce}))).await;
    assert_eq!(steps(&run), ["passed"; 4]);
    assert!(run["passed"].is_string());
    run["run"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_delivery_that_overtakes_the_news_of_its_address_arrives() {
    let world = World::start_office().await;
    let developer = Caller::member(&world, MemberRole::Owner);
    let token = world.token(&world.sandbox).await;
    let app = world.sandbox.app.to_string();
    let run = developer.done("POST", "scripted-runs", Some(json!({"app": app}))).await;
    let listen = json!({"url": "laini:listen"});
    developer.done("POST", &format!("apps/{app}/result-addresses"), Some(listen)).await;
    let delivery = format!("scripted-runs/{}/delivery", run["run"].as_str().unwrap());
    developer.done("POST", &delivery, None).await;
    // Asking for deliveries is refused until the address is noticed.
    let headers = format!("Authorization: Bearer {token}\r\n");
    let ask = request("GET", "/v1/deliveries", &headers, "");
    let taken = std::cell::RefCell::default();
    world
        .accounts_noticed(async || {
            let reply = world.send(&ask).await;
            let is_noticed = reply.status == 200;
            *taken.borrow_mut() = reply.json().to_string();
            is_noticed
        })
        .await;
    assert!(taken.borrow().contains("scripted_run"), "{taken:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_app_goes_live_by_deeds_an_approval_and_nothing_else() {
    let world = World::start_office().await;
    let owner = Caller::member(&world, MemberRole::Owner);
    let onboarding = Caller::staff(&world, StaffRole::Onboarding);
    let asked = Some(json!({"name": "transfers live", "products": ["imsi", "swap"]}));
    let begun = owner.done("POST", "go-lives", asked.clone()).await;
    assert_eq!((&begun["state"], open(&begun)), (&json!("preparing"), vec!["certificate", "terms", "scripted_run"]));
    owner.refused(409, "POST", "go-lives", asked).await;
    let path = format!("go-lives/{}", begun["go_live"].as_str().unwrap());
    let refused = owner.refused(409, "POST", &format!("{path}/submit"), None).await;
    assert!(refused.contains("the terms in force were not accepted"), "{refused}");

    // The list is ticked off one by one.
    assert_eq!(clock(&begun, "agreement").0, "operator");
    let began = begun["stages"][0]["at"].as_str().unwrap();
    for item in ["certificate", "terms", "scripted_run"] {
        assert_eq!(clock(&begun, item), ("partner", began), "open since the request is there");
    }
    has_certificate(&world, "2026-11-21");
    assert_eq!(open(&owner.done("GET", &path, None).await)[0], "certificate", "it expired yesterday");
    has_certificate(&world, "2026-11-22");
    let terms = owner.at("GET", "/office/v1/terms", None).await.json();
    let others = json!({"version": terms["version"], "sha256": "0".repeat(64)});
    owner.refused(409, "POST", "terms/accept", Some(others)).await;
    let these = json!({"version": terms["version"], "sha256": terms["sha256"]});
    let accepted = owner.done("POST", "terms/accept", Some(these)).await;
    assert!(accepted["by"].as_str().unwrap().starts_with("member:"));
    assert_eq!(clock(&owner.done("GET", &path, None).await, "terms").1, accepted["at"].as_str().unwrap());
    let run = passed_run(&world, &owner).await;
    let changed = owner.done("PATCH", &path, Some(json!({"run": run}))).await;
    assert_eq!(open(&changed), Vec::<&str>::new(), "{changed}");

    // Handed in, returned, handed in, approved; nobody else decides.
    let (no, yes) = (Some(json!({"reason": "name a contact"})), Some(json!({"reason": ""})));
    onboarding.refused(409, "POST", &format!("{path}/approve"), yes.clone()).await;
    assert_eq!(owner.done("POST", &format!("{path}/submit"), None).await["state"], "awaiting_approval");
    owner.refused(403, "POST", &format!("{path}/approve"), yes.clone()).await;
    onboarding.refused(400, "POST", &format!("{path}/return"), yes.clone()).await;
    assert_eq!(onboarding.done("POST", &format!("{path}/return"), no).await["state"], "returned");
    owner.done("POST", &format!("{path}/submit"), None).await;
    let waiting = onboarding.at("GET", "/office/v1/go-lives", None).await.json();
    assert_eq!(waiting["go_lives"][0]["name"], "transfers live");
    owner.refused(409, "POST", &format!("{path}/collect"), None).await;
    assert_eq!(onboarding.done("POST", &format!("{path}/approve"), yes).await["state"], "approved");

    // The credentials are issued once, and they work.
    let issued = owner.done("POST", &format!("{path}/collect"), None).await;
    owner.refused(409, "POST", &format!("{path}/collect"), None).await;
    let live = credentials(&issued);
    world.has_token(&live, true).await;
    world.put("254722000100", "2015-01-01T00:00:00Z", None);
    let token = world.token(&live).await;
    let reply = world.check_with(IMSI_PATH, &token, "{\"customerNumber\":\"254722000100\"}").await;
    assert_eq!((reply.status, reply.header("laini-environment")), (200, Some("production")), "{reply:?}");
    let shown = owner.done("GET", &path, None).await;
    assert_eq!((&shown["state"], &shown["app"]), (&json!("live"), &json!(live.app.to_string())));
    assert!(!shown.to_string().contains(&live.secret));
    let stages: Vec<_> = shown["stages"].as_array().unwrap().iter().map(|stage| stage["state"].clone()).collect();
    let expected =
        ["preparing", "awaiting_approval", "returned", "awaiting_approval", "approved", "live"].map(Value::from);
    assert_eq!(stages, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_expires_after_the_approval_holds_the_credentials_back() {
    let world = World::start_office().await;
    let onboarding = Caller::staff(&world, StaffRole::Onboarding);
    let owner = Caller::member(&world, MemberRole::Owner);
    has_certificate(&world, "2026-11-22");
    let terms = owner.at("GET", "/office/v1/terms", None).await.json();
    let these = json!({"version": terms["version"], "sha256": terms["sha256"]});
    owner.done("POST", "terms/accept", Some(these)).await;
    let run = passed_run(&world, &owner).await;
    let begun = owner.done("POST", "go-lives", Some(json!({"name": "live", "products": ["age"]}))).await;
    let path = format!("go-lives/{}", begun["go_live"].as_str().unwrap());
    owner.done("PATCH", &path, Some(json!({"run": run}))).await;
    owner.done("POST", &format!("{path}/submit"), None).await;
    onboarding.done("POST", &format!("{path}/approve"), Some(json!({}))).await;
    // It is the evening of the last day, and then it is not.
    world.clock.advance(13 * 3_600);
    let owner = Caller::member(&world, MemberRole::Owner);
    let refused = owner.refused(409, "POST", &format!("{path}/collect"), None).await;
    assert!(refused.contains("no data-protection certificate"), "{refused}");
    // It ended with its last day, in the operator's zone.
    assert_eq!(clock(&owner.done("GET", &path, None).await, "certificate"), ("partner", "2026-11-22T21:00:00Z"));
    owner.done("POST", &format!("{path}/withdraw"), Some(json!({"reason": "later"}))).await;
    owner.refused(409, "POST", &format!("{path}/submit"), None).await;
}
