use clap::Args;
use laini_office::tickets::Ticket;

use super::{OfTicket, TicketReport};
use crate::command::Context;
use crate::command::context::in_office;

/// `laini ticket show`
#[derive(Args)]
pub(crate) struct ShowArgs {
    #[command(flatten)]
    of: OfTicket,
}

/// Shows one ticket.
pub(crate) fn run(context: &Context, args: &ShowArgs) -> anyhow::Result<()> {
    let report = in_office(context, |work| Ok(TicketReport::of(&work.get::<Ticket>(args.of.ticket)?)))?;
    context.out.data(&report, TicketReport::in_words)
}
