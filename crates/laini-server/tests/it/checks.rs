//! What a check answers, and what it leaves in the ledger.

use std::sync::Arc;

use jiff::SignedDuration;
use laini_core::billing::{Charge, CheckId, Outcome};
use laini_core::disclosure::{Freshness, Window};
use laini_core::line::{HashedImsi, LineStatus};
use laini_core::partner::{Environment, Product};

use crate::wire::{Connection, Reply, check, request};
use crate::world::{AGE_PATH, CHECK_PATHS, IMSI_PATH, SWAP_PATH, World, assert_error};

const NUMBER: &str = "254700000001";

async fn world() -> World {
    let world = World::start().await;
    world.put(NUMBER, "2026-02-03T20:59:00Z", Some("2026-10-31T21:05:00Z"));
    world.registry.horizon.lock().unwrap().as_of = Some("2026-11-22T08:55:00.999Z".parse().unwrap());
    world
}

#[tokio::test]
async fn the_three_answers_have_exactly_the_published_fields_in_order() {
    let world = world().await;
    let imsi = world.check(IMSI_PATH, NUMBER).await;
    let id = imsi.text("requestRefID");
    let digits = imsi.text("imsi");
    assert_eq!(digits.len(), 16);
    assert_eq!(
        imsi.body,
        format!(
            r#"{{"requestRefID":"{id}","responseCode":"200","responseDesc":"Success","imsi":"{digits}","lastSwapDate":"01-11-2026","msisdnRegistrationDate":"03-02-2026","customerNumber":"254700000001"}}"#
        )
    );
    let swap = world.check(SWAP_PATH, NUMBER).await;
    let id = swap.text("requestRefID");
    assert_eq!(
        swap.body,
        format!(
            r#"{{"requestRefID":"{id}","responseCode":"200","responseDesc":"Success","lastSwapDate":"01-11-2026 00:05"}}"#
        )
    );
    let age = world.check(AGE_PATH, NUMBER).await;
    let id = age.text("requestRefID");
    assert_eq!(
        age.body,
        format!(
            r#"{{"requestRefID":"{id}","responseCode":"200","responseDesc":"Success","msisdnRegistrationDate":"03-02-2026","customerNumber":"254700000001"}}"#
        )
    );
}

#[tokio::test]
async fn headers_say_what_the_published_body_cannot() {
    let world = world().await;
    let imsi = world.check(IMSI_PATH, NUMBER).await;
    for (name, value) in [
        ("laini-swap", "swapped"),
        ("laini-window", "swap=P3M, registration=P1Y"),
        ("laini-as-of", "2026-11-22T08:55:00Z"),
        ("laini-environment", "production"),
        ("laini-charge", "KES 20.00"),
    ] {
        assert_eq!(imsi.header(name), Some(value), "{imsi:?}");
    }
    let swap = world.check(SWAP_PATH, NUMBER).await;
    assert_eq!(swap.header("laini-charge"), Some("KES 1.00; estimate"));
    let age = world.check(AGE_PATH, NUMBER).await;
    assert_eq!(age.header("laini-charge"), Some("KES 4.00"));
    assert_eq!(age.header("laini-swap"), None, "an age says nothing about swaps");
}

#[tokio::test]
async fn without_a_swap_and_long_registered_the_published_texts_stand() {
    let world = World::start().await;
    world.put(NUMBER, "2019-01-12T09:00:00Z", None);
    let imsi = world.check(IMSI_PATH, NUMBER).await;
    assert_eq!(imsi.text("lastSwapDate"), "01-01-1900");
    assert_eq!(imsi.text("msisdnRegistrationDate"), "MSISDN registration is more than one year old");
    assert_eq!(imsi.header("laini-swap"), Some("not-swapped"));
    assert_eq!(world.check(SWAP_PATH, NUMBER).await.text("lastSwapDate"), "01-01-1900 00:00");
}

