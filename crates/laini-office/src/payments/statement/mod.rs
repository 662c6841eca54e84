//! Statements of a bank or of M-PESA: what came in, line by line.
//!
//! Owns the formats in which money is reported, as bytes of others that are read once and never trusted. Must never
//! round an amount, guess a currency, read a document type or an entity of XML, or keep more of a file than one line.

mod amount;
mod camt053;
mod csv;
mod mpesa;

pub use amount::ungrouped;

use std::borrow::Cow;
use std::io::{BufReader, Read};

use jiff::civil::Date;
use laini_core::billing::{Currency, Money};
use laini_core::partner::WordError;

use crate::Problem;

/// The largest statement.
pub const STATEMENT_BYTES_MAX: u64 = 16 * 1024 * 1024;
/// The most lines or entries of one statement.
pub const LINES_MAX: usize = 20_000;
/// The longest text of a line that is kept, in characters.
const TEXT_CHARS_MAX: usize = 200;
/// The longest id of a bank, in characters.
const ID_CHARS_MAX: usize = 100;

/// The form of a statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Format {
    /// A table with a header: date, amount, reference, description, id.
    Csv,
    /// ISO 20022 camt.053, versions 02 to 08.
    Camt053,
    /// The statement of an M-PESA paybill, as the organisation's portal exports it.
    Mpesa,
}

impl Format {
    /// Every form.
    pub const ALL: [Self; 3] = [Self::Csv, Self::Camt053, Self::Mpesa];

    /// The word in commands and queries.
    pub fn word(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Camt053 => "camt053",
            Self::Mpesa => "mpesa",
        }
    }

    /// Reads the word.
    pub fn parse(word: &str) -> Result<Self, WordError> {
        let found = Self::ALL.into_iter().find(|format| format.word() == word);
        found.ok_or(WordError { expected: "csv, camt053, mpesa" })
    }

    /// What a statement is, as its beginning tells: XML is camt.053, a table that is headed as the M-PESA portal heads it
    /// is a paybill's, and everything else is read as a bank's table.
    pub fn told_by(bytes: &[u8]) -> Self {
        let text = bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(bytes);
        if text.trim_ascii_start().starts_with(b"<") {
            Self::Camt053
        } else if mpesa::is_headed(text) {
            Self::Mpesa
        } else {
            Self::Csv
        }
    }
}

/// Money that came in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Which line of the file, from 1; of XML: which entry.
    pub place: usize,
    /// When it was booked.
    pub on: Date,
    /// How much; above zero.
    pub amount: Money,
    /// The bank's own name for it, never empty.
    pub bank_id: String,
    /// Another name that the bank has for it, under which it may be recorded; other payments may have that name too.
    pub other_id: Option<String>,
    /// What the payer wrote as its reference.
    pub reference: String,
    /// The account number that the payer typed at a paybill.
    pub account: String,
    /// What else the bank says of it.
    pub details: String,
}

/// A line that could not be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LineProblem {
    /// Which line of the file, from 1; of XML: which entry.
    pub place: usize,
    /// What is wrong with it.
    pub reason: Cow<'static, str>,
}

/// What a statement says of one line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Said {
    /// Money that came in.
    Money(Line),
    /// Nothing that came in: a withdrawal, a pending entry.
    Other,
    /// It could not be read.
    Bad(LineProblem),
}

/// Reads a statement and hands each line over as it comes. `Err`: it is no such file, or too large; what was handed
/// over before is not to be used then.
pub fn read(
    format: Format,
    bytes: impl Read,
    currency: Currency,
    mut each: impl FnMut(Said) -> Result<(), Problem>,
) -> Result<(), Problem> {
    let mut limited = BufReader::new(bytes.take(STATEMENT_BYTES_MAX + 1));
    let (mut lines, mut is_over) = (0, false);
    let mut counted = |line: Said| {
        lines += 1;
        is_over |= lines > LINES_MAX;
        if is_over {
            Err(unreadable(format!("it has more than {LINES_MAX} lines; send it in parts")))
        } else {
            each(line)
        }
    };
    let read = match format {
        Format::Csv => csv::read(&mut limited, currency, &mut counted),
        Format::Camt053 => camt053::read(&mut limited, currency, &mut counted),
        Format::Mpesa => mpesa::read(&mut limited, currency, &mut counted),
    };
    // What came after the limit was not read, whatever the reader thought of the rest.
    if limited.get_ref().limit() == 0 { Err(Problem::TooLarge { limit_bytes: STATEMENT_BYTES_MAX }) } else { read }
}

fn unreadable(reason: impl Into<Cow<'static, str>>) -> Problem {
    Problem::invalid("statement", reason)
}

/// A text of others in one line, without control characters, cut where it is too long.
fn tidy(text: &str) -> String {
    let words = text.split(|c: char| c.is_whitespace() || c.is_control()).filter(|word| !word.is_empty());
    let joined = words.collect::<Vec<_>>().join(" ");
    joined.chars().take(TEXT_CHARS_MAX).collect()
}

/// A bank's own name for a line.
fn bank_id(text: &str) -> Result<String, Cow<'static, str>> {
    let id = text.trim();
    let fits = (1..=ID_CHARS_MAX).contains(&id.chars().count()) && !id.chars().any(char::is_control);
    if fits { Ok(id.to_owned()) } else { Err("its id is missing or longer than 100 characters".into()) }
}

#[cfg(test)]
mod tests;
