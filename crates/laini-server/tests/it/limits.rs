//! Limits: rate, quota, budget, free answers and probing (contract §4 and §5).

use std::num::NonZeroU32;

use laini_core::billing::{Currency, Money};
use laini_core::partner::{AppLimits, AppStatus, Budget, Limits, PartnerStatus, Probing, Product, Rate};
use serde_json::json;

use crate::wire::{Reply, check_under};
use crate::world::{AGE_PATH, IMSI_PATH, SWAP_PATH, World, assert_error};

const NUMBER: &str = "254700000001";

fn rate(per_second: u32, burst: u32) -> Rate {
    let count = |n| NonZeroU32::new(n).unwrap();
    Rate { per_second: count(per_second), burst: count(burst) }
}

/// A world in which the production app has these limits from the start.
async fn limited(limits: AppLimits) -> World {
    let world = World::start_with_accounts(|book| {
        book.apps.iter_mut().for_each(|app| app.limits = limits.clone());
    })
    .await;
    world.put(NUMBER, "2026-02-03T20:59:00Z", None);
    world
}

fn in_all(limits: Limits) -> AppLimits {
    AppLimits { in_all: limits, ..AppLimits::default() }
}

/// Checks with one token, each a question of its own.
struct Caller<'a> {
    world: &'a World,
    token: String,
    asked: u32,
}

impl<'a> Caller<'a> {
    async fn of(world: &'a World) -> Self {
        Self { world, token: world.token(&world.production).await, asked: 0 }
    }

    async fn ask(&mut self, path: &str) -> Reply {
        self.ask_about(path, NUMBER).await
    }

    async fn ask_about(&mut self, path: &str, number: &str) -> Reply {
        self.asked += 1;
        let headers = format!("X-Request-ID: {}\r\n", self.asked);
        let body = format!("{{\"customerNumber\":\"{number}\"}}");
        self.world.send(check_under(path, &self.token, &headers, &body)).await
    }
}

fn assert_quota(reply: &Reply) {
    assert_error(reply, 429, "500.003.03", "Error Occurred: Quota Violation");
    let wait: u64 = reply.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=60).contains(&wait), "{wait}");
}

#[tokio::test]
async fn without_settings_nothing_is_limited_and_no_header_says_so() {
    let world = limited(AppLimits::default()).await;
    let mut caller = Caller::of(&world).await;
    for _ in 0..500 {
        let reply = caller.ask(IMSI_PATH).await;
        assert_eq!((reply.status, reply.header("ratelimit"), reply.header("ratelimit-policy")), (200, None, None));
    }
}

#[tokio::test]
async fn a_rate_lets_its_burst_through_and_says_when_to_come_back() {
    let limits = AppLimits {
        products: vec![(Product::Imsi, Limits { rate: Some(rate(1, 3)), ..Limits::NONE })],
        ..AppLimits::default()
    };
    let world = limited(limits).await;
    let mut caller = Caller::of(&world).await;
    for left in [2, 1, 0] {
        let reply = caller.ask(IMSI_PATH).await;
        assert_eq!(reply.status, 200);
        assert_eq!(reply.header("ratelimit-policy"), Some("\"imsi-rate\";q=3;w=3"));
        assert_eq!(reply.header("ratelimit"), Some(format!("\"imsi-rate\";r={left};t=3").as_str()));
    }
    let refused = caller.ask(IMSI_PATH).await;
    assert_error(&refused, 429, "500.003.02", "Error Occurred: Spike Arrest Violation");
    assert_eq!(refused.header("retry-after"), Some("1"));
    assert_eq!(refused.header("laini-charge"), Some("none; reason=refused"));
    assert_eq!(caller.ask(SWAP_PATH).await.status, 200, "another product has limits of its own");
    assert_eq!(world.ledger.outcomes().len(), 4);
}

