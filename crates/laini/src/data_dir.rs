//! The data directory: one place that holds everything.

use std::fs::{DirBuilder, File, OpenOptions, Permissions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, anyhow};

use crate::failure::WithHint as _;

/// The directory that `--data` names.
#[derive(Debug, Clone)]
pub(crate) struct DataDir {
    path: PathBuf,
}

impl DataDir {
    /// Opens the directory, and makes it (0700) where it is new.
    pub(crate) fn open(path: &Path) -> anyhow::Result<Self> {
        make_private(path).with_context(|| format!("the data directory {} cannot be used", path.display()))?;
        Ok(Self { path: path.to_owned() })
    }

    /// The directory, which must be there: a reading command never makes one of a misspelt name.
    pub(crate) fn existing(path: &Path) -> anyhow::Result<Self> {
        if path.is_dir() {
            return Ok(Self { path: path.to_owned() });
        }
        Err(anyhow!("there is no data directory {}", path.display()))
            .hint("name it with --data DIR or LAINI_DATA; `laini registry import` and `laini serve` make a new one")
    }

    /// Where its keys lie under the setting `keys.dir`.
    pub(crate) fn key_dir(&self, setting: &str) -> PathBuf {
        if setting.is_empty() { self.path.join("keys") } else { PathBuf::from(setting) }
    }

    /// Its path.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Whether a database was ever written into it.
    pub(crate) fn has_data(&self) -> bool {
        ["accounts.db", "ledger.db", "registry-current", "registry-events.db"]
            .iter()
            .any(|file| self.path.join(file).exists())
    }
}

/// Makes a directory that only its owner may enter.
pub(crate) fn make_private(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)
}

/// Makes a new file that only its owner may read.
pub(crate) fn create_file(path: &Path) -> io::Result<File> {
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)
}

/// Writes a file whole or not at all, readable by its owner alone, durable when this returns.
pub(crate) fn write_private(path: &Path, text: &[u8]) -> io::Result<()> {
    let dir = dir_of(path);
    draft(dir, text)?.persist(path).map_err(|error| error.error)?;
    File::open(dir)?.sync_all()
}

/// As [`write_private`], but keeps a file that is there already.
pub(crate) fn create_private(path: &Path, text: &[u8]) -> io::Result<()> {
    let dir = dir_of(path);
    match draft(dir, text)?.persist_noclobber(path) {
        Ok(_) => {}
        Err(error) if error.error.kind() == io::ErrorKind::AlreadyExists => {}
        Err(error) => return Err(error.error),
    }
    File::open(dir)?.sync_all()
}

fn draft(dir: &Path, text: &[u8]) -> io::Result<tempfile::NamedTempFile> {
    let mut file = tempfile::Builder::new().permissions(Permissions::from_mode(0o600)).tempfile_in(dir)?;
    file.write_all(text)?;
    file.as_file().sync_all()?;
    Ok(file)
}

fn dir_of(path: &Path) -> &Path {
    path.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."))
}
