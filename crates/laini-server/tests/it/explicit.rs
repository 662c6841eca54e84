//! `/v1/checks`: the answer that cannot be misread (contract §3).

use laini_core::billing::Outcome;
use laini_core::disclosure::Freshness;
use laini_core::line::{HashedImsi, Imsi, LineState, LineStatus};
use laini_core::partner::{ProductSet, Purpose};
use serde_json::{Value, json};

use crate::fakes::Mood;
use crate::wire::{Reply, check_under, request};
use crate::world::{IMSI_PATH, World, assert_error};

const PATH: &str = "/v1/checks";
const SWAPPED: &str = "254700000001";
const QUIET: &str = "254700000002";
const UNKNOWN_NUMBER: &str = "254700000099";

async fn world() -> World {
    let world = World::start().await;
    world.put(SWAPPED, "2026-02-03T20:59:00Z", Some("2026-10-31T21:05:00Z"));
    world.put(QUIET, "2019-01-01T00:00:00Z", None);
    world
}

async fn ask(world: &World, body: &Value) -> Reply {
    ask_under(world, "", body).await
}

async fn ask_under(world: &World, headers: &str, body: &Value) -> Reply {
    let token = world.first_token().await;
    world.send(check_under(PATH, token, headers, &body.to_string())).await
}

/// The one item of an answer, without what differs from run to run.
async fn item(world: &World, body: &Value) -> Value {
    let reply = ask(world, body).await;
    assert_eq!(reply.status, 200, "{}", reply.body);
    let mut item = reply.json()["checks"][0].clone();
    item.as_object_mut().unwrap().remove("id");
    item
}

#[tokio::test]
async fn every_fact_has_an_explicit_status() {
    let world = world().await;
    let pseudonym = world.check(IMSI_PATH, SWAPPED).await.text("imsi");
    assert_eq!(
        item(&world, &json!({"number": "0700000001"})).await,
        json!({
            "number": SWAPPED,
            "line": "active",
            "swap": {"status": "swapped", "reason": "replacement", "on": "2026-11-01", "window": "P3M"},
            "registration": {"status": "within_window", "on": "2026-02-03", "window": "P1Y"},
            "sim": {"pseudonym": pseudonym},
            "as_of": "2026-11-22T08:55:00Z",
            "charge": {"amount": "0.00", "currency": "KES", "reason": "repeat"},
        })
    );
    let quiet = item(&world, &json!({"number": QUIET})).await;
    assert_eq!(quiet["swap"], json!({"status": "not_swapped", "window": "P3M"}));
    assert_eq!(quiet["registration"], json!({"status": "older", "window": "P1Y"}));
    assert_eq!(quiet["charge"], json!({"amount": "20.00", "currency": "KES"}));
}

#[tokio::test]
async fn what_is_asked_decides_what_is_told_and_charged() {
    let world = world().await;
    for (number, facts, price, estimate) in [
        (1, json!(["swap"]), "1.00", true),
        (2, json!(["registration"]), "4.00", false),
        (3, json!(["sim"]), "20.00", false),
        (4, json!(["swap", "registration"]), "20.00", false),
        (5, json!(["swap", "swap"]), "1.00", true),
    ] {
        let number = format!("25470000020{number}");
        world.put(&number, "2019-01-01T00:00:00Z", None);
        let item = item(&world, &json!({"number": number, "facts": facts})).await;
        assert_eq!(item["charge"]["amount"], price, "{facts}");
        assert_eq!(item["charge"]["estimate"].as_bool().unwrap_or(false), estimate, "{facts}");
        for fact in ["swap", "registration", "sim"] {
            let asked = facts.as_array().unwrap().contains(&json!(fact));
            assert_eq!(item.get(fact).is_some(), asked, "{facts}: {fact}");
        }
    }
}

