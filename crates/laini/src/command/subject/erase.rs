use anyhow::bail;
use clap::Args;
use laini_core::privacy::PrivacyAction;
use laini_office::privacy::{Erased, Erasure, Holdings, erase_subject};
use serde::Serialize;

use super::order::{Desk, OrderArgs};
use super::span::SpanArgs;
use crate::command::Context;
use crate::command::context::now;
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
    erasure: Erasure,
    request: String,
}

/// Forgets what was asked about a number.
pub(crate) fn run(context: &Context, args: &EraseArgs) -> anyhow::Result<()> {
    let desk = Desk::open(context, &args.number)?;
    let asked = args.span.span(&desk.config)?;
    let holdings = match (args.earlier_holders, args.all_holdings) {
        (true, _) => Holdings::Earlier,
        (false, true) => Holdings::All,
        (false, false) => Holdings::Present,
    };
    let span = desk.subject.span(asked, holdings);
    let span =
        span.hint("--all-holdings erases what was asked about all holders, --earlier-holders about those before")?;
    let request = desk.order(PrivacyAction::Erase, false, &args.order)?;
    let scanning = bar(context.out, "reading", "rows", None);
    let what = (asked, holdings);
    let erasure = erase_subject(&desk.office, &desk.subject, request.id, what, now(), |rows| scanning.inc(rows))?;
    scanning.finish_and_clear();
    desk.done(&request, &erasure.in_record())?;
    if span.from.is_some_and(|from| erasure.erased.until < from) {
        bail!("nothing in the span is old enough to be erased");
    }
    let number = desk.subject.number.masked();
    let report = EraseReport { number, erasure, request: request.id.to_string() };
    context.out.data(&report, in_words)
}

fn in_words(report: &EraseReport) -> String {
    let Erasure { erased, events, desk_rows, stays } = &report.erasure;
    let Erased { checks, forgotten, refused, until } = erased;
    let mut text = format!(
        "{}: {checks} checks before {until}, {forgotten} of them forgotten now (request {})",
        report.number, report.request
    );
    if *refused > 0 {
        text.push_str(&format!("\n  {refused} refused calls no longer say that they were about it"));
    }
    if *events > 0 {
        text.push_str(&format!("\n  {events} events of the registry's history"));
    }
    if *desk_rows > 0 {
        text.push_str(&format!("\n  {desk_rows} receipts and rows that desks of partners kept"));
    }
    for what in stays {
        text.push_str(&format!("\n  stays: {what}"));
    }
    text
}
