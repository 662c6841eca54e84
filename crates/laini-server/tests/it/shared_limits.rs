//! Limits that nodes share, on a port that keeps what all reserved in memory.

use std::collections::HashMap;
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use laini_core::billing::{Currency, Money};
use laini_core::partner::{AppLimits, Budget, Limits, Prepaid, Rate};
use laini_core::store::{Allowance, BoxFuture, Demand, Grant, LimitShares, Paces, SharesError, Want};
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::{Instant, timeout};

use crate::fakes::Mood;
use crate::wire::{Reply, check_under};
use crate::world::{IMSI_PATH, NOW, World, assert_error};

const NUMBER: &str = "254700000001";
/// Longer than anything here takes.
const SOON: Duration = Duration::from_secs(10);

/// What nodes share, in memory.
struct MapShares {
    /// What was reserved, and the most that ever was.
    rows: Mutex<HashMap<Allowance, (i64, i64)>>,
    /// What other nodes are asked for.
    others: Vec<u64>,
    mood: Mutex<Mood>,
    /// Every reservation passes here.
    gate: Semaphore,
    reservations: AtomicUsize,
}

impl MapShares {
    fn new() -> Arc<Self> {
        Self::beside(Vec::new())
    }

    fn beside(others: Vec<u64>) -> Arc<Self> {
        let (rows, mood, gate) = (Mutex::default(), Mutex::default(), Semaphore::new(Semaphore::MAX_PERMITS));
        Arc::new(Self { rows, others, mood, gate, reservations: AtomicUsize::new(0) })
    }

    fn reserved(&self) -> i64 {
        self.rows.lock().unwrap().values().map(|(reserved, _)| reserved).sum()
    }

    fn set(&self, mood: Mood) {
        *self.mood.lock().unwrap() = mood;
    }

    /// Holds up all reservations until it is dropped.
    async fn hold_up(&self) -> SemaphorePermit<'_> {
        self.gate.acquire_many(u32::try_from(Semaphore::MAX_PERMITS.min(u32::MAX as usize)).unwrap()).await.unwrap()
    }

    async fn answers(&self) -> Result<(), SharesError> {
        let mood = *self.mood.lock().unwrap();
        match mood {
            Mood::Good => Ok(()),
            Mood::Hangs => std::future::pending().await,
            _ => Err(SharesError::Unavailable("a test".to_owned())),
        }
    }

    fn grant(&self, want: &Want) -> Grant {
        let mut rows = self.rows.lock().unwrap();
        let (reserved, peak) = rows.entry(want.allowance).or_default();
        let (given, before) = (want.grant(*reserved), *peak);
        *reserved = want.reserved_after(*reserved);
        *peak = before.max(*reserved);
        Grant { given, left: want.limit - *reserved, peak: (before, *peak) }
    }
}

impl LimitShares for MapShares {
    fn reserve(&self, wants: Vec<Want>) -> BoxFuture<'_, Result<Vec<Grant>, SharesError>> {
        Box::pin(async move {
            self.reservations.fetch_add(1, Ordering::Relaxed);
            let _passed = self.gate.acquire().await.unwrap();
            self.answers().await?;
            Ok(wants.iter().map(|want| self.grant(want)).collect())
        })
    }

    fn pace(&self, demands: Vec<Demand>) -> BoxFuture<'_, Result<Paces, SharesError>> {
        Box::pin(async move {
            self.answers().await?;
            let nodes = u32::try_from(self.others.len()).unwrap() + 1;
            Ok(Paces { nodes, others: vec![self.others.clone(); demands.len()] })
        })
    }
}

async fn node(shares: &Arc<MapShares>, limits: &AppLimits) -> World {
    let shares = Arc::clone(shares);
    let world = World::start_node(shares, |book| {
        book.apps.iter_mut().for_each(|app| app.limits = limits.clone());
    })
    .await;
    world.put(NUMBER, "2026-02-03T20:59:00Z", None);
    world
}

fn per_day(numbers: u64) -> AppLimits {
    AppLimits { in_all: Limits { per_day: Some(numbers), ..Limits::NONE }, ..AppLimits::default() }
}

/// A check that repeats no other.
async fn ask(world: &World, question: usize) -> Reply {
    let headers = format!("X-Request-ID: {question}\r\n");
    let body = format!("{{\"customerNumber\":\"{NUMBER}\"}}");
    world.send(check_under(IMSI_PATH, world.first_token().await, &headers, &body)).await
}

fn assert_unreachable(reply: &Reply) {
    assert_error(reply, 503, "503.002.01", "Service is currently unreachable");
}

