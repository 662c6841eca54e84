use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use jiff::{SignedDuration, Timestamp};
use laini_core::partner::EmailAddress;
use laini_core::store::{RecordId, RecordKey, RecordKind};
use serde::{Deserialize, Serialize};

use super::notice::send_token;
use super::once_token::issue;
use super::{Person, Purpose};
use crate::{Actor, Kept, Office, PageRequest, Problem, Work, key};

/// One e-mail address is sent a reset so often at most.
const SENT_EVERY: SignedDuration = SignedDuration::from_mins(15);
/// Requests that one round answers.
const ROUND_REQUESTS_MAX: usize = 50;

/// Somebody asked for a new password. It is answered later, so that whoever asks learns nothing from the time it takes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct ResetRequest {
    /// A keyed hash of the e-mail address.
    id: u64,
    /// The e-mail address under the office's seal, in Base64; empty where it was answered.
    sealed: String,
    asked: Timestamp,
    is_answered: bool,
}

impl ResetRequest {
    /// Whether it says nothing any more.
    pub(super) fn is_over(&self, at: Timestamp) -> bool {
        self.is_answered && self.asked + SENT_EVERY <= at
    }
}

impl Kept for ResetRequest {
    const KIND: RecordKind = RecordKind("reset_request");
    const NOUN: &'static str = "request for a new password";

    fn id(&self) -> RecordId {
        RecordId(self.id)
    }

    fn keys(&self) -> Vec<RecordKey> {
        vec![key(if self.is_answered { "answered" } else { "waiting" }, "all", self.asked.as_second())]
    }
}

/// Asks for a new password. Does the same for an address that nobody has.
pub fn ask_for_reset(work: &mut Work<'_>, email: &str) -> Result<(), Problem> {
    let email = EmailAddress::parse(email).map_err(|error| Problem::invalid("email", error.to_string()))?;
    let seal = work.office.keys.office_seal();
    let id = seal.id_of(ResetRequest::KIND, &[email.as_str()]);
    let earlier = work.look::<ResetRequest>(id)?;
    if earlier.is_some_and(|earlier| work.at < earlier.asked + SENT_EVERY) {
        return Ok(());
    }
    let sealed = STANDARD_NO_PAD.encode(seal.seal((ResetRequest::KIND, id), email.as_str().as_bytes()));
    work.put(&ResetRequest { id: id.0, sealed, asked: work.at, is_answered: false })
}

/// Answers those who asked for a new password, where there is somebody; how many letters were queued.
pub fn answer_reset_requests(office: &Office, at: Timestamp) -> Result<usize, Problem> {
    let mut sent = 0;
    for _ in 0..ROUND_REQUESTS_MAX {
        match office.run(&Actor::System, at, answer_one)? {
            None => break,
            Some(is_known) => sent += usize::from(is_known),
        }
    }
    Ok(sent)
}

/// `None` = nobody waits; otherwise whether a letter was queued.
fn answer_one(work: &mut Work<'_>) -> Result<Option<bool>, Problem> {
    let first = PageRequest { limit: 1, ..PageRequest::FIRST };
    let Some(mut request) = work.find::<ResetRequest>("waiting", "all", false, first)?.items.pop() else {
        return Ok(None);
    };
    let person = match request.email(work.office) {
        Some(email) => work.the::<Person>("email", email)?.filter(|person| !person.is_disabled),
        None => None,
    };
    (request.is_answered, request.sealed) = (true, String::new());
    work.put(&request)?;
    let Some(person) = person else { return Ok(Some(false)) };
    // Whoever was invited and has not come in yet is invited again.
    let has_come_in = work.look::<super::Proof>(person.id)?.is_some();
    let issued = issue(work, person.id, if has_come_in { Purpose::Reset } else { Purpose::Invitation })?;
    send_token(work, &person, &issued)?;
    work.note("person.reset_asked", person.seat.partner(), person.id, "");
    Ok(Some(true))
}

impl ResetRequest {
    fn email(&self, office: &Office) -> Option<String> {
        let sealed = STANDARD_NO_PAD.decode(&self.sealed).ok()?;
        let opened = office.keys.office_seal().open((Self::KIND, RecordId(self.id)), &sealed)?;
        String::from_utf8(opened.to_vec()).ok()
    }
}
