//! Checks with what they were about: a scan in short statements, for no index on numbers is kept.

use laini_core::billing::CheckId;
use laini_core::store::{AskedQuery, LedgerRow, SubjectHash};
use laini_store::ledger::{ROWS_PER_LOOK, outcome_code};
use tokio_postgres::Row;

use super::rows::{self, COLUMNS, bounds};
use crate::columns::{Columns, place};
use crate::database::{Link, params};
use crate::error::DbError;

/// Rows that one statement looks at.
const ROWS_PER_STATEMENT: i64 = 10_000;
/// Checks that one call returns at most.
const CHECKS_PER_CALL: usize = 10_000;

/// A row with what lies there of its number.
pub(super) struct Raw {
    pub(super) row: LedgerRow,
    pub(super) number: Option<SubjectHash>,
    pub(super) sealed: Option<Vec<u8>>,
}

/// What a call found.
#[derive(Default)]
pub(super) struct Scanned {
    pub(super) found: Vec<Raw>,
    pub(super) looked_at: u64,
    /// Where the next call begins; `None` = this was the end.
    pub(super) after: Option<CheckId>,
}

pub(super) async fn scan(link: &Link, query: &AskedQuery) -> Result<Scanned, DbError> {
    let limit = query.limit.min(CHECKS_PER_CALL);
    // What is left to be read: between these two places, neither of them included.
    let (mut low, until) = bounds(None, (query.from, query.until));
    let mut high = (until, -1);
    match query.after.map(place) {
        Some(after) if query.newest_first => high = high.min(after),
        Some(after) => low = low.max(after),
        None => {}
    }
    let mut scanned = Scanned::default();
    while scanned.looked_at < ROWS_PER_LOOK {
        let end = end(link, (low, high), query.newest_first).await?;
        let left = limit - scanned.found.len();
        let piece = match end.map(place) {
            None => (low, high),
            Some((position, tail)) if query.newest_first => ((position, tail - 1), high),
            Some((position, tail)) => (low, (position, tail + 1)),
        };
        let found = between(link, query, piece, left).await?;
        let is_full = found.len() == left;
        scanned.found.extend(found);
        scanned.looked_at += ROWS_PER_STATEMENT.cast_unsigned();
        if is_full {
            scanned.after = scanned.found.last().map(|raw| raw.row.id).or(query.after);
            return Ok(scanned);
        }
        let Some(end) = end else {
            scanned.after = None;
            return Ok(scanned);
        };
        if query.newest_first {
            high = place(end);
        } else {
            low = place(end);
        }
        scanned.after = Some(end);
    }
    Ok(scanned)
}

/// The last row that a statement looks at; `None` = it looks at all that there is.
async fn end(
    link: &Link,
    (low, high): ((i64, i64), (i64, i64)),
    newest_first: bool,
) -> Result<Option<CheckId>, DbError> {
    let direction = direction(newest_first);
    let sql = format!(
        "SELECT position, tail FROM ledger
         WHERE position >= $1 AND (position > $1 OR tail > $2) AND position <= $3 AND (position < $3 OR tail < $4)
         ORDER BY position {direction}, tail {direction} OFFSET $5 LIMIT 1"
    );
    let row = link.query_opt(&sql, params![low.0, low.1, high.0, high.1, ROWS_PER_STATEMENT - 1]).await?;
    row.map(|row| Columns(&row).check_id()).transpose()
}

fn direction(newest_first: bool) -> &'static str {
    if newest_first { "DESC" } else { "ASC" }
}

/// What fits between two places, in the order asked for.
async fn between(
    link: &Link,
    query: &AskedQuery,
    (low, high): ((i64, i64), (i64, i64)),
    limit: usize,
) -> Result<Vec<Raw>, DbError> {
    // The places of side rows are said once more: their index of blocks finds them by nothing else.
    let sql = format!(
        "SELECT {COLUMNS}, coalesce(subject.number_hash, forgotten.number_hash) AS number_hash, subject.sealed
         FROM ledger
             LEFT JOIN subject ON (subject.partner, subject.position, subject.tail)
                                = (ledger.partner, ledger.position, ledger.tail)
                             AND subject.position >= $1 AND subject.position <= $3
             LEFT JOIN forgotten ON (forgotten.partner, forgotten.position, forgotten.tail)
                                  = (ledger.partner, ledger.position, ledger.tail)
         WHERE ledger.position >= $1 AND (ledger.position > $1 OR ledger.tail > $2)
             AND ledger.position <= $3 AND (ledger.position < $3 OR ledger.tail < $4)
             AND ($6::bigint IS NULL OR ledger.at >= $6) AND ($7::bigint IS NULL OR ledger.at < $7)
             AND ($8::bigint IS NULL OR ledger.partner = $8)
             AND ($9 OR coalesce(subject.number_hash, forgotten.number_hash) = ANY ($10))
             AND ($11::bigint IS NULL OR ledger.app = $11) AND ($12::smallint IS NULL OR ledger.outcome = $12)
         ORDER BY ledger.position {direction}, ledger.tail {direction} LIMIT $5",
        direction = direction(query.newest_first)
    );
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let (from, until) =
        (query.from.map(jiff::Timestamp::as_microsecond), query.until.map(jiff::Timestamp::as_microsecond));
    let partner = query.partner.map(|partner| partner.as_u64().cast_signed());
    let numbers = query.numbers.iter().take(AskedQuery::NUMBERS_MAX);
    let numbers: Vec<Vec<u8>> = numbers.map(|number| number.0.to_vec()).collect();
    let any = numbers.is_empty();
    let app = query.app.map(|app| app.as_u64().cast_signed());
    let outcome = query.outcome.map(outcome_code);
    let (low, low_tail) = low;
    let (high, high_tail) = high;
    let params = params![low, low_tail, high, high_tail, limit, from, until, partner, any, numbers, app, outcome];
    let rows = link.query(&sql, params).await?;
    rows.iter().map(read).collect()
}

fn read(row: &Row) -> Result<Raw, DbError> {
    let columns = Columns(row);
    let number = columns.optional_bytes("number_hash")?.map(SubjectHash);
    Ok(Raw { row: rows::read(row)?.0, number, sealed: columns.get("sealed")? })
}
