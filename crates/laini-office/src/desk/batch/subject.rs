use laini_core::line::Msisdn;
use laini_core::partner::DeskBatchId;

use super::rows::{DeskRows, DeskSheet};
use super::{BatchRow, Came, DeskBatch};
use crate::desk::{KeptNumber, NUMBERS_KEPT};
use crate::privacy::Span;
use crate::{Cursor, PageRequest, Problem, Work};

/// What is said of a row whose number was forgotten before it was asked.
const ERASED: &str = "its number was forgotten at its holder's request";

/// Where the batches of a page keep a number since some time of the span; and where the next page begins.
pub(in crate::desk) fn kept_numbers(
    work: &mut Work<'_>,
    number: Msisdn,
    span: Span,
    page: PageRequest,
) -> Result<(Vec<KeptNumber>, Option<Cursor>), Problem> {
    let found = work.find::<DeskBatch>("has_rows", "all", false, page)?;
    let mut kept = Vec::new();
    for batch in found.items.into_iter().filter(|batch| span.contains(batch.keeps_since())) {
        let count = match work.look::<DeskSheet>(batch.id)? {
            Some(sheet) => sheet.count(work.office, number)?,
            None => groups_about(work, batch.id, number)?.iter().map(|(_, _, count)| count).sum(),
        };
        let stands_in = if batch.started.is_none() { "table of the desk" } else { "row of a batch of the desk" };
        let (at, partner, until) = (batch.keeps_since(), batch.partner, batch.brought + NUMBERS_KEPT);
        kept.extend(std::iter::repeat_n(KeptNumber { at, partner, stands_in, until }, count));
    }
    Ok((kept, found.next))
}

/// Forgets a number in the rows of the batches of a page; in how many rows, and where the next page begins.
pub(in crate::desk) fn forget_number(
    work: &mut Work<'_>,
    number: Msisdn,
    span: Span,
    page: PageRequest,
) -> Result<(u64, Option<Cursor>), Problem> {
    let found = work.find::<DeskBatch>("has_rows", "all", false, page)?;
    let mut forgotten = 0;
    for mut batch in found.items.into_iter().filter(|batch| span.contains(batch.keeps_since())) {
        let (digits, mut unasked) = (number.digits(), 0);
        for (group, mut rows, count) in groups_about(work, batch.id, number)? {
            for row in rows.iter_mut().filter(|row| row.number == digits) {
                unasked += u32::from(row.came.is_none());
                row.forget();
            }
            work.put(&group.with(work.office, &rows)?)?;
            forgotten += count as u64;
        }
        if unasked > 0 {
            batch.counts.failed += unasked;
            work.put(&batch)?;
        }
    }
    Ok((forgotten, found.next))
}

/// The groups of a batch that have rows about a number, with how many.
fn groups_about(
    work: &mut Work<'_>,
    batch: DeskBatchId,
    number: Msisdn,
) -> Result<Vec<(DeskRows, Vec<BatchRow>, usize)>, Problem> {
    let digits = number.digits();
    let mut about = Vec::new();
    for group in work.all::<DeskRows>("batch", batch)? {
        let rows = group.rows(work.office)?;
        let count = rows.iter().filter(|row| row.number == digits).count();
        if count > 0 {
            about.push((group, rows, count));
        }
    }
    Ok(about)
}

impl DeskBatch {
    /// Since when it keeps its numbers, for a span of time: it may be asked until a day after.
    fn keeps_since(&self) -> jiff::Timestamp {
        self.started.unwrap_or(self.brought)
    }
}

impl BatchRow {
    /// Whether its number was forgotten; then it is never asked.
    pub fn is_forgotten(&self) -> bool {
        self.number.is_empty()
    }

    fn forget(&mut self) {
        for text in [&mut self.number, &mut self.reference, &mut self.enrolled, &mut self.amount, &mut self.name] {
            text.clear();
        }
        match &mut self.came {
            Some(Came::Found(found)) => found.sim = None,
            Some(Came::Failed(_)) => {}
            None => self.came = Some(Came::Failed(ERASED.to_owned())),
        }
    }
}
