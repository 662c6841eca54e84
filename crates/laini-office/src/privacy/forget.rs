use futures_executor::block_on;
use jiff::{SignedDuration, Timestamp};
use laini_core::line::{Event, EventKey, EventText, Happening, LineStatus, Refusal};
use laini_core::partner::PrivacyRequestId;
use laini_core::store::{FeedItem, FeedResult};
use serde::Serialize;

use super::erase::EraseError;
use super::{Erased, Holdings, Span, Subject, erase};
use crate::desk::forget_number;
use crate::{Office, Problem};

/// What was forgotten everywhere, and what stays.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Erasure {
    /// In the ledger and in the log of refused calls.
    #[serde(flatten)]
    pub erased: Erased,
    /// Events of the registry's history that are gone.
    pub events: u64,
    /// Receipts and rows of partners' desks that no longer have the number.
    pub desk_rows: u64,
    /// What was not erased, and why.
    pub stays: Vec<&'static str>,
}

impl Erasure {
    /// As a request's record has it.
    pub fn in_record(&self) -> String {
        let Erased { checks, forgotten, .. } = self.erased;
        format!("{checks} checks, {forgotten} forgotten now; {} events; {} rows of desks", self.events, self.desk_rows)
    }
}

/// Forgets what is held about a number in the part of a span that lies in `holdings`: what was asked, what desks keep,
/// and of earlier holders what the registry's history tells. Doing it again does what was left over. Reads the whole
/// span of the ledger; `progress` is told how many rows more were read.
pub fn erase_subject(
    office: &Office,
    subject: &Subject,
    request: PrivacyRequestId,
    (asked, holdings): (Span, Holdings),
    at: Timestamp,
    progress: impl FnMut(u64),
) -> Result<Erasure, Problem> {
    let (span, stores) = (subject.span(asked, holdings)?, office.subjects()?);
    // First, for it can be refused.
    let events = match holdings {
        Holdings::Earlier => erase_history(office, subject, request, at)?,
        Holdings::Present | Holdings::All => 0,
    };
    let forget = (&*stores.retention, &*office.refusals);
    let erased = block_on(erase(&*office.ledger, forget, subject.hash, span, at, progress))?;
    // What a desk keeps of it is as old as what was asked.
    let erasable = Span { until: Some(erased.until), ..span };
    let desk_rows = forget_number(office, subject.number, erasable, at)?;
    let mut stays = vec!["rows of the ledger and what they cost, with the keyed hash of the number, for 7 years"];
    if span.from.is_some_and(|from| erased.until < from) {
        stays.push("everything of the span: nothing in it is old enough to be erased");
    }
    if holdings == Holdings::Earlier {
        stays.push("that somebody held the number before, and the row of the serving snapshot until the next one");
    } else if subject.line().is_some_and(|line| line.status != LineStatus::Terminated) {
        stays.push(
            "the line itself: the network serves it, so its facts are true; restrict the number to withhold them",
        );
    }
    Ok(Erasure { erased, events, desk_rows, stays })
}

/// Erases what the registry's history tells of the time before the present holding; how many events it was.
fn erase_history(office: &Office, subject: &Subject, request: PrivacyRequestId, at: Timestamp) -> Result<u64, Problem> {
    let feed = &office.subjects()?.feed;
    let until = subject.present_holding()? - SignedDuration::from_micros(1);
    let known = block_on(feed.history(subject.number))?;
    let key = EventKey { id: text(&format!("erase-{request}"))?, source: text("laini")? };
    let msisdn = Some(subject.number);
    let event = Event { key, at: until, recorded: at, msisdn, happening: Happening::Erased };
    let results = block_on(feed.record(vec![FeedItem::Event(event)], at))?;
    match results.first() {
        Some(FeedResult::Accepted) => {
            let left = block_on(feed.history(subject.number))?;
            // What says that it is erased is one more.
            Ok((known.len() + 1).saturating_sub(left.len()) as u64)
        }
        Some(FeedResult::Repeated | FeedResult::Refused(Refusal::Erased)) => Ok(0),
        Some(FeedResult::Refused(refusal)) => Err(Problem::not_now(format!(
            "the history cannot be erased: {refusal}; the holder has the line under another number: ask what is to \
             become of that one"
        ))),
        _ => Err(Problem::not_now("the erasure was not taken")),
    }
}

/// The text of an event's key.
pub(super) fn text(text: &str) -> Result<EventText, Problem> {
    EventText::parse(text).map_err(|error| Problem::invalid("event", error.to_string()))
}

impl From<EraseError> for Problem {
    fn from(error: EraseError) -> Self {
        match error {
            EraseError::Ledger(error) => error.into(),
            EraseError::Refusals(error) => error.into(),
        }
    }
}
