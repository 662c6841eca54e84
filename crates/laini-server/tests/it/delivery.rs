//! Checks whose results are delivered: accepted, decided, signed, sent, tried again.

use axum::http::StatusCode;
use axum::response::IntoResponse as _;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use jiff::SignedDuration;
use laini_core::billing::{Currency, Money, Outcome};
use laini_core::delivery::LISTEN;
use laini_core::line::NumberPlan;
use laini_core::partner::{App, AppStatus, Budget, PartnerStatus, Prepaid, ResultAddress, ResultAddressId};
use laini_core::store::{AccountBook, Delivery, DeliveryState};
use laini_server::delivery::signing_secret;
use serde_json::Value;
use sha2::Sha256;
use tokio::time::timeout;

use crate::fakes::Mood;
use crate::receiver::{Received, Receiver};
use crate::wire::{HANGS_AFTER, Reply, check, request};
use crate::world::{AGE_PATH, IMSI_PATH, NOW, SWAP_PATH, World, assert_error};

const NUMBER: &str = "254722000100";
const OTHER: &str = "254722000101";
const ADDRESS: ResultAddressId = ResultAddressId::from_stored(77);

/// A world whose production app has `url` as its result address.
async fn world(url: &str, change: impl FnOnce(&mut ResultAddress)) -> World {
    world_of(url, change, |_| {}).await
}

async fn world_of(url: &str, change: impl FnOnce(&mut ResultAddress), app: impl FnOnce(&mut App)) -> World {
    world_in(url, change, |book| app(&mut book.apps[1])).await
}

async fn world_in(url: &str, change: impl FnOnce(&mut ResultAddress), in_book: impl FnOnce(&mut AccountBook)) -> World {
    let url = url.to_owned();
    let world = World::start_with_accounts(|book| {
        let mut address = ResultAddress {
            id: ADDRESS,
            app: book.apps[1].id,
            url,
            proven: Some(NOW.parse().unwrap()),
            secret_generation: 1,
            previous_until: None,
        };
        change(&mut address);
        in_book(book);
        book.result_addresses.push(address);
    })
    .await;
    world.put(NUMBER, "2015-01-01T00:00:00Z", Some("2026-11-20T10:30:00Z"));
    world.put(OTHER, "2026-11-01T00:00:00Z", None);
    world
}

impl World {
    /// The newest delivery.
    fn delivery(&self) -> Delivery {
        self.ledger.outbox.deliveries.lock().unwrap().last().unwrap().0.clone()
    }

    async fn until(&self, is_so: impl Fn(&Self) -> bool) {
        let waiting = async {
            while !is_so(self) {
                tokio::task::yield_now().await;
            }
        };
        timeout(HANGS_AFTER, waiting).await.expect("it never came to that");
    }

    async fn settled(&self, states: &[DeliveryState]) {
        self.until(|world| world.ledger.outbox.states() == states).await;
    }

