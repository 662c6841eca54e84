//! The sandbox: made-up lines under the same rules as real ones.
//!
//! Owns the personas that every sandbox app finds, and the faults that some numbers stand for.
//! Must never know a real line, or decide what is disclosed: that is [`crate::disclosure`].

mod persona;

pub use persona::{Fault, LATE_BY_MS, Persona};

use crate::line::{Imsi, Msisdn};

/// Made-up IMSIs: network code and count of SIMs in the first five digits, then the last ten digits of
/// the number.
const FIRST_PREFIX: u64 = 63_902;
/// How many prefixes there are until five digits end.
const PREFIXES: u64 = 100_000 - FIRST_PREFIX;

/// The `count`th SIM of a made-up line: the same for the same number and count, and another for another.
fn sim(msisdn: Msisdn, count: u64) -> Imsi {
    let prefix = FIRST_PREFIX + count % PREFIXES;
    Imsi::made_up(prefix * 10_000_000_000 + msisdn.as_u64() % 10_000_000_000)
}
