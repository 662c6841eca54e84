use jiff::Timestamp;
use jiff::tz::TimeZone;
use laini_core::disclosure::{Decision, Facts, Freshness, RegistrationFact, SwapFact, Windows, disclose};
use laini_core::line::Line;
use laini_core::store::Lookup;

/// Something that a check would be told differently. Never an IMSI.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Difference {
    pub(super) what: &'static str,
    pub(super) back_end: String,
    pub(super) laini: String,
}

/// By what both are read.
pub(super) struct Rules {
    pub(super) freshness: Freshness,
    pub(super) zone: TimeZone,
}

/// What a check with the widest windows would be told differently. Dates are compared by day: either
/// side may know no more.
pub(super) fn differences(back_end: &Lookup, laini: &Lookup, rules: &Rules, now: Timestamp) -> Vec<Difference> {
    let decide =
        |found: &Lookup| disclose(&found.state, found.horizon, Windows::default(), rules.freshness, now, &rules.zone);
    let (there, here) = (decide(back_end), decide(laini));
    let mut found = Vec::new();
    let mut differ = |what, back_end: String, laini: String| {
        if back_end != laini {
            found.push(Difference { what, back_end, laini });
        }
    };
    let (Decision::Facts(a), Decision::Facts(b)) = (&there, &here) else {
        differ("answer", answer(&there), answer(&here));
        return found;
    };
    differ("status", a.status.word().to_owned(), b.status.word().to_owned());
    differ("last_swap", swap(a, &rules.zone), swap(b, &rules.zone));
    differ("registration", registration(a, &rules.zone), registration(b, &rules.zone));
    if let (Some(a), Some(b)) = (&back_end.state.line, &laini.state.line)
        && is_other_sim(a, b)
    {
        differ("sim", "one".to_owned(), "another".to_owned());
    }
    found
}

fn answer(decision: &Decision) -> String {
    match decision {
        Decision::Facts(_) => "facts".to_owned(),
        Decision::NotServed => "not_served".to_owned(),
        Decision::Withheld => "withheld".to_owned(),
        Decision::Unknown(reason) => format!("unknown ({})", reason.word()),
    }
}

fn swap(facts: &Facts, zone: &TimeZone) -> String {
    match facts.swap {
        SwapFact::Swapped(swap) => day(swap.at, zone),
        SwapFact::NotSwapped => "not_swapped".to_owned(),
        SwapFact::Unknown(reason) => format!("unknown ({})", reason.word()),
    }
}

fn registration(facts: &Facts, zone: &TimeZone) -> String {
    match facts.registration {
        RegistrationFact::Within(since) => day(since, zone),
        RegistrationFact::Older => "older".to_owned(),
        RegistrationFact::Unknown(reason) => format!("unknown ({})", reason.word()),
    }
}

fn day(at: Timestamp, zone: &TimeZone) -> String {
    zone.to_datetime(at).date().to_string()
}

/// By IMSI where both know it, else by the operator's hash; where they share neither, nobody can say.
fn is_other_sim(a: &Line, b: &Line) -> bool {
    match (a.sim.imsi().zip(b.sim.imsi()), a.operator_hash().zip(b.operator_hash())) {
        (Some((a, b)), _) => a != b,
        (None, Some((a, b))) => a != b,
        (None, None) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use laini_core::disclosure::Horizon;
    use laini_core::line::{HashedImsi, Imsi, LineState, LineStatus, Sim, Swap, SwapCause};

    const NOW: &str = "2026-11-22T09:00:00Z";

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn lookup(change: impl FnOnce(&mut Line)) -> Lookup {
        let mut line = Line {
            status: LineStatus::Active,
            sim: Imsi::parse("639021860913909").unwrap().into(),
            registered: at("2015-01-01T00:00:00Z"),
            holder_since: None,
            last_swap: None,
            swap_learned: false,
            swap_before: None,
            last_pairing: None,
            contract: None,
            restricted: false,
            hashed_imsi: None,
        };
        change(&mut line);
        let horizon = Horizon { as_of: Some(at(NOW)), history_since: Timestamp::MIN };
        Lookup { state: LineState { line: Some(line), source_rejected: false }, horizon }
    }

    fn told(back_end: &Lookup, laini: &Lookup) -> Vec<String> {
        let rules = Rules { freshness: Freshness::default(), zone: TimeZone::get("Africa/Nairobi").unwrap() };
        let found = differences(back_end, laini, &rules, at(NOW));
        found.into_iter().map(|d| format!("{}: {} / {}", d.what, d.back_end, d.laini)).collect()
    }

    fn swapped(at: &str) -> Lookup {
        lookup(|line| line.last_swap = Some(Swap { at: at.parse().unwrap(), cause: SwapCause::Replacement }))
    }

    #[test]
    fn what_a_check_is_not_told_does_not_differ() {
        let plain = lookup(|_| {});
        let hashed = lookup(|line| line.sim = Sim::Hashed(HashedImsi::parse("abc").unwrap()));
        let same = [
            plain.clone(),
            swapped("2016-01-01T00:00:00Z"),
            lookup(|line| line.registered = at("2014-06-01T00:00:00Z")),
            hashed,
        ];
        for other in same {
            assert!(told(&plain, &other).is_empty(), "{other:?}");
        }
        // The same day in Nairobi.
        assert!(told(&swapped("2026-11-20T21:00:00Z"), &swapped("2026-11-21T20:59:00Z")).is_empty());
    }

    #[test]
    fn every_kind_of_difference_is_told() {
        let plain = lookup(|_| {});
        let mut rejected = plain.clone();
        rejected.state.source_rejected = true;
        let mut young = plain.clone();
        young.horizon.history_since = at("2026-11-01T00:00:00Z");
        let table = [
            (lookup(|line| line.status = LineStatus::Suspended), "status: active / suspended"),
            (lookup(|line| line.status = LineStatus::PortedOut), "answer: facts / not_served"),
            (lookup(|line| line.restricted = true), "answer: facts / withheld"),
            (rejected, "answer: facts / unknown (source_rejected)"),
            (young, "last_swap: not_swapped / unknown (no_history)"),
            (swapped("2026-11-20T21:00:00Z"), "last_swap: not_swapped / 2026-11-21"),
            (lookup(|line| line.registered = at("2026-03-01T00:00:00Z")), "registration: older / 2026-03-01"),
            (lookup(|line| line.sim = Imsi::parse("639021860913908").unwrap().into()), "sim: one / another"),
        ];
        for (other, expected) in table {
            assert_eq!(told(&plain, &other), [expected]);
        }
    }
}
