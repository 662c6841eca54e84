use clap::Args;
use laini_core::billing::CheckId;
use laini_core::store::{DeliveryId, DeliveryQuery};

use super::DeliveryReport;
use crate::command::Context;
use crate::command::app::find;
use crate::command::context::block_on;

/// `laini delivery list` and `laini delivery dead`
#[derive(Args)]
pub(crate) struct ListArgs {
    /// Only those of this app: its id, consumer key or name.
    #[arg(long)]
    app: Option<String>,
    /// Only those older than this id.
    #[arg(long, value_name = "ID", value_parser = CheckId::parse_request_ref)]
    before: Option<CheckId>,
    /// At most so many.
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u16).range(1..=1000))]
    limit: u16,
}

/// Lists deliveries, newest first.
pub(crate) fn run(context: &Context, args: &ListArgs, only_dead: bool) -> anyhow::Result<()> {
    let (house, _) = context.house()?;
    let book = block_on(house.accounts()?.load())??;
    let app = args.app.as_ref().map(|app| find(&book, app)).transpose()?.map(|app| app.id);
    let (after, limit) = (args.before.map(DeliveryId), args.limit.into());
    let query = DeliveryQuery { app, only_dead, after, limit, ..DeliveryQuery::default() };
    let found = block_on(house.ledger_beside()?.outbox.deliveries(query))??;
    let lines: Vec<DeliveryReport> = found.into_iter().map(DeliveryReport::of).collect();
    context.out.data(&lines, |lines| {
        if lines.is_empty() {
            return if only_dead { "nothing was given up" } else { "nothing was delivered yet" }.to_owned();
        }
        let rows = lines.iter().map(|line| {
            format!(
                "{:<36} {:<14} {:<9} {:>3} {}",
                line.id,
                line.kind,
                line.state,
                line.attempts,
                line.last_problem.as_deref().unwrap_or("")
            )
        });
        let header = format!("{:<36} {:<14} {:<9} tries last problem", "id", "kind", "state");
        std::iter::once(header).chain(rows).collect::<Vec<_>>().join("\n")
    })
}
