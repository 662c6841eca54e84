//! Which numbers are restricted.

use jiff::Timestamp;
use laini_core::privacy::{RestrictionCursor, RestrictionRow};
use laini_core::store::{AccountsError, SubjectHash};
use rusqlite::types::FromSqlError;
use rusqlite::{OptionalExtension as _, Row, Transaction, params};

use super::engine;
use super::load::unsigned;

/// Restrictions that one call returns at most.
const RESTRICTIONS_PER_CALL: usize = 100_000;
/// The instant of a restriction that holds for whoever has the number.
const ANY_HOLDER: i64 = i64::MAX;

/// The restrictions that changed after `after`.
pub(super) fn changed(
    transaction: &Transaction<'_>,
    after: RestrictionCursor,
    limit: usize,
) -> rusqlite::Result<Vec<RestrictionRow>> {
    let sql = "SELECT number_hash, until, change FROM restriction WHERE (change, number_hash) > (?1, ?2)
               ORDER BY change, number_hash LIMIT ?3";
    let limit = limit.min(RESTRICTIONS_PER_CALL).cast_signed();
    let mut statement = transaction.prepare_cached(sql)?;
    let rows = statement.query_map(params![after.change.cast_signed(), after.number.0.as_slice(), limit], read)?;
    rows.collect()
}

/// The restriction of one number.
pub(super) fn of(transaction: &Transaction<'_>, number: SubjectHash) -> rusqlite::Result<Option<RestrictionRow>> {
    let sql = "SELECT number_hash, until, change FROM restriction WHERE number_hash = ?1";
    transaction.prepare_cached(sql)?.query_row([number.0.as_slice()], read).optional()
}

/// Restricts a number, or lifts its restriction.
pub(super) fn set(
    transaction: &Transaction<'_>,
    number: SubjectHash,
    until: Option<Timestamp>,
) -> Result<(), AccountsError> {
    // The version that this change makes: it is raised at the end of the transaction.
    let sql = "INSERT INTO restriction SELECT ?1, ?2, version + 1 FROM meta WHERE true
               ON CONFLICT (number_hash) DO UPDATE SET until = excluded.until, change = excluded.change";
    let until = until.map(|until| if until == Timestamp::MAX { ANY_HOLDER } else { until.as_microsecond() });
    transaction.execute(sql, params![number.0.as_slice(), until]).map(drop).map_err(engine)
}

fn read(row: &Row<'_>) -> rusqlite::Result<RestrictionRow> {
    let until: Option<i64> = row.get(1)?;
    let instant = |micros| match micros {
        ANY_HOLDER => Ok(Timestamp::MAX),
        micros => Timestamp::from_microsecond(micros).map_err(|error| FromSqlError::Other(error.into())),
    };
    Ok(RestrictionRow {
        number: SubjectHash(row.get(0)?),
        until: until.map(instant).transpose()?,
        change: unsigned(row, 2)?,
    })
}
