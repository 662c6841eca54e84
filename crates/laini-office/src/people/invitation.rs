use jiff::civil::Date;
use laini_core::partner::{PartnerId, PersonId};
use laini_core::store::{RecordId, RecordKey, RecordKind};
use serde::{Deserialize, Serialize};

use super::once_token::{INVITED_FOR, is_awaited, withdraw};
use super::{Person, Proof, Seat};
use crate::{Actor, Kept, Problem, Work};

/// Invitations of a partner that may be open at once, where its own members invite,
const OPEN_MAX: usize = 20;
/// and letters with a token that they may have sent in one day of the operator's zone.
const LETTERS_PER_DAY_MAX: u32 = 50;

/// How many letters with a token the members of a partner have had sent on the last day on which they did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct LetterDay {
    partner: PartnerId,
    day: Date,
    letters: u32,
}

impl Kept for LetterDay {
    const KIND: RecordKind = RecordKind("letter_day");
    const NOUN: &'static str = "day of letters";

    fn id(&self) -> RecordId {
        self.partner.into()
    }

    fn keys(&self) -> Vec<RecordKey> {
        Vec::new()
    }
}

/// Whether somebody has come in at least once.
pub(super) fn has_come_in(work: &mut Work<'_>, person: PersonId) -> Result<bool, Problem> {
    Ok(work.look::<Proof>(person)?.is_some())
}

/// Whether an invitation keeps its address from others: for seven days, however often it was sent again, unless it was
/// withdrawn.
pub(super) fn holds_address(work: &mut Work<'_>, person: &Person) -> Result<bool, Problem> {
    let is_young = work.at < person.created + INVITED_FOR;
    Ok(is_young && !person.is_disabled && is_awaited(work, person.id)?)
}

/// Lets the address go of somebody who was invited and has not come in: they are nobody any more.
pub(super) fn let_go(work: &mut Work<'_>, person: &Person) -> Result<(), Problem> {
    withdraw(work, person.id)?;
    work.remove(person);
    // It concerns those who invited them; who has the address now is no business of theirs.
    let by = std::mem::replace(&mut work.actor, Actor::System);
    work.note("person.let_go", person.seat.partner(), person.id, "");
    work.actor = by;
    Ok(())
}

/// Counts a letter with a token that a member has sent to `person`, and refuses one too many: the operator's name stands
/// on it, and whoever registers an organisation is its owner. The operator's people send as many as they need.
pub(super) fn admit_letter(work: &mut Work<'_>, person: &Person) -> Result<(), Problem> {
    let (Actor::Member { .. }, Seat::Member { partner, .. }) = (&work.actor, person.seat) else { return Ok(()) };
    let day = work.office.settings.zone.to_datetime(work.at).date();
    // Read first: of two at once, one begins anew and counts the other.
    let found = work.look::<LetterDay>(partner)?;
    let letters = found.filter(|found| found.day == day).map_or(0, |found| found.letters);
    if letters >= LETTERS_PER_DAY_MAX {
        return Err(Problem::not_now(format!(
            "at most {LETTERS_PER_DAY_MAX} letters with a token are sent for one organisation a day; go on tomorrow"
        )));
    }
    if !has_come_in(work, person.id)? && open_beside(work, partner, person.id)? >= OPEN_MAX {
        return Err(Problem::not_now(format!(
            "{OPEN_MAX} invitations of this organisation are open; disable somebody who has not come in yet, or wait until \
             one is accepted or has lapsed"
        )));
    }
    work.put(&LetterDay { partner, day, letters: letters + 1 })
}

/// Invitations of a partner that can be accepted, without that of `person`.
fn open_beside(work: &mut Work<'_>, partner: PartnerId, person: PersonId) -> Result<usize, Problem> {
    let mut open = 0;
    for other in work.all::<Person>("partner", partner)? {
        let counts = other.id != person && !other.is_disabled && !has_come_in(work, other.id)?;
        open += usize::from(counts && is_awaited(work, other.id)?);
    }
    Ok(open)
}
