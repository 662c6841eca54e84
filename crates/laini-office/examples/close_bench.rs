//! What the close of a month costs: time and memory, by how many rows the ledger has.
//!
//! `cargo run --release -p laini-office --example close_bench -- [KEY=VALUE…]`
//! with `rows` (10000000), `partners` (20), `dir` (the system's directory for temporary files).

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_executor::block_on;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use laini_core::Entropy;
use laini_core::access::{KeyTree, RootKey};
use laini_core::billing::{Band, Currency, FreeUnits, Money, Month, Price};
use laini_core::disclosure::Windows;
use laini_core::partner::{Agreement, AgreementId, Partner, PartnerId, Product, Purpose};
use laini_core::store::{AccountStore as _, AuditEntry, Draft, Ledger as _, Submission, Submitted};
use laini_office::billing::{CountedDays, close_month, invoice_rows, invoices, verify_invoice};
use laini_office::{Actor, Office, OfficeSettings, PageRequest};
use laini_store_sqlite::{LedgerSettings, SqliteAccounts, SqliteLedger};
use laini_testkit::contract::ledger::{Desk, FixedDayKeys, QUESTION, Question, app};

type Failure = Box<dyn std::error::Error>;

/// Checks that are committed together.
const ROWS_PER_COMMIT: u64 = 5_000;
/// Distinct numbers.
const LINES: u64 = 100_000_000;

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
    let agreements = add_partners(&accounts, partners, month.begins(&zone))?;
    let begun = Instant::now();
    fill(dir.path(), &keys, &agreements, rows, (month.begins(&zone), month.ends(&zone)))?;
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
        keys,
        entropy: Arc::new(NoEntropy),
        settings: OfficeSettings::new("Test Mobile", zone, Currency::KES),
        counted: CountedDays::default(),
    };
    measured("closed", rows, || {
        let report = close_month(&office, &Actor::System, month, now, false)?;
        Ok(format!("{} invoices", report.made))
    })?;
    let page = PageRequest { after: None, limit: 1 };
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

/// Partners with an agreement each: flat, with a minimum, and with free units and bands.
fn add_partners(accounts: &SqliteAccounts, partners: u64, from: Timestamp) -> Result<Vec<Agreement>, Failure> {
    let kes = |minor| Money::new(minor, Currency::KES);
    let bands = vec![Band { up_to: Some(10_000), unit_minor: 100 }, Band { up_to: None, unit_minor: 80 }];
    let swap = Price { free: FreeUnits::PerMonth(1_000), set_up_minor: 5_000_000, bands, ..Price::flat(1, kes(100)) };
    let age = Price { monthly_minimum_minor: 10_000, ..Price::flat(1, kes(400)) };
    let prices = vec![(Product::Imsi, Price::flat(1, kes(2_000))), (Product::Swap, swap), (Product::Age, age)];
    let mut agreements = Vec::new();
    for number in 1..=partners {
        let partner = PartnerId::from_stored(number);
        let agreement = Agreement {
            id: AgreementId::from_stored(number),
            partner,
            valid_from: from,
            valid_until: None,
            windows: Windows::default(),
            prices: prices.clone(),
            pass_hashed_imsi: false,
            purposes: vec![Purpose::FraudPrevention],
            exact_times: false,
        };
        let audit = AuditEntry {
            at: from,
            actor: "bench".to_owned(),
            action: "partner.add".to_owned(),
            target: partner.to_string(),
            reason: String::new(),
            partner: Some(partner),
        };
        block_on(accounts.add_partner(Partner::new(partner, format!("Bank {number}")), agreement.clone(), audit))?;
        agreements.push(agreement);
    }
    Ok(agreements)
}

/// Records checks through the engine itself, evenly over the month: chained and sealed as any.
fn fill(
    dir: &Path,
    keys: &KeyTree,
    agreements: &[Agreement],
    rows: u64,
    (begins, ends): (Timestamp, Timestamp),
) -> Result<(), Failure> {
    let (days, settings) = (Arc::new(FixedDayKeys::default()), LedgerSettings::default());
    let ledger = SqliteLedger::open(dir, keys.chain(), days, settings)?;
    let desk = Desk::default();
    let month_us = ends.as_microsecond() - begins.as_microsecond();
    let draft = |number: u64| -> Result<Draft, Failure> {
        let of = usize::try_from(number)? % agreements.len();
        let agreement = &agreements[of];
        let product = Product::ALL[usize::try_from(number / 7)? % Product::ALL.len()];
        let after_us = i64::try_from(u128::from(number) * u128::try_from(month_us)? / u128::from(rows))?;
        let question =
            Question { product, line: u32::try_from(number % LINES)?, app: app(agreement.id.as_u64()), ..QUESTION };
        let (_, price) =
            agreement.prices.iter().find(|(priced, _)| *priced == product).ok_or("a product has no price")?;
        let draft = desk.answered(question, begins + SignedDuration::from_micros(after_us));
        Ok(Draft { partner: agreement.partner, agreement: Some(agreement.id), price: price.stamp(), ..draft })
    };
    let mut next = 0;
    while next < rows {
        let until = rows.min(next + ROWS_PER_COMMIT);
        let drafts = (next..until).map(draft).collect::<Result<_, _>>()?;
        match block_on(ledger.submit(Submission { drafts, ..Submission::default() }))? {
            Submitted::Recorded(..) => next = until,
            Submitted::Answered(..) => return Err("nothing was asked under a key".into()),
        }
    }
    Ok(())
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
