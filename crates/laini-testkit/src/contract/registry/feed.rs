use std::time::{Duration, Instant};

use jiff::Timestamp;
use laini_core::line::{Event, EventKey, EventText, FeedLine, Happening, LineState, Msisdn, Refusal, Sim};
use laini_core::store::{
    FeedItem, FeedResult, FeedStatus, RecordedEvent, RecordedPage, RecordedQuery, Registry, RegistryError,
    RegistryFeed, RejectCursor, RejectId,
};

use super::RegistryPlace;
use super::story::{CUT_1, CUT_2, NOW, at, event, line, load, number, ok, record, record_items, row, sim, state, text};

const T1: &str = "2026-11-21T10:00:00Z";
const T2: &str = "2026-11-21T11:00:00Z";
const T3: &str = "2026-11-21T12:00:00Z";

fn heartbeat(source: &str, until: &str) -> FeedItem {
    FeedItem::Heartbeat { source: text(source), until: at(until) }
}

pub(super) fn refused(place: &str, msisdn: Option<Msisdn>, when: Option<&str>) -> FeedItem {
    FeedItem::Refused {
        place: place.to_owned(),
        msisdn,
        new_msisdn: None,
        at: when.map(at),
        reason: "an IMSI has exactly 15 digits".to_owned(),
        line: Some(FeedLine(place.as_bytes().to_vec())),
    }
}

/// The oldest of what each required feed is complete to; the cut where a feed has not said more.
pub async fn heartbeats_move_the_as_of(place: &impl RegistryPlace) {
    let registry = place.open();
    let both = place.open_requiring(vec![EventText::default_source(), text("hlr-2")]);
    let complete = async |registry: &dyn RegistryFeed, expected| {
        assert_eq!(ok(registry.status().await).as_of, Some(at(expected)));
    };
    assert_eq!(record_items(&registry, vec![heartbeat("default", T1)]).await, [FeedResult::Accepted]);
    assert!(matches!(registry.look_up(number(1)).await, Err(RegistryError::Empty)), "a heartbeat is no line");
    load(&registry, CUT_2, vec![row(1, sim(1))]).await;
    complete(&registry, T1).await;
    complete(&both, CUT_2).await;
    record_items(&registry, vec![heartbeat("hlr-2", CUT_1)]).await;
    complete(&both, CUT_2).await;
    record_items(&registry, vec![heartbeat("hlr-2", T2), heartbeat("default", CUT_1)]).await;
    complete(&registry, T1).await;
    complete(&both, T1).await;
    record_items(&both, vec![heartbeat("default", T3)]).await;
    complete(&registry, T3).await;
    complete(&both, T2).await;
    assert_eq!(ok(registry.look_up(number(1)).await).horizon.as_of, Some(at(T3)));
    // An event's own date says nothing about what else is under way.
    record(&registry, vec![event("e1", NOW, 1, Happening::DeviceChanged)]).await;
    complete(&registry, T3).await;
    let feed = |source: &str, until| FeedStatus { source: text(source), complete_until: at(until) };
    assert_eq!(ok(registry.status().await).feeds, [feed("default", T3), feed("hlr-2", T2)]);
}

/// Which feeds count can be changed while look-ups go on.
pub async fn other_feeds_can_be_required(place: &impl RegistryPlace) {
    let registry = place.open();
    load(&registry, CUT_1, vec![row(1, sim(1))]).await;
    record_items(&registry, vec![heartbeat("default", T1), heartbeat("hlr-2", T2)]).await;
    for (feeds, expected) in [(vec!["hlr-2"], T2), (vec!["hlr-2", "default"], T1), (vec!["hlr-3"], CUT_1)] {
        registry.require(feeds.iter().map(|feed| text(feed)).collect());
        let status = ok(registry.status().await);
        assert_eq!(status.as_of, Some(at(expected)), "{feeds:?}");
        assert_eq!(status.required_feeds, feeds.iter().map(|feed| text(feed)).collect::<Vec<_>>());
        assert_eq!(ok(registry.look_up(number(1)).await).horizon.as_of, Some(at(expected)));
    }
}

