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
        swap_before: None,
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
    assert!(rejected(&[event("e", 4, Happening::SimReplaced(sim(2)))]));
    assert!(!rejected(&[event("e", 6, Happening::SimReplaced(sim(2)))]));
    assert!(!rejected(&[event("e", 6, Happening::Terminated)]));
    // Of the same instant: the line was sent again, mended.
    assert!(!rejected(&[event("e", 5, Happening::SimReplaced(sim(2)))]));
    // An end of that instant makes room for the next holder, of whom the row may have told.
    assert!(rejected(&[event("e", 5, Happening::Terminated)]));
    assert!(!rejected(&[event("e", 5, Happening::Terminated), event("f", 5, Happening::Recycled(sim(2)))]));
    // What says nothing about the SIM, or changes nothing, does not clear it.
    let silent = [
        Happening::DeviceChanged,
        Happening::Suspended,
        Happening::Resumed,
        Happening::NumberChanged { new_msisdn: number(1) },
    ];
    for happening in silent {
        assert!(rejected(&[event("e", 6, happening.clone())]), "{happening:?}");
    }
    assert!(rejected(&[event("d", 4, Happening::Terminated), event("e", 6, Happening::Terminated)]));
    let before_cut = [RefusedRow { msisdn: number(1), at: at(0) }];
    assert!(!derive(at(0), bases(), &[], &before_cut).lines[&number(1)].source_rejected);
}

#[test]
fn the_sim_that_a_line_has_already_is_a_swap_while_it_is_in_doubt() {
    let refused = [RefusedRow { msisdn: number(1), at: at(5) }];
    let bases = || BTreeMap::from([(number(1), LineState { line: Some(base(1)), source_rejected: false })]);
    for (happening, cause) in
        [(Happening::SimReplaced(sim(1)), SwapCause::Replacement), (Happening::EsimIssued(sim(1)), SwapCause::Esim)]
    {
        let derived = derive(at(0), bases(), &[event("e", 6, happening)], &refused);
        assert_eq!((swap(&derived), verdict(&derived, "e")), (Some((6, cause)), Verdict::Applied));
        assert!(!state(&derived, 1).source_rejected);
        let line = state(&derived, 1).line.unwrap();
        assert_eq!(line.swap_before, line.last_swap, "what is behind it is not known");
    }
}

#[test]
fn a_bar_that_cannot_be_applied_leaves_a_line_in_doubt() {
    let ended = Line { status: LineStatus::Terminated, ..base(1) };
    for happening in [Happening::Suspended, Happening::Resumed] {
        assert!(state(&with_base(ended.clone(), &[event("e", 5, happening.clone())]), 1).source_rejected);
        let unknown = derive(at(0), BTreeMap::new(), &[event("e", 5, happening)], &[]);
        assert!(state(&unknown, 1).source_rejected);
    }
}

/// An amendment that states its line.
fn stating(id: &str, minutes: i64, n: u32, happening: Happening) -> Event {
    Event { msisdn: Some(number(n)), ..event(id, minutes, happening) }
}

#[test]
fn an_amendment_that_cannot_be_taken_over_doubts_the_line_that_it_states() {
    let correct = |of_: &str| Happening::Correction { of: of(of_), imsi: None, new_msisdn: None };
    let retract = |of_: &str| Happening::Retraction { of: of(of_) };
    let told = event("e", 4, Happening::SimReplaced(sim(2)));
    for amendment in [correct("e"), retract("e")] {
        let early = stating("a", 6, 1, amendment);
        let waits = with_base(base(1), std::slice::from_ref(&early));
        assert_eq!(verdict(&waits, "a"), Verdict::Refused(Refusal::UnknownTarget));
        assert!(state(&waits, 1).source_rejected);
        assert!(!state(&with_base(base(1), &[told.clone(), early.clone()]), 1).source_rejected, "its target came");
        let newer = event("n", 7, Happening::SimReplaced(sim(3)));
        assert!(!state(&with_base(base(1), &[newer, early.clone()]), 1).source_rejected);
        let nameless = Event { msisdn: None, ..early.clone() };
        assert!(!state(&with_base(base(1), &[nameless]), 1).source_rejected);
        let in_the_snapshot = Event { at: at(0), ..early };
        assert!(!state(&with_base(base(1), &[in_the_snapshot]), 1).source_rejected);
    }
    let moved = Happening::Correction { of: of("e"), imsi: None, new_msisdn: Some(number(3)) };
    let derived = with_base(base(1), &[Event { msisdn: None, ..event("a", 6, moved) }]);
    assert!(state(&derived, 3).source_rejected && !state(&derived, 1).source_rejected);
    let other_number = with_base(base(1), &[told.clone(), stating("a", 6, 2, retract("e"))]);
    assert_eq!(verdict(&other_number, "a"), Verdict::Refused(Refusal::OtherNumber));
    assert!(state(&other_number, 2).source_rejected && !state(&other_number, 1).source_rejected);
    let of_amendment = [told, stating("a", 5, 1, retract("e")), stating("b", 6, 1, retract("a"))];
    assert!(state(&with_base(base(1), &of_amendment), 1).source_rejected);
}

