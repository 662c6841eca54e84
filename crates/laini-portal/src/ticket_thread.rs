use std::collections::HashMap;

use jiff::{SignedDuration, Timestamp};
use laini_core::partner::{PersonId, Side};
use laini_core::support::{Severity, TicketState};
use laini_office::tickets::Ticket;

use crate::answer::Answer;
use crate::csv::{file, push_line};
use crate::portal::Portal;
use crate::sorting::{By, Table, by_text};
use crate::words::TicketWords;

/// A ticket in a list, as one side sees it.
pub(crate) struct TicketRow {
    pub(crate) id: String,
    pub(crate) partner: String,
    pub(crate) subject: String,
    pub(crate) severity: &'static str,
    pub(crate) severity_tone: &'static str,
    pub(crate) state: &'static str,
    pub(crate) state_tone: &'static str,
    pub(crate) opened: String,
    pub(crate) changed: String,
    pub(crate) clock: Option<Clock>,
}

/// When the operator's answer is due.
pub(crate) struct Clock {
    pub(crate) at: String,
    /// `3 h 20 min left`.
    pub(crate) left: String,
    pub(crate) tone: &'static str,
}

/// Something that was said, as pages show it.
pub(crate) struct SaidLine {
    pub(crate) at: String,
    pub(crate) by: String,
    pub(crate) is_own: bool,
    pub(crate) text: String,
}

/// A ticket among those of a list, with what its partner is called.
pub(crate) type Listed = (Ticket, String);

const LISTED: &[By<Listed>] = &[
    ("subject", |one, other| by_text(&one.0.subject, &other.0.subject)),
    ("partner", |one, other| by_text(&one.1, &other.1)),
    ("severity", |one, other| one.0.severity.cmp(&other.0.severity)),
    ("state", |one, other| (one.0.state as u8).cmp(&(other.0.state as u8))),
    // What nobody waits for is due last.
    ("due", |one, other| one.0.due.unwrap_or(Timestamp::MAX).cmp(&other.0.due.unwrap_or(Timestamp::MAX))),
    ("opened", |one, other| one.0.opened.cmp(&other.0.opened)),
    ("changed", |one, other| one.0.changed.cmp(&other.0.changed)),
];

/// Tickets as they come: those that are due, and all of them.
pub(crate) static DUE: Table<Listed> = Table { name: "sort", columns: LISTED, comes: "due" };
pub(crate) static ALL: Table<Listed> = Table { name: "sort", columns: LISTED, comes: "-opened" };

/// Tickets as a file, as either side may have it.
pub(crate) fn tickets_file(tickets: &[Listed]) -> Answer {
    let head = ["ticket", "partner", "subject", "reference", "severity", "state", "due", "opened", "changed"];
    file("tickets.csv", head, tickets, |csv, (ticket, partner)| {
        let instants = [ticket.due, Some(ticket.opened), Some(ticket.changed)];
        let instants = instants.map(|at| at.map(|at| at.to_string()).unwrap_or_default());
        let (id, reference) = (ticket.id.to_string(), ticket.reference.as_deref().unwrap_or_default());
        let (severity, state) = (ticket.severity.word(), ticket.state.word());
        let told = [&id, partner, &ticket.subject, reference, severity, state];
        push_line(csv, told.into_iter().chain(instants.iter().map(String::as_str)));
    })
}

impl TicketRow {
    pub(crate) fn of(
        ticket: &Ticket,
        side: Side,
        portal: &Portal,
        now: Timestamp,
        words: &'static TicketWords,
    ) -> Self {
        let states = match side {
            Side::Partner => &words.states,
            Side::Operator => &words.staff_states,
        };
        let tone = |state: TicketState| match (state, state.waits_for()) {
            (TicketState::Solved, _) => "go",
            (_, Some(waiting)) if waiting == side => "care",
            _ => "",
        };
        Self {
            id: ticket.id.to_string(),
            partner: ticket.partner.to_string(),
            subject: ticket.subject.clone(),
            severity: words.severities[ticket.severity as usize].0,
            severity_tone: match ticket.severity {
                Severity::Minor => "",
                Severity::Major => "care",
                Severity::Critical => "stop",
            },
            state: states[ticket.state as usize],
            state_tone: tone(ticket.state),
            opened: portal.shown(ticket.opened),
            changed: portal.shown(ticket.changed),
            clock: ticket.due.map(|due| Clock::of(due, portal, now, words)),
        }
    }
}

impl Clock {
    fn of(due: Timestamp, portal: &Portal, now: Timestamp, words: &'static TicketWords) -> Self {
        let left = due.duration_since(now);
        let (tone, word) = match left {
            left if left.is_negative() => ("stop", words.overdue),
            left if left < SignedDuration::from_mins(30) => ("care", words.left),
            _ => ("", words.left),
        };
        Self { at: portal.shown(due), left: format!("{} {word}", span(left.abs())), tone }
    }
}

/// A span as people say it: minutes, hours with minutes, or days.
pub(crate) fn span(of: SignedDuration) -> String {
    let minutes = of.as_secs() / 60;
    match minutes {
        0..60 => format!("{minutes} min"),
        60..2_880 => match minutes % 60 {
            0 => format!("{} h", minutes / 60),
            rest => format!("{} h {rest} min", minutes / 60),
        },
        _ => format!("{} d", minutes / 1_440),
    }
}

/// The thread as one side sees it: of the other side's people, the operator's stay the operator.
pub(crate) fn thread(
    ticket: &Ticket,
    names: &HashMap<PersonId, String>,
    side: Side,
    portal: &Portal,
    words: &'static TicketWords,
) -> Vec<SaidLine> {
    let by = |said: &laini_office::tickets::Said| match said.side {
        Side::Operator => portal.office.settings.operator.clone(),
        Side::Partner => {
            let name = said.by.and_then(|by| names.get(&by).cloned());
            name.unwrap_or_else(|| words.somebody.to_owned())
        }
    };
    let lines = ticket.thread.iter().map(|said| SaidLine {
        at: portal.shown(said.at),
        by: by(said),
        is_own: said.side == side,
        text: said.text.clone(),
    });
    lines.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_said_in_the_unit_that_matters() {
        for (minutes, expected) in [(0, "0 min"), (59, "59 min"), (60, "1 h"), (200, "3 h 20 min"), (2_880, "2 d")] {
            assert_eq!(span(SignedDuration::from_mins(minutes)), expected);
        }
    }
}
