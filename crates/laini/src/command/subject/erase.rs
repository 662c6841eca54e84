use anyhow::bail;
use clap::Args;
use laini_core::line::LineStatus;
use laini_core::privacy::PrivacyAction;
use laini_office::privacy::{Erased, erase};
use serde::Serialize;

use super::order::{Desk, OrderArgs};
use super::span::SpanArgs;
use crate::command::Context;
use crate::command::context::{block_on, now};
use crate::command::progress::bar;
use crate::failure::WithHint as _;

/// `laini subject erase NUMBER`
#[derive(Args)]
pub(crate) struct EraseArgs {
    /// The number, in any form.
    number: String,
    #[command(flatten)]
    span: SpanArgs,
    /// Also what was asked before the present holder had the number.
    #[arg(long)]
    all_holdings: bool,
    #[command(flatten)]
    order: OrderArgs,
}

#[derive(Serialize)]
struct EraseReport {
    number: String,
    #[serde(flatten)]
    erased: Erased,
    /// What was not erased, and why.
    stays: Vec<&'static str>,
    request: String,
}

/// Forgets what was asked about a number.
pub(crate) fn run(context: &Context, args: &EraseArgs) -> anyhow::Result<()> {
    let desk = Desk::open(context, &args.number)?;
    let asked = args.span.span(&desk.config)?;
    let line = desk.found.state.line.as_ref();
    let span = if args.all_holdings { asked } else { asked.of_holding(line) };
    if let (Some(from), Some(until)) = (span.from, span.until)
        && from >= until
    {
        return Err(anyhow::anyhow!("the present holding began after the span"))
            .hint("--all-holdings erases what was asked about earlier holders as well");
    }
    let request = desk.order(PrivacyAction::Erase, false, &args.order)?;
    let scanning = bar(context.out, "reading", "rows", None);
    let (ledger, retention) = (&*desk.ledger.ledger, &*desk.ledger.retention);
    let erased = block_on(erase(ledger, retention, desk.hash, span, now(), |rows| scanning.inc(rows)))??;
    scanning.finish_and_clear();
    desk.done(&request, &format!("{} checks, {} forgotten now", erased.checks, erased.forgotten))?;
    let mut stays = vec!["rows of the ledger and what they cost, with the keyed hash of the number, for 7 years"];
    if line.is_some_and(|line| line.status != LineStatus::Terminated) {
        stays.push(
            "the line itself: the network serves it, so its facts are true; restrict the number to withhold them",
        );
    }
    let report = EraseReport { number: desk.number.masked(), erased, stays, request: request.id.to_string() };
    if report.erased.until < span.from.unwrap_or(report.erased.until) {
        bail!("nothing in the span is old enough to be erased");
    }
    context.out.data(&report, in_words)
}

fn in_words(report: &EraseReport) -> String {
    let Erased { checks, forgotten, until } = report.erased;
    let mut text = format!(
        "{}: {checks} checks before {until}, {forgotten} of them forgotten now (request {})",
        report.number, report.request
    );
    for what in &report.stays {
        text.push_str(&format!("\n  stays: {what}"));
    }
    text
}
