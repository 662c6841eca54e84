//! For tests only.
//!
//! Owns fixtures, the fixed clock, the store contract suite that every engine passes unchanged, the traffic of benches, and
//! the runner of the real binary. Must never be a dependency of anything that ships.

pub mod back_end;
pub mod contract;
pub mod postgres;
pub mod traffic;
