use jiff::Timestamp;
use laini_core::partner::{IncidentId, PartnerId};

use super::{Incident, the_incident};
use crate::requests::{Failures, failed_between};
use crate::{Problem, Work};

/// What an incident meant for a partner.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Impact {
    /// The incident.
    pub incident: Incident,
    /// Until when calls are looked at: its end, or now.
    pub until: Timestamp,
    /// How many of the partner's apps it reaches.
    pub apps: usize,
    /// The calls that failed meanwhile, whatever the reason. None of them was billed.
    pub failures: Failures,
}

impl Impact {
    /// How many of the calls failed on the operator's side (5xx).
    pub fn of_operator(&self) -> u64 {
        self.failures.causes.iter().filter(|cause| cause.status >= 500).map(|cause| cause.calls).sum()
    }
}

/// Which calls of a partner failed while an incident lasted.
pub fn impact(work: &mut Work<'_>, partner: PartnerId, id: IncidentId) -> Result<Impact, Problem> {
    let incident = the_incident(work, id)?;
    let book = work.book()?;
    let apps = book.apps.iter().filter(|app| app.partner == partner && incident.affected.reaches(app)).count();
    let until = incident.resolved.unwrap_or(work.at);
    let failures = failed_between(work, partner, incident.started, until)?;
    Ok(Impact { incident, until, apps, failures })
}
