use laini_core::billing::CheckId;
use laini_core::partner::{PartnerId, Side, TicketId};
use laini_core::support::{Severity, TicketRefusal, TicketState, mask_numbers};

use super::letters::{tell_partner, tell_staff};
use super::{Said, Ticket, is_theirs, the_ticket};
use crate::onboarding::side;
use crate::organisation::find_partner;
use crate::{PageRequest, Problem, Work};

/// The longest subject.
const SUBJECT_CHARS_MAX: usize = 150;
/// The longest text of one who speaks.
const TEXT_CHARS_MAX: usize = 5_000;
/// So much is said in one ticket at most.
const THREAD_MAX: usize = 300;
/// So many tickets of a partner are unsolved at once.
const UNSOLVED_MAX: usize = 200;

/// A ticket as it is opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewTicket<'a> {
    /// What it is about: 1 to 150 characters.
    pub subject: &'a str,
    /// The requestRefID that it is about; empty = about none.
    pub reference: &'a str,
    /// How bad it is.
    pub severity: Severity,
    /// What is asked: 1 to 5,000 characters.
    pub text: &'a str,
}

/// Opens a ticket, and tells the operator's staff. Numbers in it are masked before it is kept.
pub fn open(work: &mut Work<'_>, partner: PartnerId, new: &NewTicket<'_>) -> Result<Ticket, Problem> {
    find_partner(work, partner)?;
    let subject = written(work, "subject", new.subject, SUBJECT_CHARS_MAX)?;
    let said = said(work, new.text)?;
    let reference = reference(work, partner, new.reference)?;
    let unsolved =
        work.find::<Ticket>("unsolved", partner, false, PageRequest { limit: UNSOLVED_MAX, ..PageRequest::FIRST })?;
    if unsolved.items.len() >= UNSOLVED_MAX {
        let why = format!("{UNSOLVED_MAX} tickets are unsolved, the most there may be; close what is over");
        return Err(Problem::not_now(why));
    }
    let mut ticket = Ticket {
        id: TicketId::from_random(work.office.entropy.next_u64()),
        partner,
        subject,
        reference,
        severity: new.severity,
        state: TicketState::Open,
        opened: work.at,
        changed: work.at,
        due: None,
        answered: None,
        thread: vec![said],
    };
    set_due(work, &mut ticket, true);
    work.put(&ticket)?;
    tell_staff(work, &ticket, "A new ticket")?;
    work.note("ticket.open", Some(partner), ticket.id, ticket.severity.word());
    Ok(ticket)
}

/// Says something in a ticket, and tells the other side. A partner takes up what was solved.
pub fn reply(work: &mut Work<'_>, partner: PartnerId, id: TicketId, text: &str) -> Result<Ticket, Problem> {
    let mut ticket = the_ticket(work, partner, id)?;
    let side = side(&work.actor);
    if ticket.thread.len() >= THREAD_MAX {
        return Err(Problem::not_now(format!(
            "{THREAD_MAX} texts are in it, the most there may be; open another ticket"
        )));
    }
    let waited = ticket.state.waits_for();
    ticket.state = ticket.state.after_reply(side).map_err(refused)?;
    ticket.thread.push(said(work, text)?);
    ticket.changed = work.at;
    if side == Side::Operator {
        ticket.answered.get_or_insert(work.at);
    }
    set_due(work, &mut ticket, waited != Some(Side::Operator));
    work.put(&ticket)?;
    match side {
        Side::Operator => tell_partner(work, &ticket, "was answered")?,
        Side::Partner => tell_staff(work, &ticket, "More was said in a ticket")?,
    }
    work.note("ticket.reply", Some(partner), ticket.id, "");
    Ok(ticket)
}

/// Calls a ticket solved, and tells the partner where the operator does.
pub fn close(work: &mut Work<'_>, partner: PartnerId, id: TicketId) -> Result<Ticket, Problem> {
    let mut ticket = the_ticket(work, partner, id)?;
    ticket.state = ticket.state.solved().map_err(refused)?;
    ticket.changed = work.at;
    set_due(work, &mut ticket, false);
    work.put(&ticket)?;
    if side(&work.actor) == Side::Operator {
        tell_partner(work, &ticket, "was called solved; reply in it where it is not")?;
    }
    work.note("ticket.close", Some(partner), ticket.id, "");
    Ok(ticket)
}

/// Winds the operator's clock where the operator gets the word, and stops it where it does not have it.
fn set_due(work: &Work<'_>, ticket: &mut Ticket, is_wound: bool) {
    ticket.due = match ticket.state.waits_for() {
        Some(Side::Operator) if is_wound => Some(work.at + work.office.settings.answer_times.of(ticket.severity)),
        Some(Side::Operator) => ticket.due,
        Some(Side::Partner) | None => None,
    };
}

/// The id of a request of the partner's, as it is written.
fn reference(work: &Work<'_>, partner: PartnerId, text: &str) -> Result<Option<String>, Problem> {
    let text = text.trim();
    if text.is_empty() {
        return Ok(None);
    }
    let id = CheckId::parse_request_ref(text).map_err(|error| Problem::invalid("reference", error.to_string()))?;
    if !is_theirs(work, partner, id)? {
        let why = "no request of yours has this id; leave it away where the call never arrived";
        return Err(Problem::invalid("reference", why));
    }
    Ok(Some(text.to_owned()))
}

fn said(work: &Work<'_>, text: &str) -> Result<Said, Problem> {
    let text = written(work, "text", text, TEXT_CHARS_MAX)?;
    Ok(Said { at: work.at, side: side(&work.actor), by: work.actor.person(), text })
}

/// A text as it is kept: its numbers masked.
fn written(work: &Work<'_>, field: &'static str, text: &str, chars_max: usize) -> Result<String, Problem> {
    let text = text.trim();
    let is_odd = |c: char| c.is_control() && (field == "subject" || !['\n', '\r', '\t'].contains(&c));
    if text.is_empty() || text.chars().count() > chars_max || text.chars().any(is_odd) {
        return Err(Problem::invalid(field, format!("expected 1 to {chars_max} characters")));
    }
    Ok(mask_numbers(text, work.office.settings.plan))
}

fn refused(refusal: TicketRefusal) -> Problem {
    Problem::not_now(refusal.to_string())
}
