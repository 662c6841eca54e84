//! Tickets: what partners ask of the operator, in a thread that both sides see.

use axum::http::{Method, StatusCode};
use laini_core::partner::{May, MemberRole, StaffRole, TicketId};
use laini_core::support::Severity;
use laini_office::tickets::{self, NewTicket, Ticket, Which};
use laini_office::{Page, Problem, Work};
use laini_wire::office::tickets::{
    OpenTicketRequest, TicketAnswer, TicketItem, TicketReplyRequest, TicketSaid, TicketsAnswer,
};
use serde_json::{Value, json};

use super::described::{LOOKERS, asking, in_query, operation, paged, taking};
use super::{Call, Endpoint, Noun, Reply};
use crate::openapi::{Answer, Operation, Schemas, collect};

const ALL_PATH: &str = "/office/v1/tickets";
const TICKETS_PATH: &str = "/office/v1/partners/{partner}/tickets";
const TICKET_PATH: &str = "/office/v1/partners/{partner}/tickets/{ticket}";
const REPLIES_PATH: &str = "/office/v1/partners/{partner}/tickets/{ticket}/replies";
const CLOSE_PATH: &str = "/office/v1/partners/{partner}/tickets/{ticket}/close";

/// Who asks for a partner.
const ASKERS: &[MemberRole] = &[MemberRole::Owner, MemberRole::Developer, MemberRole::Billing, MemberRole::FraudDesk];
/// Who opens tickets: the partner alone.
const OPENERS: May = May { members: ASKERS, staff: &[] };
/// Who speaks in them.
const SPEAKERS: May =
    May { members: ASKERS, staff: &[StaffRole::Admin, StaffRole::Support, StaffRole::Onboarding, StaffRole::Finance] };

pub(super) const NOUN: Noun = Noun {
    tag: "tickets",
    description: "What partners ask of the operator: a thread that both sides see, with a clock for the answer.",
    endpoints: || {
        vec![
            Endpoint::new(list_all_operation(), list_all_tickets),
            Endpoint::new(list_operation(), list_tickets),
            Endpoint::new(open_operation(), open_ticket),
            Endpoint::new(show_operation(), show_ticket),
            Endpoint::new(reply_operation(), reply_to_ticket),
            Endpoint::new(close_operation(), close_ticket),
        ]
    },
    schemas,
};

fn schemas() -> Schemas {
    let mut schemas = Vec::new();
    collect::<OpenTicketRequest>(&mut schemas);
    collect::<TicketReplyRequest>(&mut schemas);
    collect::<TicketAnswer>(&mut schemas);
    collect::<TicketsAnswer>(&mut schemas);
    schemas
}

fn example() -> Value {
    let opened = "2026-11-28T09:45:00Z";
    json!({
        "id": "0000000000000007", "partner": "0000000000000002", "subject": "A check that was refused",
        "reference": null, "severity": "minor", "state": "open", "opened": opened, "changed": opened,
        "due": "2026-11-29T09:45:00Z", "answered": null,
        "thread": [{"at": opened, "side": "partner", "text": "Why was it refused?"}],
    })
}

fn answer(description: &'static str) -> Answer {
    Answer::ok(description, &["TicketAnswer"], example())
}

fn listed() -> Answer {
    let opened = "2026-11-28T09:45:00Z";
    let page = json!({"tickets": [{
        "id": "0000000000000007", "partner": "0000000000000002", "subject": "A check that was refused",
        "severity": "minor", "state": "open", "opened": opened, "changed": opened, "due": "2026-11-29T09:45:00Z",
    }], "next": null});
    Answer::ok("A page of them.", &["TicketsAnswer"], page)
}

fn list_all_operation() -> Operation {
    let summary = "Tickets of every partner: those that wait for the operator, or all of them";
    let list = operation("list_all_tickets", (Method::GET, ALL_PATH), summary, May::STAFF, listed());
    let which = json!({"type": "string", "enum": ["due", "all"], "default": "due"});
    let which = in_query("which", "`due`: what waits for the operator, by its clock; `all`: the newest first.", which);
    paged(asking(list, [which]))
}

fn list_operation() -> Operation {
    let summary = "Tickets of a partner, the newest first";
    paged(operation("list_tickets", (Method::GET, TICKETS_PATH), summary, LOOKERS, listed()))
}

