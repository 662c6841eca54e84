use std::fs::File;
use std::io::{BufWriter, ErrorKind, Write};
use std::path::PathBuf;

use anyhow::Context as _;
use clap::{Args, ValueEnum};
use laini_office::billing::export_csv;

use super::filter::{Filter, pages};
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
        Format::Csv => output.write_all(&export_csv([], true)?).map_err(anyhow::Error::from).and_then(|()| {
            pages(context, &args.filter, None, |rows| {
                exporting.inc(rows.len() as u64);
                Ok(output.write_all(&export_csv(rows, false)?)?)
            })
        }),
        Format::Ndjson => pages(context, &args.filter, None, |rows| {
            exporting.inc(rows.len() as u64);
            rows.iter().try_for_each(|row| {
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

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| {
        let io = cause.downcast_ref::<std::io::Error>().map(std::io::Error::kind);
        let json = cause.downcast_ref::<serde_json::Error>().and_then(serde_json::Error::io_error_kind);
        io.or(json) == Some(ErrorKind::BrokenPipe)
    })
}
