use std::collections::HashMap;

use laini_core::line::{Msisdn, NumberPlan};
use serde::{Deserialize, Serialize};

use super::{Sheet, SheetRow};
use crate::Problem;

/// The longest reference, name or amount of a row, in characters.
pub const NAME_CHARS_MAX: usize = 128;
/// Digits by which an enrolled SIM is known.
const ENROLLED_DIGITS: usize = 16;
/// Rows that a column is told by.
const ROWS_LOOKED_AT: usize = 200;
/// What columns of each kind are often called, in small letters.
const NUMBER_NAMES: [&str; 7] = ["msisdn", "phone", "mobile", "number", "tel", "simu", "namba"];
const REFERENCE_NAMES: [&str; 8] = ["ref", "cheque", "check no", "case", "payout", "hundi", "rejeleo", "id"];
const AMOUNT_NAMES: [&str; 6] = ["amount", "amt", "value", "kes", "sum", "kiasi"];
const ENROLLED_NAMES: [&str; 3] = ["enrol", "sim", "expect"];
const NAME_NAMES: [&str; 6] = ["name", "payee", "customer", "holder", "jina", "mteja"];

/// Which column is which, from 0.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Columns {
    /// The numbers.
    pub number: usize,
    /// Each row's own reference.
    pub reference: Option<usize>,
    /// The digits of each row's SIM as it was enrolled.
    #[serde(default)]
    pub enrolled: Option<usize>,
    /// An amount; it goes into the export and nowhere else.
    pub amount: Option<usize>,
    /// A name; it goes into the export and nowhere else.
    pub name: Option<usize>,
    /// Whether the first row names the columns.
    pub has_header: bool,
}

/// A row that can be asked about.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Where it stood, from 1.
    pub line: u32,
    /// Its number, in full international digits.
    pub number: String,
    /// Its own reference; empty = the batch's holds.
    pub reference: String,
    /// The digits of the SIM that was enrolled; empty = none is expected.
    #[serde(default)]
    pub enrolled: String,
    /// As it was brought.
    pub amount: String,
    /// As it was brought.
    pub name: String,
}

impl Entry {
    /// Whether its SIM can be compared, or is not to be.
    pub(crate) fn has_digits_or_none(&self) -> bool {
        self.enrolled.is_empty() || is_enrolled(&self.enrolled)
    }
}

/// What a table comes to.
#[derive(Default)]
pub struct Entries {
    /// Each number once.
    pub rows: Vec<Entry>,
    /// Lines whose number stood in an earlier line already, and in which.
    pub duplicates: Vec<(u32, u32)>,
    /// Lines without a number that can be asked about.
    pub invalid: Vec<u32>,
}

/// Which columns are likely meant; `None` = in none of them are numbers.
pub fn guess(sheet: &Sheet, plan: NumberPlan) -> Option<Columns> {
    let rows = &sheet.rows[..sheet.rows.len().min(ROWS_LOOKED_AT)];
    let in_column = |column: usize| rows.iter().filter(|row| number_at(row, column, plan).is_some()).count();
    let first = rows.first()?;
    let names: Vec<String> = first.cells.iter().map(|cell| cell.to_lowercase()).collect();
    let is_named =
        |column: usize, of: &[&str]| names.get(column).is_some_and(|name| of.iter().any(|word| name.contains(word)));
    let best = (0..sheet.width()).rev().max_by_key(|column| (in_column(*column), is_named(*column, &NUMBER_NAMES)))?;
    if in_column(best) == 0 {
        return None;
    }
    let has_header = number_at(first, best, plan).is_none() && first.cells.iter().any(|cell| has_letters(cell));
    // A column is named like one of them soon ("simu"), so its cells have to look like them, too.
    let holds_digits = |column: &usize| {
        let cells = rows.iter().skip(1).filter_map(|row| row.cells.get(*column)).map(|cell| cell.trim());
        let mut told = cells.filter(|cell| !cell.is_empty()).peekable();
        told.peek().is_some() && told.all(is_enrolled)
    };
    let mut named_so = (0..sheet.width()).filter(|column| *column != best && is_named(*column, &ENROLLED_NAMES));
    let enrolled = named_so.find(holds_digits).filter(|_| has_header);
    let mut taken: Vec<usize> = enrolled.into_iter().chain([best]).collect();
    let mut named = |of: &[&str]| {
        let found = (0..sheet.width()).find(|column| has_header && !taken.contains(column) && is_named(*column, of));
        taken.extend(found);
        found
    };
    let (amount, name) = (named(&AMOUNT_NAMES), named(&NAME_NAMES));
    Some(Columns { number: best, reference: named(&REFERENCE_NAMES), enrolled, amount, name, has_header })
}

impl Columns {
    /// Refuses a column that is two things, or that no row has.
    pub fn checked(self, sheet: &Sheet) -> Result<Self, Problem> {
        let others = [self.reference, self.enrolled, self.amount, self.name];
        let mut all: Vec<usize> = others.into_iter().flatten().chain([self.number]).collect();
        all.sort_unstable();
        let is_twice = all.windows(2).any(|pair| pair[0] == pair[1]);
        if is_twice || all.last().is_some_and(|last| *last >= sheet.width()) {
            return Err(Problem::invalid("columns", "each column is one thing, and must be there"));
        }
        Ok(self)
    }

    /// The rows by these columns.
    pub fn read(self, sheet: &Sheet, plan: NumberPlan) -> Entries {
        let mut entries = Entries::default();
        let mut seen: HashMap<Msisdn, u32> = HashMap::new();
        for row in &sheet.rows[usize::from(self.has_header).min(sheet.rows.len())..] {
            let Some(number) = number_at(row, self.number, plan) else {
                entries.invalid.push(row.line);
                continue;
            };
            if let Some(first) = seen.get(&number) {
                entries.duplicates.push((row.line, *first));
                continue;
            }
            seen.insert(number, row.line);
            let text = |column: Option<usize>| {
                let cell = column.and_then(|column| row.cells.get(column)).map(String::as_str).unwrap_or_default();
                cell.chars().take(NAME_CHARS_MAX).collect::<String>()
            };
            entries.rows.push(Entry {
                line: row.line,
                number: number.digits(),
                reference: text(self.reference),
                enrolled: text(self.enrolled).trim().to_owned(),
                amount: text(self.amount),
                name: text(self.name),
            });
        }
        entries
    }
}

/// The number in a cell; blanks and hyphens inside of it are passed over.
pub fn number(cell: &str, plan: NumberPlan) -> Option<Msisdn> {
    let bare: String = cell.chars().filter(|c| !c.is_whitespace() && *c != '-').collect();
    plan.parse(&bare).ok()
}

fn number_at(row: &SheetRow, column: usize, plan: NumberPlan) -> Option<Msisdn> {
    number(row.cells.get(column)?, plan)
}

/// Whether these are the digits of an enrolled SIM.
pub fn is_enrolled(cell: &str) -> bool {
    cell.len() == ENROLLED_DIGITS && cell.bytes().all(|byte| byte.is_ascii_digit())
}

fn has_letters(cell: &str) -> bool {
    cell.chars().any(char::is_alphabetic)
}
