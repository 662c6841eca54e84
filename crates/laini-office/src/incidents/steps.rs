use jiff::{SignedDuration, Timestamp};
use laini_core::partner::{AppId, IncidentId, ProductSet};
use laini_core::support::{Affected, Component, IncidentState, Severity};

use super::event::{Happened, queue_event};
use super::letters::tell;
use super::{Incident, IncidentUpdate, TEXT_CHARS_MAX, TITLE_CHARS_MAX, the_incident, written};
use crate::{Problem, Work};

/// An incident is opened at most so long after it began.
const BEGAN_AGO_MAX: SignedDuration = SignedDuration::from_hours(30 * 24);
/// The most updates of one incident.
const UPDATES_MAX: usize = 200;
/// The most apps that one incident names.
const APPS_MAX: usize = 500;

/// An incident as it is opened.
#[derive(Debug, Clone)]
pub struct NewIncident {
    /// What it is called: 1 to 120 characters.
    pub title: String,
    /// How bad it is.
    pub severity: Severity,
    /// What it is about; at least one.
    pub components: Vec<Component>,
    /// Whom it reaches.
    pub affected: Affected,
    /// Whether everybody reads of it; otherwise only whom it reaches.
    pub is_public: bool,
    /// When it began; `None` = now.
    pub started: Option<Timestamp>,
    /// How far it is.
    pub state: IncidentState,
    /// What is said of it: 1 to 2,000 characters.
    pub text: String,
}

/// Opens an incident, and tells whom it reaches.
pub fn open(work: &mut Work<'_>, new: &NewIncident) -> Result<Incident, Problem> {
    let started = new.started.unwrap_or(work.at);
    if started > work.at || started < work.at - BEGAN_AGO_MAX {
        return Err(Problem::invalid("started", "expected an instant of the last 30 days"));
    }
    if !new.state.is_open() {
        return Err(Problem::invalid("state", "an incident is opened as investigating, identified or monitoring"));
    }
    let components: Vec<_> = Component::ALL.into_iter().filter(|one| new.components.contains(one)).collect();
    if components.is_empty() {
        return Err(Problem::invalid(
            "components",
            "expected at least one of: tokens, checks, deliveries, feed, portal",
        ));
    }
    let incident = Incident {
        id: IncidentId::from_random(work.office.entropy.next_u64()),
        title: written(work, "title", &new.title, TITLE_CHARS_MAX)?,
        severity: new.severity,
        state: new.state,
        components,
        affected: known(work, &new.affected)?,
        is_public: new.is_public,
        started,
        resolved: None,
        updates: vec![said(work, new.state, &new.text)?],
    };
    finish(work, incident, Happened::Opened)
}

/// Says something of an incident that goes on, and how far it is; tells whom it reaches.
pub fn update(work: &mut Work<'_>, id: IncidentId, state: IncidentState, text: &str) -> Result<Incident, Problem> {
    let mut incident = the_incident(work, id)?;
    let refused = |refusal: laini_core::support::IncidentRefusal| Problem::not_now(refusal.to_string());
    incident.state = incident.state.after(state).map_err(refused)?;
    if incident.updates.len() >= UPDATES_MAX {
        return Err(Problem::not_now(format!("it has {UPDATES_MAX} updates, the most there may be; resolve it")));
    }
    incident.updates.push(said(work, state, text)?);
    let happened = if state.is_open() { Happened::Updated } else { Happened::Resolved };
    incident.resolved = (!state.is_open()).then_some(work.at);
    finish(work, incident, happened)
}

/// Ends an incident, and tells whom it reached.
pub fn resolve(work: &mut Work<'_>, id: IncidentId, text: &str) -> Result<Incident, Problem> {
    update(work, id, IncidentState::Resolved, text)
}

/// Saves it with all who are told of it: the letters, what apps are sent, and the row of the trail.
fn finish(work: &mut Work<'_>, incident: Incident, happened: Happened) -> Result<Incident, Problem> {
    work.put(&incident)?;
    tell(work, &incident, happened)?;
    queue_event(work, &incident, happened)?;
    work.note(&format!("incident.{}", happened.verb()), None, incident.id, incident.state.word());
    Ok(incident)
}

fn said(work: &Work<'_>, state: IncidentState, text: &str) -> Result<IncidentUpdate, Problem> {
    Ok(IncidentUpdate { at: work.at, state, text: written(work, "text", text, TEXT_CHARS_MAX)? })
}

/// Whom it reaches, each once, where they are there.
fn known(work: &Work<'_>, affected: &Affected) -> Result<Affected, Problem> {
    match affected {
        Affected::Everyone => Ok(Affected::Everyone),
        Affected::Products(products) => {
            let products: ProductSet = products.iter().copied().collect();
            let products: Vec<_> = products.iter().collect();
            if products.is_empty() {
                return Err(Problem::invalid("products", "expected at least one of: imsi, swap, age"));
            }
            Ok(Affected::Products(products))
        }
        Affected::Apps(apps) => {
            let book = work.book()?;
            let mut named: Vec<AppId> = apps.clone();
            named.sort_unstable();
            named.dedup();
            if named.is_empty() || named.len() > APPS_MAX {
                return Err(Problem::invalid("apps", format!("expected 1 to {APPS_MAX} ids of apps")));
            }
            if let Some(unknown) = named.iter().find(|id| !book.apps.iter().any(|app| app.id == **id)) {
                return Err(Problem::invalid("apps", format!("there is no app {unknown}")));
            }
            Ok(Affected::Apps(named))
        }
    }
}
