//! Measures the registry: `cargo run --release -p laini-store-sqlite --example registry_bench -- LINES [DIR]`.
//!
//! Loads a shuffled snapshot of LINES lines twice (the second one settles each row against the first),
//! looks lines up at random on one thread and on two, and records events in batches.

#![expect(clippy::print_stdout, reason = "a program that reports to its caller")]

use std::error::Error;
use std::future::Future;
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::Instant;

use jiff::{SignedDuration, Timestamp};
use laini_core::line::{
    ContractType, Event, EventKey, EventText, Happening, Imsi, LineStatus, Msisdn, RegistrySeal, SnapshotRow, Swap,
    SwapCause,
};
use laini_core::store::{FeedItem, Registry, RegistryFeed, SnapshotPlan};
use laini_store_sqlite::{RegistrySettings, SqliteRegistry};

type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

const ROWS_PER_PUSH: u64 = 10_000;
const LOOK_UPS: u64 = 1_000_000;
const EVENTS: u64 = 50_000;
const EVENTS_PER_BATCH: u64 = 1_000;

fn main() -> Outcome<()> {
    let mut arguments = std::env::args().skip(1);
    let lines: u64 = arguments.next().map_or(Ok(1_000_000), |lines| lines.parse())?;
    let dir = arguments.next().map_or_else(|| std::env::temp_dir().join("laini-registry-bench"), PathBuf::from);
    let registry = SqliteRegistry::open(RegistrySettings::new(&dir), RegistrySeal::new(&[7; 32]))?;
    load(&registry, lines, 1, "first snapshot")?;
    let bytes = size(&dir)?;
    println!("size: {bytes} bytes, {:.1} a line", ratio(bytes, lines));
    load(&registry, lines, 2, "second snapshot")?;
    look_up(&registry, lines, 1)?;
    look_up(&registry, lines, 2)?;
    record(&registry, lines)?;
    look_up(&registry, lines, 1)?;
    drop(registry);
    Ok(std::fs::remove_dir_all(&dir)?)
}

/// CPU time of this process so far, in seconds: what other load on the machine does not change much.
fn cpu_seconds() -> Outcome<f64> {
    const TICKS_PER_SECOND: f64 = 100.0;
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    // After the name in parentheses: user and system ticks are the 12th and 13th fields.
    let fields = stat.rsplit(')').next().unwrap_or_default().split_whitespace();
    let ticks = fields.skip(11).take(2).map(str::parse::<f64>).sum::<Result<f64, _>>()?;
    Ok(ticks / TICKS_PER_SECOND)
}

/// The engine answers at once: nothing here ever waits.
fn now<T>(future: impl Future<Output = T>) -> Outcome<T> {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => Ok(value),
        Poll::Pending => Err("the engine did not answer at once".into()),
    }
}

fn load(registry: &SqliteRegistry, lines: u64, day: i64, what: &str) -> Outcome<()> {
    let cut = Timestamp::from_second(1_790_000_000 + day * 86_400)?;
    let plan = SnapshotPlan { cut: Some(cut), history_since: None, has_swaps: true, allow_shrink: true, now: cut };
    let mut making = std::time::Duration::ZERO;
    let cpu = cpu_seconds()?;
    let started = Instant::now();
    let mut load = now(registry.begin_snapshot(plan))??;
    for from in (0..lines).step_by(ROWS_PER_PUSH.try_into()?) {
        let made = Instant::now();
        let until = lines.min(from + ROWS_PER_PUSH);
        let rows = (from..until).map(|n| row(shuffled(n, lines))).collect::<Outcome<Vec<_>>>()?;
        making += made.elapsed();
        now(load.push(rows))??;
    }
    let pushing = started.elapsed().saturating_sub(making);
    let finish = Instant::now();
    now(load.finish(&|_| {}))??;
    let whole = pushing + finish.elapsed();
    println!(
        "{what}: {:.0} lines/s (push {:.2} s, finish {:.2} s; CPU {:.2} µs a line with the making of rows)",
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

fn look_up(registry: &SqliteRegistry, lines: u64, threads: u64) -> Outcome<()> {
    let started = Instant::now();
    let ask = |seed: u64| -> Outcome<()> {
        let mut at = seed;
        for _ in 0..LOOK_UPS {
            // The constants of Knuth's MMIX.
            at = at.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let found = now(registry.look_up(number((at >> 16) % lines)?))??;
            if found.state.line.is_none() {
                return Err("a line is missing".into());
            }
        }
        Ok(())
    };
    // Once to bring the pages in.
    ask(1)?;
    let (warm, cpu) = (Instant::now(), cpu_seconds()?);
    std::thread::scope(|scope| {
        let asking: Vec<_> = (0..threads).map(|thread| scope.spawn(move || ask(thread + 2))).collect();
        asking.into_iter().try_for_each(|thread| thread.join().map_err(|_| "a thread panicked")?)
    })?;
    println!(
        "look-up, {threads} thread(s): {:.2} µs each warm, {:.2} µs of CPU (first round {:.2} µs)",
        warm.elapsed().as_secs_f64() * 1e6 / ratio(LOOK_UPS, 1),
        (cpu_seconds()? - cpu) * 1e6 / ratio(LOOK_UPS * threads, 1),
        (warm - started).as_secs_f64() * 1e6 / ratio(LOOK_UPS, 1)
    );
    Ok(())
}

fn record(registry: &SqliteRegistry, lines: u64) -> Outcome<()> {
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
        now(registry.record(items.collect::<Outcome<_>>()?, at))??;
    }
    println!("events: {:.0} a second", ratio(EVENTS, 1) / started.elapsed().as_secs_f64());
    Ok(())
}

fn size(dir: &Path) -> Outcome<u64> {
    let mut bytes = 0;
    for entry in std::fs::read_dir(dir)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.starts_with("registry-") && name != "registry-events.db" {
            bytes += entry.metadata()?.len();
        }
    }
    Ok(bytes)
}

#[expect(clippy::cast_precision_loss, reason = "figures for people")]
fn ratio(amount: u64, of: u64) -> f64 {
    amount as f64 / of as f64
}
