use jiff::Timestamp;
use laini_core::line::{Event, EventText, FeedLine, Happening, Msisdn, Refusal};
use laini_core::store::{FeedItem, FeedResult};

use super::erase::{erasable, is_erased};
use super::event::new_msisdn;
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

    /// Adds a refused row; its `seq` is given here. One that says the same again about the number, or that
    /// was not kept and names the same place, number and instant again, is the same.
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
        FeedItem::Refused { place, msisdn, new_msisdn, at, reason, line } => {
            let row =
                RefusedEntry { seq: 0, at: at.unwrap_or(now), received: now, msisdn, place, reason, is_kept: false };
            refuse(history, &row, new_msisdn, line, at)?;
            return Ok(Entered::Settled(FeedResult::Unreadable));
        }
    };
    match history.by_key(&event.key)?.map(|known| KnownEvent::of(&known.event, &event)).transpose()? {
        Some(KnownEvent::Same) => return Ok(Entered::Settled(FeedResult::Repeated)),
        Some(KnownEvent::Other) => {
            not_taken(history, &event, now, "another event has this id")?;
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
    not_taken(history, &entry.event, now, "too many events or number changes about this line")?;
    Ok(Entered::Settled(FeedResult::Unreadable))
}

/// Adds a refused row about each number that it names, or else one about none: a row doubts one line. What
/// was erased is not kept, nor what it says beside that.
fn refuse<H: Entering>(
    history: &mut H,
    row: &RefusedEntry,
    new_msisdn: Option<Msisdn>,
    line: Option<FeedLine>,
    named: Option<Timestamp>,
) -> Result<(), H::Error> {
    let mut numbers: Vec<Option<Msisdn>> = vec![row.msisdn];
    if new_msisdn.is_some() && new_msisdn != row.msisdn {
        numbers.push(new_msisdn);
    }
    numbers.retain(Option::is_some);
    let mut open = Vec::with_capacity(numbers.len());
    for number in &numbers {
        if !matches!(named, Some(at) if is_erased(history, *number, at)?) {
            open.push(*number);
        }
    }
    let line = line.filter(|_| open.len() == numbers.len());
    if numbers.is_empty() {
        open.push(None);
    }
    for msisdn in open {
        let is_new = msisdn.is_some() && msisdn != row.msisdn;
        let place = if is_new { new_number_place(&row.place) } else { row.place.clone() };
        let row = RefusedEntry { msisdn, place, is_kept: line.is_some(), ..row.clone() };
        history.refuse(row, line.as_ref())?;
    }
    Ok(())
}

/// What a refused row that stood at `place` is called where it doubts the other number that it names.
pub fn new_number_place(place: &str) -> String {
    format!("{place} (new_msisdn)")
}

fn not_taken<H: Entering>(history: &mut H, event: &Event, now: Timestamp, reason: &str) -> Result<(), H::Error> {
    let row = RefusedEntry {
        seq: 0,
        at: event.at,
        received: now,
        msisdn: event.msisdn,
        place: format!("event {}", event.key.id.as_str()),
        reason: reason.to_owned(),
        is_kept: false,
    };
    refuse(history, &row, new_msisdn(&event.happening), None, None)
}

/// What became of an event that was applied, or not for this reason.
pub fn result_of(refusal: Option<Refusal>) -> FeedResult {
    match refusal {
        None => FeedResult::Accepted,
        Some(refusal) if refusal.can_wait() => FeedResult::Waits(refusal),
        Some(refusal) => FeedResult::Refused(refusal),
    }
}
