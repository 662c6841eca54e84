use laini_core::partner::{PartnerId, PersonId};
use laini_core::store::{RecordId, RecordKey, RecordKind};
use serde::{Deserialize, Serialize};

use crate::{Kept, Problem, Work, key};

/// Somebody who wants letters of incidents that reach their partner, whatever their role.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Subscription {
    person: PersonId,
    partner: PartnerId,
}

impl Kept for Subscription {
    const KIND: RecordKind = RecordKind("incident_subscription");
    const NOUN: &'static str = "subscription";

    fn id(&self) -> RecordId {
        self.person.into()
    }

    fn keys(&self) -> Vec<RecordKey> {
        vec![key("partner", self.partner, 0)]
    }
}

/// Whether whoever asks gets letters of incidents by their own wish.
pub fn is_subscribed(work: &mut Work<'_>) -> Result<bool, Problem> {
    match work.actor.person() {
        Some(person) => Ok(work.look::<Subscription>(person)?.is_some()),
        None => Ok(false),
    }
}

/// Begins or ends the letters of incidents to a member.
pub fn subscribe(work: &mut Work<'_>, is_wanted: bool) -> Result<(), Problem> {
    let (Some(person), Some(partner)) = (work.actor.person(), work.actor.partner()) else {
        return Err(Problem::Forbidden("letters of incidents are for members of a partner".into()));
    };
    match (work.look::<Subscription>(person)?, is_wanted) {
        (None, true) => work.put(&Subscription { person, partner }),
        (Some(subscription), false) => {
            work.remove(&subscription);
            Ok(())
        }
        (None, false) | (Some(_), true) => Ok(()),
    }
}

pub(super) fn subscribers(work: &mut Work<'_>, partner: PartnerId) -> Result<Vec<PersonId>, Problem> {
    Ok(work.all::<Subscription>("partner", partner)?.into_iter().map(|one| one.person).collect())
}
