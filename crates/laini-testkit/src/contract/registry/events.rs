use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use laini_core::line::{
    Event, Happening, Imsi, Line, LineState, LineStatus, Refusal, SnapshotRow, Swap, SwapCause, derive, settle,
};
use laini_core::store::{FeedError, FeedResult, RegistryFeed as _, RejectCursor, SnapshotPlan};

use super::RegistryPlace;
use super::story::{
    CUT_1, CUT_2, CUT_3, LONG_AGO, NOW, amendment, at, event, line, load, number, ok, plan, record, row, sim, state,
    text, try_load,
};

const T1: &str = "2026-11-21T10:00:00Z";
const T2: &str = "2026-11-21T11:00:00Z";
const T3: &str = "2026-11-21T12:00:00Z";
const T4: &str = "2026-11-21T13:00:00Z";

fn swapped(when: &str, cause: SwapCause) -> Swap {
    Swap { at: at(when), cause }
}

/// A line that an event began.
fn begun(imsi: u64, when: &str, last_swap: Option<Swap>) -> Line {
    let mut line = settle(None, &row(0, sim(imsi)), at(CUT_1));
    line.registered = at(when);
    line.last_swap = last_swap;
    line.swap_learned = last_swap.is_some();
    line
}

/// The table of design, "The feed": on lines that are served (below 20), that ended (below 40), and
/// that nobody knew.
pub async fn each_event_does_what_the_table_says(place: &impl RegistryPlace) {
    let registry = place.open();
    let ended = |n| SnapshotRow { status: LineStatus::Terminated, ..row(n, sim(n)) };
    let served: Vec<_> = (0..10).map(|n| row(n, sim(n))).collect();
    load(&registry, CUT_1, served.into_iter().chain((20..30).map(ended)).collect()).await;
    for (n, happening, expected) in taken() {
        let word = happening.kind().word();
        let event = event(&format!("e{n}"), T1, n, happening);
        assert_eq!(record(&registry, vec![event]).await, [FeedResult::Accepted], "{word} on {n}");
        assert_eq!(line(&registry, n).await, expected, "{word} on {n}");
    }
    let not_taken = [
        (0, Happening::Registered(new_sim(0)), FeedResult::Refused(Refusal::AlreadyServed)),
        (21, Happening::SimReplaced(new_sim(21)), FeedResult::Waits(Refusal::NotServed)),
        (24, Happening::Resumed, FeedResult::Waits(Refusal::NotServed)),
        (41, Happening::EsimIssued(new_sim(41)), FeedResult::Waits(Refusal::UnknownLine)),
        (44, Happening::Terminated, FeedResult::Waits(Refusal::UnknownLine)),
    ];
    for (n, happening, result) in not_taken {
        let word = happening.kind().word();
        let before = state(&registry, n).await.line;
        assert_eq!(record(&registry, vec![event(&format!("e{n}"), T1, n, happening)]).await, [result], "{word} on {n}");
        assert_eq!(state(&registry, n).await, LineState { line: before, source_rejected: true }, "{word} on {n}");
    }
    let status = ok(registry.status().await);
    assert_eq!((status.lines, status.events, status.waiting, status.rejects), (23, 21, 4, 1));

    let twice = event("again", T2, 1, Happening::SimReplaced(new_sim(1)));
    assert_eq!(record(&registry, vec![twice]).await, [FeedResult::Accepted]);
    assert_eq!(
        line(&registry, 1).await.last_swap,
        Some(swapped(T1, SwapCause::Replacement)),
        "it has that SIM already"
    );
}

fn new_sim(n: u64) -> Imsi {
    sim(n + 100)
}

