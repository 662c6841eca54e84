//! What every log of refused calls does, whichever engine it stands on.
//!
//! Owns the promises of the port as cases, each on an empty store. Must never know an engine: a [`RefusalsHome`] opens
//! it, and the cases use the port alone.

#![expect(clippy::unwrap_used, reason = "an expectation that fails ends the test")]
#![expect(missing_docs, reason = "the name of a case is the promise that it holds")]

use jiff::Timestamp;
use laini_core::billing::CheckId;
use laini_core::partner::{AppId, Environment, PartnerId, Product};
use laini_core::store::{
    Forgotten, MaskedNumber, RecentCause, RecentRefusals, RefusalCause, RefusalLog, RefusedCall, RefusedQuery, Stage,
    SubjectHash,
};

/// Runs the whole suite: one test per promise, each in a new `$home` (an expression that makes a
/// [`RefusalsHome`](crate::contract::refusals::RefusalsHome)).
#[macro_export]
macro_rules! refusals_contract {
    ($home:expr) => {
        $crate::refusals_contract!($home =>
            a_refused_call_is_read_as_it_was_kept
            the_same_call_twice_does_no_harm
            refused_calls_come_newest_first_by_filter_and_by_page
            of_each_app_the_newest_stay
            causes_are_counted
            the_newest_calls_of_all_apps_are_counted
            old_calls_are_forgotten_piece_by_piece
            a_forgotten_number_leaves_its_calls
        );
    };
    ($home:expr => $($case:ident)*) => {
        $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $case() {
            $crate::contract::refusals::$case(&$home).await;
        })*
    };
}

/// Where the log of one test lives, empty at first.
pub trait RefusalsHome {
    /// Opens it; others may have it open too.
    fn open(&self) -> Box<dyn RefusalLog>;
}

const KEPT: usize = 100;

fn at(second: u64) -> Timestamp {
    Timestamp::from_second(1_795_338_000 + second.cast_signed()).unwrap()
}

/// The call of a second, of an app, about a number.
fn call(second: u64, app: u64, number: u8) -> RefusedCall {
    RefusedCall {
        id: CheckId::from_parts(CheckId::floor(at(second)).position(), 7),
        at: at(second),
        partner: PartnerId::from_stored(app / 10),
        app: AppId::from_stored(app),
        environment: Environment::Sandbox,
        path: "/imsi/v1/checkATI".to_owned(),
        product: Some(Product::Imsi),
        status: 429,
        code: "500.003.02".to_owned(),
        stage: Stage::Limits,
        reason: "Error Occurred: Spike Arrest Violation".to_owned(),
        micros: 312,
        about: Some(MaskedNumber { hash: SubjectHash([number; 16]), masked: format!("254******{number:03}") }),
    }
}

fn every() -> RefusedQuery {
    RefusedQuery { limit: 100, ..RefusedQuery::default() }
}

async fn seconds(log: &dyn RefusalLog, query: RefusedQuery) -> Vec<i64> {
    let found = log.refused(query).await.unwrap();
    found.iter().map(|call| call.at.as_second() - at(0).as_second()).collect()
}

pub async fn a_refused_call_is_read_as_it_was_kept(home: &dyn RefusalsHome) {
    let log = home.open();
    let whole = call(1, 11, 1);
    let bare = RefusedCall {
        environment: Environment::Production,
        path: String::new(),
        product: None,
        status: 404,
        code: "404.001.01".to_owned(),
        stage: Stage::Request,
        micros: 0,
        about: None,
        ..call(2, u64::MAX >> 1, 1)
    };
    log.keep(vec![whole.clone(), bare.clone()], KEPT).await.unwrap();
    drop(log);
    let log = home.open();
    assert_eq!(log.refused(every()).await.unwrap(), [bare.clone(), whole.clone()]);
    assert_eq!(log.refused_call(whole.id).await.unwrap(), Some(whole));
    assert_eq!(log.refused_call(bare.id).await.unwrap(), Some(bare));
    assert_eq!(log.refused_call(call(3, 11, 1).id).await.unwrap(), None);
    log.keep(Vec::new(), KEPT).await.unwrap();
}

