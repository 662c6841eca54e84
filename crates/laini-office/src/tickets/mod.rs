//! Tickets: what a partner asks of the operator, in a thread that both sides see.
//!
//! Owns tickets with their clock, and the letters that say that there is news. Must never keep a number that somebody wrote
//! into a text, put what was said into a letter, or take a request of somebody else for the partner's own.

mod letters;
mod steps;
mod ticket;

pub use steps::{NewTicket, close, open, reply};
pub use ticket::{Said, Ticket, Which, list, list_of, names, the_ticket};

use laini_core::billing::CheckId;
use laini_core::partner::PartnerId;

use crate::{Problem, Work, requests};

/// Whether a request of this id is the partner's.
fn is_theirs(work: &Work<'_>, partner: PartnerId, id: CheckId) -> Result<bool, Problem> {
    match requests::open(work, partner, id) {
        Ok(_) => Ok(true),
        Err(Problem::NotFound(_)) => Ok(false),
        Err(problem) => Err(problem),
    }
}
