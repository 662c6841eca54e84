use jiff::{SignedDuration, Timestamp};
use laini_core::access::{ConsumerSecret, SecretHash};
use laini_core::partner::{PersonId, SessionId};
use laini_core::store::{RecordId, RecordKey, RecordKind};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::{Person, Proof};
use crate::{Actor, Kept, Office, Problem, Work, key};

/// What every session's token begins with.
const PREFIX: &str = "laini_s_";
/// However busy, a session ends after so long,
const LASTS: SignedDuration = SignedDuration::from_hours(12);
/// and so long after it was last used.
const IDLE: SignedDuration = SignedDuration::from_mins(30);
/// That it was used is written down so often at most.
const SEEN_EVERY: SignedDuration = SignedDuration::from_mins(1);

/// Somebody who signed in, somewhere.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    /// Its id, the public part of its token.
    pub id: SessionId,
    /// Whose.
    pub person: PersonId,
    /// SHA-256 of the secret part of its token.
    pub hash: [u8; 32],
    /// When it began.
    pub began: Timestamp,
    /// When it was last used, to the minute.
    pub seen: Timestamp,
    /// From where it was begun.
    pub address: String,
    /// Whether the identity provider has asked for a second factor.
    #[serde(default)]
    pub has_provider_factor: bool,
}

/// Why a token opens nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SessionProblem {
    /// It is none, or of a session that has ended.
    Unknown,
    /// Its session was not used for too long, or is too old.
    Expired,
    /// The store failed.
    Store(String),
}

impl Session {
    /// When it ends, if it is not used again.
    pub fn ends(&self) -> Timestamp {
        (self.began + LASTS).min(self.seen + IDLE)
    }
}

impl Kept for Session {
    const KIND: RecordKind = RecordKind("session");
    const NOUN: &'static str = "session";

    fn id(&self) -> RecordId {
        self.id.into()
    }

    fn keys(&self) -> Vec<RecordKey> {
        vec![key("person", self.person, self.began.as_microsecond()), key("began", "all", self.began.as_microsecond())]
    }
}

/// Begins a session of somebody who has proved who they are; the token, which is shown once.
pub fn open_session(work: &mut Work<'_>, person: PersonId, address: &str) -> Result<Zeroizing<String>, Problem> {
    open_session_of(work, person, address, false)
}

/// The same, of somebody whom the identity provider may have asked for a second factor.
pub(super) fn open_session_of(
    work: &mut Work<'_>,
    person: PersonId,
    address: &str,
    has_provider_factor: bool,
) -> Result<Zeroizing<String>, Problem> {
    let word = || work.office.entropy.next_u64();
    let (id, secret) = (SessionId::from_random(word()), ConsumerSecret::mint([word(), word(), word(), word()]));
    let (hash, began, address) = (secret.hash().0, work.at, address.to_owned());
    if let Some(mut proof) = work.look::<Proof>(person)? {
        proof.signed_in = Some(began);
        work.put(&proof)?;
    }
    work.put(&Session { id, person, hash, began, seen: began, address, has_provider_factor })?;
    Ok(Zeroizing::new(format!("{PREFIX}{id}_{}", secret.reveal())))
}

/// Who holds a token.
pub fn authenticate(office: &Office, token: &str, at: Timestamp) -> Result<Actor, SessionProblem> {
    let (id, secret) = parse(token).ok_or(SessionProblem::Unknown)?;
    let found = office.run(&Actor::System, at, |work| {
        let Some(mut session) = work.look::<Session>(id)? else { return Ok(Err(SessionProblem::Unknown)) };
        if SecretHash(session.hash) != secret.hash() {
            return Ok(Err(SessionProblem::Unknown));
        }
        if session.ends() <= at {
            return Ok(Err(SessionProblem::Expired));
        }
        let person = work.look::<Person>(session.person)?.filter(|person| !person.is_disabled);
        let Some(person) = person else { return Ok(Err(SessionProblem::Unknown)) };
        if session.seen + SEEN_EVERY <= at {
            session.seen = at;
            work.put(&session)?;
        }
        Ok(Ok(person.actor()))
    });
    found.unwrap_or_else(|problem| Err(SessionProblem::Store(problem.to_string())))
}

/// The session that a token is of, whether or not it opens it.
pub fn session_of(token: &str) -> Option<SessionId> {
    parse(token).map(|(id, _)| id)
}

/// The sessions of somebody that have not ended, newest first.
pub fn list_sessions(work: &mut Work<'_>, person: PersonId) -> Result<Vec<Session>, Problem> {
    let mut sessions = work.all::<Session>("person", person)?;
    sessions.retain(|session| work.at < session.ends());
    sessions.reverse();
    Ok(sessions)
}

/// Ends one session of somebody.
pub fn end_session(work: &mut Work<'_>, person: PersonId, id: SessionId) -> Result<(), Problem> {
    let session = work.look::<Session>(id)?.filter(|session| session.person == person);
    let session = session.ok_or(Problem::NotFound("session"))?;
    work.remove(&session);
    let partner = work.actor.partner();
    work.note("session.close", partner, person, "");
    Ok(())
}

/// Ends the sessions of somebody, all but `kept`; how many.
pub fn end_sessions(work: &mut Work<'_>, person: PersonId, kept: Option<SessionId>) -> Result<usize, Problem> {
    let mut sessions = work.all::<Session>("person", person)?;
    sessions.retain(|session| Some(session.id) != kept);
    for session in &sessions {
        work.remove(session);
    }
    Ok(sessions.len())
}

/// Ends the session that a token opens; any other text does nothing.
pub(super) fn end_session_of(work: &mut Work<'_>, token: &str) -> Result<(), Problem> {
    let Some((id, secret)) = parse(token) else { return Ok(()) };
    let session = work.look::<Session>(id)?.filter(|session| SecretHash(session.hash) == secret.hash());
    if let Some(session) = session {
        work.remove(&session);
    }
    Ok(())
}

fn parse(token: &str) -> Option<(SessionId, ConsumerSecret)> {
    let (id, secret) = token.strip_prefix(PREFIX)?.split_once('_')?;
    let fits = secret.len() <= 128 && secret.bytes().all(|b| b.is_ascii_alphanumeric());
    fits.then(|| Some((SessionId::parse(id).ok()?, ConsumerSecret::presented(secret)))).flatten()
}
