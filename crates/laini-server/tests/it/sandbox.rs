//! The personas, over HTTP, in the operator's zone.

use laini_core::billing::Outcome;
use laini_core::partner::Environment;

use crate::wire::Reply;
use crate::world::{AGE_PATH, IMSI_PATH, SWAP_PATH, World, assert_error};

const NONE: &str = "01-01-1900";
const OLDER: &str = "MSISDN registration is more than one year old";

async fn ask(world: &World, path: &str, last_digits: u32) -> Reply {
    let token = world.token(&world.sandbox).await;
    let body = format!("{{\"customerNumber\":\"2547220000{last_digits:02}\"}}");
    world.check_with(path, &token, &body).await
}

#[tokio::test]
async fn the_published_sample_is_answered_exactly() {
    let world = World::start().await;
    let imsi = ask(&world, IMSI_PATH, 0).await;
    let id = imsi.text("requestRefID");
    assert_eq!(
        imsi.body,
        format!(
            r#"{{"requestRefID":"{id}","responseCode":"200","responseDesc":"Success","imsi":"9233817055099406","lastSwapDate":"01-05-2022","msisdnRegistrationDate":"01-03-2022","customerNumber":"254722000000"}}"#
        )
    );
    assert_eq!(imsi.header("laini-environment"), Some("sandbox"));
    assert_eq!(imsi.header("laini-swap"), Some("swapped"));
    assert!(ask(&world, SWAP_PATH, 0).await.text("lastSwapDate").starts_with("01-05-2022 "));
    assert_eq!(ask(&world, AGE_PATH, 0).await.text("msisdnRegistrationDate"), "01-03-2022");
}

#[tokio::test]
async fn each_persona_answers_as_described_relative_to_today() {
    // 22 November 2026, noon in Nairobi.
    let world = World::start().await;
    for (digits, swapped, registered) in [
        (1, NONE, OLDER),
        (2, "22-11-2026", OLDER),
        (3, "23-10-2026", OLDER),
        (4, "23-08-2026", OLDER),
        (5, "22-08-2026", OLDER),
        (6, NONE, OLDER),
        (7, NONE, "21-11-2026"),
        (8, NONE, "22-11-2025"),
        (9, NONE, OLDER),
        (10, "15-11-2026", "15-11-2026"),
        (11, "15-11-2026", "15-11-2026"),
        (12, NONE, OLDER),
    ] {
        let reply = ask(&world, IMSI_PATH, digits).await;
        assert_eq!(reply.text("lastSwapDate"), swapped, "persona {digits}");
        assert_eq!(reply.text("msisdnRegistrationDate"), registered, "persona {digits}");
        let expected = if swapped == NONE { "not-swapped" } else { "swapped" };
        assert_eq!(reply.header("laini-swap"), Some(expected), "persona {digits}");
    }
    for digits in [40, 41, 13, 49, 60, 99] {
        assert_error(&ask(&world, IMSI_PATH, digits).await, 404, "404.002.01", "Resource not found");
    }
    assert_error(&ask(&world, IMSI_PATH, 42).await, 403, "403.002.02", "Forbidden - withheld");
}

#[tokio::test]
async fn today_begins_at_the_zones_midnight() {
    let world = World::start().await;
    // 23:59:59 in Nairobi is still the 22nd; a second later it is the 23rd.
    world.clock.advance(12 * 3_600 - 1);
    assert_eq!(ask(&world, IMSI_PATH, 2).await.text("lastSwapDate"), "22-11-2026");
    world.clock.advance(1);
    assert_eq!(ask(&world, IMSI_PATH, 2).await.text("lastSwapDate"), "23-11-2026");
}

#[tokio::test]
async fn the_sandbox_never_sees_a_real_line_and_production_no_persona() {
    let world = World::start().await;
    world.put("254700000001", "2019-01-12T09:00:00Z", None);
    let token = world.token(&world.sandbox).await;
    let reply = world.check_with(IMSI_PATH, &token, r#"{"customerNumber":"254700000001"}"#).await;
    assert_eq!(reply.status, 404);
    assert_eq!(world.check(IMSI_PATH, "254722000000").await.status, 404);
}

#[tokio::test]
async fn sandbox_checks_are_recorded_and_shown_as_charged() {
    let world = World::start().await;
    assert_eq!(ask(&world, IMSI_PATH, 1).await.header("laini-charge"), Some("KES 20.00"));
    assert_eq!(world.ledger.outcomes(), [Outcome::Answered]);
    assert_eq!(world.ledger.rows.lock().unwrap()[0].0.environment, Environment::Sandbox);
}

#[tokio::test]
async fn pseudonyms_are_stable_and_differ_from_line_to_line() {
    let world = World::start().await;
    let first = ask(&world, IMSI_PATH, 1).await.text("imsi");
    assert_eq!(ask(&world, IMSI_PATH, 1).await.text("imsi"), first);
    assert_ne!(ask(&world, IMSI_PATH, 2).await.text("imsi"), first);
}
