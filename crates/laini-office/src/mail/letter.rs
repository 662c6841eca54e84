use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use jiff::Timestamp;
use laini_core::partner::{EmailAddress, LetterId};
use laini_core::store::{RecordId, RecordKey, RecordKind};
use serde::{Deserialize, Serialize};

use crate::{Kept, Office, Problem, Work, key};

/// The longest subject.
const SUBJECT_CHARS_MAX: usize = 200;
/// The longest text.
const TEXT_BYTES_MAX: usize = 256 * 1024;

/// A letter to one person.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Letter {
    /// The e-mail address.
    pub to: String,
    /// One line, at most 200 characters.
    pub subject: String,
    /// Plain text, at most 256 KiB.
    pub text: String,
    /// What it tells of, for the log: `invoice 17`. Without personal data.
    pub about: String,
}

impl std::fmt::Debug for Letter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Letter(about {})", self.about)
    }
}

/// A letter that waits. What it says lies sealed: it may hold a token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct QueuedLetter {
    /// Its id.
    pub id: LetterId,
    /// What it tells of.
    pub about: String,
    /// The letter under the office's seal, in Base64; empty where it was given up.
    pub(super) sealed: String,
    /// Since when it waits.
    pub queued: Timestamp,
    /// When it is tried next.
    pub due: Timestamp,
    /// How often it was tried.
    pub attempts: u32,
    /// Since when it is not tried any more.
    pub given_up: Option<Timestamp>,
    /// Why the last attempt failed.
    #[serde(default)]
    pub failure: String,
}

impl Kept for QueuedLetter {
    const KIND: RecordKind = RecordKind("letter");
    const NOUN: &'static str = "letter";

    fn id(&self) -> RecordId {
        self.id.into()
    }

    fn keys(&self) -> Vec<RecordKey> {
        match self.given_up {
            None => vec![key("due", "all", self.due.as_microsecond())],
            Some(at) => vec![key("given_up", "all", at.as_microsecond())],
        }
    }
}

impl QueuedLetter {
    /// The letter; `None` where it was sealed under another installation's keys, or given up.
    pub(super) fn open(&self, office: &Office) -> Option<Letter> {
        let sealed = STANDARD_NO_PAD.decode(&self.sealed).ok()?;
        let opened = office.keys.office_seal().open((Self::KIND, self.id.into()), &sealed)?;
        serde_json::from_slice(&opened).ok()
    }
}

/// Queues a letter, saved with the rest of the work or not at all; it is carried within seconds after that.
pub fn queue(work: &mut Work<'_>, letter: Letter) -> Result<LetterId, Problem> {
    EmailAddress::parse(&letter.to).map_err(|error| Problem::invalid("to", error.to_string()))?;
    let subject: String = letter.subject.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    if subject.chars().count() > SUBJECT_CHARS_MAX {
        return Err(Problem::invalid("subject", format!("longer than {SUBJECT_CHARS_MAX} characters")));
    }
    if letter.text.len() > TEXT_BYTES_MAX {
        return Err(Problem::invalid("text", format!("longer than {TEXT_BYTES_MAX} bytes")));
    }
    let letter = Letter { subject, ..letter };
    let id = LetterId::from_random(work.office.entropy.next_u64());
    let open = serde_json::to_vec(&letter).map_err(|error| Problem::Store(error.to_string()))?;
    let sealed = work.office.keys.office_seal().seal((QueuedLetter::KIND, id.into()), &open);
    let queued = QueuedLetter {
        id,
        about: letter.about,
        sealed: STANDARD_NO_PAD.encode(sealed),
        queued: work.at,
        due: work.at,
        attempts: 0,
        given_up: None,
        failure: String::new(),
    };
    work.put(&queued)?;
    Ok(id)
}
