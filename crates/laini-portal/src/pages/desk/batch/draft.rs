use std::sync::Arc;

use askama::Template;
use laini_core::line::NumberPlan;
use laini_core::partner::{DeskBatchId, Environment};
use laini_office::Problem;
use laini_office::desk::batch::{self, Draft};
use laini_office::desk::masked;
use laini_office::desk::sheet::{Columns, Entries, is_enrolled, number};

use super::super::check::{AppChoice, purposes, usable_apps};
use crate::answer::Answer;
use crate::frame::Frame;
use crate::portal::Portal;
use crate::visit::{Visit, page};
use crate::words::{DeskBatchWords, DeskWords};

/// Rows of the table that are shown.
const SHOWN_ROWS: usize = 6;
/// Digits of a cell in the numbers' column from which on it is masked: also what was typed short of a number.
const NUMBER_DIGITS_MIN: usize = 7;
/// Lines that are named of those left out.
const NAMED_LINES: usize = 20;

/// What a column may be: the word, what people call it, and whether it is that.
type Kind = (&'static str, &'static str, bool);

#[derive(Template)]
#[template(path = "desk/batch_draft.html")]
struct DraftPage<'a> {
    frame: Frame,
    words: &'static DeskBatchWords,
    desk: &'static DeskWords,
    id: DeskBatchId,
    draft: &'a Draft,
    apps: Vec<AppChoice>,
    purposes: Vec<(&'static str, &'static str, bool)>,
    reference: &'a str,
    /// Each column: its number, and what it may be.
    columns: Vec<(usize, Vec<Kind>)>,
    rows: Vec<(u32, Vec<String>)>,
    duplicates: String,
    invalid: String,
}

/// A draft: which columns, what it costs, and the form that starts it.
pub(super) async fn page_of(portal: &Arc<Portal>, visit: &Arc<Visit>, id: DeskBatchId) -> Result<Answer, Problem> {
    let draft = portal.work(visit, move |work, visit| batch::draft(work, visit.partner()?, id)).await?;
    let apps = usable_apps(portal, visit).await?;
    let (words, desk) = (&visit.language.words().desk_batch, &visit.language.words().desk);
    let Entries { duplicates, invalid, .. } = &draft.entries;
    let shown = draft.sheet.rows.iter().take(SHOWN_ROWS);
    let (width, plan) = (draft.sheet.width(), portal.office.settings.plan);
    let cell = |row: &laini_office::desk::sheet::SheetRow, column: usize| {
        let text = row.cells.get(column).map(String::as_str).unwrap_or_default();
        cell_as_shown(text, column, draft.columns, plan)
    };
    let environment = if draft.quote.is_sandbox { Environment::Sandbox } else { Environment::Production };
    page(&DraftPage {
        frame: visit.frame(portal, words.title).about(environment),
        words,
        desk,
        id,
        apps: AppChoice::all(&apps, &draft.batch.app.to_string()),
        purposes: purposes(desk, visit.field("purpose")),
        reference: visit.field("reference"),
        columns: (0..width).map(|column| (column, kinds(column, draft.columns, words))).collect(),
        rows: shown.map(|row| (row.line, (0..width).map(|column| cell(row, column)).collect())).collect(),
        duplicates: lines(duplicates.iter().map(|(line, _)| *line)),
        invalid: lines(invalid.iter().copied()),
        draft: &draft,
    })
}

/// What a column may be.
fn kinds(column: usize, of: Columns, words: &DeskBatchWords) -> Vec<(&'static str, &'static str, bool)> {
    let (is_number, is_reference) = (column == of.number, Some(column) == of.reference);
    let is_enrolled = Some(column) == of.enrolled;
    let (is_amount, is_name) = (Some(column) == of.amount, Some(column) == of.name);
    vec![
        ("", words.not_used, !(is_number || is_reference || is_enrolled || is_amount || is_name)),
        ("number", words.number, is_number),
        ("reference", words.reference_of_row, is_reference),
        ("enrolled", words.enrolled, is_enrolled),
        ("amount", words.amount, is_amount),
        ("name", words.name, is_name),
    ]
}

/// The columns that the form names.
pub(super) fn columns(visit: &Visit) -> Result<Columns, Problem> {
    let all: Vec<&str> = visit.fields("column").collect();
    let find = |kind: &str| all.iter().position(|one| *one == kind);
    let kinds = ["number", "reference", "enrolled", "amount", "name"];
    let is_twice = kinds.map(|kind| all.iter().filter(|one| **one == kind).count());
    let number = find("number").filter(|_| is_twice.iter().all(|count| *count < 2));
    let number =
        number.ok_or(Problem::invalid("columns", "one column holds the numbers, and each column is one thing"))?;
    let has_header = !visit.field("has_header").is_empty();
    let (reference, enrolled) = (find("reference"), find("enrolled"));
    let (amount, name) = (find("amount"), find("name"));
    Ok(Columns { number, reference, enrolled, amount, name, has_header })
}

fn lines(lines: impl ExactSizeIterator<Item = u32>) -> String {
    let more = if lines.len() > NAMED_LINES { " …" } else { "" };
    let named: Vec<String> = lines.take(NAMED_LINES).map(|line| line.to_string()).collect();
    named.join(", ") + more
}

/// A cell as it is shown: of a number of the plan, and of what else holds digits enough for one, only the ends. The
/// clerk brought them, and they are masked all the same: screens are seen by others, who may choose another column for
/// the numbers. The digits of an enrolled SIM are shown in their own column.
fn cell_as_shown(text: &str, column: usize, of: Columns, plan: NumberPlan) -> String {
    if let Some(number) = number(text, plan) {
        return masked(number);
    }
    let enough = if column == of.number { NUMBER_DIGITS_MIN } else { plan.national_digits() as usize };
    let is_short = text.chars().filter(char::is_ascii_digit).count() < enough;
    if is_short || (Some(column) == of.enrolled && is_enrolled(text)) {
        return text.to_owned();
    }
    let count = text.chars().count();
    text.chars().enumerate().map(|(place, c)| if place < 4 || place + 3 >= count { c } else { '•' }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_masked_in_every_column_and_ordinary_amounts_are_not() {
        let of = Columns { number: 1, enrolled: Some(2), amount: Some(3), ..Columns::default() };
        let shown = |text, column| cell_as_shown(text, column, of, NumberPlan::KENYA);
        for column in 0..5 {
            for number in ["0722000001", "+254 722-000-001", "722000001"] {
                assert_eq!(shown(number, column), "2547•••••001", "{number} in column {column}");
            }
            assert_eq!(shown("A. Person, 0722000001", column), "A. P••••••••••••••001");
        }
        for amount in ["100000", "150,000.00", "999999.99", "cheque 4711", ""] {
            assert_eq!(shown(amount, 3), amount);
        }
        assert_eq!(shown("07220000", 1), "0722•000", "typed short of a number");
        assert_eq!(shown("2719836450192837", 2), "2719836450192837");
        assert_eq!(shown("2719836450192837", 0), "2719•••••••••837");
    }
}
