use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use laini_core::line::{
    Event, EventKey, EventText, Happening, Imsi, LineStatus, Msisdn, RegistrySeal, SnapshotRow, Swap, SwapCause,
};
use laini_core::store::{
    FeedError, FeedItem, FeedResult, Registry as _, RegistryError, RegistryFeed as _, SnapshotLoad, SnapshotPlan,
    SnapshotSummary,
};
use laini_store_postgres::{Database, DatabaseSettings, PostgresRegistry, RegistrySettings};
use laini_testkit::contract::registry::RegistryPlace;
use laini_testkit::postgres::{TestDatabase, fresh_database};
use tempfile::TempDir;

/// A database of its own; few rows in memory, so that every larger load spills.
struct Place {
    database: TestDatabase,
    spill: TempDir,
}

impl Place {
    fn new() -> Self {
        Self { database: fresh_database(), spill: tempfile::tempdir().unwrap() }
    }

    fn settings(&self) -> RegistrySettings {
        RegistrySettings { sort_chunk_rows: 64, ..RegistrySettings::new(self.spill.path()) }
    }

    fn open_with(&self, settings: RegistrySettings) -> PostgresRegistry {
        open(DatabaseSettings::new(&self.database.url()), settings)
    }

    fn generations(&self) -> usize {
        let count = "SELECT count(*) FROM pg_inherits WHERE inhparent = 'line'::regclass";
        self.database.value(count).unwrap().parse().unwrap()
    }
}

fn open(database: DatabaseSettings, settings: RegistrySettings) -> PostgresRegistry {
    PostgresRegistry::open(Database::open(database).unwrap(), settings, RegistrySeal::new(&[7; 32]))
}

impl RegistryPlace for Place {
    type Handle = PostgresRegistry;

    fn open_requiring(&self, required_feeds: Vec<EventText>) -> PostgresRegistry {
        self.open_with(RegistrySettings { required_feeds, ..self.settings() })
    }
}

laini_testkit::registry_contract!(Place::new());

const NOW: &str = "2026-11-22T09:00:00Z";

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn number(n: u64) -> Msisdn {
    Msisdn::from_stored(254_722_000_000 + n).unwrap()
}

/// The SIM of a line in the snapshot of a day.
fn sim(day: u64, n: u64) -> Imsi {
    Imsi::from_stored(639_021_000_000_000 + day * 1_000_000 + n).unwrap()
}

fn row(day: u64, n: u64) -> SnapshotRow {
    let swap = Swap { at: at("2026-10-01T00:00:00Z"), cause: SwapCause::Esim };
    SnapshotRow {
        msisdn: number(n),
        imsi: sim(day, n),
        registered: at("2015-06-01T08:30:00Z"),
        last_swap: Some(n.is_multiple_of(3).then_some(swap)),
        status: LineStatus::Active,
        contract: None,
        holder_since: None,
        hashed_imsi: None,
    }
}

fn plan(day: u64) -> SnapshotPlan {
    let cut = at(&format!("2026-11-{day:02}T01:00:00Z"));
    SnapshotPlan { cut: Some(cut), history_since: None, has_swaps: true, allow_shrink: false, now: at(NOW) }
}

async fn begin(registry: &PostgresRegistry, day: u64, lines: u64) -> Box<dyn SnapshotLoad> {
    let mut load = registry.begin_snapshot(plan(day)).await.unwrap();
    load.push((0..lines).map(|n| row(day, n)).collect()).await.unwrap();
    load
}

async fn load(registry: &PostgresRegistry, day: u64, lines: u64) -> SnapshotSummary {
    begin(registry, day, lines).await.finish(&|_| {}).await.unwrap()
}

async fn imsi(registry: &PostgresRegistry, n: u64) -> Option<Imsi> {
    registry.look_up(number(n)).await.unwrap().state.line.and_then(|line| line.sim.imsi())
}

fn event(id: &str, n: u64, happening: Happening) -> FeedItem {
    let key = EventKey { id: EventText::parse(id).unwrap(), source: EventText::default_source() };
    FeedItem::Event(Event { key, at: at(NOW), recorded: at(NOW), msisdn: Some(number(n)), happening })
}

#[tokio::test]
async fn another_node_sees_a_switch_and_an_event_in_its_next_look_up() {
    let place = Place::new();
    let (loader, node) = (place.open(), place.open());
    for day in 10..15 {
        load(&loader, day, 100).await;
        assert_eq!(imsi(&node, 7).await, Some(sim(day, 7)));
    }
    let swapped = event("e", 7, Happening::SimReplaced(sim(20, 7)));
    assert_eq!(loader.record(vec![swapped], at(NOW)).await.unwrap(), [FeedResult::Accepted]);
    assert_eq!(imsi(&node, 7).await, Some(sim(20, 7)));
    let until = at(NOW);
    loader.record(vec![FeedItem::Heartbeat { source: EventText::default_source(), until }], until).await.unwrap();
    assert_eq!(node.look_up(number(7)).await.unwrap().horizon.as_of, Some(until));
}

