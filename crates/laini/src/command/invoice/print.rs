use std::io::Write as _;
use std::path::PathBuf;

use anyhow::Context as _;
use clap::{Args, ValueEnum};
use laini_core::store::RecordId;
use laini_office::billing::{CreditNote, lines_csv, paper, paper_of_credit, tax_export, tax_export_of_credit};

use super::{invoice, office};
use crate::command::Context;
use crate::command::context::{console, now};

/// `laini invoice print`
#[derive(Args)]
pub(crate) struct PrintArgs {
    /// The number of the invoice; with --credit-note, of the credit note.
    number: u64,
    /// The form.
    #[arg(long, value_enum, default_value_t = Form::Html)]
    form: Form,
    /// The credit note of this number instead of an invoice: html, pdf or etims.
    #[arg(long)]
    credit_note: bool,
    /// Where to (default: standard output).
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

#[derive(Clone, Copy, ValueEnum)]
enum Form {
    /// For people.
    Html,
    /// For people, on pages.
    Pdf,
    /// Its lines, for spreadsheets.
    Csv,
    /// Its canonical form, with everything that it is computed from.
    Json,
    /// In the shape in which the tax authority's eTIMS takes sales.
    Etims,
}

/// Writes it.
pub(crate) fn run(context: &Context, args: &PrintArgs) -> anyhow::Result<()> {
    let office = office(context)?;
    let bytes = if args.credit_note {
        let (note, of) = office.run(&console(), now(), |work| {
            let note: CreditNote = work.get(RecordId(args.number))?;
            let of = work.get(RecordId(note.invoice))?;
            Ok((note, of))
        })?;
        match args.form {
            Form::Html => paper_of_credit(&note, &of).html().into_bytes(),
            Form::Pdf => paper_of_credit(&note, &of).pdf(),
            Form::Etims => serde_json::to_vec_pretty(&tax_export_of_credit(&note, &of, &office.settings.zone)?)?,
            Form::Csv | Form::Json => anyhow::bail!("a credit note is printed as html, pdf or etims"),
        }
    } else {
        let found = invoice(&office, args.number)?;
        match args.form {
            Form::Html => paper(&found).html().into_bytes(),
            Form::Pdf => paper(&found).pdf(),
            Form::Csv => lines_csv(&found).into_bytes(),
            Form::Json => found.json()?,
            Form::Etims => serde_json::to_vec_pretty(&tax_export(&found, &office.settings.zone)?)?,
        }
    };
    match &args.output {
        Some(path) => std::fs::write(path, bytes).with_context(|| format!("{} cannot be written", path.display())),
        None => Ok(std::io::stdout().lock().write_all(&bytes)?),
    }
}