#[tokio::test]
async fn a_batch_is_an_item_for_each_number_with_its_own_id_status_and_charge() {
    let world = world().await;
    world.put("254700000003", "2019-01-01T00:00:00Z", None);
    world.change_line("254700000003", |state| state.line.as_mut().unwrap().restricted = true);
    let rejected = LineState { line: None, source_rejected: true };
    world.registry.put("254700000004", rejected);
    let body = json!({"numbers": [SWAPPED, UNKNOWN_NUMBER, "254700000003", "254700000004", QUIET, SWAPPED], "reference": "run 7"});
    let reply = ask(&world, &body).await;
    let answer = reply.json();
    let checks = answer["checks"].as_array().unwrap();
    let of = |field: &str| checks.iter().map(|item| item[field].clone()).collect::<Vec<_>>();
    assert_eq!(of("line"), ["active", "not_served", "unknown", "unknown", "active", "active"]);
    let swaps: Vec<_> = checks.iter().map(|item| (&item["swap"]["status"], item["swap"].get("reason"))).collect();
    let unknown = |reason: &'static str| (json!("unknown"), Some(json!(reason)));
    let expected = [
        (json!("swapped"), Some(json!("replacement"))),
        unknown("not_served"),
        unknown("withheld"),
        unknown("source_rejected"),
        (json!("not_swapped"), None),
        (json!("swapped"), Some(json!("replacement"))),
    ];
    assert_eq!(swaps.into_iter().map(|(a, b)| (a.clone(), b.cloned())).collect::<Vec<_>>(), expected);
    let charges: Vec<_> = checks.iter().map(|item| item["charge"]["amount"].as_str().unwrap().to_owned()).collect();
    assert_eq!(charges, ["20.00", "0.00", "0.00", "0.00", "20.00", "0.00"], "{answer}");
    assert_eq!(reply.header("laini-charge"), Some("KES 40.00"));
    let ids: std::collections::BTreeSet<_> = of("id").into_iter().map(|id| id.to_string()).collect();
    assert_eq!(ids.len(), 6);
    let rows = world.ledger.rows.lock().unwrap();
    let outcomes: Vec<_> = rows.iter().map(|(_, recorded)| recorded.outcome).collect();
    assert_eq!(
        outcomes,
        [
            Outcome::Answered,
            Outcome::NotServed,
            Outcome::Withheld,
            Outcome::Unknown,
            Outcome::Answered,
            Outcome::Repeated
        ]
    );
    assert!(rows.iter().all(|(draft, _)| draft.subject.reference.as_deref() == Some("run 7")));
}

#[tokio::test]
async fn the_sim_that_was_enrolled_is_compared() {
    let world = world().await;
    let enrolled = item(&world, &json!({"number": QUIET})).await["sim"]["pseudonym"].clone();
    let compared = async |expect: &Value| {
        item(&world, &json!({"number": QUIET, "facts": ["sim"], "expect": expect})).await["sim"]["compared"].clone()
    };
    assert_eq!(compared(&enrolled).await, "same");
    assert_eq!(compared(&json!("0000000000000000")).await, "changed");
    world.settings.replace({
        let mut settings = (*world.settings.current()).clone();
        settings.freshness =
            Freshness { swap_stale_after: Some(jiff::SignedDuration::from_mins(1)), ..Freshness::default() };
        settings
    });
    assert_eq!(compared(&enrolled).await, "unknown", "an old registry does not reassure");
    assert_eq!(compared(&json!("0000000000000000")).await, "changed");
    assert_eq!(*world.ledger.outcomes().iter().rev().nth(1).unwrap(), Outcome::Unknown, "and costs nothing");
    world.change_line(QUIET, |state| {
        let line = state.line.as_mut().unwrap();
        line.sim = Imsi::parse("639021860913910").unwrap().into();
        line.hashed_imsi = HashedImsi::parse("AB12").ok();
    });
    assert_eq!(compared(&enrolled).await, "changed");
}

#[tokio::test]
async fn a_dry_run_prices_and_asks_nobody() {
    let world = world().await;
    *world.registry.mood.lock().unwrap() = Mood::Panics;
    let quote = ask(&world, &json!({"numbers": [SWAPPED, QUIET], "dry_run": true})).await;
    assert_eq!(
        quote.json(),
        json!({
            "dry_run": true,
            "checks": [
                {"number": SWAPPED, "product": "imsi", "charge": {"amount": "20.00", "currency": "KES"}},
                {"number": QUIET, "product": "imsi", "charge": {"amount": "20.00", "currency": "KES"}},
            ],
            "total": {"amount": "40.00", "currency": "KES"},
        })
    );
    assert!(world.ledger.outcomes().is_empty());
}

