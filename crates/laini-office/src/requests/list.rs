use std::cmp::Reverse;
use std::collections::BTreeMap;

use futures_executor::block_on;
use jiff::Timestamp;
use laini_core::billing::{CheckId, Outcome};
use laini_core::line::Msisdn;
use laini_core::partner::{AppId, PartnerId};
use laini_core::store::{AskedPage, AskedQuery, RefusedQuery};

use super::Request;
use crate::{Problem, Work};

/// Pieces of the ledger (100,000 rows each) that are read for one page about a number, until something is found;
const LOOKS_FOR_NUMBER_MAX: usize = 5;
/// for any other page: people wait for it.
const LOOKS_MAX: usize = 1;

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
    pub number: Option<Msisdn>,
    /// Only calls that came at or after this instant.
    pub from: Option<Timestamp>,
    /// Only calls that came before this instant.
    pub until: Option<Timestamp>,
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

    pub(super) fn refused(&self, work: &Work<'_>, partner: PartnerId) -> RefusedQuery {
        RefusedQuery {
            partner: Some(partner),
            app: self.app,
            number: self.number.map(|number| work.office.keys.subject().number(number)),
            status: self.status,
            code: self.code.clone(),
            from: self.from,
            until: self.until,
            ..RefusedQuery::default()
        }
    }

    fn asked(&self, work: &Work<'_>, partner: PartnerId) -> AskedQuery {
        AskedQuery {
            numbers: self.number.map(|number| work.office.keys.subject().number(number)).into_iter().collect(),
            partner: Some(partner),
            app: self.app,
            outcome: self.outcome,
            newest_first: true,
            from: self.from,
            until: self.until,
            ..AskedQuery::default()
        }
    }
}

/// Some of a partner's calls.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RequestsPage {
    /// Newest first. May be empty though there are more: a scan has its limits.
    pub requests: Vec<Request>,
    /// After which call the next page begins; `None` = this was the last.
    pub next: Option<CheckId>,
}

/// The calls of a partner's apps, newest first.
pub fn list(
    work: &Work<'_>,
    partner: PartnerId,
    filter: &RequestFilter,
    after: Option<CheckId>,
    limit: usize,
) -> Result<RequestsPage, Problem> {
    if !work.book()?.partners.iter().any(|known| known.id == partner) {
        return Err(Problem::NotFound("partner"));
    }
    let (looks_at_failed, looks_at_recorded) = filter.looks_at();
    let mut found: BTreeMap<Reverse<CheckId>, Request> = BTreeMap::new();
    if looks_at_failed {
        let query = RefusedQuery { before: after, limit: limit + 1, ..filter.refused(work, partner) };
        let refused = block_on(work.office.refusals.refused(query))?;
        found.extend(refused.into_iter().map(|call| (Reverse(call.id), Request::of_refused(call))));
    }
    let mut looked_until = None;
    if looks_at_recorded {
        let mut query = AskedQuery { after, limit: limit + 1, ..filter.asked(work, partner) };
        let looks = if filter.number.is_some() { LOOKS_FOR_NUMBER_MAX } else { LOOKS_MAX };
        for _ in 0..looks {
            let page = block_on(work.office.ledger.asked(query.clone()))?;
            query.after = page.after;
            add_rows(work, filter, &page, &mut found)?;
            if query.after.is_none() || !found.is_empty() {
                break;
            }
        }
        looked_until = query.after;
    }
    // Below where the ledger was read to, there may be rows between the failed calls.
    found.retain(|Reverse(id), _| looked_until.is_none_or(|until| *id >= until));
    let has_more = found.len() > limit;
    let requests: Vec<Request> = found.into_values().take(limit).collect();
    let next = if has_more { requests.last().map(|last| last.id) } else { looked_until };
    Ok(RequestsPage { requests, next })
}

/// Puts rows to the calls that were found; of one that was answered with an error, both are known.
fn add_rows(
    work: &Work<'_>,
    filter: &RequestFilter,
    page: &AskedPage,
    found: &mut BTreeMap<Reverse<CheckId>, Request>,
) -> Result<(), Problem> {
    for check in page.checks.iter().filter(|check| check.row.outcome != Outcome::Reversal) {
        let (id, row) = (check.row.id, Request::of_row(check));
        let failed = match found.remove(&Reverse(id)) {
            None if row.status().is_none() => block_on(work.office.refusals.refused_call(id))?.map(Request::of_refused),
            known => known,
        };
        match failed {
            Some(failed) if filter.answered != Answered::WithAnswer && filter.status != Some(200) => {
                found.insert(Reverse(id), failed.with_row(row));
            }
            Some(_) => {}
            None => {
                found.insert(Reverse(id), row);
            }
        }
    }
    Ok(())
}