/// What a line is after each event that is taken at T1.
fn taken() -> Vec<(u64, Happening, Line)> {
    let old = settle(None, &row(0, sim(0)), at(CUT_1));
    let status = |n, status| Line { status, sim: sim(n).into(), ..old.clone() };
    let active = |n| status(n, LineStatus::Active);
    let replaced = |n, cause| Line {
        sim: new_sim(n).into(),
        last_swap: Some(swapped(T1, cause)),
        swap_learned: true,
        ..old.clone()
    };
    let held_anew = |n: u64, cause| begun(n + 100, T1, Some(swapped(T1, cause)));
    vec![
        (1, Happening::SimReplaced(new_sim(1)), replaced(1, SwapCause::Replacement)),
        (2, Happening::EsimIssued(new_sim(2)), replaced(2, SwapCause::Esim)),
        (3, Happening::PortedIn(new_sim(3)), held_anew(3, SwapCause::PortIn)),
        (4, Happening::DeviceChanged, active(4)),
        (5, Happening::Suspended, status(5, LineStatus::Suspended)),
        (6, Happening::Resumed, active(6)),
        (7, Happening::PortedOut, status(7, LineStatus::PortedOut)),
        (8, Happening::Terminated, status(8, LineStatus::Terminated)),
        (9, Happening::Recycled(new_sim(9)), held_anew(9, SwapCause::NewHolder)),
        (20, Happening::Registered(new_sim(20)), held_anew(20, SwapCause::NewHolder)),
        (22, Happening::PortedIn(new_sim(22)), held_anew(22, SwapCause::PortIn)),
        (23, Happening::Recycled(new_sim(23)), held_anew(23, SwapCause::NewHolder)),
        (25, Happening::PortedOut, status(25, LineStatus::Terminated)),
        (40, Happening::Registered(new_sim(40)), begun(140, T1, None)),
        (42, Happening::Recycled(new_sim(42)), held_anew(42, SwapCause::NewHolder)),
        (43, Happening::PortedIn(new_sim(43)), held_anew(43, SwapCause::PortIn)),
    ]
}

/// Without a snapshot the swap history begins with the first event, and nothing is complete.
pub async fn events_found_a_registry_without_a_snapshot(place: &impl RegistryPlace) {
    let registry = place.open();
    let old = event("e1", LONG_AGO, 1, Happening::Registered(sim(1)));
    assert_eq!(record(&registry, vec![old]).await, [FeedResult::Accepted]);
    assert_eq!(line(&registry, 1).await, begun(1, LONG_AGO, None));
    assert_eq!(state(&registry, 2).await, LineState::default());
    let status = ok(registry.status().await);
    assert_eq!((status.lines, status.cut, status.as_of), (1, None, None));
    assert_eq!(status.history_since, Some(at(NOW)));
    let unstated = SnapshotPlan { cut: None, ..plan(CUT_1) };
    assert!(matches!(registry.begin_snapshot(unstated).await.err(), Some(FeedError::CutNeeded)));
    load(&registry, CUT_1, vec![row(1, sim(1)), row(2, sim(2))]).await;
    assert_eq!(line(&registry, 1).await.last_swap, None);
    assert_eq!(line(&registry, 2).await.sim, sim(2).into());
}

/// A line's life, delivered in every rotation and backwards, one event a batch.
pub async fn the_order_of_arrival_does_not_matter(place: &impl RegistryPlace) {
    let registry = place.open();
    load(&registry, CUT_1, vec![row(1, sim(1))]).await;
    let life = |n: u64, id: &str| {
        vec![
            event(&format!("{id}-1"), T1, n, Happening::Registered(sim(n))),
            event(&format!("{id}-2"), T2, n, Happening::SimReplaced(sim(n + 500))),
            event(&format!("{id}-3"), T3, n, Happening::Terminated),
            event(&format!("{id}-4"), T3, n, Happening::Recycled(sim(n + 600))),
            event(&format!("{id}-5"), T4, n, Happening::Suspended),
        ]
    };
    let mut expected = begun(0, T3, Some(swapped(T3, SwapCause::NewHolder)));
    expected.status = LineStatus::Suspended;
    expected.swap_before = Some(swapped(T2, SwapCause::Replacement));
    for turn in 0..10 {
        let n = 100 + turn;
        let mut events = life(n, &format!("life{n}"));
        events.rotate_left(usize::try_from(turn % 5).expect("small"));
        if turn >= 5 {
            events.reverse();
        }
        for event in events {
            record(&registry, vec![event]).await;
        }
        assert_eq!(line(&registry, n).await, Line { sim: sim(n + 600).into(), ..expected.clone() }, "turn {turn}");
    }
    let history = ok(registry.history(number(103)).await);
    assert_eq!(history, life(103, "life103"));
    assert_eq!(ok(registry.status().await).waiting, 0);
}