#[tokio::test]
async fn an_apps_profile_and_its_agreements_windows_are_kept() {
    let world = World::start().await;
    world.put(NUMBER, "2026-04-01T09:00:00Z", Some("2026-10-01T09:00:00Z"));
    {
        let mut book = world.accounts.book.lock().unwrap();
        book.version += 1;
        book.agreements[0].windows.swap = Window::months(1).unwrap();
        book.agreements[0].windows.registration = Window::months(6).unwrap();
        book.apps[1].profile.sentinel_with_time = Some(true);
    }
    let token = world.token(&world.production).await;
    let body = format!("{{\"customerNumber\":\"{NUMBER}\"}}");
    let reply =
        until(&world, &token, &body, |reply| reply.header("laini-window") != Some("swap=P3M, registration=P1Y")).await;
    assert_eq!(reply.header("laini-window"), Some("swap=P1M, registration=P6M"));
    assert_eq!(reply.text("lastSwapDate"), "01-01-1900 00:00");
    assert_eq!(reply.text("msisdnRegistrationDate"), "MSISDN registration is more than 6 months old");
}

/// Repeats a check until the server has seen a change of the accounts.
async fn until(world: &World, token: &str, body: &str, seen: impl Fn(&Reply) -> bool) -> Reply {
    let started = std::time::Instant::now();
    loop {
        let reply = world.check_with(IMSI_PATH, token, body).await;
        if seen(&reply) {
            return reply;
        }
        assert!(started.elapsed().as_secs() < 5, "the change was not seen: {reply:?}");
    }
}

#[tokio::test]
async fn every_form_of_a_number_is_the_same_line() {
    let world = world().await;
    let token = world.token(&world.production).await;
    for body in [
        r#"{"customerNumber":"254700000001"}"#,
        r#"{"customerNumber":"+254700000001"}"#,
        r#"{"customerNumber":"0700000001"}"#,
        r#"{"customerNumber":"700000001"}"#,
        r#"{"customerNumber":" 254700000001 "}"#,
        r#"{"customerNumber":254700000001}"#,
        r#"{"other":[1,{}],"customerNumber":"0700000001","purpose":null}"#,
    ] {
        let reply = world.check_with(IMSI_PATH, &token, body).await;
        assert_eq!((reply.status, reply.text("customerNumber").as_str()), (200, NUMBER), "{body}");
    }
}

#[tokio::test]
async fn the_pseudonym_is_the_partners_and_the_operators_own_hash_passes_where_agreed() {
    let world = world().await;
    world.change_line(NUMBER, |state| {
        state.line.as_mut().unwrap().hashed_imsi = Some(HashedImsi::parse("4213215110021315").unwrap());
    });
    let partner = world.accounts.book.lock().unwrap().partners[0].id;
    let sim = laini_core::line::Imsi::parse("639021860913909").unwrap();
    let expected = world.keys.pseudonym(Environment::Production, partner).of(sim).digits();
    assert_eq!(world.check(IMSI_PATH, NUMBER).await.text("imsi"), expected);
    {
        let mut book = world.accounts.book.lock().unwrap();
        book.version += 1;
        book.agreements[0].pass_hashed_imsi = true;
    }
    let token = world.token(&world.production).await;
    let body = format!("{{\"customerNumber\":\"{NUMBER}\"}}");
    let reply = until(&world, &token, &body, |reply| reply.text("imsi") != expected).await;
    assert_eq!(reply.text("imsi"), "4213215110021315");
}

#[tokio::test]
async fn each_answer_has_its_row_first_and_the_row_says_everything() {
    let world = world().await;
    let replies = [
        world.check(IMSI_PATH, NUMBER).await,
        world.check(SWAP_PATH, NUMBER).await,
        world.check(AGE_PATH, NUMBER).await,
        world.check(IMSI_PATH, "254700000099").await,
    ];
    let rows = world.ledger.rows.lock().unwrap();
    assert_eq!(rows.len(), 4);
    let expected = [
        (Product::Imsi, Outcome::Answered, 2_000),
        (Product::Swap, Outcome::Answered, 100),
        (Product::Age, Outcome::Answered, 400),
        (Product::Imsi, Outcome::NotServed, 0),
    ];
    for (((draft, recorded), reply), (product, outcome, minor)) in rows.iter().zip(&replies).zip(expected) {
        assert_eq!(CheckId::parse_request_ref(&reply.text("requestRefID")), Ok(draft.id));
        assert_eq!((draft.product, recorded.outcome), (product, outcome));
        assert_eq!(draft.environment, Environment::Production);
        assert_eq!(draft.app, world.production.app);
        assert!(draft.agreement.is_some() && draft.as_of.is_some());
        let charged = if let Charge::Charged(money) = recorded.charge { money.minor } else { 0 };
        assert_eq!(charged, minor);
    }
    let sim = replies[0].text("imsi");
    let facts: Vec<&str> = rows.iter().map(|(draft, _)| draft.subject.facts.as_str()).collect();
    assert_eq!(
        facts[..2],
        [
            &format!("active swap=replacement@1793480700 registration=1770152340 sim={sim} windows=3,12"),
            "active swap=replacement@1793480700 windows=3,12",
        ]
    );
    assert!(rows.windows(2).all(|pair| pair[0].0.id < pair[1].0.id));
}

