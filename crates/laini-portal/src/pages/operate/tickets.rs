//! Tickets of every partner: what waits for an answer, by its clock.

use std::collections::HashMap;
use std::sync::Arc;

use askama::Template;
use laini_core::partner::{May, Side, StaffRole, TicketId};
use laini_core::support::TicketState;
use laini_office::tickets::{self, Ticket, Which};
use laini_office::{PageRequest, Problem, Work, organisation};

use super::LOOKS;
use crate::answer::Answer;
use crate::csv::gathered;
use crate::frame::Frame;
use crate::page::{Access, Page, Workspace};
use crate::portal::Portal;
use crate::sorting::{Sorting, Table};
use crate::ticket_thread::{ALL, DUE, Listed, SaidLine, TicketRow, thread, tickets_file};
use crate::visit::{Visit, page};
use crate::words::TicketWords;

/// Who answers.
const ANSWERS: Access = Access::SignedIn(May {
    members: &[],
    staff: &[StaffRole::Admin, StaffRole::Support, StaffRole::Onboarding, StaffRole::Finance],
});

const HERE: &str = "/operate/tickets";

pub(super) fn pages() -> Vec<Page> {
    vec![
        Page::get(HERE, LOOKS, show).in_rail(Workspace::Operate, |words| words.tickets),
        Page::get("/operate/tickets.csv", LOOKS, download),
        Page::get("/operate/tickets/{partner}/{ticket}", LOOKS, show_ticket),
        Page::post("/operate/tickets/{partner}/{ticket}", ANSWERS, reply, show_ticket),
        Page::post("/operate/tickets/{partner}/{ticket}/close", ANSWERS, close, show_ticket),
    ]
}

#[derive(Template)]
#[template(path = "operate/tickets.html")]
struct TicketsPage {
    frame: Frame,
    words: &'static TicketWords,
    /// The word of each tab, what it is called, and whether it is shown.
    tabs: [(&'static str, &'static str, bool); 2],
    which: &'static str,
    sorting: Sorting<Listed>,
    /// Each with its partner's name.
    rows: Vec<(TicketRow, String)>,
    next: Option<String>,
}

/// The tab that is asked for, and how its table is sorted.
fn asked(visit: &Visit) -> (Which, &'static Table<Listed>) {
    let which = Which::parse(visit.query("which")).unwrap_or(Which::Due);
    (which, if which == Which::Due { &DUE } else { &ALL })
}

/// Tickets, each with its partner's name.
fn named(work: &Work<'_>, tickets: Vec<Ticket>) -> Result<Vec<Listed>, Problem> {
    let names: HashMap<_, _> = work.book()?.partners.into_iter().map(|one| (one.id, one.name)).collect();
    let named = |ticket: Ticket| {
        let name = names.get(&ticket.partner).cloned().unwrap_or_default();
        (ticket, name)
    };
    Ok(tickets.into_iter().map(named).collect())
}

async fn show(portal: Arc<Portal>, visit: Arc<Visit>) -> Result<Answer, Problem> {
    let (which, table) = asked(&visit);
    let mut sorting = Sorting::asked(table, &visit, HERE);
    let is_turned = sorting.is_turned();
    let found = portal.work(&visit, move |work, visit| {
        let page = tickets::list(work, which, PageRequest { is_turned, ..visit.asked_page()? })?;
        Ok((named(work, page.items)?, page.next))
    });
    let (mut listed, next) = found.await?;
    let words = &visit.language.words().tickets;
    sorting.sort(&mut listed, next.is_some());
    let row = |(ticket, name): Listed| (TicketRow::of(&ticket, Side::Operator, &portal, visit.context.at, words), name);
    page(&TicketsPage {
        frame: visit.frame(&portal, words.tickets),
        words,
        tabs: [("due", words.tabs[0], which == Which::Due), ("all", words.tabs[1], which == Which::All)],
        which: if which == Which::Due { "due" } else { "all" },
        sorting,
        rows: listed.into_iter().map(row).collect(),
        next: next.map(|next| next.to_string()),
    })
}

/// The tickets of a tab as a file.
async fn download(portal: Arc<Portal>, visit: Arc<Visit>) -> Result<Answer, Problem> {
    let (which, table) = asked(&visit);
    let mut sorting = Sorting::first(table, &visit, "");
    let is_turned = sorting.is_turned();
    let found = portal.work(&visit, move |work, _| {
        let (tickets, has_more) = gathered(is_turned, |request| tickets::list(work, which, request))?;
        Ok((named(work, tickets)?, has_more))
    });
    let (mut listed, has_more) = found.await?;
    sorting.sort(&mut listed, has_more);
    Ok(tickets_file(&listed))
}

#[derive(Template)]
#[template(path = "operate/ticket.html")]
struct TicketPage {
    frame: Frame,
    words: &'static TicketWords,
    ticket: TicketRow,
    partner_name: String,
    reference: Option<String>,
    thread: Vec<SaidLine>,
    can_answer: bool,
    text: String,
}

async fn show_ticket(portal: Arc<Portal>, visit: Arc<Visit>) -> Result<Answer, Problem> {
    let id = visit.id("ticket", TicketId::parse)?;
    let found = portal.work(&visit, move |work, visit| {
        let partner = visit.partner()?;
        let ticket = tickets::the_ticket(work, partner, id)?;
        let names = tickets::names(work, &ticket)?;
        Ok((ticket, names, organisation::find_partner(work, partner)?.name))
    });
    let (ticket, names, partner_name) = found.await?;
    let words = &visit.language.words().tickets;
    let may = matches!(ANSWERS, Access::SignedIn(may) if visit.actor().is_allowed(&may));
    page(&TicketPage {
        frame: visit.frame(&portal, ticket.subject.clone()),
        words,
        ticket: TicketRow::of(&ticket, Side::Operator, &portal, visit.context.at, words),
        partner_name,
        reference: ticket.reference.clone(),
        thread: thread(&ticket, &names, Side::Operator, &portal, words),
        can_answer: may && ticket.state != TicketState::Solved,
        text: visit.field("text").to_owned(),
    })
}

async fn reply(portal: Arc<Portal>, visit: Arc<Visit>) -> Result<Answer, Problem> {
    let id = visit.id("ticket", TicketId::parse)?;
    portal.work(&visit, move |work, visit| tickets::reply(work, visit.partner()?, id, visit.field("text"))).await?;
    back(&visit, id)
}

async fn close(portal: Arc<Portal>, visit: Arc<Visit>) -> Result<Answer, Problem> {
    let id = visit.id("ticket", TicketId::parse)?;
    portal.work(&visit, move |work, visit| tickets::close(work, visit.partner()?, id)).await?;
    back(&visit, id)
}

fn back(visit: &Visit, id: TicketId) -> Result<Answer, Problem> {
    Ok(Answer::see_other(format!("/operate/tickets/{}/{id}", visit.partner()?)))
}
