use jiff::Timestamp;
use laini_core::line::{EventKey, Happening, Msisdn, Refusal};
use laini_core::store::FeedResult;

use super::History;

/// Whether what happened to a number at an instant is of a time that was erased.
pub(super) fn is_erased<H: History>(history: &H, number: Option<Msisdn>, at: Timestamp) -> Result<bool, H::Error> {
    let Some(number) = number else { return Ok(false) };
    Ok(history.erased_until(number)?.is_some_and(|until| at <= until))
}

/// The places of all events about a number up to an instant, and of what amends them; or what is answered where nothing
/// is to be erased, for there is nothing or other lines stand on it.
pub(super) fn erasable<H: History>(
    history: &H,
    number: Msisdn,
    until: Timestamp,
) -> Result<Result<Vec<i64>, FeedResult>, H::Error> {
    let mut old = history.naming(number)?;
    old.retain(|entry| entry.event.at <= until);
    // The holder took the line to another number, or brought it from there: that one is derived from these events.
    if old.iter().any(|entry| entry.new_msisdn().is_some()) {
        return Ok(Err(FeedResult::Refused(Refusal::LinkedLine)));
    }
    let mut places = Vec::new();
    for entry in old {
        if let Some(of) = entry.event.happening.amends() {
            // An amendment goes with the event that it is about, or by itself where that never came.
            let of = EventKey { id: of.clone(), source: entry.event.key.source };
            if history.by_key(&of)?.is_none() {
                places.push(entry.seq);
            }
            continue;
        }
        let amendments = history.amendments(&entry.event.key)?;
        let is_later = amendments.iter().map(|amendment| &amendment.event).any(|event| {
            // It really happened later, to the present holder.
            matches!(event.happening, Happening::Correction { .. }) && event.at > until
        });
        if !is_later {
            places.push(entry.seq);
            places.extend(amendments.iter().map(|amendment| amendment.seq));
        }
    }
    Ok(if places.is_empty() { Err(FeedResult::Repeated) } else { Ok(places) })
}
