use clap::Args;
use laini_office::tickets;

use super::{OfTicket, TicketReport};
use crate::command::Context;
use crate::command::context::in_office;

/// `laini ticket reply`
#[derive(Args)]
pub(crate) struct ReplyArgs {
    #[command(flatten)]
    of: OfTicket,
    /// What to say.
    #[arg(long)]
    text: String,
}

/// `laini ticket close`
#[derive(Args)]
pub(crate) struct CloseArgs {
    #[command(flatten)]
    of: OfTicket,
}

/// Answers a ticket.
pub(crate) fn run(context: &Context, args: &ReplyArgs) -> anyhow::Result<()> {
    let report = in_office(context, |work| {
        let partner = args.of.partner(work)?;
        Ok(TicketReport::of(&tickets::reply(work, partner, args.of.ticket, &args.text)?))
    })?;
    context.out.data(&report, TicketReport::in_words)
}

/// Calls a ticket solved.
pub(crate) fn close(context: &Context, args: &CloseArgs) -> anyhow::Result<()> {
    let report = in_office(context, |work| {
        let partner = args.of.partner(work)?;
        Ok(TicketReport::of(&tickets::close(work, partner, args.of.ticket)?))
    })?;
    context.out.data(&report, TicketReport::in_words)
}
