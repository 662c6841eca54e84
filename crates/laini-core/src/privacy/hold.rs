use jiff::{SignedDuration, Timestamp};

use crate::store::Lookup;

const DAY: SignedDuration = SignedDuration::from_hours(24);
/// For so long after a swap or a port nothing is done about a number: who holds its SIM may be the thief.
pub const HOLD: SignedDuration = SignedDuration::from_hours(30 * 24);
/// Within so long a privacy request is to be answered.
pub const LAWFUL_TIME: SignedDuration = SignedDuration::from_hours(30 * 24);
/// What was asked less long ago is not erased yet: a retry of the caller would be charged again. Answers under
/// idempotency keys, and what may be repeated for free, are gone by then.
pub const ERASABLE_AFTER: SignedDuration = SignedDuration::from_hours(25);

/// Until when a request about a number that is received at `now` is held; `None` = it is not. Where the registry cannot
/// say whether the SIM was swapped, it is held for as long as if it had been swapped just now.
pub fn held_until(found: &Lookup, now: Timestamp) -> Option<Timestamp> {
    if found.state.source_rejected {
        return Some(now + HOLD);
    }
    let line = found.state.line.as_ref()?;
    // What it knows of swaps need not reach further back than the line itself does.
    let is_known = found.horizon.history_since <= (now - HOLD).max(line.holding_since());
    held_by_swap(found, now).or((!is_known).then_some(now + HOLD))
}

/// The same by the last swap that is known alone: whoever has answered for a hold has answered for what nobody can say
/// as well.
pub fn held_by_swap(found: &Lookup, now: Timestamp) -> Option<Timestamp> {
    let swapped = found.state.line.as_ref()?.last_swap?.at + HOLD;
    (now < swapped).then(|| swapped.min(now + HOLD))
}

/// What was asked before this instant can be erased at `now`.
pub fn erasable_until(now: Timestamp) -> Timestamp {
    now - ERASABLE_AFTER
}

/// The retries of a caller end before a check can be erased.
const _: () = assert!(ERASABLE_AFTER.as_secs() > DAY.as_secs());

#[cfg(test)]
mod tests {
    use super::*;
    use crate::disclosure::Horizon;
    use crate::line::{Imsi, Line, LineState, LineStatus, Swap, SwapCause};

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn found(swapped: Option<&str>, history_since: &str) -> Lookup {
        let line = Line {
            status: LineStatus::Active,
            sim: Imsi::parse("639021860913909").unwrap().into(),
            registered: at("2019-05-01T00:00:00Z"),
            holder_since: None,
            last_swap: swapped.map(|text| Swap { at: at(text), cause: SwapCause::PortIn }),
            swap_learned: false,
            swap_before: None,
            last_pairing: None,
            contract: None,
            restricted: false,
            hashed_imsi: None,
        };
        let horizon = Horizon { as_of: None, history_since: at(history_since) };
        Lookup { state: LineState { line: Some(line), source_rejected: false }, horizon }
    }

    #[test]
    fn a_request_is_held_for_thirty_days_after_a_swap() {
        let now = at("2026-11-22T09:00:00Z");
        let complete = "2018-01-01T00:00:00Z";
        let cases = [
            (None, complete, None),
            (Some("2026-10-23T09:00:00Z"), complete, None),
            (Some("2026-10-23T09:00:01Z"), complete, Some("2026-11-22T09:00:01Z")),
            (Some("2026-11-21T09:00:00Z"), complete, Some("2026-12-21T09:00:00Z")),
            // A clock that is ahead holds nothing for longer than the law waits.
            (Some("2026-11-23T09:00:00Z"), complete, Some("2026-12-22T09:00:00Z")),
            // The registry would not know of a swap: it is held as after one.
            (None, "2026-11-20T00:00:00Z", Some("2026-12-22T09:00:00Z")),
            (Some("2020-01-01T00:00:00Z"), "2026-11-20T00:00:00Z", Some("2026-12-22T09:00:00Z")),
            (None, "2026-10-23T09:00:00Z", None),
        ];
        for (swapped, history_since, expected) in cases {
            assert_eq!(
                held_until(&found(swapped, history_since), now),
                expected.map(at),
                "{swapped:?} {history_since}"
            );
        }
        let nobody = Lookup { state: LineState::default(), ..found(None, complete) };
        assert_eq!(held_until(&nobody, now), None);
        let refused = Lookup { state: LineState { line: None, source_rejected: true }, ..found(None, complete) };
        assert_eq!(held_until(&refused, now), Some(now + HOLD));
    }

    #[test]
    fn where_somebody_has_answered_for_it_a_known_swap_alone_holds() {
        let (now, young) = (at("2026-11-22T09:00:00Z"), "2026-11-20T00:00:00Z");
        for (swapped, expected) in [
            (None, None),
            (Some("2026-10-23T09:00:00Z"), None),
            (Some("2026-11-21T09:00:00Z"), Some("2026-12-21T09:00:00Z")),
            (Some("2026-11-23T09:00:00Z"), Some("2026-12-22T09:00:00Z")),
        ] {
            assert_eq!(held_by_swap(&found(swapped, young), now), expected.map(at), "{swapped:?}");
        }
    }
}
