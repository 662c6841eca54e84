use std::fs::{File, OpenOptions};
use std::io::{BufWriter, Write};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::{Args, ValueEnum};
use laini_core::store::AskedQuery;
use laini_office::privacy::{LOOKUP_COLUMNS, LookupRow, lookup_row, reason, scan, target_of};

use super::span::SpanArgs;
use crate::command::Context;
use crate::command::context::{audit, block_on};
use crate::command::progress::bar;
use crate::failure::WithHint as _;

/// Checks read at a time.
const CHECKS_PER_PAGE: usize = 10_000;

/// `laini subject lookups`
#[derive(Args)]
pub(crate) struct LookupsArgs {
    #[command(flatten)]
    span: SpanArgs,
    /// Only what this partner asked: its name or id.
    #[arg(long)]
    partner: Option<String>,
    /// Only what was asked about this number.
    #[arg(long)]
    number: Option<String>,
    /// The form of the rows (default: csv; with --json: ndjson).
    #[arg(long, value_enum)]
    format: Option<Format>,
    /// Where to (default: standard output); only you can read the file.
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Write numbers in full, where they are not forgotten yet.
    #[arg(long)]
    reveal: bool,
    /// Why; kept in the audit trail, so without a number.
    #[arg(long, value_name = "TEXT")]
    reason: String,
}

#[derive(Clone, Copy, ValueEnum)]
enum Format {
    /// With a header.
    Csv,
    /// One JSON object a line.
    Ndjson,
}

/// Writes who asked about whom.
pub(crate) fn run(context: &Context, args: &LookupsArgs) -> anyhow::Result<()> {
    let (house, config) = context.existing_house()?;
    let why = reason(&args.reason)?;
    let accounts = house.accounts()?;
    let book = block_on(accounts.load())??;
    let wanted = args.partner.as_deref();
    let partner = wanted.map(|wanted| crate::command::partner::find(&book, wanted)).transpose()?.map(|one| one.id);
    let plan = config.plan()?;
    let number = args.number.as_deref().map(|text| plan.parse_spaced(text)).transpose();
    let number = number.hint("write it as 2547…, +2547… or 07…")?;
    let hash = number.map(|number| house.keys.subject().number(number));
    let span = args.span.span(&config)?;
    let query = AskedQuery {
        numbers: hash.into_iter().collect(),
        partner,
        from: span.from,
        until: span.until,
        limit: CHECKS_PER_PAGE,
        ..AskedQuery::default()
    };
    let target = number.zip(hash).map_or("all numbers".to_owned(), |(number, hash)| target_of(number, hash));
    let action = if args.reveal { "subject.lookups.reveal" } else { "subject.lookups" };
    block_on(accounts.audit(audit(action, target, &why)))??;
    let ledger = house.ledger_reader()?;
    let reading = bar(context.out, "reading", "rows", None);
    let mut rows = Rows::open(args.output.as_deref(), args.format(context))?;
    let written = block_on(scan(&*ledger, query, |checks, looked_at| {
        reading.inc(looked_at);
        checks.iter().try_for_each(|check| rows.write(&lookup_row(check, &book, args.reveal)))
    }))?;
    reading.finish_and_clear();
    match written.and_then(|()| rows.finish()) {
        // The reader has seen enough (`| head`).
        Err(error) if is_broken_pipe(&error) => Ok(()),
        written => written,
    }
}

impl LookupsArgs {
    fn format(&self, context: &Context) -> Format {
        self.format.unwrap_or(if context.out.is_json() { Format::Ndjson } else { Format::Csv })
    }
}

/// Where the rows go, one by one.
enum Rows {
    Csv(Box<csv::Writer<Box<dyn Write>>>),
    Ndjson(BufWriter<Box<dyn Write>>),
}

impl Rows {
    fn open(path: Option<&Path>, format: Format) -> anyhow::Result<Self> {
        let output: Box<dyn Write> = match path {
            Some(path) => Box::new(private(path).with_context(|| format!("{} cannot be written", path.display()))?),
            None => Box::new(std::io::stdout().lock()),
        };
        Ok(match format {
            Format::Csv => {
                let mut csv = csv::WriterBuilder::new().has_headers(false).from_writer(output);
                csv.write_record(LOOKUP_COLUMNS)?;
                Self::Csv(Box::new(csv))
            }
            Format::Ndjson => Self::Ndjson(BufWriter::new(output)),
        })
    }

    fn write(&mut self, row: &LookupRow<'_>) -> anyhow::Result<()> {
        match self {
            Self::Csv(csv) => Ok(csv.serialize(row)?),
            Self::Ndjson(output) => {
                serde_json::to_writer(&mut *output, row)?;
                Ok(output.write_all(b"\n")?)
            }
        }
    }

    fn finish(&mut self) -> anyhow::Result<()> {
        match self {
            Self::Csv(csv) => Ok(csv.flush()?),
            Self::Ndjson(output) => Ok(output.flush()?),
        }
    }
}

fn private(path: &Path) -> std::io::Result<File> {
    OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| {
        let io = cause.downcast_ref::<std::io::Error>().map(std::io::Error::kind);
        let csv = cause.downcast_ref::<csv::Error>().and_then(|error| match error.kind() {
            csv::ErrorKind::Io(error) => Some(error.kind()),
            _ => None,
        });
        io.or(csv) == Some(std::io::ErrorKind::BrokenPipe)
    })
}
