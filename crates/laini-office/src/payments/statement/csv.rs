use std::borrow::Cow;
use std::io::BufRead;

use csv::{ReaderBuilder, StringRecord, Trim};
use laini_core::billing::{Currency, Money};

use super::amount::{day, minor};
use super::{Line, LineProblem, Said, bank_id, tidy, unreadable};
use crate::Problem;

/// What heads a column, in the forms in which banks write it.
const DATES: &[&str] = &["date", "booking date", "transaction date", "posting date", "value date"];
const AMOUNTS: &[&str] = &["amount", "credit", "credit amount", "paid in", "money in"];
const REFERENCES: &[&str] = &["reference", "ref", "customer reference", "payment reference"];
const DETAILS: &[&str] = &["description", "details", "narration", "narrative", "particulars"];
const IDS: &[&str] = &["id", "transaction id", "bank id", "bank reference", "transaction reference", "entry id"];
const CURRENCIES: &[&str] = &["currency", "ccy"];

/// Where the columns stand.
struct Columns {
    date: usize,
    amount: usize,
    id: usize,
    reference: Option<usize>,
    details: Option<usize>,
    currency: Option<usize>,
    /// How many there are,
    count: usize,
    /// and what stands between them.
    delimiter: char,
}

impl Columns {
    fn of(header: &StringRecord, delimiter: u8) -> Result<Self, Problem> {
        let heads: Vec<String> = header.iter().map(|head| head.trim().to_ascii_lowercase().replace('_', " ")).collect();
        // In the order of the names: a booking date goes before a value date.
        let place = |names: &[&str]| names.iter().find_map(|name| heads.iter().position(|head| head == name));
        let needed = |names: &[&str], name: &str| {
            place(names).ok_or_else(|| unreadable(format!("its first line has no column {name}; it is the header")))
        };
        Ok(Self {
            date: needed(DATES, "date")?,
            amount: needed(AMOUNTS, "amount")?,
            id: needed(IDS, "id")?,
            reference: place(REFERENCES),
            details: place(DETAILS),
            currency: place(CURRENCIES),
            count: header.len(),
            delimiter: char::from(delimiter),
        })
    }

    fn line(&self, record: &StringRecord, place: usize, currency: Currency) -> Result<Option<Line>, Cow<'static, str>> {
        if !is_filled(record, self.count, self.delimiter)? {
            return Ok(None);
        }
        let field = |at: usize| record.get(at).unwrap_or_default();
        let text = |at: Option<usize>| at.map(|at| tidy(field(at))).unwrap_or_default();
        let named = text(self.currency);
        if !named.is_empty() && named != currency.as_str() {
            return Err(format!("it is not in {}", currency.as_str()).into());
        }
        let amount = field(self.amount);
        // A column of credits is empty where money went out.
        let amount_minor = if amount.trim().is_empty() { 0 } else { minor(amount, currency)? };
        if amount_minor <= 0 {
            return Ok(None);
        }
        Ok(Some(Line {
            place,
            on: day(field(self.date))?,
            amount: Money::new(amount_minor, currency),
            bank_id: bank_id(field(self.id))?,
            other_id: None,
            reference: text(self.reference),
            account: String::new(),
            details: text(self.details),
        }))
    }
}

pub(super) fn read(
    bytes: &mut impl BufRead,
    currency: Currency,
    each: &mut dyn FnMut(Said) -> Result<(), Problem>,
) -> Result<(), Problem> {
    let delimiter = delimiter(bytes)?;
    let mut reader =
        ReaderBuilder::new().has_headers(false).flexible(true).trim(Trim::All).delimiter(delimiter).from_reader(bytes);
    let (mut record, mut columns) = (StringRecord::new(), None);
    while next(&mut reader, &mut record, each)? {
        let Some(columns) = &columns else {
            columns = Some(Columns::of(&record, delimiter)?);
            continue;
        };
        let place = place(&record);
        each(match columns.line(&record, place, currency) {
            Ok(Some(line)) => Said::Money(line),
            Ok(None) => Said::Other,
            Err(reason) => Said::Bad(LineProblem { place, reason }),
        })?;
    }
    if columns.is_some() { Ok(()) } else { Err(unreadable("it is empty")) }
}

/// The next record; one that is no text is told and passed over.
pub(super) fn next(
    reader: &mut csv::Reader<impl std::io::Read>,
    record: &mut StringRecord,
    each: &mut dyn FnMut(Said) -> Result<(), Problem>,
) -> Result<bool, Problem> {
    loop {
        match reader.read_record(record) {
            Ok(is_there) => return Ok(is_there),
            Err(error) if matches!(error.kind(), csv::ErrorKind::Utf8 { .. }) => {
                let place = error.position().map_or(0, csv::Position::line);
                let place = usize::try_from(place).unwrap_or(usize::MAX);
                each(Said::Bad(LineProblem { place, reason: "it is not UTF-8 text".into() }))?;
            }
            Err(_) => return Err(unreadable("it cannot be read to its end")),
        }
    }
}

/// Whether a record says anything. `Err` where it has not one field for each column, for what stands where is not known
/// then, and where a field holds whole rows: its quotation mark was not closed.
pub(super) fn is_filled(record: &StringRecord, columns: usize, delimiter: char) -> Result<bool, Cow<'static, str>> {
    if record.iter().all(str::is_empty) {
        return Ok(false);
    }
    let holds_rows = |field: &str| field.lines().skip(1).any(|line| line.split(delimiter).count() >= columns);
    if record.iter().any(holds_rows) {
        return Err("a field of it goes on over what looks like rows; close its quotation mark, or take the line \
                    breaks out of it, and import the file again"
            .into());
    }
    if record.len() == columns {
        return Ok(true);
    }
    let fields = record.len();
    Err(format!("it has {fields} fields, and the header has {columns}; a field with a comma needs quotation marks")
        .into())
}

/// On which line of the file a record begins.
pub(super) fn place(record: &StringRecord) -> usize {
    record.position().and_then(|position| usize::try_from(position.line()).ok()).unwrap_or(0)
}

/// What stands between the columns: whatever there is most of in the first line.
fn delimiter(bytes: &mut impl BufRead) -> Result<u8, Problem> {
    let start = bytes.fill_buf().map_err(|_| unreadable("it cannot be read"))?;
    let line = start.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let count = |delimiter: u8| line.split(|byte| *byte == delimiter).count();
    Ok([b'\t', b';', b','].into_iter().max_by_key(|delimiter| count(*delimiter)).unwrap_or(b','))
}