#[test]
fn a_swap_that_moves_behind_the_cut_by_a_correction_is_not_hidden() {
    let told = event("e", -5, Happening::SimReplaced(sim(1)));
    let moved = event("c", 5, Happening::Correction { of: of("e"), imsi: None, new_msisdn: None });
    let derived = with_base(base(1), &[told.clone(), moved.clone()]);
    assert_eq!(verdict(&derived, "c"), Verdict::Refused(Refusal::BeforeCut));
    assert!(state(&derived, 1).source_rejected);
    let harmless = event("e", -5, Happening::DeviceChanged);
    assert!(!state(&with_base(base(1), &[harmless, moved.clone()]), 1).source_rejected);
    let within = Event { at: at(-2), ..moved };
    assert!(!state(&with_base(base(1), &[told, within]), 1).source_rejected);
}

fn told(minutes: i64, cause: SwapCause) -> Swap {
    Swap { at: at(minutes), cause }
}

/// A line whose newest swap an event told of five minutes before the cut.
fn learned(before: Option<Swap>) -> Line {
    Line { last_swap: Some(told(-5, SwapCause::PortIn)), swap_learned: true, swap_before: before, ..base(1) }
}

#[test]
fn a_retraction_falls_back_on_what_a_snapshot_states() {
    let wrong = event("e", -5, Happening::PortedIn(sim(1)));
    let retract = event("r", 7, Happening::Retraction { of: of("e") });
    let stated = Some(told(-90, SwapCause::Esim));
    let both = [wrong.clone(), retract.clone()];
    let derived = with_base(learned(stated), &both);
    assert_eq!((swap(&derived), verdict(&derived, "r")), (Some((-90, SwapCause::Esim)), Verdict::Amends));
    assert!(!state(&derived, 1).source_rejected);
    // An event that told of a newer one goes before it, and one that was withdrawn does not count.
    let earlier = event("d", -9, Happening::EsimIssued(sim(1)));
    let withdrawn = event("q", 6, Happening::Retraction { of: of("d") });
    let derived = with_base(learned(stated), &[wrong.clone(), retract.clone(), earlier.clone()]);
    assert_eq!(swap(&derived), Some((-9, SwapCause::Esim)));
    let derived = with_base(learned(stated), &[wrong.clone(), retract.clone(), earlier.clone(), withdrawn.clone()]);
    assert_eq!(swap(&derived), Some((-90, SwapCause::Esim)));
    // What lies behind two swaps that were both withdrawn, nobody knows any more.
    let derived =
        with_base(learned(Some(told(-9, SwapCause::Esim))), &[wrong.clone(), retract.clone(), earlier, withdrawn]);
    assert_eq!((swap(&derived), verdict(&derived, "q")), (None, Verdict::Amends));
    assert!(state(&derived, 1).source_rejected);
    // Nor what lies behind one of which nothing was kept.
    let derived = with_base(learned(Some(told(-5, SwapCause::PortIn))), &both);
    assert!(state(&derived, 1).source_rejected);
    assert_eq!(swap(&with_base(learned(None), &both)), None);
    // Something else of the same second is not the swap.
    let other = [event("e", -5, Happening::Suspended), retract];
    assert_eq!(swap(&with_base(learned(stated), &other)), Some((-5, SwapCause::PortIn)));
}

