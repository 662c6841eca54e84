//! The engine's files as one side of a copy between engines.
//!
//! Owns the reading and writing of whole tables, and the mark that a copy into a directory is under way.
//! Must never write into a directory that holds data, or let one with half a copy be served from.

mod read;
mod write;

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use laini_store::copy::{CopyError, Row, Source, Table, Target};
use laini_store::ledger::{HEADS_FILE, WriterLock};
use rusqlite::Connection;

use crate::registry::{Files, GENERATION_MIGRATIONS, HISTORY_MIGRATIONS};
use crate::sql::{StoreError, file_failed, open_in_memory, open_writer};
use crate::{accounts, ledger, worlds};

/// While this file is there a copy into the directory is under way, or died.
const MARK: &str = "copy-under-way";
/// The number of the generation that a copy makes.
const GENERATION: u64 = 1;

/// Whether a copy into a directory was begun and not finished.
pub fn is_half_copied(dir: &Path) -> bool {
    dir.join(MARK).exists()
}

/// Those of the server, of a load and of the feed.
type Locks = (WriterLock, File, File);

fn lock(dir: &Path, files: &Files) -> Result<Locks, CopyError> {
    let server = WriterLock::take(dir).map_err(StoreError::from)?;
    let load = files.load_lock()?.ok_or_else(|| CopyError::Engine("a snapshot is being loaded into it".to_owned()))?;
    Ok((server, load, files.write_lock()?))
}

/// The files of a directory that nobody serves from, for as long as this lives.
pub struct SqliteCopy {
    dir: PathBuf,
    accounts: Connection,
    ledger: Connection,
    worlds: Connection,
    history: Connection,
    generation: Option<Connection>,
    _locks: Locks,
}

impl SqliteCopy {
    /// A directory that is read. A file that is not there holds nothing.
    pub fn source(dir: &Path) -> Result<Self, CopyError> {
        let files = Files::new(dir.to_owned());
        let locks = lock(dir, &files)?;
        let open = |path: PathBuf, migrations| {
            if path.exists() { open_writer(&path, migrations) } else { open_in_memory(&path, migrations) }
        };
        let generation = files.current()?.map(|number| open_writer(&files.generation(number), GENERATION_MIGRATIONS));
        let source = Self {
            accounts: open(dir.join("accounts.db"), accounts::MIGRATIONS)?,
            ledger: open(dir.join("ledger.db"), ledger::MIGRATIONS)?,
            worlds: open(dir.join("sandbox.db"), worlds::MIGRATIONS)?,
            history: open(files.events(), HISTORY_MIGRATIONS)?,
            generation: generation.transpose()?,
            dir: dir.to_owned(),
            _locks: locks,
        };
        // Commands take none of the locks: they wait for this, and then say that the file is busy.
        for file in [&source.accounts, &source.ledger, &source.worlds] {
            file.execute_batch("BEGIN IMMEDIATE").map_err(|error| CopyError::Engine(error.to_string()))?;
        }
        Ok(source)
    }

    /// A directory that is written, from nothing: what a copy that died left there is removed.
    pub fn target(dir: &Path) -> Result<Self, CopyError> {
        let files = Files::new(dir.to_owned());
        let locks = lock(dir, &files)?;
        if is_half_copied(dir) {
            remove_half(dir).map_err(|error| CopyError::Engine(format!("{}: {error}", dir.display())))?;
        } else if holds_data(dir)? {
            return Err(CopyError::NotEmpty);
        }
        let mark = dir.join(MARK);
        let made = File::create(&mark).and_then(|file| file.sync_all()).and_then(|()| File::open(dir)?.sync_all());
        made.map_err(file_failed(&mark))?;
        Ok(Self {
            accounts: open_writer(&dir.join("accounts.db"), accounts::MIGRATIONS)?,
            ledger: open_writer(&dir.join("ledger.db"), ledger::MIGRATIONS)?,
            worlds: open_writer(&dir.join("sandbox.db"), worlds::MIGRATIONS)?,
            history: open_writer(&files.events(), HISTORY_MIGRATIONS)?,
            generation: Some(open_writer(&files.generation(GENERATION), GENERATION_MIGRATIONS)?),
            dir: dir.to_owned(),
            _locks: locks,
        })
    }

