use jiff::Timestamp;
use laini_core::partner::{DeskAlarmId, MemberRole, PartnerId, PersonId};
use laini_core::store::{RecordId, RecordKey, RecordKind};
use serde::{Deserialize, Serialize};

use crate::mail::{self, Letter};
use crate::people::{Person, Seat};
use crate::{Kept, Page, PageRequest, Problem, Work, key};

/// The longest explanation of an alarm, in characters.
const EXPLANATION_CHARS_MAX: usize = 200;

/// What a look-up was that somebody should look at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Alarm {
    /// Of a number that no work leads to.
    Canary,
    /// At a time when nobody works.
    OutsideHours,
    /// Refused: of more numbers than were left of the person's day.
    CapReached,
}

impl Alarm {
    /// The word in the audit trail and in answers.
    pub fn word(self) -> &'static str {
        match self {
            Self::Canary => "canary",
            Self::OutsideHours => "outside hours",
            Self::CapReached => "cap reached",
        }
    }

    fn in_a_sentence(self) -> &'static str {
        match self {
            Self::Canary => "looked up a canary number, which no case leads to",
            Self::OutsideHours => "looked numbers up outside the desk's working hours",
            Self::CapReached => "wanted to look up more numbers than one person may in a day, and was refused",
        }
    }
}

/// An alarm that was raised.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeskAlarm {
    /// Its id.
    pub id: DeskAlarmId,
    /// Whose desk.
    pub partner: PartnerId,
    /// Who looked up.
    pub person: PersonId,
    /// What it was.
    pub alarm: Alarm,
    /// When.
    pub at: Timestamp,
    /// Who looked at it, and what it came to; `None` = nobody has.
    pub seen: Option<AlarmSeen>,
}

/// That somebody looked at an alarm.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AlarmSeen {
    /// Who.
    pub by: PersonId,
    /// When.
    pub at: Timestamp,
    /// What it came to, in their words.
    pub explanation: String,
}

impl Kept for DeskAlarm {
    const KIND: RecordKind = RecordKind("desk_alarm");
    const NOUN: &'static str = "alarm";

    fn id(&self) -> RecordId {
        self.id.into()
    }

    fn keys(&self) -> Vec<RecordKey> {
        let open = self.seen.is_none().then(|| key("open", self.partner, self.at.as_microsecond()));
        [key("partner", self.partner, self.at.as_microsecond())].into_iter().chain(open).collect()
    }
}

/// Keeps it, tells every owner of the partner, and writes it down. The letter names the person and never the number.
pub(super) fn raise(work: &mut Work<'_>, partner: PartnerId, who: PersonId, alarm: Alarm) -> Result<(), Problem> {
    work.note("desk.alarm", Some(partner), who, alarm.word());
    let id = DeskAlarmId::from_random(work.office.entropy.next_u64());
    work.put(&DeskAlarm { id, partner, person: who, alarm, at: work.at, seen: None })?;
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

/// The alarms of a partner's desk, newest first; `open_only` = those that nobody has looked at.
pub fn alarms(
    work: &mut Work<'_>,
    partner: PartnerId,
    open_only: bool,
    page: PageRequest,
) -> Result<Page<DeskAlarm>, Problem> {
    work.find(if open_only { "open" } else { "partner" }, partner, true, page)
}

/// Notes that somebody looked at an alarm, and what it came to.
pub fn acknowledge(
    work: &mut Work<'_>,
    partner: PartnerId,
    id: DeskAlarmId,
    explanation: &str,
) -> Result<DeskAlarm, Problem> {
    let mut alarm = work.get::<DeskAlarm>(id)?;
    if alarm.partner != partner {
        return Err(Problem::NotFound(DeskAlarm::NOUN));
    }
    let by = work.actor.person().ok_or(Problem::NotFound("person"))?;
    let explanation = super::a_reason("explanation", explanation, EXPLANATION_CHARS_MAX)?;
    if alarm.seen.is_some() {
        return Err(Problem::not_now("somebody has looked at this alarm already"));
    }
    work.note("desk.alarm.seen", Some(partner), id, alarm.alarm.word());
    alarm.seen = Some(AlarmSeen { by, at: work.at, explanation });
    work.put(&alarm)?;
    Ok(alarm)
}
