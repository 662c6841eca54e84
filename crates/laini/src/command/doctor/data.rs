use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use super::Findings;
use crate::compose::inspect;
use crate::config::Config;
use crate::data_dir::DataDir;

/// A WAL that is longer was not checkpointed for a long time.
const WAL_BYTES_ADVISED: u64 = 256 << 20;
/// Anybody but the owner.
const OTHERS: u32 = 0o077;
/// Files that are told one by one.
const TOLD_MAX: usize = 10;

/// Who may read the data and the keys, and what is not yet checkpointed.
pub(super) fn look(config: &Config, data: &DataDir, findings: &mut Findings) {
    let keys = data.key_dir(&config.keys.dir);
    let mut open = Vec::new();
    for dir in [data.path().to_owned(), keys.clone(), keys.join("day")] {
        open.extend(is_open(&dir).then(|| dir.clone()));
        let entries = fs::read_dir(&dir).into_iter().flatten().flatten();
        open.extend(
            entries.map(|entry| entry.path()).filter(|path| path.is_file() && is_secret(path) && is_open(path)),
        );
    }
    for path in open.iter().take(TOLD_MAX) {
        let found = format!("{} can be read by others than its owner", path.display());
        findings.problem("permissions", found, format!("chmod go= {}", path.display()));
    }
    if open.len() > TOLD_MAX {
        let found = format!("{} more files can be read by others", open.len() - TOLD_MAX);
        findings.problem("permissions", found, format!("chmod -R go= {}", data.path().display()));
    }
}

/// Keys and databases; a lock or a ready file tells nothing.
fn is_secret(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "key" || extension == "db")
}

fn is_open(path: &PathBuf) -> bool {
    fs::metadata(path).is_ok_and(|found| found.permissions().mode() & OTHERS != 0)
}

/// Whether this release can open every database as it is.
pub(super) fn is_readable(data: &DataDir, findings: &mut Findings) -> bool {
    let files = match inspect(data.path()) {
        Ok(files) => files,
        Err(error) => {
            findings.problem("schema", format!("{error:#}"), "restore a backup into another directory");
            return false;
        }
    };
    for file in &files {
        if file.wal_bytes > WAL_BYTES_ADVISED {
            let found = format!("the WAL of {} has grown to {} MiB", file.name, file.wal_bytes >> 20);
            findings.advice("wal", found, "end long reads (exports, backups) of it; a restart checkpoints it");
        }
        if file.schema < file.known {
            let found = format!("{} was written by an earlier release (schema {})", file.name, file.schema);
            findings.advice("schema", found, "back it up; the next start migrates it");
        }
        if file.schema > file.known {
            let found = format!("{} was written by a newer release (schema {})", file.name, file.schema);
            findings.problem("schema", found, "start that release, or restore a backup");
        }
    }
    // An older file is migrated by whoever opens it, which is not to be a doctor.
    files.iter().all(|file| file.schema == file.known)
}
