//! What a writer must know of the file before it writes: at start, and after a failure.

use std::path::Path;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use laini_core::billing::{CheckId, Outcome};
use laini_core::store::{Mac, RepeatKey, RepeatMemory, RepeatWindow};
use rusqlite::{Connection, OptionalExtension, params};

use super::append::Tip;
use super::readers::{self, MINTED_BEFORE_S};
use super::schema::{MIGRATIONS, outcome_code};
use crate::sql::{self, StoreError, failed};

/// How long the writer waits for a foreign process that holds the file (nobody should).
const BUSY_TIMEOUT: Duration = Duration::from_secs(2);
/// A WAL that grew beyond this is cut back to it when it starts over.
const WAL_KEPT_BYTES: i64 = 64 << 20;

/// Opens the file for its writer; checkpoints are the writer's own affair.
pub(super) fn open_connection(path: &Path) -> Result<Connection, StoreError> {
    let connection = sql::open_writer(path, MIGRATIONS)?;
    let set_up = || -> rusqlite::Result<()> {
        connection.busy_timeout(BUSY_TIMEOUT)?;
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

/// Where the writer's chain ends, and the instant of the newest row of all.
pub(super) fn load_tip(connection: &Connection, writer: u32) -> rusqlite::Result<(Tip, Option<Timestamp>)> {
    let Some(newest) = readers::newest(connection)? else { return Ok((Tip::START, None)) };
    // The last row of the chain is among the newest ids, though not always the newest one. Only a
    // writer that was away for long has to look through everything.
    let mut last = connection
        .prepare("SELECT seq, mac FROM ledger WHERE position >= ?1 AND writer = ?2 ORDER BY seq DESC LIMIT 1")?;
    let mut tip = None;
    for from in [before(newest, SignedDuration::from_secs(MINTED_BEFORE_S)), 0] {
        if tip.is_none() {
            let read =
                |row: &rusqlite::Row<'_>| Ok(Tip { seq: row.get::<_, i64>(0)?.cast_unsigned(), mac: Mac(row.get(1)?) });
            tip = last.query_row(params![from, writer], read).optional()?;
        }
    }
    let at = "SELECT at FROM ledger WHERE position = ?1";
    let at: i64 = connection.query_row(at, [newest.position().cast_signed()], |row| row.get(0))?;
    Ok((tip.unwrap_or(Tip::START), Timestamp::from_microsecond(at).ok()))
}

/// Fills the memory with the charged checks that can still be repeated for free, seen from the newest
/// row: nothing is decided before it.
pub(super) fn recall_repeats(connection: &Connection, memory: &mut RepeatMemory) -> rusqlite::Result<()> {
    let Some(newest) = readers::newest(connection)? else { return Ok(()) };
    let from = before(newest, RepeatWindow::LONGEST + SignedDuration::from_secs(MINTED_BEFORE_S));
    let mut statement = connection.prepare(
        "SELECT outcome, at, repeat_key, repeat_window_s FROM ledger JOIN subject USING (position)
         WHERE position >= ?1 AND outcome IN (?2, ?3) ORDER BY seq",
    )?;
    let (answered, repeated) = (outcome_code(Outcome::Answered), outcome_code(Outcome::Repeated));
    let mut rows = statement.query(params![from, answered, repeated])?;
    while let Some(row) = rows.next()? {
        let key = RepeatKey(row.get(2)?);
        if row.get::<_, i64>(0)? == repeated {
            memory.repeated(key);
            continue;
        }
        let is_long = row.get::<_, i64>(3)? == RepeatWindow::SameRequestId.length().as_secs();
        let window = if is_long { RepeatWindow::SameRequestId } else { RepeatWindow::NoRequestId };
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
