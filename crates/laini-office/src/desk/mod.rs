//! The desk: people of a partner who look numbers up by hand.
//!
//! Owns a partner's thresholds, how much one person may look up in a day, and the alarms that tell its owners of a look-up
//! that none of their people should have made. Must never keep a number, or answer a check.

mod alarm;
mod settings;

use jiff::civil::Date;
use laini_core::line::Msisdn;
use laini_core::partner::{PartnerId, PersonId};
use laini_core::store::{RecordId, RecordKey, RecordKind};
use serde::{Deserialize, Serialize};

use crate::{Kept, Problem, Work, key};
use alarm::{Alarm, raise};

pub use settings::{CANARIES_MAX, DeskSettings, LOOK_UPS_PER_DAY_MAX, set_settings, settings};

/// What one person looked up on one day of the operator's zone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct DeskDay {
    id: u64,
    person: PersonId,
    day: Date,
    numbers: u32,
    /// Whether the owners were told that it was outside working hours.
    told_of_hours: bool,
}

impl Kept for DeskDay {
    const KIND: RecordKind = RecordKind("desk_day");
    const NOUN: &'static str = "day of the desk";

    fn id(&self) -> RecordId {
        RecordId(self.id)
    }

    fn keys(&self) -> Vec<RecordKey> {
        vec![key("person", self.person, i64::from(self.day.year()) * 1_000 + i64::from(self.day.day_of_year()))]
    }
}

/// Lets somebody look numbers up, and counts them; alarms go out with the same work, whether or not the look-up is
/// answered. [`Problem::NotNow`] where the person's day is used up.
pub fn admit(work: &mut Work<'_>, partner: PartnerId, numbers: &[Msisdn]) -> Result<(), Problem> {
    let person = work.actor.person().ok_or(Problem::NotFound("person"))?;
    let settings = settings(work, partner)?;
    let now = work.office.settings.zone.to_datetime(work.at);
    let mut day = today(work, person, now.date())?;
    let wanted = u32::try_from(numbers.len()).unwrap_or(u32::MAX);
    let count = day.numbers.saturating_add(wanted);
    if count > settings.look_ups_per_day {
        let left = settings.look_ups_per_day.saturating_sub(day.numbers);
        let most = settings.look_ups_per_day;
        return Err(Problem::not_now(format!(
            "one person looks up {most} numbers a day at most, and {left} are left today; an owner sets how many"
        )));
    }
    day.numbers = count;
    if settings.hours.is_some_and(|hours| !hours.include(now)) && !day.told_of_hours {
        day.told_of_hours = true;
        raise(work, partner, person, Alarm::OutsideHours)?;
    }
    for _ in numbers.iter().filter(|number| settings.is_canary(work.office, **number)) {
        raise(work, partner, person, Alarm::Canary)?;
    }
    work.put(&day)
}

fn today(work: &mut Work<'_>, person: PersonId, day: Date) -> Result<DeskDay, Problem> {
    let id = work.office.keys.office_seal().id_of(DeskDay::KIND, &[&person.to_string(), &day.to_string()]);
    let found = work.look::<DeskDay>(id)?;
    Ok(found.unwrap_or(DeskDay { id: id.0, person, day, numbers: 0, told_of_hours: false }))
}
