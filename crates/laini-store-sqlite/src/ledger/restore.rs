//! What a writer must know of the file before it writes: at start, and after a failure.

use std::path::Path;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use laini_core::billing::{CheckId, Outcome};
use laini_core::store::{Mac, RepeatKey, RepeatMemory, RepeatWindow};
use rusqlite::{Connection, OptionalExtension, params};

use super::append::Tip;
use super::readers::{self, MINTED_BEFORE_S};
use laini_store::ledger::{outcome_code, repeat_window};

use super::schema::MIGRATIONS;
use crate::sql::{self, StoreError, failed};

/// How long the writer waits for a foreign process that holds the file (nobody should). Twice this, a
/// failed attempt and the next one, is the most that a check waits for it.
const BUSY_TIMEOUT: Duration = Duration::from_secs(2);
/// A WAL that grew beyond this is cut back to it when it starts over.
const WAL_KEPT_BYTES: i64 = 64 << 20;

/// Opens the file for its writer; checkpoints are the writer's own affair.
pub(super) fn open_connection(path: &Path) -> Result<Connection, StoreError> {
    let connection = sql::open_writer_within(BUSY_TIMEOUT, path, MIGRATIONS)?;
    let set_up = || -> rusqlite::Result<()> {
        connection.pragma_update(None, "wal_autocheckpoint", 0)?;
        connection.pragma_update(None, "journal_size_limit", WAL_KEPT_BYTES)
    };
    set_up().map_err(failed(path))?;
    Ok(connection)
}

/// Moves everything that is committed from the WAL into the database and empties the WAL.
///
/// Afterwards no commit is in doubt: what can be read is durable (a row that is only in a WAL whose
/// fsync failed may be readable and yet be lost), and what cannot be read will not turn up.
pub(super) fn settle(connection: &Connection) -> rusqlite::Result<()> {
    let is_busy: bool = connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0))?;
    if !is_busy {
        return Ok(());
    }
    let reason = "a reader has held the file for too long".to_owned();
    Err(rusqlite::Error::SqliteFailure(rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_BUSY), Some(reason)))
}

/// Where the writer's chain ends, and the whole ledger.
pub(super) fn load_tip(connection: &Connection, writer: u32) -> rusqlite::Result<Tip> {
    let Some(newest) = readers::newest(connection)? else { return Ok(Tip::START) };
    // The last row of the chain is among the newest ids, though not always the newest one. Only a
    // writer that was away for long has to look through everything.
    let mut last = connection
        .prepare("SELECT seq, mac FROM ledger WHERE position >= ?1 AND writer = ?2 ORDER BY seq DESC LIMIT 1")?;
    let mut tip = None;
    for from in [before(newest, SignedDuration::from_secs(MINTED_BEFORE_S)), 0] {
        if tip.is_none() {
            let read = |row: &rusqlite::Row<'_>| Ok((row.get::<_, i64>(0)?.cast_unsigned(), Mac(row.get(1)?)));
            tip = last.query_row(params![from, writer], read).optional()?;
        }
    }
    let at = "SELECT at FROM ledger WHERE position = ?1";
    let at: i64 = connection.query_row(at, [newest.position().cast_signed()], |row| row.get(0))?;
    let (seq, mac) = tip.unwrap_or((Tip::START.seq, Tip::START.mac));
    let newest_at = Timestamp::from_microsecond(at).unwrap_or(Tip::START.newest_at);
    Ok(Tip { seq, mac, newest: Some(newest), newest_at })
}

/// What can be repeated for free, in the order of positions: that of places costs a sort, and differs by
/// the checks that were under way at once. The window stands in the side row, so that is read first
/// and the row itself only where its window reaches so far.
const REPEATABLE: &str = "SELECT outcome, at, repeat_key, repeat_window_s
     FROM subject CROSS JOIN ledger USING (position)
     WHERE position >= ?1 AND (position >= ?2 OR repeat_window_s = ?3) AND outcome IN (?4, ?5)
         AND position NOT IN (SELECT position FROM reversed)
     ORDER BY position";

/// Fills the memory with the charged checks that can still be repeated for free, seen from the newest
/// row: nothing is decided before it.
pub(super) fn recall_repeats(connection: &Connection, memory: &mut RepeatMemory) -> rusqlite::Result<()> {
    let Some(newest) = readers::newest(connection)? else { return Ok(()) };
    let from = |window: RepeatWindow| before(newest, window.length() + SignedDuration::from_secs(MINTED_BEFORE_S));
    // What would be forgotten again for want of room need not be read.
    let rows_max = i64::try_from(memory.capacity()).unwrap_or(i64::MAX);
    let sql = "SELECT position FROM subject ORDER BY position DESC LIMIT 1 OFFSET ?1";
    let oldest: i64 = connection.query_row(sql, [rows_max], |row| row.get(0)).optional()?.unwrap_or(0);
    let (short, long) = (from(RepeatWindow::NoRequestId).max(oldest), from(RepeatWindow::SameRequestId).max(oldest));
    let long_s = RepeatWindow::SameRequestId.length().as_secs();
    let (answered, repeated) = (outcome_code(Outcome::Answered), outcome_code(Outcome::Repeated));
    let mut statement = connection.prepare(REPEATABLE)?;
    let mut rows = statement.query(params![long, short, long_s, answered, repeated])?;
    while let Some(row) = rows.next()? {
        let key = RepeatKey(row.get(2)?);
        if row.get::<_, i16>(0)? == repeated {
            memory.repeated(key);
            continue;
        }
        let window = repeat_window(row.get(3)?);
        if let Ok(at) = Timestamp::from_microsecond(row.get(1)?) {
            memory.charged(key, window, at);
        }
    }
    Ok(())
}

/// The first position that a check minted so long before `id` can have.
fn before(id: CheckId, time: SignedDuration) -> i64 {
    let millis = id.position() >> 12;
    let time = u64::try_from(time.as_millis()).unwrap_or(0);
    (millis.saturating_sub(time) << 12).cast_signed()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_can_be_repeated_is_read_in_place_from_the_end_of_both_tables() {
        let connection = Connection::open_in_memory().unwrap();
        for migration in MIGRATIONS {
            connection.execute_batch(migration).unwrap();
        }
        let mut statement = connection.prepare(&format!("EXPLAIN QUERY PLAN {REPEATABLE}")).unwrap();
        let plan = statement.query_map([0; 5], |row| row.get(3)).unwrap();
        let plan: Vec<String> = plan.map(Result::unwrap).collect();
        let expected = [
            "SEARCH subject USING INTEGER PRIMARY KEY (rowid>?)",
            "USING ROWID SEARCH ON TABLE reversed FOR IN-OPERATOR",
            "SEARCH ledger USING INTEGER PRIMARY KEY (rowid=?)",
        ];
        assert_eq!(plan, expected);
    }
}
