//! Copies of the engine's files that fit together, made while others write.
//!
//! Each database is copied as it stands at one instant, without the pages of what was deleted. The
//! order makes them fit: chain heads before the ledger that must hold them, the ledger before the
//! accounts that its rows name, a generation of the registry before the history that it was derived
//! from. A long copy keeps the WAL of its database from being reset; it stops nobody from writing.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::Path;

use crate::ledger::HEADS_FILE;
use crate::registry::Files;
use crate::sql::{StoreError, failed, file_failed, open_reader};

/// How often a generation is copied anew because another took its place meanwhile.
const GENERATION_ATTEMPTS: u32 = 3;

/// Copies the engine's files of `dir` into the directory `into`, which is empty, and makes them
/// durable. `begin` is told each file's name and size before it is copied. Returns the names.
pub fn back_up(dir: &Path, into: &Path, begin: &dyn Fn(&str, u64)) -> Result<Vec<String>, StoreError> {
    let mut copies = Copies { dir, into, begin, made: Vec::new() };
    copies.heads()?;
    copies.database("ledger.db")?;
    copies.database("accounts.db")?;
    copies.database("sandbox.db")?;
    copies.generation()?;
    copies.database("registry-events.db")?;
    copies.others()?;
    File::open(into).and_then(|dir| dir.sync_all()).map_err(file_failed(into))?;
    Ok(copies.made)
}

struct Copies<'a> {
    dir: &'a Path,
    into: &'a Path,
    begin: &'a dyn Fn(&str, u64),
    made: Vec<String>,
}

impl Copies<'_> {
    /// A database, where there is one.
    fn database(&mut self, name: &str) -> Result<(), StoreError> {
        let (from, to) = (self.dir.join(name), self.into.join(name));
        let Ok(found) = fs::metadata(&from) else { return Ok(()) };
        (self.begin)(name, found.len());
        let target = to.to_string_lossy().into_owned();
        open_reader(&from)?.execute("VACUUM INTO ?1", [target]).map_err(failed(&from))?;
        File::open(&to).and_then(|file| file.sync_all()).map_err(file_failed(&to))?;
        self.made.push(name.to_owned());
        Ok(())
    }

    fn plain(&mut self, name: &str, bytes: &[u8]) -> Result<(), StoreError> {
        let to = self.into.join(name);
        (self.begin)(name, bytes.len() as u64);
        let write = || -> io::Result<()> {
            let mut file = File::create(&to)?;
            file.write_all(bytes)?;
            file.sync_all()
        };
        write().map_err(file_failed(&to))?;
        self.made.push(name.to_owned());
        Ok(())
    }

    /// The chain's heads, without one that is being written.
    fn heads(&mut self) -> Result<(), StoreError> {
        let from = self.dir.join(HEADS_FILE);
        let bytes = match fs::read(&from) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            read => read.map_err(file_failed(&from))?,
        };
        let whole = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
        self.plain(HEADS_FILE, &bytes[..whole])
    }

    /// The serving generation, and the file that names it.
    fn generation(&mut self) -> Result<(), StoreError> {
        let files = Files::new(self.dir.to_owned());
        for _ in 0..GENERATION_ATTEMPTS {
            let Some(number) = files.current()? else { return Ok(()) };
            let name = format!("registry-{number}.db");
            let copied = self.database(&name);
            if files.current()? == Some(number) {
                copied?;
                return self.plain("registry-current", format!("{number}\n").as_bytes());
            }
            // Another took its place, and removes it: what was copied is of no use.
            self.made.retain(|made| *made != name);
            let stale = self.into.join(&name);
            if stale.exists() {
                fs::remove_file(&stale).map_err(file_failed(&stale))?;
            }
        }
        let restless = io::Error::other("snapshots replace one another faster than they can be copied; try again");
        Err(file_failed(&self.dir.join("registry-current"))(restless))
    }

    /// Databases that stand alone.
    fn others(&mut self) -> Result<(), StoreError> {
        let list = || -> io::Result<Vec<String>> {
            let names = fs::read_dir(self.dir)?.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()));
            names.collect()
        };
        let mut names = list().map_err(file_failed(self.dir))?;
        names.retain(|name| {
            let is_database = Path::new(name).extension().is_some_and(|extension| extension == "db");
            is_database && !name.starts_with("registry-") && !self.made.contains(name)
        });
        names.sort();
        names.iter().try_for_each(|name| self.database(name))
    }
}
