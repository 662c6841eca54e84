//! How fast checks become durable: records a second, CPU per record and waiting times, for so many
//! checks under way at once; and how long the next start takes.
//!
//! `cargo run --release -p laini-store-sqlite --example ledger_bench -- [KEY=VALUE…]`
//! with `seconds` (5), `work_us` (0: CPU that each check burns beside the ledger, as a server's does),
//! `waiting` (1, 2, 8, 64, 512), `speed` (1: how many times faster the checks' own clock runs), `dir` (the system's directory for temporary files), or a number of [`LedgerSettings`].

use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use laini_core::store::{Ledger, verify_ledger};
use laini_store_sqlite::{LedgerSettings, SqliteLedger};
use laini_testkit::contract::ledger::{Desk, FixedDayKeys, QUESTION, Question, at, chain_key};

type Failure = Box<dyn std::error::Error>;

struct Plan {
    time: Duration,
    work: Duration,
    speed: u32,
    dir: PathBuf,
    waiting: Vec<u32>,
    ledger: LedgerSettings,
}

impl Plan {
    fn parse(arguments: impl Iterator<Item = String>) -> Result<Self, Failure> {
        let (time, dir) = (Duration::from_secs(5), std::env::temp_dir());
        let waiting = vec![1, 2, 8, 64, 512];
        let mut plan = Self { time, work: Duration::ZERO, speed: 1, dir, waiting, ledger: LedgerSettings::default() };
        for argument in arguments {
            let (key, value) = argument.split_once('=').ok_or("expected KEY=VALUE")?;
            match key {
                "seconds" => plan.time = Duration::from_secs(value.parse()?),
                "work_us" => plan.work = Duration::from_micros(value.parse()?),
                "speed" => plan.speed = value.parse()?,
                "dir" => plan.dir = value.into(),
                "waiting" => plan.waiting = vec![value.parse()?],
                "queue_limit" => plan.ledger.queue_limit = value.parse()?,
                "enough_for_a_commit" => plan.ledger.enough_for_a_commit = value.parse()?,
                "pause_us" => plan.ledger.pause_us = value.parse()?,
                "step_us" => plan.ledger.step_us = value.parse()?,
                "head_every_rows" => plan.ledger.head_every_rows = value.parse()?,
                "checkpoint_pages" => plan.ledger.checkpoint_pages = value.parse()?,
                _ => return Err(format!("no such key: {key}").into()),
            }
        }
        Ok(plan)
    }
}

fn main() -> Result<(), Failure> {
    let plan = Plan::parse(std::env::args().skip(1))?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let mut out = std::io::stdout();
    writeln!(out, "waiting  records/s  CPU us/record  p50 us  p99 us  p99.9 us  max us  bytes/row  start ms")?;
    for waiting in plan.waiting.clone() {
        let figures = runtime.block_on(measure(&plan, waiting))?;
        writeln!(out, "{figures}")?;
    }
    Ok(())
}

#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "figures for people"
)]
async fn measure(plan: &Plan, waiting: u32) -> Result<String, Failure> {
    let dir = tempfile::tempdir_in(&plan.dir)?;
    let (dir, time, work, speed) = (dir.path(), plan.time, plan.work, plan.speed);
    let ledger = SqliteLedger::open(dir, chain_key(), Arc::new(FixedDayKeys::default()), plan.ledger.clone())?;
    let ledger = Arc::new(ledger);
    let (desk, lines) = (Arc::new(Desk::default()), Arc::new(AtomicU32::new(0)));
    let (start, cpu) = (Instant::now(), cpu_time()?);
    let caller = |_| {
        let (ledger, desk, lines) = (Arc::clone(&ledger), Arc::clone(&desk), Arc::clone(&lines));
        tokio::spawn(async move {
            let mut waits = Vec::new();
            while start.elapsed() < time {
                let begun = Instant::now();
                while begun.elapsed() < work {
                    std::hint::spin_loop();
                }
                let line = lines.fetch_add(1, Ordering::Relaxed) % 100_000_000;
                let draft = desk.answered(Question { line, ..QUESTION }, now(start, speed));
                let asked = Instant::now();
                ledger.record(draft).await?;
                waits.push(u32::try_from(asked.elapsed().as_micros()).unwrap_or(u32::MAX));
            }
            Ok::<_, laini_core::store::LedgerError>(waits)
        })
    };
    let callers: Vec<_> = (0..waiting).map(caller).collect();
    let mut waits = Vec::new();
    for caller in callers {
        waits.extend(caller.await??);
    }
    let (elapsed, cpu) = (start.elapsed(), cpu_time()?.saturating_sub(cpu));
    drop(ledger);
    let begun = Instant::now();
    drop(SqliteLedger::open(dir, chain_key(), Arc::new(FixedDayKeys::default()), plan.ledger.clone())?);
    let start_time = begun.elapsed();
    waits.sort_unstable();
    let reader = SqliteLedger::open_beside(dir, Arc::new(FixedDayKeys::default()))?;
    let (rows, breaks) = verify_ledger(&reader, chain_key(), |_| {}).await?;
    if rows != waits.len() as u64 || !breaks.is_empty() {
        return Err(format!("{} recorded, {rows} found, broken: {breaks:?}", waits.len()).into());
    }
    let rank = |share: f64| waits[((waits.len() - 1) as f64 * share) as usize];
    let bytes = std::fs::metadata(dir.join("ledger.db"))?.len();
    Ok(format!(
        "{waiting:7}  {:9.0}  {:13.2}  {:6}  {:6}  {:8}  {:6}  {:9}  {:8}",
        rows as f64 / elapsed.as_secs_f64(),
        cpu.as_secs_f64() * 1e6 / rows as f64,
        rank(0.5),
        rank(0.99),
        rank(0.999),
        rank(1.0),
        bytes / rows,
        start_time.as_millis(),
    ))
}

fn now(start: Instant, speed: u32) -> Timestamp {
    at(0) + SignedDuration::try_from(start.elapsed() * speed).unwrap_or_default()
}

/// User and system time of this process, to 10 ms.
fn cpu_time() -> Result<Duration, Failure> {
    const TICK_MS: u64 = 10;
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    let fields = stat.rsplit(')').next().unwrap_or_default().split_whitespace();
    let ticks: u64 = fields.skip(11).take(2).map(|field| field.parse::<u64>().unwrap_or(0)).sum();
    Ok(Duration::from_millis(ticks * TICK_MS))
}
