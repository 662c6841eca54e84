use super::*;
use crate::line::{Imsi, Line, SwapCause};
use crate::partner::Product;
use proptest::prelude::*;

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn nairobi() -> TimeZone {
    TimeZone::get("Africa/Nairobi").unwrap()
}

fn line(registered: &str, swap: Option<&str>) -> LineState {
    let line = Line {
        status: LineStatus::Active,
        sim: Imsi::parse("639021860913909").unwrap().into(),
        registered: at(registered),
        holder_since: None,
        last_swap: swap.map(|s| Swap { at: at(s), cause: SwapCause::Replacement }),
        last_pairing: None,
        contract: None,
        swap_learned: false,
        swap_before: None,
        restricted: false,
        hashed_imsi: None,
    };
    LineState { line: Some(line), source_rejected: false }
}

const COMPLETE: Horizon = Horizon { as_of: None, history_since: Timestamp::MIN };

fn decide(state: &LineState, now: &str) -> Decision {
    disclose(state, COMPLETE, Windows::default(), Freshness::default(), at(now), &nairobi())
}

fn facts(decision: Decision) -> Facts {
    match decision {
        Decision::Facts(facts) => facts,
        other => panic!("no facts: {other:?}"),
    }
}

#[test]
fn a_swap_is_disclosed_to_the_day() {
    // now, swap, disclosed? Nairobi is three hours ahead of UTC.
    let table = [
        ("2026-11-22T09:00:00Z", "2026-08-22T00:00:00+03:00", true),
        ("2026-11-22T09:00:00Z", "2026-08-21T23:59:59+03:00", false),
        // The zone's midnight, not UTC's: 21:00Z is the next day already.
        ("2026-11-21T20:59:59Z", "2026-08-21T00:00:00+03:00", true),
        ("2026-11-21T21:00:00Z", "2026-08-21T23:59:59+03:00", false),
        ("2026-11-21T21:00:00Z", "2026-08-21T21:00:00Z", true),
        // Month ends clamp: 31 May looks back to the last of February.
        ("2026-05-31T09:00:00Z", "2026-02-28T00:00:00+03:00", true),
        ("2026-05-31T09:00:00Z", "2026-02-27T23:00:00+03:00", false),
        ("2024-05-31T09:00:00Z", "2024-02-29T00:00:00+03:00", true),
        ("2024-05-31T09:00:00Z", "2024-02-28T12:00:00+03:00", false),
        // A clock a little behind the feed.
        ("2026-11-22T09:00:00Z", "2026-11-22T09:04:00Z", true),
    ];
    for (now, swap, disclosed) in table {
        let fact = facts(decide(&line("2015-01-01T00:00:00Z", Some(swap)), now)).swap;
        assert_eq!(matches!(fact, SwapFact::Swapped(_)), disclosed, "{swap} seen from {now}");
    }
}

#[test]
fn a_registration_is_disclosed_for_a_year_to_the_day() {
    let table = [
        ("2026-11-22T09:00:00Z", "2025-11-22T00:00:00+03:00", true),
        ("2026-11-22T09:00:00Z", "2025-11-21T23:59:59+03:00", false),
        ("2025-02-28T09:00:00Z", "2024-02-29T09:00:00Z", true),
        ("2025-03-01T09:00:00Z", "2024-02-29T09:00:00Z", false),
        ("2024-02-29T09:00:00Z", "2023-02-28T09:00:00Z", true),
    ];
    for (now, registered, within) in table {
        let fact = facts(decide(&line(registered, None), now)).registration;
        assert_eq!(
            fact,
            if within { RegistrationFact::Within(at(registered)) } else { RegistrationFact::Older },
            "{registered} from {now}"
        );
    }
}

#[test]
fn a_history_shorter_than_the_window_is_an_unknown() {
    let now = at("2026-11-22T09:00:00Z");
    let since = |since: &str| Horizon { as_of: None, history_since: at(since) };
    let ask = |state: &LineState, horizon| {
        facts(disclose(state, horizon, Windows::default(), Freshness::default(), now, &nairobi())).swap
    };
    let long_standing = line("2015-01-01T00:00:00Z", None);
    assert_eq!(ask(&long_standing, since("2026-11-01T00:00:00Z")), SwapFact::Unknown(UnknownReason::NoHistory));
    assert_eq!(ask(&long_standing, since("2026-08-22T00:00:00+03:00")), SwapFact::NotSwapped);
    assert_eq!(ask(&long_standing, since("2026-08-22T00:00:01+03:00")), SwapFact::Unknown(UnknownReason::NoHistory));
    // A known old swap does not prove that there was none since.
    let once = line("2015-01-01T00:00:00Z", Some("2020-01-01T00:00:00Z"));
    assert_eq!(ask(&once, since("2026-11-01T00:00:00Z")), SwapFact::Unknown(UnknownReason::NoHistory));
    // A known recent one is known, and a line that began within the history has no earlier one.
    assert!(matches!(
        ask(&line("2015-01-01T00:00:00Z", Some("2026-11-02T00:00:00Z")), since("2026-11-01T00:00:00Z")),
        SwapFact::Swapped(_)
    ));
    assert_eq!(ask(&line("2026-11-05T00:00:00Z", None), since("2026-11-01T00:00:00Z")), SwapFact::NotSwapped);
}

