use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::Context as _;
use clap::Args;
use laini_core::store::{FeedItem, FeedResult};
use laini_server::operator::feed::{EventReader, Instants, decompressed};
use serde::Serialize;

use super::import::open;
use super::max_rejects::MaxRejects;
use crate::command::Context;
use crate::command::context::{block_on, now};
use crate::command::progress::{Counted, bar};
use crate::failure::WithHint as _;

/// Events that are recorded with one commit.
const BATCH_EVENTS: usize = 10_000;
/// Refused events that are told one by one.
const TOLD_MAX: usize = 20;

/// `laini registry apply FILE|-`
#[derive(Args)]
pub(crate) struct ApplyArgs {
    /// The events: NDJSON, plain, gzip or zstd; `-` is standard input.
    #[arg(value_name = "FILE|-")]
    file: PathBuf,
    /// Above how many refused events the exit code is 1: a share or a number.
    #[arg(long, default_value_t)]
    max_rejects: MaxRejects,
}

/// What became of the events.
#[derive(Debug, Default, Serialize)]
struct ApplyReport {
    events: u64,
    accepted: u64,
    repeated: u64,
    waiting: u64,
    rejected: u64,
    /// The first of those that were refused or wait.
    remarks: Vec<Remark>,
}

#[derive(Debug, Serialize)]
struct Remark {
    event: String,
    reason: String,
}

/// Applies the events.
pub(crate) fn run(context: &Context, args: &ApplyArgs) -> anyhow::Result<()> {
    let (house, config) = context.house()?;
    let feed = house.registry(&config)?.feed;
    let source = open(&args.file)?;
    let reading = bar(context.out, "applying", "bytes", source.bytes);
    let bytes = Arc::new(AtomicU64::new(0));
    let input = decompressed(Counted::new(source.input, Arc::clone(&bytes))).with_context(|| source.name.clone())?;
    let mut reader = EventReader::new(input, config.plan()?, Instants::new(config.zone()?, now()), now);
    let mut report = ApplyReport::default();
    loop {
        let items = reader.next_batch(BATCH_EVENTS).with_context(|| source.name.clone())?;
        if items.is_empty() {
            break;
        }
        let names: Vec<String> = items.iter().map(name).collect();
        let reasons: Vec<Option<String>> = items.iter().map(unreadable).collect();
        let results = block_on(feed.record(items, now()))??;
        for ((name, reason), result) in names.into_iter().zip(reasons).zip(results) {
            report.note(name, reason, &result);
        }
        reading.set_position(bytes.load(Ordering::Relaxed));
        reading.set_message(format!("{} events", report.events));
    }
    reading.finish_and_clear();
    context.out.data(&report, in_words)?;
    if args.max_rejects.exceeded(report.rejected, report.events) {
        let error = anyhow::anyhow!(
            "{} of {} events were refused, more than {}",
            report.rejected,
            report.events,
            args.max_rejects
        );
        return Err(error).hint("the others were applied; `laini registry status` counts what waits or was refused");
    }
    Ok(())
}

fn name(item: &FeedItem) -> String {
    match item {
        FeedItem::Event(event) => event.key.id.as_str().to_owned(),
        FeedItem::Heartbeat { source, .. } => format!("heartbeat of {}", source.as_str()),
        FeedItem::Refused { place, .. } => place.clone(),
    }
}

fn unreadable(item: &FeedItem) -> Option<String> {
    match item {
        FeedItem::Refused { reason, .. } => Some(reason.clone()),
        FeedItem::Event(_) | FeedItem::Heartbeat { .. } => None,
    }
}

impl ApplyReport {
    fn note(&mut self, event: String, unreadable: Option<String>, result: &FeedResult) {
        self.events += 1;
        let (count, reason) = match result {
            FeedResult::Accepted => (&mut self.accepted, None),
            FeedResult::Repeated => (&mut self.repeated, None),
            FeedResult::Waits(refusal) => (&mut self.waiting, Some(refusal.to_string())),
            FeedResult::Refused(refusal) => (&mut self.rejected, Some(refusal.to_string())),
            FeedResult::Conflict => {
                (&mut self.rejected, Some("another event with other content has this id".to_owned()))
            }
            FeedResult::Unreadable => (&mut self.rejected, unreadable),
        };
        *count += 1;
        if let Some(reason) = reason.filter(|_| self.remarks.len() < TOLD_MAX) {
            self.remarks.push(Remark { event, reason });
        }
    }
}

fn in_words(report: &ApplyReport) -> String {
    let mut text = format!(
        "{} events: {} accepted, {} repeated, {} waiting, {} refused",
        report.events, report.accepted, report.repeated, report.waiting, report.rejected
    );
    for remark in &report.remarks {
        text.push_str(&format!("\n  {}: {}", remark.event, remark.reason));
    }
    let told = report.remarks.len() as u64;
    if report.waiting + report.rejected > told {
        text.push_str(&format!("\n  and {} more", report.waiting + report.rejected - told));
    }
    text
}
