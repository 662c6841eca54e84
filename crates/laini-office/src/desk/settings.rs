use laini_core::desk::{Thresholds, WorkingHours};
use laini_core::line::Msisdn;
use laini_core::partner::PartnerId;
use laini_core::store::{RecordId, RecordKey, RecordKind};
use serde::{Deserialize, Serialize};

use crate::{Kept, Office, Problem, Work};

/// The most that one person can be let look up in a day.
pub const LOOK_UPS_PER_DAY_MAX: u32 = 100_000;
/// The most numbers that one person can be let uncover in a day.
pub const REVEALS_PER_DAY_MAX: u32 = 1_000;
/// The most canary numbers of a partner.
pub const CANARIES_MAX: usize = 100;
/// What one person may look up in a day where nobody said.
const LOOK_UPS_PER_DAY: u32 = 500;
/// What one person may uncover in a day where nobody said.
const REVEALS_PER_DAY: u32 = 20;

/// How a partner's desk works.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeskSettings {
    /// Whose.
    pub partner: PartnerId,
    /// What leads to which verdict.
    pub thresholds: Thresholds,
    /// How many numbers one person may look up in a day.
    pub look_ups_per_day: u32,
    /// How many numbers one person may uncover in a day.
    #[serde(default = "reveals_per_day")]
    pub reveals_per_day: u32,
    /// When people are at work; `None` = no hour raises an alarm.
    pub hours: Option<WorkingHours>,
    /// Keyed hashes of numbers that nobody has a reason to look up.
    canaries: Vec<[u8; 32]>,
}

impl Kept for DeskSettings {
    const KIND: RecordKind = RecordKind("desk_settings");
    const NOUN: &'static str = "settings of the desk";

    fn id(&self) -> RecordId {
        self.partner.into()
    }

    fn keys(&self) -> Vec<RecordKey> {
        Vec::new()
    }
}

impl DeskSettings {
    fn new(partner: PartnerId) -> Self {
        Self {
            partner,
            thresholds: Thresholds::default(),
            look_ups_per_day: LOOK_UPS_PER_DAY,
            reveals_per_day: REVEALS_PER_DAY,
            hours: None,
            canaries: Vec::new(),
        }
    }

    /// How many canary numbers there are; which ones, nobody is told.
    pub fn canaries(&self) -> usize {
        self.canaries.len()
    }

    pub(super) fn is_canary(&self, office: &Office, number: Msisdn) -> bool {
        !self.canaries.is_empty() && self.canaries.contains(&hash(office, self.partner, number))
    }

    /// The same with other canary numbers. Only their keyed hashes are kept.
    #[must_use]
    pub fn with_canaries(self, office: &Office, numbers: &[Msisdn]) -> Self {
        let canaries = numbers.iter().map(|number| hash(office, self.partner, *number)).collect();
        Self { canaries, ..self }
    }
}

/// How a partner's desk works; the defaults where nobody set it.
pub fn settings(work: &mut Work<'_>, partner: PartnerId) -> Result<DeskSettings, Problem> {
    Ok(work.look(partner)?.unwrap_or_else(|| DeskSettings::new(partner)))
}

/// Sets how a partner's desk works.
pub fn set_settings(work: &mut Work<'_>, set: &DeskSettings) -> Result<(), Problem> {
    set.thresholds.checked().map_err(|error| Problem::invalid("thresholds", error.to_string()))?;
    if !(1..=LOOK_UPS_PER_DAY_MAX).contains(&set.look_ups_per_day) {
        return Err(Problem::invalid("look_ups_per_day", format!("expected 1 to {LOOK_UPS_PER_DAY_MAX}")));
    }
    if set.reveals_per_day > REVEALS_PER_DAY_MAX {
        return Err(Problem::invalid("reveals_per_day", format!("expected at most {REVEALS_PER_DAY_MAX}")));
    }
    if set.hours.is_some_and(|hours| !hours.is_valid()) {
        return Err(Problem::invalid("hours", "the first hour must lie before the last, 24 at most"));
    }
    if set.canaries.len() > CANARIES_MAX {
        return Err(Problem::invalid("canaries", format!("at most {CANARIES_MAX}")));
    }
    work.note("desk.settings", Some(set.partner), set.partner, "");
    work.put(set)
}

fn reveals_per_day() -> u32 {
    REVEALS_PER_DAY
}

fn hash(office: &Office, partner: PartnerId, number: Msisdn) -> [u8; 32] {
    office.keys.office_seal().hash(format!("canary {partner} {}", number.digits()).as_bytes())
}
