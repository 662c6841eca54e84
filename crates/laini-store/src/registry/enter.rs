use jiff::Timestamp;
use laini_core::line::{Event, EventText, FeedLine, Happening, Msisdn, Refusal};
use laini_core::store::{FeedItem, FeedResult};

use super::erase::{erasable, is_erased};
use super::group::admits;
use super::{Entry, History, KnownEvent, RefusedEntry};

/// What taking feed items in writes to the history.
pub trait Entering: History {
    /// Adds an event that is not there, at the place after the newest one, which is returned.
    fn add(&mut self, event: &Event, received: Timestamp) -> Result<i64, Self::Error>;

    /// Takes back the newest event, within the transaction that added it.
    fn take_back(&mut self, seq: i64) -> Result<(), Self::Error>;

    /// Removes events, and the refused rows about a number that are not newer than an instant.
    fn erase(&mut self, events: &[i64], number: Msisdn, until: Timestamp) -> Result<(), Self::Error>;

    /// Adds a refused row; its `seq` is given here. One that says the same again, or that was not kept
    /// and names the same place, number and instant again, is the same.
    fn refuse(&mut self, row: RefusedEntry, line: Option<&FeedLine>) -> Result<(), Self::Error>;

    /// Moves a feed's completeness forward, never back.
    fn heartbeat(&mut self, source: &EventText, until: Timestamp) -> Result<(), Self::Error>;
}

/// An item that is in the history's transaction.
pub enum Entered {
    /// Nothing more will become of it.
    Settled(FeedResult),
    /// An event at this place, to be applied.
    New(i64),
}

/// Takes one item in.
pub fn enter_item<H: Entering>(history: &mut H, item: FeedItem, now: Timestamp) -> Result<Entered, H::Error> {
    let event = match item {
        FeedItem::Event(event) => event,
        FeedItem::Heartbeat { source, until } => {
            history.heartbeat(&source, until)?;
            return Ok(Entered::Settled(FeedResult::Accepted));
        }
        FeedItem::Refused { msisdn, at: Some(at), .. } if is_erased(history, msisdn, at)? => {
            return Ok(Entered::Settled(FeedResult::Unreadable));
        }
        FeedItem::Refused { place, msisdn, at, reason, line } => {
            let (at, is_kept) = (at.unwrap_or(now), line.is_some());
            let row = RefusedEntry { seq: 0, at, received: now, msisdn, place, reason, is_kept };
            history.refuse(row, line.as_ref())?;
            return Ok(Entered::Settled(FeedResult::Unreadable));
        }
    };
    match history.by_key(&event.key)?.map(|known| KnownEvent::of(&known.event, &event)).transpose()? {
        Some(KnownEvent::Same) => return Ok(Entered::Settled(FeedResult::Repeated)),
        Some(KnownEvent::Other) => {
            history.refuse(not_taken(&event, now, "another event has this id"), None)?;
            return Ok(Entered::Settled(FeedResult::Conflict));
        }
        None => {}
    }
    if is_erased(history, event.msisdn, event.at)? {
        return Ok(Entered::Settled(FeedResult::Refused(Refusal::Erased)));
    }
    if let (Happening::Erased, Some(number)) = (&event.happening, event.msisdn) {
        let places = match erasable(history, number, event.at)? {
            Ok(places) => places,
            Err(result) => return Ok(Entered::Settled(result)),
        };
        // Added first: places are never given twice.
        let seq = history.add(&event, now)?;
        history.erase(&places, number, event.at)?;
        return Ok(Entered::New(seq));
    }
    let seq = history.add(&event, now)?;
    let entry = Entry { seq, received: now, event };
    if admits(history, &entry)? {
        return Ok(Entered::New(seq));
    }
    history.take_back(seq)?;
    history.refuse(not_taken(&entry.event, now, "too many events or number changes about this line"), None)?;
    Ok(Entered::Settled(FeedResult::Unreadable))
}

fn not_taken(event: &Event, now: Timestamp, reason: &str) -> RefusedEntry {
    RefusedEntry {
        seq: 0,
        at: event.at,
        received: now,
        msisdn: event.msisdn,
        place: format!("event {}", event.key.id.as_str()),
        reason: reason.to_owned(),
        is_kept: false,
    }
}

/// What became of an event that was applied, or not for this reason.
pub fn result_of(refusal: Option<Refusal>) -> FeedResult {
    match refusal {
        None => FeedResult::Accepted,
        Some(refusal) if refusal.can_wait() => FeedResult::Waits(refusal),
        Some(refusal) => FeedResult::Refused(refusal),
    }
}
