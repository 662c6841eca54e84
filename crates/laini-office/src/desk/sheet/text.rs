use std::borrow::Cow;

use super::columns::is_enrolled;
use super::{CELL_LINES_MAX, COLUMNS_MAX, Sheet, SheetError, cell};

/// What may stand between cells, the likeliest first.
const DELIMITERS: [u8; 4] = *b",;\t|";
/// Lines by which the delimiter is told.
const LINES_LOOKED_AT: usize = 20;

/// The text of a file: UTF-8, UTF-16 with its mark, or else one byte a character.
pub(super) fn decoded(bytes: &[u8]) -> Result<Cow<'_, str>, SheetError> {
    let wide = |read: fn([u8; 2]) -> u16, rest: &[u8]| {
        let units: Vec<u16> = rest.chunks_exact(2).map(|pair| read([pair[0], pair[1]])).collect();
        String::from_utf16(&units).map(Cow::Owned).map_err(|_| SheetError::Unknown)
    };
    match bytes {
        [0xef, 0xbb, 0xbf, rest @ ..] => std::str::from_utf8(rest).map(Cow::Borrowed).map_err(|_| SheetError::Unknown),
        [0xff, 0xfe, rest @ ..] => wide(u16::from_le_bytes, rest),
        [0xfe, 0xff, rest @ ..] => wide(u16::from_be_bytes, rest),
        _ if bytes.contains(&0) => Err(SheetError::Unknown),
        _ => Ok(std::str::from_utf8(bytes)
            .map_or_else(|_| Cow::Owned(bytes.iter().map(|byte| char::from(*byte)).collect()), Cow::Borrowed)),
    }
}

/// Reads lines of cells. Where every line holds nothing but numbers, each number is a row: that is how lists are
/// pasted.
pub(super) fn read(text: &str) -> Result<Sheet, SheetError> {
    if let Some(sheet) = list(text)? {
        return Ok(sheet);
    }
    let mut format = csv::ReaderBuilder::new();
    format.has_headers(false).flexible(true).delimiter(delimiter(text));
    let mut sheet = Sheet::default();
    for record in format.from_reader(text.as_bytes()).records() {
        let record = record.map_err(|_| SheetError::Unknown)?;
        if record.iter().any(|cell| cell.lines().count() > CELL_LINES_MAX) {
            return Err(SheetError::Unclosed);
        }
        let line = record.position().map_or(0, |position| line_of(text, position));
        let cells = record.iter().take(COLUMNS_MAX).map(cell).collect();
        sheet.push(u32::try_from(line).unwrap_or(u32::MAX), cells)?;
    }
    Ok(sheet)
}

/// The line of a record. Its place is where the one before ended, with the blank lines between.
fn line_of(text: &str, position: &csv::Position) -> u64 {
    let begin = usize::try_from(position.byte()).unwrap_or(usize::MAX);
    let rest = text.as_bytes().get(begin..).unwrap_or_default();
    let blank = rest.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).filter(|byte| **byte == b'\n').count();
    position.line() + blank as u64
}

/// Lines of numbers alone, one or several in a line; `None` = it is something else.
fn list(text: &str) -> Result<Option<Sheet>, SheetError> {
    let is_of_number = |c: char| c.is_ascii_digit() || c == '+' || c == '-' || c.is_whitespace();
    let mut sheet = Sheet::default();
    for (number, line) in (1..).zip(text.lines()) {
        if !line.chars().all(|c| is_of_number(c) || c == ',' || c == ';') {
            return Ok(None);
        }
        for part in line.split([',', ';', '\t']) {
            // No number is as long: it is a table, with the digits of enrolled SIMs.
            if is_enrolled(part.trim()) {
                return Ok(None);
            }
            sheet.push(number, vec![cell(part)])?;
        }
    }
    Ok(Some(sheet))
}

/// What stands between the cells of most lines, outside of quotes.
fn delimiter(text: &str) -> u8 {
    let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).take(LINES_LOOKED_AT).collect();
    let in_how_many = |delimiter: u8| {
        let holds = |line: &&&str| {
            let mut is_quoted = false;
            line.bytes().any(|byte| {
                is_quoted ^= byte == b'"';
                byte == delimiter && !is_quoted
            })
        };
        lines.iter().filter(holds).count()
    };
    let most = DELIMITERS.into_iter().rev().max_by_key(|delimiter| in_how_many(*delimiter));
    most.unwrap_or(b',')
}
