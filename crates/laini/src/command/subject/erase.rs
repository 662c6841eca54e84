use anyhow::bail;
use clap::Args;
use laini_core::line::LineStatus;
use laini_core::privacy::PrivacyAction;
use laini_office::desk::forget_number;
use laini_office::privacy::{Erased, Span, erase};
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
    /// For who held the number before: what was asked until the present holder had it, and what the registry's history
    /// tells of that time. The present holder's facts stay as they are.
    #[arg(long, conflicts_with = "all_holdings")]
    earlier_holders: bool,
    #[command(flatten)]
    order: OrderArgs,
}

#[derive(Serialize)]
struct EraseReport {
    number: String,
    #[serde(flatten)]
    erased: Erased,
    /// Events of the registry's history that are gone.
    events: u64,
    /// Receipts and rows of partners' desks that no longer have the number.
    desk_rows: u64,
    /// What was not erased, and why.
    stays: Vec<&'static str>,
    request: String,
}

/// Forgets what was asked about a number.
pub(crate) fn run(context: &Context, args: &EraseArgs) -> anyhow::Result<()> {
    let desk = Desk::open(context, &args.number)?;
    let asked = args.span.span(&desk.config)?;
    let line = desk.found.state.line.as_ref();
    let earlier = args.earlier_holders.then(|| desk.present_holding()).transpose()?;
    let span = match earlier {
        Some(began) => Span { until: Some(asked.until.map_or(began, |until| until.min(began))), ..asked },
        None if args.all_holdings => asked,
        None => asked.of_holding(line),
    };
    if let (Some(from), Some(until)) = (span.from, span.until)
        && from >= until
    {
        return Err(anyhow::anyhow!("the span and the holding have no day in common"))
            .hint("--all-holdings erases what was asked about all holders, --earlier-holders about those before");
    }
    let request = desk.order(PrivacyAction::Erase, false, &args.order)?;
    // First, for it can be refused.
    let events = earlier.map(|began| desk.erase_history(&request, began)).transpose()?.unwrap_or(0);
    let scanning = bar(context.out, "reading", "rows", None);
    let (ledger, retention) = (&*desk.ledger.ledger, &*desk.ledger.retention);
    let forget = (retention, &*desk.office.refusals);
    let erased = block_on(erase(ledger, forget, desk.hash, span, now(), |rows| scanning.inc(rows)))??;
    scanning.finish_and_clear();
    // What a desk keeps of it is as old as what was asked.
    let erasable = Span { until: Some(erased.until), ..span };
    let desk_rows = forget_number(&desk.office, desk.number, erasable, now())?;
    desk.done(
        &request,
        &format!(
            "{} checks, {} forgotten now; {events} events; {desk_rows} rows of desks",
            erased.checks, erased.forgotten
        ),
    )?;
    let mut stays = vec!["rows of the ledger and what they cost, with the keyed hash of the number, for 7 years"];
    if earlier.is_some() {
        stays.push("that somebody held the number before, and the row of the serving snapshot until the next one");
    } else if line.is_some_and(|line| line.status != LineStatus::Terminated) {
        stays.push(
            "the line itself: the network serves it, so its facts are true; restrict the number to withhold them",
        );
    }
    let report =
        EraseReport { number: desk.number.masked(), erased, events, desk_rows, stays, request: request.id.to_string() };
    if report.erased.until < span.from.unwrap_or(report.erased.until) {
        bail!("nothing in the span is old enough to be erased");
    }
    context.out.data(&report, in_words)
}

fn in_words(report: &EraseReport) -> String {
    let Erased { checks, forgotten, refused, until } = report.erased;
    let mut text = format!(
        "{}: {checks} checks before {until}, {forgotten} of them forgotten now (request {})",
        report.number, report.request
    );
    if refused > 0 {
        text.push_str(&format!("\n  {refused} refused calls no longer say that they were about it"));
    }
    if report.events > 0 {
        text.push_str(&format!("\n  {} events of the registry's history", report.events));
    }
    if report.desk_rows > 0 {
        text.push_str(&format!("\n  {} receipts and rows that desks of partners kept", report.desk_rows));
    }
    for what in &report.stays {
        text.push_str(&format!("\n  stays: {what}"));
    }
    text
}
