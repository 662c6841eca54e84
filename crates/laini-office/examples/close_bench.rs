//! What the close of a month costs: time and memory, by how many rows the ledger has.
//!
//! `cargo run --release -p laini-office --example close_bench -- [KEY=VALUE…]`
//! with `rows` (10000000), `partners` (20), `dir` (the system's directory for temporary files).

use std::io::Write as _;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_executor::block_on;
use jiff::SignedDuration;
use jiff::tz::TimeZone;
use laini_core::Entropy;
use laini_core::access::{KeyTree, RootKey};
use laini_core::billing::{Currency, Month};
use laini_office::billing::{CountedDays, close_month, invoice_rows, invoices, verify_invoice};
use laini_office::{Actor, Office, OfficeSettings, PageRequest};
use laini_store_sqlite::{LedgerSettings, SqliteAccounts, SqliteLedger};
use laini_testkit::contract::ledger::FixedDayKeys;
use laini_testkit::traffic::{Failure, add_partners, record};

/// Nothing that is drawn here has to be random.
struct NoEntropy;

impl Entropy for NoEntropy {
    fn fill(&self, bytes: &mut [u8]) {
        bytes.fill(7);
    }
}

fn main() -> Result<(), Failure> {
    let (mut rows, mut partners, mut dir) = (10_000_000, 20, std::env::temp_dir());
    for argument in std::env::args().skip(1) {
        match argument.split_once('=').ok_or("expected KEY=VALUE")? {
            ("rows", value) => rows = value.parse()?,
            ("partners", value) => partners = value.parse()?,
            ("dir", value) => dir = PathBuf::from(value),
            (key, _) => return Err(format!("no such key: {key}").into()),
        }
    }
    let dir = tempfile::tempdir_in(dir)?;
    let zone = TimeZone::get("Africa/Nairobi")?;
    let month = Month::parse("2026-11")?;
    let keys = Arc::new(KeyTree::new(RootKey::new([7; 32])));
    let accounts = Arc::new(SqliteAccounts::open(dir.path())?);
    let agreements = block_on(add_partners(&*accounts, partners, month.begins(&zone)))?;
    let begun = Instant::now();
    let days = Arc::new(FixedDayKeys::default());
    let ledger = SqliteLedger::open(dir.path(), keys.chain(), days, LedgerSettings::default())?;
    block_on(record(&ledger, &agreements, rows, (month.begins(&zone), month.ends(&zone))))?;
    drop(ledger);
    told(&format!("{rows} checks of {partners} partners recorded in {:.1} s", begun.elapsed().as_secs_f64()))?;

    let now = month.ends(&zone) + SignedDuration::from_hours(6);
    let ledger = Arc::new(SqliteLedger::open_beside(dir.path(), Arc::new(FixedDayKeys::default()))?);
    let office = Office {
        store: Arc::clone(&accounts) as _,
        refusals: Arc::clone(&accounts) as _,
        accounts,
        outbox: Arc::clone(&ledger) as _,
        ledger,
        registry: None,
        subjects: None,
        keys,
        entropy: Arc::new(NoEntropy),
        settings: OfficeSettings::new("Test Mobile", zone, Currency::KES),
        counted: CountedDays::default(),
        jobs: laini_office::jobs::Jobs::default(),
    };
    measured("closed", rows, || {
        let report = close_month(&office, &Actor::System, month, now, false)?;
        Ok(format!("{} invoices", report.made))
    })?;
    let page = PageRequest { limit: 1, ..PageRequest::FIRST };
    let found = office.run(&Actor::System, now, |work| invoices(work, None, page))?;
    let invoice = found.items.first().ok_or("no invoice was made")?;
    measured("one invoice verified", rows, || {
        let done = verify_invoice(&office, invoice)?;
        Ok(format!("{} units, {} differences", done.units, done.differences.len()))
    })?;
    let lines = &invoice.statement.lines;
    let line = lines.iter().max_by_key(|line| line.units).ok_or("an invoice without lines")?;
    measured("its longest line told row by row", rows, || {
        let mut told = 0u64;
        invoice_rows(&office, invoice, Some(line.line), |_| {
            told += 1;
            Ok(())
        })?;
        Ok(format!("{told} rows of {} units", line.units))
    })
}

/// Does it, and tells how long it took over the rows of the ledger, and how much memory at most.
#[expect(clippy::cast_precision_loss, reason = "figures for people")]
fn measured(what: &str, rows: u64, work: impl FnOnce() -> Result<String, Failure>) -> Result<(), Failure> {
    // The kernel begins anew to look for the most.
    std::fs::write("/proc/self/clear_refs", "5")?;
    let before = memory_mib("VmRSS:")?;
    let (begun, cpu_before) = (Instant::now(), cpu_time()?);
    let done = work()?;
    let (took, cpu) = (begun.elapsed().as_secs_f64(), cpu_time()?.saturating_sub(cpu_before).as_secs_f64());
    let (per_second, peak) = (rows as f64 / took, memory_mib("VmHWM:")?);
    told(&format!(
        "{what}: {done}, {took:.1} s ({cpu:.1} s of CPU), {per_second:.0} rows/s, \
         {before} MiB before, {peak} MiB at most"
    ))
}

/// User and system time of this process, to 10 ms.
fn cpu_time() -> Result<Duration, Failure> {
    const TICK_MS: u64 = 10;
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    let fields = stat.rsplit(')').next().unwrap_or_default().split_whitespace();
    let ticks: u64 = fields.skip(11).take(2).map(|field| field.parse::<u64>().unwrap_or(0)).sum();
    Ok(Duration::from_millis(ticks * TICK_MS))
}

fn told(line: &str) -> Result<(), Failure> {
    Ok(writeln!(std::io::stdout(), "{line}")?)
}

/// How much memory this process has, or had.
fn memory_mib(field: &str) -> Result<u64, Failure> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix(field)).ok_or("no such field")?;
    let kib: u64 = line.trim().trim_end_matches(" kB").parse()?;
    Ok(kib / 1024)
}
