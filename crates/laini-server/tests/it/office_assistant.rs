//! Questions to the documentation: what is answered, what a model is sent, and whose requests are told.

use laini_core::partner::{MemberRole, PartnerId, StaffRole};
use laini_office::people::Seat;
use serde_json::{Value, json};

use crate::fake_model::{FakeModel, KEY, Mood};
use crate::office::signed_in;
use crate::office_requests::opened;
use crate::wire::{Connection, Reply, request};
use crate::world::World;

const KNOWN: &str = "What does a repeat cost?";
const FOREIGN: &str = "Which airline flies to Kisumu on Sundays?";

async fn ask(world: &World, session: &str, question: &str) -> Reply {
    let session = if session.is_empty() { String::new() } else { format!("Authorization: Bearer {session}\r\n") };
    let headers = format!("{session}Content-Type: application/json\r\n");
    let mut connection = Connection::open(world.address).await;
    let body = json!({"question": question}).to_string();
    connection.send(request("POST", "/office/v1/questions", &headers, &body)).await;
    connection.reply().await.unwrap()
}

/// The same under an idempotency key.
async fn ask_under_key(world: &World, session: &str, question: &str) -> Reply {
    let session = if session.is_empty() { String::new() } else { format!("Authorization: Bearer {session}\r\n") };
    let headers = format!("{session}Content-Type: application/json\r\nIdempotency-Key: one-key\r\n");
    let mut connection = Connection::open(world.address).await;
    let body = json!({"question": question}).to_string();
    connection.send(request("POST", "/office/v1/questions", &headers, &body)).await;
    connection.reply().await.unwrap()
}

