//! Mail: letters to people, queued with what they tell and carried afterwards.
//!
//! Owns the queue: what waits, when it is tried again, when it is given up. Must never carry a letter inside of a unit
//! of work, keep one that was carried, or say in a log whom one is for.

mod carrier;
mod letter;
mod send;

pub use carrier::{Carrier, CarryError};
pub use letter::{Letter, QueuedLetter, queue};
pub use send::{forget_given_up, send_due};
