use std::collections::BTreeMap;

use futures_executor::block_on;
use jiff::Timestamp;
use laini_core::billing::{CheckId, Outcome};
use laini_core::partner::{AppId, PartnerId};
use laini_core::store::{AskedPage, AskedQuery, RefusedQuery, SubjectHash};

use super::search::admit;
use super::{About, Request};
use crate::{Problem, Work};

/// Calls that are read at once to find those about a masked number: no index has them.
const CALLS_PER_LOOK: usize = 2_000;

/// How calls were answered that are wanted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Answered {
    /// In whatever way.
    #[default]
    AnyHow,
    /// With an answer.
    WithAnswer,
    /// With an error.
    WithError,
}

impl Answered {
    /// As written in queries.
    pub fn parse(word: &str) -> Option<Self> {
        [("", Self::AnyHow), ("answered", Self::WithAnswer), ("failed", Self::WithError)]
            .into_iter()
            .find_map(|(known, answered)| (known == word).then_some(answered))
    }
}

/// Which calls.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RequestFilter {
    /// Only calls of this app.
    pub app: Option<AppId>,
    /// Only calls that were answered so.
    pub answered: Answered,
    /// Only calls answered with this HTTP status.
    pub status: Option<u16>,
    /// Only calls answered with this code of the table of errors.
    pub code: Option<String>,
    /// Only calls of which the ledger has this outcome.
    pub outcome: Option<Outcome>,
    /// Only calls about this number, of those about one number that reached the registry or failed.
    pub about: Option<About>,
    /// Only calls that came at or after this instant.
    pub from: Option<Timestamp>,
    /// Only calls that came before this instant.
    pub until: Option<Timestamp>,
    /// From the oldest up; otherwise from the newest down.
    pub oldest_first: bool,
}

impl RequestFilter {
    /// Whether failed calls are looked through at all, and recorded ones.
    fn looks_at(&self) -> (bool, bool) {
        let is_success = self.status.is_some_and(|status| status < 400);
        let failed = self.answered != Answered::WithAnswer && self.outcome.is_none() && !is_success;
        let recorded =
            self.answered != Answered::WithError && self.code.is_none() && self.status.is_none_or(|_| is_success);
        (failed, recorded)
    }

    fn number(&self, work: &Work<'_>) -> Option<SubjectHash> {
        match self.about {
            Some(About::Number(number)) => Some(work.office.keys.subject().number(number)),
            Some(About::Mask(_)) | None => None,
        }
    }

    /// How many calls are read at once to find so many.
    fn read_at_once(&self, wanted: usize) -> usize {
        if matches!(self.about, Some(About::Mask(_))) { wanted.max(CALLS_PER_LOOK) } else { wanted }
    }

    /// Whether a call about this number, masked, is wanted, as far as the stores could not tell.
    fn has(&self, masked: Option<&str>) -> bool {
        match &self.about {
            Some(About::Mask(mask)) => masked.is_some_and(|masked| mask.fits(masked)),
            Some(About::Number(_)) | None => true,
        }
    }

    pub(super) fn refused(&self, work: &Work<'_>, partner: PartnerId) -> RefusedQuery {
        RefusedQuery {
            partner: Some(partner),
            app: self.app,
            number: self.number(work),
            status: self.status,
            code: self.code.clone(),
            from: self.from,
            until: self.until,
            oldest_first: self.oldest_first,
            ..RefusedQuery::default()
        }
    }

    fn asked(&self, work: &Work<'_>, partner: PartnerId) -> AskedQuery {
        AskedQuery {
            numbers: self.number(work).into_iter().collect(),
            partner: Some(partner),
            app: self.app,
            outcome: self.outcome,
            newest_first: !self.oldest_first,
            from: self.from,
            until: self.until,
            ..AskedQuery::default()
        }
    }
}

/// Some of a partner's calls.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RequestsPage {
    /// In the order asked for. May be empty though there are more: a scan has its limits.
    pub requests: Vec<Request>,
    /// After which call the next page begins; `None` = this was the last.
    pub next: Option<CheckId>,
}

/// The calls of a partner's apps. Those about a number are for [`SEARCHERS`](super::SEARCHERS), so many a day, and that
/// they were searched for is in the audit trail.
pub fn list(
    work: &mut Work<'_>,
    partner: PartnerId,
    filter: &RequestFilter,
    after: Option<CheckId>,
    limit: usize,
) -> Result<RequestsPage, Problem> {
    if !work.book()?.partners.iter().any(|known| known.id == partner) {
        return Err(Problem::NotFound("partner"));
    }
    if let Some(about) = &filter.about {
        admit(work, partner, about, (after, filter.oldest_first))?;
    }
    let (looks_at_failed, looks_at_recorded) = filter.looks_at();
    let limit_of_look = filter.read_at_once(limit + 1);
    let mut found: BTreeMap<CheckId, Request> = BTreeMap::new();
    // One look at each: people wait for it, and whoever wants more asks for the next page.
    let (mut failed_until, mut recorded_until) = (None, None);
    if looks_at_failed {
        let query = RefusedQuery { after, limit: limit_of_look, ..filter.refused(work, partner) };
        let refused = block_on(work.office.refusals.refused(query))?;
        failed_until = refused.last().map(|call| call.id).filter(|_| refused.len() >= limit_of_look);
        let calls = refused.into_iter().map(Request::of_refused);
        found.extend(calls.filter(|call| filter.has(call.number.as_deref())).map(|call| (call.id, call)));
    }
    if looks_at_recorded {
        let query = AskedQuery { after, limit: limit_of_look, ..filter.asked(work, partner) };
        let page = block_on(work.office.ledger.asked(query))?;
        add_rows(work, filter, &page, &mut found)?;
        recorded_until = page.after;
    }
    // Beyond where one of them was read to, there may be calls between those of the other.
    let ends = failed_until.into_iter().chain(recorded_until);
    let looked_until = if filter.oldest_first { ends.min() } else { ends.max() };
    let is_known = |id: CheckId, until: CheckId| if filter.oldest_first { id <= until } else { id >= until };
    found.retain(|id, _| looked_until.is_none_or(|until| is_known(*id, until)));
    let has_more = found.len() > limit;
    let mut requests: Vec<Request> = found.into_values().collect();
    if !filter.oldest_first {
        requests.reverse();
    }
    requests.truncate(limit);
    let next = if has_more { requests.last().map(|last| last.id) } else { looked_until };
    Ok(RequestsPage { requests, next })
}

/// Puts rows to the calls that were found; of one that was answered with an error, both are known.
fn add_rows(
    work: &Work<'_>,
    filter: &RequestFilter,
    page: &AskedPage,
    found: &mut BTreeMap<CheckId, Request>,
) -> Result<(), Problem> {
    for check in page.checks.iter().filter(|check| check.row.outcome != Outcome::Reversal) {
        let (id, row) = (check.row.id, Request::of_row(check));
        if !filter.has(row.number.as_deref()) {
            continue;
        }
        let failed = match found.remove(&id) {
            None if row.status().is_none() => block_on(work.office.refusals.refused_call(id))?.map(Request::of_refused),
            known => known,
        };
        match failed {
            Some(failed) if filter.answered != Answered::WithAnswer && filter.status != Some(200) => {
                found.insert(id, failed.with_row(row));
            }
            Some(_) => {}
            None => {
                found.insert(id, row);
            }
        }
    }
    Ok(())
}