#[tokio::test]
async fn purpose_and_reference_are_kept_with_the_row() {
    let world = world().await;
    ask(&world, &json!({"number": QUIET, "purpose": "cheque_confirmation", "reference": "cheque 17"})).await;
    {
        let rows = world.ledger.rows.lock().unwrap();
        assert_eq!(rows[0].0.purpose, Purpose::ChequeConfirmation);
        assert_eq!(rows[0].0.subject.reference.as_deref(), Some("cheque 17"));
    }
    let unknown = ask(&world, &json!({"number": QUIET, "purpose": "curiosity"})).await;
    let text = "Bad Request - Invalid purpose - expected one of: fraud_prevention, onboarding, cheque_confirmation";
    assert_error(&unknown, 400, "400.002.02", text);
    world.accounts.change_agreement(|agreement| agreement.purposes = vec![Purpose::Onboarding]);
    world.accounts_noticed(async || ask(&world, &json!({"number": QUIET})).await.status == 403).await;
    let text = "Forbidden - the agreement does not allow this purpose; name one that it allows, or ask the operator";
    assert_error(&ask(&world, &json!({"number": QUIET})).await, 403, "403.002.01", text);
    assert_eq!(ask(&world, &json!({"number": QUIET, "purpose": "onboarding"})).await.status, 200);
}

#[tokio::test]
async fn exact_times_are_told_where_the_agreement_allows() {
    let world = world().await;
    assert_eq!(item(&world, &json!({"number": SWAPPED})).await["swap"].get("at"), None);
    world.accounts.change_agreement(|agreement| agreement.exact_times = true);
    let told = async || item(&world, &json!({"number": SWAPPED})).await["swap"].get("at").is_some();
    world.accounts_noticed(told).await;
    let item = item(&world, &json!({"number": SWAPPED})).await;
    assert_eq!(item["swap"]["at"], "2026-10-31T21:05:00Z");
    assert_eq!(item["registration"]["at"], "2026-02-03T20:59:00Z");
}

#[tokio::test]
async fn a_check_is_read_again_for_a_day_by_its_own_app() {
    let world = world().await;
    let asked = ask(&world, &json!({"number": SWAPPED})).await.json()["checks"][0].clone();
    let path = format!("{PATH}/{}", asked["id"].as_str().unwrap());
    let token = world.token(&world.production).await;
    let read = async |token: &str, path: &str| {
        world.send(request("GET", path, &format!("Authorization: Bearer {token}\r\n"), "")).await
    };
    assert_eq!(read(&token, &path).await.json(), asked);
    // A check of a published path is read by the same words.
    let published = world.check(IMSI_PATH, QUIET).await.text("requestRefID");
    let told = read(&token, &format!("{PATH}/{published}")).await.json();
    assert_eq!((&told["id"], &told["swap"]["status"]), (&json!(published), &json!("not_swapped")));
    let sandbox = world.token(&world.sandbox).await;
    for (token, path) in [
        (&sandbox, path.as_str()),
        (&token, "/v1/checks/971f-4359-b611-6845a1be45ef280786"),
        (&token, "/v1/checks/nonsense"),
        (&token, "/v1/checks/%FF"),
    ] {
        assert_error(&read(token, path).await, 404, "404.001.01", "Resource not found");
    }
    assert_eq!(read("", &path).await.status, 401);
    // Tokens last an hour, so a new one is needed a day later.
    world.clock.advance(86_400);
    assert_eq!(read(&world.token(&world.production).await, &path).await.status, 200);
    world.clock.advance(1);
    assert_eq!(read(&world.token(&world.production).await, &path).await.status, 404);
    assert_eq!(world.ledger.outcomes().len(), 2, "reading leaves no row");
}

#[tokio::test]
async fn a_batch_is_stored_under_its_key_as_a_whole() {
    let world = world().await;
    let body = json!({"numbers": [SWAPPED, QUIET]});
    let first = ask_under(&world, "Idempotency-Key: k\r\n", &body).await;
    let again = ask_under(&world, "Idempotency-Key: k\r\n", &body).await;
    assert_eq!((again.status, &again.body), (200, &first.body));
    assert_eq!(again.header("idempotent-replayed"), Some("true"));
    let other = ask_under(&world, "Idempotency-Key: k\r\n", &json!({"numbers": [QUIET, SWAPPED]})).await;
    assert_eq!(other.status, 422);
    assert_eq!(world.ledger.outcomes(), [Outcome::Answered; 2]);
}

