//! What every engine keeps alike, so that a row means the same in each of them.
//!
//! Owns the codes that words are stored as, the sealing of a check's side row, the counters of a
//! transaction, the file of chain heads, the sorting and merging of snapshots, and how everything is copied
//! from one engine to another. Must never hold a
//! rule of the core's, or know an engine's SQL.

pub mod copy;
pub mod ledger;
pub mod registry;