/// A loader that was paused until its lease had run out and another one had loaded.
#[tokio::test]
async fn a_loader_that_lost_its_lease_changes_nothing() {
    let place = Place::new();
    let (paused, other) = (place.open(), place.open());
    load(&paused, 10, 100).await;
    // Before it has a table of its own, and after.
    for day in [11, 13] {
        let load_of_paused = begin(&paused, day, 100).await;
        let steal = || place.database.execute("UPDATE registry_load SET until_ms = 0, fence = fence + 1");
        let refused = if day == 11 {
            steal();
            load_of_paused.finish(&|_| {}).await
        } else {
            load_of_paused.finish(&|_| steal()).await
        };
        assert!(matches!(refused, Err(FeedError::Busy)), "{day}: {refused:?}");
        assert_eq!(imsi(&other, 7).await, Some(sim(day - 1, 7)), "what served serves");
        load(&other, day + 1, 100).await;
        assert_eq!(imsi(&paused, 7).await, Some(sim(day + 1, 7)));
        assert_eq!(place.generations(), 2, "what serves and what served before");
    }
}

#[tokio::test]
async fn a_load_whose_connections_break_leaves_what_serves() {
    let place = Place::new();
    let registry = place.open();
    load(&registry, 10, 100).await;
    let broken = begin(&registry, 11, 100).await;
    let cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE datname = current_database() AND pid <> pg_backend_pid() AND pid IN
            (SELECT pid FROM pg_locks WHERE relation = 'registry_state'::regclass)";
    // Somebody holds the switch up until its connection is cut.
    let held = lock(&place, "LOCK TABLE registry_state").await;
    let finishing = tokio::spawn(async move { broken.finish(&|_| {}).await });
    // Of this database: the server has others, whose tests wait for locks too.
    let waiting = "SELECT count(*) FROM pg_locks JOIN pg_database ON database = oid
        WHERE NOT granted AND datname = current_database()";
    while place.database.value(waiting).as_deref() == Some("0") {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    place.database.execute(cut);
    held.release().await;
    assert!(matches!(finishing.await.unwrap(), Err(FeedError::Engine(_))));
    assert_eq!(imsi(&registry, 7).await, Some(sim(10, 7)));
    assert_eq!(registry.status().await.unwrap().lines, 100);
    load(&registry, 12, 101).await;
    assert_eq!(imsi(&registry, 100).await, Some(sim(12, 100)));
}

/// A lock that somebody else holds.
struct Held {
    client: tokio_postgres::Client,
    driver: tokio::task::JoinHandle<Result<(), tokio_postgres::Error>>,
}

impl Held {
    async fn release(self) {
        drop(self.client);
        let _ = self.driver.await.unwrap();
    }
}

async fn lock(place: &Place, lock: &str) -> Held {
    let (client, connection) = tokio_postgres::connect(&place.database.url(), tokio_postgres::NoTls).await.unwrap();
    let driver = tokio::spawn(connection);
    client.batch_execute(&format!("BEGIN; {lock}")).await.unwrap();
    Held { client, driver }
}

#[tokio::test]
async fn what_a_killed_load_left_is_removed_by_the_next_one() {
    let place = Place::new();
    let registry = place.open();
    load(&registry, 10, 100).await;
    for left in [
        "UPDATE registry_state SET last_generation = 2",
        "CREATE TABLE line_2 (LIKE line INCLUDING ALL)",
        "ALTER TABLE line ATTACH PARTITION line_2 FOR VALUES IN (2)",
        "INSERT INTO line VALUES (2, 254722000000, 0, 0)",
        "INSERT INTO line_base VALUES (2, 254722000000)",
        "INSERT INTO unapplied VALUES (2, 1, 0)",
    ] {
        place.database.execute(left);
    }
    std::fs::create_dir(place.spill.path().join("registry-loading-1")).unwrap();
    assert_eq!(registry.status().await.unwrap().lines, 100);
    assert_eq!(load(&registry, 11, 101).await.generation, 3);
    assert_eq!(place.generations(), 2);
    let rows = "SELECT (SELECT count(*) FROM line_base) + (SELECT count(*) FROM unapplied)";
    assert_eq!(place.database.value(rows).as_deref(), Some("0"));
    assert_eq!(std::fs::read_dir(place.spill.path()).unwrap().count(), 0, "nothing of a load outlives it");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn look_ups_never_fail_while_generations_are_switched_and_removed() {
    const LINES: u64 = 500;
    let place = Place::new();
    let loader = place.open();
    load(&loader, 1, LINES).await;
    let settings = RegistrySettings { keep_replaced: Duration::ZERO, ..place.settings() };
    let node = Arc::new(place.open_with(settings));
    let over = Arc::new(AtomicBool::new(false));
    let asking = (0..8).map(|task| {
        let (node, over) = (Arc::clone(&node), Arc::clone(&over));
        tokio::spawn(async move {
            let (mut newest, mut asked) = (0, 0_u64);
            while !over.load(Ordering::Relaxed) {
                let n = (asked * 7 + task) % LINES;
                let found = imsi(&node, n).await.unwrap().as_u64() - sim(0, n).as_u64();
                let day = found / 1_000_000;
                assert_eq!(found % 1_000_000, 0, "a line has the SIM of a day");
                assert!(day >= newest, "no look-up goes back to a generation before");
                (newest, asked) = (day, asked + 1);
            }
            asked
        })
    });
    let asking: Vec<_> = asking.collect();
    for day in 2..12 {
        load(&loader, day, LINES).await;
    }
    over.store(true, Ordering::Relaxed);
    let mut asked = 0;
    for task in asking {
        asked += task.await.unwrap();
    }
    assert!(asked > 100, "{asked} look-ups");
}

#[tokio::test]
async fn a_replaced_generation_is_removed_after_a_while() {
    let place = Place::new();
    let settings = RegistrySettings { keep_replaced: Duration::from_millis(100), ..place.settings() };
    let node = place.open_with(settings);
    let loader = place.open();
    for day in [10, 11] {
        load(&loader, day, 100).await;
        assert_eq!(imsi(&node, 7).await, Some(sim(day, 7)));
    }
    let began = Instant::now();
    while place.generations() > 1 {
        assert!(began.elapsed() < Duration::from_secs(5), "it is still there");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(imsi(&node, 7).await, Some(sim(11, 7)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_look_ups_take_few_statements() {
    const LOOK_UPS: u64 = 4_000;
    let place = Place::new();
    for prepared in [true, false] {
        let database = DatabaseSettings { prepared, ..DatabaseSettings::new(&place.database.url()) };
        let node = Arc::new(open(database, place.settings()));
        if prepared {
            load(&node, 10, 1_000).await;
        }
        imsi(&node, 1).await;
        let before = node.look_up_statements();
        let asking: Vec<_> = (0..LOOK_UPS)
            .map(|n| {
                let node = Arc::clone(&node);
                tokio::spawn(async move { assert_eq!(imsi(&node, n % 1_000).await, Some(sim(10, n % 1_000))) })
            })
            .collect();
        for task in asking {
            task.await.unwrap();
        }
        let statements = node.look_up_statements() - before;
        assert!(statements <= LOOK_UPS / 20, "{statements} statements for {LOOK_UPS} look-ups");
    }
}

#[tokio::test]
async fn a_look_up_ends_by_its_deadline_and_the_next_one_works() {
    let place = Place::new();
    let look_up_timeout = Duration::from_millis(300);
    let node = place.open_with(RegistrySettings { look_up_timeout, ..place.settings() });
    load(&node, 10, 100).await;
    assert_eq!(imsi(&node, 7).await, Some(sim(10, 7)));
    let held = lock(&place, "LOCK TABLE line").await;
    for _ in 0..3 {
        let asked = Instant::now();
        let found = node.look_up(number(7)).await;
        assert!(matches!(found, Err(RegistryError::Unavailable(_) | RegistryError::Busy)), "{found:?}");
        assert!(asked.elapsed() < Duration::from_millis(900));
    }
    held.release().await;
    assert_eq!(imsi(&node, 7).await, Some(sim(10, 7)));
}

#[tokio::test]
async fn look_ups_go_on_after_every_connection_was_cut() {
    let place = Place::new();
    let node = place.open();
    load(&node, 10, 100).await;
    assert_eq!(imsi(&node, 7).await, Some(sim(10, 7)));
    place.database.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
         WHERE datname = current_database() AND pid <> pg_backend_pid()",
    );
    let others = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()";
    while place.database.value(others).as_deref() != Some("0") {
        tokio::task::yield_now().await;
    }
    // What is asked before the node has heard of it is lost, and says so.
    let cut = Instant::now();
    while let Err(error) = node.look_up(number(7)).await {
        assert!(matches!(error, RegistryError::Unavailable(_)), "{error}");
        assert!(cut.elapsed() < Duration::from_secs(2), "{error}");
    }
    assert_eq!(imsi(&node, 7).await, Some(sim(10, 7)));
    load(&node, 11, 100).await;
    assert_eq!(imsi(&node, 7).await, Some(sim(11, 7)));
}

#[tokio::test]
async fn too_many_look_ups_are_refused_at_once() {
    let place = Place::new();
    let node = Arc::new(place.open_with(RegistrySettings { look_ups_waiting_limit: 4, ..place.settings() }));
    load(&node, 10, 100).await;
    assert_eq!(imsi(&node, 7).await, Some(sim(10, 7)));
    let held = lock(&place, "LOCK TABLE line").await;
    let ask = |n| {
        let node = Arc::clone(&node);
        tokio::spawn(async move { node.look_up(number(n)).await })
    };
    let mut asking: Vec<_> = (0..3_000).map(|n| ask(n % 100)).collect();
    let mut refused = 0;
    // The last ones that came have no place, and are told so while all others wait for the lock.
    for task in asking.drain(2_500..) {
        refused += u32::from(matches!(task.await.unwrap(), Err(RegistryError::Busy)));
    }
    assert!(refused > 0);
    held.release().await;
    for task in asking {
        let found = task.await.unwrap();
        assert!(matches!(found, Ok(_) | Err(RegistryError::Unavailable(_) | RegistryError::Busy)), "{found:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nodes_that_record_at_once_lose_no_event_and_take_none_twice() {
    const BATCHES: u64 = 20;
    const EVENTS: u64 = 50;
    let place = Place::new();
    let nodes: Vec<_> = (0..3).map(|_| Arc::new(place.open())).collect();
    let recording = nodes.iter().map(|node| {
        let node = Arc::clone(node);
        tokio::spawn(async move {
            let mut accepted = 0;
            for batch in 0..BATCHES {
                let registered = |n: u64| {
                    let n = batch * EVENTS + n;
                    event(&format!("e{n}"), n, Happening::Registered(sim(1, n)))
                };
                let results = node.record((0..EVENTS).map(registered).collect(), at(NOW)).await.unwrap();
                accepted += results.iter().filter(|result| **result == FeedResult::Accepted).count() as u64;
            }
            accepted
        })
    });
    let mut accepted = 0;
    for task in recording.collect::<Vec<_>>() {
        accepted += task.await.unwrap();
    }
    assert_eq!(accepted, BATCHES * EVENTS);
    let status = nodes[0].status().await.unwrap();
    assert_eq!((status.events, status.lines, status.rejects), (BATCHES * EVENTS, BATCHES * EVENTS, 0));
    assert_eq!(nodes[2].scan(None, 2_000).await.unwrap().len() as u64, BATCHES * EVENTS);
}

#[tokio::test]
async fn no_row_reveals_an_imsi() {
    let place = Place::new();
    let registry = place.open();
    load(&registry, 10, 500).await;
    let of = EventText::parse("e1").unwrap();
    let corrected = Happening::Correction { of, imsi: Some(sim(3, 1)), new_msisdn: None };
    let items = vec![event("e1", 1, Happening::SimReplaced(sim(2, 1))), event("e2", 1, corrected)];
    assert_eq!(registry.record(items, at(NOW)).await.unwrap(), vec![FeedResult::Accepted; 2]);
    assert_eq!(imsi(&registry, 1).await, Some(sim(3, 1)));
    let all =
        "SELECT string_agg(row, ' ') FROM (SELECT l::text AS row FROM line l UNION ALL SELECT b::text FROM line_base b
        UNION ALL SELECT e::text FROM event e UNION ALL SELECT r::text FROM refused r) rows";
    let rows = place.database.value(all).unwrap();
    assert!(rows.contains(&number(1).as_u64().to_string()), "the search finds what is there");
    for imsi in [sim(10, 0), sim(10, 1), sim(10, 499), sim(2, 1), sim(3, 1)] {
        let value = imsi.as_u64();
        let little = value.swap_bytes();
        for trace in [value.to_string(), format!("{value:016x}"), format!("{little:016x}")] {
            assert!(!rows.contains(&trace), "a row shows an IMSI");
        }
    }
    let other_key = PostgresRegistry::open(
        Database::open(DatabaseSettings::new(&place.database.url())).unwrap(),
        place.settings(),
        RegistrySeal::new(&[8; 32]),
    );
    assert!(matches!(other_key.look_up(number(1)).await, Err(RegistryError::Bad(_))));
}
