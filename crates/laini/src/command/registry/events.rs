use anyhow::Context as _;
use clap::Args;
use laini_core::line::{EventText, Msisdn};
use laini_core::store::{RecordedEvent, RecordedQuery};
use serde::Serialize;

use crate::command::Context;
use crate::command::context::block_on;
use crate::failure::WithHint as _;

/// `laini registry events`
#[derive(Args)]
pub(crate) struct EventsArgs {
    /// Of this feed alone.
    #[arg(long, value_name = "FEED")]
    source: Option<String>,
    /// How many are listed.
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u16).range(1..=10_000))]
    limit: u16,
    /// Where to go on: what the page before ended with.
    #[arg(long, value_name = "PLACE")]
    after: Option<u64>,
}

#[derive(Serialize)]
struct EventsReport {
    events: Vec<EventReport>,
    next: Option<u64>,
}

/// One event; its number is masked.
#[derive(Serialize)]
struct EventReport {
    source: String,
    event: String,
    #[serde(rename = "type")]
    kind: &'static str,
    number: Option<String>,
    at: String,
    recorded: String,
    received: String,
}

impl From<RecordedEvent> for EventReport {
    fn from(recorded: RecordedEvent) -> Self {
        let event = recorded.event;
        Self {
            source: event.key.source.as_str().to_owned(),
            event: event.key.id.as_str().to_owned(),
            kind: event.happening.kind().word(),
            number: event.msisdn.map(Msisdn::masked),
            at: event.at.to_string(),
            recorded: event.recorded.to_string(),
            received: recorded.received.to_string(),
        }
    }
}

/// Lists them.
pub(crate) fn run(context: &Context, args: &EventsArgs) -> anyhow::Result<()> {
    let (house, config) = context.existing_house()?;
    let source = match &args.source {
        Some(text) => Some(
            EventText::parse(text)
                .with_context(|| format!("--source: `{text}` is no name of a feed"))
                .hint("`laini registry status` lists the feeds")?,
        ),
        None => None,
    };
    let feed = house.registry(&config)?.feed;
    let query = RecordedQuery { source, before: args.after, limit: usize::from(args.limit) };
    let page = block_on(feed.recorded(query))??;
    let events = page.events.into_iter().map(EventReport::from).collect();
    context.out.data(&EventsReport { events, next: page.next }, in_words)
}

fn in_words(report: &EventsReport) -> String {
    let line = |event: &EventReport| {
        let number = event.number.as_deref().unwrap_or("-");
        let EventReport { received, source, event: id, kind, at, .. } = event;
        format!("{received} {source} {id}: {kind} {number} at {at}")
    };
    let mut lines: Vec<String> = report.events.iter().map(line).collect();
    if lines.is_empty() {
        lines.push("no event here".to_owned());
    }
    lines.extend(report.next.map(|next| format!("there are more: --after {next}")));
    lines.join("\n")
}