/// The same event again is no event; another one under its id is refused, whatever came first.
pub async fn an_event_is_taken_once(place: &impl RegistryPlace) {
    let registry = place.open();
    load(&registry, CUT_1, vec![row(1, sim(1)), row(2, sim(2))]).await;
    let first = event("e1", T1, 1, Happening::SimReplaced(sim(9)));
    let conflicting = [
        Event { happening: Happening::SimReplaced(sim(8)), ..first.clone() },
        Event { happening: Happening::EsimIssued(sim(9)), ..first.clone() },
        Event { at: at(T2), ..first.clone() },
        Event { msisdn: Some(number(2)), ..first.clone() },
    ];
    let written_later = Event { recorded: at(T3), ..first.clone() };
    let again = record(&registry, vec![first.clone(), first.clone(), written_later]).await;
    assert_eq!(again, [FeedResult::Accepted, FeedResult::Repeated, FeedResult::Repeated]);
    assert_eq!(record(&registry, vec![first.clone()]).await, [FeedResult::Repeated]);
    assert_eq!(line(&registry, 1).await.last_swap, Some(swapped(T1, SwapCause::Replacement)));

    let mut elsewhere = first.clone();
    elsewhere.key.source = text("hlr-2");
    assert_eq!(record(&registry, vec![elsewhere]).await, [FeedResult::Accepted], "ids are unique per source");
    for other in conflicting {
        assert_eq!(record(&registry, vec![other]).await, [FeedResult::Conflict]);
    }
    // Which of them is true cannot be told.
    assert!(state(&registry, 1).await.source_rejected);
    assert!(state(&registry, 2).await.source_rejected);
    let status = ok(registry.status().await);
    // Two of them name the same line and instant: one reject.
    assert_eq!((status.events, status.rejects), (2, 3));
}

/// What stands on an event that is still under way is applied by itself when that comes.
pub async fn an_early_event_waits(place: &impl RegistryPlace) {
    let registry = place.open();
    load(&registry, CUT_1, vec![row(1, sim(1))]).await;
    let early = event("e2", T2, 5, Happening::SimReplaced(sim(6)));
    assert_eq!(record(&registry, vec![early]).await, [FeedResult::Waits(Refusal::UnknownLine)]);
    assert_eq!(state(&registry, 5).await, LineState { line: None, source_rejected: true });
    let rejects = ok(registry.rejects(RejectCursor::START, 10).await).rejects;
    assert_eq!((rejects.len(), rejects[0].waits), (1, true));
    assert_eq!(rejects[0].key.as_ref().map(|key| key.id.as_str()), Some("e2"));
    let late = event("e1", T1, 5, Happening::Registered(sim(5)));
    assert_eq!(record(&registry, vec![late]).await, [FeedResult::Accepted]);
    assert_eq!(
        line(&registry, 5).await,
        Line { sim: sim(6).into(), ..begun(5, T1, Some(swapped(T2, SwapCause::Replacement))) }
    );
    assert_eq!(ok(registry.rejects(RejectCursor::START, 10).await).rejects, []);
    assert_eq!(ok(registry.status().await).waiting, 0);
}

