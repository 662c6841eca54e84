use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use jiff::Timestamp;
use laini_core::line::{
    ContractType, Event, EventKey, EventText, Happening, Imsi, LineStatus, Msisdn, RegistrySeal, SnapshotRow, Swap,
    SwapCause,
};
use laini_core::store::{
    FeedItem, FeedResult, Registry as _, RegistryError, RegistryFeed as _, SnapshotPlan, SnapshotSummary,
};
use laini_store_sqlite::{RegistrySettings, SqliteRegistry};
use laini_testkit::contract::registry::RegistryPlace;
use tempfile::TempDir;

/// A directory of its own; few rows in memory, so that every larger load spills.
struct Place(TempDir);

impl Place {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }
}

impl RegistryPlace for Place {
    type Handle = SqliteRegistry;

    fn open_requiring(&self, required_feeds: Vec<EventText>) -> SqliteRegistry {
        let settings = RegistrySettings { required_feeds, sort_chunk_rows: 64, ..RegistrySettings::new(self.0.path()) };
        SqliteRegistry::open(settings, RegistrySeal::new(&[7; 32])).unwrap()
    }
}

laini_testkit::registry_contract!(Place::new());

const CUT: &str = "2026-11-21T01:00:00Z";
const NOW: &str = "2026-11-22T09:00:00Z";

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn number(n: u64) -> Msisdn {
    Msisdn::from_stored(254_722_000_000 + n).unwrap()
}

fn sim(n: u64) -> Imsi {
    Imsi::from_stored(639_021_234_500_000 + n).unwrap()
}

fn row(n: u64) -> SnapshotRow {
    SnapshotRow {
        msisdn: number(n),
        imsi: sim(n),
        registered: Timestamp::from_second(1_400_000_000 + i64::try_from(n).unwrap()).unwrap(),
        last_swap: Some(n.is_multiple_of(3).then(|| Swap { at: at("2026-10-01T00:00:00Z"), cause: SwapCause::Esim })),
        status: LineStatus::Active,
        contract: Some(ContractType::Payg),
        holder_since: None,
        hashed_imsi: None,
    }
}

fn event(id: &str, n: u64, happening: Happening) -> Event {
    let key = EventKey { id: EventText::parse(id).unwrap(), source: EventText::default_source() };
    Event { key, at: at(NOW), recorded: at(NOW), msisdn: Some(number(n)), happening }
}

fn plan() -> SnapshotPlan {
    SnapshotPlan { cut: Some(at(CUT)), history_since: None, has_swaps: true, allow_shrink: false, now: at(NOW) }
}

async fn load(registry: &SqliteRegistry, lines: u64) -> SnapshotSummary {
    let mut load = registry.begin_snapshot(plan()).await.unwrap();
    load.push((0..lines).map(row).collect()).await.unwrap();
    load.finish(&|_| {}).await.unwrap()
}

async fn record(registry: &SqliteRegistry, events: Vec<Event>) -> Vec<FeedResult> {
    registry.record(events.into_iter().map(FeedItem::Event).collect(), at(NOW)).await.unwrap()
}

async fn imsi(registry: &SqliteRegistry, n: u64) -> Option<Imsi> {
    registry.look_up(number(n)).await.unwrap().state.line.and_then(|line| line.sim.imsi())
}

