//! Work that goes on beside requests.
//!
//! Owns its rhythms and the size of its pieces. Must never hold a ledger's writer up for long, or go
//! on where the server has ended.

mod chores;
mod incident_news;
mod probe;
mod retention;

pub(crate) use chores::ChoreWorker;
pub(crate) use incident_news::send_incident_news;
pub(crate) use probe::Prober;
pub use probe::Probing;
pub use retention::{RetentionPolicy, SweepError, Swept, keep_forgetting, sweep};
