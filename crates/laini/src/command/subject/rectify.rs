use anyhow::Context as _;
use clap::Args;
use jiff::Timestamp;
use laini_core::line::{EventText, Imsi};
use laini_core::privacy::PrivacyAction;
use laini_office::privacy::{Amendment, Rectified, Right, rectifiable, rectify};
use serde::Serialize;

use super::order::{Desk, OrderArgs};
use crate::command::Context;
use crate::command::context::now;
use crate::failure::WithHint as _;

/// `laini subject rectify NUMBER`
#[derive(Args)]
pub(crate) struct RectifyArgs {
    /// The number, in any form.
    number: String,
    /// Which event is wrong: its id, as `laini registry show NUMBER` tells it.
    #[arg(long, value_name = "ID")]
    event: String,
    /// The feed that it came by.
    #[arg(long, default_value = "default")]
    source: String,
    /// When it really happened (2026-11-20T08:00:00Z).
    #[arg(long, value_name = "INSTANT", required_unless_present = "retract")]
    at: Option<Timestamp>,
    /// Which IMSI it was really about.
    #[arg(long, conflicts_with = "retract")]
    imsi: Option<String>,
    /// It never happened.
    #[arg(long, conflicts_with = "at")]
    retract: bool,
    /// Show what would change, and change nothing.
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    order: OrderArgs,
}

#[derive(Serialize)]
struct RectifyReport {
    number: String,
    #[serde(flatten)]
    rectified: Rectified,
    is_done: bool,
    request: Option<String>,
}

/// Corrects or withdraws an event about a number.
pub(crate) fn run(context: &Context, args: &RectifyArgs) -> anyhow::Result<()> {
    let desk = Desk::open(context, &args.number)?;
    let amendment = amendment(args)?;
    let (office, subject) = (&*desk.office, &desk.subject);
    let rectified = rectifiable(office, subject, &amendment).hint("`laini registry show NUMBER` lists its events")?;
    let number = subject.number.masked();
    let mut report = RectifyReport { number, rectified, is_done: false, request: None };
    if !args.dry_run {
        let request = desk.order(PrivacyAction::Rectify, false, &args.order)?;
        report.rectified = rectify(office, subject, request.id, &amendment, now())
            .hint(format!("repeat with --request {}", request.id))?;
        desk.done(&request, &report.rectified.in_record())?;
        (report.is_done, report.request) = (true, Some(request.id.to_string()));
    }
    context.out.data(&report, in_words)
}

fn amendment(args: &RectifyArgs) -> anyhow::Result<Amendment> {
    let imsi = args.imsi.as_deref().map(Imsi::parse).transpose().context("--imsi")?;
    Ok(Amendment {
        event: EventText::parse(&args.event).context("--event")?,
        source: EventText::parse(&args.source).context("--source")?,
        right: args.at.filter(|_| !args.retract).map_or(Right::Retracted, |at| Right::At(at, imsi)),
    })
}

fn in_words(report: &RectifyReport) -> String {
    let Rectified { r#type: kind, was, becomes, other_imsi, .. } = &report.rectified;
    let change = match becomes {
        Some(becomes) => format!("{kind} at {was} becomes {becomes}"),
        None => format!("{kind} at {was} is withdrawn"),
    };
    let imsi = if *other_imsi { ", with another IMSI" } else { "" };
    match &report.request {
        Some(request) => format!("{}: {change}{imsi} (request {request})", report.number),
        None => format!("{}: {change}{imsi}; nothing was changed (--dry-run)", report.number),
    }
}
