use laini_core::line::{Event, EventKey, EventKind, FeedLine, Happening, LineState, Refusal};
use laini_core::store::{FeedItem, FeedResult, RegistryFeed as _};

use super::RegistryPlace;
use super::story::{
    CUT_1, CUT_2, amendment, at, event, line, load, number, ok, record, record_items, row, sim, state, text,
};

const FIRST: &str = "2026-11-20T10:00:00Z";
const SWAPPED: &str = "2026-11-20T11:00:00Z";
const GIVEN_UP: &str = "2026-11-20T12:00:00Z";
const SECOND: &str = "2026-11-21T12:00:00Z";
/// Just before the second holding.
const UNTIL: &str = "2026-11-21T11:59:59.999999Z";

fn erasure(id: &str, n: u64, until: &str) -> Event {
    let event = event(id, until, n, Happening::Erased);
    Event { key: EventKey { source: text("laini"), ..event.key }, ..event }
}

/// A number that one held, whose SIM was replaced, and whom another one followed.
fn two_holdings(n: u64, second: Happening) -> Vec<Event> {
    let id = |what: &str| format!("{what}{n}");
    vec![
        event(&id("registered"), FIRST, n, Happening::Registered(sim(1))),
        event(&id("replaced"), SWAPPED, n, Happening::SimReplaced(sim(2))),
        amendment(
            &id("corrected"),
            SWAPPED,
            SECOND,
            Happening::Correction { of: text(&id("replaced")), imsi: Some(sim(3)), new_msisdn: None },
        ),
        event(&id("given-up"), GIVEN_UP, n, Happening::Terminated),
        event(&id("second"), SECOND, n, second),
        event(&id("suspended"), "2026-11-21T13:00:00Z", n, Happening::Suspended),
    ]
}

/// A line less what is kept for the case that its newest swap is withdrawn: that goes with the earlier holding.
fn answered(mut state: LineState) -> LineState {
    if let Some(line) = &mut state.line {
        line.swap_before = None;
    }
    state
}

/// What was known of an earlier holding goes, and comes back by no feed; the line is derived as it was, also by
/// the next snapshot.
pub async fn an_earlier_holding_is_erased_and_the_present_one_is_answered_as_before(place: &impl RegistryPlace) {
    let registry = place.open();
    let holders = [Happening::Registered(sim(9)), Happening::Recycled(sim(9)), Happening::PortedIn(sim(9))];
    load(&registry, CUT_1, vec![row(0, sim(50))]).await;
    for (n, second) in (1..).zip(holders) {
        let told = two_holdings(n, second);
        record(&registry, told.clone()).await;
        let unread = |place: &str, when: &str| FeedItem::Refused {
            place: format!("{place} {n}"),
            msisdn: Some(number(n)),
            new_msisdn: None,
            at: Some(at(when)),
            reason: "imsi is missing".to_owned(),
            line: Some(FeedLine(format!("{place} {n}").into_bytes())),
        };
        record_items(&registry, vec![unread("line 17", SWAPPED)]).await;
        let before = answered(state(&registry, n).await);
        assert!(before.line.is_some() && !before.source_rejected, "{n}: {before:?}");

        let erased = record(&registry, vec![erasure(&format!("erase{n}"), n, UNTIL)]).await;
        assert_eq!(erased, [FeedResult::Accepted]);
        assert_eq!(answered(state(&registry, n).await), before, "{n}");
        let kinds: Vec<EventKind> =
            ok(registry.history(number(n)).await).iter().map(|event| event.happening.kind()).collect();
        let second = told[4].happening.kind();
        assert_eq!(kinds, [EventKind::Erased, second, EventKind::Suspended], "{n}");
        assert_eq!(ok(registry.kept_lines(None, 100).await), []);

        // The feed is sent again: what is of that time is not taken, the rest is known.
        let again = record(&registry, told).await;
        let (gone, known) = (FeedResult::Refused(Refusal::Erased), FeedResult::Repeated);
        // An amendment that names no number cannot be told; it waits in vain.
        let waits = FeedResult::Waits(Refusal::UnknownTarget);
        let expected = [&gone, &gone, &waits, &gone, &known, &known];
        assert_eq!(again.iter().collect::<Vec<_>>(), expected, "{n}");
        record_items(&registry, vec![unread("line 17", SWAPPED)]).await;
        assert_eq!(ok(registry.kept_lines(None, 100).await), []);
        assert_eq!(record(&registry, vec![erasure(&format!("erase{n}"), n, UNTIL)]).await, [known], "{n}");
        assert_eq!(record(&registry, vec![erasure(&format!("more{n}"), n, UNTIL)]).await, [gone], "{n}");
        // What comes later is derived upon it.
        let resumed = event(&format!("resumed{n}"), "2026-11-21T14:00:00Z", n, Happening::Resumed);
        assert_eq!(record(&registry, vec![resumed]).await, [FeedResult::Accepted]);
        let now = line(&registry, n).await;
        assert_eq!((now.last_swap, now.registered), (before.line.and_then(|line| line.last_swap), at(SECOND)), "{n}");
    }
    let before = [line(&registry, 1).await, line(&registry, 2).await, line(&registry, 3).await];
    load(&registry, CUT_2, [0, 60, 61, 62].map(|n| row(n, sim(50 + n))).to_vec()).await;
    for (n, before) in (1..).zip(before) {
        assert_eq!(line(&registry, n).await, before, "{n}");
    }
    // Where the second holding never was, nobody knows who holds it: not the one who is erased, and not nobody.
    let withdrawn = amendment("withdrawn", SECOND, SECOND, Happening::Retraction { of: text("second1") });
    record(&registry, vec![withdrawn]).await;
    assert_eq!(state(&registry, 1).await, LineState { line: None, source_rejected: true });
}

