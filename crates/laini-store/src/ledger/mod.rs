//! The ledger's rows on their way into a store.
//!
//! Owns the codes of their words, the sealing of their side rows, what a transaction counts, the keys of
//! days at hand, and the file of chain heads. Must never decide what a check costs: the core does.

mod codes;
mod counters;
mod days;
mod draft;
mod heads;
mod lock;
mod sealed;
mod submission;
mod waiting;

pub use codes::{
    DeliveryCode, ENVIRONMENTS, environment_code, outcome_code, product_code, purpose_code, repeat_window,
};
pub use counters::{Counters, Kind, QUARTER_S, Sum, quarters};
pub use days::{DAY_S, DayOpener, Today, day_of, existing_day_key};
pub use draft::{Link, SealedDraft};
pub use heads::{FILE as HEADS_FILE, HeadFile, read_heads, reconcile};
pub use lock::{LOCK_FILE, LockError, WriterLock, last_holder};
pub use sealed::{SealedAnswer, SealedCheck, SealedDelivery, open_delivery};
pub use submission::{SealedSubmission, Written};
pub use waiting::{Waiting, gave_up, out_of_order, taken, writer_stopped};

/// Rows that one look for checks by what they were about reads, however few of them fit: somebody may wait for it.
pub const ROWS_PER_LOOK: u64 = 50_000;
