use std::path::PathBuf;

use anyhow::Context as _;
use clap::Args;
use laini_core::privacy::PrivacyAction;
use laini_office::desk::kept_numbers;
use laini_office::privacy::{Sources, dossier};
use serde::Serialize;

use super::order::{Desk, OrderArgs};
use super::span::SpanArgs;
use crate::command::Context;
use crate::command::context::{block_on, now};
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
    let asked = args.span.span(&desk.config)?;
    let span = if args.all_holdings { asked } else { asked.of_holding(desk.found.state.line.as_ref()) };
    let request = desk.order(PrivacyAction::Export, false, &args.order)?;
    let requests = desk.requests()?;
    let accounts = desk.house.accounts()?;
    let desks = kept_numbers(&desk.office, desk.number, span, now())?;
    let sources = Sources {
        found: &desk.found,
        feed: &*desk.registry.feed,
        ledger: &*desk.ledger.ledger,
        refusals: &*desk.office.refusals,
        desks: &desks,
        accounts: &*accounts,
    };
    let scanning = bar(context.out, "reading", "rows", None);
    let about = (desk.number, desk.hash);
    let dossier = block_on(dossier(&sources, about, span, &requests, now(), |rows| scanning.inc(rows)))??;
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
    desk.done(&request, &format!("{} checks, {} events", dossier.checks.len(), dossier.events.len()))?;
    let report = ExportReport {
        number: desk.number.masked(),
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
