use jiff::Timestamp;
use laini_core::line::{
    ContractType, EventText, Happening, HashedImsi, LineState, LineStatus, SnapshotRow, Swap, SwapCause,
};
use laini_core::store::{
    FeedError, FeedItem, Registry as _, RegistryError, RegistryFeed as _, RegistryStatus, RejectCursor, SnapshotPlan,
};

use super::RegistryPlace;
use super::feed::refused;
use super::story::{
    CUT_1, CUT_2, CUT_3, LONG_AGO, NOW, at, event, line, load, number, ok, plan, record_items, row, sim, state,
    try_load,
};

/// Between the first cut and the second.
const TOLD: &str = "2026-11-20T12:00:00Z";
/// Between the second cut and the third.
const RETURNED: &str = "2026-11-21T12:00:00Z";

/// An empty registry says that it is empty, and nothing about any line.
pub async fn nothing_was_loaded(place: &impl RegistryPlace) {
    let registry = place.open();
    assert!(matches!(registry.look_up(number(1)).await, Err(RegistryError::Empty)));
    let required_feeds = vec![EventText::default_source()];
    assert_eq!(ok(registry.status().await), RegistryStatus { required_feeds, ..RegistryStatus::default() });
    assert_eq!(ok(registry.scan(None, 10).await), []);
    assert_eq!(ok(registry.history(number(1)).await), []);
    assert_eq!(ok(registry.rejects(RejectCursor::START, 10).await).rejects, []);
}

/// Every combination of what a row can say comes back, to the second; other numbers are never known.
pub async fn every_column_of_a_row_is_answered(place: &impl RegistryPlace) {
    let registry = place.open();
    let swapped = at("2026-10-01T07:08:09Z");
    let mut rows = Vec::new();
    for status in LineStatus::ALL {
        for contract in ContractType::ALL.map(Some).into_iter().chain([None]) {
            for swap in SwapCause::ALL.map(|cause| Some(Swap { at: swapped, cause })).into_iter().chain([None]) {
                for hashed in [None, Some("9233817055099406")] {
                    let n = rows.len() as u64;
                    rows.push(SnapshotRow {
                        status,
                        contract,
                        last_swap: Some(swap),
                        registered: at("1969-07-20T20:17:40Z"),
                        holder_since: n.is_multiple_of(3).then(|| at("2001-02-03T04:05:06Z")),
                        hashed_imsi: hashed.map(|text| HashedImsi::parse(text).expect("a hash")),
                        ..row(n, sim(n * 7))
                    });
                }
            }
        }
    }
    let summary = load(&registry, CUT_1, rows.clone()).await;
    assert_eq!((summary.lines, summary.lines_before, summary.cut), (rows.len() as u64, 0, at(CUT_1)));
    for expected in &rows {
        let found = ok(registry.look_up(expected.msisdn).await);
        assert_eq!(found.horizon.as_of, Some(at(CUT_1)));
        assert_eq!(
            found.state,
            LineState { line: Some(laini_core::line::settle(None, expected, at(CUT_1))), source_rejected: false }
        );
    }
    assert_eq!(state(&registry, rows.len() as u64).await, LineState::default());
    let status = ok(registry.status().await);
    assert_eq!((status.lines, status.cut, status.events), (rows.len() as u64, Some(at(CUT_1)), 0));
    assert_eq!(status.generation, summary.generation);
}

/// However the rows come, `scan` walks them in ascending order, page by page.
pub async fn rows_come_in_any_order_and_are_scanned_in_theirs(place: &impl RegistryPlace) {
    let registry = place.open();
    let mut rows: Vec<SnapshotRow> = (0..1_000).map(|n| row(n * 3, sim(n))).collect();
    fastrand::Rng::with_seed(7).shuffle(&mut rows);
    let mut load = ok(registry.begin_snapshot(plan(CUT_1)).await);
    for batch in rows.chunks(77) {
        ok(load.push(batch.to_vec()).await);
    }
    let written = std::sync::Mutex::new(0);
    ok(load.finish(&|lines| *written.lock().expect("no panic") = lines).await);
    assert_eq!(*written.lock().expect("no panic"), 1_000);

    let mut scanned = Vec::new();
    loop {
        let page = ok(registry.scan(scanned.last().map(|line: &(_, _)| line.0), 90).await);
        assert!(page.len() == 90 || scanned.len() + page.len() == 1_000);
        if page.is_empty() {
            break;
        }
        scanned.extend(page);
    }
    rows.sort_by_key(|row| row.msisdn);
    let numbers = |n: usize| (rows[n].msisdn, Some(rows[n].imsi.into()));
    for (n, (number, state)) in scanned.into_iter().enumerate() {
        assert_eq!((number, state.line.map(|line| line.sim)), numbers(n));
    }
}

