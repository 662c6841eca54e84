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
    /// The calls of these apps that failed on the operator's side meanwhile. None of them was billed.
    pub failures: Failures,
}

/// Which calls of the apps that an incident reaches failed on the operator's side while it lasted.
pub fn impact(work: &mut Work<'_>, partner: PartnerId, id: IncidentId) -> Result<Impact, Problem> {
    let incident = the_incident(work, id)?;
    let book = work.book()?;
    let reached = book.apps.iter().filter(|app| app.partner == partner && incident.affected.reaches(app));
    let apps: Vec<_> = reached.map(|app| app.id).collect();
    let until = incident.resolved.unwrap_or(work.at);
    let failures = failed_between(work, (partner, &apps), incident.started, until)?;
    Ok(Impact { incident, until, apps: apps.len(), failures })
}