#[tokio::test]
async fn a_repeat_is_answered_afresh_recorded_and_free() {
    let world = world().await;
    let first = world.check(IMSI_PATH, NUMBER).await;
    let again = world.check(IMSI_PATH, NUMBER).await;
    assert_eq!(again.header("laini-charge"), Some("none; reason=repeat"));
    assert_ne!(first.text("requestRefID"), again.text("requestRefID"));
    world.clock.advance(61);
    assert_eq!(world.check(IMSI_PATH, NUMBER).await.header("laini-charge"), Some("KES 20.00"));
    assert_eq!(world.ledger.outcomes(), [Outcome::Answered, Outcome::Repeated, Outcome::Answered]);
}

#[tokio::test]
async fn a_request_id_makes_repeats_free_for_longer_and_is_echoed() {
    let world = world().await;
    let token = world.token(&world.production).await;
    let body = format!("{{\"customerNumber\":\"{NUMBER}\"}}");
    let ask = async |id: &str| {
        let headers = format!("Authorization: Bearer {token}\r\nX-Request-ID: {id}\r\nX-Correlation-ID: c-{id}\r\n");
        world.send(request("POST", IMSI_PATH, &headers, &body)).await
    };
    let first = ask("one").await;
    assert_eq!(first.header("x-request-id"), Some("one"));
    assert_eq!(first.header("x-correlation-id"), Some("c-one"));
    assert_eq!(first.header("laini-charge"), Some("KES 20.00"));
    assert_eq!(ask("two").await.header("laini-charge"), Some("KES 20.00"));
    world.clock.advance(500);
    assert_eq!(ask("one").await.header("laini-charge"), Some("none; reason=repeat"));
    // Ids that cannot be echoed are as good as none.
    for unusable in ["with space", &"x".repeat(129)] {
        let reply = ask(unusable).await;
        assert_eq!((reply.status, reply.header("x-request-id")), (200, None));
    }
}

#[tokio::test]
async fn errors_echo_the_callers_ids_too() {
    let world = world().await;
    let reply = world.send(request("GET", "/nowhere", "X-Request-ID: abc\r\n", "")).await;
    assert_eq!((reply.status, reply.header("x-request-id")), (404, Some("abc")));
}

#[tokio::test]
async fn a_number_that_is_not_served_is_404_free_and_recorded() {
    let world = world().await;
    world.put("254700000002", "2019-01-12T09:00:00Z", None);
    world.change_line("254700000002", |state| state.line.as_mut().unwrap().status = LineStatus::PortedOut);
    for (path, number) in [(IMSI_PATH, "254700000002"), (SWAP_PATH, "254700000003"), (AGE_PATH, "254700000003")] {
        let reply = world.check(path, number).await;
        assert_error(&reply, 404, "404.002.01", "Resource not found");
        assert_eq!(reply.header("laini-charge"), Some("none; reason=not-served"));
        assert_eq!(reply.header("laini-environment"), Some("production"));
    }
    assert_eq!(world.ledger.outcomes(), [Outcome::NotServed; 3]);
}

