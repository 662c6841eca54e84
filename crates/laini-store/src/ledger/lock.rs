use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::path::Path;

/// The file whose lock says that a process serves from a data directory.
pub const LOCK_FILE: &str = "ledger.lock";

/// Why a data directory cannot be served from.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Two would fork the ledger's chain.
    #[error(
        "another laini server is running on this data directory (pid {pid}); stop it first, or choose another --data"
    )]
    Running {
        /// The other process, `unknown` where it did not say.
        pid: String,
    },
    /// The lock cannot be taken or written.
    #[error("{LOCK_FILE}: {0}")]
    File(#[from] io::Error),
}

/// One serving process per data directory. Held until dropped; the kernel lets go of it when the process ends, however it ends.
#[derive(Debug)]
pub struct WriterLock {
    _file: File,
}

impl WriterLock {
    /// Takes the lock of `dir`, or names the process that has it.
    pub fn take(dir: &Path) -> Result<Self, LockError> {
        let path = dir.join(LOCK_FILE);
        let mut options = OpenOptions::new();
        let mut file = options.create(true).truncate(false).read(true).write(true).open(&path)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(LockError::Running { pid: holder(&mut file) }),
            Err(TryLockError::Error(source)) => return Err(source.into()),
        }
        let mut write = || -> io::Result<()> {
            file.set_len(0)?;
            file.rewind()?;
            writeln!(file, "{}", std::process::id())
        };
        write()?;
        Ok(Self { _file: file })
    }
}

/// The process that last opened the ledger of `dir` for writing; it may be gone.
pub fn last_holder(dir: &Path) -> Option<u32> {
    std::fs::read_to_string(dir.join(LOCK_FILE)).ok()?.trim().parse().ok()
}

fn holder(file: &mut File) -> String {
    let mut text = String::new();
    let _ = file.take(20).read_to_string(&mut text);
    let pid = text.trim();
    if pid.is_empty() { "unknown".to_owned() } else { pid.to_owned() }
}