/// The same row twice is one line; two different rows about one number make it unknown.
pub async fn a_number_stated_twice(place: &impl RegistryPlace) {
    let registry = place.open();
    let other_date = SnapshotRow { registered: at("2016-06-01T08:30:00Z"), ..row(3, sim(3)) };
    let rows = vec![row(1, sim(1)), row(2, sim(2)), row(1, sim(1)), row(3, sim(3)), row(1, sim(1)), other_date];
    let summary = load(&registry, CUT_1, rows).await;
    assert_eq!((summary.lines, summary.repeated, summary.contradicted), (2, 2, 1));
    assert_eq!(line(&registry, 1).await.sim, sim(1).into());
    assert_eq!(line(&registry, 2).await.sim, sim(2).into());
    assert_eq!(state(&registry, 3).await, LineState { line: None, source_rejected: true });

    let again = load(&registry, CUT_2, vec![row(1, sim(1)), row(2, sim(2)), row(3, sim(3))]).await;
    assert_eq!((again.lines, again.lines_before, again.contradicted), (3, 2, 0));
    assert_eq!(line(&registry, 3).await.sim, sim(3).into());
}

/// A line whose row was refused is unknown, never "not served", until a good row comes.
pub async fn a_refused_row_makes_a_line_unknown(place: &impl RegistryPlace) {
    let registry = place.open();
    let summary = ok(try_load(&registry, plan(CUT_1), vec![row(1, sim(1)), row(3, sim(3))], &[2, 3]).await);
    assert_eq!(summary.lines, 2);
    assert_eq!(line(&registry, 1).await.sim, sim(1).into());
    assert_eq!(state(&registry, 2).await, LineState { line: None, source_rejected: true });
    assert!(state(&registry, 3).await.source_rejected, "a good row beside a refused one decides nothing");
    load(&registry, CUT_2, vec![row(1, sim(1)), row(2, sim(2)), row(3, sim(3))]).await;
    assert_eq!(line(&registry, 2).await.sim, sim(2).into());
    assert_eq!(line(&registry, 3).await.last_swap, None);
}

/// A swap behind a refused row is seen by the snapshot after it: what was known is not forgotten.
pub async fn a_refused_row_keeps_what_was_known(place: &impl RegistryPlace) {
    let registry = place.open();
    load(&registry, CUT_1, vec![row(1, sim(1)), row(2, sim(2))]).await;
    ok(try_load(&registry, plan(CUT_2), vec![row(2, sim(2))], &[1]).await);
    assert!(state(&registry, 1).await.source_rejected);
    let cut_3 = "2026-11-22T01:00:00Z";
    load(&registry, cut_3, vec![row(1, sim(9)), row(2, sim(2))]).await;
    let swap = Swap { at: at(cut_3), cause: SwapCause::Replacement };
    assert_eq!(line(&registry, 1).await.last_swap, Some(swap));
}

/// A SIM that changed between two snapshots without a date was swapped; one that has not was not.
pub async fn another_sim_was_swapped_at_the_cut(place: &impl RegistryPlace) {
    let registry = place.open();
    load(&registry, CUT_1, vec![row(1, sim(1)), row(2, sim(2)), row(3, sim(3))]).await;
    let told = Swap { at: at("2026-11-20T15:00:00Z"), cause: SwapCause::Esim };
    let dated = SnapshotRow { last_swap: Some(Some(told)), ..row(2, sim(8)) };
    load(&registry, CUT_2, vec![row(1, sim(9)), dated, row(3, sim(3)), row(4, sim(4))]).await;
    let silent = Swap { at: at(CUT_2), cause: SwapCause::Replacement };
    assert_eq!(line(&registry, 1).await.last_swap, Some(silent));
    assert_eq!(line(&registry, 2).await.last_swap, Some(told));
    assert_eq!(line(&registry, 3).await.last_swap, None);
    assert_eq!(line(&registry, 4).await.last_swap, None);
}

/// An extract without a swap column takes no known swap away.
pub async fn a_swap_is_known_although_the_column_is_missing(place: &impl RegistryPlace) {
    let registry = place.open();
    let swap = Some(Swap { at: at("2026-10-01T00:00:00Z"), cause: SwapCause::Esim });
    load(&registry, CUT_1, vec![SnapshotRow { last_swap: Some(swap), ..row(1, sim(1)) }]).await;
    let mute = SnapshotRow { last_swap: None, ..row(1, sim(1)) };
    ok(try_load(&registry, SnapshotPlan { has_swaps: false, ..plan(CUT_2) }, vec![mute], &[]).await);
    assert_eq!(line(&registry, 1).await.last_swap, swap);
}

