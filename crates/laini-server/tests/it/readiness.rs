//! `/readyz` and what must not be answered while it says no.

use std::time::Duration;

use crate::fakes::Mood;
use crate::world::{IMSI_PATH, World, assert_error};

const NUMBER: &str = "254700000001";
const PERSONA: &str = r#"{"customerNumber":"254722000001"}"#;
const WITHIN: Duration = Duration::from_secs(10);

async fn until_ready_is(world: &World, expected: u16) -> String {
    let looking = async {
        loop {
            let reply = world.get("/readyz").await;
            if reply.status == expected {
                return reply.body;
            }
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(WITHIN, looking).await.expect("readiness does not change")
}

#[tokio::test]
async fn without_news_of_the_accounts_production_is_refused_and_the_sandbox_goes_on() {
    let world = World::start_with(|settings| settings.limits.accounts_age_ms_max = 400).await;
    world.put(NUMBER, "2019-01-12T09:00:00Z", None);
    let token = world.token(&world.production).await;
    let sandbox = world.token(&world.sandbox).await;
    let body = format!("{{\"customerNumber\":\"{NUMBER}\"}}");
    assert_eq!(world.check_with(IMSI_PATH, &token, &body).await.status, 200);

    *world.accounts.mood.lock().unwrap() = Mood::Bad;
    let reasons = loop {
        let reasons = until_ready_is(&world, 503).await;
        if reasons.contains("too long") {
            break reasons;
        }
        tokio::task::yield_now().await;
    };
    assert!(reasons.contains("production checks are refused"), "{reasons}");
    let reply = world.check_with(IMSI_PATH, &token, &body).await;
    assert_error(&reply, 503, "503.002.01", "Service is currently unreachable");
    assert_eq!(reply.header("laini-charge"), Some("none; reason=refused"));
    assert_eq!(world.check_with(IMSI_PATH, &sandbox, PERSONA).await.status, 200);

    *world.accounts.mood.lock().unwrap() = Mood::Good;
    until_ready_is(&world, 200).await;
    assert_eq!(world.check_with(IMSI_PATH, &token, &body).await.status, 200);
}

#[tokio::test]
async fn a_stale_feed_and_a_disk_are_watched_without_taking_the_node_out() {
    let world = World::start().await;
    let stale = "the feed is stale";
    assert!(!until_ready_is(&world, 200).await.contains(stale));
    let mut changed = (*world.settings.current()).clone();
    changed.freshness.swap_stale_after = Some(jiff::SignedDuration::from_secs(60));
    changed.disk = Some("/nowhere/at/all".into());
    world.settings.replace(changed);
    let told = until_ready_is(&world, 200).await;
    assert!(told.contains(stale) && told.contains("the disk cannot be looked at"), "{told}");
}
