use std::collections::BinaryHeap;
use std::collections::binary_heap::PeekMut;
use std::fs::File;
use std::io::{BufReader, BufWriter, Write as _};
use std::path::PathBuf;

use jiff::Timestamp;
use laini_core::line::{HashedImsi, Msisdn, RegistrySeal, SealedImsi, SnapshotRow};

use super::Broken;
use super::columns::{key, msisdn, second};
use super::row::{FIRST_TRANSIT_BIT, contract, pack, status, swap};

/// What one sorted run buffers while it is written or read.
const RUN_BUFFER_BYTES: usize = 256 << 10;

/// The extract has no swap column (other than: there was no swap).
const NO_SWAP_COLUMN: i64 = 1 << FIRST_TRANSIT_BIT;
/// Not a row, but the note that one was refused.
const REFUSED: i64 = 1 << (FIRST_TRANSIT_BIT + 1);
/// An instant that is not there.
const NONE: i64 = i64::MIN;

/// A row of a snapshot on its way to its place: the IMSI sealed already, for it may be spilled.
#[derive(Clone, PartialEq, Eq)]
pub struct Packed {
    msisdn: i64,
    imsi: [u8; 16],
    registered: i64,
    swapped: i64,
    holder: i64,
    flags: i64,
    hashed: Option<HashedImsi>,
}

impl Packed {
    /// Packs an accepted row.
    pub fn row(row: SnapshotRow, seal: &RegistrySeal) -> Self {
        let column = if row.last_swap.is_none() { NO_SWAP_COLUMN } else { 0 };
        let last_swap = row.last_swap.flatten();
        Self {
            msisdn: key(row.msisdn),
            imsi: seal.seal(row.msisdn, row.imsi).0,
            registered: row.registered.as_second(),
            swapped: last_swap.map_or(NONE, |swap| swap.at.as_second()),
            holder: row.holder_since.map_or(NONE, Timestamp::as_second),
            flags: pack(row.status, row.contract, last_swap) | column,
            hashed: row.hashed_imsi,
        }
    }

    /// The note that a row about this number was refused.
    pub fn refused(number: Msisdn) -> Self {
        Self {
            msisdn: key(number),
            imsi: [0; 16],
            registered: 0,
            swapped: NONE,
            holder: NONE,
            flags: REFUSED,
            hashed: None,
        }
    }

    pub(super) fn is_refused(&self) -> bool {
        self.flags & REFUSED != 0
    }

    pub(super) fn number(&self) -> Result<Msisdn, Broken> {
        msisdn(self.msisdn)
    }

    pub(super) fn is_about_the_number_of(&self, other: &Self) -> bool {
        self.msisdn == other.msisdn
    }

    /// The newest instant that it names, in seconds since 1970.
    pub fn newest_second(&self) -> i64 {
        self.registered.max(self.swapped).max(self.holder)
    }

    /// Unpacks a row.
    pub(super) fn open(&self, seal: &RegistrySeal) -> Result<SnapshotRow, Broken> {
        let number = self.number()?;
        let given = |at: i64| (at != NONE).then_some(at);
        let no_column = self.flags & NO_SWAP_COLUMN != 0;
        Ok(SnapshotRow {
            msisdn: number,
            imsi: seal.open(number, SealedImsi(self.imsi))?,
            registered: second(self.registered)?,
            last_swap: if no_column { None } else { Some(swap(given(self.swapped), self.flags)?) },
            status: status(self.flags),
            contract: contract(self.flags),
            holder_since: given(self.holder).map(second).transpose()?,
            hashed_imsi: self.hashed.clone(),
        })
    }

    fn write(&self, to: &mut impl std::io::Write) -> std::io::Result<()> {
        for value in [self.msisdn, self.registered, self.swapped, self.holder, self.flags] {
            to.write_all(&value.to_le_bytes())?;
        }
        to.write_all(&self.imsi)?;
        // At most 64 letters and digits.
        let hashed = self.hashed.as_ref().map_or("", HashedImsi::as_str);
        to.write_all(&[u8::try_from(hashed.len()).unwrap_or(0)])?;
        to.write_all(hashed.as_bytes())
    }

