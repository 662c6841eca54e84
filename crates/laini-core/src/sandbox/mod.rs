//! The sandbox: made-up lines under the same rules as real ones.
//!
//! Owns the personas that every sandbox app finds, the faults that some numbers stand for, and what an
//! app's own world is: its lines, its clock, its feed, and how they change.
//! Must never know a real line, or decide what is disclosed: that is [`crate::disclosure`].

mod life_event;
mod persona;
mod refusal;
mod stated_line;
mod when;
mod world;

pub use life_event::{LifeEvent, WorldEvent};
pub use persona::{Fault, LATE_BY_MS, Persona, ready_number};
pub use refusal::WorldRefusal;
pub use stated_line::{LineChange, StatedLine};
pub use when::{When, WhenError};
pub use world::{
    CLOCK_AHEAD_DAYS_MAX, Moment, WORLD_EVENTS_MAX, WORLD_LINES_MAX, World, WorldEdit, WorldRecord, persona,
};

use jiff::Timestamp;

use crate::line::{Imsi, Msisdn};

/// Worlds live in microseconds, as engines keep them: what is read is what was written.
fn whole_micros(at: Timestamp) -> Timestamp {
    Timestamp::from_microsecond(at.as_microsecond()).unwrap_or(at)
}

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