/// SIM, registration and contract move; the old number is not served; both ends know the event.
pub async fn a_number_change_moves_the_line(place: &impl RegistryPlace) {
    let registry = place.open();
    load(&registry, CUT_1, vec![row(1, sim(1)), row(2, sim(2)), row(3, sim(3))]).await;
    let to = |n| Happening::NumberChanged { new_msisdn: number(n) };
    // The second hop arrives first.
    let results = record(&registry, vec![event("hop2", T2, 50, to(60))]).await;
    assert_eq!(results, [FeedResult::Waits(Refusal::UnknownLine)]);
    assert_eq!(record(&registry, vec![event("hop1", T1, 1, to(50))]).await, [FeedResult::Accepted]);
    assert_eq!(line(&registry, 1).await.status, LineStatus::Terminated);
    assert_eq!(line(&registry, 50).await.status, LineStatus::Terminated);
    let moved = line(&registry, 60).await;
    assert_eq!((moved.sim, moved.registered), (sim(1).into(), at(LONG_AGO)));
    assert_eq!(moved.last_swap, Some(swapped(T2, SwapCause::NumberChange)));
    assert_eq!(ok(registry.history(number(50)).await).len(), 2);
    let served = record(&registry, vec![event("e3", T3, 2, to(3))]).await;
    assert_eq!(served, [FeedResult::Refused(Refusal::NewNumberServed)]);
    // What was known of the first number before it moved can still come to light.
    record(&registry, vec![event("e0", "2026-11-20T10:00:00Z", 1, Happening::SimReplaced(sim(7)))]).await;
    assert_eq!(line(&registry, 60).await.sim, sim(7).into());
}

/// A correction replaces instant, SIM or new number; a retraction withdraws; the newest one decides.
pub async fn amendments_replace_and_withdraw(place: &impl RegistryPlace) {
    let registry = place.open();
    load(&registry, CUT_1, vec![row(1, sim(1)), row(2, sim(2))]).await;
    let correct = |of: &str, imsi, new_msisdn| Happening::Correction { of: text(of), imsi, new_msisdn };
    let retract = |of: &str| Happening::Retraction { of: text(of) };
    // The amendment arrives before what it amends.
    let early = amendment("c1", T2, T3, correct("e1", Some(sim(8)), None));
    assert_eq!(record(&registry, vec![early]).await, [FeedResult::Waits(Refusal::UnknownTarget)]);
    let results = record(&registry, vec![event("e1", T1, 1, Happening::EsimIssued(sim(9)))]).await;
    assert_eq!(results, [FeedResult::Accepted]);
    let corrected = line(&registry, 1).await;
    assert_eq!((&corrected.sim, corrected.last_swap), (&sim(8).into(), Some(swapped(T2, SwapCause::Esim))));
    // Written down before the correction: it does not undo it.
    record(&registry, vec![amendment("r0", T2, T2, retract("e1"))]).await;
    assert_eq!(line(&registry, 1).await, corrected);
    record(&registry, vec![amendment("r1", T2, T4, retract("e1"))]).await;
    assert_eq!(line(&registry, 1).await, settle(None, &row(1, sim(1)), at(CUT_1)));

    // A corrected number change frees the number that was wrong, and a withdrawn one both.
    record(&registry, vec![event("e2", T1, 2, Happening::NumberChanged { new_msisdn: number(50) })]).await;
    record(&registry, vec![amendment("c2", T1, T2, correct("e2", None, Some(number(51))))]).await;
    assert_eq!(state(&registry, 50).await.line, None);
    assert_eq!(line(&registry, 51).await.sim, sim(2).into());
    record(&registry, vec![amendment("r2", T1, T3, retract("e2"))]).await;
    assert_eq!(state(&registry, 51).await.line, None);
    assert_eq!(line(&registry, 2).await, settle(None, &row(2, sim(2)), at(CUT_1)));
    let status = ok(registry.status().await);
    assert_eq!((status.lines, status.waiting, status.rejects), (2, 0, 0));
    assert_eq!(ok(registry.history(number(2)).await).len(), 3);
}