#[tokio::test]
async fn two_nodes_use_a_quota_up_together_and_not_beyond() {
    let shares = MapShares::new();
    let nodes = [node(&shares, &per_day(60)).await, node(&shares, &per_day(60)).await];
    let (mut answered, mut left) = (0, Vec::new());
    for question in 0..300 {
        let reply = ask(&nodes[usize::from(question % 5 == 0)], question).await;
        match reply.status {
            200 => answered += 1,
            status => assert_eq!((status, reply.json()["errorCode"].as_str()), (429, Some("500.003.03"))),
        }
        assert!(reply.header("ratelimit-policy").unwrap().starts_with("\"app-day\";q=60;"));
        left.push(reply.header("ratelimit").unwrap().to_owned());
    }
    assert_eq!((answered, shares.reserved()), (60, 60));
    assert_eq!(left[0], "\"app-day\";r=59;t=43200");
    assert_eq!(left[299], "\"app-day\";r=0;t=43200");
}

#[tokio::test]
async fn requests_wait_for_one_reservation_together() {
    let shares = MapShares::new();
    let world = node(&shares, &per_day(1_000)).await;
    world.first_token().await;
    let before = shares.reservations.load(Ordering::Relaxed);
    let held_up = shares.hold_up().await;
    let world = Arc::new(world);
    let asking: Vec<_> = (0..20)
        .map(|question| {
            let world = Arc::clone(&world);
            tokio::spawn(async move { ask(&world, question).await.status })
        })
        .collect();
    // The first reservation is on its way; the others gather for the second.
    let on_its_way = async {
        while shares.reservations.load(Ordering::Relaxed) == before {
            tokio::task::yield_now().await;
        }
    };
    timeout(SOON, on_its_way).await.unwrap();
    assert!(asking.iter().all(|asking| !asking.is_finished()));
    drop(held_up);
    for asking in asking {
        assert_eq!(asking.await.unwrap(), 200);
    }
    let reservations = shares.reservations.load(Ordering::Relaxed) - before;
    assert!(reservations <= 6, "{reservations} reservations for 20 checks");
}

#[tokio::test]
async fn without_the_database_what_is_reserved_is_used_and_the_rest_is_refused_unbilled() {
    for mood in [Mood::Unavailable, Mood::Hangs] {
        let shares = MapShares::new();
        let world = node(&shares, &per_day(100_000)).await;
        for question in 0..40 {
            assert_eq!(ask(&world, question).await.status, 200);
        }
        shares.set(mood);
        let mut answered = 40;
        let refused = loop {
            let began = Instant::now();
            let reply = ask(&world, 1_000 + usize::try_from(answered).unwrap()).await;
            if reply.status != 200 {
                assert!(began.elapsed() < Duration::from_secs(1), "{:?}", began.elapsed());
                break reply;
            }
            answered += 1;
        };
        assert_unreachable(&refused);
        assert!(answered <= shares.reserved(), "{answered} of {}", shares.reserved());
        assert_eq!(world.ledger.outcomes().len(), usize::try_from(answered).unwrap(), "what is refused leaves no row");
        if mood == Mood::Unavailable {
            shares.set(Mood::Good);
            world.accounts_noticed(async || ask(&world, 9_999).await.status == 200).await;
        }
    }
}

#[tokio::test]
async fn what_a_node_reserved_and_did_not_use_is_given_back_when_it_stops() {
    let shares = MapShares::new();
    let limits = AppLimits { budget: Some(Budget::standard(Money::new(1_000_000, Currency::KES))), ..per_day(10_000) };
    let mut world = node(&shares, &limits).await;
    for question in 0..25 {
        assert_eq!(ask(&world, question).await.status, 200);
    }
    let used = 25 + 25 * 2_000;
    assert!(shares.reserved() > used, "some lies ready");
    world.stop();
    world.stopped().await;
    assert_eq!(shares.reserved(), used);
}

#[tokio::test]
async fn checks_that_were_never_recorded_and_free_ones_return_to_the_reserve() {
    let shares = MapShares::new();
    let hard = Budget { hard_stop: true, ..Budget::standard(Money::new(4_000, Currency::KES)) };
    let limits = AppLimits { budget: Some(hard), ..per_day(5) };
    let world = node(&shares, &limits).await;
    *world.registry.mood.lock().unwrap() = Mood::Unavailable;
    for question in 0..8 {
        assert_eq!(ask(&world, question).await.status, 503);
    }
    *world.registry.mood.lock().unwrap() = Mood::Good;
    assert_eq!(ask(&world, 1).await.status, 200);
    assert_eq!(ask(&world, 1).await.header("laini-charge"), Some("none; reason=repeat"));
    assert_eq!(ask(&world, 2).await.status, 200);
    assert_error(&ask(&world, 3).await, 429, "500.003.03", "Error Occurred: Quota Violation");
}

