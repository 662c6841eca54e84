use jiff::{Timestamp, civil::Date};

use super::{BoxFuture, LedgerError};
use crate::billing::CheckId;
use crate::partner::PartnerId;

/// The most checks that one call forgets by name.
pub const CHECKS_AT_ONCE: usize = 500;

/// What must go one day, goes (promises, "Law to respect"). Every call does a small piece of the work
/// in a short transaction, so that it neither pins a log nor holds up the writer.
pub trait Retention: Send + Sync {
    /// Forgets the sealed numbers and facts of checks that were decided before `before`, at most
    /// `limit` of them; the keyed hash of the number stays.
    fn forget_subjects(&self, before: Timestamp, limit: usize) -> BoxFuture<'_, Result<Forgotten, LedgerError>>;

    /// Forgets the sealed numbers and facts of these checks, and the bodies of their deliveries that have ended; the keyed
    /// hash of the number stays, and so does every row. At most [`CHECKS_AT_ONCE`] of them; what was forgotten before is
    /// not counted again.
    fn forget_checks(&self, checks: Vec<(PartnerId, CheckId)>) -> BoxFuture<'_, Result<Forgotten, LedgerError>>;

    /// Deletes stored answers older than `before`, at most `limit`.
    fn forget_answers(&self, before: Timestamp, limit: usize) -> BoxFuture<'_, Result<Forgotten, LedgerError>>;

    /// Forgets the bodies of deliveries made before `before`, delivered or given up, at most `limit`.
    fn forget_deliveries(&self, before: Timestamp, limit: usize) -> BoxFuture<'_, Result<Forgotten, LedgerError>>;

    /// Destroys the keys of the days before `day`: what they sealed is gone, in backups too.
    fn destroy_day_keys(&self, day: Date) -> BoxFuture<'_, Result<Forgotten, LedgerError>>;
}

/// What a piece of work did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Forgotten {
    /// How many were forgotten.
    pub count: u64,
    /// Whether there is more to forget.
    pub more: bool,
}