/// Amendments of amendments, of other numbers, and of what the snapshot already contains.
pub async fn amendments_that_cannot_be(place: &impl RegistryPlace) {
    let registry = place.open();
    load(&registry, CUT_1, vec![row(1, sim(1)), row(2, sim(2))]).await;
    let retract = |of: &str| Happening::Retraction { of: text(of) };
    record(&registry, vec![event("e1", T1, 1, Happening::SimReplaced(sim(9)))]).await;
    record(&registry, vec![event("e0", "2026-11-19T00:00:00Z", 1, Happening::SimReplaced(sim(8)))]).await;
    record(
        &registry,
        vec![amendment("c1", T2, T2, Happening::Correction { of: text("e1"), imsi: None, new_msisdn: None })],
    )
    .await;
    let results = record(
        &registry,
        vec![
            amendment("r1", T3, T3, retract("c1")),
            event("r2", T3, 2, retract("e1")),
            amendment("r3", T3, T3, retract("e0")),
        ],
    )
    .await;
    assert_eq!(
        results,
        [
            FeedResult::Refused(Refusal::AmendsAmendment),
            FeedResult::Refused(Refusal::OtherNumber),
            FeedResult::Refused(Refusal::BeforeCut),
        ]
    );
    assert_eq!(line(&registry, 1).await.last_swap, Some(swapped(T2, SwapCause::Replacement)));
    assert_eq!(ok(registry.status().await).rejects, 3);
    // The next snapshot was cut after the last of them came, and has settled it.
    load(&registry, NOW, vec![row(1, sim(1)), row(2, sim(2))]).await;
    let status = ok(registry.status().await);
    assert_eq!((status.waiting, status.rejects), (0, 0));
}

/// A swap that an event told of by mistake hides none that snapshots state, nor one that was inferred.
pub async fn a_withdrawn_swap_leaves_what_snapshots_state(place: &impl RegistryPlace) {
    const TOLD: &str = "2026-11-20T10:00:00Z";
    let registry = place.open();
    let stated = swapped("2026-10-20T00:00:00Z", SwapCause::Esim);
    let states = |n, imsi| SnapshotRow { last_swap: Some(Some(stated)), ..row(n, sim(imsi)) };
    load(&registry, CUT_1, vec![states(1, 1), states(2, 2), row(3, sim(3))]).await;
    let wrong = |n: u64| event(&format!("e{n}"), TOLD, n, Happening::PortedIn(sim(n)));
    record(&registry, vec![wrong(1), wrong(2), wrong(3)]).await;
    let inferred = swapped(CUT_2, SwapCause::Replacement);
    load(&registry, CUT_2, vec![states(1, 1), states(2, 52), row(3, sim(3))]).await;
    assert_eq!(line(&registry, 1).await.last_swap, Some(swapped(TOLD, SwapCause::PortIn)));
    let retract = |n: u64| amendment(&format!("r{n}"), T2, T2, Happening::Retraction { of: text(&format!("e{n}")) });
    record(&registry, vec![retract(1), retract(2), retract(3)]).await;
    let expected = [Some(stated), Some(inferred), None];
    for (n, expected) in (1..).zip(expected) {
        assert_eq!(line(&registry, n).await.last_swap, expected, "{n}");
    }
    load(&registry, CUT_3, vec![states(1, 1), states(2, 52), row(3, sim(3))]).await;
    for (n, expected) in (1..).zip(expected) {
        assert_eq!(line(&registry, n).await.last_swap, expected, "{n}, settled again");
    }
}

/// What a waiting amendment says about the line that it names, nobody knows before its event comes.
pub async fn an_amendment_that_waits_doubts_its_line(place: &impl RegistryPlace) {
    let registry = place.open();
    load(&registry, CUT_1, vec![row(1, sim(1)), row(2, sim(2))]).await;
    let correction = event("c", T3, 1, Happening::Correction { of: text("e"), imsi: None, new_msisdn: None });
    assert_eq!(record(&registry, vec![correction]).await, [FeedResult::Waits(Refusal::UnknownTarget)]);
    assert!(state(&registry, 1).await.source_rejected);
    assert_eq!(line(&registry, 2).await.last_swap, None);
    let told = event("e", T1, 1, Happening::SimReplaced(sim(9)));
    assert_eq!(record(&registry, vec![told]).await, [FeedResult::Accepted]);
    assert_eq!(line(&registry, 1).await.last_swap, Some(swapped(T3, SwapCause::Replacement)));
}

