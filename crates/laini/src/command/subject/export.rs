use std::path::PathBuf;

use anyhow::Context as _;
use clap::Args;
use laini_core::privacy::PrivacyAction;
use laini_office::privacy::{Holdings, export};
use serde::Serialize;

use super::order::{Desk, OrderArgs};
use super::span::SpanArgs;
use crate::command::Context;
use crate::command::context::now;
use crate::command::progress::bar;
use crate::data_dir::write_private;
use crate::failure::WithHint as _;

/// `laini subject export NUMBER`
#[derive(Args)]
pub(crate) struct ExportArgs {
    /// The number, in any form.
    number: String,
    #[command(flatten)]
    span: SpanArgs,
    /// Also what is held of earlier holders: never for the present one.
    #[arg(long)]
    all_holdings: bool,
    /// Where the JSON goes; only you can read the file.
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Where the paper for its holder goes, as HTML; only you can read the file.
    #[arg(long, value_name = "FILE")]
    paper: Option<PathBuf>,
    #[command(flatten)]
    order: OrderArgs,
}

#[derive(Serialize)]
struct ExportReport {
    number: String,
    checks: usize,
    events: usize,
    request: String,
}

/// Puts together what is held about a number.
pub(crate) fn run(context: &Context, args: &ExportArgs) -> anyhow::Result<()> {
    if args.output.is_none() && args.paper.is_none() {
        return Err(anyhow::anyhow!("nowhere to write to")).hint("name files with --output FILE and --paper FILE");
    }
    let desk = Desk::open(context, &args.number)?;
    let holdings = if args.all_holdings { Holdings::All } else { Holdings::Present };
    let span = desk.subject.span(args.span.span(&desk.config)?, holdings);
    let span = span.hint("--all-holdings tells what is held of all holders")?;
    let request = desk.order(PrivacyAction::Export, false, &args.order)?;
    let scanning = bar(context.out, "reading", "rows", None);
    let dossier = export(&desk.office, &desk.subject, span, now(), |rows| scanning.inc(rows))?;
    scanning.finish_and_clear();
    if let Some(path) = &args.output {
        let mut json = serde_json::to_vec_pretty(&dossier)?;
        json.push(b'\n');
        write_private(path, &json).with_context(|| format!("{} cannot be written", path.display()))?;
    }
    if let Some(path) = &args.paper {
        let html = dossier.paper(&desk.config.operator.name).html();
        write_private(path, html.as_bytes()).with_context(|| format!("{} cannot be written", path.display()))?;
    }
    desk.done(&request, &dossier.in_record())?;
    let report = ExportReport {
        number: desk.subject.number.masked(),
        checks: dossier.checks.len(),
        events: dossier.events.len(),
        request: request.id.to_string(),
    };
    context.out.data(&report, |report| {
        format!(
            "{}: {} checks and {} events written (request {}); hand them out by a way that the SIM is no part of",
            report.number, report.checks, report.events, report.request
        )
    })
}
