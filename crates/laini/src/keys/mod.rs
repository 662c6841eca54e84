//! Keys as files, apart from the data: the root key, and one random key per day.
//!
//! Owns the key directory. Must never print a key, and never make a new root key beside data that was written under another.

mod moving;

use std::collections::HashMap;
use std::fs;
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context as _, bail};
use jiff::civil::Date;
use laini_core::access::{KeyTree, RootKey};
use laini_core::store::{DayKey, DayKeyError, DayKeys};
use laini_server::Entropy;
use zeroize::Zeroizing;

use crate::data_dir::{DataDir, create_private, make_private};
use crate::failure::WithHint as _;

pub(crate) use moving::WithDayKeys;

/// The id of the root key is in its file's name, so that a rotation can keep the old one.
const ROOT_KEY_FILE: &str = "root-1.key";
/// A key as text: 256 bits in hexadecimal.
const KEY_DIGITS: usize = 64;

/// The directory of keys.
pub(crate) struct KeyDir {
    path: PathBuf,
    entropy: Arc<dyn Entropy>,
}

impl KeyDir {
    /// `keys/` in the data directory, or the directory that the setting `keys.dir` names.
    pub(crate) fn open(data: &DataDir, setting: &str, entropy: Arc<dyn Entropy>) -> anyhow::Result<Self> {
        let path = data.key_dir(setting);
        make_private(&path.join("day"))
            .with_context(|| format!("the key directory {} cannot be used", path.display()))?;
        Ok(Self { path, entropy })
    }

    /// The key tree below the root key, which is made on the first use of a data directory.
    pub(crate) fn tree(&self, data: &DataDir) -> anyhow::Result<KeyTree> {
        let file = self.path.join(ROOT_KEY_FILE);
        match read_key(&file)? {
            Some(key) => return Ok(KeyTree::new(RootKey::new(*key))),
            None if data.has_data() => {
                let missing = anyhow::anyhow!(
                    "{} is missing, and {} holds data written under it",
                    file.display(),
                    data.path().display()
                );
                return Err(missing).hint("restore the key directory from its backup, or name it with `keys.dir`");
            }
            None => {}
        }
        // Another process may make it at the same moment: the first file stays.
        let made = make_key(&file, &*self.entropy).with_context(|| format!("{} cannot be written", file.display()))?;
        Ok(KeyTree::new(RootKey::new(*made)))
    }

    /// Whether it holds the root key.
    pub(crate) fn has_root(&self) -> bool {
        self.path.join(ROOT_KEY_FILE).exists()
    }

    /// The keys of days.
    pub(crate) fn days(&self) -> FileDayKeys {
        FileDayKeys { dir: self.path.join("day"), entropy: Arc::clone(&self.entropy), known: Mutex::default() }
    }
}

/// Day keys as files named by their day.
pub(crate) struct FileDayKeys {
    dir: PathBuf,
    entropy: Arc<dyn Entropy>,
    known: Mutex<HashMap<Date, DayKey>>,
}

impl FileDayKeys {
    fn file(&self, day: Date) -> PathBuf {
        self.dir.join(format!("{day}.key"))
    }

    /// The days that have a key, in their order.
    pub(crate) fn all(&self) -> anyhow::Result<Vec<Date>> {
        let mut days = Vec::new();
        for entry in fs::read_dir(&self.dir)? {
            days.extend(day_of(&entry?.path()));
        }
        days.sort();
        Ok(days)
    }

    /// The key of a day as its file has it.
    pub(crate) fn bytes(&self, day: Date) -> anyhow::Result<Option<Zeroizing<[u8; 32]>>> {
        read_key(&self.file(day))
    }

    /// Takes over the key of a day, durably; refused where there is another one.
    pub(crate) fn put(&self, day: Date, key: &[u8; 32]) -> anyhow::Result<()> {
        let file = self.file(day);
        create_private(&file, in_digits(key).as_bytes())?;
        if read_key(&file)?.is_none_or(|found| *found != *key) {
            bail!("{} holds another key already", file.display());
        }
        Ok(())
    }

    /// Removes the files of earlier days; durable when this returns. Each is overwritten first: that
    /// helps where the file system writes in place, and harms nowhere.
    fn remove_before(&self, day: Date) -> anyhow::Result<u64> {
        let mut removed = 0;
        for entry in fs::read_dir(&self.dir)? {
            let path = entry?.path();
            if day_of(&path).is_some_and(|of| of < day) {
                let mut file = fs::OpenOptions::new().write(true).open(&path)?;
                file.write_all(&[b'0'; KEY_DIGITS])?;
                file.sync_all()?;
                fs::remove_file(&path).with_context(|| format!("{} cannot be removed", path.display()))?;
                removed += 1;
            }
        }
        fs::File::open(&self.dir)?.sync_all()?;
        Ok(removed)
    }
}

impl DayKeys for FileDayKeys {
    fn key(&self, day: Date) -> Result<DayKey, DayKeyError> {
        if let Some(key) = self.existing(day)? {
            return Ok(key);
        }
        let failed = |error: anyhow::Error| DayKeyError { day, reason: format!("{error:#}") };
        let bytes = make_key(&self.file(day), &*self.entropy).map_err(failed)?;
        let key = DayKey::new(&bytes);
        self.known.lock().unwrap_or_else(PoisonError::into_inner).insert(day, key.clone());
        Ok(key)
    }

