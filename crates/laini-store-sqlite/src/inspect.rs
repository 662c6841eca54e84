//! What state the engine's files are in, without changing one.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::sql::{StoreError, failed, file_failed, open_reader};
use crate::{accounts, ledger, registry, worlds};

/// One database as it lies there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileState {
    /// Its name.
    pub name: String,
    /// Its size.
    pub bytes: u64,
    /// The size of its WAL.
    pub wal_bytes: u64,
    /// Its schema.
    pub schema: usize,
    /// The newest schema of such a file that this release knows.
    pub known: usize,
}

/// Looks at every database of `dir` that this release knows.
pub fn inspect(dir: &Path) -> Result<Vec<FileState>, StoreError> {
    let list = || -> io::Result<Vec<PathBuf>> { fs::read_dir(dir)?.map(|entry| Ok(entry?.path())).collect() };
    let mut paths = list().map_err(file_failed(dir))?;
    paths.sort();
    let known = paths.iter().filter_map(|path| Some((path, migrations(path.file_name()?.to_str()?)?)));
    known.map(|(path, known)| state(path, known)).collect()
}

/// How many schemas there were of the file called `name`; `None` for a file that is no such database.
fn migrations(name: &str) -> Option<usize> {
    match name {
        "accounts.db" => Some(accounts::MIGRATIONS.len()),
        "ledger.db" => Some(ledger::MIGRATIONS.len()),
        "sandbox.db" => Some(worlds::MIGRATIONS.len()),
        "registry-events.db" => Some(registry::HISTORY_MIGRATIONS.len()),
        _ => {
            let number = name.strip_prefix("registry-")?.strip_suffix(".db")?;
            number.parse::<u64>().is_ok().then_some(registry::GENERATION_MIGRATIONS.len())
        }
    }
}

fn state(path: &Path, known: usize) -> Result<FileState, StoreError> {
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let wal = path.with_file_name(format!("{name}-wal"));
    let bytes = fs::metadata(path).map_err(file_failed(path))?.len();
    let wal_bytes = fs::metadata(wal).map_or(0, |wal| wal.len());
    let schema: i64 =
        open_reader(path)?.query_row("PRAGMA user_version", [], |row| row.get(0)).map_err(failed(path))?;
    Ok(FileState { name, bytes, wal_bytes, schema: usize::try_from(schema).unwrap_or(usize::MAX), known })
}
