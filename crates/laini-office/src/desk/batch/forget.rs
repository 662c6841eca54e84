use jiff::{SignedDuration, Timestamp};

use super::draft::remove;
use super::rows::DeskRows;
use super::{BatchState, DeskBatch};
use crate::desk::NUMBERS_KEPT;
use crate::{Actor, Office, PageRequest, Problem};

/// A table that was brought and not started is kept for so long.
const DRAFTS_KEPT: SignedDuration = SignedDuration::from_hours(24);

/// Forgets drafts that nobody started, and the rows of batches whose numbers were kept long enough; of how many
/// batches.
pub fn forget_batches(office: &Office, at: Timestamp) -> Result<usize, Problem> {
    let (mut forgotten, mut page) = (0, PageRequest { limit: 1, ..PageRequest::FIRST });
    loop {
        // A batch in one unit of work: its rows are hundreds of records.
        let (is_gone, next) = office.run(&Actor::System, at, |work| {
            let found = work.find::<DeskBatch>("has_rows", "all", false, page)?;
            let Some(batch) = found.items.into_iter().next() else { return Ok((false, None)) };
            let kept = if batch.state == BatchState::Draft { DRAFTS_KEPT } else { NUMBERS_KEPT };
            if batch.brought + kept > at || batch.state == BatchState::Running {
                return Ok((false, found.next));
            }
            if batch.state == BatchState::Draft {
                remove(work, &batch)?;
            } else {
                for rows in work.all::<DeskRows>("batch", batch.id)? {
                    work.remove(&rows);
                }
                work.put(&DeskBatch { has_rows: false, ..batch })?;
            }
            Ok((true, found.next))
        })?;
        forgotten += usize::from(is_gone);
        page.after = next;
        if next.is_none() {
            return Ok(forgotten);
        }
    }
}
