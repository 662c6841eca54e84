use super::*;
use crate::line::{EventText, NumberPlan};
use proptest::prelude::*;

fn number(n: u32) -> Msisdn {
    NumberPlan::KENYA.parse(&format!("25472200{n:04}")).unwrap()
}

fn sim(n: u64) -> Imsi {
    Imsi::from_stored(639_020_000_000_000 + n).unwrap()
}

/// Minutes after the cut.
fn at(minutes: i64) -> Timestamp {
    Timestamp::from_second(1_795_000_000 + 60 * minutes).unwrap()
}

fn key(id: &str) -> EventKey {
    EventKey { id: EventText::parse(id).unwrap(), source: EventText::default_source() }
}

fn event(id: &str, minutes: i64, happening: Happening) -> Event {
    Event { key: key(id), at: at(minutes), recorded: at(minutes), msisdn: Some(number(1)), happening }
}

fn of(id: &str) -> EventText {
    EventText::parse(id).unwrap()
}

fn base(imsi: u64) -> Line {
    Line {
        status: LineStatus::Active,
        sim: sim(imsi).into(),
        registered: at(-1_000_000),
        holder_since: None,
        last_swap: None,
        swap_learned: false,
        last_pairing: None,
        contract: None,
        restricted: false,
        hashed_imsi: None,
    }
}

fn with_base(line: Line, events: &[Event]) -> Derivation {
    let bases = [(number(1), LineState { line: Some(line), source_rejected: false })].into();
    derive(at(0), bases, events, &[])
}

fn state(derivation: &Derivation, n: u32) -> LineState {
    derivation.lines.get(&number(n)).cloned().unwrap_or_default()
}

fn swap(derivation: &Derivation) -> Option<(i64, SwapCause)> {
    let swap = state(derivation, 1).line.unwrap().last_swap?;
    Some(((swap.at.as_second() - at(0).as_second()) / 60, swap.cause))
}

fn verdict(derivation: &Derivation, id: &str) -> Verdict {
    let mut found = derivation.verdicts.iter().filter(|(found, _)| *found == key(id));
    let verdict = found.next().unwrap().1;
    assert_eq!(found.next(), None, "{id} has two verdicts");
    verdict
}

#[test]
fn each_type_does_to_a_live_line_what_the_table_says() {
    use Happening as H;
    let swapped = |cause| Some((5, cause));
    let table = [
        (H::SimReplaced(sim(2)), Verdict::Applied, swapped(SwapCause::Replacement), true),
        (H::SimReplaced(sim(1)), Verdict::NoChange, None, true),
        (H::EsimIssued(sim(2)), Verdict::Applied, swapped(SwapCause::Esim), true),
        (H::PortedIn(sim(2)), Verdict::Applied, swapped(SwapCause::PortIn), true),
        (H::Recycled(sim(2)), Verdict::Applied, swapped(SwapCause::NewHolder), true),
        (H::DeviceChanged, Verdict::NoChange, None, true),
        (H::Suspended, Verdict::Applied, None, true),
        (H::Resumed, Verdict::NoChange, None, true),
        (H::PortedOut, Verdict::Applied, None, false),
        (H::Terminated, Verdict::Applied, None, false),
        (H::Registered(sim(2)), Verdict::Refused(Refusal::AlreadyServed), None, true),
        (H::NumberChanged { new_msisdn: number(2) }, Verdict::Applied, None, false),
    ];
    for (happening, expected, swapped, served) in table {
        let name = happening.kind().word();
        let derived = with_base(base(1), &[event("e", 5, happening)]);
        assert_eq!(verdict(&derived, "e"), expected, "{name}");
        assert_eq!(swap(&derived), swapped, "{name}");
        assert_eq!(state(&derived, 1).line.unwrap().status.is_served(), served, "{name}");
        assert_eq!(state(&derived, 1).source_rejected, matches!(expected, Verdict::Refused(_)), "{name}");
    }
}