/// An event that is not newer than the cut is in the snapshot already.
pub async fn events_before_the_cut_do_nothing(place: &impl RegistryPlace) {
    let registry = place.open();
    load(&registry, CUT_2, vec![row(1, sim(1))]).await;
    let results = record(
        &registry,
        vec![
            event("e1", CUT_1, 1, Happening::SimReplaced(sim(9))),
            event("e2", CUT_2, 1, Happening::Terminated),
            event("e3", CUT_1, 7, Happening::Registered(sim(7))),
        ],
    )
    .await;
    assert_eq!(results, [FeedResult::Accepted, FeedResult::Accepted, FeedResult::Accepted]);
    assert_eq!(line(&registry, 1).await, settle(None, &row(1, sim(1)), at(CUT_2)));
    assert_eq!(state(&registry, 7).await, LineState::default());
}

/// Events after the cut are applied again on top: those known before the load began, and those that
/// arrived while it was under way.
pub async fn events_survive_the_next_snapshot(place: &impl RegistryPlace) {
    let registry = place.open();
    load(&registry, CUT_1, (1..=3).map(|n| row(n, sim(n))).collect()).await;
    record(&registry, vec![event("old", CUT_2, 3, Happening::Suspended)]).await;
    record(&registry, vec![event("e1", T1, 1, Happening::SimReplaced(sim(11)))]).await;
    record(&registry, vec![event("e0", T2, 50, Happening::SimReplaced(sim(51)))]).await;
    let mut next = ok(registry.begin_snapshot(plan(CUT_2)).await);
    ok(next.push((1..=3).map(|n| row(n, sim(n))).collect()).await);
    record(&registry, vec![event("e2", T2, 2, Happening::EsimIssued(sim(12)))]).await;
    assert_eq!(line(&registry, 2).await.sim, sim(12).into(), "events go on while a snapshot is loaded");
    let summary = ok(next.finish(&|_| {}).await);
    assert_eq!(summary.events_reapplied, 2);
    assert_eq!(line(&registry, 1).await.last_swap, Some(swapped(T1, SwapCause::Replacement)));
    assert_eq!(line(&registry, 2).await.last_swap, Some(swapped(T2, SwapCause::Esim)));
    assert_eq!(line(&registry, 3).await.status, LineStatus::Active);
    assert_eq!(ok(registry.status().await).waiting, 1);
    record(&registry, vec![event("e3", T1, 50, Happening::Registered(sim(50)))]).await;
    assert_eq!(line(&registry, 50).await.sim, sim(51).into());
    assert_eq!(ok(registry.status().await).events, 5);
}

/// A SIM that an event after the cut brought is not what the snapshot should have known: comparing
/// with it would invent a swap at the cut.
pub async fn a_snapshot_is_compared_with_the_lines_of_its_cut(place: &impl RegistryPlace) {
    let registry = place.open();
    load(&registry, CUT_1, vec![row(1, sim(1)), row(2, sim(2))]).await;
    record(&registry, vec![event("e1", T1, 1, Happening::SimReplaced(sim(9)))]).await;
    record(&registry, vec![event("e2", "2026-11-20T10:00:00Z", 2, Happening::EsimIssued(sim(8)))]).await;
    let mute = |n: u64, s| SnapshotRow { last_swap: None, ..row(n, sim(s)) };
    let without_swaps = SnapshotPlan { has_swaps: false, ..plan(CUT_2) };
    ok(try_load(&registry, without_swaps, vec![mute(1, 1), mute(2, 8)], &[]).await);
    assert_eq!(line(&registry, 1).await.last_swap, Some(swapped(T1, SwapCause::Replacement)));
    let wrong = amendment("r1", T1, T2, Happening::Retraction { of: text("e1") });
    assert_eq!(record(&registry, vec![wrong]).await, [FeedResult::Accepted]);
    assert_eq!(line(&registry, 1).await.last_swap, None);
    assert_eq!(line(&registry, 2).await.last_swap, Some(swapped("2026-11-20T10:00:00Z", SwapCause::Esim)));
}

