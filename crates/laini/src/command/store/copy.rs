use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{anyhow, ensure};
use clap::Args;
use laini_core::store::{is_written_under, verify_ledger};
use laini_store::copy::{CopyError, Source, TABLES, Table, Target, compare, copy};
use serde::Serialize;

use crate::command::Context;
use crate::command::context::{block_on, now};
use crate::command::progress::bar;
use crate::compose::{Direction, House, copy_sides};
use crate::config::{Config, StoreKind};
use crate::data_dir::DataDir;
use crate::failure::{WithHint as _, hinted};

/// `laini store copy`
#[derive(Args)]
pub(crate) struct CopyArgs {
    /// What is copied: a data directory, or a database as postgresql://user@host:port/name.
    #[arg(long, value_name = "DIR|URL")]
    from: String,
    /// Where it is copied to: the other one of the two. It must hold nothing but, in a directory, the keys.
    #[arg(long, value_name = "DIR|URL")]
    to: String,
    /// The file that holds the database's password (default: the setting store.password_file).
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
}

#[derive(Serialize)]
struct CopyReport {
    tables: Vec<TableReport>,
    /// Rows of the ledger whose chain was verified on the new side.
    verified: u64,
    differences: Vec<String>,
}

#[derive(Serialize)]
struct TableReport {
    table: &'static str,
    rows: u64,
    /// Copied and compared.
    seconds: f64,
}

/// Copies every table, compares every row, verifies the chain on the new side.
pub(crate) fn run(context: &Context, args: &CopyArgs) -> anyhow::Result<()> {
    let (data, url, direction) = match (is_url(&args.from), is_url(&args.to)) {
        (false, true) => (DataDir::existing(Path::new(&args.from))?, &args.to, Direction::IntoDatabase),
        (true, false) => (DataDir::open(Path::new(&args.to))?, &args.from, Direction::IntoFiles),
        _ => {
            return Err(anyhow!("one of --from and --to names a data directory, and the other one a database"))
                .hint("a database is named as postgresql://user@host:port/name");
        }
    };
    let mut config = settings(context, &data, url, args.password_file.as_deref())?;
    if direction == Direction::IntoDatabase {
        ensure!(data.has_data(), "{} holds no data", data.path().display());
        bring_up(&data, &mut config)?;
    }
    let (mut source, mut target) = copy_sides(&data, &config, direction).map_err(told)?;
    let mut report = CopyReport { tables: Vec::new(), verified: 0, differences: Vec::new() };
    for table in TABLES {
        report.tables.push(copied(context, table, &mut *source, &mut *target).map_err(|error| told(error.into()))?);
    }
    target.complete().map_err(|error| told(error.into()))?;
    for (table, told_of) in TABLES.iter().zip(&mut report.tables) {
        let (begun, comparing) = (Instant::now(), bar(context.out, "comparing", "rows", Some(told_of.rows)));
        let difference = compare(table, &mut *source, &mut *target, &|rows| comparing.set_position(rows));
        comparing.finish_and_clear();
        report.differences.extend(difference.map_err(|error| told(error.into()))?.map(|one| one.to_string()));
        told_of.seconds += begun.elapsed().as_secs_f64();
    }
    for side in [source.confirm(), target.confirm()] {
        side.map_err(|error| told(error.into()))?;
    }
    if report.differences.is_empty() {
        target.finish().map_err(|error| told(error.into()))?;
        drop((source, target));
        verify(context, data, &mut config, direction, &mut report)?;
    }
    context.out.data(&report, text)?;
    if !report.differences.is_empty() {
        return Err(anyhow!("the two sides are not the same"))
            .hint("see that nobody writes to either of them meanwhile, and run it again: it begins anew");
    }
    Ok(())
}

fn is_url(place: &str) -> bool {
    ["postgres://", "postgresql://"].iter().any(|scheme| place.starts_with(scheme))
}