#[tokio::test]
async fn a_batch_is_recorded_whole_or_not_at_all() {
    let world = world().await;
    *world.ledger.mood.lock().unwrap() = Mood::Unavailable;
    let refused = ask(&world, &json!({"numbers": [SWAPPED, QUIET]})).await;
    assert_eq!((refused.status, refused.text("errorCode").as_str()), (503, "503.002.03"));
    assert!(!refused.body.contains("swap"));
    assert!(world.ledger.outcomes().is_empty());
    *world.registry.mood.lock().unwrap() = Mood::Bad;
    assert_eq!(ask(&world, &json!({"numbers": [SWAPPED, QUIET]})).await.status, 502);
}

#[tokio::test]
async fn what_cannot_be_asked_is_refused_with_the_field_and_the_reason() {
    let world = world().await;
    let invalid = "400.002.02";
    let table = [
        (json!({}), invalid, "Bad Request - Invalid numbers - send number, or numbers"),
        (
            json!({"msisdn": QUIET}),
            invalid,
            "Bad Request - Invalid numbers - the field is named number here, or numbers",
        ),
        (json!({"numbers": []}), invalid, "Bad Request - Invalid numbers - send 1 to 100 numbers"),
        (
            json!({"number": QUIET, "numbers": [QUIET]}),
            invalid,
            "Bad Request - Invalid numbers - send number or numbers, not both",
        ),
        (
            json!({"numbers": [QUIET, "12"]}),
            invalid,
            "Bad Request - Invalid number - item 1: not a number of this operator's plan",
        ),
        (
            json!({"number": QUIET, "facts": ["name"]}),
            invalid,
            "Bad Request - Invalid facts - known facts: swap, registration, sim",
        ),
        (
            json!({"number": QUIET, "facts": []}),
            invalid,
            "Bad Request - Invalid facts - name at least one of swap, registration, sim, or leave the field out",
        ),
        (
            json!({"number": QUIET, "facts": ["swap"], "expect": "1"}),
            invalid,
            "Bad Request - Invalid expect - to compare a SIM, ask for the fact sim",
        ),
        (
            json!({"numbers": [QUIET], "expect": "1"}),
            invalid,
            "Bad Request - Invalid expect - a SIM is compared for one number at a time; send number",
        ),
        (
            json!({"number": QUIET, "expect": "a b"}),
            invalid,
            "Bad Request - Invalid expect - send the pseudonym as it was answered: letters and digits",
        ),
        (
            json!({"number": QUIET, "reference": "x".repeat(129)}),
            invalid,
            "Bad Request - Invalid reference - 1 to 128 characters, none of them a control character",
        ),
        (json!([QUIET]), "400.002.05", "Invalid Request Payload"),
        (json!({"number": QUIET, "dry_run": 1}), "400.002.05", "Invalid Request Payload"),
    ];
    for (body, code, text) in table {
        assert_error(&ask(&world, &body).await, 400, code, text);
    }
    assert!(world.ledger.outcomes().is_empty());
}

#[tokio::test]
async fn an_app_asks_for_what_it_may_and_no_more() {
    let world = world().await;
    world.accounts.change_app(world.production.app, |app| app.products = ProductSet::parse("swap").unwrap());
    let refused = async || ask(&world, &json!({"number": QUIET, "facts": ["sim"]})).await.status == 401;
    world.accounts_noticed(refused).await;
    let told = item(&world, &json!({"number": QUIET})).await;
    assert_eq!((told.get("registration"), told.get("sim")), (None, None), "{told}");
    world.accounts.change_app(world.production.app, |app| app.products = ProductSet::parse("swap,age").unwrap());
    let refused = async || ask(&world, &json!({"number": QUIET})).await.status == 400;
    world.accounts_noticed(refused).await;
    assert_eq!(
        item(&world, &json!({"number": QUIET, "facts": ["registration"]})).await["registration"]["status"],
        "older"
    );
}

#[tokio::test]
async fn a_suspended_line_answers_and_says_so() {
    let world = world().await;
    world.change_line(QUIET, |state| state.line.as_mut().unwrap().status = LineStatus::Suspended);
    assert_eq!(item(&world, &json!({"number": QUIET})).await["line"], "suspended");
}
