//! Opening a database file: pragmas, and migrations by `user_version`.

use std::path::Path;
use std::time::{Duration, Instant};

use rusqlite::{Connection, ErrorCode, OpenFlags};

/// How long a writer waits for another process that holds the same file.
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a new file is tried to be switched to WAL while others switch it too,
const WAL_SWITCH_TIMEOUT: Duration = Duration::from_secs(2);
/// and the pause between two tries.
const WAL_SWITCH_PAUSE: Duration = Duration::from_millis(20);

/// Why a database file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// SQLite failed.
    #[error("{file}: {source}")]
    Sqlite {
        /// The file's name.
        file: String,
        /// What SQLite said.
        source: rusqlite::Error,
    },
    /// A file written by a newer release.
    #[error(
        "{file} was written by a newer release (schema {found}, this one knows {known}); start that release, or restore a backup"
    )]
    Newer {
        /// The file's name.
        file: String,
        /// Its schema.
        found: usize,
        /// The newest schema that this release knows.
        known: usize,
    },
    /// A file that would not survive a power cut.
    #[error("{file} cannot be made durable: journal mode {mode}, synchronous {synchronous} (needed: wal, 2)")]
    NotDurable {
        /// The file's name.
        file: String,
        /// What SQLite set.
        mode: String,
        /// What SQLite set.
        synchronous: i64,
    },
    /// A file beside the databases cannot be used.
    #[error("{file}: {source}")]
    File {
        /// The file's name.
        file: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// The data directory cannot be served from.
    #[error(transparent)]
    Lock(#[from] laini_store::ledger::LockError),
}

/// Opens (and makes) a file for writing: WAL, `synchronous=FULL` asserted, migrated to the newest
/// schema. Each migration runs in a transaction with its version, so a kill in between repeats it.
pub(crate) fn open_writer(path: &Path, migrations: &[&str]) -> Result<Connection, StoreError> {
    open_writer_within(BUSY_TIMEOUT, path, migrations)
}

/// [`open_writer`] with another patience for whoever holds the file, now and for every later write.
pub(crate) fn open_writer_within(
    busy_timeout: Duration,
    path: &Path,
    migrations: &[&str],
) -> Result<Connection, StoreError> {
    let open = || -> rusqlite::Result<(Connection, String, i64)> {
        let connection = Connection::open(path)?;
        connection.busy_timeout(busy_timeout)?;
        let mode = switch_to_wal(&connection)?;
        connection.pragma_update(None, "synchronous", "FULL")?;
        connection.pragma_update(None, "foreign_keys", true)?;
        let synchronous = connection.query_row("PRAGMA synchronous", [], |row| row.get(0))?;
        Ok((connection, mode, synchronous))
    };
    let (mut connection, mode, synchronous) = open().map_err(failed(path))?;
    if mode != "wal" || synchronous != 2 {
        return Err(StoreError::NotDurable { file: name(path), mode, synchronous });
    }
    migrate(&mut connection, path, migrations)?;
    Ok(connection)
}

/// Two connections that switch one file at once would wait for each other, so SQLite refuses one of
/// them at once, whatever the busy timeout is.
fn switch_to_wal(connection: &Connection) -> rusqlite::Result<String> {
    let begun = Instant::now();
    loop {
        let switched = connection.query_row("PRAGMA journal_mode=WAL", [], |row| row.get(0));
        let is_busy = switched.as_ref().is_err_and(|error| error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy));
        if !is_busy || begun.elapsed() >= WAL_SWITCH_TIMEOUT {
            return switched;
        }
        std::thread::sleep(WAL_SWITCH_PAUSE);
    }
}

/// Opens an existing file for reading only.
pub(crate) fn open_reader(path: &Path) -> Result<Connection, StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let open = || -> rusqlite::Result<Connection> {
        let connection = Connection::open_with_flags(path, flags)?;
        connection.busy_timeout(BUSY_TIMEOUT)?;
        Ok(connection)
    };
    open().map_err(failed(path))
}

/// A database that holds nothing and is nowhere, in the place of a file that is not there.
pub(crate) fn open_in_memory(path: &Path, migrations: &[&str]) -> Result<Connection, StoreError> {
    let mut connection = Connection::open_in_memory().map_err(failed(path))?;
    migrate(&mut connection, path, migrations)?;
    Ok(connection)
}

fn migrate(connection: &mut Connection, path: &Path, migrations: &[&str]) -> Result<(), StoreError> {
    loop {
        let transaction =
            connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate).map_err(failed(path))?;
        let done: i64 = transaction.query_row("PRAGMA user_version", [], |row| row.get(0)).map_err(failed(path))?;
        let done = usize::try_from(done).unwrap_or(usize::MAX);
        if done > migrations.len() {
            return Err(StoreError::Newer { file: name(path), found: done, known: migrations.len() });
        }
        let Some(next) = migrations.get(done) else { return Ok(()) };
        let apply = || -> rusqlite::Result<()> {
            transaction.execute_batch(next)?;
            transaction.pragma_update(None, "user_version", i64::try_from(done + 1).unwrap_or(i64::MAX))?;
            transaction.commit()
        };
        apply().map_err(failed(path))?;
    }
}

/// Names the file in an error of SQLite's.
pub(crate) fn failed(path: &Path) -> impl Fn(rusqlite::Error) -> StoreError + '_ {
    move |source| StoreError::Sqlite { file: name(path), source }
}

/// Names the file in an error of the system's.
pub(crate) fn file_failed(path: &Path) -> impl Fn(std::io::Error) -> StoreError + '_ {
    move |source| StoreError::File { file: name(path), source }
}

fn name(path: &Path) -> String {
    path.file_name().map_or_else(|| path.display().to_string(), |name| name.to_string_lossy().into_owned())
}