/// Stated; or always, with a swap column; or since the cut, without one.
pub async fn history_begins_where_the_plan_says(place: &impl RegistryPlace) {
    let registry = place.open();
    let stated = at("2026-01-01T00:00:00Z");
    let cases = [
        (SnapshotPlan { has_swaps: false, ..plan(CUT_1) }, at(CUT_1)),
        (SnapshotPlan { has_swaps: false, history_since: Some(stated), ..plan(CUT_1) }, stated),
        (plan(CUT_2), Timestamp::MIN),
    ];
    for (plan, since) in cases {
        ok(try_load(&registry, plan, vec![row(1, sim(1))], &[]).await);
        // Engines may keep it to the second.
        let kept = |at: Timestamp| at.as_second();
        assert_eq!(kept(ok(registry.look_up(number(1)).await).horizon.history_since), kept(since));
        assert_eq!(ok(registry.status().await).history_since.map(kept), Some(kept(since)));
    }
}

/// A snapshot from before the present cut would roll swaps back; one of the same cut would not.
pub async fn an_older_snapshot_is_refused(place: &impl RegistryPlace) {
    let registry = place.open();
    load(&registry, CUT_2, vec![row(1, sim(1))]).await;
    let refused = try_load(&registry, plan(CUT_1), vec![row(1, sim(9))], &[]).await;
    assert!(matches!(refused, Err(FeedError::OlderCut { cut, present }) if cut == at(CUT_1) && present == at(CUT_2)));
    // The rows are from long ago, and so is the cut that they name.
    let unstated = SnapshotPlan { cut: None, ..plan(CUT_2) };
    let refused = try_load(&registry, unstated, vec![row(1, sim(9))], &[]).await;
    assert!(matches!(refused, Err(FeedError::OlderCut { cut, .. }) if cut == at(LONG_AGO)));
    assert_eq!(line(&registry, 1).await.sim, sim(1).into());
    load(&registry, CUT_2, vec![row(1, sim(1)), row(2, sim(2))]).await;
    assert_eq!(line(&registry, 2).await.sim, sim(2).into());
}

/// Without a stated cut the newest instant of the rows counts; none lies in the future.
pub async fn a_cut_is_the_newest_instant_or_stated(place: &impl RegistryPlace) {
    let registry = place.open();
    let unstated = SnapshotPlan { cut: None, ..plan(CUT_1) };
    let newest = SnapshotRow { registered: at("2026-11-19T23:59:59Z"), ..row(2, sim(2)) };
    let summary = ok(try_load(&registry, unstated.clone(), vec![row(1, sim(1)), newest], &[]).await);
    assert_eq!(summary.cut, at("2026-11-19T23:59:59Z"));

    let future = plan("2026-11-22T09:05:01Z");
    assert!(matches!(registry.begin_snapshot(future).await.err(), Some(FeedError::FutureCut { .. })));
    let future = SnapshotRow { registered: at("2026-11-23T00:00:00Z"), ..row(2, sim(2)) };
    let refused = try_load(&registry, unstated, vec![row(1, sim(1)), future], &[]).await;
    assert!(matches!(refused, Err(FeedError::FutureCut { .. })));
    load(&registry, "2026-11-22T09:05:00Z", vec![row(1, sim(1)), row(2, sim(2))]).await;
}

/// Half a per cent fewer lines is a mistake unless somebody says that it is not.
pub async fn far_fewer_lines_are_refused(place: &impl RegistryPlace) {
    let registry = place.open();
    let rows = |count: u64| (0..count).map(|n| row(n, sim(n))).collect::<Vec<_>>();
    assert!(matches!(try_load(&registry, plan(CUT_1), rows(0), &[1]).await, Err(FeedError::NoLines)));
    assert!(matches!(registry.look_up(number(1)).await, Err(RegistryError::Empty)));
    load(&registry, CUT_1, rows(1_000)).await;
    let shrunk = try_load(&registry, plan(CUT_2), rows(995), &[]).await;
    assert!(matches!(shrunk, Err(FeedError::Shrunk { lines: 995, before: 1_000 })));
    assert_eq!(ok(registry.status().await).lines, 1_000);
    load(&registry, CUT_2, rows(996)).await;
    // A line that is no longer named is given up, not forgotten: its next holder is a new one.
    assert_eq!(line(&registry, 996).await.status, LineStatus::Terminated);
    let allowed = SnapshotPlan { allow_shrink: true, ..plan(CUT_2) };
    let summary = ok(try_load(&registry, allowed, rows(10), &[]).await);
    assert_eq!((summary.lines, summary.lines_before), (10, 996));
}

