//! The calls of a partner's apps, one by one: those that were recorded, and those that failed.
//!
//! Owns how the ledger's rows and the log of refused calls are told as one list, what happened to a call at each of its
//! steps, and who searches by a number, which is counted and noted. Must never show a number other than masked, or change
//! a call.

mod about;
mod list;
mod request;
mod search;
mod steps;

use futures_executor::block_on;
use jiff::{SignedDuration, Timestamp};
use laini_core::partner::PartnerId;
use laini_core::store::{RefusalCause, RefusalLogError, RefusedCall, RefusedQuery};

pub use about::{About, Mask};
pub use list::{Answered, RequestFilter, RequestsPage, list};
pub use request::{Failure, Opened, Recording, Request, open, open_any};
pub use search::SEARCHERS;
pub use steps::{Step, StepState, steps};

use crate::{Problem, Work};

/// Failed calls that [`failed_between`] names one by one.
const NAMED_MAX: usize = 100;
/// For so long causes are counted where no span is given.
const CAUSES_OF: SignedDuration = SignedDuration::from_hours(7 * 24);

/// What failed of a partner in a span. None of it was billed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failures {
    /// How many calls, of those that are kept (30 days, and the newest 10,000 of each app).
    pub calls: u64,
    /// Why, the most frequent first.
    pub causes: Vec<RefusalCause>,
    /// The newest of them, at most 100.
    pub newest: Vec<RefusedCall>,
}

/// Which calls of a partner failed from `from` until `until`.
pub fn failed_between(
    work: &Work<'_>,
    partner: PartnerId,
    from: Timestamp,
    until: Timestamp,
) -> Result<Failures, Problem> {
    let (from, until, limit) = (Some(from), Some(until), NAMED_MAX);
    let query = RefusedQuery { partner: Some(partner), from, until, limit, ..RefusedQuery::default() };
    let causes = block_on(work.office.refusals.causes(query.clone()))?;
    let newest = block_on(work.office.refusals.refused(query))?;
    Ok(Failures { calls: causes.iter().map(|cause| cause.calls).sum(), causes, newest })
}

/// Why a partner's calls failed, counted: those that fit `filter`, of the last 7 days where it names no beginning.
pub fn causes(work: &Work<'_>, partner: PartnerId, filter: &RequestFilter) -> Result<Vec<RefusalCause>, Problem> {
    let from = filter.from.or(Some(work.at - CAUSES_OF));
    let query = RefusedQuery { from, ..filter.refused(work, partner) };
    Ok(block_on(work.office.refusals.causes(query))?)
}

impl From<RefusalLogError> for Problem {
    fn from(error: RefusalLogError) -> Self {
        Self::Store(error.to_string())
    }
}
