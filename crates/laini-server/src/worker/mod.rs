//! Work that goes on beside requests.
//!
//! Owns its rhythms and the size of its pieces. Must never hold a ledger's writer up for long, or go
//! on where the server has ended.

mod chores;
mod retention;

pub(crate) use chores::ChoreWorker;
pub use retention::{RetentionPolicy, SweepError, Swept, keep_forgetting, sweep};