#[test]
fn a_number_change_takes_sim_and_registration_along() {
    let derived = with_base(base(1), &[event("e", 5, Happening::NumberChanged { new_msisdn: number(2) })]);
    let moved = state(&derived, 2).line.unwrap();
    assert_eq!((moved.sim, moved.registered, moved.status), (sim(1).into(), at(-1_000_000), LineStatus::Active));
    assert_eq!(moved.last_swap, Some(Swap { at: at(5), cause: SwapCause::NumberChange }));
}

#[test]
fn a_number_held_before_is_recycled_by_a_registration() {
    let events = [event("a", 5, Happening::Terminated), event("b", 6, Happening::Registered(sim(2)))];
    assert_eq!(swap(&with_base(base(1), &events)), Some((6, SwapCause::NewHolder)));
    let fresh = derive(at(0), BTreeMap::new(), &events[1..], &[]);
    assert_eq!(swap(&fresh), None);
    let refused = LineState { line: None, source_rejected: true };
    let doubtful = derive(at(0), [(number(1), refused)].into(), &events[1..], &[]);
    assert_eq!(swap(&doubtful), Some((6, SwapCause::NewHolder)));
}

#[test]
fn corrections_move_and_retractions_withdraw() {
    let told = event("e", 5, Happening::SimReplaced(sim(2)));
    let correct = |id: &str, minutes, imsi| Event {
        recorded: at(100),
        ..event(id, minutes, Happening::Correction { of: of("e"), imsi, new_msisdn: None })
    };
    let moved = with_base(base(1), &[told.clone(), correct("c", 3, None)]);
    assert_eq!(swap(&moved), Some((3, SwapCause::Replacement)));
    assert_eq!(verdict(&moved, "c"), Verdict::Amends);
    // The snapshot lacks the event, whenever it is said to have happened.
    assert_eq!(
        swap(&with_base(base(1), &[told.clone(), correct("c", -20, None)])),
        Some((-20, SwapCause::Replacement))
    );
    // With the SIM that was there already, it was no swap.
    assert_eq!(swap(&with_base(base(1), &[told.clone(), correct("c", 5, Some(sim(1)))])), None);
    let retract = event("r", 7, Happening::Retraction { of: of("e") });
    let withdrawn = with_base(base(1), &[told.clone(), retract.clone()]);
    assert_eq!((swap(&withdrawn), verdict(&withdrawn, "e")), (None, Verdict::Withdrawn));
    // The newest recorded amendment decides.
    let both = with_base(base(1), &[told, correct("c", 3, None), retract.clone()]);
    assert_eq!((swap(&both), verdict(&both, "r")), (Some((3, SwapCause::Replacement)), Verdict::Superseded));
    let alone = with_base(base(1), &[retract]);
    assert_eq!(verdict(&alone, "r"), Verdict::Refused(Refusal::UnknownTarget));
}

#[test]
fn a_learned_swap_of_the_base_can_be_amended() {
    let told = event("e", -5, Happening::SimReplaced(sim(1)));
    let earlier = event("d", -9, Happening::EsimIssued(sim(1)));
    let retract = event("r", 7, Happening::Retraction { of: of("e") });
    let known = Some(Swap { at: at(-5), cause: SwapCause::Replacement });
    let learned = Line { last_swap: known, swap_learned: true, ..base(1) };
    let events = [told.clone(), earlier, retract.clone()];
    let derived = with_base(learned.clone(), &events);
    assert_eq!((swap(&derived), verdict(&derived, "r")), (Some((-9, SwapCause::Esim)), Verdict::Amends));
    assert_eq!(swap(&with_base(learned.clone(), &[told.clone(), retract.clone()])), None);
    let correct = event("c", -2, Happening::Correction { of: of("e"), imsi: None, new_msisdn: None });
    assert_eq!(swap(&with_base(learned.clone(), &[told.clone(), correct])), Some((-2, SwapCause::Replacement)));
    // What the snapshot states, only a snapshot takes back.
    let stated = Line { swap_learned: false, ..learned };
    let derived = with_base(stated, &[told, retract]);
    assert_eq!(verdict(&derived, "r"), Verdict::Refused(Refusal::BeforeCut));
}

