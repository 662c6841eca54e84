use jiff::Timestamp;
use laini_core::partner::{AppId, IncidentEventId, IncidentId};
use laini_core::store::{RecordId, RecordKey, RecordKind};
use serde::{Deserialize, Serialize};

use super::Incident;
use crate::{Kept, PageRequest, Problem, Work, key};

/// What happened to an incident.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Happened {
    Opened,
    Updated,
    Resolved,
}

impl Happened {
    pub(super) fn verb(self) -> &'static str {
        match self {
            Self::Opened => "open",
            Self::Updated => "update",
            Self::Resolved => "resolve",
        }
    }
}

/// Something that happened to an incident, and that the apps which it reaches are still to be sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IncidentEvent {
    /// Its id.
    pub id: IncidentEventId,
    /// Of which incident.
    pub incident: IncidentId,
    happened: Happened,
    /// Which of the incident's updates says it, from 1.
    pub update: usize,
    /// When.
    pub at: Timestamp,
}

impl IncidentEvent {
    /// Its type on the wire.
    pub fn r#type(&self) -> &'static str {
        match self.happened {
            Happened::Opened => "incident.opened",
            Happened::Updated => "incident.updated",
            Happened::Resolved => "incident.resolved",
        }
    }
}

impl Kept for IncidentEvent {
    const KIND: RecordKind = RecordKind("incident_event");
    const NOUN: &'static str = "event of an incident";

    fn id(&self) -> RecordId {
        self.id.into()
    }

    fn keys(&self) -> Vec<RecordKey> {
        vec![key("due", "all", self.at.as_microsecond())]
    }
}

/// Queues what the apps are sent, saved with the rest of the work or not at all.
pub(super) fn queue_event(work: &mut Work<'_>, incident: &Incident, happened: Happened) -> Result<(), Problem> {
    let id = IncidentEventId::from_random(work.office.entropy.next_u64());
    let update = incident.updates.len();
    work.put(&IncidentEvent { id, incident: incident.id, happened, update, at: work.at })
}

/// The events that apps are still to be sent, the oldest first, with the incident of each and the apps that it reaches.
pub fn due_events(work: &mut Work<'_>, limit: usize) -> Result<Vec<(IncidentEvent, Incident, Vec<AppId>)>, Problem> {
    let due = work.find::<IncidentEvent>("due", "all", false, PageRequest { limit, ..PageRequest::FIRST })?.items;
    if due.is_empty() {
        return Ok(Vec::new());
    }
    let book = work.book()?;
    let with_all = due.into_iter().map(|event| {
        let incident: Incident = work.get(event.incident)?;
        let apps = book.apps.iter().filter(|app| incident.affected.reaches(app)).map(|app| app.id).collect();
        Ok((event, incident, apps))
    });
    with_all.collect()
}

/// Ends an event whose apps have all been sent it.
pub fn end_event(work: &mut Work<'_>, id: IncidentEventId) -> Result<(), Problem> {
    if let Some(event) = work.look::<IncidentEvent>(id)? {
        work.remove(&event);
    }
    Ok(())
}