#[tokio::test]
async fn every_limit_counts_numbers_and_a_batch_counts_each_of_its_own() {
    let world = limited(in_all(Limits { rate: Some(rate(1, 10)), per_day: Some(14), ..Limits::NONE })).await;
    let token = world.token(&world.production).await;
    let batch = async |count: usize| {
        let numbers: Vec<_> = (0..count).map(|n| format!("2547000000{n:02}")).collect();
        world.send(check_under("/v1/checks", &token, "", &json!({"numbers": numbers}).to_string())).await
    };
    let text = "Bad Request - more numbers than may be asked at once (10); send smaller batches";
    assert_error(&batch(11).await, 400, "400.002.02", text);
    let answered = batch(8).await;
    assert_eq!(answered.status, 200);
    assert_eq!(answered.header("ratelimit"), Some("\"app-rate\";r=2;t=10, \"app-day\";r=6;t=43200"));
    assert_eq!(batch(5).await.status, 429);
    assert_quota(&batch(7).await);
    assert_eq!(batch(2).await.status, 200);
}

#[tokio::test]
async fn a_day_begins_at_midnight_of_the_operators_zone_and_a_month_on_its_first() {
    // It is noon of 22 November in Nairobi.
    let world = limited(in_all(Limits { per_day: Some(2), per_month: Some(3), ..Limits::NONE })).await;
    let mut caller = Caller::of(&world).await;
    assert_eq!(caller.ask(IMSI_PATH).await.status, 200);
    assert_eq!(caller.ask(AGE_PATH).await.status, 200);
    assert_quota(&caller.ask(IMSI_PATH).await);
    world.clock.advance(12 * 3_600 - 1);
    let mut caller = Caller { asked: 100, ..Caller::of(&world).await };
    assert_eq!(caller.ask(IMSI_PATH).await.header("retry-after"), Some("1"));
    world.clock.advance(1);
    assert_eq!(caller.ask(IMSI_PATH).await.status, 200);
    assert_quota(&caller.ask(IMSI_PATH).await);
    // The first of December.
    world.clock.advance(8 * 86_400);
    let mut caller = Caller { asked: 200, ..Caller::of(&world).await };
    assert_eq!(caller.ask(IMSI_PATH).await.status, 200);
}

#[tokio::test]
async fn what_never_reached_the_registry_uses_nothing_up() {
    let world = limited(in_all(Limits { per_day: Some(1), ..Limits::NONE })).await;
    let mut caller = Caller::of(&world).await;
    assert_eq!(caller.ask_about(IMSI_PATH, "12").await.status, 400);
    *world.registry.mood.lock().unwrap() = crate::fakes::Mood::Unavailable;
    assert_eq!(caller.ask(IMSI_PATH).await.status, 503);
    *world.registry.mood.lock().unwrap() = crate::fakes::Mood::Good;
    assert_eq!(caller.ask(IMSI_PATH).await.status, 200);
    assert_quota(&caller.ask(IMSI_PATH).await);
}

#[tokio::test]
async fn a_budget_warns_and_lets_some_overrun_pass_unless_told_to_stop() {
    for (hard_stop, answered) in [(false, 12), (true, 10)] {
        let budget = Budget { hard_stop, ..Budget::standard(Money::new(20_000, Currency::KES)) };
        let world = limited(AppLimits { budget: Some(budget), ..AppLimits::default() }).await;
        let mut caller = Caller::of(&world).await;
        for asked in 0..answered {
            assert_eq!(caller.ask(IMSI_PATH).await.status, 200, "{asked}");
        }
        assert_quota(&caller.ask(IMSI_PATH).await);
        let audits = world.accounts.audits_of("app.budget_warned", 3).await;
        assert_eq!(
            audits,
            [
                "50 % of the month's budget are spent",
                "80 % of the month's budget are spent",
                "100 % of the month's budget are spent"
            ]
        );
    }
}

#[tokio::test]
async fn free_answers_about_nobody_end_where_limits_are_on() {
    for (limits, last) in [(AppLimits::default(), 404), (in_all(Limits { per_day: Some(9_999), ..Limits::NONE }), 429)]
    {
        let world = limited(limits).await;
        let mut caller = Caller::of(&world).await;
        for n in 0..100 {
            assert_eq!(caller.ask_about(IMSI_PATH, &format!("2547110{:05}", n * 7)).await.status, 404);
        }
        assert_eq!(caller.ask_about(IMSI_PATH, "254799999999").await.status, last);
    }
}