/// The settings in force for the data directory, with the database that the command names.
fn settings(context: &Context, data: &DataDir, url: &str, password_file: Option<&Path>) -> anyhow::Result<Config> {
    let mut flags = vec![("store.url", toml::Value::from(url)), ("store.kind", toml::Value::from("postgres"))];
    if let Some(file) = password_file {
        flags.push(("store.password_file", toml::Value::from(file.display().to_string())));
    }
    Ok(context.settings(data.path(), &flags)?.config)
}

/// Refuses keys that are not those of the data, and applies what was recorded and not applied before the
/// server that did so was killed.
fn bring_up(data: &DataDir, config: &mut Config) -> anyhow::Result<()> {
    config.store.kind = StoreKind::Embedded;
    let house = House::open(data.clone(), config)?;
    if !block_on(is_written_under(&*house.ledger_reader()?, &house.keys.chain()))?? {
        return Err(told(CopyError::OtherKeys.into()));
    }
    block_on(house.registry(config)?.feed.record(Vec::new(), now()))??;
    Ok(())
}

fn copied(
    context: &Context,
    table: &'static Table,
    source: &mut dyn Source,
    target: &mut dyn Target,
) -> Result<TableReport, CopyError> {
    let begun = Instant::now();
    let copying = bar(context.out, "copying", "rows", None);
    let rows = copy(table, source, target, &|rows| copying.set_position(rows));
    copying.finish_and_clear();
    Ok(TableReport { table: table.name, rows: rows?, seconds: begun.elapsed().as_secs_f64() })
}

fn verify(
    context: &Context,
    data: DataDir,
    config: &mut Config,
    direction: Direction,
    report: &mut CopyReport,
) -> anyhow::Result<()> {
    config.store.kind = match direction {
        Direction::IntoDatabase => StoreKind::Postgres,
        Direction::IntoFiles => StoreKind::Embedded,
    };
    let house = House::open(data, config)?;
    let ledger = house.ledger_reader()?;
    let verifying = bar(context.out, "verifying", "rows", None);
    let verified = block_on(verify_ledger(&*ledger, house.keys.chain(), |rows| verifying.set_position(rows)))?;
    verifying.finish_and_clear();
    let (rows, breaks) = verified?;
    report.verified = rows;
    if !breaks.is_empty() {
        let altered =
            anyhow!("everything was copied as it is, and its ledger was altered before: {} findings", breaks.len());
        return Err(altered).hint("`laini ledger verify` says where; keep the source as evidence");
    }
    Ok(())
}

fn text(report: &CopyReport) -> String {
    let mut lines: Vec<String> = report
        .tables
        .iter()
        .filter(|table| table.rows > 0)
        .map(|table| format!("{:<16} {:>12} rows {:>9.1} s", table.table, table.rows, table.seconds))
        .collect();
    if report.differences.is_empty() {
        lines.push(format!(
            "both sides are the same; the chain of {} checks was verified on the new one",
            report.verified
        ));
    }
    lines.extend(report.differences.iter().cloned());
    lines.join("\n")
}

/// Adds what to do to what kept the copy from being made.
fn told(error: anyhow::Error) -> anyhow::Error {
    let hint = match error.downcast_ref::<CopyError>() {
        Some(CopyError::NotEmpty) => "name an empty database, or a directory with nothing but the keys",
        Some(CopyError::OtherKeys) => "copy the key directory that belongs to the data, or name it with keys.dir",
        Some(CopyError::Unfinished) => "copy from where that copy came from, or finish it first",
        Some(CopyError::Serving(_)) => "stop all nodes; one that was killed counts as serving for five seconds",
        Some(CopyError::Overtaken) => "let that one end: what it copies is whole when it says so",
        Some(CopyError::Undecided) => "let a node run until `laini delivery list` shows its delivery, then copy again",
        Some(CopyError::Damaged(_)) => "`laini ledger verify` says whether the ledger was altered",
        Some(CopyError::Engine(_)) => "whatever was written so far serves nobody; run it again: it begins anew",
        None => return error,
    };
    hinted(error, hint)
}
