use std::fs::{self, File, TryLockError};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use crate::sql::{StoreError, file_failed};

/// The registry's files in the data directory, and the locks that writers of all processes share.
#[derive(Debug, Clone)]
pub(crate) struct Files {
    dir: PathBuf,
}

impl Files {
    pub(crate) fn new(dir: PathBuf) -> Self {
        Self { dir }
    }

    /// The current rows of one snapshot generation.
    pub(crate) fn generation(&self, number: u64) -> PathBuf {
        self.dir.join(format!("registry-{number}.db"))
    }

    /// The history of all events.
    pub(crate) fn events(&self) -> PathBuf {
        self.dir.join("registry-events.db")
    }

    /// Where a snapshot is put together; nothing in it serves, all of it may be removed.
    pub(super) fn loading(&self) -> PathBuf {
        self.dir.join("registry-loading")
    }

    fn pointer(&self) -> PathBuf {
        self.dir.join("registry-current")
    }

    /// The serving generation; `None` where nothing was ever loaded.
    pub(crate) fn current(&self) -> Result<Option<u64>, StoreError> {
        let path = self.pointer();
        let text = match fs::read_to_string(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            other => other.map_err(file_failed(&path))?,
        };
        let number = text.trim().parse().map_err(|_| io::Error::other("expected the number of a generation"));
        number.map(Some).map_err(file_failed(&path))
    }

    /// Makes `number` the serving generation, at once and durably. Its file is in place already.
    pub(crate) fn switch_to(&self, number: u64) -> Result<(), StoreError> {
        let path = self.pointer();
        let draft = self.dir.join("registry-current.new");
        let write = || -> io::Result<()> {
            let mut file = File::create(&draft)?;
            writeln!(file, "{number}")?;
            file.sync_all()?;
            fs::rename(&draft, &path)?;
            File::open(&self.dir)?.sync_all()
        };
        write().map_err(file_failed(&path))
    }

    /// Waits for the right to write; it lasts until the file is dropped.
    pub(crate) fn write_lock(&self) -> Result<File, StoreError> {
        let path = self.dir.join("registry.lock");
        let lock = || -> io::Result<File> {
            fs::create_dir_all(&self.dir)?;
            let file = File::create(&path)?;
            file.lock()?;
            Ok(file)
        };
        lock().map_err(file_failed(&path))
    }

    /// The right to load a snapshot, until the file is dropped; `None` while another load has it.
    pub(crate) fn load_lock(&self) -> Result<Option<File>, StoreError> {
        let path = self.dir.join("registry-load.lock");
        let file = fs::create_dir_all(&self.dir).and_then(|()| File::create(&path)).map_err(file_failed(&path))?;
        match file.try_lock() {
            Ok(()) => Ok(Some(file)),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(file_failed(&path)(error)),
        }
    }

    /// Puts a finished file in the place of generation `number`.
    pub(super) fn adopt(&self, finished: &Path, number: u64) -> Result<(), StoreError> {
        let place = || fs::rename(finished, self.generation(number)).and_then(|()| File::open(&self.dir)?.sync_all());
        place().map_err(file_failed(finished))
    }

    /// An empty [`Files::loading`]. Only under the load lock.
    pub(super) fn begin_loading(&self) -> Result<PathBuf, StoreError> {
        let path = self.loading();
        self.end_loading()?;
        fs::create_dir_all(&path).map_err(file_failed(&path))?;
        Ok(path)
    }

    /// Removes what a load, finished or dead, left behind. Only under the load lock.
    pub(super) fn end_loading(&self) -> Result<(), StoreError> {
        let path = self.loading();
        match fs::remove_dir_all(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            other => other.map_err(file_failed(&path)),
        }
    }

    /// Removes every generation but `keep`. Readers that still have one open keep what they see.
    pub(crate) fn remove_generations_except(&self, keep: Option<u64>) -> Result<(), StoreError> {
        let remove = || -> io::Result<()> {
            let mut paths = fs::read_dir(&self.dir)?.map(|entry| Ok(entry?.path())).collect::<io::Result<Vec<_>>>()?;
            paths.retain(|path| generation_of(path).is_some_and(|number| Some(number) != keep));
            // The shortest name first: nobody must find a database whose WAL is gone already.
            paths.sort();
            paths.into_iter().try_for_each(fs::remove_file)
        };
        remove().map_err(file_failed(&self.dir))
    }
}

/// The generation that a file belongs to: the database itself, its WAL, or the WAL's index.
fn generation_of(path: &Path) -> Option<u64> {
    let name = path.file_name()?.to_str()?;
    let (number, rest) = name.strip_prefix("registry-")?.split_once('.')?;
    matches!(rest, "db" | "db-wal" | "db-shm" | "db-journal").then(|| number.parse().ok())?
}

/// Makes a finished file durable.
pub(super) fn sync(path: &Path) -> Result<(), StoreError> {
    File::open(path).and_then(|file| file.sync_all()).map_err(file_failed(path))
}
