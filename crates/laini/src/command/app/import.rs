use std::fs::File;
use std::io::Read as _;
use std::path::PathBuf;

use anyhow::Context as _;
use clap::Args;
use laini_office::apps::{ForeignApp, ImportReport, import_apps};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::command::Context;
use crate::command::context::{block_on, console, now};
use crate::command::partner;
use crate::failure::{WithHint as _, hinted};

/// The largest file that is read.
const FILE_BYTES_MAX: u64 = 1_024 * 1_024;
const COLUMNS: &str = "the first line names the columns: consumer_key, consumer_secret or consumer_secret_sha256, name, environment, products";

/// `laini app import`
#[derive(Args)]
pub(crate) struct ImportArgs {
    /// A CSV file with the columns consumer_key, consumer_secret or consumer_secret_sha256, name, environment, products.
    file: PathBuf,
    /// Whose apps they become: the partner's name or id.
    #[arg(long)]
    partner: String,
    /// Say what would become of them, and change nothing.
    #[arg(long)]
    dry_run: bool,
}

/// A row of the file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    consumer_key: String,
    #[serde(default)]
    consumer_secret: String,
    #[serde(default)]
    consumer_secret_sha256: String,
    name: String,
    environment: String,
    products: String,
}

#[derive(Serialize)]
struct Report {
    partner: String,
    imported: usize,
    dry_run: bool,
    rows: Vec<RowReport>,
}

#[derive(Serialize)]
struct RowReport {
    line: u64,
    name: String,
    app: Option<String>,
    problems: Vec<String>,
}

/// Takes over credentials that another gateway made.
pub(crate) fn run(context: &Context, args: &ImportArgs) -> anyhow::Result<()> {
    let foreign = read(&args.file)?;
    let (house, config) = context.house()?;
    let book = block_on(house.accounts()?.load())??;
    let partner = partner::find(&book, &args.partner)?;
    let office = house.office(&config, &house.ledger_beside()?)?;
    let done = office.run(&console(), now(), |work| import_apps(work, partner.id, &foreign, args.dry_run))?;
    let is_good = done.is_good();
    context.out.data(&report(done, partner.name.clone(), args.dry_run), in_words)?;
    if is_good {
        return Ok(());
    }
    Err(hinted(anyhow::anyhow!("nothing was imported"), "correct the rows that are named, and import the file again"))
}

fn read(path: &PathBuf) -> anyhow::Result<Vec<ForeignApp>> {
    let file = File::open(path).with_context(|| format!("{} cannot be read", path.display()))?;
    let mut bytes = Zeroizing::new(Vec::new());
    file.take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > FILE_BYTES_MAX {
        anyhow::bail!("{} is larger than {FILE_BYTES_MAX} bytes", path.display());
    }
    // A spreadsheet puts a mark before the first column's name.
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes);
    let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(bytes);
    let mut foreign = Vec::new();
    let headers = reader.headers()?.clone();
    let mut record = csv::StringRecord::new();
    while reader.read_record(&mut record).map_err(|error| unreadable(&error)).hint(COLUMNS)? {
        let line = record.position().map_or(0, csv::Position::line);
        let row: Row = record.deserialize(Some(&headers)).map_err(|error| unreadable(&error)).hint(COLUMNS)?;
        let Row { consumer_key, consumer_secret, consumer_secret_sha256, name, environment, products } = row;
        foreign.push(ForeignApp {
            line,
            consumer_key,
            consumer_secret: Zeroizing::new(consumer_secret),
            consumer_secret_sha256,
            name,
            environment,
            products,
        });
    }
    Ok(foreign)
}

/// What the reader says of a field can hold a secret; where it stands does not.
fn unreadable(error: &csv::Error) -> anyhow::Error {
    let line = error.position().map_or(String::new(), |position| format!(" in line {}", position.line()));
    match error.kind() {
        csv::ErrorKind::UnequalLengths { expected_len, len, .. } => {
            anyhow::anyhow!("a row has {len} fields and not {expected_len}{line}")
        }
        csv::ErrorKind::Deserialize { .. } => anyhow::anyhow!("a column is missing, or is none of ours{line}"),
        _ => anyhow::anyhow!("it is no CSV in UTF-8{line}"),
    }
}

fn report(done: ImportReport, partner: String, dry_run: bool) -> Report {
    let imported = if done.is_good() && !dry_run { done.rows.len() } else { 0 };
    let row = |row: laini_office::apps::ImportedRow| RowReport {
        line: row.line,
        name: row.name,
        app: row.app.filter(|_| imported > 0).map(|app| app.to_string()),
        problems: row.problems,
    };
    Report { partner, imported, dry_run, rows: done.rows.into_iter().map(row).collect() }
}

fn in_words(report: &Report) -> String {
    let wrong = report.rows.iter().filter(|row| !row.problems.is_empty());
    let mut lines: Vec<String> =
        wrong.map(|row| format!("line {} ({}): {}", row.line, row.name, row.problems.join("; "))).collect();
    let (rows, partner) = (report.rows.len(), &report.partner);
    lines.push(match (lines.is_empty(), report.dry_run) {
        (true, false) => format!("{rows} apps of {partner} are imported; running servers answer them within a second"),
        (true, true) => format!("{rows} apps of {partner} would be imported; nothing was changed"),
        (false, _) => format!("{} of {rows} rows cannot be imported, so none was", lines.len()),
    });
    lines.join("\n")
}
