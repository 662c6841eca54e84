//! Limits that several nodes share: what a node reserves of an amount, and its part of a rate.
//!
//! Owns the arithmetic of both. Must never let nodes together use more of an amount than there is,
//! whatever they do at once; a rate may be overrun while demand moves from node to node.

mod pace;
mod reserve;

pub use pace::{Bucket, SharedPace, fraction};
pub use reserve::{Asked, Reserve, Stock};
