//! Tables that people bring and take along: pasted lines, CSV, a workbook.
//!
//! Owns what is read of them, how large they may be, which column is which, and how rows are written as a file.
//! Must never run, keep, show or write a formula, unpack more than it has room for, or say in an error what stood in a
//! cell.

mod archive;
mod columns;
mod text;
mod workbook;
mod written;

use serde::{Deserialize, Serialize};

use crate::Problem;

pub use columns::{Columns, Entries, Entry, NAME_CHARS_MAX, guess, is_enrolled, number};
pub use written::{Cell, SheetFormat};

/// The largest file.
pub const FILE_BYTES_MAX: usize = 2 * 1024 * 1024;
/// The most rows, without a header.
pub const ROWS_MAX: usize = 10_000;
/// Columns that are read; further ones are passed over.
pub const COLUMNS_MAX: usize = 20;
/// Characters of a cell that are read.
pub const CELL_CHARS_MAX: usize = 200;
/// All text that a table keeps, in bytes: what a text table of [`FILE_BYTES_MAX`] comes to at most, where each of its
/// bytes is a letter of two. It leaves more than 400 bytes for each of [`ROWS_MAX`] rows, 20 for each cell where every
/// column is filled.
pub const TEXT_BYTES_MAX: usize = 2 * FILE_BYTES_MAX;
/// Lines of a cell in a text table, beyond which its quotation mark was not closed.
pub const CELL_LINES_MAX: usize = 10;

/// A table as it was brought.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sheet {
    /// Its rows that are not empty; the first may be a header.
    pub rows: Vec<SheetRow>,
    /// What their cells keep, in bytes.
    #[serde(skip)]
    text_bytes: usize,
}

/// A row.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SheetRow {
    /// Where it stood, from 1.
    pub line: u32,
    /// Its cells, without blanks around them.
    pub cells: Vec<String>,
}

/// Why a table is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SheetError {
    /// Larger than [`FILE_BYTES_MAX`].
    #[error("the file is larger than {} MiB; split it", FILE_BYTES_MAX / 1024 / 1024)]
    TooLarge,
    /// More than [`ROWS_MAX`].
    #[error("there are more than {ROWS_MAX} rows; split the file")]
    TooManyRows,
    /// Nothing in it.
    #[error("there is no row in it")]
    Empty,
    /// Neither text nor a workbook.
    #[error("it is neither a text table (CSV) nor a workbook (XLSX); save it as one of them")]
    Unknown,
    /// A cell that goes on for more than [`CELL_LINES_MAX`] lines: what follows it is part of it.
    #[error("a quotation mark is opened and not closed again, so many lines look like one cell; mend it")]
    Unclosed,
    /// A workbook that does not open.
    #[error("the workbook cannot be read; save it anew as XLSX, without a password")]
    Broken,
    /// A workbook that unpacks to more than there is room for, or whose cells keep more than [`TEXT_BYTES_MAX`].
    #[error("the workbook unpacks to far more than a table of this size needs; save it anew, or as CSV")]
    Bomb,
}

impl From<SheetError> for Problem {
    fn from(error: SheetError) -> Self {
        Self::invalid("file", error.to_string())
    }
}

impl Sheet {
    /// Reads a file by what its bytes are, whatever it is called.
    pub fn read(bytes: &[u8]) -> Result<Self, SheetError> {
        if bytes.len() > FILE_BYTES_MAX {
            return Err(SheetError::TooLarge);
        }
        let sheet = if bytes.starts_with(b"PK\x03\x04") {
            workbook::read(bytes)?
        } else if bytes.starts_with(&[0xd0, 0xcf, 0x11, 0xe0]) || bytes.starts_with(b"%PDF") {
            return Err(SheetError::Unknown);
        } else {
            text::read(&text::decoded(bytes)?)?
        };
        if sheet.rows.is_empty() { Err(SheetError::Empty) } else { Ok(sheet) }
    }

    /// Of rows that came as such.
    pub fn of(rows: impl Iterator<Item = Vec<String>>) -> Result<Self, SheetError> {
        let mut sheet = Self::default();
        for (line, cells) in (1..).zip(rows) {
            sheet.push(line, cells.iter().map(|text| cell(text)).collect())?;
        }
        if sheet.rows.is_empty() { Err(SheetError::Empty) } else { Ok(sheet) }
    }

    /// How many columns the widest row has.
    pub fn width(&self) -> usize {
        self.rows.iter().map(|row| row.cells.len()).max().unwrap_or(0)
    }

    /// Adds a row, unless it is empty. One row above the limit may be a header. Cells that name the same text keep it
    /// each for itself, so all of them are counted.
    fn push(&mut self, line: u32, mut cells: Vec<String>) -> Result<(), SheetError> {
        while cells.last().is_some_and(String::is_empty) {
            cells.pop();
        }
        if cells.is_empty() {
            return Ok(());
        }
        if self.rows.len() > ROWS_MAX {
            return Err(SheetError::TooManyRows);
        }
        self.text_bytes += cells.iter().map(String::len).sum::<usize>();
        if self.text_bytes > TEXT_BYTES_MAX {
            return Err(SheetError::Bomb);
        }
        self.rows.push(SheetRow { line, cells });
        Ok(())
    }
}

/// A cell as it is kept: one line without blanks around it. `="0722…"`, by which a number is kept a text, is that text.
fn cell(text: &str) -> String {
    let text = text.trim();
    let text = text.strip_prefix("=\"").and_then(|text| text.strip_suffix('"')).unwrap_or(text);
    let kept = text.chars().filter(|c| *c != '\u{feff}').map(|c| if c.is_control() { ' ' } else { c });
    kept.take(CELL_CHARS_MAX).collect::<String>().trim().to_owned()
}

#[cfg(test)]
mod tests;
