use anyhow::Context as _;
use clap::Args;
use laini_core::store::{Reject, RejectCursor};
use serde::Serialize;

use crate::command::Context;
use crate::command::context::block_on;
use crate::failure::WithHint as _;

/// `laini registry rejects`
#[derive(Args)]
pub(crate) struct RejectsArgs {
    /// How many are listed.
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u16).range(1..=10_000))]
    limit: u16,
    /// Where to go on: what the page before ended with.
    #[arg(long, value_name = "CURSOR")]
    after: Option<String>,
}

#[derive(Serialize)]
struct RejectsReport {
    rejects: Vec<RejectReport>,
    next: Option<String>,
}

/// One reject; never the number or what the line said.
#[derive(Serialize)]
pub(super) struct RejectReport {
    pub(super) place: String,
    pub(super) reason: String,
    pub(super) waits: bool,
    pub(super) can_be_retried: bool,
    pub(super) received: String,
}

impl From<Reject> for RejectReport {
    fn from(reject: Reject) -> Self {
        Self {
            place: reject.key.map_or(reject.place, |key| key.id.as_str().to_owned()),
            reason: reject.reason,
            waits: reject.waits,
            can_be_retried: reject.line.is_some(),
            received: reject.received.to_string(),
        }
    }
}

impl RejectReport {
    /// One line for people.
    pub(super) fn in_words(&self) -> String {
        let state = if self.waits { "waits  " } else { "refused" };
        format!("{state} {}: {}", self.place, self.reason)
    }
}

/// Lists them.
pub(crate) fn run(context: &Context, args: &RejectsArgs) -> anyhow::Result<()> {
    let (house, config) = context.existing_house()?;
    let cursor = match &args.after {
        Some(text) => RejectCursor::parse(text)
            .with_context(|| format!("--after: `{text}` is no cursor"))
            .hint("take it from the end of the page before, e.g. 17.4")?,
        None => RejectCursor::START,
    };
    let feed = house.registry(&config)?.feed;
    let page = block_on(feed.rejects(cursor, usize::from(args.limit)))??;
    let report = RejectsReport {
        rejects: page.rejects.into_iter().map(RejectReport::from).collect(),
        next: page.next.map(|next| next.to_string()),
    };
    context.out.data(&report, in_words)
}

fn in_words(report: &RejectsReport) -> String {
    if report.rejects.is_empty() {
        return "nothing was refused".to_owned();
    }
    let mut lines: Vec<String> =
        report.rejects.iter().map(|reject| format!("{} {}", reject.received, reject.in_words())).collect();
    if report.rejects.iter().any(|reject| reject.can_be_retried) {
        lines.push("`laini registry retry` reads again what could not be read".to_owned());
    }
    lines.extend(report.next.as_ref().map(|next| format!("there are more: --after {next}")));
    lines.join("\n")
}