#[tokio::test]
async fn a_walk_through_the_numbers_is_flagged_once_and_slowed_where_settings_say_so() {
    for probing in [Probing::Flag, Probing::Slow(rate(1, 5))] {
        let world = limited(AppLimits { probing, ..AppLimits::default() }).await;
        (0..260).for_each(|n| world.put(&format!("2547000{n:05}"), "2026-02-03T20:59:00Z", None));
        let mut caller = Caller::of(&world).await;
        let mut statuses = Vec::new();
        for n in 0..260 {
            statuses.push(caller.ask_about(IMSI_PATH, &format!("2547000{n:05}")).await.status);
        }
        assert_eq!(world.accounts.audits_of("app.flagged", 1).await, ["it asks for number after number"]);
        let slowed = statuses.iter().filter(|status| **status == 429).count();
        assert_eq!(slowed > 30, probing != Probing::Flag, "{slowed} of {}", statuses.len());
    }
}

#[tokio::test]
async fn a_partners_limit_holds_for_all_its_apps_together() {
    let world = World::start_with_accounts(|book| {
        book.partners[0].limits = Limits { per_day: Some(2), ..Limits::NONE };
    })
    .await;
    world.put(NUMBER, "2026-02-03T20:59:00Z", None);
    let mut caller = Caller::of(&world).await;
    assert_eq!(caller.ask(IMSI_PATH).await.header("ratelimit"), Some("\"partner-day\";r=1;t=43200"));
    assert_eq!(caller.ask(AGE_PATH).await.status, 200);
    assert_quota(&caller.ask(SWAP_PATH).await);
    // Sandbox checks use up nothing of it.
    let token = world.token(&world.sandbox).await;
    let reply = world.check_with(IMSI_PATH, &token, "{\"customerNumber\":\"254722000000\"}").await;
    assert_eq!((reply.status, reply.header("ratelimit")), (200, None));
}

#[tokio::test]
async fn limits_suspensions_and_their_end_reach_a_running_server() {
    let world = limited(AppLimits::default()).await;
    let app = world.production.app;
    let status = async || {
        let body = format!("{{\"customerNumber\":\"{NUMBER}\"}}");
        let reply = world.check_with(IMSI_PATH, world.first_token().await, &body).await;
        (reply.status, reply.json()["errorMessage"].as_str().unwrap_or_default().to_owned())
    };
    let becomes = async |expected: u16| world.accounts_noticed(async || status().await.0 == expected).await;
    world.accounts.change_app(app, |app| app.status = AppStatus::Suspended);
    becomes(403).await;
    assert_eq!(status().await.1, "Forbidden - this app is suspended; ask the operator why");
    world.accounts.change_app(app, |app| app.status = AppStatus::Active);
    becomes(200).await;
    world.accounts.change_bank(|partner| partner.status = PartnerStatus::Suspended);
    becomes(403).await;
    assert_eq!(status().await.1, "Forbidden - this partner is suspended; ask the operator why");
    world.accounts.change_bank(|partner| partner.status = PartnerStatus::Active);
    becomes(200).await;
    world.accounts.change_app(app, |app| app.limits = in_all(Limits { per_day: Some(1), ..Limits::NONE }));
    becomes(429).await;
    world.accounts.change_app(app, |app| app.limits = AppLimits::default());
    becomes(200).await;
}

#[tokio::test]
async fn what_was_asked_before_the_start_is_remembered() {
    let world = limited(in_all(Limits { per_day: Some(3), ..Limits::NONE })).await;
    let mut caller = Caller::of(&world).await;
    caller.ask(IMSI_PATH).await;
    caller.ask(IMSI_PATH).await;
    let again = world.restarted().await;
    let mut caller = Caller { asked: 10, ..Caller::of(&again).await };
    assert_eq!(caller.ask(IMSI_PATH).await.status, 200);
    assert_quota(&caller.ask(IMSI_PATH).await);
}