/// A refused row that names two numbers goes with either: the other one stays in doubt, and what the row says is
/// kept no more.
pub async fn what_a_refused_row_says_goes_with_either_number(place: &impl RegistryPlace) {
    let registry = place.open();
    load(&registry, CUT_1, vec![row(0, sim(50))]).await;
    record(&registry, two_holdings(1, Happening::Registered(sim(9)))).await;
    let moved = || FeedItem::Refused {
        place: "line 17".to_owned(),
        msisdn: Some(number(1)),
        new_msisdn: Some(number(5)),
        at: Some(at(SWAPPED)),
        reason: "id is missing".to_owned(),
        line: Some(FeedLine(b"both numbers".to_vec())),
    };
    record_items(&registry, vec![moved()]).await;
    assert_eq!(ok(registry.kept_lines(None, 100).await).len(), 2);
    assert_eq!(record(&registry, vec![erasure("erase", 1, UNTIL)]).await, [FeedResult::Accepted]);
    for again in [false, true] {
        if again {
            assert_eq!(record_items(&registry, vec![moved()]).await, [FeedResult::Unreadable]);
        }
        assert_eq!(ok(registry.kept_lines(None, 100).await), []);
        assert_eq!(ok(registry.status().await).rejects, 1);
        assert!(state(&registry, 5).await.source_rejected);
        assert_eq!(line(&registry, 1).await.registered, at(SECOND));
    }
}

/// A holder who took the line to another number, what was never told, and a beginning that was corrected.
pub async fn what_another_line_stands_on_is_not_erased(place: &impl RegistryPlace) {
    let registry = place.open();
    load(&registry, CUT_1, vec![row(0, sim(50))]).await;
    let moved = vec![
        event("e1", FIRST, 1, Happening::Registered(sim(1))),
        event("e2", SWAPPED, 1, Happening::NumberChanged { new_msisdn: number(2) }),
        event("e3", SECOND, 1, Happening::Recycled(sim(3))),
        // Said to have begun too early at first.
        event("e4", FIRST, 4, Happening::Registered(sim(4))),
        amendment("c4", SECOND, SECOND, Happening::Correction { of: text("e4"), imsi: None, new_msisdn: None }),
    ];
    record(&registry, moved).await;
    let before = [state(&registry, 1).await, state(&registry, 2).await, state(&registry, 4).await];
    let erasures = [
        (1, FeedResult::Refused(Refusal::LinkedLine)),
        (2, FeedResult::Refused(Refusal::LinkedLine)),
        (4, FeedResult::Repeated),
        (0, FeedResult::Repeated),
    ];
    for (n, expected) in erasures {
        assert_eq!(record(&registry, vec![erasure(&format!("erase{n}"), n, UNTIL)]).await, [expected], "{n}");
    }
    assert_eq!([state(&registry, 1).await, state(&registry, 2).await, state(&registry, 4).await], before);
    assert_eq!(ok(registry.history(number(1)).await).len(), 3);
}
