use jiff::SignedDuration;
use laini_core::store::{RegistryStatus, RejectCursor};
use serde::Serialize;

use super::rejects::RejectReport;
use crate::command::Context;
use crate::command::context::{block_on, now};

#[derive(Serialize)]
struct StatusReport {
    generation: u64,
    lines: u64,
    cut: Option<String>,
    as_of: Option<String>,
    lag_s: Option<i64>,
    history_since: Option<String>,
    events: u64,
    waiting: u64,
    rejects: u64,
    feeds: Vec<FeedReport>,
    newest_rejects: Vec<RejectReport>,
}

#[derive(Serialize)]
struct FeedReport {
    source: String,
    required: bool,
    complete_until: Option<String>,
}

/// Rejects that are shown one by one.
const SHOWN_MAX: usize = 10;

/// Shows how many lines there are and how fresh they are.
pub(crate) fn run(context: &Context) -> anyhow::Result<()> {
    let (house, config) = context.existing_house()?;
    let feed = house.registry(&config)?.feed;
    let (status, rejects) =
        block_on(async { (feed.status().await, feed.rejects(RejectCursor::START, SHOWN_MAX).await) })?;
    let status = status?;
    let sources = status.sources();
    let RegistryStatus { generation, lines, cut, as_of, history_since, events, waiting, rejects: refused, .. } = status;
    let text = |at: Option<jiff::Timestamp>| at.map(|at| at.to_string());
    let report = StatusReport {
        generation,
        lines,
        cut: text(cut),
        as_of: text(as_of),
        lag_s: as_of.map(|as_of| now().duration_since(as_of).as_secs()),
        history_since: history_since
            .map(|at| if at == jiff::Timestamp::MIN { "always".to_owned() } else { at.to_string() }),
        events,
        waiting,
        rejects: refused,
        feeds: sources
            .into_iter()
            .map(|feed| FeedReport {
                source: feed.source.as_str().to_owned(),
                required: feed.is_required,
                complete_until: text(feed.complete_until),
            })
            .collect(),
        newest_rejects: rejects?.rejects.into_iter().map(RejectReport::from).collect(),
    };
    context.out.data(&report, in_words)
}

fn in_words(report: &StatusReport) -> String {
    if report.generation == 0 {
        return "the registry is empty: load an extract with `laini registry import FILE`".to_owned();
    }
    let unset = || "none".to_owned();
    let lag = report.lag_s.map_or_else(unset, |s| format!("{:#}", SignedDuration::from_secs(s)));
    let mut text = format!(
        "lines        {}\ngeneration   {}\nsnapshot cut {}\nas of        {} (lag {lag})\nswap history {}\nevents       {} ({} waiting)\nrejects      {}",
        report.lines,
        report.generation,
        report.cut.clone().unwrap_or_else(unset),
        report.as_of.clone().unwrap_or_else(unset),
        report.history_since.clone().unwrap_or_else(unset),
        report.events,
        report.waiting,
        report.rejects,
    );
    for feed in &report.feeds {
        let until = feed.complete_until.clone().unwrap_or_else(unset);
        let required = if feed.required { ", required" } else { "" };
        text.push_str(&format!("\nfeed {}: complete until {until}{required}", feed.source));
    }
    for reject in &report.newest_rejects {
        text.push_str(&format!("\n  {}", reject.in_words()));
    }
    text
}
