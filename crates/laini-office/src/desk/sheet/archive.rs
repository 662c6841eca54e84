use std::io::{self, Read as _, Write as _};

use flate2::read::DeflateDecoder;
use flate2::write::DeflateEncoder;
use flate2::{Compression, Crc};

use super::SheetError;

/// All that is unpacked of one archive.
const UNPACKED_BYTES_MAX: usize = 32 * 1024 * 1024;
/// Parts that an archive may have.
const PARTS_MAX: usize = 1_000;
/// The end of the directory lies at most so far from the end of the file.
const END_BYTES_MAX: usize = 22 + 65_535;

/// A ZIP archive in memory, of which parts are unpacked one by one. What its directory says of sizes is not believed.
pub(super) struct Archive<'b> {
    bytes: &'b [u8],
    parts: Vec<Part>,
    /// What may still be unpacked.
    left: usize,
}

struct Part {
    name: String,
    method: u16,
    packed_bytes: usize,
    header_at: usize,
}

impl<'b> Archive<'b> {
    /// Reads the directory. Encrypted archives and those beyond 4 GiB are broken here.
    pub(super) fn open(bytes: &'b [u8]) -> Result<Self, SheetError> {
        let tail = bytes.len().saturating_sub(END_BYTES_MAX);
        let end =
            bytes[tail..].windows(4).rposition(|window| window == b"PK\x05\x06").ok_or(SheetError::Broken)? + tail;
        let count = usize::from(u16_at(bytes, end + 10)?);
        let mut at = size_at(bytes, end + 16)?;
        if count > PARTS_MAX {
            return Err(SheetError::Broken);
        }
        let mut parts = Vec::with_capacity(count);
        for _ in 0..count {
            let is_entry = bytes.get(at..at.saturating_add(4)) == Some(b"PK\x01\x02");
            let is_encrypted = u16_at(bytes, at + 8)? & 1 == 1;
            if !is_entry || is_encrypted {
                return Err(SheetError::Broken);
            }
            let (name, extra, comment) = (u16_at(bytes, at + 28)?, u16_at(bytes, at + 30)?, u16_at(bytes, at + 32)?);
            let name_end = at + 46 + usize::from(name);
            let name = bytes.get(at + 46..name_end).ok_or(SheetError::Broken)?;
            parts.push(Part {
                name: String::from_utf8_lossy(name).into_owned(),
                method: u16_at(bytes, at + 10)?,
                packed_bytes: size_at(bytes, at + 20)?,
                header_at: size_at(bytes, at + 42)?,
            });
            at = name_end + usize::from(extra) + usize::from(comment);
        }
        Ok(Self { bytes, parts, left: UNPACKED_BYTES_MAX })
    }

    /// A part, unpacked; `None` = there is none of this name.
    pub(super) fn part(&mut self, name: &str) -> Result<Option<Vec<u8>>, SheetError> {
        let Some(part) = self.parts.iter().find(|part| part.name.eq_ignore_ascii_case(name)) else { return Ok(None) };
        let head = part.header_at;
        let begin =
            head + 30 + usize::from(u16_at(self.bytes, head + 26)?) + usize::from(u16_at(self.bytes, head + 28)?);
        let packed = self.bytes.get(begin..begin.saturating_add(part.packed_bytes)).ok_or(SheetError::Broken)?;
        let mut unpacked = Vec::new();
        // One byte more than there is room for tells that there is more.
        let most = self.left as u64 + 1;
        let read = match part.method {
            0 => packed.take(most).read_to_end(&mut unpacked),
            8 => DeflateDecoder::new(packed).take(most).read_to_end(&mut unpacked),
            _ => return Err(SheetError::Broken),
        };
        read.map_err(|_| SheetError::Broken)?;
        self.left = self.left.checked_sub(unpacked.len()).ok_or(SheetError::Bomb)?;
        Ok(Some(unpacked))
    }
}

fn u16_at(bytes: &[u8], at: usize) -> Result<u16, SheetError> {
    let field = bytes.get(at..).and_then(|rest| rest.first_chunk()).ok_or(SheetError::Broken)?;
    Ok(u16::from_le_bytes(*field))
}

/// A size or place of 32 bits.
fn size_at(bytes: &[u8], at: usize) -> Result<usize, SheetError> {
    let field = bytes.get(at..).and_then(|rest| rest.first_chunk()).ok_or(SheetError::Broken)?;
    usize::try_from(u32::from_le_bytes(*field)).map_err(|_| SheetError::Broken)
}

/// A ZIP archive of these parts, packed. It has no times of its own: the same parts are the same bytes.
pub(super) fn pack(parts: &[(&str, &[u8])]) -> io::Result<Vec<u8>> {
    let (mut file, mut directory) = (Vec::new(), Vec::new());
    for (name, bytes) in parts {
        let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(bytes)?;
        let packed = encoder.finish()?;
        let mut sum = Crc::new();
        sum.update(bytes);
        // Version 2.0, no flag, deflated, midnight of 1 January 1980; then what both places say of it.
        let mut about: Vec<u8> = [20, 0, 8, 0, 0x21].into_iter().flat_map(u16::to_le_bytes).collect();
        for field in [sum.sum(), size(packed.len())?, size(bytes.len())?] {
            about.extend(field.to_le_bytes());
        }
        about.extend(count(name.len())?.to_le_bytes());
        about.extend([0, 0]);
        directory.extend(b"PK\x01\x02\x14\0");
        directory.extend(&about);
        directory.extend([0; 10]);
        directory.extend(size(file.len())?.to_le_bytes());
        directory.extend(name.as_bytes());
        file.extend(b"PK\x03\x04");
        file.extend(about);
        file.extend(name.as_bytes());
        file.extend(packed);
    }
    let (begin, bytes, parts) = (size(file.len())?, size(directory.len())?, count(parts.len())?);
    file.extend(directory);
    file.extend(b"PK\x05\x06\0\0\0\0");
    file.extend([parts, parts].into_iter().flat_map(u16::to_le_bytes));
    file.extend([bytes, begin].into_iter().flat_map(u32::to_le_bytes));
    file.extend([0, 0]);
    Ok(file)
}

/// A size or place as its 32 bits hold it.
fn size(bytes: usize) -> io::Result<u32> {
    u32::try_from(bytes).map_err(io::Error::other)
}

fn count(things: usize) -> io::Result<u16> {
    u16::try_from(things).map_err(io::Error::other)
}
