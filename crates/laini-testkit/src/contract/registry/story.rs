use std::fmt::Debug;

use jiff::Timestamp;
use laini_core::line::{Event, EventKey, EventText, Happening, Imsi, Line, LineState, LineStatus, Msisdn, SnapshotRow};
use laini_core::store::{
    FeedError, FeedItem, FeedResult, RefusedLine, Registry, RegistryFeed, SnapshotPlan, SnapshotSummary,
};

/// When everything is loaded and recorded.
pub(super) const NOW: &str = "2026-11-22T09:00:00Z";
/// The cut of a first snapshot.
pub(super) const CUT_1: &str = "2026-11-20T01:00:00Z";
/// The cut of a second one.
pub(super) const CUT_2: &str = "2026-11-21T01:00:00Z";
/// The cut of a third one.
pub(super) const CUT_3: &str = "2026-11-22T01:00:00Z";
/// When rows were registered, unless they say otherwise.
pub(super) const LONG_AGO: &str = "2015-06-01T08:30:00Z";

pub(super) fn at(text: &str) -> Timestamp {
    text.parse().expect("an instant")
}

/// The number 254722000000 and those after it.
pub(super) fn number(n: u64) -> Msisdn {
    Msisdn::from_stored(254_722_000_000 + n).expect("a number")
}

/// One of many SIMs.
pub(super) fn sim(n: u64) -> Imsi {
    Imsi::from_stored(639_020_000_000_000 + n).expect("an IMSI")
}

pub(super) fn text(text: &str) -> EventText {
    EventText::parse(text).expect("a name")
}

/// A row of an extract with a swap column: registered long ago, never swapped.
pub(super) fn row(n: u64, imsi: Imsi) -> SnapshotRow {
    SnapshotRow {
        msisdn: number(n),
        imsi,
        registered: at(LONG_AGO),
        last_swap: Some(None),
        status: LineStatus::Active,
        contract: None,
        holder_since: None,
        hashed_imsi: None,
    }
}

/// An event of the default feed.
pub(super) fn event(id: &str, when: &str, n: u64, happening: Happening) -> Event {
    Event {
        key: EventKey { id: text(id), source: EventText::default_source() },
        at: at(when),
        recorded: at(when),
        msisdn: Some(number(n)),
        happening,
    }
}

/// A correction or retraction, recorded at `recorded`, that leaves the number out.
pub(super) fn amendment(id: &str, when: &str, recorded: &str, happening: Happening) -> Event {
    Event { recorded: at(recorded), msisdn: None, ..event(id, when, 0, happening) }
}

pub(super) fn plan(cut: &str) -> SnapshotPlan {
    SnapshotPlan { cut: Some(at(cut)), history_since: None, has_swaps: true, allow_shrink: false, now: at(NOW) }
}

/// Loads rows and refused numbers as one snapshot.
pub(super) async fn try_load(
    registry: &impl RegistryFeed,
    plan: SnapshotPlan,
    rows: Vec<SnapshotRow>,
    refused: &[u64],
) -> Result<SnapshotSummary, FeedError> {
    let mut load = registry.begin_snapshot(plan).await?;
    load.push(rows).await?;
    load.refuse(refused.iter().map(|n| RefusedLine { msisdn: Some(number(*n)) }).collect()).await?;
    load.finish(&|_| {}).await
}

pub(super) async fn load(registry: &impl RegistryFeed, cut: &str, rows: Vec<SnapshotRow>) -> SnapshotSummary {
    ok(try_load(registry, plan(cut), rows, &[]).await)
}

/// Records events that arrive now, in one batch.
pub(super) async fn record(registry: &impl RegistryFeed, events: Vec<Event>) -> Vec<FeedResult> {
    record_items(registry, events.into_iter().map(FeedItem::Event).collect()).await
}

pub(super) async fn record_items(registry: &impl RegistryFeed, items: Vec<FeedItem>) -> Vec<FeedResult> {
    ok(registry.record(items, at(NOW)).await)
}

pub(super) async fn state(registry: &impl Registry, n: u64) -> LineState {
    ok(registry.look_up(number(n)).await).state
}

/// A line that is known and that the feed can be believed about.
pub(super) async fn line(registry: &impl Registry, n: u64) -> Line {
    let state = state(registry, n).await;
    assert!(!state.source_rejected, "the feed was refused about this line");
    state.line.expect("a line")
}

pub(super) fn ok<T, E: Debug>(result: Result<T, E>) -> T {
    result.expect("the registry works")
}
