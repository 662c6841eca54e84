use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::PathBuf;

use anyhow::Context as _;
use clap::Args;
use laini_office::Problem;
use laini_office::billing::{Names, export_csv, invoice_rows};

use super::{invoice, office};
use crate::command::Context;
use crate::command::context::block_on;

/// `laini invoice rows`
#[derive(Args)]
pub(crate) struct RowsArgs {
    /// The number of the invoice.
    number: u64,
    /// Only the rows that this line bills: as many as it has units.
    #[arg(long)]
    line: Option<u32>,
    /// Where to (default: standard output).
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

/// Writes them, as `laini ledger export` does.
pub(crate) fn run(context: &Context, args: &RowsArgs) -> anyhow::Result<()> {
    let office = office(context)?;
    let found = invoice(&office, args.number)?;
    let names = Names::of(block_on(office.accounts.load())??);
    let output: Box<dyn Write> = match &args.output {
        Some(path) => Box::new(File::create(path).with_context(|| format!("{} cannot be written", path.display()))?),
        None => Box::new(std::io::stdout().lock()),
    };
    let mut output = BufWriter::new(output);
    output.write_all(&export_csv([], true)?)?;
    invoice_rows(&office, &found, args.line, |placed| {
        let bytes = export_csv([names.row(placed)], false)?;
        output.write_all(&bytes).map_err(|error| Problem::Store(error.to_string()))
    })?;
    Ok(output.flush()?)
}
