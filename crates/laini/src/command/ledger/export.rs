use std::fs::File;
use std::io::{BufWriter, ErrorKind, Write};
use std::path::PathBuf;

use anyhow::Context as _;
use clap::{Args, ValueEnum};

use super::filter::{Filter, NamedRow, pages};
use crate::command::Context;
use crate::command::progress::bar;

/// `laini ledger export`
#[derive(Args)]
pub(crate) struct ExportArgs {
    #[command(flatten)]
    filter: Filter,
    /// The form of the rows (default: csv; with --json: ndjson).
    #[arg(long, value_enum)]
    format: Option<Format>,
    /// Where to (default: standard output).
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

#[derive(Clone, Copy, ValueEnum)]
enum Format {
    /// With a header.
    Csv,
    /// One JSON object a line.
    Ndjson,
}

/// The header of every CSV export.
pub(crate) const COLUMNS: [&str; 17] = [
    "requestRefID",
    "at",
    "partner",
    "app",
    "product",
    "environment",
    "outcome",
    "charge_minor",
    "currency",
    "list_price_minor",
    "price_version",
    "purpose",
    "as_of",
    "policy_version",
    "reverses",
    "writer",
    "seq",
];

/// Writes every row.
pub(crate) fn run(context: &Context, args: &ExportArgs) -> anyhow::Result<()> {
    // Before a header or a file is written.
    context.existing()?;
    let output: Box<dyn Write> = match &args.output {
        Some(path) => Box::new(File::create(path).with_context(|| format!("{} cannot be written", path.display()))?),
        None => Box::new(std::io::stdout().lock()),
    };
    let mut output = BufWriter::new(output);
    let exporting = bar(context.out, "exporting", "rows", None);
    let format = args.format.unwrap_or(if context.out.is_json() { Format::Ndjson } else { Format::Csv });
    let written = match format {
        Format::Csv => {
            let mut csv = csv::WriterBuilder::new().has_headers(false).from_writer(&mut output);
            csv.write_record(COLUMNS)?;
            pages(context, &args.filter, None, |rows| write_each(&rows, &exporting, |row| Ok(csv.serialize(row)?)))
                .and_then(|()| Ok(csv.flush()?))
        }
        Format::Ndjson => pages(context, &args.filter, None, |rows| {
            write_each(&rows, &exporting, |row| {
                serde_json::to_writer(&mut output, row)?;
                Ok(output.write_all(b"\n")?)
            })
        }),
    };
    exporting.finish_and_clear();
    match written.and_then(|()| Ok(output.flush()?)) {
        // The reader has seen enough (`| head`).
        Err(error) if is_broken_pipe(&error) => Ok(()),
        written => written,
    }
}

fn write_each(
    rows: &[NamedRow],
    bar: &indicatif::ProgressBar,
    mut write: impl FnMut(&NamedRow) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    for row in rows {
        write(row)?;
    }
    bar.inc(rows.len() as u64);
    Ok(())
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| {
        let io = cause.downcast_ref::<std::io::Error>().map(std::io::Error::kind);
        let csv = cause.downcast_ref::<csv::Error>().and_then(|error| match error.kind() {
            csv::ErrorKind::Io(error) => Some(error.kind()),
            _ => None,
        });
        io.or(csv) == Some(ErrorKind::BrokenPipe)
    })
}
