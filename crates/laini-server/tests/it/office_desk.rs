//! Batches of the desk over HTTP: brought, quoted, asked by the server itself, told row by row.

use laini_core::partner::{MemberRole, StaffRole};
use laini_office::desk::{LOOK_UPS_PER_DAY_MAX, set_settings, settings};
use laini_office::{Actor, Work};
use laini_server::Clock as _;
use serde_json::{Value, json};

use crate::office_apps::{BANK, Caller};
use crate::world::World;

/// A sandbox app of the bank, made by its owner.
async fn sandbox_app(owner: &Caller<'_>) -> String {
    let body = json!({"name": "desk", "products": ["imsi"]});
    owner.done("POST", "apps", Some(body)).await["app"].as_str().unwrap().to_owned()
}

async fn brought(clerk: &Caller<'_>, app: &str, numbers: &[&str]) -> Value {
    let rows: Vec<Value> = numbers.iter().map(|number| json!({"number": number, "reference": "cheque 17"})).collect();
    clerk.done("POST", "desk/batches", Some(json!({"app": app, "rows": rows}))).await
}

/// Waits until the server has asked every row; the batch.
async fn ended(world: &World, clerk: &Caller<'_>, batch: &str) -> Value {
    let path = format!("desk/batches/{batch}");
    let is_over = async || clerk.done("GET", &path, None).await["state"] != json!("running");
    world.accounts_noticed(is_over).await;
    clerk.done("GET", &path, None).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_is_quoted_then_asked_by_the_server_and_told_row_by_row() {
    let world = World::start_office().await;
    let (owner, clerk) = (Caller::member(&world, MemberRole::Owner), Caller::member(&world, MemberRole::FraudDesk));
    let app = sandbox_app(&owner).await;
    let numbers = ["0722000001", "254722000002", "nobody", "+254722000001", "254722000040"];
    let draft = brought(&clerk, &app, &numbers).await;
    assert_eq!((&draft["rows"], &draft["duplicates"], &draft["invalid"]), (&json!(3), &json!(1), &json!(1)), "{draft}");
    assert_eq!((&draft["state"], &draft["quote"]["is_sandbox"]), (&json!("draft"), &json!(true)));
    let batch = draft["batch"].as_str().unwrap();
    let path = |rest: &str| format!("desk/batches/{batch}/{rest}");
    let unsaid = json!({"purpose": "cheque_confirmation", "reference": " "});
    assert!(clerk.refused(400, "POST", &path("start"), Some(unsaid.clone())).await.contains("reference"));
    let said = json!({"purpose": "cheque_confirmation", "reference": "cheques of Friday"});
    clerk.done("POST", &path("start"), Some(said.clone())).await;
    clerk.refused(409, "POST", &path("start"), Some(said)).await;
    let done = ended(&world, &clerk, batch).await;
    assert_eq!((&done["state"], &done["allow"], &done["hold"]), (&json!("done"), &json!(1), &json!(2)), "{done}");
    let held = clerk.done("GET", &path("rows?show=hold&limit=1"), None).await;
    assert_eq!(held["rows"][0]["number"], json!("2547•••••002"), "{held}");
    assert_eq!(held["rows"][0]["finding"]["reasons"][0]["reason"], json!("swapped"));
    let next = clerk.done("GET", &path(&format!("rows?show=hold&from={}", held["next"])), None).await;
    assert_eq!((next["rows"].as_array().unwrap().len(), &next["next"]), (1, &Value::Null), "{next}");
    assert!(!done.to_string().contains("722000002") && !held.to_string().contains("722000002"));

    // Whoever uncovers a number says why, and gets one.
    let row = held["rows"][0]["row"].as_u64().unwrap();
    let reveal = path(&format!("rows/{row}/reveal"));
    assert!(clerk.refused(400, "POST", &reveal, Some(json!({"reason": ""}))).await.contains("reason"));
    let shown = clerk.done("POST", &reveal, Some(json!({"reason": "calling the drawer"}))).await;
    assert_eq!(shown["number"], json!("254722000002"));

    // It is the bank's own: not the operator's, not a developer's.
    for other in [Caller::staff(&world, StaffRole::Admin), Caller::member(&world, MemberRole::Developer)] {
        other.refused(403, "GET", &path("rows"), None).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_asks_whether_each_sim_is_the_one_that_was_enrolled() {
    let world = World::start_office().await;
    let (owner, clerk) = (Caller::member(&world, MemberRole::Owner), Caller::member(&world, MemberRole::FraudDesk));
    let app = sandbox_app(&owner).await;
    let said = json!({"purpose": "fraud_prevention", "reference": "mobile banking"});
    let compared = async |rows: Value| {
        let draft = clerk.done("POST", "desk/batches", Some(json!({"app": app, "rows": rows}))).await;
        let batch = draft["batch"].as_str().unwrap();
        clerk.done("POST", &format!("desk/batches/{batch}/start"), Some(said.clone())).await;
        ended(&world, &clerk, batch).await;
        let rows = clerk.done("GET", &format!("desk/batches/{batch}/rows"), None).await;
        let file = clerk.call("GET", &format!("desk/batches/{batch}/export?format=csv"), None).await.body;
        (rows["rows"].as_array().unwrap().clone(), file)
    };
    // Enrolled: the file that one takes along says the digits of each SIM.
    let (rows, file) = compared(json!([{"number": "0722000001"}])).await;
    let digits = rows[0]["finding"]["sim"].as_str().unwrap();
    assert!(digits.len() == 16 && file.lines().nth(1).unwrap().ends_with(digits), "{file}");
    // Compared: the same, another, and what is no SIM's.
    let other: String = digits.chars().rev().collect();
    let with = |enrolled: &str| json!([{"number": "0722000001", "enrolled": enrolled}]);
    for (enrolled, verdict, reason) in [(digits, "allow", "sim_same"), (&*other, "hold", "sim_changed")] {
        let (rows, _) = compared(with(enrolled)).await;
        assert_eq!((&rows[0]["enrolled"], &rows[0]["finding"]["verdict"]), (&json!(enrolled), &json!(verdict)));
        let reasons = rows[0]["finding"]["reasons"].as_array().unwrap();
        assert!(reasons.iter().any(|told| told["reason"] == reason), "{reasons:?}");
    }
    let of = |app: &str| json!({"app": app, "rows": with("the blue one")});
    let refused = clerk.refused(400, "POST", "desk/batches", Some(of(&app))).await;
    assert!(refused.contains("line 1 has something else"), "{refused}");
    let swaps = json!({"name": "swaps", "products": ["swap"]});
    let swaps = owner.done("POST", "apps", Some(swaps)).await["app"].as_str().unwrap().to_owned();
    let refused = clerk.refused(400, "POST", "desk/batches", Some(json!({"app": swaps, "rows": with(digits)}))).await;
    assert!(refused.contains("does not compare SIMs"), "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_of_an_app_that_may_not_ask_stops_and_says_why() {
    let world = World::start_office().await;
    let (owner, clerk) = (Caller::member(&world, MemberRole::Owner), Caller::member(&world, MemberRole::FraudDesk));
    let app = sandbox_app(&owner).await;
    // Nobody on this machine is at that address.
    let patch = json!({"allowed_addresses": ["192.0.2.0/24"]});
    owner.done("PATCH", &format!("apps/{app}"), Some(patch)).await;
    let draft = brought(&clerk, &app, &["0722000001", "0722000002"]).await;
    let batch = draft["batch"].as_str().unwrap();
    let said = json!({"purpose": "fraud_prevention", "reference": "payouts"});
    clerk.done("POST", &format!("desk/batches/{batch}/start"), Some(said)).await;
    let stopped = ended(&world, &clerk, batch).await;
    assert_eq!((&stopped["state"], &stopped["allow"]), (&json!("stopped"), &json!(0)), "{stopped}");
    assert!(!stopped["stopped"].as_str().unwrap().is_empty(), "{stopped}");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_number_is_looked_up_once_under_a_key_judged_and_kept() {
    let world = World::start_office().await;
    let (owner, clerk) = (Caller::member(&world, MemberRole::Owner), Caller::member(&world, MemberRole::FraudDesk));
    let app = sandbox_app(&owner).await;
    let asked = |number: &str, reference: &str| json!({"app": app, "number": number, "purpose": "cheque_confirmation", "reference": reference});
    let unlimited = |work: &mut Work<'_>| {
        let mut settings = settings(work, BANK)?;
        settings.look_ups_per_day = LOOK_UPS_PER_DAY_MAX;
        set_settings(work, &settings)
    };
    world.office.run(&Actor::System, world.clock.now(), unlimited).unwrap();
    // Accounts are read anew a little later: until then, the API does not know the app.
    let is_known = async || clerk.call("POST", "desk/checks", Some(asked("0722000001", "first"))).await.status == 201;
    world.accounts_noticed(is_known).await;
    let made = clerk.repeatable("POST", "desk/checks", "one", Some(asked("0722 000 002", "cheque 9"))).await;
    assert_eq!(made.status, 201, "{made:?}");
    let receipt = made.json();
    assert_eq!((&receipt["number"], &receipt["finding"]["verdict"]), (&json!("2547•••••002"), &json!("hold")));
    assert_eq!(receipt["finding"]["reasons"][0]["reason"], json!("swapped"), "{receipt}");
    assert!(!receipt.to_string().contains("722000002"), "{receipt}");
    // A repeat is answered as it was, and nothing is asked; another request under that key is refused.
    let again = clerk.repeatable("POST", "desk/checks", "one", Some(asked("0722 000 002", "cheque 9"))).await;
    assert_eq!((again.json(), again.header("idempotent-replayed")), (receipt.clone(), Some("true")));
    let other = clerk.repeatable("POST", "desk/checks", "one", Some(asked("0722000001", "cheque 9"))).await;
    assert!(other.status == 409 && other.text("errorMessage").contains("another request"), "{other:?}");
    let allowed = clerk.done("POST", "desk/checks", Some(asked("0722000001", "cheque 10"))).await;
    assert_eq!(allowed["finding"]["verdict"], json!("allow"), "{allowed}");
    let listed = clerk.done("GET", "desk/checks?verdict=hold", None).await;
    assert_eq!(listed["checks"], json!([receipt]), "one receipt for both of them");
    let one = clerk.done("GET", &format!("desk/checks/{}", receipt["receipt"].as_str().unwrap()), None).await;
    assert_eq!(one, receipt);

    for (field, value) in [("number", "no number"), ("purpose", "curiosity"), ("reference", " "), ("app", "none")] {
        let mut wrong = asked("0722000001", "cheque 11");
        wrong[field] = json!(value);
        assert!(clerk.refused(400, "POST", "desk/checks", Some(wrong)).await.contains(field), "{field}");
    }
    for other in [Caller::staff(&world, StaffRole::Admin), Caller::member(&world, MemberRole::Developer)] {
        other.refused(403, "POST", "desk/checks", Some(asked("0722000001", "none"))).await;
    }
    // What the API refuses to the app is refused here, in its words.
    owner.done("PATCH", &format!("apps/{app}"), Some(json!({"allowed_addresses": ["192.0.2.0/24"]}))).await;
    let is_refused = async || {
        let reply = clerk.call("POST", "desk/checks", Some(asked("0722000001", "cheque 12"))).await;
        reply.status == 409 && reply.text("errorMessage").contains("(403.")
    };
    world.accounts_noticed(is_refused).await;
}