/// A load that ends early leaves everything as it was.
pub async fn a_dropped_load_changes_nothing(place: &impl RegistryPlace) {
    let registry = place.open();
    load(&registry, CUT_1, vec![row(1, sim(1))]).await;
    let before = ok(registry.status().await);
    let mut dropped = ok(registry.begin_snapshot(plan(CUT_2)).await);
    ok(dropped.push((0..500).map(|n| row(n, sim(n + 1_000))).collect()).await);
    drop(dropped);
    assert_eq!(ok(registry.status().await), before);
    assert_eq!(line(&registry, 1).await.sim, sim(1).into());
    assert_eq!(state(&registry, 2).await, LineState::default());
    load(&registry, CUT_2, vec![row(1, sim(1)), row(2, sim(2))]).await;
    assert_eq!(line(&registry, 2).await.sim, sim(2).into());
}

/// Two loads would overwrite each other.
pub async fn one_load_at_a_time(place: &impl RegistryPlace) {
    let (registry, other) = (place.open(), place.open());
    let first = ok(registry.begin_snapshot(plan(CUT_1)).await);
    assert!(matches!(other.begin_snapshot(plan(CUT_1)).await.err(), Some(FeedError::Busy)));
    assert!(matches!(registry.begin_snapshot(plan(CUT_1)).await.err(), Some(FeedError::Busy)));
    drop(first);
    load(&other, CUT_1, vec![row(1, sim(1))]).await;
    assert_eq!(ok(other.status().await).as_of, Some(at(CUT_1)));
    assert!(at(CUT_1) < at(NOW));
}

/// A line that one snapshot leaves out and the next one names again, on another SIM, has a new holder.
pub async fn a_line_that_returns_has_a_new_holder(place: &impl RegistryPlace) {
    let registry = place.open();
    let rows = |from: u64| (from..1_000).map(|n| row(n, sim(n))).collect::<Vec<_>>();
    load(&registry, CUT_1, rows(0)).await;
    load(&registry, CUT_2, rows(1)).await;
    let mut again = rows(1);
    again.push(SnapshotRow { registered: at(RETURNED), ..row(0, sim(5_000)) });
    load(&registry, CUT_3, again).await;
    let returned = line(&registry, 0).await;
    let expected = Some(Swap { at: at(RETURNED), cause: SwapCause::NewHolder });
    assert_eq!((returned.status, returned.last_swap), (LineStatus::Active, expected));
}

/// A line that the next snapshot leaves out is given up, whatever row about it was refused before: a doubt that no feed
/// can mend any more would never end. One of after the cut stays.
pub async fn a_doubt_ends_with_its_line(place: &impl RegistryPlace) {
    let registry = place.open();
    let rows = |from: u64| (from..1_000).map(|n| row(n, sim(n))).collect::<Vec<_>>();
    load(&registry, CUT_1, rows(0)).await;
    // An end that could not be read, sent again with its true instant: the row may have told of the next holder.
    let ended = FeedItem::Event(event("e", TOLD, 0, Happening::Terminated));
    ok(registry.record(vec![refused("line 1", Some(number(0)), Some(TOLD)), ended], at(TOLD)).await);
    assert!(state(&registry, 0).await.source_rejected);
    ok(try_load(&registry, plan(CUT_2), rows(2), &[1]).await);
    assert_eq!(line(&registry, 0).await.status, LineStatus::Terminated);
    assert!(state(&registry, 1).await.source_rejected);

    let later = refused("line 2", Some(number(0)), Some("2026-11-22T05:00:00Z"));
    record_items(&registry, vec![later]).await;
    load(&registry, CUT_3, rows(2)).await;
    assert_eq!(line(&registry, 1).await.status, LineStatus::Terminated);
    assert!(state(&registry, 0).await.source_rejected);
}

/// A swap that an event told of is not forgotten by the next snapshots, which do not know of it.
pub async fn a_learned_swap_outlives_snapshots(place: &impl RegistryPlace) {
    let registry = place.open();
    load(&registry, CUT_1, vec![row(1, sim(1))]).await;
    let told = event("e", TOLD, 1, Happening::SimReplaced(sim(2)));
    ok(registry.record(vec![FeedItem::Event(told)], at(NOW)).await);
    for cut in [CUT_2, CUT_3] {
        load(&registry, cut, vec![row(1, sim(2))]).await;
        let expected = Some(Swap { at: at(TOLD), cause: SwapCause::Replacement });
        assert_eq!(line(&registry, 1).await.last_swap, expected, "{cut}");
    }
}