    async fn ask_for_delivery(&self, path: &str, number: &str, url: &str, headers: &str) -> Reply {
        let token = self.token(&self.production).await;
        let body = format!(r#"{{"customerNumber":"{number}","resultURL":"{url}"}}"#);
        let headers = format!("Authorization: Bearer {token}\r\nContent-Type: application/json\r\n{headers}");
        self.send(request("POST", path, &headers, &body)).await
    }
}

fn assert_accepted(reply: &Reply) -> String {
    assert_eq!((reply.status, reply.header("laini-charge")), (200, Some("none; reason=accepted")), "{reply:?}");
    let id = reply.text("requestRefID");
    let expected = serde_json::json!({
        "requestRefID": id, "responseCode": "200", "responseDesc": "Accepted for processing",
    });
    assert_eq!(reply.json(), expected);
    id
}

fn assert_signed(world: &World, received: &Received, generations: &[u32]) {
    let (id, timestamp) = (received.header("webhook-id"), received.header("webhook-timestamp"));
    let signatures = generations.iter().map(|generation| {
        let secret = signing_secret(&world.keys, ADDRESS, *generation);
        let key = STANDARD.decode(secret.strip_prefix("whsec_").unwrap()).unwrap();
        let mut mac = Hmac::<Sha256>::new_from_slice(&key).unwrap();
        mac.update(format!("{id}.{timestamp}.{}", received.body).as_bytes());
        format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
    });
    assert_eq!(received.header("webhook-signature"), signatures.collect::<Vec<_>>().join(" "));
}

#[tokio::test]
async fn delivery_of_an_explicit_check_says_what_it_would_have_answered() {
    let receiver = Receiver::start().await;
    let world = world(&receiver.url(), |_| {}).await;
    let token = world.token(&world.production).await;
    let pseudonym = world.check(IMSI_PATH, OTHER).await.text("imsi");
    let ask = async |body: Value, headers: &str| {
        let headers = format!("Authorization: Bearer {token}\r\nContent-Type: application/json\r\n{headers}");
        world.send(request("POST", "/v1/checks", &headers, &body.to_string())).await
    };
    let question = |number: &str, facts: &[&str]| serde_json::json!({"number": number, "facts": facts, "expect": pseudonym, "reference": "cheque 17"});
    let mut delivered = question(OTHER, &["sim", "registration"]);
    delivered["resultURL"] = receiver.url().into();
    let key = "Idempotency-Key: k1\r\n";
    let accepted = ask(delivered.clone(), key).await;
    let id = assert_accepted(&accepted);
    let again = ask(delivered, key).await;
    assert_eq!((again.body.clone(), again.header("idempotent-replayed")), (accepted.body, Some("true")));

    let received: Value = serde_json::from_str(&receiver.got(1).await.remove(0).body).unwrap();
    let inline = ask(question(OTHER, &["sim", "registration"]), "").await.json();
    let mut expected = inline["checks"][0].clone();
    expected["id"] = id.into();
    expected["charge"] = received["checks"][0]["charge"].clone();
    assert_eq!(received["checks"], serde_json::json!([expected]));
    assert_eq!(received["checks"][0]["sim"]["compared"], "same");
    assert_eq!(received["checks"][0]["charge"]["amount"], "20.00", "{received}");
    assert_eq!((&received["type"], &received["environment"]), (&"result".into(), &"production".into()));
    assert_eq!((received.get("charge"), received.get("swap")), (None, None), "the item says it");

    // What is not served has its words too.
    let mut unknown = serde_json::json!({"number": "254722999999"});
    unknown["resultURL"] = receiver.url().into();
    assert_accepted(&ask(unknown, "").await);
    let received: Value = serde_json::from_str(&receiver.got(2).await.remove(1).body).unwrap();
    assert_eq!(received["checks"][0]["line"], "not_served", "{received}");

    let batch = serde_json::json!({"numbers": [OTHER], "resultURL": receiver.url()});
    let message = "Bad Request - Invalid resultURL - results are delivered for one number at a time; send number";
    assert_error(&ask(batch, "").await, 400, "400.002.02", message);
}

#[tokio::test]
async fn delivery_of_a_result_says_what_the_path_answers_and_is_charged_once() {
    let receiver = Receiver::start().await;
    let world = world(&receiver.url(), |_| {}).await;
    let accepted = world.ask_for_delivery(IMSI_PATH, NUMBER, &receiver.url(), "").await;
    let id = assert_accepted(&accepted);

    let received = receiver.got(1).await.remove(0);
    let inline = world.check(IMSI_PATH, NUMBER).await;
    let mut expected = inline.json();
    expected["requestRefID"] = id.clone().into();
    for (field, value) in [
        ("type", "result"),
        ("answeredAt", "2026-11-22T09:00:00Z"),
        ("validUntil", "2026-11-22T09:15:00Z"),
        ("charge", "KES 20.00"),
        ("environment", "production"),
        ("swap", "swapped"),
        ("asOf", "2026-11-22T08:55:00Z"),
    ] {
        expected[field] = value.into();
    }
    assert_eq!(received.json(), expected);
    assert_eq!((received.header("webhook-id"), received.header("webhook-timestamp")), (&*id, "1795338000"));
    assert_signed(&world, &received, &[1]);
    assert_eq!(inline.header("laini-charge"), Some("none; reason=repeat"), "the same question within its time");
    assert_eq!(world.ledger.outcomes(), [Outcome::Answered, Outcome::Repeated]);
    world.settled(&[DeliveryState::Delivered]).await;
}

#[tokio::test]
async fn delivery_is_offered_on_each_published_path() {
    let receiver = Receiver::start().await;
    let world = world(&receiver.url(), |_| {}).await;
    for path in [SWAP_PATH, AGE_PATH] {
        assert_accepted(&world.ask_for_delivery(path, OTHER, &receiver.url(), "").await);
    }
    let received = receiver.got(2).await;
    let of = |field: &str| received.iter().find(|received| received.json().get(field).is_some()).unwrap().json();
    let (swap, age) = (of("lastSwapDate"), of("customerNumber"));
    assert_eq!((&swap["lastSwapDate"], &swap["swap"]), (&"01-01-1900 00:00".into(), &"not-swapped".into()));
    assert_eq!(swap["charge"], "KES 1.00; estimate");
    assert_eq!((&age["msisdnRegistrationDate"], &age["charge"]), (&"01-11-2026".into(), &"KES 4.00".into()));
    assert!(age.get("swap").is_none(), "nobody learns of a swap who asked for an age");
}

#[tokio::test]
async fn delivery_of_an_error_is_free() {
    let receiver = Receiver::start().await;
    let world = world(&receiver.url(), |_| {}).await;
    let id = assert_accepted(&world.ask_for_delivery(IMSI_PATH, "254722000199", &receiver.url(), "").await);
    let told = receiver.got(1).await.remove(0).json();
    let expected = serde_json::json!({
        "requestId": id, "errorCode": "404.002.01", "errorMessage": "Resource not found",
        "requestRefID": id, "responseCode": "404", "responseDesc": "Resource not found", "type": "result",
        "answeredAt": "2026-11-22T09:00:00Z", "validUntil": "2026-11-22T09:15:00Z",
        "charge": "none; reason=not-served", "environment": "production",
    });
    assert_eq!(told, expected);

    // What was suspended between acceptance and decision learns nothing.
    *world.registry.mood.lock().unwrap() = Mood::Bad;
    assert_accepted(&world.ask_for_delivery(IMSI_PATH, NUMBER, &receiver.url(), "").await);
    let told = receiver.got(2).await.remove(1).json();
    assert_eq!((&told["responseCode"], &told["charge"]), (&"502".into(), &"none; reason=refused".into()));
    assert_eq!(world.ledger.outcomes(), [Outcome::NotServed]);
}

#[tokio::test]
async fn delivery_waits_for_a_registry_out_of_reach_and_then_says_so() {
    let receiver = Receiver::start().await;
    let world = world(&receiver.url(), |_| {}).await;
    *world.registry.mood.lock().unwrap() = Mood::Unavailable;
    assert_accepted(&world.ask_for_delivery(IMSI_PATH, NUMBER, &receiver.url(), "").await);
    world.until(|world| world.ledger.outbox.checks.lock().unwrap()[0].1 > NOW.parse().unwrap()).await;
    assert_eq!(receiver.received().len(), 0);
    *world.registry.mood.lock().unwrap() = Mood::Good;
    world.clock.advance(11);
    let told = receiver.got(1).await.remove(0).json();
    assert_eq!((&told["responseCode"], &told["answeredAt"]), (&"200".into(), &"2026-11-22T09:00:11Z".into()));

    *world.registry.mood.lock().unwrap() = Mood::Unavailable;
    assert_accepted(&world.ask_for_delivery(IMSI_PATH, OTHER, &receiver.url(), "").await);
    world.until(|world| world.ledger.outbox.checks.lock().unwrap().first().is_some_and(|c| c.1 > c.0.at)).await;
    world.clock.advance(121);
    let told = receiver.got(2).await.remove(1).json();
    assert_eq!((&told["errorCode"], &told["charge"]), (&"503.002.01".into(), &"none; reason=refused".into()));
    assert_eq!(world.ledger.outcomes(), [Outcome::Answered]);
}

#[tokio::test]
async fn delivery_says_that_a_balance_is_used_up_where_another_check_was_decided_first() {
    let receiver = Receiver::start().await;
    // Enough for one.
    let prepaid = Prepaid { from: Prepaid::begins(NOW.parse().unwrap()), paid_minor: 2_000 };
    let world = world_in(&receiver.url(), |_| {}, |book| book.partners[0].prepaid = Some(prepaid)).await;
    *world.registry.mood.lock().unwrap() = Mood::Unavailable;
    for number in [NUMBER, OTHER] {
        assert_accepted(&world.ask_for_delivery(IMSI_PATH, number, &receiver.url(), "").await);
    }
    world.until(|world| world.ledger.outbox.checks.lock().unwrap().iter().all(|check| check.1 > check.0.at)).await;
    *world.registry.mood.lock().unwrap() = Mood::Good;
    world.clock.advance(11);
    let mut told: Vec<_> = receiver.got(2).await.iter().map(|one| one.json()["responseCode"].clone()).collect();
    told.sort_by_key(ToString::to_string);
    assert_eq!(told, ["200", "429"]);
    assert_eq!(world.ledger.outcomes(), [Outcome::Answered]);
}

#[tokio::test]
async fn delivery_goes_only_to_a_proven_address_of_the_app() {
    let receiver = Receiver::start().await;
    let (url, here) = (receiver.url(), receiver.address);
    let world = world(&url, |_| {}).await;
    let not_registered =
        "Bad Request - Invalid resultURL - register the address for this app first, and send it as registered";
    for other in ["https://bank.example/", &format!("http://{here}/other"), "http://10.0.0.1/", "nonsense", "", LISTEN]
    {
        let refused = world.ask_for_delivery(IMSI_PATH, NUMBER, other, "").await;
        assert_error(&refused, 400, "400.002.02", not_registered);
    }
    let token = world.token(&world.production).await;
    let refused = world.send(check(IMSI_PATH, &token, r#"{"customerNumber":"254722000100","resultURL":7.5}"#)).await;
    assert_error(&refused, 400, "400.002.02", "Bad Request - Invalid resultURL - it must be a string");
    let token = world.token(&world.sandbox).await;
    let body = format!(r#"{{"customerNumber":"{NUMBER}","resultURL":"{url}"}}"#);
    let refused = world.send(check(IMSI_PATH, &token, &body)).await;
    assert_error(&refused, 400, "400.002.02", not_registered);

    let unproven = self::world(&url, |address| address.proven = None).await;
    let refused = unproven.ask_for_delivery(IMSI_PATH, NUMBER, &url, "").await;
    let message = "Bad Request - Invalid resultURL - the address has not answered its challenge; have it proven first";
    assert_error(&refused, 400, "400.002.02", message);
    assert!(world.ledger.outcomes().is_empty() && receiver.received().is_empty());
}

#[tokio::test]
async fn delivery_is_tried_again_under_the_same_id_until_it_arrives() {
    let receiver = Receiver::start().await;
    let world = world(&receiver.url(), |_| {}).await;
    receiver.answers_status(500);
    let id = assert_accepted(&world.ask_for_delivery(IMSI_PATH, NUMBER, &receiver.url(), "").await);
    receiver.got(1).await;
    world.until(|world| world.ledger.outbox.states().len() == 1 && world.delivery().attempts == 1).await;
    assert_eq!(world.delivery().last.unwrap().problem, "the receiver answered 500");
    receiver.answers(|_| (StatusCode::FOUND, [("location", "http://127.0.0.1:1/")]).into_response());
    world.clock.advance(5);
    receiver.got(2).await;
    world.until(|world| world.delivery().attempts == 2).await;
    receiver.answers_status(204);
    world.clock.advance(10);
    let received = receiver.got(3).await;
    assert!(received.iter().all(|r| r.header("webhook-id") == id && r.body == received[0].body));
    let at: Vec<&str> = received.iter().map(|r| r.header("webhook-timestamp")).collect();
    assert_eq!(at, ["1795338000", "1795338005", "1795338015"], "each attempt is signed anew");
    for received in &received {
        assert_signed(&world, received, &[1]);
    }
    world.settled(&[DeliveryState::Delivered]).await;
    assert_eq!(world.ledger.outcomes(), [Outcome::Answered]);
}

#[tokio::test]
async fn delivery_ends_with_410_and_after_three_days() {
    let receiver = Receiver::start().await;
    let world = world(&receiver.url(), |_| {}).await;
    receiver.answers_status(410);
    assert_accepted(&world.ask_for_delivery(IMSI_PATH, NUMBER, &receiver.url(), "").await);
    world.settled(&[DeliveryState::Dead]).await;

    receiver.answers_status(503);
    assert_accepted(&world.ask_for_delivery(IMSI_PATH, OTHER, &receiver.url(), "").await);
    world.until(|world| world.ledger.outbox.states().len() == 2 && world.delivery().attempts == 1).await;
    world.clock.advance(SignedDuration::from_hours(72).as_secs());
    world.settled(&[DeliveryState::Dead, DeliveryState::Dead]).await;
    assert_eq!(world.delivery().attempts, 2);
}

#[tokio::test]
async fn delivery_carries_two_signatures_while_a_rolled_secret_overlaps() {
    let receiver = Receiver::start().await;
    let overlap = NOW.parse::<jiff::Timestamp>().unwrap() + SignedDuration::from_secs(60);
    let world = world(&receiver.url(), |address| {
        (address.secret_generation, address.previous_until) = (2, Some(overlap));
    })
    .await;
    assert_accepted(&world.ask_for_delivery(IMSI_PATH, NUMBER, &receiver.url(), "").await);
    assert_signed(&world, &receiver.got(1).await[0], &[2, 1]);
    world.clock.advance(60);
    assert_accepted(&world.ask_for_delivery(IMSI_PATH, OTHER, &receiver.url(), "").await);
    assert_signed(&world, &receiver.got(2).await[1], &[2]);
}

#[tokio::test]
async fn delivery_of_a_revoked_app_is_given_up() {
    let receiver = Receiver::start().await;
    let world = world(&receiver.url(), |_| {}).await;
    receiver.answers_status(500);
    assert_accepted(&world.ask_for_delivery(IMSI_PATH, NUMBER, &receiver.url(), "").await);
    world.until(|world| world.ledger.outbox.states().len() == 1 && world.delivery().attempts == 1).await;
    world.accounts.change_app(world.production.app, |app| app.status = AppStatus::Revoked);
    let token_refused = async || world.generate(&world.production).await.status == 400;
    world.accounts_noticed(token_refused).await;
    world.clock.advance(5);
    world.settled(&[DeliveryState::Dead]).await;
    assert_eq!(receiver.received().len(), 1);
}

impl World {
    /// A result that was accepted and that its receiver did not take: it waits for its next attempt.
    async fn a_result_that_waits(&self, receiver: &Receiver) {
        receiver.answers_status(500);
        assert_accepted(&self.ask_for_delivery(IMSI_PATH, NUMBER, &receiver.url(), "").await);
        self.until(|world| world.ledger.outbox.states().len() == 1 && world.delivery().attempts == 1).await;
    }

    /// Waits until a check with `token` is answered so.
    async fn until_answered(&self, token: &str, status: u16, says: &str) {
        let body = format!(r#"{{"customerNumber":"{NUMBER}"}}"#);
        let is_so = async || {
            let reply = self.check_with(SWAP_PATH, token, &body).await;
            reply.status == status && reply.body.contains(says)
        };
        self.accounts_noticed(is_so).await;
    }
}

#[tokio::test]
async fn delivery_of_a_result_waits_while_app_or_partner_is_suspended() {
    let receiver = Receiver::start().await;
    let world = world(&receiver.url(), |_| {}).await;
    let (app, token) = (world.production.app, world.token(&world.production).await);
    world.a_result_that_waits(&receiver).await;
    receiver.answers_status(204);
    world.accounts.change_app(app, |app| app.status = AppStatus::Suspended);
    world.until_answered(&token, 403, "this app is suspended").await;
    world.clock.advance(5);
    world.until(|world| world.delivery().attempts == 2).await;
    assert_eq!(world.delivery().last.unwrap().problem, "the app is suspended");
    world.accounts.change_bank(|partner| partner.status = PartnerStatus::Suspended);
    world.until_answered(&token, 403, "this partner is suspended").await;
    world.clock.advance(10);
    world.until(|world| world.delivery().attempts == 3).await;
    assert_eq!(world.delivery().last.unwrap().problem, "the partner is suspended");
    assert!(matches!(world.delivery().state, DeliveryState::Due(_)), "it stays due");
    assert_eq!(receiver.received().len(), 1, "nothing was told since");

    world.accounts.change_bank(|partner| partner.status = PartnerStatus::Active);
    world.accounts.change_app(app, |app| app.status = AppStatus::Active);
    world.until_answered(&token, 200, "").await;
    world.clock.advance(120);
    world.settled(&[DeliveryState::Delivered]).await;
    assert_eq!(receiver.received().len(), 2);
}

#[tokio::test]
async fn delivery_tells_an_app_that_was_suspended_before_the_decision_that_it_was_refused() {
    let receiver = Receiver::start().await;
    let world = world(&receiver.url(), |_| {}).await;
    let token = world.token(&world.production).await;
    *world.registry.mood.lock().unwrap() = Mood::Unavailable;
    assert_accepted(&world.ask_for_delivery(IMSI_PATH, NUMBER, &receiver.url(), "").await);
    world.until(|world| world.ledger.outbox.checks.lock().unwrap()[0].1 > NOW.parse().unwrap()).await;
    world.accounts.change_app(world.production.app, |app| app.status = AppStatus::Suspended);
    world.until_answered(&token, 403, "this app is suspended").await;
    *world.registry.mood.lock().unwrap() = Mood::Good;
    world.clock.advance(11);
    let told = receiver.got(1).await.remove(0).json();
    assert_eq!((&told["responseCode"], &told["charge"]), (&"403".into(), &"none; reason=refused".into()));
    world.settled(&[DeliveryState::Delivered]).await;
    assert!(world.ledger.outcomes().is_empty());
}

#[tokio::test]
async fn delivery_of_a_number_that_was_restricted_since_is_given_up() {
    let receiver = Receiver::start().await;
    let world = world(&receiver.url(), |_| {}).await;
    let token = world.token(&world.production).await;
    world.a_result_that_waits(&receiver).await;
    receiver.answers_status(204);
    let number = world.keys.subject().number(NumberPlan::KENYA.parse(NUMBER).unwrap());
    world.accounts.restrict(number, Some(NOW.parse().unwrap()));
    world.until_answered(&token, 403, "withheld").await;
    world.clock.advance(5);
    world.settled(&[DeliveryState::Dead]).await;
    let problem = world.delivery().last.unwrap().problem;
    assert_eq!(problem, "its number was restricted, so its result is not told any more");
    assert_eq!(receiver.received().len(), 1);

    // One that says no more than that it is withheld arrives, and so does what is about somebody else.
    for number in [NUMBER, OTHER] {
        assert_accepted(&world.ask_for_delivery(IMSI_PATH, number, &receiver.url(), "").await);
    }
    world.settled(&[DeliveryState::Dead, DeliveryState::Delivered, DeliveryState::Delivered]).await;
    let mut told: Vec<Value> =
        receiver.got(3).await[1..].iter().map(|one| one.json()["responseCode"].clone()).collect();
    told.sort_by_key(ToString::to_string);
    assert_eq!(told, ["200", "403"]);
}

#[tokio::test]
async fn delivery_waits_where_nobody_can_say_whether_its_number_is_restricted_still() {
    let receiver = Receiver::start().await;
    let world = world(&receiver.url(), |_| {}).await;
    let token = world.token(&world.production).await;
    world.a_result_that_waits(&receiver).await;
    receiver.answers_status(204);
    let number = world.keys.subject().number(NumberPlan::KENYA.parse(NUMBER).unwrap());
    world.accounts.restrict(number, Some("2020-01-01T00:00:00Z".parse().unwrap()));
    world.until_answered(&token, 403, "withheld").await;
    *world.registry.mood.lock().unwrap() = Mood::Unavailable;
    world.clock.advance(5);
    world.until(|world| world.delivery().attempts == 2).await;
    assert_eq!(world.delivery().last.unwrap().problem, "whether it may be told still could not be found out");
    // Somebody else holds it by now, and the check was about that holder.
    world.put(NUMBER, "2021-01-01T00:00:00Z", None);
    *world.registry.mood.lock().unwrap() = Mood::Good;
    world.clock.advance(10);
    world.settled(&[DeliveryState::Delivered]).await;
}

/// What is still due stays, whoever else is restricted: the keyed hash of the number is enough to tell.
#[tokio::test]
async fn delivery_of_an_erased_number_hangs_on_its_own_restriction_alone() {
    let hash = |world: &World, number| world.keys.subject().number(NumberPlan::KENYA.parse(number).unwrap());
    for (restricted, state) in [(OTHER, DeliveryState::Delivered), (NUMBER, DeliveryState::Dead)] {
        let receiver = Receiver::start().await;
        let world = world(&receiver.url(), |_| {}).await;
        let token = world.token(&world.production).await;
        world.a_result_that_waits(&receiver).await;
        receiver.answers_status(204);
        world.ledger.forgotten.lock().unwrap().push(world.delivery().id.0);
        world.accounts.restrict(hash(&world, restricted), Some(NOW.parse().unwrap()));
        let body = format!(r#"{{"customerNumber":"{restricted}"}}"#);
        let is_withheld = async || world.check_with(SWAP_PATH, &token, &body).await.status == 403;
        world.accounts_noticed(is_withheld).await;
        world.clock.advance(5);
        world.settled(&[state]).await;
    }
}

#[tokio::test]
async fn delivery_under_an_idempotency_key_is_accepted_once() {
    let receiver = Receiver::start().await;
    let world = world(&receiver.url(), |_| {}).await;
    let key = "Idempotency-Key: order-1\r\n";
    let first = world.ask_for_delivery(IMSI_PATH, NUMBER, &receiver.url(), key).await;
    let id = assert_accepted(&first);
    let again = world.ask_for_delivery(IMSI_PATH, NUMBER, &receiver.url(), key).await;
    assert_eq!((again.body, again.status), (first.body, 200));
    let inline = format!(r#"{{"customerNumber":"{NUMBER}"}}"#);
    let token = world.token(&world.production).await;
    let headers = format!("Authorization: Bearer {token}\r\n{key}");
    assert_eq!(world.send(request("POST", IMSI_PATH, &headers, &inline)).await.status, 422, "another request");
    assert_eq!(receiver.got(1).await[0].header("webhook-id"), id);
    assert_eq!(world.ledger.outcomes(), [Outcome::Answered]);
}

/// A caller that is refused has no check under way: what was not answered under its key was not accepted either.
#[tokio::test]
async fn delivery_that_was_refused_under_its_key_is_neither_decided_nor_charged() {
    let receiver = Receiver::start().await;
    let world = world(&receiver.url(), |_| {}).await;
    let key = "Idempotency-Key: order-1\r\n";
    for mood in [Mood::Busy, Mood::Unavailable] {
        *world.ledger.mood.lock().unwrap() = mood;
        let refused = world.ask_for_delivery(IMSI_PATH, NUMBER, &receiver.url(), key).await;
        assert_eq!(refused.status, 503, "{refused:?}");
        assert!(world.ledger.outbox.checks.lock().unwrap().is_empty());
    }
    *world.ledger.mood.lock().unwrap() = Mood::Good;
    // Longer than any repeat is free: were the first decided too, both would be charged.
    world.clock.advance(SignedDuration::from_hours(25).as_secs());
    let id = assert_accepted(&world.ask_for_delivery(IMSI_PATH, NUMBER, &receiver.url(), key).await);
    assert_eq!(receiver.got(1).await[0].header("webhook-id"), id);
    world.settled(&[DeliveryState::Delivered]).await;
    assert_eq!(world.ledger.rows.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn delivery_of_a_budget_warning_goes_to_every_proven_address() {
    let receiver = Receiver::start().await;
    let budget = Budget::standard(Money::new(4_000, Currency::KES));
    let world = world_of(&receiver.url(), |_| {}, |app| app.limits.budget = Some(budget)).await;
    assert_eq!(world.check(IMSI_PATH, NUMBER).await.status, 200);
    let received = receiver.got(1).await.remove(0);
    let expected = serde_json::json!({
        "type": "budget_warning", "app": world.production.app.to_string(), "percent": 50, "budget": "KES 40.00",
        "reachedAt": "2026-11-22T09:00:00Z",
    });
    assert_eq!(received.json(), expected);
    assert_signed(&world, &received, &[1]);
}

#[tokio::test]
async fn delivery_reaches_who_listens_with_the_apps_token() {
    let world = world(LISTEN, |_| {}).await;
    let token = world.token(&world.production).await;
    let bearer = format!("Authorization: Bearer {token}\r\n");
    // Accepted before anybody listens: it waits.
    let id = assert_accepted(&world.ask_for_delivery(IMSI_PATH, NUMBER, LISTEN, "").await);
    world.until(|world| world.ledger.outbox.states().len() == 1 && world.delivery().attempts == 1).await;
    assert_eq!(world.delivery().last.unwrap().problem, "nobody listens; run `laini listen`");

    let taken = world.send(request("GET", "/v1/deliveries", &bearer, "")).await.json();
    let handed = &taken["deliveries"][0];
    assert_eq!(handed["id"], id);
    let body: serde_json::Value = serde_json::from_str(handed["body"].as_str().unwrap()).unwrap();
    assert_eq!((&body["responseCode"], &body["swap"]), (&"200".into(), &"swapped".into()));
    let acknowledge = async |bearer: &str, id: &str| {
        let body = format!(r#"{{"id":"{id}","status":200}}"#);
        let headers = format!("{bearer}Content-Type: application/json\r\n");
        world.send(request("POST", "/v1/deliveries/acknowledge", &headers, &body)).await.status
    };
    let stranger = format!("Authorization: Bearer {}\r\n", world.token(&world.sandbox).await);
    assert_eq!(acknowledge(&stranger, &id).await, 404, "another app's delivery");
    assert_eq!(acknowledge(&bearer, "971f-4359-b611-6845a1be45ef280786").await, 404);
    let headers = format!("{bearer}Content-Type: application/json\r\n");
    let list = request("POST", "/v1/deliveries/acknowledge", &headers, &format!(r#"["{id}",200]"#));
    assert_eq!(world.send(list).await.status, 400, "a list is no acknowledgement");
    assert_eq!(acknowledge(&bearer, &id).await, 200);
    world.settled(&[DeliveryState::Delivered]).await;
    assert_eq!(acknowledge(&bearer, &id).await, 404, "nobody waits for that any more");

    let refused = world.send(request("GET", "/v1/deliveries", &stranger, "")).await;
    let message = "Bad Request - this app has no result address laini:listen; have it registered to listen";
    assert_error(&refused, 400, "400.002.02", message);
    assert_eq!(world.send(request("GET", "/v1/deliveries", "", "")).await.status, 401);
}
