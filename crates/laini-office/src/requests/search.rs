use jiff::Timestamp;
use jiff::civil::Date;
use laini_core::billing::CheckId;
use laini_core::partner::{May, MemberRole, PartnerId, PersonId, StaffRole};
use laini_core::store::{RecordId, RecordKey, RecordKind};
use serde::{Deserialize, Serialize};

use super::About;
use crate::privacy::target_of;
use crate::{Kept, Problem, Work};

/// Who searches calls by a number: what is found tells who was asked about.
pub const SEARCHERS: May = May {
    members: &[MemberRole::Owner, MemberRole::Developer, MemberRole::FraudDesk],
    staff: &[StaffRole::Admin, StaffRole::Support, StaffRole::Auditor],
};
/// How often one person searches by a number in a day of the operator's zone; the pages of one search are one.
const SEARCHES_PER_DAY_MAX: u32 = 200;

/// Searches of a person's day that may go on: those that began last.
const GOING_ON_MAX: usize = 8;

/// How often one person has searched by a number on the last day on which they did, and what may go on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct SearchDay {
    person: PersonId,
    day: Date,
    searches: u32,
    #[serde(default)]
    going_on: Vec<Search>,
}

/// A search that was counted and noted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Search {
    /// Whose calls, and of which number: masked, beside its keyed hash, as in the audit trail.
    of: String,
    at: Timestamp,
}

impl Search {
    /// Whether a page after this call is one more of this search: it looks at nothing that came since.
    fn goes_on(&self, of: &str, after: CheckId) -> bool {
        self.of == of && after.minted() <= self.at
    }
}

impl Kept for SearchDay {
    const KIND: RecordKind = RecordKind("search_day");
    const NOUN: &'static str = "day of searches";

    fn id(&self) -> RecordId {
        self.person.into()
    }

    fn keys(&self) -> Vec<RecordKey> {
        Vec::new()
    }
}

/// Lets somebody search the calls of a partner by a number, counts it for their day, and notes it with the number masked.
/// A next page of one of the searches that they began last that day, the newest calls first, is that search still.
pub(super) fn admit(
    work: &mut Work<'_>,
    partner: PartnerId,
    about: &About,
    (after, oldest_first): (Option<CheckId>, bool),
) -> Result<(), Problem> {
    if !work.actor.is_allowed(&SEARCHERS) {
        let who = "only owners, developers and the fraud desk, and of the operator's staff administrators, support and \
                   auditors, search calls by a number, for it tells who was asked about; ask one of them, or search by a \
                   request's id";
        return Err(Problem::Forbidden(who.into()));
    }
    let target = match about {
        About::Number(number) => target_of(*number, work.office.keys.subject().number(*number)),
        About::Mask(_) => about.masked(),
    };
    if let Some(person) = work.actor.person() {
        let day = work.office.settings.zone.to_datetime(work.at).date();
        let today = work.look::<SearchDay>(person)?.filter(|found| found.day == day);
        let mut today = today.unwrap_or(SearchDay { person, day, searches: 0, going_on: Vec::new() });
        let of = format!("calls of partner {partner}: {target}");
        let goes_on = |after| today.going_on.iter().any(|search| search.goes_on(&of, after));
        if after.is_some_and(|after| !oldest_first && goes_on(after)) {
            return Ok(());
        }
        if today.searches >= SEARCHES_PER_DAY_MAX {
            return Err(Problem::not_now(format!(
                "one person searches by a number {SEARCHES_PER_DAY_MAX} times a day at most; search by a request's id, \
                 or go on tomorrow"
            )));
        }
        today.searches += 1;
        today.going_on.retain(|search| search.of != of);
        today.going_on.drain(..(today.going_on.len() + 1).saturating_sub(GOING_ON_MAX));
        today.going_on.push(Search { of, at: work.at });
        work.put(&today)?;
    }
    // Owners read what their own people searched for; what the operator looks into is its own matter.
    let concerns = work.actor.partner();
    work.note("subject.search", concerns, target, &format!("calls of partner {partner}"));
    Ok(())
}
