//! Values as an engine keeps them.
//!
//! Owns how numbers, instants and positions become integers. Must never know a column's name.

use jiff::Timestamp;
use laini_core::line::Msisdn;

use super::Broken;

/// A number as an engine keeps it.
pub fn key(msisdn: Msisdn) -> i64 {
    // 15 digits fit.
    i64::try_from(msisdn.as_u64()).unwrap_or(i64::MAX)
}

/// A number that an engine kept.
pub fn msisdn(key: i64) -> Result<Msisdn, Broken> {
    u64::try_from(key).ok().and_then(Msisdn::from_stored).ok_or(Broken::Damaged("a number"))
}

/// The instant `second` seconds after 1970: the precision of a line's columns.
pub fn second(second: i64) -> Result<Timestamp, Broken> {
    Timestamp::from_second(second).map_err(|_| Broken::Damaged("an instant"))
}

/// The instant `micros` microseconds after 1970: the precision of cuts and events.
pub fn micros(micros: i64) -> Result<Timestamp, Broken> {
    Timestamp::from_microsecond(micros).map_err(|_| Broken::Damaged("an instant"))
}

/// A count that an engine made.
pub fn count(stored: i64) -> u64 {
    u64::try_from(stored).unwrap_or(0)
}

/// The position of one of a rule's few variants in the list of them all.
pub fn position<T: PartialEq>(all: &[T], one: &T) -> i64 {
    all.iter().position(|known| known == one).and_then(|at| i64::try_from(at).ok()).unwrap_or(0)
}

/// The variant at a position.
pub fn nth<T: Copy>(all: &[T], position: i64) -> Option<T> {
    usize::try_from(position).ok().and_then(|at| all.get(at).copied())
}
