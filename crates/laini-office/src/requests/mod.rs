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

use std::cmp::Reverse;
use std::collections::BTreeSet;

use futures_executor::block_on;
use jiff::{SignedDuration, Timestamp};
use laini_core::partner::{AppId, PartnerId};
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

/// What failed of a partner in a span on the operator's side. None of it was billed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Failures {
    /// How many calls, of those that are kept (30 days, and the newest 10,000 of each app).
    pub calls: u64,
    /// Why, the most frequent first.
    pub causes: Vec<RefusalCause>,
    /// The newest of them, at most 100.
    pub newest: Vec<RefusedCall>,
}

/// Which calls of these apps of a partner failed on the operator's side from `from` until `until`.
pub fn failed_between(
    work: &Work<'_>,
    (partner, apps): (PartnerId, &[AppId]),
    from: Timestamp,
    until: Timestamp,
) -> Result<Failures, Problem> {
    let mut found = Failures::default();
    let log = &work.office.refusals;
    for app in apps {
        let span = RefusedQuery { from: Some(from), until: Some(until), ..RefusedQuery::default() };
        let of_app = RefusedQuery { partner: Some(partner), app: Some(*app), limit: NAMED_MAX, ..span };
        let mut causes = block_on(log.causes(of_app.clone(), None))?;
        causes.retain(|cause| is_of_operator(cause.status));
        for status in causes.iter().map(|cause| cause.status).collect::<BTreeSet<_>>() {
            let of_status = RefusedQuery { status: Some(status), ..of_app.clone() };
            found.newest.extend(block_on(log.refused(of_status))?);
        }
        for cause in causes {
            found.count(cause);
        }
    }
    found.newest.sort_by_key(|call| Reverse((call.at, call.id)));
    found.newest.truncate(NAMED_MAX);
    found.causes.sort_by_key(|cause| Reverse((cause.calls, cause.newest)));
    Ok(found)
}

impl Failures {
    fn count(&mut self, cause: RefusalCause) {
        self.calls += cause.calls;
        let reason = |cause: &RefusalCause| (cause.status, cause.code.clone(), cause.stage, cause.reason.clone());
        match self.causes.iter_mut().find(|known| reason(known) == reason(&cause)) {
            Some(known) => (known.calls, known.newest) = (known.calls + cause.calls, known.newest.max(cause.newest)),
            None => self.causes.push(cause),
        }
    }
}

/// Whether a call that was answered so failed on the operator's side. What is refused (4xx) is the caller's, a rate and a
/// quota among it; a capability that is switched off (501) is as it shall be.
fn is_of_operator(status: u16) -> bool {
    status >= 500 && status != 501
}

/// Why a partner's calls failed, counted: those that fit `filter`, of the last 7 days where it names no beginning;
/// `newest`: of these, the newest so many alone.
pub fn causes(
    work: &Work<'_>,
    partner: PartnerId,
    filter: &RequestFilter,
    newest: Option<usize>,
) -> Result<Vec<RefusalCause>, Problem> {
    let from = filter.from.or(Some(work.at - CAUSES_OF));
    let query = RefusedQuery { from, ..filter.refused(work, partner) };
    Ok(block_on(work.office.refusals.causes(query, newest))?)
}

impl From<RefusalLogError> for Problem {
    fn from(error: RefusalLogError) -> Self {
        Self::Store(error.to_string())
    }
}
