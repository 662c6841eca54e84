//! Why calls failed, of all partners: from the log of refused calls.

use futures_executor::block_on;
use jiff::SignedDuration;
use laini_core::billing::CheckId;
use laini_core::partner::PartnerId;
use laini_core::store::RefusedCall;
use laini_office::traffic::{ERRORS_COUNTED, Errors, errors};
use laini_office::{Actor, Problem};
use laini_testkit::contract::ledger::at;

use crate::requests::{BANK, Log};

const OTHER: PartnerId = PartnerId::from_stored(2);
/// The hour begins with this second,
const HOUR: u32 = 3_600;
/// and a minute later it is asked.
const NOW: i64 = 3_660;

fn told(log: &Log, hours: u16) -> Result<Errors, Problem> {
    log.office.run(&Actor::System, at(NOW), |work| errors(work, hours))
}

#[test]
fn failed_calls_of_all_partners_are_counted_together_from_the_beginning_of_the_hours_on() {
    let log = Log::new();
    assert_eq!(told(&log, 24).unwrap().causes, []);
    for (partner, second) in [(BANK, HOUR - 1), (BANK, HOUR), (OTHER, HOUR + 1)] {
        log.refused(partner, second, "429.1", None);
    }
    log.refused(OTHER, HOUR + 2, "503.1", None);
    let counted = |hours| {
        let found = told(&log, hours).unwrap();
        assert!(!found.is_part, "{found:?}");
        let of = found.causes.iter().map(|of| (of.cause.status, of.cause.calls, of.cause.newest));
        (found.since, of.collect::<Vec<_>>())
    };
    let (newest, other) = (at(NOW - 59), (503, 1, at(NOW - 58)));
    assert_eq!(counted(1), (at(NOW - 60), vec![(429, 2, newest), other]));
    assert_eq!(counted(2), (at(0), vec![(429, 3, newest), other]));
    for hours in [0, 24 * 7 + 1] {
        assert!(matches!(told(&log, hours), Err(Problem::Invalid { field: "hours", .. })), "{hours}");
    }
}

#[test]
fn where_more_failed_than_are_counted_it_is_told_since_when_they_are() {
    let log = Log::new();
    let id = log.refused(BANK, HOUR, "429.1", None);
    let first = block_on(log.office.refusals.refused_call(id)).unwrap().unwrap();
    let later = |ms: usize| {
        let at = first.at + SignedDuration::from_millis(i64::try_from(ms).unwrap());
        RefusedCall { id: CheckId::from_parts(CheckId::floor(at).position(), 7), at, ..first.clone() }
    };
    let calls: Vec<RefusedCall> = (1..=ERRORS_COUNTED).map(later).collect();
    let second = calls[0].at;
    block_on(log.office.refusals.keep(calls, ERRORS_COUNTED + 1)).unwrap();
    let found = told(&log, 1).unwrap();
    assert_eq!((found.since, found.is_part), (second, true));
    assert_eq!(found.causes[0].cause.calls, ERRORS_COUNTED as u64);
}