pub async fn the_same_call_twice_does_no_harm(home: &dyn RefusalsHome) {
    let log = home.open();
    for _ in 0..2 {
        log.keep(vec![call(1, 11, 1), call(2, 11, 1)], KEPT).await.unwrap();
    }
    assert_eq!(seconds(&*log, every()).await, [2, 1]);
}

pub async fn refused_calls_come_newest_first_by_filter_and_by_page(home: &dyn RefusalsHome) {
    let log = home.open();
    let mut calls: Vec<_> = (0..6).map(|n| call(n, 10 + n % 3 * 10, u8::try_from(n % 2).unwrap())).collect();
    calls[4].status = 503;
    "503.002.02".clone_into(&mut calls[4].code);
    log.keep(calls.clone(), KEPT).await.unwrap();
    let cases = [
        (every(), vec![5, 4, 3, 2, 1, 0]),
        (RefusedQuery { limit: 2, ..every() }, vec![5, 4]),
        (RefusedQuery { limit: 2, after: Some(calls[4].id), ..every() }, vec![3, 2]),
        (RefusedQuery { limit: 2, oldest_first: true, ..every() }, vec![0, 1]),
        (RefusedQuery { limit: 2, oldest_first: true, after: Some(calls[1].id), ..every() }, vec![2, 3]),
        (RefusedQuery { limit: 0, ..every() }, vec![]),
        (RefusedQuery { partner: Some(calls[1].partner), ..every() }, vec![4, 1]),
        (RefusedQuery { app: Some(calls[2].app), ..every() }, vec![5, 2]),
        (RefusedQuery { number: Some(SubjectHash([1; 16])), ..every() }, vec![5, 3, 1]),
        (RefusedQuery { status: Some(503), ..every() }, vec![4]),
        (RefusedQuery { code: Some("500.003.02".to_owned()), ..every() }, vec![5, 3, 2, 1, 0]),
        (RefusedQuery { from: Some(at(2)), until: Some(at(4)), ..every() }, vec![3, 2]),
        (RefusedQuery { status: Some(503), app: Some(calls[2].app), ..every() }, vec![]),
    ];
    for (query, expected) in cases {
        assert_eq!(seconds(&*log, query.clone()).await, expected, "{query:?}");
    }
}

pub async fn of_each_app_the_newest_stay(home: &dyn RefusalsHome) {
    let log = home.open();
    log.keep((0..5).map(|n| call(n, 11, 1)).collect(), 3).await.unwrap();
    assert_eq!(seconds(&*log, every()).await, [4, 3, 2]);
    // Another app's are its own; an earlier one comes too late.
    log.keep((5..7).map(|n| call(n, 21, 1)).collect(), 3).await.unwrap();
    log.keep(vec![call(1, 11, 1), call(8, 11, 1)], 3).await.unwrap();
    assert_eq!(seconds(&*log, every()).await, [8, 6, 5, 4, 3]);
}

/// The cause of a call, of so many calls.
fn cause(of: &RefusedCall, calls: u64, newest: u64) -> RefusalCause {
    let (code, reason) = (of.code.clone(), of.reason.clone());
    RefusalCause { status: of.status, code, stage: of.stage, reason, calls, newest: at(newest) }
}

pub async fn causes_are_counted(home: &dyn RefusalsHome) {
    let log = home.open();
    let mut calls: Vec<_> = (0..5).map(|n| call(n, 11, 1)).collect();
    let stale = (503, "503.002.02".to_owned(), Stage::Disclosure, "Registry data is stale".to_owned());
    (calls[1].status, calls[1].code, calls[1].stage, calls[1].reason) = stale.clone();
    calls.push(call(9, 21, 1));
    log.keep(calls.clone(), KEPT).await.unwrap();
    let query = RefusedQuery { app: Some(AppId::from_stored(11)), ..RefusedQuery::default() };
    assert_eq!(log.causes(query.clone(), None).await.unwrap(), [cause(&calls[0], 4, 4), cause(&calls[1], 1, 1)]);
    let late = RefusedQuery { from: Some(at(4)), ..query.clone() };
    assert_eq!(log.causes(late, None).await.unwrap(), [cause(&calls[0], 1, 4)]);
    assert_eq!(log.causes(RefusedQuery::default(), None).await.unwrap()[0].calls, 5);
    let newest = |newest| log.causes(query.clone(), Some(newest));
    assert_eq!(newest(2).await.unwrap(), [cause(&calls[0], 2, 4)]);
    assert_eq!(newest(4).await.unwrap(), [cause(&calls[0], 3, 4), cause(&calls[1], 1, 1)]);
    for (app, from, failed) in [(11, 0, 5), (11, 3, 2), (11, 5, 0), (21, 0, 1), (99, 0, 0)] {
        assert_eq!(log.failed_since(AppId::from_stored(app), at(from)).await.unwrap(), failed, "{app} since {from}");
    }
}