    /// The file that a table lies in; `None` where no generation was ever loaded.
    fn file_of(&self, table: &Table) -> Option<&Connection> {
        match table.name {
            "world_meta" | "world" | "world_line" | "world_event" => Some(&self.worlds),
            "event" | "feed" | "refused" => Some(&self.history),
            "registry_state" | "line" | "line_base" | "unapplied" => self.generation.as_ref(),
            "ledger" | "subject" | "forgotten" | "reversed" | "usage" | "answer" | "accepted" | "delivery" => {
                Some(&self.ledger)
            }
            _ => Some(&self.accounts),
        }
    }
}

impl Source for SqliteCopy {
    fn rows(&mut self, table: &'static Table, after: Option<&Row>, limit: usize) -> Result<Vec<Row>, CopyError> {
        self.file_of(table).map_or(Ok(Vec::new()), |file| read::rows(file, table, after, limit))
    }

    fn count(&mut self, table: &'static Table) -> Result<u64, CopyError> {
        self.file_of(table).map_or(Ok(0), |file| read::count(file, table))
    }

    fn confirm(&mut self) -> Result<(), CopyError> {
        // The locks see to it.
        Ok(())
    }
}

impl Target for SqliteCopy {
    fn write(&mut self, table: &'static Table, rows: &[Row]) -> Result<(), CopyError> {
        let file = self.file_of(table).ok_or(CopyError::Damaged(table.name))?;
        write::rows(file, table, rows)
    }

    fn complete(&mut self) -> Result<(), CopyError> {
        write::can_be_decided(&self.ledger)?;
        write::heads(&self.ledger, &self.dir)?;
        if let Some(generation) = &self.generation {
            write::catch_up(generation, &self.history)?;
        }
        Ok(())
    }

    fn finish(&mut self) -> Result<(), CopyError> {
        let files = Files::new(self.dir.clone());
        let is_loaded = match &self.generation {
            Some(generation) => write::is_loaded(generation)?,
            None => false,
        };
        self.generation = None;
        if is_loaded {
            files.switch_to(GENERATION)?;
        } else {
            files.remove_generations_except(None)?;
        }
        let mark = self.dir.join(MARK);
        let unmark = || fs::remove_file(&mark).and_then(|()| File::open(&self.dir)?.sync_all());
        Ok(unmark().map_err(file_failed(&mark))?)
    }
}

/// The engine's files in a directory, without its locks.
fn engine_files(dir: &Path) -> io::Result<Vec<PathBuf>> {
    let paths = fs::read_dir(dir)?.map(|entry| Ok(entry?.path())).collect::<io::Result<Vec<_>>>()?;
    let is_ours = |path: &PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let is_database = [".db", ".db-wal", ".db-shm"].iter().any(|end| name.ends_with(end));
        is_database || name == "registry-current" || name == HEADS_FILE
    };
    Ok(paths.into_iter().filter(is_ours).collect())
}

fn holds_data(dir: &Path) -> Result<bool, StoreError> {
    Ok(!engine_files(dir).map_err(file_failed(dir))?.is_empty())
}

fn remove_half(dir: &Path) -> io::Result<()> {
    let mut paths = engine_files(dir)?;
    // The shortest name first: nobody must find a database whose WAL is gone already.
    paths.sort();
    paths.into_iter().try_for_each(fs::remove_file)
}

impl From<StoreError> for CopyError {
    fn from(error: StoreError) -> Self {
        Self::Engine(error.to_string())
    }
}

/// Names the table in an error of SQLite's; its message never quotes a value.
fn failed(table: &'static Table) -> impl Fn(rusqlite::Error) -> CopyError {
    move |error| CopyError::Engine(format!("table {}: {error}", table.name))
}