/// Every file below a directory.
fn files(dir: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

/// Whether any file holds an IMSI as digits or as an integer of either byte order.
fn reveals(dir: &Path, imsi: Imsi) -> bool {
    // The highest of the eight bytes is 0, and SQLite may leave it out.
    let (big, little) = (imsi.as_u64().to_be_bytes(), imsi.as_u64().to_le_bytes());
    let traces: [&[u8]; 3] = [&imsi.ascii(), &big[1..], &little[..7]];
    files(dir).iter().any(|path| {
        let bytes = fs::read(path).unwrap();
        traces.iter().any(|trace| memchr::memmem::find(&bytes, trace).is_some())
    })
}

#[tokio::test]
async fn no_file_reveals_an_imsi() {
    let place = Place::new();
    let registry = place.open();
    let mut half = registry.begin_snapshot(plan()).await.unwrap();
    half.push((0..500).map(row).collect()).await.unwrap();
    let spilled = files(&place.0.path().join("registry-loading"));
    assert!(spilled.len() > 5, "the rows were spilled");
    for n in 0..500 {
        assert!(!reveals(place.0.path(), sim(n)), "a spilled row shows its IMSI");
    }
    half.finish(&|_| {}).await.unwrap();
    let of = EventText::parse("e1").unwrap();
    let corrected = Happening::Correction { of, imsi: Some(sim(900)), new_msisdn: None };
    let events = vec![
        event("e1", 1, Happening::SimReplaced(sim(700))),
        Event { msisdn: None, ..event("e2", 1, corrected) },
        event("e3", 600, Happening::Registered(sim(800))),
    ];
    assert_eq!(record(&registry, events).await, vec![FeedResult::Accepted; 3]);
    assert_eq!(imsi(&registry, 1).await, Some(sim(900)));
    for n in [0, 1, 250, 499, 700, 800, 900] {
        assert!(!reveals(place.0.path(), sim(n)), "a database shows an IMSI");
    }
    fs::write(place.0.path().join("proof"), sim(3).ascii()).unwrap();
    assert!(reveals(place.0.path(), sim(3)), "the search finds what is there");

    let other_key = SqliteRegistry::open(RegistrySettings::new(place.0.path()), RegistrySeal::new(&[8; 32])).unwrap();
    assert!(matches!(other_key.look_up(number(1)).await, Err(RegistryError::Bad(_))));
}

#[tokio::test]
async fn a_line_costs_at_most_48_bytes() {
    const LINES: u64 = 200_000;
    let place = Place::new();
    let settings = RegistrySettings::new(place.0.path());
    let registry = SqliteRegistry::open(settings, RegistrySeal::new(&[7; 32])).unwrap();
    load(&registry, LINES).await;
    let bytes = fs::metadata(place.0.path().join("registry-1.db")).unwrap().len();
    assert!(bytes <= 48 * LINES, "{bytes} bytes for {LINES} lines");
}

#[tokio::test]
async fn what_a_killed_load_left_is_removed() {
    let place = Place::new();
    let registry = place.open();
    load(&registry, 10).await;
    let loading = place.0.path().join("registry-loading");
    fs::create_dir(&loading).unwrap();
    for left in ["registry-loading/run-0", "registry-loading/generation.db", "registry-2.db", "registry-2.db-wal"] {
        fs::write(place.0.path().join(left), "left behind").unwrap();
    }
    let unrelated = place.0.path().join("registry-extract.db");
    fs::write(&unrelated, "somebody's").unwrap();
    assert_eq!(place.open().status().await.unwrap().lines, 10);
    let summary = load(&registry, 11).await;
    assert_eq!((summary.lines, summary.lines_before), (11, 10));
    assert_eq!(imsi(&place.open(), 10).await, Some(sim(10)));
    assert!(!loading.exists());
    let databases = |path: &PathBuf| path.extension().is_some_and(|extension| extension == "db");
    let mut left: Vec<_> = files(place.0.path()).into_iter().filter(databases).collect();
    left.sort();
    let names: Vec<_> = left.iter().map(|path| path.file_name().unwrap().to_str().unwrap()).collect();
    assert_eq!(names, ["registry-2.db", "registry-events.db", "registry-extract.db"]);
}

/// A kill between the two commits of a batch: the history has the event, the generation has not.
#[tokio::test]
async fn the_next_writer_heals_a_torn_batch() {
    let place = Place::new();
    let generation = place.0.path().join("registry-1.db");
    load(&place.open(), 10).await;
    let before = fs::read(&generation).unwrap();
    record(&place.open(), vec![event("e1", 1, Happening::SimReplaced(sim(700)))]).await;
    assert_eq!(imsi(&place.open(), 1).await, Some(sim(700)));

    // The last one who had it open has written the WAL into it, or it was a reader and could not.
    for file in ["registry-1.db-wal", "registry-1.db-shm"] {
        let _ = fs::remove_file(place.0.path().join(file));
    }
    fs::write(&generation, before).unwrap();
    let registry = place.open();
    assert_eq!(imsi(&registry, 1).await, Some(sim(1)));
    let heartbeat = FeedItem::Heartbeat { source: EventText::default_source(), until: at(NOW) };
    registry.record(vec![heartbeat], at(NOW)).await.unwrap();
    assert_eq!(imsi(&registry, 1).await, Some(sim(700)));
}

/// The same, where the history has a row that could not be read: before its line is in doubt, the as-of does
/// not move, or the line would be told as it was before.
#[tokio::test]
async fn the_as_of_waits_for_refused_rows() {
    let place = Place::new();
    let generation = place.0.path().join("registry-1.db");
    load(&place.open(), 10).await;
    let before = fs::read(&generation).unwrap();
    let unread = FeedItem::Refused {
        place: "line 1".to_owned(),
        msisdn: Some(number(1)),
        new_msisdn: None,
        at: Some(at(NOW)),
        reason: "an IMSI has exactly 15 digits".to_owned(),
        line: None,
    };
    let heartbeat = || FeedItem::Heartbeat { source: EventText::default_source(), until: at(NOW) };
    place.open().record(vec![unread, heartbeat()], at(NOW)).await.unwrap();
    for file in ["registry-1.db-wal", "registry-1.db-shm"] {
        let _ = fs::remove_file(place.0.path().join(file));
    }
    fs::write(&generation, before).unwrap();
    let registry = place.open();
    let found = registry.look_up(number(1)).await.unwrap();
    assert_eq!((found.state.source_rejected, found.horizon.as_of), (false, Some(at(CUT))));
    registry.record(vec![heartbeat()], at(NOW)).await.unwrap();
    let found = registry.look_up(number(1)).await.unwrap();
    assert_eq!((found.state.source_rejected, found.horizon.as_of), (true, Some(at(NOW))));
}

/// Readers that follow each other without a gap must not keep the WAL from starting over.
#[test]
fn the_wal_stays_small_under_constant_look_ups() {
    const WAL_BYTES: u64 = 40 << 20;
    let place = Place::new();
    let registry = SqliteRegistry::open(RegistrySettings::new(place.0.path()), RegistrySeal::new(&[7; 32])).unwrap();
    let runtime = || tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime().block_on(load(&registry, 100_000));
    let stop = AtomicBool::new(false);
    let reader = place.open();
    let largest = std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                let runtime = runtime();
                while !stop.load(Ordering::Relaxed) {
                    runtime.block_on(reader.look_up(number(1))).unwrap();
                }
            });
        }
        let runtime = runtime();
        let mut largest = 0;
        for batch in 0..40 {
            let replace =
                |n: u64| event(&format!("{batch}-{n}"), n * 100 + batch, Happening::SimReplaced(sim(n + 200_000)));
            runtime.block_on(record(&registry, (0..1_000).map(replace).collect()));
            largest = largest.max(fs::metadata(place.0.path().join("registry-1.db-wal")).unwrap().len());
        }
        stop.store(true, Ordering::Relaxed);
        largest
    });
    assert!(largest > 8 << 20, "the WAL was put to the test: {largest} bytes");
    assert!(largest < WAL_BYTES, "the WAL grew to {largest} bytes");
}

#[test]
fn a_broken_pointer_is_said_at_once() {
    let place = Place::new();
    fs::write(place.0.path().join("registry-current"), "two\n").unwrap();
    let opened = SqliteRegistry::open(RegistrySettings::new(place.0.path()), RegistrySeal::new(&[7; 32]));
    assert_eq!(opened.err().unwrap().to_string(), "registry-current: expected the number of a generation");
}
