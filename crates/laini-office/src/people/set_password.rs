use laini_core::access::judge_password;

use super::notice::{Notice, tell};
use super::once_token::redeem;
use super::session::end_sessions;
use super::sign_in::{come_in, prove_again};
use super::{PasswordHash, Person, Proof, Purpose, SignedIn, end_session_of, named};
use crate::{Problem, Work};

/// Comes in for the first time, by an invitation: a password of one's own, and the first session. `name` = what they
/// want to be called, where it is not what they were invited as; `before` = the token of a session from before, which
/// ends.
pub fn accept_invitation(
    work: &mut Work<'_>,
    token: &str,
    password: &str,
    name: Option<&str>,
    address: &str,
    before: Option<&str>,
) -> Result<SignedIn, Problem> {
    let mut person = redeem(work, token, Purpose::Invitation)?;
    if let Some(name) = name {
        person.name = named(name)?;
        work.put(&person)?;
    }
    set(work, &person, password)?;
    if let Some(before) = before {
        end_session_of(work, before)?;
    }
    work.actor = person.actor();
    work.note("person.accept", person.seat.partner(), person.id, "");
    come_in(work, person, address, "by invitation")
}

/// Sets a new password by the token of a reset, and ends every session. A second factor stays.
pub fn complete_reset(work: &mut Work<'_>, token: &str, password: &str) -> Result<(), Problem> {
    let person = redeem(work, token, Purpose::Reset)?;
    set(work, &person, password)?;
    end_sessions(work, person.id, None)?;
    work.actor = person.actor();
    work.note("person.password", person.seat.partner(), person.id, "by reset");
    tell(work, &person, Notice::PasswordChanged)
}

/// Changes the password of whoever is signed in, and ends their other sessions.
pub fn change_password(
    work: &mut Work<'_>,
    present: &str,
    password: &str,
    session: Option<laini_core::partner::SessionId>,
    peer: &str,
) -> Result<(), Problem> {
    let (person, _) = prove_again(work, present, peer)?;
    if present == password {
        return Err(Problem::invalid("new_password", "it is the present one"));
    }
    set(work, &person, password)?;
    end_sessions(work, person.id, session)?;
    work.note("person.password", person.seat.partner(), person.id, "");
    tell(work, &person, Notice::PasswordChanged)
}

pub(super) fn set(work: &mut Work<'_>, person: &Person, password: &str) -> Result<(), Problem> {
    let own = [person.email.as_str(), &person.name, &work.office.settings.operator];
    judge_password(password, &own).map_err(|problem| Problem::invalid("password", problem.to_string()))?;
    let proof = work.look::<Proof>(person.id)?;
    if proof.is_none() {
        // So that nobody lets them go in this moment: see `invitation::let_go`.
        work.put(person)?;
    }
    let mut proof = proof.unwrap_or_else(|| Proof::none(person.id));
    proof.password = Some(PasswordHash::of(password, &*work.office.entropy)?);
    work.put(&proof)
}
