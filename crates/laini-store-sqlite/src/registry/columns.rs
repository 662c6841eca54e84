use jiff::Timestamp;
use laini_core::line::Msisdn;

use super::failure::Failure;

/// A number as SQLite keeps it.
pub(super) fn key(msisdn: Msisdn) -> i64 {
    // 15 digits fit.
    i64::try_from(msisdn.as_u64()).unwrap_or(i64::MAX)
}

/// A number that SQLite kept.
pub(super) fn msisdn(key: i64) -> Result<Msisdn, Failure> {
    u64::try_from(key).ok().and_then(Msisdn::from_stored).ok_or(Failure::Damaged("a number"))
}

/// The instant `second` seconds after 1970: the precision of a line's columns.
pub(super) fn second(second: i64) -> Result<Timestamp, Failure> {
    Timestamp::from_second(second).map_err(|_| Failure::Damaged("an instant"))
}

/// The instant `micros` microseconds after 1970: the precision of cuts and events.
pub(super) fn micros(micros: i64) -> Result<Timestamp, Failure> {
    Timestamp::from_microsecond(micros).map_err(|_| Failure::Damaged("an instant"))
}

/// A count that SQLite made.
pub(super) fn count(stored: i64) -> u64 {
    u64::try_from(stored).unwrap_or(0)
}

/// The position of one of a rule's few variants in the list of them all.
pub(super) fn position<T: PartialEq>(all: &[T], one: &T) -> i64 {
    all.iter().position(|known| known == one).and_then(|at| i64::try_from(at).ok()).unwrap_or(0)
}

/// The variant at a position.
pub(super) fn nth<T: Copy>(all: &[T], position: i64) -> Option<T> {
    usize::try_from(position).ok().and_then(|at| all.get(at).copied())
}
