//! The desk: what a bank does about what it was told of a number.
//!
//! Owns the verdict, the thresholds that a bank sets for itself, and when a look-up is one to look at. Must never let an
//! unknown pass as a reason to allow, or know what a check costs.

mod hours;
mod thresholds;
mod verdict;

pub use hours::WorkingHours;
pub use thresholds::{Thresholds, ThresholdsError};
pub use verdict::{HeldSeen, Judgement, Reason, Seen, SimSeen, SwapSeen, Verdict};
