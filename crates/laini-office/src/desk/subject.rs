use jiff::Timestamp;
use laini_core::line::Msisdn;
use laini_core::partner::PartnerId;

use super::batch::{self, forget_batches};
use super::{NUMBERS_KEPT, check};
use crate::privacy::Span;
use crate::{Actor, Cursor, Office, PageRequest, Problem, Work};

/// A number that a partner's desk keeps, sealed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeptNumber {
    /// Since when.
    pub at: Timestamp,
    /// Whose desk.
    pub partner: PartnerId,
    /// The noun of what it stands in.
    pub stands_in: &'static str,
    /// Until when, unless it is forgotten earlier.
    pub until: Timestamp,
}

/// Where desks keep a number since some time of the span: receipts, tables that were brought, rows of batches.
pub fn kept_numbers(office: &Office, number: Msisdn, span: Span, at: Timestamp) -> Result<Vec<KeptNumber>, Problem> {
    let mut kept = Vec::new();
    each_page(office, at, PageRequest::LONGEST, |work, page| {
        let (receipts, next) = check::receipts_about(work, number, span, page)?;
        kept.extend(receipts.iter().map(|receipt| KeptNumber {
            at: receipt.finding.at,
            partner: receipt.partner,
            stands_in: "receipt of the desk",
            until: receipt.finding.at + NUMBERS_KEPT,
        }));
        Ok((0, next))
    })?;
    each_page(office, at, ONE, |work, page| {
        let (found, next) = batch::kept_numbers(work, number, span, page)?;
        kept.extend(found);
        Ok((0, next))
    })?;
    kept.sort_by_key(|kept| kept.at);
    Ok(kept)
}

/// Forgets a number in everything that desks keep since some time of the span; in how many receipts and rows. Verdicts,
/// counts and charges stay. Whoever asks leaves the last day out of the span: a batch may be asked on for so long.
pub fn forget_number(office: &Office, number: Msisdn, span: Span, at: Timestamp) -> Result<u64, Problem> {
    // With that no table is left that is older than a day.
    forget_batches(office, at)?;
    let receipts = each_page(office, at, PageRequest::LONGEST, |work, page| {
        let (receipts, next) = check::receipts_about(work, number, span, page)?;
        let count = receipts.len() as u64;
        for receipt in receipts {
            receipt.forget(work)?;
        }
        Ok((count, next))
    })?;
    let rows = each_page(office, at, ONE, |work, page| batch::forget_number(work, number, span, page))?;
    Ok(receipts + rows)
}

/// A batch in one unit of work: its rows are hundreds of records.
const ONE: PageRequest = PageRequest { limit: 1, ..PageRequest::FIRST };

/// Does each page in a unit of work of its own; the sum of their counts.
fn each_page(
    office: &Office,
    at: Timestamp,
    mut page: PageRequest,
    mut step: impl FnMut(&mut Work<'_>, PageRequest) -> Result<(u64, Option<Cursor>), Problem>,
) -> Result<u64, Problem> {
    let mut sum = 0;
    loop {
        let (count, next) = office.run(&Actor::System, at, |work| step(work, page))?;
        sum += count;
        page.after = next;
        if next.is_none() {
            return Ok(sum);
        }
    }
}