    fn existing(&self, day: Date) -> Result<Option<DayKey>, DayKeyError> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(key) = known.get(&day) {
            return Ok(Some(key.clone()));
        }
        let bytes = read_key(&self.file(day)).map_err(|error| DayKeyError { day, reason: format!("{error:#}") })?;
        let key = bytes.map(|bytes| DayKey::new(&bytes));
        if let Some(key) = &key {
            known.insert(day, key.clone());
        }
        Ok(key)
    }

    fn destroy_before(&self, day: Date) -> Result<u64, DayKeyError> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).retain(|known, _| *known >= day);
        self.remove_before(day).map_err(|error| DayKeyError { day, reason: format!("{error:#}") })
    }
}

/// Makes a key file, durable when this returns, unless somebody else just did: the key is then theirs.
fn make_key(file: &Path, entropy: &dyn Entropy) -> anyhow::Result<Zeroizing<[u8; 32]>> {
    let mut key = Zeroizing::new([0; 32]);
    entropy.fill(&mut *key);
    create_private(file, in_digits(&key).as_bytes())?;
    read_key(file)?.with_context(|| format!("{} cannot be read back", file.display()))
}

/// The day whose key a file holds.
fn day_of(path: &Path) -> Option<Date> {
    path.file_name()?.to_str()?.strip_suffix(".key")?.parse().ok()
}

fn in_digits(key: &[u8; 32]) -> Zeroizing<String> {
    let mut text = Zeroizing::new(String::with_capacity(KEY_DIGITS));
    for byte in key {
        text.push_str(&format!("{byte:02x}"));
    }
    text
}

fn read_key(file: &Path) -> anyhow::Result<Option<Zeroizing<[u8; 32]>>> {
    let text = match fs::read_to_string(file) {
        Ok(text) => Zeroizing::new(text),
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error).with_context(|| format!("{} cannot be read", file.display())),
    };
    let text = text.trim();
    if text.len() != KEY_DIGITS || !text.bytes().all(|b| b.is_ascii_hexdigit()) {
        bail!("{} is damaged: expected 64 hexadecimal digits", file.display());
    }
    let mut key = Zeroizing::new([0; 32]);
    for (byte, digits) in key.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
        *byte = std::str::from_utf8(digits).ok().and_then(|hex| u8::from_str_radix(hex, 16).ok()).unwrap_or(0);
    }
    Ok(Some(key))
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Counting(std::sync::atomic::AtomicU8);
    impl Entropy for Counting {
        fn fill(&self, bytes: &mut [u8]) {
            bytes.fill(self.0.fetch_add(1, std::sync::atomic::Ordering::Relaxed));
        }
    }

    #[test]
    fn a_root_key_is_made_once_and_never_beside_foreign_data() {
        let dir = tempfile::tempdir().unwrap();
        let data = DataDir::open(dir.path()).unwrap();
        let entropy: Arc<dyn Entropy> = Arc::new(Counting(1.into()));
        let keys = KeyDir::open(&data, "", entropy).unwrap();
        keys.tree(&data).unwrap();
        let first = fs::read(dir.path().join("keys").join(ROOT_KEY_FILE)).unwrap();
        keys.tree(&data).unwrap();
        assert_eq!(fs::read(dir.path().join("keys").join(ROOT_KEY_FILE)).unwrap(), first);
        fs::write(dir.path().join("accounts.db"), "").unwrap();
        fs::remove_file(dir.path().join("keys").join(ROOT_KEY_FILE)).unwrap();
        assert!(keys.tree(&data).unwrap_err().to_string().contains("is missing"));
    }

    #[test]
    fn a_day_key_stays_the_same_and_a_damaged_one_is_told() {
        let dir = tempfile::tempdir().unwrap();
        let data = DataDir::open(dir.path()).unwrap();
        let keys = KeyDir::open(&data, "", Arc::new(Counting(1.into()))).unwrap();
        let day = jiff::civil::date(2026, 11, 22);
        assert!(keys.days().existing(day).unwrap().is_none());
        keys.days().key(day).unwrap();
        assert!(keys.days().existing(day).unwrap().is_some());
        fs::write(dir.path().join("keys/day/2026-11-22.key"), "short").unwrap();
        assert!(keys.days().key(day).is_err());
    }

    #[test]
    fn the_keys_of_earlier_days_are_destroyed_and_the_others_stay() {
        let dir = tempfile::tempdir().unwrap();
        let data = DataDir::open(dir.path()).unwrap();
        let keys = KeyDir::open(&data, "", Arc::new(Counting(1.into()))).unwrap();
        let days = keys.days();
        let day = |day| jiff::civil::date(2026, 11, day);
        for made in [20, 21, 22] {
            days.key(day(made)).unwrap();
        }
        fs::write(dir.path().join("keys/day/notes.txt"), "not a key").unwrap();
        assert_eq!(days.destroy_before(day(22)).unwrap(), 2);
        for reader in [&days, &keys.days()] {
            assert!(reader.existing(day(20)).unwrap().is_none());
            assert!(reader.existing(day(21)).unwrap().is_none());
            assert!(reader.existing(day(22)).unwrap().is_some());
        }
        assert_eq!(days.destroy_before(day(22)).unwrap(), 0);
    }

    #[test]
    fn all_who_make_a_key_at_once_get_the_same_one() {
        let entropy = Counting(1.into());
        for round in 0..50 {
            let dir = tempfile::tempdir().unwrap();
            let file = dir.path().join(ROOT_KEY_FILE);
            let keys: Vec<[u8; 32]> = std::thread::scope(|scope| {
                let makers: Vec<_> = (0..8).map(|_| scope.spawn(|| *make_key(&file, &entropy).unwrap())).collect();
                makers.into_iter().map(|maker| maker.join().unwrap()).collect()
            });
            let kept = *read_key(&file).unwrap().unwrap();
            assert!(keys.iter().all(|key| *key == kept), "round {round}");
            assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
        }
    }
}