/// A row that could not be read makes its line unknown until something newer and good comes.
pub async fn refused_items_make_a_line_unknown(place: &impl RegistryPlace) {
    let registry = place.open();
    load(&registry, CUT_1, vec![row(1, sim(1)), row(2, sim(2))]).await;
    let items = vec![
        refused("line 1", Some(number(1)), Some(T2)),
        refused("line 2", Some(number(7)), None),
        refused("line 3", None, None),
        refused("line 4", Some(number(2)), Some("2026-11-19T00:00:00Z")),
    ];
    assert_eq!(record_items(&registry, items.clone()).await, vec![FeedResult::Unreadable; 4]);
    let known = state(&registry, 1).await;
    assert!(known.source_rejected && known.line.is_some_and(|line| line.sim == sim(1).into()));
    assert_eq!(state(&registry, 7).await, LineState { line: None, source_rejected: true });
    assert_eq!(line(&registry, 2).await.sim, sim(2).into(), "the snapshot is newer");
    record(&registry, vec![event("e1", T1, 1, Happening::SimReplaced(sim(8)))]).await;
    assert!(state(&registry, 1).await.source_rejected, "an older event does not clear it");
    record(&registry, vec![event("e2", T3, 1, Happening::DeviceChanged)]).await;
    assert!(state(&registry, 1).await.source_rejected, "nor does one that says nothing about the SIM");
    record(&registry, vec![event("e3", T3, 1, Happening::EsimIssued(sim(9)))]).await;
    assert_eq!(line(&registry, 1).await.sim, sim(9).into());
    // On a line that only a refused row spoke of, nothing can be built but a new holding.
    let standing = event("e4", "2026-11-22T09:01:00Z", 7, Happening::SimReplaced(sim(7)));
    assert_eq!(record(&registry, vec![standing]).await, [FeedResult::Waits(Refusal::RowRefused)]);
    load(&registry, NOW, vec![row(1, sim(9)), row(2, sim(2)), row(7, sim(7))]).await;
    assert_eq!(line(&registry, 7).await.sim, sim(7).into());
    assert_eq!(ok(registry.status().await).rejects, 0, "the snapshot has settled them");
}

/// A refused number change doubts both numbers: each by itself, until what it says can be read.
pub async fn a_refused_item_names_two_numbers(place: &impl RegistryPlace) {
    let registry = place.open();
    load(&registry, CUT_1, vec![row(1, sim(1))]).await;
    let unread = |place: &str, msisdn: Option<u64>, new_msisdn, line: Option<&str>| FeedItem::Refused {
        place: place.to_owned(),
        msisdn: msisdn.map(number),
        new_msisdn: Some(number(new_msisdn)),
        at: Some(at(T1)),
        reason: "is not a JSON object whose fields are texts".to_owned(),
        line: line.map(|line| FeedLine(line.as_bytes().to_vec())),
    };
    let moved = || unread("line 1", Some(1), 5, Some("moved"));
    let nameless = || unread("line 2", None, 6, Some("nameless"));
    let same = || unread("line 3", Some(7), 7, None);
    for _ in 0..2 {
        record_items(&registry, vec![moved(), nameless(), same()]).await;
        for n in [1, 5, 6, 7] {
            assert!(state(&registry, n).await.source_rejected, "{n}");
        }
        assert_eq!(ok(registry.status().await).rejects, 4, "the same again is the same");
    }
    let kept = ok(registry.kept_lines(None, 10).await);
    let places: Vec<&str> = kept.iter().map(|kept| kept.place.as_str()).collect();
    assert_eq!(places, ["line 1", "line 1 (new_msisdn)", "line 2 (new_msisdn)"]);
    // Each is settled by itself; what it says is the same.
    let change = event("e1", T1, 1, Happening::NumberChanged { new_msisdn: number(5) });
    let settle = async |kept, event: &Event| ok(registry.settle(kept, FeedItem::Event(event.clone()), at(NOW)).await);
    assert_eq!(settle(kept[0].id, &change).await, Some(FeedResult::Accepted));
    assert_eq!(settle(kept[1].id, &change).await, Some(FeedResult::Repeated));
    assert_eq!(line(&registry, 5).await.sim, sim(1).into());
    assert!(!line(&registry, 1).await.status.is_served());
    assert!(state(&registry, 6).await.source_rejected);

    // An event that cannot be taken names two as well.
    let other = event("e1", T2, 1, Happening::NumberChanged { new_msisdn: number(8) });
    assert_eq!(record(&registry, vec![other]).await, [FeedResult::Conflict]);
    assert!(state(&registry, 1).await.source_rejected && state(&registry, 8).await.source_rejected);
}

