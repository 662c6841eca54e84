use futures_executor::block_on;
use jiff::Timestamp;
use laini_core::line::Msisdn;
use laini_core::privacy::{HOLD, held_by_swap};

use super::steps::{note, refused};
use super::{PrivacyRequest, Subject};
use crate::{Problem, Work};

/// Until when a request about a number is held, as the registry of the running server knows.
pub fn held_until(work: &Work<'_>, number: Msisdn) -> Result<Option<Timestamp>, Problem> {
    let registry = work.office.registry.as_ref().ok_or(Problem::not_now("no registry can be asked here"))?;
    match block_on(registry.look_up(number)) {
        Ok(found) => Ok(laini_core::privacy::held_until(&found, work.at)),
        // As long as if the SIM had been swapped just now: nobody can say that it was not.
        Err(error) => {
            tracing::warn!(%error, "a privacy request is held, for the registry cannot say whether the SIM was swapped");
            Ok(Some(work.at + HOLD))
        }
    }
}

/// Holds a request whose SIM was swapped since it came, as its number was looked up just now: never for shorter than
/// before. Where it was held before, a known swap alone holds it for longer: what nobody can say does so once. What was
/// approved waits for another approval, with which an administrator may answer for the hold.
///
/// Kept at once, whether or not the step that asks for it is taken. Only a hash of its number is kept, so whoever takes
/// the step says the number again.
pub fn hold_again(work: &Work<'_>, request: &mut PrivacyRequest, subject: &Subject) -> Result<(), Problem> {
    if request.number != subject.hash.hex() {
        return Err(Problem::invalid("number", "the request is about another number"));
    }
    let until = match request.held_until {
        None => laini_core::privacy::held_until(&subject.found, work.at),
        Some(_) => held_by_swap(&subject.found, work.at),
    };
    if until <= request.held_until {
        return Ok(());
    }
    hold(request, until)?;
    work.office.run(&work.actor, work.at, |aside| {
        // One that came with this very work is saved with it.
        let Some(mut kept) = aside.look::<PrivacyRequest>(request.id)?.filter(|kept| kept.held_until < until) else {
            return Ok(());
        };
        hold(&mut kept, until)?;
        note(aside, &kept, "held", "the SIM was swapped or ported, or nobody can say that it was not");
        aside.put(&kept)
    })
}

fn hold(request: &mut PrivacyRequest, until: Option<Timestamp>) -> Result<(), Problem> {
    request.state = request.standing().held_again().map_err(refused)?;
    (request.held_until, request.approval) = (until, None);
    Ok(())
}
