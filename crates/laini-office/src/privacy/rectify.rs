use futures_executor::block_on;
use jiff::Timestamp;
use laini_core::line::{Event, EventKey, EventText, Happening, Imsi};
use laini_core::partner::PrivacyRequestId;
use laini_core::store::{FeedItem, FeedResult};
use serde::Serialize;

use super::Subject;
use super::forget::text;
use crate::{Office, Problem};

/// What is wrong about a number, and what is right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Amendment {
    /// The id of the event that is wrong,
    pub event: EventText,
    /// and the feed that it came by.
    pub source: EventText,
    /// What is right.
    pub right: Right,
}

/// What is right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Right {
    /// It never happened.
    Retracted,
    /// It happened then, with this IMSI where that was wrong as well.
    At(Timestamp, Option<Imsi>),
}

/// What was corrected.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Rectified {
    /// The id of the event.
    pub event: String,
    /// What it was.
    pub r#type: &'static str,
    /// When it was told to have happened.
    pub was: String,
    /// When it happened; absent where the event is withdrawn.
    pub becomes: Option<String>,
    /// Whether its IMSI was another one.
    pub other_imsi: bool,
}

impl Rectified {
    /// As a request's record has it.
    pub fn in_record(&self) -> String {
        format!("{} of {}", if self.becomes.is_some() { "correction" } else { "retraction" }, self.r#type)
    }
}

/// What an amendment would change, where it may be made.
pub fn rectifiable(office: &Office, subject: &Subject, amendment: &Amendment) -> Result<Rectified, Problem> {
    target(office, subject, amendment).map(|known| rectified(&known, amendment))
}

/// Corrects or withdraws an event about a number. Doing it again changes nothing more.
pub fn rectify(
    office: &Office,
    subject: &Subject,
    request: PrivacyRequestId,
    amendment: &Amendment,
    at: Timestamp,
) -> Result<Rectified, Problem> {
    let known = target(office, subject, amendment)?;
    let of = known.key.id.clone();
    let (then, happening) = match &amendment.right {
        Right::Retracted => (known.at, Happening::Retraction { of }),
        Right::At(then, imsi) => (*then, Happening::Correction { of, imsi: *imsi, new_msisdn: None }),
    };
    let key = EventKey { id: text(&format!("rectify-{request}"))?, source: known.key.source.clone() };
    let event = Event { key, at: then, recorded: at, msisdn: Some(subject.number), happening };
    let results = block_on(office.subjects()?.feed.record(vec![FeedItem::Event(event)], at))?;
    match results.first() {
        Some(FeedResult::Accepted | FeedResult::Repeated) => Ok(rectified(&known, amendment)),
        Some(FeedResult::Waits(refusal) | FeedResult::Refused(refusal)) => {
            Err(Problem::not_now(format!("the correction was not taken: {refusal}; the request stays approved")))
        }
        Some(FeedResult::Conflict | FeedResult::Unreadable) | None => {
            Err(Problem::not_now("the correction was not taken: another event has its id"))
        }
    }
}

fn rectified(known: &Event, amendment: &Amendment) -> Rectified {
    let (becomes, other_imsi) = match &amendment.right {
        Right::Retracted => (None, false),
        Right::At(at, imsi) => (Some(at.to_string()), imsi.is_some()),
    };
    Rectified {
        event: known.key.id.as_str().to_owned(),
        r#type: known.happening.kind().word(),
        was: known.at.to_string(),
        becomes,
        other_imsi,
    }
}

/// The event that is wrong; it must be one that can be amended.
fn target(office: &Office, subject: &Subject, amendment: &Amendment) -> Result<Event, Problem> {
    let stores = office.subjects()?;
    if stores.is_answered_elsewhere {
        return Err(Problem::not_now(
            "checks are answered from the operator's back end, which is where the fact is wrong: correct it there; laini \
             keeps no copy of it",
        ));
    }
    let (id, source) = (&amendment.event, &amendment.source);
    let (history, status) = (block_on(stores.feed.history(subject.number))?, block_on(stores.feed.status())?);
    let known = history.into_iter().find(|event| event.key.id == *id && event.key.source == *source);
    let known = known.ok_or_else(|| {
        Problem::not_now(format!(
            "no event {} of the feed {} is about this number; a fact of the snapshot is corrected in the next one",
            id.as_str(),
            source.as_str()
        ))
    })?;
    if known.happening.amends().is_some() {
        return Err(Problem::not_now(format!("{} amends another event: amend that one", id.as_str())));
    }
    if status.cut.is_some_and(|cut| known.at <= cut) {
        return Err(Problem::not_now(
            "the event is older than the snapshot, which contains it already: correct it in the system that makes the \
             extract, so that the next snapshot carries the right fact",
        ));
    }
    Ok(known)
}