async fn answered(world: &World, session: &str, question: &str) -> Value {
    let reply = ask(world, session, question).await;
    assert_eq!(reply.status, 200, "{}", reply.body);
    reply.json()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_documentation_answers_without_anybody_else() {
    let world = World::start().await;
    let known = answered(&world, "", KNOWN).await;
    assert_eq!((&known["is_known"], &known["phrased"], &known["requests"]), (&json!(true), &json!(null), &json!([])));
    let first = &known["passages"][0];
    assert_eq!(first["href"], "/docs/faq#what-does-a-repeat-cost", "{known}");
    assert!(first["quote"].as_str().unwrap().starts_with("Nothing"), "{known}");
    let foreign = answered(&world, "", FOREIGN).await;
    assert_eq!((&foreign["is_known"], &foreign["passages"]), (&json!(false), &json!([])));
    for question in ["", "   ", &"x".repeat(1_001)] {
        assert_eq!(ask(&world, "", question).await.status, 400);
    }
    let found = world.get("/office/v1/documentation?q=idempotency+key").await.json();
    assert!(found["passages"].as_array().unwrap().len() > 3, "{found}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_model_is_sent_passages_and_a_question_without_what_is_somebodys() {
    let model = FakeModel::start().await;
    let world = World::start_with_model(model.settings()).await;
    model.be(Mood::Says("A repeat is free [1]. <script>x</script>"));
    let typed = "What does a repeat cost? jane@bank.example, 0722 123 456, 639021234567890, \
                 eyJhbGciOiJIUzI1NiJ9.e30.x, hunter2hunter2, 971f-4359-b611-6845a1be45ef280786";
    let told = answered(&world, "", typed).await;
    assert_eq!(told["phrased"], "A repeat is free [1]. <script>x</script>");
    assert!(told["passages"][0]["quote"].as_str().unwrap().starts_with("Nothing"), "the passages are there too");
    let sent = model.sent();
    let [(key, body)] = sent.as_slice() else { panic!("{sent:?}") };
    assert_eq!(key, &format!("Bearer {KEY}"));
    for hidden in ["jane", "0722", "123 456", "6390", "eyJ", "hunter2", "971f"] {
        assert!(!body.contains(hidden), "{hidden}: {body}");
    }
    let body: Value = serde_json::from_str(body).unwrap();
    let fields: Vec<&String> = body.as_object().unwrap().keys().collect();
    assert_eq!(fields, ["max_tokens", "messages", "model", "temperature"]);
    let asked = body["messages"][1]["content"].as_str().unwrap();
    assert!(asked.contains("Nothing, where laini can tell") && asked.contains("What does a repeat cost?"), "{asked}");
    // What the documentation does not answer is nobody's business.
    answered(&world, "", FOREIGN).await;
    assert_eq!(model.sent(), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn where_the_model_fails_the_passages_are_the_answer() {
    let model = FakeModel::start().await;
    let world = World::start_with_model(model.settings()).await;
    for mood in
        [Mood::Slow, Mood::Broken, Mood::Nonsense, Mood::Endless, Mood::Elsewhere, Mood::Says("NONE"), Mood::Says(" ")]
    {
        model.be(mood);
        let told = answered(&world, "", KNOWN).await;
        assert_eq!((&told["is_known"], &told["phrased"]), (&json!(true), &json!(null)), "{mood:?}");
        assert_eq!(told["passages"][0]["href"], "/docs/faq#what-does-a-repeat-cost", "{mood:?}");
        assert_eq!(model.sent().len(), 1, "{mood:?}: once, and no redirect is followed");
    }
    let gone = FakeModel::start().await.settings();
    let gone = laini_server::Assistant { url: "http://127.0.0.1:9/v1".to_owned(), ..gone };
    let world = World::start_with_model(gone).await;
    assert_eq!(answered(&world, "", KNOWN).await["phrased"], json!(null));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_is_told_to_its_partner_and_the_operator_alone() {
    let model = FakeModel::start().await;
    let world = World::start_with_model(model.settings()).await;
    model.be(Mood::Says("A repeat is free [1]."));
    world.put("254722000001", "2020-01-01T00:00:00Z", None);
    let checked = world.check("/imsi/v1/checkATI", "254722000001").await;
    assert_eq!(checked.status, 200, "{}", checked.body);
    let id = checked.text("requestRefID");
    let of = world.office.accounts.load().await.unwrap().apps;
    let own = of.iter().find(|app| app.environment == laini_core::partner::Environment::Production).unwrap().partner;
    let seat = |partner| Seat::Member { partner, role: MemberRole::Developer };
    let (mine, theirs) = (signed_in(&world, 1, seat(own)), signed_in(&world, 2, seat(PartnerId::from_stored(4_711))));
    let staff = signed_in(&world, 3, Seat::Staff { role: StaffRole::Support });
    let question = format!("{KNOWN} What became of {id}?");
    for (session, is_told) in [(mine.as_str(), true), (&staff, true), (&theirs, false)] {
        let told = answered(&world, session, &question).await;
        let request = &told["requests"][0];
        assert_eq!(request["id"], id.as_str());
        assert_eq!(request["found"].is_object(), is_told, "{told}");
        if is_told {
            let found = &request["found"];
            assert_eq!((&found["outcome"], &found["charge"]), (&json!("answered"), &json!("KES 20.00")), "{told}");
        }
        assert!(!told.to_string().contains("254722000001"), "no number is shown: {told}");
    }
    // Nobody is told of any, and a token that is none makes nobody somebody.
    for session in ["", "laini_s_0000000000000009_none"] {
        assert_eq!(answered(&world, session, &question).await["requests"], json!([]));
    }
    // An id that is nobody's looks like another's.
    let nobodys = answered(&world, &mine, "what became of 971f-4359-b611-6845a1be45ef280786?").await;
    assert_eq!(nobodys["requests"][0]["found"], json!(null));
    for (_, body) in model.sent() {
        assert!(!body.contains(&id[..18]), "{body}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_one_is_told_under_an_idempotency_key_is_told_to_nobody_else() {
    let world = World::start().await;
    world.put("254722000001", "2020-01-01T00:00:00Z", None);
    let id = world.check("/imsi/v1/checkATI", "254722000001").await.text("requestRefID");
    let question = format!("What became of {id}?");
    let seat = Seat::Member { partner: PartnerId::from_stored(1), role: MemberRole::Developer };
    let member = signed_in(&world, 4, seat);
    let told = ask_under_key(&world, &member, &question).await.json();
    assert!(told["requests"][0]["found"].is_object(), "{told}");
    let stranger = ask_under_key(&world, "", &question).await;
    assert_eq!((stranger.status, &stranger.json()["requests"]), (200, &json!([])), "{}", stranger.body);
    let other = ask_under_key(&world, "", KNOWN).await;
    assert_eq!(other.status, 200, "nothing of a question is kept: {}", other.body);
}

#[tokio::test(flavor = "multi_thread")]
async fn staff_who_must_set_up_a_second_factor_first_are_told_of_no_request() {
    let world = World::start_with_second_factor().await;
    world.put("254722000001", "2020-01-01T00:00:00Z", None);
    let id = world.check("/imsi/v1/checkATI", "254722000001").await.text("requestRefID");
    let question = format!("What became of {id}?");
    let seat = Seat::Member { partner: PartnerId::from_stored(1), role: MemberRole::Developer };
    let (staff, member) = (signed_in(&world, 3, Seat::Staff { role: StaffRole::Support }), signed_in(&world, 4, seat));
    assert_eq!(answered(&world, &staff, &question).await["requests"], json!([]));
    assert!(answered(&world, &member, &question).await["requests"][0]["found"].is_object(), "it is of staff alone");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_failed_is_told_with_its_step_and_the_page_of_its_error() {
    let model = FakeModel::start().await;
    let world = World::start_with_model(model.settings()).await;
    let token = world.first_token().await.to_owned();
    let refused = world.check_with("/imsi/v1/checkATI", &token, r#"{"customerNumber":"12345"}"#).await;
    let unknown = world.check("/imsi/v1/checkATI", "254733999999").await;
    assert_eq!((refused.status, unknown.status), (400, 404));
    let (refused, unknown) = (refused.text("requestRefID"), unknown.text("requestRefID"));
    let seat = |partner| Seat::Member { partner: PartnerId::from_stored(partner), role: MemberRole::Developer };
    let (mine, theirs) = (signed_in(&world, 1, seat(1)), signed_in(&world, 2, seat(4_711)));
    let staff = signed_in(&world, 3, Seat::Staff { role: StaffRole::Support });
    let question = format!("Why did {refused} fail, and {unknown}?");
    for id in [&refused, &unknown] {
        opened(&world, &mine, id).await;
    }
    for session in [&mine, &staff] {
        let told = answered(&world, session, &question).await;
        let [refused, unknown] = [0, 1].map(|place| &told["requests"][place]["found"]);
        let failure = &refused["failure"];
        assert_eq!((&failure["stage"], &failure["error_code"]), (&json!("request"), &json!("400.002.02")), "{told}");
        assert_eq!(failure["passage"]["href"], "/docs/errors/400.002.02");
        assert!(failure["passage"]["quote"].as_str().unwrap().contains("customerNumber"), "{told}");
        assert_eq!((&refused["outcome"], &refused["charge"]), (&Value::Null, &Value::Null), "{told}");
        assert_eq!((&unknown["failure"]["stage"], &unknown["outcome"]), (&json!("registry"), &json!("not_served")));
        assert_eq!((&refused["is_billed"], &unknown["is_billed"]), (&json!(false), &json!(false)), "{told}");
        assert!(!told.to_string().contains("254733999999"), "no number is shown: {told}");
    }
    let told = answered(&world, &theirs, &question).await;
    assert_eq!((&told["requests"][0]["found"], &told["requests"][1]["found"]), (&Value::Null, &Value::Null));
}
