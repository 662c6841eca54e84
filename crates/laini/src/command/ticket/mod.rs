//! `laini ticket …`: what partners ask of the operator.
//!
//! Owns how tickets are answered from the operator's machine. Must never open one: that is the partner's to do.

mod list;
mod reply;
mod show;

use clap::{Args, Subcommand};
use laini_core::partner::{PartnerId, TicketId};
use laini_office::tickets::Ticket;
use laini_office::{Problem, Work};
use serde::Serialize;

use super::Context;

/// What to do with tickets.
#[derive(Subcommand)]
pub(crate) enum TicketCommand {
    /// List those that wait for an answer, the one that is due first before the others.
    List(list::ListArgs),
    /// Show one, with all that was said.
    Show(show::ShowArgs),
    /// Answer one; whoever spoke for the partner gets a letter.
    Reply(reply::ReplyArgs),
    /// Call one solved.
    Close(reply::CloseArgs),
}

/// Runs one of them.
pub(crate) fn run(context: &Context, command: &TicketCommand) -> anyhow::Result<()> {
    match command {
        TicketCommand::List(args) => list::run(context, args),
        TicketCommand::Show(args) => show::run(context, args),
        TicketCommand::Reply(args) => reply::run(context, args),
        TicketCommand::Close(args) => reply::close(context, args),
    }
}

/// Which ticket.
#[derive(Args)]
struct OfTicket {
    /// Which: its id.
    #[arg(value_parser = id)]
    ticket: TicketId,
}

impl OfTicket {
    /// The partner whose ticket it is.
    fn partner(&self, work: &mut Work<'_>) -> Result<PartnerId, Problem> {
        work.get::<Ticket>(self.ticket).map(|ticket| ticket.partner)
    }
}

fn id(text: &str) -> Result<TicketId, String> {
    TicketId::parse(text).map_err(|error| error.to_string())
}

/// A ticket as it is shown.
#[derive(Serialize)]
struct TicketReport {
    id: String,
    partner: String,
    subject: String,
    reference: Option<String>,
    severity: &'static str,
    state: &'static str,
    opened: String,
    due: Option<String>,
    thread: Vec<SaidReport>,
}

#[derive(Serialize)]
struct SaidReport {
    at: String,
    side: &'static str,
    text: String,
}

impl TicketReport {
    fn of(ticket: &Ticket) -> Self {
        let thread = ticket.thread.iter();
        Self {
            id: ticket.id.to_string(),
            partner: ticket.partner.to_string(),
            subject: ticket.subject.clone(),
            reference: ticket.reference.clone(),
            severity: ticket.severity.word(),
            state: ticket.state.word(),
            opened: ticket.opened.to_string(),
            due: ticket.due.map(|due| due.to_string()),
            thread: thread
                .map(|said| SaidReport { at: said.at.to_string(), side: said.side.word(), text: said.text.clone() })
                .collect(),
        }
    }

    fn line(&self) -> String {
        let due = self.due.as_deref().map_or("-", |due| due.get(..16).unwrap_or(due));
        format!("{} due {due:<16} {:<8} {:<20} {}", self.id, self.severity, self.state, self.subject)
    }

    fn in_words(&self) -> String {
        let about = self.reference.as_ref().map(|reference| format!("about request {reference}"));
        let said = self.thread.iter().map(|one| format!("{} {}: {}", one.at, one.side, one.text));
        std::iter::once(self.line()).chain(about).chain(said).collect::<Vec<_>>().join("\n")
    }
}
