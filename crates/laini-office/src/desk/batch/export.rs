use laini_core::desk::Verdict;
use laini_core::partner::{DeskBatchId, PartnerId};

use super::rows::DeskRows;
use super::{BatchRow, Came, DeskBatch, GROUP_ROWS, batch};
use crate::desk::masked;
use crate::desk::sheet::{Cell, SheetFormat};
use crate::{Problem, Work};

/// Which rows of a batch.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum WhichRows {
    /// All of them.
    #[default]
    All,
    /// Those of this verdict.
    Verdict(Verdict),
    /// Those that came to no answer.
    Failed,
}

impl WhichRows {
    /// Reads a verdict's word, or `failed`; anything else is all of them.
    pub fn parse(word: &str) -> Self {
        match Verdict::parse(word) {
            Some(verdict) => Self::Verdict(verdict),
            None if word == "failed" => Self::Failed,
            None => Self::All,
        }
    }

    fn has(self, row: &BatchRow) -> bool {
        match (self, &row.came) {
            (Self::All, _) | (Self::Failed, Some(Came::Failed(_))) => true,
            (Self::Verdict(verdict), Some(Came::Found(found))) => found.judgement.verdict == verdict,
            (Self::Verdict(_) | Self::Failed, _) => false,
        }
    }
}

/// Rows with their numbers in the batch, and the number of the first that there was no place for.
pub type NumberedRows = (Vec<(u32, BatchRow)>, Option<u32>);

/// Rows of a batch, from row `begin` on, `limit` at most; and where the next page begins. Numbers in the texts that came
/// with them are masked.
pub fn rows(
    work: &mut Work<'_>,
    batch: &DeskBatch,
    which: WhichRows,
    begin: u32,
    limit: usize,
) -> Result<NumberedRows, Problem> {
    let mut found = Vec::new();
    if batch.started.is_none() || !batch.has_rows {
        return Ok((found, None));
    }
    for group in begin / GROUP_ROWS..batch.groups() {
        let rows = DeskRows::find(work, batch.id, group)?.rows(work.office)?;
        for (number, row) in (group * GROUP_ROWS..).zip(rows) {
            if number < begin || !which.has(&row) {
                continue;
            }
            if found.len() == limit {
                return Ok((found, Some(number)));
            }
            found.push((number, row.told(work.office)));
        }
    }
    Ok((found, None))
}

/// The columns of an export.
const HEAD: [&str; 12] = [
    "line",
    "number",
    "reference",
    "amount",
    "name",
    "verdict",
    "reasons",
    "check",
    "asked",
    "data_of",
    "charge",
    "sim",
];

/// Rows of a batch as a file, as they stand: numbers masked, no text a formula.
pub fn export(
    work: &mut Work<'_>,
    partner: PartnerId,
    id: DeskBatchId,
    which: WhichRows,
    format: SheetFormat,
) -> Result<Vec<u8>, Problem> {
    let batch = batch(work, partner, id)?;
    let (rows, _) = rows(work, &batch, which, 0, usize::MAX)?;
    let cells = |(_, row): (u32, BatchRow)| {
        let number = work.office.settings.plan.parse(&row.number).map(masked).unwrap_or_default();
        let came = came(&row);
        let texts = [number, row.reference, row.amount, row.name].into_iter().chain(came);
        [Cell::Whole(row.line)].into_iter().chain(texts.map(Cell::Text)).collect()
    };
    format.write(&HEAD, rows.into_iter().map(cells)).map_err(|error| Problem::Store(error.to_string()))
}

fn came(row: &BatchRow) -> [String; 7] {
    let none = String::new;
    match &row.came {
        None => [none(), none(), none(), none(), none(), none(), none()],
        Some(Came::Failed(why)) => ["failed".to_owned(), why.clone(), none(), none(), none(), none(), none()],
        Some(Came::Found(found)) => {
            let reason = |reason: laini_core::desk::Reason| match reason.days() {
                Some(days) => format!("{} {days}", reason.word()),
                None => reason.word().to_owned(),
            };
            let reasons: Vec<String> = found.judgement.reasons.iter().map(|(_, why)| reason(*why)).collect();
            [
                found.judgement.verdict.word().to_owned(),
                reasons.join("; "),
                found.check.clone(),
                found.at.to_string(),
                found.as_of.clone().unwrap_or_default(),
                found.charge().map(|charge| charge.to_string()).unwrap_or_default(),
                found.sim.clone().unwrap_or_default(),
            ]
        }
    }
}
