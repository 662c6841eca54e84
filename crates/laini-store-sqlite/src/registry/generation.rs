use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use laini_core::line::{HashedImsi, LineState, Msisdn, Refusal, RegistrySeal};
use laini_store::registry::columns::{count, key, micros, msisdn, nth, position};
use laini_store::registry::{Broken, Lines, Row};
use rusqlite::{Connection, OptionalExtension as _, params};

use super::failure::Failure;
use crate::sql::open_reader;

/// The schema of a generation's file.
pub(crate) const MIGRATIONS: &[&str] = &["
CREATE TABLE line(
    msisdn INTEGER PRIMARY KEY, imsi BLOB, registered INTEGER NOT NULL, swapped INTEGER, flags INTEGER NOT NULL,
    holder INTEGER, paired INTEGER
);
CREATE TABLE line_extra(msisdn INTEGER PRIMARY KEY, hashed_imsi TEXT NOT NULL);
-- The line as the snapshot had it, copied when an event first changes it; without flags: it had none.
CREATE TABLE line_base(
    msisdn INTEGER PRIMARY KEY, imsi BLOB, registered INTEGER, swapped INTEGER, flags INTEGER, holder INTEGER,
    paired INTEGER, hashed_imsi TEXT
);
-- Events of the history that could not be applied, by the position of the reason in Refusal::ALL.
CREATE TABLE unapplied(event INTEGER PRIMARY KEY, refusal INTEGER NOT NULL);
CREATE TABLE generation(
    one INTEGER PRIMARY KEY CHECK (one = 1), cut INTEGER, history_since INTEGER NOT NULL, lines INTEGER NOT NULL,
    refused_rows INTEGER NOT NULL, applied_event INTEGER NOT NULL, applied_refused INTEGER NOT NULL
);
"];

/// How much of the file a reader maps into memory; beyond it, it reads by system calls.
const READER_MAP_BYTES: i64 = 64 << 30;
/// What a reader caches of its own, in KiB: the pages that it cannot map because they are in the WAL.
const READER_CACHE_KIB: i64 = 512;
/// How long a reader may go on seeing the same state.
const READ_PERIOD: Duration = Duration::from_millis(250);
/// Connections kept for the next look-ups.
const IDLE_READERS_LIMIT: usize = 64;
/// Statements that a connection keeps ready.
const STATEMENTS_CACHED: usize = 16;

/// What a generation says about itself. Instants in whole seconds or finer as noted.
#[derive(Debug, Clone, Copy)]
pub(super) struct Meta {
    /// The cut of its snapshot; `None` = it grew from events alone.
    pub(super) cut: Option<Timestamp>,
    pub(super) history_since: Timestamp,
    /// Lines in it; a number that only refused rows named is none.
    pub(super) lines: i64,
    /// Rows of the snapshot that were refused.
    pub(super) refused_rows: i64,
    /// The newest event and refused row of the history that are applied.
    pub(super) applied_event: i64,
    pub(super) applied_refused: i64,
}

impl Meta {
    /// The instant after which events count.
    pub(super) fn events_after(&self) -> Timestamp {
        self.cut.unwrap_or(Timestamp::MIN)
    }
}

/// A generation as readers see it: a pool of read-only connections, one per look-up under way.
pub(super) struct Generation {
    pub(super) number: u64,
    pub(super) meta: Meta,
    path: PathBuf,
    idle: Mutex<Vec<Reader>>,
}

/// A connection and its read transaction, which lasts over many look-ups: to begin and end one costs
/// two file locks and a `stat`, more than the look-up itself.
struct Reader {
    connection: Connection,
    began: Option<Instant>,
}

impl Generation {
    /// Opens the file of generation `number`.
    pub(super) fn open(number: u64, path: PathBuf) -> Result<Self, Failure> {
        let connection = connect(&path)?;
        let meta = meta(&connection)?;
        Ok(Self { number, meta, path, idle: Mutex::new(vec![Reader { connection, began: None }]) })
    }

    /// Lends a connection to `read`. One that failed is not used again.
    pub(super) fn read<T>(&self, read: impl FnOnce(&Connection) -> Result<T, Failure>) -> Result<T, Failure> {
        let idle = self.idle().pop();
        let mut reader = match idle {
            Some(reader) => reader,
            None => Reader { connection: connect(&self.path)?, began: None },
        };
        reader.begin()?;
        let found = read(&reader.connection)?;
        let mut idle = self.idle();
        if idle.len() < IDLE_READERS_LIMIT {
            idle.push(reader);
        }
        Ok(found)
    }

    /// Lets the idle readers see what was written since, and let go of the WAL that they held. Those
    /// that are never idle at the right moment move on by themselves.
    pub(super) fn release(&self) {
        self.idle().retain_mut(|reader| reader.end().is_ok());
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Reader>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Reader {
    /// Sees to it that there is a transaction, and none that is too old.
    fn begin(&mut self) -> Result<(), Failure> {
        if self.began.is_some_and(|began| began.elapsed() < READ_PERIOD) {
            return Ok(());
        }
        self.end()?;
        self.connection.prepare_cached("BEGIN")?.execute([])?;
        self.began = Some(Instant::now());
        Ok(())
    }

    fn end(&mut self) -> Result<(), Failure> {
        if self.began.take().is_some() {
            self.connection.prepare_cached("COMMIT")?.execute([])?;
        }
        Ok(())
    }
}

/// A connection for reading that maps the file.
pub(super) fn connect(path: &Path) -> Result<Connection, Failure> {
    let connection = open_reader(path)?;
    connection.pragma_update(None, "mmap_size", READER_MAP_BYTES)?;
    connection.pragma_update(None, "cache_size", -READER_CACHE_KIB)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS_CACHED);
    Ok(connection)
}

/// The state of one line; the default where there is no row.
pub(super) fn look_up(connection: &Connection, number: Msisdn, seal: &RegistrySeal) -> Result<LineState, Failure> {
    Ok(line(connection, number)?.map(|row| row.open(number, seal)).transpose()?.unwrap_or_default())
}

/// The present row of one line.
fn line(connection: &Connection, number: Msisdn) -> Result<Option<Row>, Failure> {
    const SQL: &str = "SELECT imsi, registered, swapped, flags, holder, paired FROM line WHERE msisdn = ?1";
    let row = connection.prepare_cached(SQL)?.query_row([key(number)], |row| read_row(row, 0)).optional()?;
    row.map(|row| with_extra(connection, number, row)).transpose()
}

/// Adds what the side table has about a line whose row says so.
pub(super) fn with_extra(connection: &Connection, number: Msisdn, mut row: Row) -> Result<Row, Failure> {
    if row.has_extra() {
        let mut statement = connection.prepare_cached("SELECT hashed_imsi FROM line_extra WHERE msisdn = ?1")?;
        row.hashed = hashed(statement.query_row([key(number)], |row| row.get(0)).optional()?)?;
    }
    Ok(row)
}

/// The columns of a line after its number, in the order of [`read_row`].
pub(super) const COLUMNS: &str = "imsi, registered, swapped, flags, holder, paired";

/// Reads [`COLUMNS`] from column `first` on; what the side table has is for the caller to add.
pub(super) fn read_row(row: &rusqlite::Row<'_>, first: usize) -> rusqlite::Result<Row> {
    Ok(Row {
        imsi: row.get(first)?,
        registered: row.get(first + 1)?,
        swapped: row.get(first + 2)?,
        flags: row.get(first + 3)?,
        holder: row.get(first + 4)?,
        paired: row.get(first + 5)?,
        hashed: None,
    })
}

fn hashed(text: Option<String>) -> Result<Option<HashedImsi>, Failure> {
    Ok(text.map(|text| HashedImsi::parse(&text).map_err(|_| Broken::Damaged("a hashed IMSI"))).transpose()?)
}

/// The row of one line at the snapshot's cut, before any event.
fn row_at_cut(connection: &Connection, number: Msisdn) -> Result<Option<Row>, Failure> {
    const SQL: &str = "
        SELECT flags IS NOT NULL, hashed_imsi, imsi, ifnull(registered, 0), swapped, ifnull(flags, 0), holder, paired
        FROM line_base WHERE msisdn = ?1";
    let read = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?, read_row(row, 2)?));
    let kept: Option<(bool, _, _)> = connection.prepare_cached(SQL)?.query_row([key(number)], read).optional()?;
    match kept {
        None => line(connection, number),
        Some((false, ..)) => Ok(None),
        Some((true, text, row)) => Ok(Some(Row { hashed: hashed(text)?, ..row })),
    }
}

