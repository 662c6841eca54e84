use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::Context as _;
use clap::Args;
use laini_core::store::FeedResult;
use laini_server::operator::feed::{
    Applied, ApplyError, EventReader, Instants, MaxRejects, apply_events, decompressed,
};
use serde::Serialize;

use super::import::open;
use crate::command::Context;
use crate::command::context::{now, runtime};
use crate::command::progress::{Counted, bar};
use crate::failure::WithHint as _;

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
    let runtime = runtime()?;
    let tell = |applied| {
        report.note(applied);
        reading.set_position(bytes.load(Ordering::Relaxed));
        reading.set_message(format!("{} events", report.events));
        Ok::<_, ApplyError>(())
    };
    apply_events(&*feed, &mut reader, now, runtime.handle(), tell).with_context(|| source.name.clone())?;
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

impl ApplyReport {
    fn note(&mut self, applied: Applied) {
        let Applied { event, result, reason, .. } = applied;
        self.events += 1;
        *match result {
            FeedResult::Accepted => &mut self.accepted,
            FeedResult::Repeated => &mut self.repeated,
            FeedResult::Waits(_) => &mut self.waiting,
            FeedResult::Refused(_) | FeedResult::Conflict | FeedResult::Unreadable => &mut self.rejected,
        } += 1;
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
