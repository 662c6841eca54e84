use clap::Args;
use laini_core::line::EventText;
use laini_core::store::FeedItem;
use laini_server::operator::feed::Instants;
use serde::Serialize;

use crate::command::Context;
use crate::command::context::{block_on, now};
use crate::failure::WithHint as _;

/// `laini registry heartbeat`
#[derive(Args)]
pub(crate) struct HeartbeatArgs {
    /// Which feed (default: the one of events that name none).
    #[arg(long, value_name = "NAME")]
    source: Option<String>,
    /// Until when it is complete (default: now).
    #[arg(long, value_name = "INSTANT")]
    until: Option<String>,
}

#[derive(Serialize)]
struct HeartbeatReport {
    source: String,
    complete_until: String,
}

/// Says that a feed is complete.
pub(crate) fn run(context: &Context, args: &HeartbeatArgs) -> anyhow::Result<()> {
    let (house, config) = context.house()?;
    let instants = Instants::new(config.zone()?, now());
    let source = match &args.source {
        Some(name) => EventText::parse(name).map_err(|error| anyhow::anyhow!("--source: {error}"))?,
        None => EventText::default_source(),
    };
    let until = match &args.until {
        Some(text) => instants
            .parse(text)
            .map_err(|error| anyhow::anyhow!("--until {error}"))
            .hint("an instant is RFC 3339 or a plain date, e.g. 2026-01-31T04:30:00+03:00")?,
        None => now(),
    };
    let report = HeartbeatReport { source: source.as_str().to_owned(), complete_until: until.to_string() };
    let feed = house.registry(&config)?.feed;
    block_on(feed.record(vec![FeedItem::Heartbeat { source, until }], now()))??;
    context.out.data(&report, |report| format!("feed {} is complete until {}", report.source, report.complete_until))
}
