use anyhow::Context as _;
use clap::Args;
use jiff::Timestamp;
use laini_core::line::{Event, EventKey, EventText, Happening, Imsi};
use laini_core::privacy::PrivacyAction;
use laini_core::store::{FeedItem, FeedResult};
use serde::Serialize;

use super::order::{Desk, OrderArgs};
use crate::command::Context;
use crate::command::context::{block_on, now};
use crate::config::RegistryKind;
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
    event: String,
    r#type: &'static str,
    was: String,
    /// Absent where the event is withdrawn.
    becomes: Option<String>,
    other_imsi: bool,
    is_done: bool,
    request: Option<String>,
}

/// Corrects or withdraws an event about a number.
pub(crate) fn run(context: &Context, args: &RectifyArgs) -> anyhow::Result<()> {
    let desk = Desk::open(context, &args.number)?;
    if desk.config.registry.kind == RegistryKind::Http {
        return Err(anyhow::anyhow!(
            "checks are answered from the operator's back end, which is where the fact is wrong"
        ))
        .hint("correct it there; laini keeps no copy of it");
    }
    let known = target(&desk, args)?;
    let happening = amendment(&known, args)?;
    let mut report = RectifyReport {
        number: desk.number.masked(),
        event: args.event.clone(),
        r#type: known.happening.kind().word(),
        was: known.at.to_string(),
        becomes: args.at.filter(|_| !args.retract).map(|at| at.to_string()),
        other_imsi: args.imsi.is_some(),
        is_done: false,
        request: None,
    };
    if !args.dry_run {
        let request = desk.order(PrivacyAction::Rectify, false, &args.order)?;
        let id = EventText::parse(&format!("rectify-{}", request.id)).context("the id of the correction")?;
        let key = EventKey { id, source: known.key.source.clone() };
        let at = args.at.unwrap_or(known.at);
        let event = Event { key, at, recorded: now(), msisdn: Some(desk.number), happening };
        let results = block_on(desk.registry.feed.record(vec![FeedItem::Event(event)], now()))??;
        match results.first() {
            Some(FeedResult::Accepted | FeedResult::Repeated) => {}
            Some(FeedResult::Waits(refusal) | FeedResult::Refused(refusal)) => {
                return Err(anyhow::anyhow!("the correction was not taken: {refusal}"))
                    .hint(format!("the request stays approved: repeat with --request {}", request.id));
            }
            Some(FeedResult::Conflict | FeedResult::Unreadable) | None => {
                anyhow::bail!("the correction was not taken: another event has its id");
            }
        }
        desk.done(
            &request,
            &format!("{} of {}", if args.retract { "retraction" } else { "correction" }, report.r#type),
        )?;
        (report.is_done, report.request) = (true, Some(request.id.to_string()));
    }
    context.out.data(&report, in_words)
}

/// The event that is wrong; it must be one that can be amended.
fn target(desk: &Desk, args: &RectifyArgs) -> anyhow::Result<Event> {
    let source = EventText::parse(&args.source).context("--source")?;
    let (history, status) =
        block_on(async { (desk.registry.feed.history(desk.number).await, desk.registry.feed.status().await) })?;
    let known = history?.into_iter().find(|event| event.key.id.as_str() == args.event && event.key.source == source);
    let known = known
        .with_context(|| format!("no event {} of the feed {} is about this number", args.event, args.source))
        .hint("`laini registry show NUMBER` lists them; a fact of the snapshot is corrected in the next one")?;
    if known.happening.amends().is_some() {
        anyhow::bail!("{} amends another event: amend that one", args.event);
    }
    if status?.cut.is_some_and(|cut| known.at <= cut) {
        return Err(anyhow::anyhow!("the event is older than the snapshot, which contains it already"))
            .hint("the next snapshot must carry the right fact: correct it in the system that makes the extract");
    }
    Ok(known)
}

fn amendment(known: &Event, args: &RectifyArgs) -> anyhow::Result<Happening> {
    let of = known.key.id.clone();
    if args.retract {
        return Ok(Happening::Retraction { of });
    }
    let imsi = args.imsi.as_deref().map(Imsi::parse).transpose().context("--imsi")?;
    Ok(Happening::Correction { of, imsi, new_msisdn: None })
}

fn in_words(report: &RectifyReport) -> String {
    let change = match &report.becomes {
        Some(becomes) => format!("{} at {} becomes {becomes}", report.r#type, report.was),
        None => format!("{} at {} is withdrawn", report.r#type, report.was),
    };
    let imsi = if report.other_imsi { ", with another IMSI" } else { "" };
    match &report.request {
        Some(request) => format!("{}: {change}{imsi} (request {request})", report.number),
        None => format!("{}: {change}{imsi}; nothing was changed (--dry-run)", report.number),
    }
}
