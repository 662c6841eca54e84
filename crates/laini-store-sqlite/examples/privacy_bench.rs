//! What privacy costs: finding who asked about one number among many checks, writing a report of all of them, and carrying
//! many restrictions.
//!
//! `cargo run --release -p laini-store-sqlite --example privacy_bench -- [KEY=VALUE…]`
//! with `rows` (10000000), `restrictions` (1000000), `dir` (the system's directory for temporary files).

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use jiff::SignedDuration;
use laini_core::line::{LineState, Msisdn};
use laini_core::privacy::Restrictions;
use laini_core::store::{AccountStore as _, AskedQuery, DayKeys as _, Ledger, Subject, SubjectHash, SubjectHasher};
use laini_store_sqlite::{SqliteAccounts, SqliteLedger};
use laini_testkit::contract::ledger::{Desk, FixedDayKeys, QUESTION, Question, at};
use rusqlite::{Connection, params};

type Failure = Box<dyn std::error::Error>;

/// Distinct numbers.
const LINES: u32 = 5_000_000;
/// Checks a second of the made-up ledger.
const PER_SECOND: u32 = 200;

fn main() -> Result<(), Failure> {
    let (mut rows, mut restrictions, mut dir) = (10_000_000, 1_000_000, std::env::temp_dir());
    for argument in std::env::args().skip(1) {
        match argument.split_once('=').ok_or("expected KEY=VALUE")? {
            ("rows", value) => rows = value.parse()?,
            ("restrictions", value) => restrictions = value.parse()?,
            ("dir", value) => dir = PathBuf::from(value),
            (key, _) => return Err(format!("no such key: {key}").into()),
        }
    }
    let dir = tempfile::tempdir_in(dir)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        measure_restrictions(dir.path(), restrictions).await?;
        measure_scans(dir.path(), rows).await
    })
}

async fn measure_scans(dir: &Path, rows: u32) -> Result<(), Failure> {
    let ledger = SqliteLedger::open_beside(dir, Arc::new(FixedDayKeys::default()))?;
    let begun = Instant::now();
    let wanted = fill(dir, rows)?;
    told(&format!("{rows} checks made up in {} s", begun.elapsed().as_secs()))?;
    let everything = AskedQuery { limit: 10_000, ..AskedQuery::default() };
    for (what, query) in [
        ("about one number", AskedQuery { numbers: vec![wanted], ..everything.clone() }),
        ("about any number, opened", everything),
    ] {
        let begun = Instant::now();
        let (found, opened) = scan(&ledger, query).await?;
        let (took, peak) = (begun.elapsed().as_secs_f64(), peak_mib()?);
        told(&format!("{what}: {found} checks, {opened} opened, {took:.1} s, {peak} MiB at most so far"))?;
    }
    Ok(())
}

async fn scan(ledger: &SqliteLedger, mut query: AskedQuery) -> Result<(u64, u64), Failure> {
    let (mut found, mut opened) = (0, 0);
    loop {
        let page = ledger.asked(query.clone()).await?;
        found += page.checks.len() as u64;
        opened += page.checks.iter().filter(|check| check.subject.is_some()).count() as u64;
        query.after = page.after;
        if query.after.is_none() {
            return Ok((found, opened));
        }
    }
}

/// Writes rows and side rows as the ledger does, without its chain; the hash of a number that was asked about.
fn fill(dir: &Path, rows: u32) -> Result<SubjectHash, Failure> {
    let (desk, keys) = (Desk::default(), FixedDayKeys::default());
    let mut connection = Connection::open(dir.join("ledger.db"))?;
    let transaction = connection.transaction()?;
    let mut wanted = SubjectHash::default();
    {
        let row = "INSERT INTO ledger VALUES (?1, ?2, 1, ?3, ?4, 1, ?5, NULL, 1, 2, 1, 1, 3, 2000, 2000, 'KES', NULL, 1, \
                   zeroblob(32), zeroblob(32), NULL)";
        let (mut row, mut subject) = (
            transaction.prepare(row)?,
            transaction.prepare("INSERT INTO subject VALUES (?1, ?2, zeroblob(16), 120, ?3)")?,
        );
        for place in 0..rows {
            let at = at(0) + SignedDuration::from_millis(i64::from(place) * 1_000 / i64::from(PER_SECOND));
            let question = Question { line: place % LINES, ..QUESTION };
            let draft = desk.answered(question, at);
            let key = keys.key(at.to_zoned(jiff::tz::TimeZone::UTC).date())?;
            let Subject { hash, .. } = draft.subject;
            let sealed = key.seal(draft.id, &draft.subject);
            let position = draft.id.position().cast_signed();
            let app = draft.app.as_u64().cast_signed();
            row.execute(params![position, draft.id.tail().cast_signed(), place, at.as_microsecond(), app])?;
            subject.execute(params![position, hash.0.as_slice(), sealed])?;
            if place == rows / 2 {
                wanted = hash;
            }
        }
    }
    transaction.commit()?;
    Ok(wanted)
}

#[expect(clippy::cast_precision_loss, reason = "figures for people")]
async fn measure_restrictions(dir: &Path, count: u32) -> Result<(), Failure> {
    let accounts = SqliteAccounts::open(dir)?;
    let hasher = SubjectHasher::new(&[7; 32]);
    let number = |n: u32| Msisdn::from_stored(254_700_000_000 + u64::from(n)).ok_or("no number");
    let mut connection = Connection::open(dir.join("accounts.db"))?;
    let transaction = connection.transaction()?;
    for n in 0..count {
        let until = at(0).as_microsecond();
        let hash = hasher.number(number(n)?);
        let row = params![hash.0.as_slice(), until, n / 1_000 + 1];
        transaction.prepare_cached("INSERT INTO restriction VALUES (?1, ?2, ?3)")?.execute(row)?;
    }
    transaction.commit()?;
    let begun = Instant::now();
    let mut picture = Restrictions::default();
    loop {
        let page = accounts.restrictions(picture.seen(), 50_000).await?;
        if page.is_empty() {
            break;
        }
        picture = picture.with(page);
    }
    let loaded = begun.elapsed().as_millis();
    let begun = Instant::now();
    picture = picture.with(vec![]);
    let one_change = begun.elapsed().as_micros();
    let (tries, state) = (1_000_000u32, LineState::default());
    let hashes: Vec<_> = (0..tries)
        .map(|n| Ok(hasher.number(number(n.wrapping_mul(7_919) % 100_000_000)?)))
        .collect::<Result<_, Failure>>()?;
    let begun = Instant::now();
    let withheld = hashes.iter().filter(|hash| picture.withhold(**hash, &state)).count();
    let each = begun.elapsed().as_nanos() as f64 / f64::from(tries);
    let begun = Instant::now();
    let none = Restrictions::default();
    let empty = hashes.iter().filter(|hash| !none.is_empty() && none.withhold(**hash, &state)).count();
    let each_empty = begun.elapsed().as_nanos() as f64 / f64::from(tries);
    told(&format!(
        "{} restrictions: loaded in {loaded} ms, replaced after a change in {one_change} us, asked in {each:.0} ns \
         ({withheld} withheld), where there are none in {each_empty:.1} ns ({empty}), {} MiB at most so far",
        picture.len(),
        peak_mib()?
    ))
}

fn told(line: &str) -> Result<(), Failure> {
    Ok(writeln!(std::io::stdout(), "{line}")?)
}

/// The most memory that this process had.
fn peak_mib() -> Result<u64, Failure> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).ok_or("no VmHWM")?;
    let kib: u64 = line.trim().trim_end_matches(" kB").parse()?;
    Ok(kib / 1024)
}