/// What feeds told, in the reverse order of arrival, page by page, of all of them or of one; applied or not, and never
/// an erasure.
pub async fn recorded_events_are_listed_newest_first(place: &impl RegistryPlace) {
    let registry = place.open();
    let query = |source: Option<&str>, before, limit| RecordedQuery { source: source.map(text), before, limit };
    let nothing = ok(registry.recorded(query(None, None, 10)).await);
    assert_eq!((nothing.events.len(), nothing.next), (0, None));
    load(&registry, CUT_1, vec![row(1, sim(1))]).await;
    let of = |source: &str, event: Event| Event { key: EventKey { source: text(source), ..event.key }, ..event };
    // The second happened before the first; the third waits; the fourth cannot be applied.
    let told = [
        event("e1", T2, 1, Happening::SimReplaced(sim(2))),
        of("roaming", event("e1", T1, 1, Happening::DeviceChanged)),
        event("e2", T1, 9, Happening::Resumed),
        of("roaming", event("e3", T1, 1, Happening::Registered(sim(5)))),
        event("e4", T3, 1, Happening::NumberChanged { new_msisdn: number(2) }),
    ];
    for (minute, event) in (0..).zip(&told) {
        let now = at(&format!("2026-11-22T09:{minute:02}:00Z"));
        ok(registry.record(vec![FeedItem::Event(event.clone())], now).await);
    }
    record_items(&registry, vec![heartbeat("default", T3), refused("line 17", Some(number(4)), Some(T1))]).await;
    record(&registry, vec![of("laini", event("gone", "2026-11-01T00:00:00Z", 3, Happening::Erased))]).await;

    let all = ok(registry.recorded(query(None, None, 10)).await);
    assert_eq!(all.next, None);
    let events: Vec<Event> = all.events.iter().map(|one| one.event.clone()).collect();
    assert_eq!(events, told.iter().rev().cloned().collect::<Vec<_>>());
    for (n, one) in (0..).zip(&all.events) {
        assert_eq!(one.received, at(&format!("2026-11-22T09:{:02}:00Z", 4 - n)));
    }
    let (mut before, mut paged) = (None, Vec::new());
    for _ in 0..3 {
        let page = ok(registry.recorded(query(None, before, 2)).await);
        paged.extend(page.events);
        before = page.next;
    }
    assert_eq!((paged, before), (all.events.clone(), None), "page by page");
    let of_one: Vec<_> = all.events.into_iter().filter(|one| one.event.key.source == text("roaming")).collect();
    assert_eq!(ok(registry.recorded(query(Some("roaming"), None, 10)).await).events, of_one);
    assert_eq!(ok(registry.recorded(query(Some("roaming"), Some(of_one[0].place), 10)).await).events, of_one[1..]);
    assert_eq!(ok(registry.recorded(query(Some("nobody"), None, 10)).await), RecordedPage::default());
    assert_eq!(ok(registry.recorded(query(None, Some(0), 10)).await), RecordedPage::default());
    assert_eq!(ok(registry.recorded(query(None, Some(u64::MAX), 1)).await).events, paged_first(&registry).await);
}

async fn paged_first(registry: &impl RegistryFeed) -> Vec<RecordedEvent> {
    ok(registry.recorded(RecordedQuery { source: None, before: None, limit: 1 }).await).events
}

