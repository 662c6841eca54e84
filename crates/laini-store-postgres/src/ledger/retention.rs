//! Forgetting: each call a small piece, in one short transaction.

use jiff::Timestamp;
use jiff::civil::Date;
use laini_core::billing::CheckId;
use laini_core::store::{BoxFuture, Forgotten, LedgerError, Retention};

use super::PostgresLedger;
use crate::database::{NOW_MS, Transaction, params};

/// What one call forgets at most, whatever its caller asks for.
const FORGOTTEN_AT_ONCE: usize = 10_000;

/// The keyed hash of the number stays. Checks are found by their positions: what a clock that was set
/// back left ahead of its instant is forgotten that much later.
const SUBJECTS: &str = "
WITH old AS (
    SELECT partner, position, tail, subject.number_hash FROM subject JOIN ledger USING (partner, position, tail)
    WHERE subject.position < $3 AND ledger.at < $1 ORDER BY subject.position LIMIT $2
), kept AS (
    INSERT INTO forgotten (partner, position, tail, number_hash)
    SELECT partner, position, tail, number_hash FROM old ON CONFLICT DO NOTHING
)
DELETE FROM subject USING old
WHERE subject.partner = old.partner AND subject.position = old.position AND subject.tail = old.tail";

const ANSWERS: &str = "DELETE FROM answer WHERE key IN (SELECT key FROM answer WHERE at < $1 ORDER BY at LIMIT $2)";

const DELIVERIES: &str = "
UPDATE delivery SET sealed = NULL WHERE (position, tail) IN (
    SELECT position, tail FROM delivery WHERE sealed IS NOT NULL AND at < $1 AND state <> 1 ORDER BY at LIMIT $2)";

impl Retention for PostgresLedger {
    fn forget_subjects(&self, before: Timestamp, limit: usize) -> BoxFuture<'_, Result<Forgotten, LedgerError>> {
        let (limit, at) = (limit.min(FORGOTTEN_AT_ONCE), before.as_microsecond());
        let (rows, position) = (count(limit), CheckId::floor(before).position().cast_signed());
        Box::pin(self.perform(async move |transaction: &Transaction<'_>| {
            Ok(forgotten(transaction.execute(SUBJECTS, params![at, rows, position]).await?, limit))
        }))
    }

    fn forget_answers(&self, before: Timestamp, limit: usize) -> BoxFuture<'_, Result<Forgotten, LedgerError>> {
        let (limit, at) = (limit.min(FORGOTTEN_AT_ONCE), before.as_microsecond());
        let rows = count(limit);
        Box::pin(self.perform(async move |transaction: &Transaction<'_>| {
            // What a crash left of held keys goes with them.
            let ended = format!("DELETE FROM answer_claim WHERE until_ms < {NOW_MS}");
            transaction.execute(&ended, &[]).await?;
            Ok(forgotten(transaction.execute(ANSWERS, params![at, rows]).await?, limit))
        }))
    }

    fn forget_deliveries(&self, before: Timestamp, limit: usize) -> BoxFuture<'_, Result<Forgotten, LedgerError>> {
        let (limit, at) = (limit.min(FORGOTTEN_AT_ONCE), before.as_microsecond());
        let rows = count(limit);
        Box::pin(self.perform(async move |transaction: &Transaction<'_>| {
            Ok(forgotten(transaction.execute(DELIVERIES, params![at, rows]).await?, limit))
        }))
    }

    fn destroy_day_keys(&self, day: Date) -> BoxFuture<'_, Result<Forgotten, LedgerError>> {
        let destroyed = self.day_keys.destroy_before(day);
        let destroyed = destroyed.map_err(|error| LedgerError::NotRecorded(error.to_string()));
        Box::pin(async { Ok(Forgotten { count: destroyed?, more: false }) })
    }
}

fn count(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}

/// A piece that is as large as it may be is hardly the last one.
fn forgotten(count: u64, limit: usize) -> Forgotten {
    Forgotten { count, more: count > 0 && count == limit as u64 }
}
