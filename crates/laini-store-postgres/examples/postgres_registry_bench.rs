//! Measures the registry: `cargo run --release -p laini-store-postgres --example postgres_registry_bench -- LINES URL`.
//!
//! Loads a shuffled snapshot of LINES lines twice (the second one settles each row against the first),
//! looks lines up at random from many tasks at once, and records events in batches. The database at URL
//! is to be empty; what was loaded stays there.

#![expect(clippy::print_stdout, reason = "a program that reports to its caller")]

use std::error::Error;
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use laini_core::line::{
    ContractType, Event, EventKey, EventText, Happening, Imsi, LineStatus, Msisdn, RegistrySeal, SnapshotRow, Swap,
    SwapCause,
};
use laini_core::store::{FeedItem, Registry, RegistryFeed, SnapshotPlan};
use laini_store_postgres::{Database, DatabaseSettings, PostgresRegistry, RegistrySettings};

type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

const ROWS_PER_PUSH: u64 = 10_000;
const LOOK_UPS: u64 = 200_000;
const EVENTS: u64 = 50_000;
const EVENTS_PER_BATCH: u64 = 1_000;

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() -> Outcome<()> {
    let mut arguments = std::env::args().skip(1);
    let lines: u64 = arguments.next().map_or(Ok(1_000_000), |lines| lines.parse())?;
    let url = arguments.next().ok_or("the URL of an empty database is needed")?;
    let dir = std::env::temp_dir().join("laini-registry-bench");
    let database = Database::open(DatabaseSettings::new(&url))?;
    let registry = Arc::new(PostgresRegistry::open(database, RegistrySettings::new(&dir), RegistrySeal::new(&[7; 32])));
    load(&*registry, lines, 1, "first snapshot").await?;
    load(&*registry, lines, 2, "second snapshot").await?;
    for tasks in [1, 8, 64, 512] {
        look_up(&registry, lines, tasks).await?;
    }
    record(&*registry, lines).await?;
    look_up(&registry, lines, 64).await?;
    Ok(std::fs::remove_dir_all(&dir)?)
}

/// CPU time of this process so far, in seconds.
fn cpu_seconds() -> Outcome<f64> {
    const TICKS_PER_SECOND: f64 = 100.0;
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    // After the name in parentheses: user and system ticks are the 12th and 13th fields.
    let fields = stat.rsplit(')').next().unwrap_or_default().split_whitespace();
    let ticks = fields.skip(11).take(2).map(str::parse::<f64>).sum::<Result<f64, _>>()?;
    Ok(ticks / TICKS_PER_SECOND)
}

async fn load(registry: &dyn RegistryFeed, lines: u64, day: i64, what: &str) -> Outcome<()> {
    let cut = Timestamp::from_second(1_790_000_000 + day * 86_400)?;
    let plan = SnapshotPlan { cut: Some(cut), history_since: None, has_swaps: true, allow_shrink: true, now: cut };
    let mut making = Duration::ZERO;
    let cpu = cpu_seconds()?;
    let started = Instant::now();
    let mut load = registry.begin_snapshot(plan).await?;
    for from in (0..lines).step_by(ROWS_PER_PUSH.try_into()?) {
        let made = Instant::now();
        let until = lines.min(from + ROWS_PER_PUSH);
        let rows = (from..until).map(|n| row(shuffled(n, lines))).collect::<Outcome<Vec<_>>>()?;
        making += made.elapsed();
        load.push(rows).await?;
    }
    let pushing = started.elapsed().saturating_sub(making);
    let finish = Instant::now();
    load.finish(&|_| {}).await?;
    let whole = pushing + finish.elapsed();
    println!(
        "{what}: {:.0} lines/s (push {:.2} s, finish {:.2} s; CPU of the node {:.2} µs a line)",
        ratio(lines, 1) / whole.as_secs_f64(),
        pushing.as_secs_f64(),
        finish.elapsed().as_secs_f64(),
        (cpu_seconds()? - cpu) * 1e6 / ratio(lines, 1)
    );
    Ok(())
}

/// Each number below `lines` once, in no order.
fn shuffled(n: u64, lines: u64) -> u64 {
    const PRIME: u64 = 2_147_483_647;
    n * PRIME % lines
}

fn number(n: u64) -> Outcome<Msisdn> {
    Msisdn::from_stored(254_700_000_000 + n).ok_or_else(|| "more lines than numbers".into())
}

fn row(n: u64) -> Outcome<SnapshotRow> {
    let second = |n: u64| Timestamp::from_second(1_400_000_000 + i64::try_from(n % 300_000_000).unwrap_or(0));
    let swap = Swap { at: second(n * 7_919)?, cause: SwapCause::Replacement };
    Ok(SnapshotRow {
        msisdn: number(n)?,
        imsi: Imsi::from_stored(639_020_000_000_000 + n).ok_or("more lines than SIMs")?,
        registered: second(n * 104_729)?,
        last_swap: Some(n.is_multiple_of(3).then_some(swap)),
        status: LineStatus::Active,
        contract: Some(ContractType::Payg),
        holder_since: None,
        hashed_imsi: None,
    })
}

async fn look_up(registry: &Arc<PostgresRegistry>, lines: u64, tasks: u64) -> Outcome<()> {
    let (started, cpu, statements) = (Instant::now(), cpu_seconds()?, registry.look_up_statements());
    let mut asking = Vec::new();
    for task in 0..tasks {
        let registry = Arc::clone(registry);
        asking.push(tokio::spawn(async move {
            let mut at = task + 2;
            for _ in 0..LOOK_UPS / tasks {
                // The constants of Knuth's MMIX.
                at = at.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                let found = registry.look_up(number((at >> 16) % lines)?).await?;
                found.state.line.ok_or("a line is missing")?;
            }
            Outcome::Ok(())
        }));
    }
    for task in asking {
        task.await??;
    }
    println!(
        "look-up, {tasks} at once: {:.0} a second, {:.1} µs of the node's CPU, {:.1} to a statement",
        ratio(LOOK_UPS, 1) / started.elapsed().as_secs_f64(),
        (cpu_seconds()? - cpu) * 1e6 / ratio(LOOK_UPS, 1),
        ratio(LOOK_UPS, registry.look_up_statements() - statements)
    );
    Ok(())
}

async fn record(registry: &dyn RegistryFeed, lines: u64) -> Outcome<()> {
    let at = Timestamp::from_second(1_790_000_000 + 3 * 86_400)?;
    let started = Instant::now();
    for from in (0..EVENTS).step_by(EVENTS_PER_BATCH.try_into()?) {
        let items = (from..from + EVENTS_PER_BATCH).map(|n| -> Outcome<FeedItem> {
            Ok(FeedItem::Event(Event {
                key: EventKey { id: EventText::parse(&format!("e{n}"))?, source: EventText::default_source() },
                at: at + SignedDuration::from_secs(i64::try_from(n)?),
                recorded: at,
                msisdn: Some(number(shuffled(n, lines))?),
                happening: Happening::SimReplaced(Imsi::from_stored(639_030_000_000_000 + n).ok_or("too many SIMs")?),
            }))
        });
        registry.record(items.collect::<Outcome<_>>()?, at).await?;
    }
    println!("events: {:.0} a second", ratio(EVENTS, 1) / started.elapsed().as_secs_f64());
    Ok(())
}

#[expect(clippy::cast_precision_loss, reason = "figures for people")]
fn ratio(amount: u64, of: u64) -> f64 {
    amount as f64 / of as f64
}
