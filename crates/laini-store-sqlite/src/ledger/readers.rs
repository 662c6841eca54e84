//! Reading beside the writer: short transactions on connections of their own.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use laini_core::billing::CheckId;
use laini_core::store::{ChainPage, LedgerError, LedgerRow, Mac, PlacedRow, RowQuery, SubjectHash, WriterEnd};
use rusqlite::{Connection, OptionalExtension, params};

use laini_store::ledger::{Link, outcome_code};

use super::schema::{self, COLUMNS};
use crate::sql::{self, StoreError};

/// Connections that are kept for the next read.
const KEPT_CONNECTIONS: usize = 4;
/// Rows that one read transaction looks at, so that it pins the WAL for milliseconds only.
const ROWS_PER_TRANSACTION: usize = 4_000;
/// Rows that a caller gets at most, whatever it asks for.
const ROWS_PER_PAGE: usize = 100_000;
/// How long after its minting a check can be decided: longer than any request lives.
pub(super) const MINTED_BEFORE_S: i64 = 60;
/// How far a clock that is set back can leave ids ahead of the instants of their rows.
const CLOCK_SET_BACK_S: i64 = 86_400;

/// Rows beyond it are somebody else's work: they are not read, and a verification misses them.
const END_OF_POSITIONS: i64 = 1 << schema::POSITION_BITS;

/// A pool of reading connections to one ledger.
#[derive(Clone)]
pub(super) struct Readers {
    path: Arc<PathBuf>,
    idle: Arc<Mutex<Vec<Connection>>>,
}

impl Readers {
    /// Readers of an existing file; one connection is opened to see that it can be.
    pub(super) fn open(path: &Path) -> Result<Self, StoreError> {
        let first = sql::open_reader(path)?;
        Ok(Self { path: Arc::new(path.to_owned()), idle: Arc::new(Mutex::new(vec![first])) })
    }

    /// Runs `read` off the async threads, where there are some.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, LedgerError> {
        let readers = self.clone();
        let work = move || readers.run_here(read);
        match tokio::runtime::Handle::try_current() {
            Ok(runtime) => runtime
                .spawn_blocking(work)
                .await
                .unwrap_or_else(|error| Err(LedgerError::Unreadable(error.to_string()))),
            Err(_) => work(),
        }
    }

    /// [`Readers::run`] on this thread; for reads of a row or two.
    pub(super) fn run_here<T>(&self, read: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Result<T, LedgerError> {
        let unreadable = |error: String| LedgerError::Unreadable(error);
        let kept = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let connection = match kept {
            Some(connection) => connection,
            None => sql::open_reader(&self.path).map_err(|error| unreadable(error.to_string()))?,
        };
        // A connection that failed is not kept: the next read starts afresh.
        let found = read(&connection).map_err(|error| unreadable(format!("ledger.db: {error}")))?;
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() < KEPT_CONNECTIONS {
            idle.push(connection);
        }
        Ok(found)
    }
}

/// The newest id, as its place has it: all that is minted after it finds a free one.
pub(super) fn newest(connection: &Connection) -> rusqlite::Result<Option<CheckId>> {
    let sql = "SELECT position, tail FROM ledger WHERE position < ?1 ORDER BY position DESC LIMIT 1";
    let id = |row: &rusqlite::Row<'_>| -> rusqlite::Result<CheckId> {
        let (position, tail): (i64, i64) = (row.get(0)?, row.get(1)?);
        Ok(CheckId::from_parts(position.cast_unsigned(), tail.cast_unsigned()))
    };
    connection.prepare_cached(sql)?.query_row([END_OF_POSITIONS], id).optional()
}

/// Rows that fit the query, page by page of [`ROWS_PER_TRANSACTION`]: no index but the id's is kept
/// (a random one costs more than the row), so filters are answered by reading along.
pub(super) fn rows(connection: &Connection, query: &RowQuery) -> rusqlite::Result<Vec<PlacedRow>> {
    let limit = query.limit.min(ROWS_PER_PAGE);
    let sql = format!(
        "SELECT {COLUMNS}, ledger.position FROM ledger WHERE position > ?1 AND position < ?2 ORDER BY position LIMIT ?3"
    );
    let (mut after, until) = bounds(connection, query.after, (query.from, query.until))?;
    let mut found = Vec::new();
    while found.len() < limit {
        let mut statement = connection.prepare_cached(&sql)?;
        let mut rows = statement.query(params![after, until, ROWS_PER_TRANSACTION.cast_signed()])?;
        let mut seen = 0;
        while let Some(row) = rows.next()? {
            seen += 1;
            after = row.get(21)?;
            if fits(row, query)? {
                let (row, Link { writer, seq, .. }) = schema::read(row)?;
                found.push(PlacedRow { row, writer, seq });
                if found.len() == limit {
                    break;
                }
            }
        }
        if seen < ROWS_PER_TRANSACTION {
            break;
        }
    }
    Ok(found)
}

/// The places between which rows can fit: `at` follows the minting of the id closely.
pub(super) fn bounds(
    connection: &Connection,
    after: Option<CheckId>,
    (from, until): (Option<jiff::Timestamp>, Option<jiff::Timestamp>),
) -> rusqlite::Result<(i64, i64)> {
    let shifted = |at: jiff::Timestamp, seconds: i64| {
        let at = at.checked_add(jiff::SignedDuration::from_secs(seconds)).unwrap_or(at);
        CheckId::floor(at).position().cast_signed()
    };
    let from = from.map_or(-1, |from| shifted(from, -MINTED_BEFORE_S) - 1);
    let after = after.map_or(Ok(-1), |after| schema::place(connection, after))?;
    let until = until.map_or(END_OF_POSITIONS, |until| shifted(until, CLOCK_SET_BACK_S));
    Ok((from.max(after), until))
}

