//! Forgetting: each call a small piece, in one short transaction.

use jiff::Timestamp;
use jiff::civil::Date;
use laini_core::billing::CheckId;
use laini_core::partner::PartnerId;
use laini_core::store::{BoxFuture, CHECKS_AT_ONCE, Forgotten, LedgerError, Retention};
use rusqlite::{Connection, params};

use super::{SqliteLedger, schema};

/// What one call forgets at most, whatever its caller asks for: the writer waits for so long.
const FORGOTTEN_AT_ONCE: usize = 10_000;

impl Retention for SqliteLedger {
    fn forget_subjects(&self, before: Timestamp, limit: usize) -> BoxFuture<'_, Result<Forgotten, LedgerError>> {
        let limit = limit.min(FORGOTTEN_AT_ONCE);
        Box::pin(self.perform(move |connection| forget_subjects(connection, before, limit)))
    }

    fn forget_checks(&self, checks: Vec<(PartnerId, CheckId)>) -> BoxFuture<'_, Result<Forgotten, LedgerError>> {
        Box::pin(self.perform(move |connection| forget_checks(connection, &checks)))
    }

    fn forget_answers(&self, before: Timestamp, limit: usize) -> BoxFuture<'_, Result<Forgotten, LedgerError>> {
        let sql = "DELETE FROM answer WHERE rowid IN (SELECT rowid FROM answer WHERE at < ?1 ORDER BY at LIMIT ?2)";
        self.forget(sql, before, limit)
    }

    fn forget_deliveries(&self, before: Timestamp, limit: usize) -> BoxFuture<'_, Result<Forgotten, LedgerError>> {
        let sql = "UPDATE delivery SET sealed = NULL WHERE rowid IN (
                       SELECT rowid FROM delivery
                       WHERE sealed IS NOT NULL AND at < ?1 AND state <> 1 ORDER BY at LIMIT ?2)";
        self.forget(sql, before, limit)
    }

    fn destroy_day_keys(&self, day: Date) -> BoxFuture<'_, Result<Forgotten, LedgerError>> {
        let destroyed = self.day_keys.destroy_before(day);
        let destroyed = destroyed.map_err(|error| LedgerError::NotRecorded(error.to_string()));
        Box::pin(async { Ok(Forgotten { count: destroyed?, more: false }) })
    }
}

impl SqliteLedger {
    /// Runs a statement that forgets at most `?2` of what is older than `?1`.
    fn forget(
        &self,
        sql: &'static str,
        before: Timestamp,
        limit: usize,
    ) -> BoxFuture<'_, Result<Forgotten, LedgerError>> {
        let limit = limit.min(FORGOTTEN_AT_ONCE);
        Box::pin(self.perform(move |connection| {
            let bounds = params![before.as_microsecond(), limit.cast_signed()];
            Ok(forgotten(connection.prepare_cached(sql)?.execute(bounds)?, limit))
        }))
    }
}

/// A piece that is as large as it may be is hardly the last one.
fn forgotten(count: usize, limit: usize) -> Forgotten {
    Forgotten { count: count as u64, more: count > 0 && count == limit }
}

/// The keyed hash of the number stays. Checks are found by their positions: what a clock that was set
/// back left ahead of its instant is forgotten that much later.
fn forget_subjects(connection: &Connection, before: Timestamp, limit: usize) -> rusqlite::Result<Forgotten> {
    let bounds = params![CheckId::floor(before).position().cast_signed(), before.as_microsecond(), limit.cast_signed()];
    let keep =
        "INSERT OR IGNORE INTO forgotten SELECT position, number_hash FROM subject CROSS JOIN ledger USING (position)
                WHERE position < ?1 AND at < ?2 ORDER BY position LIMIT ?3 RETURNING position";
    let mut keep = connection.prepare_cached(keep)?;
    let positions: Vec<i64> = keep.query_map(bounds, |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
    let mut delete = connection.prepare_cached("DELETE FROM subject WHERE position = ?1")?;
    for position in &positions {
        delete.execute([position])?;
    }
    Ok(forgotten(positions.len(), limit))
}

/// The keyed hash of each number stays, and so does what is still to be delivered.
fn forget_checks(connection: &Connection, checks: &[(PartnerId, CheckId)]) -> rusqlite::Result<Forgotten> {
    let keep = "INSERT OR IGNORE INTO forgotten SELECT position, number_hash FROM subject WHERE position = ?1";
    let mut keep = connection.prepare_cached(keep)?;
    let mut delete = connection.prepare_cached("DELETE FROM subject WHERE position = ?1")?;
    let body = "UPDATE delivery SET sealed = NULL WHERE position = ?1 AND tail = ?2 AND state <> 1";
    let mut body = connection.prepare_cached(body)?;
    let mut count = 0;
    for (_, id) in checks.iter().take(CHECKS_AT_ONCE) {
        let place = schema::place(connection, *id)?;
        keep.execute([place])?;
        count += delete.execute([place])? as u64;
        body.execute([id.position().cast_signed(), id.tail().cast_signed()])?;
    }
    Ok(Forgotten { count, more: checks.len() > CHECKS_AT_ONCE })
}