fn open_operation() -> Operation {
    let opened = Answer { status: StatusCode::CREATED, ..answer("The ticket; the operator's staff are told.") };
    let open = operation("open_ticket", (Method::POST, TICKETS_PATH), "Opens a ticket", OPENERS, opened);
    let body = json!({"subject": "A check that was refused", "severity": "minor", "text": "Why was it refused?"});
    taking(open, "OpenTicketRequest", body)
}

fn show_operation() -> Operation {
    let summary = "One ticket, with all that was said";
    operation("show_ticket", (Method::GET, TICKET_PATH), summary, LOOKERS, answer("The ticket."))
}

fn reply_operation() -> Operation {
    let summary = "Says something in a ticket; a partner opens again what was solved";
    let reply = operation("reply_to_ticket", (Method::POST, REPLIES_PATH), summary, SPEAKERS, answer("As it is now."));
    taking(reply, "TicketReplyRequest", json!({"text": "The app has no agreement for this product."}))
}

fn close_operation() -> Operation {
    let answer = answer("As it is now.");
    operation("close_ticket", (Method::POST, CLOSE_PATH), "Calls a ticket solved", SPEAKERS, answer)
}

fn list_all_tickets(work: &mut Work<'_>, call: &Call) -> Result<Reply, Problem> {
    let which = call.query("which").map(Which::parse).transpose()?.unwrap_or(Which::Due);
    listing(tickets::list(work, which, call.page()?)?)
}

fn list_tickets(work: &mut Work<'_>, call: &Call) -> Result<Reply, Problem> {
    listing(tickets::list_of(work, call.partner()?, call.page()?)?)
}

fn open_ticket(work: &mut Work<'_>, call: &Call) -> Result<Reply, Problem> {
    let asked: OpenTicketRequest = call.json()?;
    let severity = Severity::parse(&asked.severity);
    let new = NewTicket {
        subject: &asked.subject,
        reference: asked.reference.as_deref().unwrap_or_default(),
        severity: severity.map_err(|error| Problem::invalid("severity", error.to_string()))?,
        text: &asked.text,
    };
    Reply::created(&shown(&tickets::open(work, call.partner()?, &new)?))
}

fn show_ticket(work: &mut Work<'_>, call: &Call) -> Result<Reply, Problem> {
    Reply::ok(&shown(&tickets::the_ticket(work, call.partner()?, id(call)?)?))
}

fn reply_to_ticket(work: &mut Work<'_>, call: &Call) -> Result<Reply, Problem> {
    let asked: TicketReplyRequest = call.json()?;
    Reply::ok(&shown(&tickets::reply(work, call.partner()?, id(call)?, &asked.text)?))
}

fn close_ticket(work: &mut Work<'_>, call: &Call) -> Result<Reply, Problem> {
    Reply::ok(&shown(&tickets::close(work, call.partner()?, id(call)?)?))
}

fn id(call: &Call) -> Result<TicketId, Problem> {
    call.id("ticket", TicketId::parse)
}

fn listing(page: Page<Ticket>) -> Result<Reply, Problem> {
    let item = |ticket: Ticket| TicketItem {
        id: ticket.id.to_string(),
        partner: ticket.partner.to_string(),
        subject: ticket.subject,
        severity: ticket.severity.word().to_owned(),
        state: ticket.state.word().to_owned(),
        opened: ticket.opened.to_string(),
        changed: ticket.changed.to_string(),
        due: ticket.due.map(|due| due.to_string()),
    };
    let tickets = page.items.into_iter().map(item).collect();
    Reply::ok(&TicketsAnswer { tickets, next: page.next.map(|next| next.to_string()) })
}

fn shown(ticket: &Ticket) -> TicketAnswer {
    let thread = ticket.thread.iter().map(|said| TicketSaid {
        at: said.at.to_string(),
        side: said.side.word().to_owned(),
        text: said.text.clone(),
    });
    TicketAnswer {
        id: ticket.id.to_string(),
        partner: ticket.partner.to_string(),
        subject: ticket.subject.clone(),
        reference: ticket.reference.clone(),
        severity: ticket.severity.word().to_owned(),
        state: ticket.state.word().to_owned(),
        opened: ticket.opened.to_string(),
        changed: ticket.changed.to_string(),
        due: ticket.due.map(|due| due.to_string()),
        answered: ticket.answered.map(|at| at.to_string()),
        thread: thread.collect(),
    }
}
