use laini_core::partner::{MemberRole, PartnerId, PersonId};

use crate::mail::{self, Letter};
use crate::people::{Person, Seat};
use crate::{Problem, Work};

/// What a look-up was that somebody should look at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Alarm {
    /// Of a number that no work leads to.
    Canary,
    /// At a time when nobody works.
    OutsideHours,
}

impl Alarm {
    fn word(self) -> &'static str {
        match self {
            Self::Canary => "canary",
            Self::OutsideHours => "outside hours",
        }
    }

    fn in_a_sentence(self) -> &'static str {
        match self {
            Self::Canary => "looked up a canary number, which no case leads to",
            Self::OutsideHours => "looked numbers up outside the desk's working hours",
        }
    }
}

/// Tells every owner of the partner, and writes it down. The letter names the person and never the number.
pub(super) fn raise(work: &mut Work<'_>, partner: PartnerId, who: PersonId, alarm: Alarm) -> Result<(), Problem> {
    work.note("desk.alarm", Some(partner), who, alarm.word());
    let name = work.get::<Person>(who)?.name;
    let at = work.at.to_zoned(work.office.settings.zone.clone());
    let text = format!(
        "{name} {} on {}.\n\nThe audit trail has the details. If the person cannot explain it, disable their account first.\n\n{}\n",
        alarm.in_a_sentence(),
        at.strftime("%-d %B %Y at %H:%M (%Z)"),
        work.office.settings.operator,
    );
    let people = work.all::<Person>("partner", partner)?;
    let is_owner =
        |person: &&Person| matches!(person.seat, Seat::Member { role: MemberRole::Owner, .. }) && !person.is_disabled;
    for owner in people.iter().filter(is_owner) {
        let subject = "A look-up that somebody should look at".to_owned();
        let about = format!("desk alarm of partner {partner}");
        mail::queue(work, Letter { to: owner.email.clone(), subject, text: text.clone(), about })?;
    }
    Ok(())
}
