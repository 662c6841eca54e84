//! What every store of sandbox worlds does, whichever engine it stands on.

#![expect(clippy::unwrap_used, reason = "an expectation that fails ends the test")]
#![expect(missing_docs, reason = "the name of a case is the promise that it holds")]

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Span, Timestamp};
use laini_core::line::{ContractType, HashedImsi, LineStatus, Msisdn, Swap, SwapCause};
use laini_core::partner::AppId;
use laini_core::sandbox::{LifeEvent, Moment, StatedLine, World, WorldRefusal};
use laini_core::store::{Changed, WorldStore, WorldsError};

/// Runs the whole suite: one test per promise, each in a new `$home` (an expression that makes a
/// [`WorldsHome`](crate::contract::worlds::WorldsHome)).
#[macro_export]
macro_rules! worlds_contract {
    ($home:expr) => {
        $crate::worlds_contract!($home =>
            an_app_that_changed_nothing_has_no_world
            everything_survives_a_reopen
            a_refusal_changes_nothing
            a_reset_leaves_nothing_and_a_world_begins_anew
            worlds_are_apart
            two_handles_see_each_other
            concurrent_changes_all_count
            idle_worlds_are_purged_and_used_ones_stay
        );
    };
    ($home:expr => $($case:ident)*) => {
        $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $case() {
            $crate::contract::worlds::$case(&$home).await;
        })*
    };
}

/// Where the worlds of one test live, none at first.
pub trait WorldsHome {
    /// Opens them; others may have them open too.
    fn open(&self) -> Box<dyn WorldStore>;
}

const ONE: AppId = AppId::from_stored(1);
const OTHER: AppId = AppId::from_stored(u64::MAX >> 1);

fn number(last: u64) -> Msisdn {
    Msisdn::from_stored(254_733_000_000 + last).unwrap()
}

fn noon() -> Timestamp {
    // A real clock is finer than what engines keep.
    Timestamp::from_nanosecond(1_795_338_000_123_456_789).unwrap()
}

fn line() -> StatedLine {
    let at = |text: &str| text.parse::<Timestamp>().unwrap();
    StatedLine {
        status: LineStatus::Suspended,
        registered: at("2019-01-12T09:00:00.000001Z"),
        holder_since: Some(at("2020-01-12T09:00:00Z")),
        last_swap: Some(Swap { at: at("2026-01-12T09:00:00Z"), cause: SwapCause::Esim }),
        contract: Some(ContractType::Business),
        restricted: true,
        hashed_imsi: Some(HashedImsi::parse("9233817055099406").unwrap()),
    }
}

