use std::collections::HashMap;

use jiff::Timestamp;
use laini_core::partner::{PartnerId, PersonId, Side, TicketId};
use laini_core::store::{RecordId, RecordKey, RecordKind};
use laini_core::support::{Severity, TicketState};
use serde::{Deserialize, Serialize};

use crate::people::Person;
use crate::{Kept, Page, PageRequest, Problem, Work, key};

/// Something that a partner asks of the operator.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ticket {
    /// Its id.
    pub id: TicketId,
    /// Whose it is.
    pub partner: PartnerId,
    /// What it is about.
    pub subject: String,
    /// The requestRefID that it is about, where it is about one.
    pub reference: Option<String>,
    /// How bad it is.
    pub severity: Severity,
    /// How it stands.
    pub state: TicketState,
    /// When it was opened.
    pub opened: Timestamp,
    /// When something was said last, or it was closed.
    pub changed: Timestamp,
    /// Until when the operator answers; `None` = it is not the operator who has the word.
    pub due: Option<Timestamp>,
    /// When the operator answered first.
    pub answered: Option<Timestamp>,
    /// What was said, the oldest first; at least one.
    pub thread: Vec<Said>,
}

/// Something that was said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Said {
    /// When.
    pub at: Timestamp,
    /// By which side.
    pub side: Side,
    /// By whom; `None` = by command.
    pub by: Option<PersonId>,
    /// What.
    pub text: String,
}

impl Kept for Ticket {
    const KIND: RecordKind = RecordKind("ticket");
    const NOUN: &'static str = "ticket";

    fn id(&self) -> RecordId {
        self.id.into()
    }

    fn keys(&self) -> Vec<RecordKey> {
        let opened = self.opened.as_microsecond();
        let mut keys = vec![key("opened", "all", opened), key("partner", self.partner, opened)];
        if self.state.waits_for().is_some() {
            keys.push(key("unsolved", self.partner, opened));
        }
        keys.extend(self.due.map(|due| key("due", "all", due.as_microsecond())));
        keys
    }
}

/// Which tickets to list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Which {
    /// Those that wait for the operator, the one that is due first before the others.
    Due,
    /// All of them, the newest first.
    All,
}

impl Which {
    /// Reads `due` or `all`.
    pub fn parse(word: &str) -> Result<Self, Problem> {
        match word {
            "due" => Ok(Self::Due),
            "all" => Ok(Self::All),
            _ => Err(Problem::invalid("which", "expected one of: due, all")),
        }
    }
}

/// A page of the tickets of every partner.
pub fn list(work: &mut Work<'_>, which: Which, page: PageRequest) -> Result<Page<Ticket>, Problem> {
    match which {
        Which::Due => work.find("due", "all", false, page),
        Which::All => work.find("opened", "all", true, page),
    }
}

/// A page of the tickets of a partner, the newest first.
pub fn list_of(work: &mut Work<'_>, partner: PartnerId, page: PageRequest) -> Result<Page<Ticket>, Problem> {
    work.find("partner", partner, true, page)
}

/// The ticket of this id, where it is this partner's.
pub fn the_ticket(work: &mut Work<'_>, partner: PartnerId, id: TicketId) -> Result<Ticket, Problem> {
    let found = work.look::<Ticket>(id)?.filter(|ticket| ticket.partner == partner);
    found.ok_or(Problem::NotFound(Ticket::NOUN))
}

/// What the people are called who spoke for the partner; those who are gone are not in it.
pub fn names(work: &mut Work<'_>, ticket: &Ticket) -> Result<HashMap<PersonId, String>, Problem> {
    let mut names = HashMap::new();
    for by in ticket.thread.iter().filter(|said| said.side == Side::Partner).filter_map(|said| said.by) {
        if let Some(person) = work.look::<Person>(by)? {
            names.insert(by, person.name);
        }
    }
    Ok(names)
}
