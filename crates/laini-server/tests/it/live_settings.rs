//! Settings that are replaced while the server runs.

use jiff::SignedDuration;
use jiff::tz::TimeZone;
use laini_core::disclosure::Freshness;

use crate::world::{IMSI_PATH, World, assert_error};

const NUMBER: &str = "254700000001";

#[tokio::test]
async fn a_replaced_limit_holds_for_the_next_request_and_what_the_server_stands_on_stays() {
    let world = World::start().await;
    world.put(NUMBER, "2019-01-12T09:00:00Z", None);
    assert_eq!(world.check(IMSI_PATH, NUMBER).await.status, 200);

    let mut changed = (*world.settings.current()).clone();
    changed.freshness =
        Freshness { swap_stale_after: Some(SignedDuration::from_secs(60)), registration_stale_after: None };
    changed.zone = TimeZone::UTC;
    world.settings.replace(changed);
    let reply = world.check(IMSI_PATH, NUMBER).await;
    assert_error(&reply, 503, "503.002.02", "Registry data is stale");

    let mut changed = (*world.settings.current()).clone();
    changed.freshness = Freshness::default();
    changed.limits.body_bytes = 20;
    world.settings.replace(changed);
    assert_eq!(world.check(IMSI_PATH, NUMBER).await.status, 413);
    let body = "{\"customerNumber\":1}";
    let token = world.token(&world.production).await;
    assert_eq!(world.check_with(IMSI_PATH, &token, body).await.status, 400);
    assert_ne!(world.settings.current().zone, TimeZone::UTC);
}