#[tokio::test]
async fn restricted_data_is_withheld_free_and_recorded() {
    let world = world().await;
    world.change_line(NUMBER, |state| state.line.as_mut().unwrap().restricted = true);
    let reply = world.check(IMSI_PATH, NUMBER).await;
    assert_error(&reply, 403, "403.002.02", "Forbidden - withheld");
    assert_eq!(reply.header("laini-charge"), Some("none; reason=withheld"));
    assert_eq!(world.ledger.outcomes(), [Outcome::Withheld]);
}

#[tokio::test]
async fn a_suspended_line_answers_as_an_active_one() {
    let world = world().await;
    world.change_line(NUMBER, |state| state.line.as_mut().unwrap().status = LineStatus::Suspended);
    assert_eq!(world.check(IMSI_PATH, NUMBER).await.status, 200);
}

#[tokio::test]
async fn an_unknown_is_503_unbilled_and_recorded_and_never_reads_as_fine() {
    let world = World::start_with(|settings| {
        settings.freshness = Freshness {
            swap_stale_after: Some(SignedDuration::from_mins(15)),
            registration_stale_after: Some(SignedDuration::from_hours(26)),
        };
    })
    .await;
    world.put(NUMBER, "2019-01-12T09:00:00Z", None);
    world.put("254700000002", "2019-01-12T09:00:00Z", Some("2026-11-01T09:00:00Z"));
    assert_eq!(world.check(IMSI_PATH, NUMBER).await.status, 200);
    world.clock.advance(20 * 60);
    let stale = world.check(IMSI_PATH, NUMBER).await;
    assert_error(&stale, 503, "503.002.02", "Registry data is stale");
    assert_eq!(stale.header("retry-after"), Some("60"));
    assert_eq!(stale.header("laini-swap"), Some("unknown"));
    assert_eq!(stale.header("laini-charge"), Some("none; reason=unknown"));
    // What is not stale is still answered: the age, and a swap that is known.
    assert_eq!(world.check(AGE_PATH, NUMBER).await.status, 200);
    assert_eq!(world.check(SWAP_PATH, "254700000002").await.text("lastSwapDate"), "01-11-2026 12:00");
    world.change_line(NUMBER, |state| state.source_rejected = true);
    for path in CHECK_PATHS {
        assert_error(&world.check(path, NUMBER).await, 503, "503.002.02", "Registry data is incomplete");
    }
    let expected = [Outcome::Answered, Outcome::Unknown, Outcome::Answered, Outcome::Answered];
    assert_eq!(world.ledger.outcomes()[..4], expected);
    assert_eq!(world.ledger.outcomes()[4..], [Outcome::Unknown; 3]);
}

#[tokio::test]
async fn history_shorter_than_the_window_is_incomplete() {
    let world = World::start().await;
    world.put(NUMBER, "2019-01-12T09:00:00Z", None);
    world.registry.horizon.lock().unwrap().history_since = "2026-11-01T00:00:00Z".parse().unwrap();
    assert_error(&world.check(SWAP_PATH, NUMBER).await, 503, "503.002.02", "Registry data is incomplete");
    assert_eq!(world.check(AGE_PATH, NUMBER).await.status, 200);
}

#[tokio::test]
async fn many_at_once_each_get_their_own_row() {
    let world = Arc::new(world().await);
    let token = world.token(&world.production).await;
    let body = format!("{{\"customerNumber\":\"{NUMBER}\"}}");
    let callers: Vec<_> = (0..16)
        .map(|_| {
            let (world, request) = (Arc::clone(&world), check(IMSI_PATH, &token, &body));
            tokio::spawn(async move {
                let mut connection = Connection::open(world.address).await;
                let mut ids = Vec::new();
                for _ in 0..50 {
                    connection.send(&request).await;
                    ids.push(connection.reply().await.unwrap().text("requestRefID"));
                }
                ids
            })
        })
        .collect();
    let mut answered = Vec::new();
    for caller in callers {
        answered.extend(caller.await.unwrap());
    }
    let mut recorded: Vec<String> =
        world.ledger.rows.lock().unwrap().iter().map(|(draft, _)| draft.id.request_ref()).collect();
    answered.sort();
    recorded.sort();
    assert_eq!(answered.len(), 800);
    assert_eq!(answered, recorded);
}