pub async fn the_newest_calls_of_all_apps_are_counted(home: &dyn RefusalsHome) {
    let log = home.open();
    let mut calls: Vec<_> = (0..6).map(|n| call(n, 10 + n % 2 * 10, 1)).collect();
    calls[4].environment = Environment::Production;
    log.keep(calls.clone(), KEPT).await.unwrap();
    let of = |environment, cause| RecentCause { environment, cause };
    let real = of(Environment::Production, cause(&calls[4], 1, 4));
    let told = |sandbox: u64, oldest| RecentRefusals {
        causes: vec![of(Environment::Sandbox, cause(&calls[0], sandbox, 5)), real.clone()],
        calls: sandbox + 1,
        oldest: Some(at(oldest)),
    };
    assert_eq!(log.recent(at(0), 100).await.unwrap(), told(5, 0));
    assert_eq!(log.recent(at(2), 100).await.unwrap(), told(3, 2));
    assert_eq!(log.recent(at(0), 3).await.unwrap(), told(2, 3));
    for (from, newest) in [(6, 100), (0, 0)] {
        assert_eq!(log.recent(at(from), newest).await.unwrap(), RecentRefusals::default());
    }
    // The id of a call that came as the clock was set back is younger than the call.
    log.keep(vec![RefusedCall { id: call(9, 11, 1).id, ..call(1, 11, 1) }], KEPT).await.unwrap();
    assert_eq!(log.recent(at(2), 100).await.unwrap(), told(3, 2));
    assert_eq!(log.recent(at(1), 100).await.unwrap(), told(5, 1));
}

pub async fn old_calls_are_forgotten_piece_by_piece(home: &dyn RefusalsHome) {
    let log = home.open();
    log.keep((0..5).map(|n| call(n, 11, 1)).collect(), KEPT).await.unwrap();
    assert_eq!(log.forget_refused(at(3), 2).await.unwrap(), Forgotten { count: 2, more: true });
    assert_eq!(log.forget_refused(at(3), 2).await.unwrap(), Forgotten { count: 1, more: false });
    assert_eq!(log.forget_refused(at(3), 2).await.unwrap(), Forgotten { count: 0, more: false });
    assert_eq!(seconds(&*log, every()).await, [4, 3]);
}

pub async fn a_forgotten_number_leaves_its_calls(home: &dyn RefusalsHome) {
    let log = home.open();
    log.keep((0..4).map(|n| call(n, 11, 1)).chain([call(4, 11, 2)]).collect(), KEPT).await.unwrap();
    let number = SubjectHash([1; 16]);
    assert_eq!(log.forget_number(number, Some(at(1)), Some(at(3))).await.unwrap(), 2);
    assert_eq!(log.forget_number(number, Some(at(1)), Some(at(3))).await.unwrap(), 0);
    assert_eq!(seconds(&*log, RefusedQuery { number: Some(number), ..every() }).await, [3, 0]);
    let all = log.refused(every()).await.unwrap();
    let told: Vec<_> = all.iter().map(|call| call.about.is_some()).collect();
    assert_eq!(told, [true, true, false, false, true]);
    assert_eq!(log.forget_number(number, None, None).await.unwrap(), 2);
    assert_eq!(all.len(), log.refused(every()).await.unwrap().len());
}
