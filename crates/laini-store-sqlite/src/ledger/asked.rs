//! Checks with what they were about: a scan in short transactions, for no index on numbers is kept.

use laini_core::billing::CheckId;
use laini_core::partner::{AppId, PartnerId};
use laini_core::store::{AskedQuery, LedgerRow, SubjectHash};
use laini_store::ledger::{ROWS_PER_LOOK, outcome_code};
use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension as _, Row, params, params_from_iter};

use super::readers::bounds;
use super::schema::{self, COLUMNS};

/// Rows that one read transaction looks at, so that it pins the WAL for milliseconds only.
const ROWS_PER_TRANSACTION: i64 = 4_000;
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
    // What is left to be read: between these two places, neither of them included.
    let (mut low, mut high) = bounds(connection, None, (query.from, query.until))?;
    match query.after.map(|after| schema::place(connection, after)).transpose()? {
        Some(after) if query.newest_first => high = high.min(after),
        Some(after) => low = low.max(after),
        None => {}
    }
    let mut scanned = Scanned::default();
    while scanned.looked_at < ROWS_PER_LOOK {
        let end = end(connection, (low, high), query.newest_first)?;
        let piece = match &end {
            None => (low, high),
            Some(end) if query.newest_first => (end.place - 1, high),
            Some(end) => (low, end.place + 1),
        };
        let left = limit - scanned.found.len();
        let found = between(connection, query, piece, left)?;
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
        if query.newest_first {
            high = end.place;
        } else {
            low = end.place;
        }
        scanned.after = Some(end.id);
    }
    Ok(scanned)
}

fn end(connection: &Connection, (low, high): (i64, i64), newest_first: bool) -> rusqlite::Result<Option<End>> {
    let direction = direction(newest_first);
    let sql = format!(
        "SELECT ifnull((SELECT displaced.position FROM displaced WHERE displaced.place = ledger.position),
                ledger.position), tail, ledger.position FROM ledger
         WHERE position > ?1 AND position < ?2 ORDER BY position {direction} LIMIT 1 OFFSET ?3"
    );
    let read = |row: &Row<'_>| Ok(End { place: row.get(2)?, id: schema::read_id(row)? });
    connection.prepare_cached(&sql)?.query_row(params![low, high, ROWS_PER_TRANSACTION - 1], read).optional()
}

fn direction(newest_first: bool) -> &'static str {
    if newest_first { "DESC" } else { "ASC" }
}

/// What fits between two places, in the order asked for. Columns are read of what fits alone.
fn between(
    connection: &Connection,
    query: &AskedQuery,
    (low, high): (i64, i64),
    limit: usize,
) -> rusqlite::Result<Vec<Raw>> {
    let numbers = &query.numbers[..query.numbers.len().min(AskedQuery::NUMBERS_MAX)];
    let of_numbers = match numbers.len() {
        0 => String::new(),
        count => format!(
            "AND coalesce(subject.number_hash, forgotten.number_hash) IN ({})",
            (9..9 + count).map(|place| format!("?{place}")).collect::<Vec<_>>().join(",")
        ),
    };
    let sql = format!(
        "SELECT {COLUMNS}, coalesce(subject.number_hash, forgotten.number_hash), subject.sealed
         FROM ledger LEFT JOIN subject ON subject.position = ledger.position
             LEFT JOIN forgotten ON forgotten.position = ledger.position
         WHERE ledger.position > ?1 AND ledger.position < ?2 {of_numbers}
             AND (?4 IS NULL OR at >= ?4) AND (?5 IS NULL OR at < ?5) AND (?6 IS NULL OR partner = ?6)
             AND (?7 IS NULL OR app = ?7) AND (?8 IS NULL OR outcome = ?8)
         ORDER BY ledger.position {} LIMIT ?3",
        direction(query.newest_first)
    );
    let micros = |at: Option<jiff::Timestamp>| at.map_or(Value::Null, |at| Value::Integer(at.as_microsecond()));
    let id = |id: Option<u64>| id.map_or(Value::Null, |id| Value::Integer(id.cast_signed()));
    let outcome = query.outcome.map_or(Value::Null, |outcome| Value::Integer(outcome_code(outcome).into()));
    let fixed = [
        Value::Integer(low),
        Value::Integer(high),
        Value::Integer(limit.cast_signed() as i64),
        micros(query.from),
        micros(query.until),
        id(query.partner.map(PartnerId::as_u64)),
        id(query.app.map(AppId::as_u64)),
        outcome,
    ];
    let hashes = numbers.iter().map(|number| Value::Blob(number.0.to_vec()));
    let read = |row: &Row<'_>| {
        let number = row.get::<_, Option<[u8; 16]>>(21)?.map(SubjectHash);
        Ok(Raw { row: schema::read(row)?.0, number, sealed: row.get(22)? })
    };
    let mut statement = connection.prepare_cached(&sql)?;
    let rows = statement.query_map(params_from_iter(fixed.into_iter().chain(hashes)), read)?;
    rows.collect()
}