/// Keeps the row that a line had at the cut, before the first event changes it.
fn keep_base(connection: &Connection, number: Msisdn, row: Option<&Row>) -> Result<(), Failure> {
    const SQL: &str =
        "INSERT OR IGNORE INTO line_base(msisdn, imsi, registered, swapped, flags, holder, paired, hashed_imsi)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
    let hashed = row.and_then(|row| row.hashed.as_ref()).map(HashedImsi::as_str);
    connection.prepare_cached(SQL)?.execute(params![
        key(number),
        row.and_then(|row| row.imsi),
        row.map(|row| row.registered),
        row.and_then(|row| row.swapped),
        row.map(|row| row.flags),
        row.and_then(|row| row.holder),
        row.and_then(|row| row.paired),
        hashed
    ])?;
    Ok(())
}

/// Replaces the row of one line; `None` removes it.
fn write_line(connection: &Connection, number: Msisdn, row: Option<&Row>) -> Result<(), Failure> {
    const SQL: &str = "INSERT OR REPLACE INTO line(msisdn, imsi, registered, swapped, flags, holder, paired)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
    connection.prepare_cached("DELETE FROM line_extra WHERE msisdn = ?1")?.execute([key(number)])?;
    let Some(row) = row else {
        connection.prepare_cached("DELETE FROM line WHERE msisdn = ?1")?.execute([key(number)])?;
        return Ok(());
    };
    connection.prepare_cached(SQL)?.execute(params![
        key(number),
        row.imsi,
        row.registered,
        row.swapped,
        row.flags,
        row.holder,
        row.paired
    ])?;
    write_extra(connection, number, row)
}