/// Changes the world of `app` in a moment of real time.
async fn change(
    store: &dyn WorldStore,
    app: AppId,
    change: impl Fn(&mut World, Moment<'_>) -> Result<(), WorldRefusal> + Send + Sync + 'static,
) -> Result<Changed, WorldsError> {
    let zone = TimeZone::get("Africa/Nairobi").unwrap();
    let change = move |world: &mut World| change(world, Moment { real: noon(), zone: &zone });
    store.change(app, noon(), Box::new(change)).await
}

async fn happen(store: &dyn WorldStore, app: AppId, last: u64, what: LifeEvent) -> Result<Changed, WorldsError> {
    change(store, app, move |world, moment| world.happen(number(last), what, None, moment)).await
}

/// A world with something of everything.
async fn fill(store: &dyn WorldStore, app: AppId) -> World {
    change(store, app, |world, moment| world.advance_by(Span::new().days(30), moment)).await.unwrap();
    change(store, app, |world, moment| world.put(number(1), &line(), moment)).await.unwrap();
    for (last, what) in [
        (2, LifeEvent::Register),
        (2, LifeEvent::Swap),
        (2, LifeEvent::NumberChange(number(3))),
        (4, LifeEvent::PortIn),
        (4, LifeEvent::Terminate),
        (5, LifeEvent::RowRefused),
        (6, LifeEvent::Register),
        (6, LifeEvent::Esim),
    ] {
        // One instant for all, so that their order is by type and number.
        change(store, app, |world, moment| world.advance_by(Span::new().minutes(1), moment)).await.unwrap();
        happen(store, app, last, what).await.unwrap();
    }
    change(store, app, |world, moment| world.put(number(6), &line(), moment)).await.unwrap();
    let changed = change(store, app, |world, moment| {
        world.stop_feed(moment);
        Ok(())
    });
    changed.await.unwrap().world
}

pub async fn an_app_that_changed_nothing_has_no_world(home: &dyn WorldsHome) {
    let store = home.open();
    assert!(store.load(ONE).await.unwrap().is_none());
    assert_eq!(store.version_of(ONE).await.unwrap(), None);
    let before = store.version().await.unwrap();
    store.touch(ONE, noon()).await.unwrap();
    assert!(store.load(ONE).await.unwrap().is_none());
    assert_eq!(store.version().await.unwrap(), before);
}

pub async fn everything_survives_a_reopen(home: &dyn WorldsHome) {
    let written = fill(&*home.open(), ONE).await;
    let store = home.open();
    let read = store.load(ONE).await.unwrap().unwrap();
    assert_eq!(read, written);
    assert_eq!(read.states(), written.states());
    assert!(read.feed_stopped().is_some());
    assert!(read.ahead() >= SignedDuration::from_hours(30 * 24));
    assert_eq!(store.version_of(ONE).await.unwrap(), Some(store.version().await.unwrap()));
    // A SIM that comes later is another one, although its line's events are settled.
    change(&*store, ONE, |world, _| {
        world.start_feed();
        Ok(())
    })
    .await
    .unwrap();
    let before = read.states()[&number(6)].clone().line.unwrap();
    let after = happen(&*store, ONE, 6, LifeEvent::Swap).await.unwrap().world.states()[&number(6)].clone();
    assert_ne!(after.line.unwrap().sim, before.sim);
}

pub async fn a_refusal_changes_nothing(home: &dyn WorldsHome) {
    let store = home.open();
    let refused = happen(&*store, ONE, 1, LifeEvent::Swap).await;
    assert!(matches!(refused, Err(WorldsError::Refused(WorldRefusal::ByRule(_)))), "{refused:?}");
    assert!(store.load(ONE).await.unwrap().is_none());
    fill(&*store, ONE).await;
    let (before, version) = (store.load(ONE).await.unwrap(), store.version().await.unwrap());
    happen(&*store, ONE, 4, LifeEvent::Swap).await.unwrap_err();
    assert_eq!(store.load(ONE).await.unwrap(), before);
    assert_eq!(store.version().await.unwrap(), version);
}

pub async fn a_reset_leaves_nothing_and_a_world_begins_anew(home: &dyn WorldsHome) {
    let store = home.open();
    let first = fill(&*store, ONE).await;
    let version = store.version().await.unwrap();
    let reset = change(&*store, ONE, |world, _| {
        world.reset();
        Ok(())
    });
    assert!(reset.await.unwrap().version > version);
    assert!(store.load(ONE).await.unwrap().is_none());
    assert_eq!(fill(&*store, ONE).await, first, "the same calls make the same world");
    assert!(store.version_of(ONE).await.unwrap().unwrap() > version, "a version never comes again");
}

pub async fn worlds_are_apart(home: &dyn WorldsHome) {
    let store = home.open();
    let one = fill(&*store, ONE).await;
    happen(&*store, OTHER, 2, LifeEvent::Register).await.unwrap();
    assert_eq!(store.load(OTHER).await.unwrap().unwrap().line_count(), 1);
    change(&*store, OTHER, |world, _| {
        world.reset();
        Ok(())
    })
    .await
    .unwrap();
    assert_eq!(store.load(ONE).await.unwrap(), Some(one));
}

pub async fn two_handles_see_each_other(home: &dyn WorldsHome) {
    let (one, two) = (home.open(), home.open());
    let before = two.version().await.unwrap();
    let changed = happen(&*one, ONE, 1, LifeEvent::Register).await.unwrap();
    assert!(changed.version > before);
    assert_eq!(two.version().await.unwrap(), changed.version);
    assert_eq!(two.version_of(ONE).await.unwrap(), Some(changed.version));
    assert_eq!(two.load(ONE).await.unwrap().unwrap().states(), changed.world.states());
}

pub async fn concurrent_changes_all_count(home: &dyn WorldsHome) {
    const HANDLES: u64 = 4;
    const CHANGES: u64 = 10;
    let before = home.open().version().await.unwrap();
    let handle = |handle: u64| {
        let store = home.open();
        tokio::spawn(async move {
            for change in 0..CHANGES {
                happen(&*store, ONE, handle * CHANGES + change, LifeEvent::Register).await.unwrap();
            }
        })
    };
    for handle in (0..HANDLES).map(handle).collect::<Vec<_>>() {
        handle.await.unwrap();
    }
    let store = home.open();
    assert_eq!(store.version().await.unwrap(), before + HANDLES * CHANGES);
    let world = store.load(ONE).await.unwrap().unwrap();
    assert_eq!(world.event_count() as u64, HANDLES * CHANGES);
    assert_eq!(world.line_count() as u64, HANDLES * CHANGES);
}

pub async fn idle_worlds_are_purged_and_used_ones_stay(home: &dyn WorldsHome) {
    let store = home.open();
    fill(&*store, ONE).await;
    fill(&*store, OTHER).await;
    let later = noon() + SignedDuration::from_hours(24);
    assert_eq!(store.purge(noon(), 10).await.unwrap(), 0);
    store.touch(OTHER, later).await.unwrap();
    let version = store.version().await.unwrap();
    assert_eq!(store.purge(later, 10).await.unwrap(), 1);
    assert!(store.version().await.unwrap() > version, "a server that holds it notices");
    assert!(store.load(ONE).await.unwrap().is_none());
    assert!(store.load(OTHER).await.unwrap().is_some());
    fill(&*store, ONE).await;
    assert_eq!(store.purge(Timestamp::MAX, 1).await.unwrap(), 1, "no more than asked for");
}
