//! What a backup directory holds: files, and a manifest that says what each must be.

use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::{Component, Path};

use anyhow::{Context as _, bail, ensure};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::data_dir::{create_file, write_private};

/// The manifest's name; it is written last.
pub(crate) const MANIFEST_FILE: &str = "manifest.json";
/// Where keys lie, in a data directory and in a backup.
pub(crate) const KEYS_DIR: &str = "keys";
/// The settings beside the data.
pub(crate) const SETTINGS_FILE: &str = "laini.toml";
/// The form of the manifest; a newer one is refused.
const FORMAT: u32 = 1;
/// Read at a time.
const CHUNK_BYTES: usize = 1 << 20;
/// No manifest is longer.
const MANIFEST_BYTES_MAX: u64 = 16 << 20;

/// What a backup is made of.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Manifest {
    format: u32,
    /// The release that made it.
    laini: String,
    made_at: String,
    /// Whether the keys are in it.
    pub(crate) with_keys: bool,
    /// Every file but this one.
    pub(crate) files: Vec<FileEntry>,
}

/// One file of a backup.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct FileEntry {
    /// Its path below the backup's directory.
    pub(crate) name: String,
    /// Its size.
    pub(crate) bytes: u64,
    sha256: String,
}

impl Manifest {
    /// Of the files `names` in `dir`.
    pub(crate) fn of(dir: &Path, names: &[String], made_at: String, with_keys: bool) -> anyhow::Result<Self> {
        let entry = |name: &String| {
            let (bytes, sha256) = copy_and_hash(&dir.join(name), &mut io::sink())?;
            anyhow::Ok(FileEntry { name: name.clone(), bytes, sha256 })
        };
        let files = names.iter().map(entry).collect::<Result<_, _>>()?;
        Ok(Self { format: FORMAT, laini: env!("CARGO_PKG_VERSION").to_owned(), made_at, with_keys, files })
    }

    /// Writes it, which makes the backup one.
    pub(crate) fn write(&self, dir: &Path) -> anyhow::Result<()> {
        Ok(write_private(&dir.join(MANIFEST_FILE), &serde_json::to_vec_pretty(self)?)?)
    }

    /// Reads that of a backup, which somebody may have made up.
    pub(crate) fn read(dir: &Path) -> anyhow::Result<Self> {
        let path = dir.join(MANIFEST_FILE);
        let read = || -> io::Result<Vec<u8>> {
            let mut text = Vec::new();
            File::open(&path)?.take(MANIFEST_BYTES_MAX).read_to_end(&mut text)?;
            Ok(text)
        };
        let text = read().with_context(|| format!("{} cannot be read", path.display()))?;
        let manifest: Self =
            serde_json::from_slice(&text).with_context(|| format!("{} is no manifest", path.display()))?;
        ensure!(manifest.format <= FORMAT, "the backup was made by a newer release ({})", manifest.laini);
        for file in &manifest.files {
            let path = Path::new(&file.name);
            let is_below = path.components().all(|part| matches!(part, Component::Normal(_)));
            ensure!(is_below && !file.name.is_empty(), "the manifest names `{}`, which lies elsewhere", file.name);
        }
        Ok(manifest)
    }
}

impl FileEntry {
    /// Copies it from a backup into a data directory, where it is what the manifest says.
    pub(crate) fn restore(&self, backup: &Path, data: &Path) -> anyhow::Result<()> {
        let to = data.join(&self.name);
        let mut file = create_file(&to).with_context(|| format!("{} cannot be written", to.display()))?;
        let (bytes, sha256) = copy_and_hash(&backup.join(&self.name), &mut file)?;
        if (bytes, &sha256) != (self.bytes, &self.sha256) {
            bail!("{} is not what the manifest says: it was altered or damaged", self.name);
        }
        Ok(file.sync_all()?)
    }
}

/// Copies a file; its size and SHA-256.
fn copy_and_hash(from: &Path, to: &mut dyn io::Write) -> anyhow::Result<(u64, String)> {
    let mut hasher = Sha256::new();
    let mut copied = 0;
    let mut copy = || -> io::Result<()> {
        let mut file = File::open(from)?;
        let mut chunk = vec![0; CHUNK_BYTES];
        loop {
            let read = file.read(&mut chunk)?;
            if read == 0 {
                return Ok(());
            }
            hasher.update(&chunk[..read]);
            to.write_all(&chunk[..read])?;
            copied += read as u64;
        }
    };
    copy().with_context(|| format!("{} cannot be copied", from.display()))?;
    let mut sha256 = String::new();
    for byte in hasher.finalize() {
        sha256.push_str(&format!("{byte:02x}"));
    }
    Ok((copied, sha256))
}

/// Whether `dir` is there and holds something.
pub(crate) fn holds_something(dir: &Path) -> anyhow::Result<bool> {
    match fs::read_dir(dir) {
        Ok(mut entries) => Ok(entries.next().is_some()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error).with_context(|| format!("{} cannot be read", dir.display())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manifest_that_names_files_elsewhere_is_refused() {
        for name in ["../accounts.db", "/etc/passwd", "keys/../../x", ""] {
            let dir = tempfile::tempdir().unwrap();
            let files = vec![FileEntry { name: name.to_owned(), bytes: 0, sha256: String::new() }];
            let manifest =
                Manifest { format: FORMAT, laini: String::new(), made_at: String::new(), with_keys: false, files };
            manifest.write(dir.path()).unwrap();
            assert!(Manifest::read(dir.path()).unwrap_err().to_string().contains("elsewhere"), "{name}");
        }
    }
}
