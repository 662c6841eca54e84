//! The desk: people of a partner who look numbers up by hand.
//!
//! Owns a partner's thresholds, how much one person may look up and uncover in a day, receipts, batches, and the alarms
//! that tell its owners of a look-up that none of their people should have made. Must never answer a check (the server
//! asks its own API), show more of a number than its ends unless somebody uncovers it, or keep one for longer than
//! [`NUMBERS_KEPT`].

mod alarm;
pub mod batch;
mod check;
mod finding;
mod reveal;
mod settings;
pub mod sheet;
mod subject;

use jiff::SignedDuration;
use jiff::civil::Date;
use laini_core::line::Msisdn;
use laini_core::partner::{May, MemberRole, PartnerId, PersonId};
use laini_core::store::{RecordId, RecordKey, RecordKind};
use serde::{Deserialize, Serialize};

use crate::{Kept, Problem, Work, key};
use alarm::raise;

pub use alarm::{Alarm, AlarmSeen, DeskAlarm, acknowledge, alarms};
pub use check::{
    AboutCheck, DeskCheck, HistoryFilter, REFERENCE_CHARS_MAX, TypedCheck, a_reference, begin_check, check,
    forget_numbers, history, keep_check,
};
pub use finding::{Finding, Told, masked};
pub use reveal::{reveal_check, reveal_row};
pub use settings::{CANARIES_MAX, DeskSettings, LOOK_UPS_PER_DAY_MAX, REVEALS_PER_DAY_MAX, set_settings, settings};
pub use subject::{KeptNumber, forget_number, kept_numbers};

/// Who looks numbers up.
pub const INVESTIGATES: May = May { members: &[MemberRole::Owner, MemberRole::FraudDesk], staff: &[] };
/// The desk keeps numbers, sealed, for so long; then receipts have their ends alone, and batches their counts.
pub const NUMBERS_KEPT: SignedDuration = SignedDuration::from_hours(30 * 24);

/// What one person looked up and uncovered on one day of the operator's zone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct DeskDay {
    id: u64,
    person: PersonId,
    day: Date,
    numbers: u32,
    /// Whether the owners were told that it was outside working hours,
    told_of_hours: bool,
    /// and that a look-up was refused for the cap.
    #[serde(default)]
    told_of_cap: bool,
    #[serde(default)]
    reveals: u32,
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
/// answered. [`Problem::NotNow`] where they are more than what is left of the person's day; the owners are told of the
/// first such refusal of a day, though nothing else of the work is saved.
pub fn admit(work: &mut Work<'_>, partner: PartnerId, numbers: &[Msisdn]) -> Result<(), Problem> {
    let person = work.actor.person().ok_or(Problem::NotFound("person"))?;
    let settings = settings(work, partner)?;
    let now = work.office.settings.zone.to_datetime(work.at);
    let mut day = today(work, person, now.date())?;
    let wanted = u32::try_from(numbers.len()).unwrap_or(u32::MAX);
    let count = day.numbers.saturating_add(wanted);
    if count > settings.look_ups_per_day {
        tell_of_cap(work, partner, &day)?;
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

/// Raises the alarm of the cap once a day, in a unit of work of its own: the refusal saves nothing.
fn tell_of_cap(work: &Work<'_>, partner: PartnerId, of: &DeskDay) -> Result<(), Problem> {
    if of.told_of_cap {
        return Ok(());
    }
    work.office.run(&work.actor, work.at, |aside| {
        let mut day = today(aside, of.person, of.day)?;
        if day.told_of_cap {
            return Ok(());
        }
        day.told_of_cap = true;
        raise(aside, partner, of.person, Alarm::CapReached)?;
        aside.put(&day)
    })
}

fn today(work: &mut Work<'_>, person: PersonId, day: Date) -> Result<DeskDay, Problem> {
    let id = work.office.keys.office_seal().id_of(DeskDay::KIND, &[&person.to_string(), &day.to_string()]);
    let found = work.look::<DeskDay>(id)?;
    let (told_of_hours, told_of_cap) = (false, false);
    Ok(found.unwrap_or(DeskDay { id: id.0, person, day, numbers: 0, told_of_hours, told_of_cap, reveals: 0 }))
}

/// A reason in words: a line of 3 characters at least.
fn a_reason(field: &'static str, text: &str, chars_max: usize) -> Result<String, Problem> {
    let text = text.trim();
    let count = text.chars().count();
    if !(3..=chars_max).contains(&count) || text.chars().any(char::is_control) {
        return Err(Problem::invalid(field, format!("expected 3 to {chars_max} characters in one line")));
    }
    Ok(text.to_owned())
}
