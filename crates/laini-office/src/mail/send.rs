use jiff::{SignedDuration, Timestamp};
use laini_core::partner::LetterId;

use super::{Carrier, CarryError, QueuedLetter};
use crate::{Actor, Office, PageRequest, Problem, Work};

/// Letters that one round carries; the next round goes on.
const ROUND_LETTERS_MAX: usize = 20;
/// A letter that is being carried is left alone by others for so long: longer than a round may take.
const LEASE: SignedDuration = SignedDuration::from_mins(15);
/// The pause after the first failed attempt; each further one doubles it,
const FIRST_PAUSE: SignedDuration = SignedDuration::from_mins(1);
/// up to this.
const PAUSE_MAX: SignedDuration = SignedDuration::from_hours(4);
/// A letter is tried for so long, then given up,
const TRIED_FOR: SignedDuration = SignedDuration::from_hours(72);
/// and that it was is known for so long.
const GIVEN_UP_KEPT: SignedDuration = SignedDuration::from_hours(30 * 24);

/// Carries what is due at `at`; how many letters arrived. Each is leased by its record's version first, so of two
/// nodes one carries it. Where a crash comes between carrying and noting it, it is carried again.
pub fn send_due(office: &Office, carrier: &dyn Carrier, at: Timestamp) -> Result<usize, Problem> {
    let mut carried = 0;
    for _ in 0..ROUND_LETTERS_MAX {
        let Some(queued) = office.run(&Actor::System, at, lease)? else { break };
        let done = match queued.open(office) {
            Some(letter) => carrier.carry(queued.id, &letter, at),
            None => Err(CarryError { is_final: true, reason: "its seal does not open under these keys".to_owned() }),
        };
        carried += usize::from(done.is_ok());
        office.run(&Actor::System, at, |work| note(work, queued.id, queued.attempts, &done))?;
        // Whatever is in its way may be in the others' way as well: a round must not wait for each of them.
        if done.is_err_and(|error| !error.is_final) {
            break;
        }
    }
    Ok(carried)
}

/// Forgets that letters were given up, when that is long ago; how many.
pub fn forget_given_up(office: &Office, at: Timestamp) -> Result<usize, Problem> {
    office.run(&Actor::System, at, |work| {
        let oldest = work.find::<QueuedLetter>("given_up", "all", false, PageRequest::LONGEST)?.items;
        let gone: Vec<_> = oldest
            .into_iter()
            .filter(|letter| letter.given_up.is_some_and(|since| since + GIVEN_UP_KEPT <= at))
            .collect();
        for letter in &gone {
            work.remove(letter);
        }
        Ok(gone.len())
    })
}

fn lease(work: &mut Work<'_>) -> Result<Option<QueuedLetter>, Problem> {
    let first = PageRequest { limit: 1, ..PageRequest::FIRST };
    let due = work.find::<QueuedLetter>("due", "all", false, first)?.items.pop();
    let Some(mut letter) = due.filter(|letter| letter.due <= work.at) else { return Ok(None) };
    letter.attempts += 1;
    letter.due = work.at + LEASE;
    work.put(&letter)?;
    Ok(Some(letter))
}

fn note(work: &mut Work<'_>, id: LetterId, attempt: u32, done: &Result<(), CarryError>) -> Result<(), Problem> {
    // Another node took it over when the lease had ended: how it ends is noted there.
    let Some(mut letter) = work.look::<QueuedLetter>(id)?.filter(|letter| letter.attempts == attempt) else {
        return Ok(());
    };
    let Err(error) = done else {
        work.remove(&letter);
        return Ok(());
    };
    let is_over = error.is_final || letter.queued + TRIED_FOR <= work.at;
    if is_over {
        tracing::error!(letter = %id, about = letter.about, reason = error.reason, "a letter was given up");
        letter.given_up = Some(work.at);
        letter.sealed.clear();
    } else {
        tracing::warn!(letter = %id, about = letter.about, reason = error.reason, "a letter is tried again later");
        letter.due = work.at + pause(attempt);
    }
    letter.failure.clone_from(&error.reason);
    work.put(&letter)
}

/// The pause after the failed attempt of this number, from 1.
fn pause(attempt: u32) -> SignedDuration {
    let doublings = attempt.saturating_sub(1).min(16);
    (FIRST_PAUSE * (1 << doublings)).min(PAUSE_MAX)
}
