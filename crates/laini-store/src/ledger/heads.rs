use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;

use laini_core::store::{ChainHead, Mac};
use serde::{Deserialize, Serialize};

/// The name of the file in which the chain's heads are written down, outside of the database: whoever cuts
/// the chain's tail must cut there too.
pub const FILE: &str = "ledger-heads.ndjson";
/// How much of the file's end a start reads: some hundred heads.
const TAIL_BYTES: u64 = 64 << 10;

/// The file of heads, open for appending.
#[derive(Debug)]
pub struct HeadFile {
    file: File,
}

#[derive(Serialize, Deserialize)]
struct Line {
    at: String,
    writer: u32,
    seq: u64,
    mac: String,
}

impl HeadFile {
    /// Opens (and makes) the file of `dir`, and takes away what a torn write left at its end.
    pub fn open(dir: &Path) -> io::Result<Self> {
        let mut options = OpenOptions::new();
        let mut file = options.create(true).truncate(false).read(true).write(true).open(dir.join(FILE))?;
        let (from, tail) = read_tail(&mut file)?;
        let whole = tail.rfind('\n').map_or(0, |end| end + 1);
        if whole == 0 && from > 0 {
            return Err(edited());
        }
        file.set_len(from + whole as u64)?;
        file.seek(SeekFrom::End(0))?;
        // A file is durable only once its name is.
        File::open(dir)?.sync_all()?;
        Ok(Self { file })
    }

    /// The newest head of `writer` among the last ones of the file.
    fn newest(&mut self, writer: u32) -> io::Result<Option<ChainHead>> {
        let (from, tail) = read_tail(&mut self.file)?;
        let mut lines = tail.lines();
        if from > 0 {
            // It begins before the tail.
            lines.next();
        }
        for line in lines.rev() {
            let head = parse(line).ok_or_else(edited)?;
            if head.writer == writer {
                return Ok(Some(head));
            }
        }
        Ok(None)
    }

    /// Appends a head and makes it durable.
    pub fn append(&mut self, head: &ChainHead) -> io::Result<()> {
        let line = Line { at: head.at.to_string(), writer: head.writer, seq: head.seq, mac: head.mac.hex() };
        let mut text = serde_json::to_string(&line)?;
        text.push('\n');
        let end = self.file.stream_position()?;
        let written = self.file.write_all(text.as_bytes()).and_then(|()| self.file.sync_data());
        if written.is_err() {
            // Leave no half line in front of the next one.
            self.file.set_len(end)?;
            self.file.seek(SeekFrom::Start(end))?;
        }
        written
    }
}

/// Where the file's tail begins, and the tail. Leaves the file at its end.
fn read_tail(file: &mut File) -> io::Result<(u64, String)> {
    let from = file.metadata()?.len().saturating_sub(TAIL_BYTES);
    file.seek(SeekFrom::Start(from))?;
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes)?;
    // Heads are ASCII; anything else is refused for being no head.
    Ok((from, bytes.iter().map(|byte| char::from(*byte)).collect()))
}

fn edited() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "its end is not a chain head; somebody edited the file")
}

/// Every head in the file of `dir`, oldest first; none where there is no file.
pub fn read_heads(dir: &Path) -> Result<Vec<ChainHead>, String> {
    let text = match std::fs::read_to_string(dir.join(FILE)) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(format!("{FILE}: {error}")),
    };
    // What follows the last line feed is a write that was torn or is under way.
    let whole = text.rfind('\n').map_or("", |end| &text[..end]);
    let head = |(number, line): (usize, &str)| {
        parse(line).ok_or_else(|| format!("{FILE}, line {}: not a chain head; somebody edited the file", number + 1))
    };
    whole.lines().enumerate().map(head).collect()
}

fn parse(text: &str) -> Option<ChainHead> {
    let line: Line = serde_json::from_str(text).ok()?;
    Some(ChainHead { at: line.at.parse().ok()?, writer: line.writer, seq: line.seq, mac: Mac::parse(&line.mac)? })
}

/// Compares where the chain ends at start with what was written down, and writes it down if it moved.
pub fn reconcile(file: &mut HeadFile, now: ChainHead) -> io::Result<()> {
    let Some(last) = file.newest(now.writer)? else {
        return if now.seq == 0 { Ok(()) } else { file.append(&now) };
    };
    if (last.seq, last.mac) == (now.seq, now.mac) {
        return Ok(());
    }
    if last.seq >= now.seq {
        tracing::error!(
            writer = now.writer,
            written_down = last.seq,
            found = now.seq,
            "the ledger is shorter than its last head says: rows were removed, or an old copy was restored; \
             `laini ledger verify` will keep reporting it"
        );
    }
    file.append(&now)
}
