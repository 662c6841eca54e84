//! A partner's tickets.

use std::sync::Arc;

use askama::Template;
use laini_core::partner::{May, MemberRole, Side, TicketId};
use laini_core::support::{Severity, TicketState};
use laini_office::tickets::{self, NewTicket};
use laini_office::{PageRequest, Problem, organisation};

use crate::answer::Answer;
use crate::csv::gathered;
use crate::frame::Frame;
use crate::page::{Access, Page, Workspace};
use crate::portal::Portal;
use crate::sorting::Sorting;
use crate::ticket_thread::{ALL, Listed, SaidLine, TicketRow, span, thread, tickets_file};
use crate::visit::{Visit, page};
use crate::words::TicketWords;

/// Every member looks,
const LOOKS: Access = Access::SignedIn(May::MEMBERS);
/// and these ask.
const ASKS: Access = Access::SignedIn(May {
    members: &[MemberRole::Owner, MemberRole::Developer, MemberRole::Billing, MemberRole::FraudDesk],
    staff: &[],
});

pub(super) fn pages() -> Vec<Page> {
    vec![
        Page::get("/support", LOOKS, show).in_rail(Workspace::Build, |words| words.support),
        Page::get("/support.csv", LOOKS, download),
        Page::post("/support", ASKS, open, show),
        Page::get("/support/{ticket}", LOOKS, show_ticket),
        Page::post("/support/{ticket}", ASKS, reply, show_ticket),
        Page::post("/support/{ticket}/close", ASKS, close, show_ticket),
    ]
}

#[derive(Template)]
#[template(path = "build/support.html")]
struct SupportPage {
    frame: Frame,
    words: &'static TicketWords,
    sorting: Sorting<Listed>,
    rows: Vec<TicketRow>,
    next: Option<String>,
    can_ask: bool,
    /// The word of each severity, what it is called and means, and within what time it is answered.
    severities: Vec<(&'static str, &'static str, &'static str, String)>,
    /// What is in the form: of the form that was refused, or of the address, where another page filled it.
    severity: String,
    subject: String,
    reference: String,
    text: String,
}

fn may_ask(visit: &Visit) -> bool {
    matches!(ASKS, Access::SignedIn(may) if visit.actor().is_allowed(&may))
}

async fn show(portal: Arc<Portal>, visit: Arc<Visit>) -> Result<Answer, Problem> {
    let mut sorting = Sorting::asked(&ALL, &visit, "/support");
    let is_turned = sorting.is_turned();
    let found = portal.work(&visit, move |work, visit| {
        tickets::list_of(work, visit.partner()?, PageRequest { is_turned, ..visit.asked_page()? })
    });
    let found = found.await?;
    let mut listed: Vec<Listed> = found.items.into_iter().map(|ticket| (ticket, String::new())).collect();
    sorting.sort(&mut listed, found.next.is_some());
    let words = &visit.language.words().tickets;
    let row = |(ticket, _): &Listed| TicketRow::of(ticket, Side::Partner, &portal, visit.context.at, words);
    let filled = |name| if visit.form.is_empty() { visit.query(name) } else { visit.field(name) }.to_owned();
    let times = portal.office.settings.answer_times;
    let severity = |severity: Severity| {
        let (name, means) = words.severities[severity as usize];
        (severity.word(), name, means, span(times.of(severity)))
    };
    page(&SupportPage {
        frame: visit.frame(&portal, words.title),
        words,
        sorting,
        rows: listed.iter().map(row).collect(),
        next: found.next.map(|next| next.to_string()),
        can_ask: may_ask(&visit),
        severities: Severity::ALL.map(severity).into(),
        severity: filled("severity"),
        subject: filled("subject"),
        reference: filled("reference"),
        text: filled("text"),
    })
}

/// All tickets of the list as a file.
async fn download(portal: Arc<Portal>, visit: Arc<Visit>) -> Result<Answer, Problem> {
    let mut sorting = Sorting::first(&ALL, &visit, "");
    let is_turned = sorting.is_turned();
    let found = portal.work(&visit, move |work, visit| {
        let partner = visit.partner()?;
        let name = organisation::find_partner(work, partner)?.name;
        let (tickets, has_more) = gathered(is_turned, |request| tickets::list_of(work, partner, request))?;
        Ok((tickets.into_iter().map(|ticket| (ticket, name.clone())).collect::<Vec<Listed>>(), has_more))
    });
    let (mut listed, has_more) = found.await?;
    sorting.sort(&mut listed, has_more);
    Ok(tickets_file(&listed))
}

async fn open(portal: Arc<Portal>, visit: Arc<Visit>) -> Result<Answer, Problem> {
    let opened = portal.work(&visit, |work, visit| {
        let severity = Severity::parse(visit.field("severity"));
        let new = NewTicket {
            subject: visit.field("subject"),
            reference: visit.field("reference"),
            severity: severity.map_err(|error| Problem::invalid("severity", error.to_string()))?,
            text: visit.field("text"),
        };
        tickets::open(work, visit.partner()?, &new)
    });
    Ok(Answer::see_other(format!("/support/{}", opened.await?.id)))
}

#[derive(Template)]
#[template(path = "build/ticket.html")]
struct TicketPage {
    frame: Frame,
    words: &'static TicketWords,
    ticket: TicketRow,
    reference: Option<String>,
    thread: Vec<SaidLine>,
    can_ask: bool,
    is_solved: bool,
    text: String,
}

async fn show_ticket(portal: Arc<Portal>, visit: Arc<Visit>) -> Result<Answer, Problem> {
    let id = visit.id("ticket", TicketId::parse)?;
    let found = portal.work(&visit, move |work, visit| {
        let ticket = tickets::the_ticket(work, visit.partner()?, id)?;
        let names = tickets::names(work, &ticket)?;
        Ok((ticket, names))
    });
    let (ticket, names) = found.await?;
    let words = &visit.language.words().tickets;
    page(&TicketPage {
        frame: visit.frame(&portal, ticket.subject.clone()),
        words,
        ticket: TicketRow::of(&ticket, Side::Partner, &portal, visit.context.at, words),
        reference: ticket.reference.clone(),
        thread: thread(&ticket, &names, Side::Partner, &portal, words),
        can_ask: may_ask(&visit),
        is_solved: ticket.state == TicketState::Solved,
        text: visit.field("text").to_owned(),
    })
}

async fn reply(portal: Arc<Portal>, visit: Arc<Visit>) -> Result<Answer, Problem> {
    let id = visit.id("ticket", TicketId::parse)?;
    portal.work(&visit, move |work, visit| tickets::reply(work, visit.partner()?, id, visit.field("text"))).await?;
    Ok(Answer::see_other(format!("/support/{id}")))
}

async fn close(portal: Arc<Portal>, visit: Arc<Visit>) -> Result<Answer, Problem> {
    let id = visit.id("ticket", TicketId::parse)?;
    portal.work(&visit, move |work, visit| tickets::close(work, visit.partner()?, id)).await?;
    Ok(Answer::see_other(format!("/support/{id}")))
}