fn fits(row: &rusqlite::Row<'_>, query: &RowQuery) -> rusqlite::Result<bool> {
    let at: i64 = row.get(4)?;
    let in_time = query.from.is_none_or(|from| at >= from.as_microsecond())
        && query.until.is_none_or(|until| at < until.as_microsecond());
    if !in_time {
        return Ok(false);
    }
    let (partner, app, outcome): (i64, i64, i64) = (row.get(5)?, row.get(6)?, row.get(11)?);
    Ok(query.partner.is_none_or(|wanted| partner == wanted.as_u64().cast_signed())
        && query.app.is_none_or(|wanted| app == wanted.as_u64().cast_signed())
        && query.outcome.is_none_or(|wanted| outcome == i64::from(outcome_code(wanted))))
}

/// Where each writer's chain ends that has rows after `after`. No index says it: rows are read along, most of their
/// columns left alone.
pub(super) fn ends(connection: &Connection, after: Option<CheckId>) -> rusqlite::Result<Vec<WriterEnd>> {
    let sql = "SELECT position, writer, seq, at, mac FROM ledger
         WHERE position > ?1 AND position < ?2 ORDER BY position LIMIT ?3";
    let mut after = after.map_or(Ok(-1), |after| schema::place(connection, after))?;
    let mut ends: BTreeMap<u32, WriterEnd> = BTreeMap::new();
    loop {
        let mut statement = connection.prepare_cached(sql)?;
        let mut rows = statement.query(params![after, END_OF_POSITIONS, ROWS_PER_TRANSACTION.cast_signed()])?;
        let mut seen = 0;
        while let Some(row) = rows.next()? {
            seen += 1;
            after = row.get(0)?;
            let (writer, seq) = (row.get(1)?, schema::bits(row, 2, 63)?);
            if ends.get(&writer).is_none_or(|end| end.seq < seq) {
                let (at, mac) = (schema::instant(row, 3)?, Mac(row.get(4)?));
                ends.insert(writer, WriterEnd { writer, seq, at, mac });
            }
        }
        if seen < ROWS_PER_TRANSACTION {
            return Ok(ends.into_values().collect());
        }
    }
}

pub(super) fn chain(connection: &Connection, after: Option<CheckId>, limit: usize) -> rusqlite::Result<ChainPage> {
    let sql = format!(
        "SELECT {COLUMNS}, number_hash, repeat_key, sealed FROM ledger LEFT JOIN subject USING (position)
         WHERE ledger.position > ?1 AND ledger.position < ?2 ORDER BY ledger.position LIMIT ?3",
    );
    let mut statement = connection.prepare_cached(&sql)?;
    let after = after.map_or(Ok(-1), |after| schema::place(connection, after))?;
    let limit = limit.min(ROWS_PER_PAGE).cast_signed();
    let rows = statement.query_map(params![after, END_OF_POSITIONS, limit], schema::read_chained)?;
    Ok(ChainPage { rows: rows.collect::<rusqlite::Result<_>>()? })
}

/// The row of this id, its side row as it lies there, and whether its charge was reversed.
pub(super) fn find(connection: &Connection, id: CheckId) -> rusqlite::Result<Option<Found>> {
    let sql = format!(
        "SELECT {COLUMNS}, coalesce(subject.number_hash, forgotten.number_hash), subject.sealed,
             EXISTS (SELECT 1 FROM reversed WHERE reversed.position = ledger.position)
         FROM ledger LEFT JOIN subject ON subject.position = ledger.position
             LEFT JOIN forgotten ON forgotten.position = ledger.position
         WHERE ledger.position = ?1 AND ledger.tail = ?2",
    );
    let found = |row: &rusqlite::Row<'_>| -> rusqlite::Result<Found> {
        let number = row.get::<_, Option<[u8; 16]>>(21)?.map(SubjectHash);
        Ok(Found { row: schema::read(row)?.0, number, sealed: row.get(22)?, is_reversed: row.get(23)? })
    };
    let place = [schema::place(connection, id)?, id.tail().cast_signed()];
    connection.prepare_cached(&sql)?.query_row(place, found).optional()
}

/// What [`find`] finds.
pub(super) struct Found {
    pub(super) row: LedgerRow,
    /// The hash of its number.
    pub(super) number: Option<SubjectHash>,
    /// Its sealed side row, until that is forgotten.
    pub(super) sealed: Option<Vec<u8>>,
    pub(super) is_reversed: bool,
}

/// Makes or migrates the file where the reader is the first to come; names it.
pub(super) fn prepare(dir: &Path) -> Result<PathBuf, StoreError> {
    let path = dir.join("ledger.db");
    let is_current = path.exists() && {
        let connection = sql::open_reader(&path)?;
        let version: isize =
            connection.query_row("PRAGMA user_version", [], |row| row.get(0)).map_err(sql::failed(&path))?;
        version == schema::MIGRATIONS.len().cast_signed()
    };
    if !is_current {
        sql::open_writer(&path, schema::MIGRATIONS)?;
    }
    Ok(path)
}
