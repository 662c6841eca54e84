use laini_core::line::Msisdn;
use laini_core::partner::{DeskBatchId, PartnerId, Purpose};

use super::draft::brought;
use super::rows::{DeskRows, DeskSheet, seal};
use super::{AskedFrom, BatchRow, BatchState, Came, DeskBatch, GROUP_ROWS, Hidden, RUNNING_MAX, batch};
use crate::desk::check::usable_app;
use crate::desk::{a_reference, admit};
use crate::{Kept as _, PageRequest, Problem, Work};

/// Starts a draft: from here on its rows are asked, one after the other, until all of them are. The guards of the desk
/// hold for all of its numbers at once: caps, canaries, hours.
pub fn start(
    work: &mut Work<'_>,
    partner: PartnerId,
    id: DeskBatchId,
    purpose: Purpose,
    reference: &str,
    from: AskedFrom,
) -> Result<DeskBatch, Problem> {
    let person = work.actor.person().ok_or(Problem::NotFound("person"))?;
    let (mut batch, sheet) = brought(work, partner, id)?;
    usable_app(work, partner, batch.app)?;
    let reference = a_reference(reference)?;
    has_room(work, person)?;
    let entries = batch.columns.read(&sheet, work.office.settings.plan).rows;
    if entries.is_empty() {
        return Err(Problem::not_now("there is no number in it that can be asked about"));
    }
    let rows: Vec<BatchRow> = entries.into_iter().map(BatchRow::new).collect();
    admit(work, partner, &numbers(work, rows.iter()))?;
    for (group, rows) in (0..).zip(rows.chunks(GROUP_ROWS as usize)) {
        work.put(&DeskRows::new(work.office, id, group, rows)?)?;
    }
    let sheet = work.get::<DeskSheet>(id)?;
    work.remove(&sheet);
    batch.person = person;
    batch.purpose = Some(purpose);
    batch.sealed = seal(work.office, (DeskBatch::KIND, id.into()), &Hidden { reference, from: Some(from) })?;
    run(work, &mut batch);
    work.note("desk.batch.start", Some(partner), id, &format!("{} rows", batch.counts.rows));
    work.put(&batch)?;
    Ok(batch)
}

/// Stops a batch: what was not asked yet is not asked.
pub fn stop(work: &mut Work<'_>, partner: PartnerId, id: DeskBatchId) -> Result<DeskBatch, Problem> {
    let mut batch = batch(work, partner, id)?;
    if batch.state != BatchState::Running {
        return Err(Problem::not_now("the batch does not run"));
    }
    batch.end(work, BatchState::Stopped("it was stopped by hand".to_owned()));
    work.put(&batch)?;
    Ok(batch)
}

/// Asks anew what came to no answer: under new keys, so that each of these rows may be charged, whatever became of it
/// before.
pub fn ask_failed_again(
    work: &mut Work<'_>,
    partner: PartnerId,
    id: DeskBatchId,
    from: AskedFrom,
) -> Result<DeskBatch, Problem> {
    let person = work.actor.person().ok_or(Problem::NotFound("person"))?;
    let mut batch = batch(work, partner, id)?;
    if !matches!(batch.state, BatchState::Done | BatchState::Stopped(_)) || !batch.has_rows {
        return Err(Problem::not_now("only a batch that has ended, and whose numbers are still kept, can be asked on"));
    }
    usable_app(work, partner, batch.app)?;
    has_room(work, person)?;
    let (mut wanted, mut forgotten) = (Vec::new(), 0);
    for group in 0..batch.groups() {
        let mut rows = DeskRows::find(work, id, group)?.rows(work.office)?;
        let mut is_changed = false;
        let is_open = |row: &&mut BatchRow| !matches!(row.came, Some(Came::Found(_))) && !row.is_forgotten();
        for row in rows.iter_mut().filter(is_open) {
            row.came = None;
            row.round += 1;
            row.misses = 0;
            is_changed = true;
            wanted.push(row.clone());
        }
        forgotten += rows.iter().filter(|row| row.is_forgotten() && matches!(row.came, Some(Came::Failed(_)))).count();
        if is_changed {
            work.put(&DeskRows::new(work.office, id, group, &rows)?)?;
        }
    }
    if wanted.is_empty() {
        return Err(Problem::not_now("every row has its answer"));
    }
    admit(work, partner, &numbers(work, wanted.iter()))?;
    batch.counts.failed = u32::try_from(forgotten).unwrap_or(u32::MAX);
    batch.person = person;
    let hidden = Hidden { from: Some(from), ..batch.open(work) };
    batch.sealed = seal(work.office, (DeskBatch::KIND, id.into()), &hidden)?;
    run(work, &mut batch);
    work.note("desk.batch.again", Some(partner), id, &format!("{} rows", wanted.len()));
    work.put(&batch)?;
    Ok(batch)
}

impl DeskBatch {
    /// How many groups its rows lie in.
    pub(super) fn groups(&self) -> u32 {
        self.counts.rows.div_ceil(GROUP_ROWS)
    }

    pub(super) fn end(&mut self, work: &Work<'_>, state: BatchState) {
        (self.state, self.ended, self.waits) = (state, Some(work.at), None);
        self.turn += 1;
    }
}

fn run(work: &Work<'_>, batch: &mut DeskBatch) {
    (batch.state, batch.started, batch.ended, batch.waits) = (BatchState::Running, Some(work.at), None, None);
    (batch.due, batch.group, batch.turn) = (work.at, 0, batch.turn + 1);
}

fn has_room(work: &mut Work<'_>, person: laini_core::partner::PersonId) -> Result<(), Problem> {
    let running = work.find::<DeskBatch>("running", person, false, PageRequest::LONGEST)?.items.len();
    if running >= RUNNING_MAX {
        return Err(Problem::not_now(format!("{RUNNING_MAX} of your batches run already; wait until one has ended")));
    }
    Ok(())
}

fn numbers<'a>(work: &Work<'_>, rows: impl Iterator<Item = &'a BatchRow>) -> Vec<Msisdn> {
    rows.filter_map(|row| work.office.settings.plan.parse(&row.number).ok()).collect()
}