/// Writes what belongs into the side table.
pub(super) fn write_extra(connection: &Connection, number: Msisdn, row: &Row) -> Result<(), Failure> {
    if let Some(hashed) = &row.hashed {
        let mut insert = connection.prepare_cached("INSERT INTO line_extra(msisdn, hashed_imsi) VALUES (?1, ?2)")?;
        insert.execute(params![key(number), hashed.as_str()])?;
    }
    Ok(())
}

/// Lines after `after` in ascending order, at most `limit`.
pub(super) fn scan(
    connection: &Connection,
    after: Option<Msisdn>,
    limit: usize,
    seal: &RegistrySeal,
) -> Result<Vec<(Msisdn, LineState)>, Failure> {
    let sql = format!("SELECT msisdn, {COLUMNS} FROM line WHERE msisdn > ?1 ORDER BY msisdn LIMIT ?2");
    let mut statement = connection.prepare_cached(&sql)?;
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let mut rows = statement.query(params![after.map_or(0, key), limit])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let number = msisdn(row.get(0)?)?;
        let row = with_extra(connection, number, read_row(row, 1)?)?;
        found.push((number, row.open(number, seal)?));
    }
    Ok(found)
}

/// What the generation says about itself.
pub(super) fn meta(connection: &Connection) -> Result<Meta, Failure> {
    const SQL: &str = "SELECT cut, history_since, lines, refused_rows, applied_event, applied_refused FROM generation";
    let columns = |row: &rusqlite::Row<'_>| {
        Ok((row.get::<_, Option<i64>>(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?, row.get(5)?))
    };
    let (cut, history_since, lines, refused_rows, applied_event, applied_refused) =
        connection.prepare_cached(SQL)?.query_row([], columns)?;
    Ok(Meta {
        cut: cut.map(micros).transpose()?,
        history_since: micros(history_since)?,
        lines,
        refused_rows,
        applied_event,
        applied_refused,
    })
}