#[test]
fn a_correction_hides_no_swap_that_is_known_otherwise() {
    let wrong = event("e", -5, Happening::PortedIn(sim(1)));
    let correct = |id: &str, minutes| Event {
        recorded: at(100),
        ..event(id, minutes, Happening::Correction { of: of("e"), imsi: None, new_msisdn: None })
    };
    let stated = Some(told(-90, SwapCause::Esim));
    let moved = with_base(learned(stated), &[wrong.clone(), correct("c", -20)]);
    assert_eq!(swap(&moved), Some((-20, SwapCause::PortIn)));
    let moved = with_base(learned(stated), &[wrong.clone(), correct("c", -99)]);
    assert_eq!((swap(&moved), verdict(&moved, "c")), (Some((-90, SwapCause::Esim)), Verdict::Amends));
    let earlier = event("d", -9, Happening::EsimIssued(sim(1)));
    let moved = with_base(learned(None), &[wrong.clone(), correct("c", -20), earlier.clone()]);
    assert_eq!(swap(&moved), Some((-9, SwapCause::Esim)));
    // One that moves another swap to later raises it.
    let other =
        Event { happening: Happening::Correction { of: of("d"), imsi: None, new_msisdn: None }, ..correct("c", -2) };
    let raised = with_base(learned(None), &[wrong.clone(), other, earlier]);
    assert_eq!((swap(&raised), verdict(&raised, "c")), (Some((-2, SwapCause::Esim)), Verdict::Amends));
    // A base that was corrected is known again by the instant that it was given.
    let corrected = Line { last_swap: Some(told(-20, SwapCause::PortIn)), ..learned(stated) };
    let retract = Event { recorded: at(200), ..event("r", 7, Happening::Retraction { of: of("e") }) };
    let withdrawn = with_base(corrected, &[wrong, correct("c", -20), retract]);
    assert_eq!((swap(&withdrawn), verdict(&withdrawn, "r")), (Some((-90, SwapCause::Esim)), Verdict::Amends));
}

#[test]
fn an_event_that_a_correction_moves_before_the_newest_swap_leaves_that() {
    let correct = |minutes| Event {
        recorded: at(100),
        ..event("c", minutes, Happening::Correction { of: of("e"), imsi: None, new_msisdn: None })
    };
    let stated = Line { last_swap: Some(told(-5, SwapCause::Esim)), ..base(1) };
    for happening in [
        Happening::SimReplaced(sim(2)),
        Happening::PortedIn(sim(2)),
        Happening::Recycled(sim(2)),
        Happening::NumberChanged { new_msisdn: number(2) },
    ] {
        let word = happening.kind().word();
        let line = if matches!(happening, Happening::NumberChanged { .. }) { 2 } else { 1 };
        let derived = with_base(stated.clone(), &[event("e", 5, happening), correct(-20)]);
        let line = state(&derived, line).line.unwrap();
        assert_eq!(line.last_swap, Some(told(-5, SwapCause::Esim)), "{word}");
        assert_eq!(line.swap_before.map(|swap| swap.at), Some(at(-20)), "{word}");
    }
}

#[test]
fn what_was_erased_is_not_fallen_back_on() {
    let erased = event("x", -50, Happening::Erased);
    let wrong = event("e", -5, Happening::PortedIn(sim(1)));
    let retract = event("r", 7, Happening::Retraction { of: of("e") });
    let line = with_base(learned(Some(told(-90, SwapCause::Esim))), &[erased, wrong, retract]);
    assert!(state(&line, 1).source_rejected);
    assert_eq!(state(&line, 1).line.unwrap().last_swap, None);
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
            // Every other amendment states its line.
            let states = happening.amends().is_none() || recorded % 2 == 0;
            let msisdn = states.then(|| number(line));
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

    /// The same holds where the base has a learned swap; and no amendment brings it behind one that is
    /// known otherwise, unless the line is in doubt.
    #[test]
    fn amendments_of_a_base_hide_nothing(story in stories(), last in -5i64..1, behind in prop::option::of(-60i64..-20)) {
        let before = behind.map(|minutes| told(minutes, SwapCause::Esim));
        let line = Line { last_swap: Some(told(last, SwapCause::PortIn)), swap_before: before, ..learned(None) };
        let mut other = story.clone();
        other.reverse();
        let mut first = with_base(line.clone(), &story);
        let mut second = with_base(line, &other);
        first.verdicts.sort_by(|a, b| a.0.cmp(&b.0));
        second.verdicts.sort_by(|a, b| a.0.cmp(&b.0));
        prop_assert_eq!(&first, &second);
        let state = state(&first, 1);
        let newest = state.line.and_then(|line| line.last_swap).map(|swap| swap.at);
        let amended: Vec<_> = story.iter().filter_map(|event| event.happening.amends()).collect();
        let stands = |event: &&Event| event.msisdn == Some(number(1)) && !amended.contains(&&event.key.id);
        let told = story.iter().filter(stands).filter(|event| event.at.as_second() == at(last).as_second());
        let told = told.filter(|event| matches!(event.happening, Happening::PortedIn(_))).map(|event| event.at).max();
        prop_assert!(state.source_rejected || newest >= before.map(|swap| swap.at).max(told));
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
