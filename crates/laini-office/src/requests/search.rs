use jiff::civil::Date;
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

/// How often one person has searched by a number on the last day on which they did, and for what last.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct SearchDay {
    person: PersonId,
    day: Date,
    searches: u32,
    /// Whose calls, and of which number: masked, beside its keyed hash, as in the audit trail.
    #[serde(default)]
    last: String,
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
/// The next page of the search that they made last is that search still.
pub(super) fn admit(work: &mut Work<'_>, partner: PartnerId, about: &About, goes_on: bool) -> Result<(), Problem> {
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
    let search = format!("calls of partner {partner}: {target}");
    if let Some(person) = work.actor.person() {
        let found = work.look::<SearchDay>(person)?;
        if goes_on && found.as_ref().is_some_and(|found| found.last == search) {
            return Ok(());
        }
        count(work, person, found, search)?;
    }
    // Owners read what their own people searched for; what the operator looks into is its own matter.
    let concerns = work.actor.partner();
    work.note("subject.search", concerns, target, &format!("calls of partner {partner}"));
    Ok(())
}

fn count(work: &mut Work<'_>, person: PersonId, found: Option<SearchDay>, search: String) -> Result<(), Problem> {
    let day = work.office.settings.zone.to_datetime(work.at).date();
    let searches = found.filter(|found| found.day == day).map_or(0, |found| found.searches);
    if searches >= SEARCHES_PER_DAY_MAX {
        return Err(Problem::not_now(format!(
            "one person searches by a number {SEARCHES_PER_DAY_MAX} times a day at most; search by a request's id, or go \
             on tomorrow"
        )));
    }
    work.put(&SearchDay { person, day, searches: searches + 1, last: search })
}
