use clap::Args;
use laini_office::PageRequest;
use laini_office::tickets::{self, Which};

use super::TicketReport;
use crate::command::Context;
use crate::command::context::{in_office, partner_of};

/// `laini ticket list`
#[derive(Args)]
pub(crate) struct ListArgs {
    /// All tickets, the newest first, not only those that wait for an answer.
    #[arg(long)]
    all: bool,
    /// All tickets of this partner: its name or id.
    #[arg(long, conflicts_with = "all")]
    partner: Option<String>,
    /// How many.
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u16).range(1..=500))]
    limit: u16,
}

/// Lists tickets.
pub(crate) fn run(context: &Context, args: &ListArgs) -> anyhow::Result<()> {
    let page = PageRequest { limit: args.limit.into(), ..PageRequest::FIRST };
    let found = in_office(context, |work| match &args.partner {
        Some(partner) => {
            let partner = partner_of(work, partner)?;
            tickets::list_of(work, partner, page)
        }
        None => tickets::list(work, if args.all { Which::All } else { Which::Due }, page),
    })?;
    let reports: Vec<_> = found.items.iter().map(TicketReport::of).collect();
    context.out.data(&reports, |reports| match reports.as_slice() {
        [] => "no tickets".to_owned(),
        some => some.iter().map(TicketReport::line).collect::<Vec<_>>().join("\n"),
    })
}
