use std::io::{self, Read};

/// How much text one worker takes at a time.
pub(super) const BLOCK_BYTES: usize = 1024 * 1024;
/// A record that is longer than this is no extract's row.
pub(super) const MAX_RECORD_BYTES: usize = 64 * 1024;

/// A run of whole CSV records.
pub(super) struct Block {
    /// The line of the stream that it begins with, from 1.
    pub(super) first_line: u64,
    /// The text.
    pub(super) bytes: Vec<u8>,
}

impl Block {
    /// The line of the stream on which the record that the CSV reader met at `position` begins. The
    /// reader's own count stops at a record's carriage return, so the line ends that still lie before
    /// the record (the rest of a CRLF, blank lines) are added.
    pub(super) fn line_of(&self, position: &csv::Position) -> u64 {
        let from = usize::try_from(position.byte()).unwrap_or(usize::MAX);
        let ahead = self.bytes.get(from..).unwrap_or_default();
        let line_ends = ahead.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).filter(|byte| **byte == b'\n');
        self.first_line + position.line() - 1 + line_ends.count() as u64
    }

    /// A record as it stands there, from its own position to that of the next one.
    pub(super) fn text(&self, position: Option<&csv::Position>, next: &csv::Position) -> &[u8] {
        let place = |at: &csv::Position| usize::try_from(at.byte()).unwrap_or(usize::MAX);
        let text = self.bytes.get(position.map_or(0, place)..place(next)).unwrap_or_default();
        text.trim_ascii_start()
    }
}

/// Cuts a CSV stream into blocks of whole records, so that several workers can parse it: at line ends
/// outside quotes.
pub(super) struct Blocks<R> {
    input: R,
    rest: Vec<u8>,
    next_line: u64,
    ended: bool,
}

impl<R: Read> Blocks<R> {
    pub(super) fn new(input: R) -> Self {
        Self { input, rest: Vec::new(), next_line: 1, ended: false }
    }

    /// The first record alone: the header, without a byte-order mark.
    pub(super) fn header(&mut self) -> io::Result<Option<Vec<u8>>> {
        while !self.ended && memchr::memchr(b'\n', &self.rest).is_none() {
            self.fill(4 * 1024)?;
            if self.rest.len() > MAX_RECORD_BYTES {
                return Err(too_long(1));
            }
        }
        if self.rest.starts_with(b"\xef\xbb\xbf") {
            self.rest.drain(..3);
        }
        if self.rest.is_empty() {
            return Ok(None);
        }
        let end = memchr::memchr(b'\n', &self.rest).map_or(self.rest.len(), |at| at + 1);
        self.next_line = 2;
        Ok(Some(self.rest.drain(..end).collect()))
    }

    /// The next block; `None` at the end.
    pub(super) fn next(&mut self) -> io::Result<Option<Block>> {
        let mut wanted = BLOCK_BYTES;
        loop {
            while !self.ended && self.rest.len() < wanted {
                self.fill(wanted - self.rest.len())?;
            }
            let end = if self.ended { self.rest.len() } else { last_record_end(&self.rest) };
            if end > 0 {
                let tail = self.rest.split_off(end);
                let bytes = std::mem::replace(&mut self.rest, tail);
                let first_line = self.next_line;
                self.next_line += memchr::memchr_iter(b'\n', &bytes).count() as u64;
                return Ok(Some(Block { first_line, bytes }));
            }
            if self.ended {
                return Ok(None);
            }
            if self.rest.len() > BLOCK_BYTES + MAX_RECORD_BYTES {
                return Err(too_long(self.next_line));
            }
            wanted = self.rest.len() + MAX_RECORD_BYTES;
        }
    }

    fn fill(&mut self, bytes: usize) -> io::Result<()> {
        let taken = self.input.by_ref().take(bytes as u64).read_to_end(&mut self.rest)?;
        self.ended = taken == 0;
        Ok(())
    }
}

/// The end of the last whole record: after the last line end that has an even number of quotes before it.
fn last_record_end(text: &[u8]) -> usize {
    let quotes = memchr::memchr_iter(b'"', text).count();
    if quotes == 0 {
        return memchr::memrchr(b'\n', text).map_or(0, |at| at + 1);
    }
    let mut inside = false;
    let mut end = 0;
    for at in memchr::memchr2_iter(b'"', b'\n', text) {
        if text[at] == b'"' {
            inside = !inside;
        } else if !inside {
            end = at + 1;
        }
    }
    end
}

fn too_long(line: u64) -> io::Error {
    let message = format!("a record at or after line {line} is longer than {MAX_RECORD_BYTES} bytes (an open quote?)");
    io::Error::new(io::ErrorKind::InvalidData, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_end_between_records_and_count_lines() {
        let row = b"254722000000,\"a\nb \"\"c\"\"\"\r\n";
        let rows = 200_000;
        let mut text = b"\xef\xbb\xbfmsisdn,note\r\n".to_vec();
        for _ in 0..rows {
            text.extend_from_slice(row);
        }
        let mut blocks = Blocks::new(text.as_slice());
        assert_eq!(blocks.header().unwrap().unwrap(), b"msisdn,note\r\n");
        let (mut seen, mut line) = (0, 2);
        while let Some(block) = blocks.next().unwrap() {
            assert_eq!(block.first_line, line);
            assert_eq!(block.bytes.len() % row.len(), 0);
            seen += block.bytes.len() / row.len();
            line += 2 * (block.bytes.len() / row.len()) as u64;
        }
        assert_eq!(seen, rows);
    }

    #[test]
    fn an_open_quote_ends_in_an_error_and_a_last_line_needs_no_end() {
        let mut text = b"h\n\"".to_vec();
        text.resize(4 * BLOCK_BYTES, b'x');
        let mut blocks = Blocks::new(text.as_slice());
        blocks.header().unwrap();
        assert!(blocks.next().is_err());
        let mut short = Blocks::new(&b"h\nlast"[..]);
        short.header().unwrap();
        assert_eq!(short.next().unwrap().unwrap().bytes, b"last");
        assert!(short.next().unwrap().is_none());
        assert!(Blocks::new(&b""[..]).header().unwrap().is_none());
    }
}