#[tokio::test]
async fn of_all_nodes_one_warns_of_a_budget() {
    let shares = MapShares::new();
    let budget = Budget::standard(Money::new(100_000, Currency::KES));
    let limits = AppLimits { budget: Some(budget), ..AppLimits::default() };
    let nodes = [node(&shares, &limits).await, node(&shares, &limits).await];
    let mut answered = 0;
    for question in 0..150 {
        answered += u32::from(ask(&nodes[question % 2], question).await.status == 200);
    }
    // At the very end each node may be left with less than one check costs, until it gives that back.
    assert!((59..=60).contains(&answered), "{answered}, not the budget and its overrun");
    let warned = async || {
        let of = |world: &World| world.accounts.audits.lock().unwrap().clone();
        let audits: Vec<_> = nodes.iter().flat_map(of).filter(|audit| audit.action == "app.budget_warned").collect();
        let mut reasons: Vec<_> = audits.into_iter().map(|audit| audit.reason).collect();
        reasons.sort();
        reasons
    };
    nodes[0].accounts_noticed(async || warned().await.len() >= 3).await;
    let expected = ["100", "50", "80"].map(|percent| format!("{percent} % of the month's budget are spent"));
    assert_eq!(warned().await, expected);
}

#[tokio::test]
async fn a_node_lets_through_its_part_of_a_rate_and_whole_batches() {
    let rate = |per_second, burst| {
        let count = |n| NonZeroU32::new(n).unwrap();
        Some(Rate { per_second: count(per_second), burst: count(burst) })
    };
    for (others, passed) in [(vec![], 20), (vec![1], 10), (vec![1, 1, 1], 5)] {
        let shares = MapShares::beside(others);
        let limits = AppLimits { in_all: Limits { rate: rate(1, 20), ..Limits::NONE }, ..AppLimits::default() };
        let world = node(&shares, &limits).await;
        let mut statuses = Vec::new();
        for question in 0..30 {
            statuses.push(ask(&world, question).await.status);
        }
        // A second may go by meanwhile.
        let answered = statuses.iter().filter(|status| **status == 200).count();
        assert!((passed..=passed + 2).contains(&answered), "{answered}, not {passed}");
        assert!(statuses.contains(&429));
    }
    let shares = MapShares::beside(vec![1, 1, 1]);
    let limits = AppLimits { in_all: Limits { rate: rate(100, 20), ..Limits::NONE }, ..AppLimits::default() };
    let world = node(&shares, &limits).await;
    let numbers: Vec<_> = (0..20).map(|n| format!("2547000000{n:02}")).collect();
    let body = serde_json::json!({ "numbers": numbers }).to_string();
    let reply = world.send(check_under("/v1/checks", world.first_token().await, "", &body)).await;
    assert_eq!(reply.status, 200, "a batch as large as the burst passes on any node");
}

#[tokio::test]
async fn a_limit_that_is_set_lowered_or_lifted_reaches_a_node() {
    let shares = MapShares::new();
    let world = node(&shares, &AppLimits::default()).await;
    let app = world.production.app;
    let mut question = 0;
    let mut becomes = async |expected: u16| {
        let until = async {
            loop {
                question += 1;
                if ask(&world, question).await.status == expected {
                    break;
                }
            }
        };
        timeout(SOON, until).await.unwrap();
    };
    becomes(200).await;
    world.accounts.change_app(app, |app| app.limits = per_day(10));
    becomes(429).await;
    assert_eq!(shares.reserved(), 10);
    world.accounts.change_app(app, |app| app.limits = per_day(12));
    becomes(200).await;
    becomes(429).await;
    assert_eq!(shares.reserved(), 12);
    world.accounts.change_app(app, |app| app.limits = AppLimits::default());
    becomes(200).await;
}

#[tokio::test]
async fn two_nodes_use_a_balance_up_together_and_a_restart_gives_nothing_back() {
    const PRICE: i64 = 2_000;
    let shares = MapShares::new();
    let from = Prepaid::begins(NOW.parse().unwrap());
    let start = async || {
        let prepaid = Prepaid { from, paid_minor: 40 * PRICE };
        let world = World::start_node(Arc::clone(&shares) as _, |book| book.partners[0].prepaid = Some(prepaid)).await;
        world.put(NUMBER, "2026-02-03T20:59:00Z", None);
        world
    };
    let mut nodes = [start().await, start().await];
    let mut answered = 0;
    for question in 0..200 {
        let reply = ask(&nodes[usize::from(question % 3 == 0)], question).await;
        match reply.status {
            200 => answered += 1,
            status => assert_eq!((status, reply.json()["errorCode"].as_str()), (429, Some("500.003.03"))),
        }
        if question == 15 {
            nodes[0].stop();
            let again = start().await;
            std::mem::replace(&mut nodes[0], again).stopped().await;
        }
    }
    // What is less than the price of a check can lie at each of them for a moment.
    assert!((39..=40).contains(&answered), "{answered}");
    assert_eq!(shares.reserved(), 40 * PRICE);
}