/// What could not be read or applied, newest first, with its place and reason, and nothing personal.
pub async fn rejects_are_listed_newest_first(place: &impl RegistryPlace) {
    let registry = place.open();
    load(&registry, CUT_1, vec![row(1, sim(1))]).await;
    let minutes = |minute: u8| at(&format!("2026-11-22T09:{minute:02}:00Z"));
    let on_a_live_line = event("e1", T1, 1, Happening::Registered(sim(5)));
    let same_id = Event { at: at(T2), ..on_a_live_line.clone() };
    let items = [
        FeedItem::Event(on_a_live_line),
        refused("line 17", Some(number(4)), Some(T1)),
        FeedItem::Event(same_id),
        FeedItem::Event(event("e2", T1, 9, Happening::Resumed)),
    ];
    for (minute, item) in (0..).zip(items) {
        ok(registry.record(vec![item], minutes(minute)).await);
    }
    let all = ok(registry.rejects(RejectCursor::START, 10).await);
    assert_eq!(all.next, None);
    let rejects = all.rejects;
    let expected = [
        ("event e2", "the number is not known; it waits for a registration, a port-in or a recycling", true),
        ("event e1", "another event has this id", false),
        ("line 17", "an IMSI has exactly 15 digits", false),
        ("event e1", "the number is in service already; a new holder comes as `recycled`", false),
    ];
    assert_eq!(rejects.len(), expected.len());
    for (n, (reject, (place, reason, waits))) in (0..).zip(rejects.iter().zip(expected)) {
        assert_eq!((reject.place.as_str(), reject.reason.as_str(), reject.waits), (place, reason, waits));
        assert_eq!(reject.received, minutes(3 - n));
    }
    let (mut cursor, mut paged) = (RejectCursor::START, Vec::new());
    for _ in 0..4 {
        let page = ok(registry.rejects(cursor, 1).await);
        paged.extend(page.rejects);
        cursor = page.next.unwrap_or(cursor);
    }
    assert_eq!(paged, rejects, "page by page");
    assert_eq!(ok(registry.rejects(cursor, 1).await).rejects, rejects[3..], "what was there last is there again");
    let status = ok(registry.status().await);
    assert_eq!((status.rejects, status.waiting), (3, 1));
    // The same refused row delivered again is the same.
    record_items(&registry, vec![refused("line 17", Some(number(4)), Some(T1))]).await;
    assert_eq!(ok(registry.status().await).rejects, 3);
}

/// A line that could not be read is kept as it came, and gives way to what it says once it can be read.
pub async fn a_kept_line_is_settled(place: &impl RegistryPlace) {
    let registry = place.open();
    load(&registry, CUT_1, vec![row(1, sim(1)), row(2, sim(2))]).await;
    let items =
        vec![refused("a", Some(number(1)), Some(T2)), refused("b", None, None), refused("c", Some(number(2)), None)];
    record_items(&registry, items).await;
    let kept = ok(registry.kept_lines(None, 10).await);
    assert_eq!(kept.iter().map(|kept| kept.line.0.as_slice()).collect::<Vec<_>>(), [b"a", b"b", b"c"]);
    let [a, b, c] = [0, 1, 2].map(|at: usize| kept[at].id);
    assert_eq!(ok(registry.kept_lines(Some(a), 1).await), kept[1..2]);
    let listed = ok(registry.rejects(RejectCursor::START, 10).await).rejects;
    assert_eq!(listed.iter().filter_map(|reject| reject.line).max(), Some(c));

    let settle = async |kept, item| ok(registry.settle(kept, item, at(NOW)).await);
    let swapped = event("e1", T2, 1, Happening::SimReplaced(sim(8)));
    assert_eq!(settle(a, refused("a", None, None)).await, Some(FeedResult::Unreadable));
    assert!(state(&registry, 1).await.source_rejected, "nothing was changed");
    assert_eq!(settle(a, FeedItem::Event(swapped.clone())).await, Some(FeedResult::Accepted));
    assert_eq!(line(&registry, 1).await.sim, sim(8).into());
    assert_eq!(settle(a, FeedItem::Event(swapped.clone())).await, None, "it is settled");
    assert_eq!(settle(b, heartbeat("default", T3)).await, Some(FeedResult::Accepted));

    // What it says came by another way meanwhile, or is another thing than it said.
    let other = Event { at: at(T3), ..swapped.clone() };
    assert_eq!(settle(c, FeedItem::Event(other)).await, Some(FeedResult::Conflict));
    assert!(state(&registry, 2).await.source_rejected);
    assert_eq!(settle(c, FeedItem::Event(swapped)).await, Some(FeedResult::Repeated));
    assert_eq!(line(&registry, 2).await.sim, sim(2).into());
    assert_eq!(settle(RejectId(u64::MAX), heartbeat("default", T3)).await, None);
    assert_eq!(ok(registry.kept_lines(None, 10).await), []);
    let status = ok(registry.status().await);
    assert_eq!((status.rejects, status.events, status.as_of), (0, 1, Some(at(T3))));
}