#[test]
fn a_stale_feed_withdraws_only_what_reassures() {
    let now = at("2026-11-22T09:00:00Z");
    let freshness = Freshness {
        swap_stale_after: Some(SignedDuration::from_mins(15)),
        registration_stale_after: Some(SignedDuration::from_hours(26)),
    };
    let ask = |state: &LineState, as_of: Option<&str>| {
        let horizon = Horizon { as_of: as_of.map(at), ..COMPLETE };
        disclose(state, horizon, Windows::default(), freshness, now, &nairobi())
    };
    let clean = line("2015-01-01T00:00:00Z", None);
    assert_eq!(facts(ask(&clean, Some("2026-11-22T08:45:00Z"))).swap, SwapFact::NotSwapped);
    let stale = ask(&clean, Some("2026-11-22T08:44:59Z"));
    assert_eq!(facts(stale).swap, SwapFact::Unknown(UnknownReason::StaleFeed));
    assert_eq!(facts(stale).registration, RegistrationFact::Older);
    assert_eq!(stale.unknown_for(FactSet::of(Product::Imsi)), Some(UnknownReason::StaleFeed));
    assert_eq!(stale.unknown_for(FactSet::of(Product::Age)), None);
    let older = ask(&clean, None);
    assert_eq!(older.unknown_for(FactSet::of(Product::Age)), Some(UnknownReason::StaleFeed));
    assert_eq!(older.unknown_for(FactSet::of(Product::Swap)), Some(UnknownReason::StaleFeed));
    let swapped = ask(&line("2026-11-20T00:00:00Z", Some("2026-11-21T00:00:00Z")), None);
    assert_eq!(swapped.unknown_for(FactSet::of(Product::Imsi)), None);
    assert_eq!(ask(&LineState::default(), None), Decision::Unknown(UnknownReason::StaleFeed));
    assert_eq!(ask(&LineState::default(), Some("2026-11-22T08:59:00Z")), Decision::NotServed);
}

#[test]
fn refused_restricted_and_unserved_lines_have_no_facts() {
    let now = "2026-11-22T09:00:00Z";
    let mut state = line("2015-01-01T00:00:00Z", None);
    for status in [LineStatus::Terminated, LineStatus::PortedOut] {
        state.line.as_mut().unwrap().status = status;
        assert_eq!(decide(&state, now), Decision::NotServed);
    }
    state.line.as_mut().unwrap().status = LineStatus::Suspended;
    assert_eq!(facts(decide(&state, now)).status, LineStatus::Suspended);
    state.line.as_mut().unwrap().restricted = true;
    assert_eq!(decide(&state, now), Decision::Withheld);
    state.source_rejected = true;
    assert_eq!(decide(&state, now), Decision::Unknown(UnknownReason::SourceRejected));
    let refused = LineState { line: None, source_rejected: true };
    assert_eq!(decide(&refused, now), Decision::Unknown(UnknownReason::SourceRejected));
    assert_eq!(decide(&LineState::default(), now), Decision::NotServed);
}

proptest! {
    /// A later day never discloses an older swap than an earlier day did, and the reference count of
    /// months agrees with the calendar.
    #[test]
    fn windows_only_move_forward(days in 0i64..3_000, age in 0i64..200, months in 1u16..15) {
        let windows = Windows { swap: Window::months(months).unwrap(), ..Windows::default() };
        let today = at("2020-01-01T09:00:00Z") + SignedDuration::from_hours(24 * days);
        let swapped = today - SignedDuration::from_hours(24 * age);
        let state = line("2010-01-01T00:00:00Z", Some(&swapped.to_string()));
        let seen = |now| matches!(
            facts(disclose(&state, COMPLETE, windows, Freshness::default(), now, &nairobi())).swap,
            SwapFact::Swapped(_)
        );
        let tomorrow = today + SignedDuration::from_hours(24);
        prop_assert!(seen(today) || !seen(tomorrow));
        let months_i = i64::from(months);
        if age <= 28 * months_i { prop_assert!(seen(today)); }
        if age > 31 * months_i { prop_assert!(!seen(today)); }
    }
}
