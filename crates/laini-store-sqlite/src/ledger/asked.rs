//! Checks with what they were about: a scan in short transactions, for no index on numbers is kept.

use laini_core::billing::CheckId;
use laini_core::store::{AskedQuery, LedgerRow, SubjectHash};
use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension as _, Row, params, params_from_iter};

use super::readers::bounds;
use super::schema::{self, COLUMNS};

/// Rows that one read transaction looks at, so that it pins the WAL for milliseconds only.
const ROWS_PER_TRANSACTION: i64 = 4_000;
/// Rows that one call looks at, however few of them fit.
const ROWS_PER_CALL: u64 = 100_000;
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

/// Where a transaction ends: the place of its last row, and that row's id.
struct End {
    place: i64,
    id: CheckId,
}

pub(super) fn scan(connection: &Connection, query: &AskedQuery) -> rusqlite::Result<Scanned> {
    let limit = query.limit.min(CHECKS_PER_CALL);
    let (mut after, until) = bounds(connection, query.after, (query.from, query.until))?;
    let mut scanned = Scanned::default();
    while scanned.looked_at < ROWS_PER_CALL {
        let end = end(connection, after, until)?;
        let last = end.as_ref().map_or(until - 1, |end| end.place);
        let left = limit - scanned.found.len();
        let found = between(connection, query, (after, last), left)?;
        let is_full = found.len() == left;
        scanned.found.extend(found);
        scanned.looked_at += ROWS_PER_TRANSACTION.cast_unsigned();
        if is_full {
            scanned.after = scanned.found.last().map(|raw| raw.row.id).or(query.after);
            return Ok(scanned);
        }
        let Some(end) = end else {
            scanned.after = None;
            return Ok(scanned);
        };
        (after, scanned.after) = (end.place, Some(end.id));
    }
    Ok(scanned)
}

fn end(connection: &Connection, after: i64, until: i64) -> rusqlite::Result<Option<End>> {
    let sql = "SELECT ifnull((SELECT displaced.position FROM displaced WHERE displaced.place = ledger.position),
                      ledger.position), tail, ledger.position FROM ledger
               WHERE position > ?1 AND position < ?2 ORDER BY position LIMIT 1 OFFSET ?3";
    let read = |row: &Row<'_>| Ok(End { place: row.get(2)?, id: schema::read_id(row)? });
    connection.prepare_cached(sql)?.query_row(params![after, until, ROWS_PER_TRANSACTION - 1], read).optional()
}

/// What fits between two places, in order. Columns are read of what fits alone.
fn between(
    connection: &Connection,
    query: &AskedQuery,
    (after, last): (i64, i64),
    limit: usize,
) -> rusqlite::Result<Vec<Raw>> {
    let numbers = &query.numbers[..query.numbers.len().min(AskedQuery::NUMBERS_MAX)];
    let of_numbers = match numbers.len() {
        0 => String::new(),
        count => format!(
            "AND coalesce(subject.number_hash, forgotten.number_hash) IN ({})",
            (7..7 + count).map(|place| format!("?{place}")).collect::<Vec<_>>().join(",")
        ),
    };
    let sql = format!(
        "SELECT {COLUMNS}, coalesce(subject.number_hash, forgotten.number_hash), subject.sealed
         FROM ledger LEFT JOIN subject ON subject.position = ledger.position
             LEFT JOIN forgotten ON forgotten.position = ledger.position
         WHERE ledger.position > ?1 AND ledger.position <= ?2 {of_numbers}
             AND (?4 IS NULL OR at >= ?4) AND (?5 IS NULL OR at < ?5) AND (?6 IS NULL OR partner = ?6)
         ORDER BY ledger.position LIMIT ?3"
    );
    let micros = |at: Option<jiff::Timestamp>| at.map_or(Value::Null, |at| Value::Integer(at.as_microsecond()));
    let partner = query.partner.map_or(Value::Null, |partner| Value::Integer(partner.as_u64().cast_signed()));
    let limit = Value::Integer(limit.cast_signed() as i64);
    let fixed = [Value::Integer(after), Value::Integer(last), limit, micros(query.from), micros(query.until), partner];
    let hashes = numbers.iter().map(|number| Value::Blob(number.0.to_vec()));
    let read = |row: &Row<'_>| {
        let number = row.get::<_, Option<[u8; 16]>>(21)?.map(SubjectHash);
        Ok(Raw { row: schema::read(row)?.0, number, sealed: row.get(22)? })
    };
    let mut statement = connection.prepare_cached(&sql)?;
    let rows = statement.query_map(params_from_iter(fixed.into_iter().chain(hashes)), read)?;
    rows.collect()
}