/// A correction that moves an event of after the cut to before it is no doubt about the lines of the cut: the SIM that
/// a line has already would count as a swap. One that names another number is.
pub async fn a_correction_across_the_cut_invents_no_swap(place: &impl RegistryPlace) {
    const MOVED: &str = "2026-11-20T10:00:00Z";
    const SAME: &str = "2026-11-20T11:00:00Z";
    let registry = place.open();
    load(&registry, CUT_1, vec![row(1, sim(1)), row(2, sim(2))]).await;
    for n in [1, 2] {
        let correction = Happening::Correction { of: text(&format!("e{n}")), imsi: None, new_msisdn: None };
        let events = vec![
            event(&format!("e{n}"), T1, 1, Happening::DeviceChanged),
            event(&format!("c{n}"), MOVED, n, correction),
            event(&format!("s{n}"), SAME, n, Happening::SimReplaced(sim(n))),
        ];
        record(&registry, events).await;
    }
    let expected = [None, Some(swapped(SAME, SwapCause::Replacement))];
    for (n, expected) in (1..).zip(expected) {
        assert_eq!(line(&registry, n).await.last_swap, expected, "{n}");
    }
    load(&registry, CUT_2, vec![row(1, sim(1)), row(2, sim(2))]).await;
    for (n, expected) in (1..).zip(expected) {
        assert_eq!(line(&registry, n).await.last_swap, expected, "{n}, settled");
    }
}

/// Random lives of few lines, in random order and batches: the lines are those that the rules derive
/// from everything at once.
pub async fn any_feed_ends_as_the_rules_say(place: &impl RegistryPlace) {
    const LINES: u64 = 6;
    const EVENTS: usize = 400;
    let registry = place.open();
    let rows: Vec<_> = (0..LINES / 2).map(|n| row(n, sim(n))).collect();
    load(&registry, CUT_1, rows.clone()).await;
    let mut random = fastrand::Rng::with_seed(7);
    let mut events: Vec<Event> = (0..EVENTS).map(|id| random_event(&mut random, id, LINES)).collect();
    let lines = rows.iter().map(|row| (row.msisdn, Some(settle(None, row, at(CUT_1)))));
    let bases: BTreeMap<_, _> = lines.map(|(n, line)| (n, LineState { line, source_rejected: false })).collect();
    let derived = derive(at(CUT_1), bases, &events, &[]);

    random.shuffle(&mut events);
    while !events.is_empty() {
        let batch = events.split_off(events.len().saturating_sub(random.usize(1..20)));
        record(&registry, batch).await;
    }
    for n in 0..LINES {
        let expected = derived.lines.get(&number(n)).cloned().unwrap_or_default();
        assert_eq!(state(&registry, n).await, expected, "line {n}");
    }
}

fn random_event(random: &mut fastrand::Rng, id: usize, lines: u64) -> Event {
    let n = random.u64(0..lines);
    let imsi = sim(random.u64(0..50));
    let of = text(&format!("e{}", random.usize(0..id.max(1))));
    let happening = match random.u8(0..13) {
        0 => Happening::Registered(imsi),
        1 | 2 => Happening::SimReplaced(imsi),
        3 => Happening::EsimIssued(imsi),
        4 => Happening::PortedIn(imsi),
        5 => Happening::DeviceChanged,
        6 => Happening::Suspended,
        7 => Happening::Resumed,
        8 => Happening::PortedOut,
        9 => Happening::Terminated,
        10 => Happening::Recycled(imsi),
        11 => Happening::NumberChanged { new_msisdn: number(random.u64(0..lines)) },
        _ if random.bool() => Happening::Correction { of, imsi: random.bool().then_some(imsi), new_msisdn: None },
        _ => Happening::Retraction { of },
    };
    let amends = happening.amends().is_some();
    let when: Timestamp = at(CUT_1) + SignedDuration::from_secs(random.i64(-600..86_400));
    let event = event(&format!("e{id}"), CUT_1, n, happening);
    Event { at: when, recorded: when, msisdn: event.msisdn.filter(|_| !amends), ..event }
}