    fn read(from: &mut impl std::io::Read) -> std::io::Result<Self> {
        let mut integers = [0; 5];
        for value in &mut integers {
            *value = i64::from_le_bytes(bytes(from)?);
        }
        let [msisdn, registered, swapped, holder, flags] = integers;
        let imsi = bytes(from)?;
        let [length] = bytes(from)?;
        let mut hashed = vec![0; usize::from(length)];
        from.read_exact(&mut hashed)?;
        let hashed = std::str::from_utf8(&hashed).ok().and_then(|text| HashedImsi::parse(text).ok());
        Ok(Self { msisdn, imsi, registered, swapped, holder, flags, hashed })
    }
}

fn bytes<const N: usize>(from: &mut impl std::io::Read) -> std::io::Result<[u8; N]> {
    let mut bytes = [0; N];
    from.read_exact(&mut bytes)?;
    Ok(bytes)
}

/// Sorts any number of rows by number in bounded memory: full chunks are sorted and spilled as runs.
pub struct Sorter {
    dir: PathBuf,
    chunk_rows: usize,
    chunk: Vec<Packed>,
    runs: Vec<Run>,
}

impl Sorter {
    /// A sorter that spills into `dir`, which somebody else removes.
    pub fn new(dir: PathBuf, chunk_rows: usize) -> Self {
        Self { dir, chunk_rows, chunk: Vec::new(), runs: Vec::new() }
    }

    /// Takes one row.
    pub fn push(&mut self, row: Packed) -> Result<(), Broken> {
        if self.chunk.len() == self.chunk_rows {
            self.spill()?;
        }
        self.chunk.push(row);
        Ok(())
    }

    fn spill(&mut self) -> Result<(), Broken> {
        self.chunk.sort_unstable_by_key(|row| row.msisdn);
        let path = self.dir.join(format!("run-{}", self.runs.len()));
        let mut writer = BufWriter::with_capacity(RUN_BUFFER_BYTES, File::create_new(&path)?);
        for row in &self.chunk {
            row.write(&mut writer)?;
        }
        writer.flush()?;
        self.runs.push(Run { path, rows: self.chunk.len() });
        self.chunk.clear();
        Ok(())
    }

    /// All rows in ascending order of number.
    pub fn merge(mut self) -> Result<Merged, Broken> {
        self.chunk.sort_unstable_by_key(|row| row.msisdn);
        let mut sources = vec![Source::Memory(self.chunk.into_iter())];
        for run in self.runs {
            let reader = BufReader::with_capacity(RUN_BUFFER_BYTES, File::open(&run.path)?);
            sources.push(Source::Run { reader, rows_left: run.rows });
        }
        let mut heads = BinaryHeap::with_capacity(sources.len());
        for (source, rows) in sources.iter_mut().enumerate() {
            heads.extend(rows.next()?.map(|row| Head { row, source }));
        }
        Ok(Merged { sources, heads })
    }
}

struct Run {
    path: PathBuf,
    rows: usize,
}

enum Source {
    Memory(std::vec::IntoIter<Packed>),
    Run { reader: BufReader<File>, rows_left: usize },
}

impl Source {
    fn next(&mut self) -> Result<Option<Packed>, Broken> {
        match self {
            Self::Memory(rows) => Ok(rows.next()),
            Self::Run { rows_left: 0, .. } => Ok(None),
            Self::Run { reader, rows_left } => {
                *rows_left -= 1;
                Ok(Some(Packed::read(reader)?))
            }
        }
    }
}

/// Sorted runs as one.
pub struct Merged {
    sources: Vec<Source>,
    heads: BinaryHeap<Head>,
}

impl Merged {
    /// The next row in ascending order of number.
    pub(super) fn next(&mut self) -> Result<Option<Packed>, Broken> {
        let Some(mut head) = self.heads.peek_mut() else { return Ok(None) };
        let following = self.sources[head.source].next()?;
        Ok(Some(match following {
            Some(row) => std::mem::replace(&mut head.row, row),
            None => PeekMut::pop(head).row,
        }))
    }
}

/// The next row of one source; the smallest number is the greatest head.
struct Head {
    row: Packed,
    source: usize,
}

impl Ord for Head {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        other.row.msisdn.cmp(&self.row.msisdn)
    }
}

impl PartialOrd for Head {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Head {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Head {}
