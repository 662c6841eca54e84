//! Forgetting: each call a small piece, in one short transaction.

use jiff::Timestamp;
use jiff::civil::Date;
use laini_core::billing::CheckId;
use laini_core::partner::PartnerId;
use laini_core::store::{BoxFuture, CHECKS_AT_ONCE, Forgotten, LedgerError, Retention};

use super::PostgresLedger;
use crate::database::{NOW_MS, Transaction, params};
use crate::error::DbError;

/// What one call forgets at most, whatever its caller asks for.
const FORGOTTEN_AT_ONCE: usize = 10_000;

/// One node forgets for all. Another takes over when this one was not heard of for so long.
const LEASE_MS: i64 = 60_000;

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

/// The same for checks that are named.
const CHECKS: &str = "
WITH named AS (
    SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::bigint[]) AS named (partner, position, tail)
), old AS (
    SELECT partner, position, tail, subject.number_hash FROM named JOIN subject USING (partner, position, tail)
), kept AS (
    INSERT INTO forgotten (partner, position, tail, number_hash)
    SELECT partner, position, tail, number_hash FROM old ON CONFLICT DO NOTHING
)
DELETE FROM subject USING old
WHERE subject.partner = old.partner AND subject.position = old.position AND subject.tail = old.tail";

/// What is still to be delivered stays.
const BODIES: &str = "
UPDATE delivery SET sealed = NULL FROM unnest($1::bigint[], $2::bigint[]) AS named (position, tail)
WHERE delivery.position = named.position AND delivery.tail = named.tail AND state <> 1";

const ANSWERS: &str = "DELETE FROM answer WHERE key IN (SELECT key FROM answer WHERE at < $1 ORDER BY at LIMIT $2)";

const DELIVERIES: &str = "
UPDATE delivery SET sealed = NULL WHERE (position, tail) IN (
    SELECT position, tail FROM delivery WHERE sealed IS NOT NULL AND at < $1 AND state <> 1 ORDER BY at LIMIT $2)";

impl Retention for PostgresLedger {
    fn forget_subjects(&self, before: Timestamp, limit: usize) -> BoxFuture<'_, Result<Forgotten, LedgerError>> {
        let limit = limit.min(FORGOTTEN_AT_ONCE);
        let (rows, position) = (count(limit), CheckId::floor(before).position().cast_signed());
        let at = before.as_microsecond();
        Box::pin(self.forget(limit, async move |transaction: &Transaction<'_>| {
            transaction.execute(SUBJECTS, params![at, rows, position]).await
        }))
    }

    fn forget_checks(&self, checks: Vec<(PartnerId, CheckId)>) -> BoxFuture<'_, Result<Forgotten, LedgerError>> {
        let more = checks.len() > CHECKS_AT_ONCE;
        let places = checks.iter().take(CHECKS_AT_ONCE).map(|(partner, id)| {
            (partner.as_u64().cast_signed(), (id.position().cast_signed(), id.tail().cast_signed()))
        });
        let (partners, ids): (Vec<i64>, Vec<(i64, i64)>) = places.unzip();
        let (positions, tails): (Vec<i64>, Vec<i64>) = ids.into_iter().unzip();
        Box::pin(async move {
            let forget = async move |transaction: &Transaction<'_>| {
                transaction.execute(BODIES, params![positions, tails]).await?;
                transaction.execute(CHECKS, params![partners, positions, tails]).await
            };
            Ok(Forgotten { count: self.perform(forget).await?, more })
        })
    }

    fn forget_answers(&self, before: Timestamp, limit: usize) -> BoxFuture<'_, Result<Forgotten, LedgerError>> {
        let limit = limit.min(FORGOTTEN_AT_ONCE);
        let (at, rows) = (before.as_microsecond(), count(limit));
        Box::pin(self.forget(limit, async move |transaction: &Transaction<'_>| {
            // What a crash left of held keys goes with them.
            let ended = format!("DELETE FROM answer_claim WHERE until_ms < {NOW_MS}");
            transaction.execute(&ended, &[]).await?;
            transaction.execute(ANSWERS, params![at, rows]).await
        }))
    }

    fn forget_deliveries(&self, before: Timestamp, limit: usize) -> BoxFuture<'_, Result<Forgotten, LedgerError>> {
        let limit = limit.min(FORGOTTEN_AT_ONCE);
        let (at, rows) = (before.as_microsecond(), count(limit));
        Box::pin(self.forget(limit, async move |transaction: &Transaction<'_>| {
            transaction.execute(DELIVERIES, params![at, rows]).await
        }))
    }

    fn destroy_day_keys(&self, day: Date) -> BoxFuture<'_, Result<Forgotten, LedgerError>> {
        let destroyed = self.day_keys.destroy_before(day);
        let destroyed = destroyed.map_err(|error| LedgerError::NotRecorded(error.to_string()));
        Box::pin(async { Ok(Forgotten { count: destroyed?, more: false }) })
    }
}

impl PostgresLedger {
    /// Does a piece of the work, where it is this process's turn: nothing where another node has it. Who
    /// has it is confirmed in the transaction of the work, so a node that stood still forgets nothing late.
    async fn forget(
        &self,
        limit: usize,
        mut work: impl AsyncFnMut(&Transaction<'_>) -> Result<u64, DbError> + Send + 'static,
    ) -> Result<Forgotten, LedgerError> {
        // A command does what a person asked for, whoever's turn it is.
        let holder = self.writing.is_some().then(|| self.claims.holder());
        let done = self.perform(async move |transaction: &Transaction<'_>| {
            if let Some(holder) = &holder
                && !has_turn(transaction, holder).await?
            {
                return Ok(0);
            }
            work(transaction).await
        });
        Ok(forgotten(done.await?, limit))
    }
}

/// Takes or keeps the turn; `false` = another process has it. Its row stays locked until the work is committed.
async fn has_turn(transaction: &Transaction<'_>, holder: &[u8]) -> Result<bool, DbError> {
    let sql = format!(
        "UPDATE worker SET fence = fence + (CASE WHEN holder = $1 THEN 0 ELSE 1 END), holder = $1,
             until_ms = {NOW_MS} + $2
         WHERE name = 'retention' AND (holder = $1 OR until_ms < {NOW_MS})"
    );
    Ok(transaction.execute(&sql, params![holder, LEASE_MS]).await? == 1)
}

fn count(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}

/// A piece that is as large as it may be is hardly the last one.
fn forgotten(count: u64, limit: usize) -> Forgotten {
    Forgotten { count, more: count > 0 && count == limit as u64 }
}