/// Number changes link lines only so far: all of them are derived together.
pub async fn number_changes_link_a_bounded_group(place: &impl RegistryPlace) {
    const LINKED: u64 = 1_000;
    let registry = place.open();
    // Pairs first, then pairs of pairs: each step links groups of one size.
    let mut steps: Vec<u64> = (1..=LINKED).collect();
    steps.sort_by_key(|n| n.trailing_zeros());
    let change = |n: u64| event(&format!("c{n}"), NOW, n, Happening::NumberChanged { new_msisdn: number(n + 1) });
    let results = record(&registry, steps.into_iter().map(change).collect()).await;
    let refused = results.iter().filter(|result| **result == FeedResult::Unreadable).count();
    assert_eq!(refused, 1, "the link that would have made one line too many");
    let status = ok(registry.status().await);
    assert_eq!((status.events, status.rejects), (LINKED - 1, 2), "a reject about each of its numbers");
    let rejects = ok(registry.rejects(RejectCursor::START, 10_000).await).rejects;
    let reject = rejects.into_iter().find(|reject| reject.key.is_none()).expect("a reject");
    assert_eq!(reject.reason, "too many events or number changes about this line");
    let first = event("e", NOW, 1, Happening::Registered(sim(1)));
    assert_eq!(record(&registry, vec![first]).await, [FeedResult::Accepted]);
}

/// A line's history has an end: all of it is read whenever something new is said about the line.
pub async fn a_line_has_a_bounded_number_of_events(place: &impl RegistryPlace) {
    const EVENTS: usize = 10_000;
    let registry = place.open();
    let seen = |n| event(&format!("d{n}"), NOW, 1, Happening::DeviceChanged);
    record(&registry, (0..EVENTS).map(seen).collect()).await;
    assert_eq!(record(&registry, vec![seen(EVENTS)]).await, [FeedResult::Unreadable]);
    assert_eq!(record(&registry, vec![seen(0)]).await, [FeedResult::Repeated]);
    assert_eq!(ok(registry.status().await).events, EVENTS as u64);
}

/// Another process sees a first snapshot, events, heartbeats and a switch within a second.
pub async fn a_second_handle_follows(place: &impl RegistryPlace) {
    let (registry, reader) = (place.open(), place.open());
    load(&registry, CUT_1, vec![row(1, sim(1))]).await;
    let answers = |imsi, as_of: &str| {
        let expected = Some((sim(imsi).into(), Some(at(as_of))));
        move |found: Option<_>| found == expected
    };
    follow(&reader, answers(1, CUT_1)).await;
    record(&registry, vec![event("e1", T1, 1, Happening::SimReplaced(sim(2)))]).await;
    follow(&reader, answers(2, CUT_1)).await;
    record_items(&registry, vec![heartbeat("default", T1)]).await;
    follow(&reader, answers(2, T1)).await;
    load(&registry, T2, vec![row(1, sim(3))]).await;
    follow(&reader, answers(3, T2)).await;
    // The handle that followed writes on what it sees.
    record(&reader, vec![event("e2", T3, 1, Happening::EsimIssued(sim(4)))]).await;
    follow(&registry, answers(4, T2)).await;
    load(&reader, T3, vec![row(1, sim(5))]).await;
    follow(&registry, answers(5, T3)).await;
    record(&registry, vec![event("e3", NOW, 1, Happening::Terminated)]).await;
    assert_eq!(ok(reader.status().await).events, 3);
}

/// Asks about line 1 until the answer is the expected one.
async fn follow(reader: &impl Registry, expected: impl Fn(Option<(Sim, Option<Timestamp>)>) -> bool) {
    const LONGEST: Duration = Duration::from_secs(1);
    let asked = Instant::now();
    loop {
        let found = match reader.look_up(number(1)).await {
            Ok(found) => found.state.line.map(|line| (line.sim, found.horizon.as_of)),
            Err(RegistryError::Empty) => None,
            Err(error) => panic!("{error}"),
        };
        if expected(found) {
            return;
        }
        assert!(asked.elapsed() < LONGEST, "not seen within {LONGEST:?}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
