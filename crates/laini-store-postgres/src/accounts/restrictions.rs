//! Which numbers are restricted.

use jiff::Timestamp;
use laini_core::privacy::{RestrictionCursor, RestrictionRow};
use laini_core::store::SubjectHash;
use tokio_postgres::Row;

use super::Refused;
use crate::columns::Columns;
use crate::database::{Link, Transaction, params};
use crate::error::DbError;

/// Restrictions that one call returns at most.
const RESTRICTIONS_PER_CALL: usize = 100_000;
/// The instant of a restriction that holds for whoever has the number.
const ANY_HOLDER: i64 = i64::MAX;

/// The restrictions that changed after `after`.
pub(super) async fn changed(
    link: &Link,
    after: RestrictionCursor,
    limit: usize,
) -> Result<Vec<RestrictionRow>, DbError> {
    let sql = "SELECT number_hash, until, change FROM restriction WHERE (change, number_hash) > ($1, $2)
               ORDER BY change, number_hash LIMIT $3";
    let limit = limit.min(RESTRICTIONS_PER_CALL).cast_signed() as i64;
    let rows = link.query(sql, params![after.change.cast_signed(), after.number.0.as_slice(), limit]).await?;
    rows.iter().map(read).collect()
}

/// The restriction of one number.
pub(super) async fn of(link: &Link, number: SubjectHash) -> Result<Option<RestrictionRow>, DbError> {
    let sql = "SELECT number_hash, until, change FROM restriction WHERE number_hash = $1";
    let row = link.query_opt(sql, params![number.0.as_slice()]).await?;
    row.as_ref().map(read).transpose()
}

/// Restricts a number, or lifts its restriction, inside a transaction that has raised the version.
pub(super) async fn set(
    transaction: &Transaction<'_>,
    number: SubjectHash,
    until: Option<Timestamp>,
) -> Result<(), Refused> {
    let sql = "INSERT INTO restriction (number_hash, until, change) SELECT $1, $2, version FROM accounts_meta
               ON CONFLICT (number_hash) DO UPDATE SET until = excluded.until, change = excluded.change";
    let until = until.map(|until| if until == Timestamp::MAX { ANY_HOLDER } else { until.as_microsecond() });
    transaction.execute(sql, params![number.0.as_slice(), until]).await?;
    Ok(())
}

fn read(row: &Row) -> Result<RestrictionRow, DbError> {
    let columns = Columns(row);
    let until: Option<i64> = columns.get("until")?;
    let instant = |micros| match micros {
        ANY_HOLDER => Ok(Timestamp::MAX),
        micros => Timestamp::from_microsecond(micros).map_err(|_| DbError::Damaged("until")),
    };
    Ok(RestrictionRow {
        number: SubjectHash(columns.bytes("number_hash")?),
        until: until.map(instant).transpose()?,
        change: columns.bits("change", 63)?,
    })
}
