use jiff::{SignedDuration, Timestamp};
use laini_core::access::{ConsumerSecret, SecretHash};
use laini_core::partner::{OnceTokenId, PersonId};
use laini_core::store::{RecordId, RecordKey, RecordKind};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::Person;
use crate::{Kept, Problem, Work, key};

/// What every such token begins with.
const PREFIX: &str = "laini_t_";
/// An invitation is good for so long,
pub(super) const INVITED_FOR: SignedDuration = SignedDuration::from_hours(7 * 24);
/// a registration for so long,
pub(super) const REGISTERED_FOR: SignedDuration = SignedDuration::from_hours(24);
/// and a reset for so long.
const RESET_FOR: SignedDuration = SignedDuration::from_mins(30);

/// What a token that is good once is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    /// Coming in for the first time, within 7 days.
    Invitation,
    /// A new password, within 30 minutes.
    Reset,
    /// Confirming a registration, within 24 hours.
    Registration,
}

impl Purpose {
    fn lasts(self) -> SignedDuration {
        match self {
            Self::Invitation => INVITED_FOR,
            Self::Reset => RESET_FOR,
            Self::Registration => REGISTERED_FOR,
        }
    }

    fn path(self) -> &'static str {
        match self {
            Self::Invitation => "invitation",
            Self::Reset => "reset",
            Self::Registration => "registration",
        }
    }
}

/// A token that is good once. It is gone when it was used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct OnceToken {
    id: OnceTokenId,
    person: PersonId,
    purpose: Purpose,
    hash: [u8; 32],
    pub(super) expires: Timestamp,
}

impl Kept for OnceToken {
    const KIND: RecordKind = RecordKind("once_token");
    const NOUN: &'static str = "token";

    fn id(&self) -> RecordId {
        self.id.into()
    }

    fn keys(&self) -> Vec<RecordKey> {
        let expires = self.expires.as_second();
        vec![key("person", self.person, expires), key("expires", "all", expires)]
    }
}

/// A token as it is shown, once.
pub struct Issued {
    /// Its text.
    pub token: Zeroizing<String>,
    /// What it is for.
    pub purpose: Purpose,
    /// Until when it is good.
    pub expires: Timestamp,
}

impl Issued {
    /// Where it is used: a page of the portal, where there is one. The token stands behind `#`, which browsers send
    /// to no server.
    pub fn link(&self, portal_url: &str) -> Option<Zeroizing<String>> {
        let portal = portal_url.trim_end_matches('/');
        let link = || Zeroizing::new(format!("{portal}/{}#{}", self.purpose.path(), *self.token));
        (!portal.is_empty()).then(link)
    }
}

/// Issues a token.
pub(super) fn issue(work: &mut Work<'_>, person: PersonId, purpose: Purpose) -> Result<Issued, Problem> {
    let word = || work.office.entropy.next_u64();
    let (id, secret) = (OnceTokenId::from_random(word()), ConsumerSecret::mint([word(), word(), word(), word()]));
    let expires = work.at + purpose.lasts();
    work.put(&OnceToken { id, person, purpose, hash: secret.hash().0, expires })?;
    let token = Zeroizing::new(format!("{PREFIX}{id}_{}", secret.reveal()));
    Ok(Issued { token, purpose, expires })
}

/// Uses a token up, and whatever else was sent for the same; the id that it was issued for.
pub(super) fn take(work: &mut Work<'_>, token: &str, purpose: Purpose) -> Result<PersonId, Problem> {
    let (id, secret) = parse(token).ok_or_else(over)?;
    let found = work
        .look::<OnceToken>(id)?
        .filter(|found| SecretHash(found.hash) == secret.hash() && found.purpose == purpose && work.at < found.expires);
    let person = found.ok_or_else(over)?.person;
    withdraw(work, person)?;
    Ok(person)
}

/// Uses a token up, and whatever else its person was sent; whose it is.
pub(super) fn redeem(work: &mut Work<'_>, token: &str, purpose: Purpose) -> Result<Person, Problem> {
    let id = take(work, token, purpose)?;
    work.look::<Person>(id)?.filter(|person| !person.is_disabled).ok_or_else(over)
}

/// What whoever shows a token is told that opens nothing.
pub(super) fn over() -> Problem {
    Problem::invalid("token", "it was used already, has expired, or is none; ask for a new one")
}

/// What somebody was sent and has not used is good no more.
pub(super) fn withdraw(work: &mut Work<'_>, person: PersonId) -> Result<(), Problem> {
    for token in work.all::<OnceToken>("person", person)? {
        work.remove(&token);
    }
    Ok(())
}

/// Whether somebody was sent something that is good still.
pub(super) fn is_awaited(work: &mut Work<'_>, person: PersonId) -> Result<bool, Problem> {
    let at = work.at;
    Ok(work.all::<OnceToken>("person", person)?.iter().any(|token| at < token.expires))
}

fn parse(token: &str) -> Option<(OnceTokenId, ConsumerSecret)> {
    let (id, secret) = token.trim().strip_prefix(PREFIX)?.split_once('_')?;
    let fits = secret.len() <= 128 && secret.bytes().all(|b| b.is_ascii_alphanumeric());
    fits.then(|| Some((OnceTokenId::parse(id).ok()?, ConsumerSecret::presented(secret)))).flatten()
}
