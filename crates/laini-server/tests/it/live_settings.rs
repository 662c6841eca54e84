//! Settings that are replaced while the server runs.

use jiff::SignedDuration;
use jiff::tz::TimeZone;
use laini_core::disclosure::Freshness;
use laini_server::Capability;

use crate::wire::request;
use crate::world::{AGE_PATH, IMSI_PATH, SWAP_PATH, World, assert_error};

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

#[tokio::test]
async fn what_is_switched_off_is_answered_501_until_it_is_switched_on_again() {
    let world = World::start().await;
    world.put(NUMBER, "2019-01-12T09:00:00Z", None);
    let token = world.first_token().await;
    let sandbox = world.token(&world.sandbox).await;
    let plain = format!(r#"{{"customerNumber":"{NUMBER}"}}"#);
    let delivered = format!(r#"{{"customerNumber":"{NUMBER}","resultURL":"https://bank.test/laini"}}"#);
    let explicit = format!(r#"{{"number":"{NUMBER}"}}"#);
    let ask = async |capability| match capability {
        Capability::Imsi => world.check_with(IMSI_PATH, token, &plain).await,
        Capability::Swap => world.check_with(SWAP_PATH, token, &plain).await,
        Capability::Age => world.check_with(AGE_PATH, token, &plain).await,
        Capability::Checks => world.check_with("/v1/checks", token, &explicit).await,
        Capability::Delivery => world.check_with(IMSI_PATH, token, &delivered).await,
        Capability::Worlds => {
            world.send(request("GET", "/sandbox/v1/clock", &format!("Authorization: Bearer {sandbox}\r\n"), "")).await
        }
    };
    for (off, word) in Capability::WORDS {
        assert_eq!(Capability::parse(word), Some(off));
        let mut settings = (*world.settings.current()).clone();
        settings.switched_off = [off].into_iter().collect();
        world.settings.replace(settings);
        for (capability, word) in Capability::WORDS {
            let reply = ask(capability).await;
            // Whoever asks for delivery on a path that is off is told of the path.
            if capability == off || (capability, off) == (Capability::Delivery, Capability::Imsi) {
                assert_error(&reply, 501, "501.002.01", "Not Implemented");
            } else {
                assert_ne!(reply.status, 501, "{word}");
            }
        }
    }
    let other = world.check_with(IMSI_PATH, "no token", &plain).await;
    assert_eq!(other.status, 401, "a stranger is told nothing of it");
}