#[test]
fn a_refused_row_makes_a_line_unknown_until_something_newer_is_good() {
    let refused = [RefusedRow { msisdn: number(1), at: at(5) }];
    let bases = || BTreeMap::from([(number(1), LineState { line: Some(base(1)), source_rejected: false })]);
    let rejected = |events: &[Event]| derive(at(0), bases(), events, &refused).lines[&number(1)].source_rejected;
    assert!(rejected(&[]));
    assert!(rejected(&[event("e", 4, Happening::Suspended)]));
    assert!(!rejected(&[event("e", 6, Happening::Suspended)]));
    assert!(rejected(&[event("e", 6, Happening::DeviceChanged)]));
    let before_cut = [RefusedRow { msisdn: number(1), at: at(0) }];
    assert!(!derive(at(0), bases(), &[], &before_cut).lines[&number(1)].source_rejected);
}

fn happenings() -> impl Strategy<Value = Happening> {
    let imsi = (1u64..4).prop_map(sim);
    prop_oneof![
        imsi.clone().prop_map(Happening::Registered),
        imsi.clone().prop_map(Happening::SimReplaced),
        imsi.clone().prop_map(Happening::EsimIssued),
        imsi.clone().prop_map(Happening::PortedIn),
        imsi.clone().prop_map(Happening::Recycled),
        Just(Happening::DeviceChanged),
        Just(Happening::Suspended),
        Just(Happening::Resumed),
        Just(Happening::PortedOut),
        Just(Happening::Terminated),
        (1u32..4).prop_map(|n| Happening::NumberChanged { new_msisdn: number(n) }),
        ((0u8..12), prop::option::of(imsi)).prop_map(|(n, imsi)| Happening::Correction {
            of: of(&format!("e{n}")),
            imsi,
            new_msisdn: None
        }),
        (0u8..12).prop_map(|n| Happening::Retraction { of: of(&format!("e{n}")) }),
    ]
}

fn stories() -> impl Strategy<Value = Vec<Event>> {
    prop::collection::vec((1u32..4, -5i64..20, 0i64..40, happenings()), 0..12).prop_map(|events| {
        let story = events.into_iter().enumerate();
        let event = |(n, (line, minutes, recorded, happening)): (usize, (u32, i64, i64, Happening))| {
            let msisdn = if happening.amends().is_some() { None } else { Some(number(line)) };
            Event { recorded: at(recorded), msisdn, ..event(&format!("e{n}"), minutes, happening) }
        };
        story.map(event).collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(20_000))]

    /// Whatever the order of arrival, the lines and the verdicts are the same.
    #[test]
    fn order_of_arrival_does_not_matter(story in stories(), shuffled in any::<u64>()) {
        let mut other = story.clone();
        let mut random = shuffled;
        for at in (1..other.len()).rev() {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            other.swap(at, usize::try_from(random >> 33).unwrap() % (at + 1));
        }
        let mut first = with_base(base(1), &story);
        let mut second = with_base(base(1), &other);
        first.verdicts.sort_by(|a, b| a.0.cmp(&b.0));
        second.verdicts.sort_by(|a, b| a.0.cmp(&b.0));
        prop_assert_eq!(first, second);
    }

    /// Each event has one verdict, and a SIM other than the base's never comes without a swap.
    #[test]
    fn nothing_is_lost_and_no_swap_is_hidden(story in stories()) {
        let derived = with_base(base(1), &story);
        let mut keys: Vec<_> = derived.verdicts.iter().map(|(key, _)| key.clone()).collect();
        keys.sort();
        keys.dedup();
        prop_assert_eq!((keys.len(), derived.verdicts.len()), (story.len(), story.len()));
        let line = state(&derived, 1).line.unwrap();
        prop_assert!(line.sim == sim(1).into() || line.last_swap.is_some());
    }
}
