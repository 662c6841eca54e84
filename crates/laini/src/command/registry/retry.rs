use laini_server::operator::feed::{Instants, Retried, retry_rejects};
use serde::Serialize;

use crate::command::Context;
use crate::command::context::{now, runtime};

#[derive(Serialize)]
struct RetryReport {
    lines: u64,
    accepted: u64,
    waiting: u64,
    refused: u64,
    unreadable: u64,
}

/// Reads every kept line again.
pub(crate) fn run(context: &Context) -> anyhow::Result<()> {
    let (house, config) = context.house()?;
    let feed = house.registry(&config)?.feed;
    let (runtime, now) = (runtime()?, now());
    let instants = Instants::new(config.zone()?, now);
    let retried = retry_rejects(&*feed, config.plan()?, &instants, now, runtime.handle(), (None, u64::MAX))?;
    let Retried { lines, accepted, waiting, refused, unreadable, .. } = retried;
    context.out.data(&RetryReport { lines, accepted, waiting, refused, unreadable }, in_words)
}

fn in_words(report: &RetryReport) -> String {
    format!(
        "{} lines read again: {} accepted, {} waiting, {} refused, {} unreadable still",
        report.lines, report.accepted, report.waiting, report.refused, report.unreadable
    )
}