/// Replaces what the generation says about itself.
pub(super) fn write_meta(connection: &Connection, meta: &Meta) -> Result<(), Failure> {
    const SQL: &str =
        "INSERT OR REPLACE INTO generation(one, cut, history_since, lines, refused_rows, applied_event, applied_refused)
        VALUES (1, ?1, ?2, ?3, ?4, ?5, ?6)";
    connection.prepare_cached(SQL)?.execute(params![
        meta.cut.map(Timestamp::as_microsecond),
        meta.history_since.as_microsecond(),
        meta.lines,
        meta.refused_rows,
        meta.applied_event,
        meta.applied_refused
    ])?;
    Ok(())
}

/// Why an event of the history is not applied; `None` where it is.
pub(super) fn refusal(connection: &Connection, event: i64) -> Result<Option<Refusal>, Failure> {
    let mut statement = connection.prepare_cached("SELECT refusal FROM unapplied WHERE event = ?1")?;
    statement.query_row([event], |row| row.get(0)).optional()?.map(nth_refusal).transpose()
}

/// Notes whether an event of the history is applied.
fn write_refusal(connection: &Connection, event: i64, refusal: Option<Refusal>) -> Result<(), Failure> {
    let Some(refusal) = refusal else {
        connection.prepare_cached("DELETE FROM unapplied WHERE event = ?1")?.execute([event])?;
        return Ok(());
    };
    let mut insert = connection.prepare_cached("INSERT OR REPLACE INTO unapplied(event, refusal) VALUES (?1, ?2)")?;
    insert.execute(params![event, position(&Refusal::ALL, &refusal)])?;
    Ok(())
}

/// The newest events before a place that are not applied, at most `limit`.
pub(super) fn unapplied(connection: &Connection, before: i64, limit: i64) -> Result<Vec<(i64, Refusal)>, Failure> {
    const SQL: &str = "SELECT event, refusal FROM unapplied WHERE event < ?1 ORDER BY event DESC LIMIT ?2";
    let mut statement = connection.prepare_cached(SQL)?;
    let mut rows = statement.query([before, limit])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push((row.get(0)?, nth_refusal(row.get(1)?)?));
    }
    Ok(found)
}

/// How many events are not applied: those that wait, and the others.
pub(super) fn count_unapplied(connection: &Connection) -> Result<(u64, u64), Failure> {
    let mut statement = connection.prepare_cached("SELECT refusal, count(*) FROM unapplied GROUP BY refusal")?;
    let mut rows = statement.query([])?;
    let (mut waiting, mut refused) = (0, 0);
    while let Some(row) = rows.next()? {
        let count = count(row.get(1)?);
        if nth_refusal(row.get(0)?)?.can_wait() { waiting += count } else { refused += count }
    }
    Ok((waiting, refused))
}

fn nth_refusal(position: i64) -> Result<Refusal, Failure> {
    Ok(nth(&Refusal::ALL, position).ok_or(Broken::Damaged("the reason of a refusal"))?)
}

/// The lines of a generation, for the steps of the feed. Transactions are the caller's.
pub(super) struct GenerationLines<'a>(pub(super) &'a Connection);

impl Lines for GenerationLines<'_> {
    type Error = Failure;

    fn line(&self, number: Msisdn) -> Result<Option<Row>, Failure> {
        line(self.0, number)
    }

    fn row_at_cut(&self, number: Msisdn) -> Result<Option<Row>, Failure> {
        row_at_cut(self.0, number)
    }

    fn keep_base(&mut self, number: Msisdn, row: Option<&Row>) -> Result<(), Failure> {
        keep_base(self.0, number, row)
    }

    fn write_line(&mut self, number: Msisdn, row: Option<&Row>) -> Result<(), Failure> {
        write_line(self.0, number, row)
    }

    fn write_refusal(&mut self, event: i64, refusal: Option<Refusal>) -> Result<(), Failure> {
        write_refusal(self.0, event, refusal)
    }
}
