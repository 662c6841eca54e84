use laini_core::access::OF_PAIR;
use laini_core::partner::SessionId;
use laini_core::store::RecordId;
use zeroize::Zeroizing;

use super::attempts::Attempt;
use super::password::PASSWORD_BYTES_MAX;
use super::{PasswordHash, Person, Proof, Seat, Session, end_session_of, open_session};
use crate::{Actor, Office, Problem, Unproven, Work};

/// The longest e-mail address that is looked for.
const EMAIL_BYTES_MAX: usize = 254;

/// Somebody at the door.
pub struct SignIn<'a> {
    /// The e-mail address.
    pub email: &'a str,
    /// The password.
    pub password: &'a str,
    /// A code of the second factor.
    pub code: Option<&'a str>,
    /// A recovery code, in its place.
    pub recovery_code: Option<&'a str>,
    /// From where.
    pub address: &'a str,
    /// Whom attempts are counted of: the address, or the network that one holder has.
    pub peer: &'a str,
    /// The token of a session from before: it ends.
    pub before: Option<&'a str>,
}

/// Somebody who came in.
pub struct SignedIn {
    /// The token of their session, shown once.
    pub token: Zeroizing<String>,
    /// Who.
    pub person: Person,
    /// Whether they may do nothing but set up a second factor.
    pub must_set_up_factor: bool,
}

/// Signs somebody in. Whatever is wrong, the answer and its time are those of an unknown e-mail address, up to the
/// right password. The attempt is counted at once, whether the work is saved or not.
pub fn sign_in(work: &mut Work<'_>, shown: &SignIn<'_>) -> Result<SignedIn, Problem> {
    let email = shown.email.trim().to_ascii_lowercase();
    if email.len() > EMAIL_BYTES_MAX {
        return Err(Problem::invalid("email", format!("longer than {EMAIL_BYTES_MAX} characters")));
    }
    if shown.password.len() > PASSWORD_BYTES_MAX {
        return Err(Problem::invalid("password", format!("longer than {PASSWORD_BYTES_MAX} bytes")));
    }
    let attempt = Attempt::begin(work.office, shown.peer, &email, work.at)?;
    let person = work.the::<Person>("email", &email)?.filter(|person| !person.is_disabled);
    // Looked for where there is nobody as well: a look more is a little time.
    let id = person.as_ref().map_or(RecordId(0), |person| person.id.into());
    let proof = work.look::<Proof>(id)?;
    let is_right = PasswordHash::proves(proof.as_ref().and_then(|proof| proof.password.as_ref()), shown.password)?;
    let (Some(person), Some(mut proof), true) = (person.clone(), proof, is_right) else {
        note_refused(work, &attempt, person.as_ref())?;
        return Err(Problem::Unproven(Unproven::Wrong));
    };
    if proof.factor.is_some() {
        show_factor(work, &person, &mut proof, (shown.code, shown.recovery_code), &attempt)?;
        work.put(&proof)?;
    }
    attempt.succeed(work)?;
    if let Some(before) = shown.before {
        end_session_of(work, before)?;
    }
    work.actor = person.actor();
    let how = match (&proof.factor, shown.code) {
        (None, _) => "by password",
        (Some(_), Some(_)) => "by password and code",
        (Some(_), None) => "by password and recovery code",
    };
    come_in(work, person, shown.address, how)
}

/// Takes a code of the second factor, or a recovery code, of an attempt that was right as far as it went.
pub(super) fn show_factor(
    work: &Work<'_>,
    person: &Person,
    proof: &mut Proof,
    (code, recovery_code): (Option<&str>, Option<&str>),
    attempt: &Attempt,
) -> Result<(), Problem> {
    let is_shown = match (code, recovery_code) {
        (Some(code), _) => proof.takes_code(work.office, code, work.at),
        (None, Some(code)) => proof.takes_recovery_code(code),
        (None, None) => {
            work.office.run(&Actor::Stranger, work.at, |aside| attempt.give_back(aside))?;
            return Err(Problem::Unproven(Unproven::CodeNeeded));
        }
    };
    if !is_shown {
        note_refused(work, attempt, Some(person))?;
        return Err(Problem::Unproven(Unproven::CodeWrong));
    }
    Ok(())
}

/// Begins a session of somebody who has proved who they are, and notes it.
pub(super) fn come_in(work: &mut Work<'_>, person: Person, address: &str, how: &str) -> Result<SignedIn, Problem> {
    let token = open_session(work, person.id, address)?;
    work.note("session.open", person.seat.partner(), person.id, how);
    let must_set_up_factor = lacks_factor(work, &person)?;
    Ok(SignedIn { token, person, must_set_up_factor })
}

/// Proves again that somebody who is signed in is who they are, by the password. Counted like signing in: whoever
/// found a session open must not guess here.
pub(super) fn prove_again(work: &mut Work<'_>, password: &str, peer: &str) -> Result<(Person, Proof), Problem> {
    if password.len() > PASSWORD_BYTES_MAX {
        return Err(Problem::invalid("password", format!("longer than {PASSWORD_BYTES_MAX} bytes")));
    }
    let id = work.actor.person().ok_or(Problem::NotFound("person"))?;
    let person: Person = work.get(id)?;
    let proof = work.look::<Proof>(id)?.unwrap_or_else(|| Proof::none(id));
    let attempt = Attempt::begin(work.office, peer, &person.email, work.at)?;
    if !PasswordHash::proves(proof.password.as_ref(), password)? {
        note_refused(work, &attempt, Some(&person))?;
        return Err(Problem::invalid("password", "it is not the present one"));
    }
    attempt.succeed(work)?;
    Ok((person, proof))
}

/// Whether somebody may do nothing yet but set up a second factor, which the operator wants of its staff. One that the
/// identity provider has asked for is as good, as long as the session lasts.
pub fn must_set_up_factor(
    office: &Office,
    actor: &Actor,
    session: Option<SessionId>,
    at: jiff::Timestamp,
) -> Result<bool, Problem> {
    let (true, Actor::Staff { person, .. }) = (office.settings.people.staff_second_factor, actor) else {
        return Ok(false);
    };
    office.run(&Actor::System, at, |work| {
        if work.look::<Proof>(*person)?.is_some_and(|proof| proof.factor.is_some()) {
            return Ok(false);
        }
        let session = session.map(|id| work.look::<Session>(id)).transpose()?.flatten();
        Ok(!session.is_some_and(|session| session.has_provider_factor))
    })
}

pub(super) fn lacks_factor(work: &mut Work<'_>, person: &Person) -> Result<bool, Problem> {
    let is_wanted = work.office.settings.people.staff_second_factor && matches!(person.seat, Seat::Staff { .. });
    Ok(is_wanted && work.look::<Proof>(person.id)?.is_none_or(|proof| proof.factor.is_none()))
}

/// Notes, once for each row of failures, that somebody was refused so often that they must wait from now on; for an
/// unknown e-mail address as well, so that the time is the same.
fn note_refused(work: &Work<'_>, attempt: &Attempt, person: Option<&Person>) -> Result<(), Problem> {
    if attempt.in_a_row != OF_PAIR.free {
        return Ok(());
    }
    let target = person.map_or_else(|| "nobody".to_owned(), |person| person.id.to_string());
    let partner = person.and_then(|person| person.seat.partner());
    work.office.run(&Actor::Stranger, work.at, |aside| {
        aside.note("session.refused", partner, &target, "too often in a row from one address");
        Ok(())
    })
}
