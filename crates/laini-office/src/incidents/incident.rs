use jiff::Timestamp;
use laini_core::partner::IncidentId;
use laini_core::store::{AccountBook, RecordId, RecordKey, RecordKind};
use laini_core::support::{Affected, Component, IncidentState, Severity};
use serde::{Deserialize, Serialize};

use crate::{Actor, Kept, Page, PageRequest, Problem, Work, key};

/// Something that went wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Incident {
    /// Its id.
    pub id: IncidentId,
    /// What it is called.
    pub title: String,
    /// How bad it is.
    pub severity: Severity,
    /// How far it is.
    pub state: IncidentState,
    /// What it is about.
    pub components: Vec<Component>,
    /// Whom it reaches.
    pub affected: Affected,
    /// Whether everybody reads of it; otherwise only whom it reaches.
    pub is_public: bool,
    /// When it began.
    pub started: Timestamp,
    /// When it was over.
    pub resolved: Option<Timestamp>,
    /// What was said of it, the oldest first; at least one.
    pub updates: Vec<IncidentUpdate>,
}

/// Something that was said of an incident.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IncidentUpdate {
    /// When.
    pub at: Timestamp,
    /// How far it was then.
    pub state: IncidentState,
    /// In plain words.
    pub text: String,
}

/// Which incidents to list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Which {
    /// All of them.
    All,
    /// Those that go on.
    Open,
    /// Those that are over.
    Resolved,
}

impl Which {
    /// Reads `all`, `open` or `resolved`.
    pub fn parse(word: &str) -> Result<Self, Problem> {
        match word {
            "all" => Ok(Self::All),
            "open" => Ok(Self::Open),
            "resolved" => Ok(Self::Resolved),
            _ => Err(Problem::invalid("state", "expected one of: all, open, resolved")),
        }
    }
}

impl Kept for Incident {
    const KIND: RecordKind = RecordKind("incident");
    const NOUN: &'static str = "incident";

    fn id(&self) -> RecordId {
        self.id.into()
    }

    fn keys(&self) -> Vec<RecordKey> {
        let started = self.started.as_microsecond();
        let state = if self.state.is_open() { "open" } else { "resolved" };
        vec![key("started", "all", started), key("state", state, started)]
    }
}

impl Incident {
    /// Whether somebody may know of it.
    pub fn is_shown_to(&self, actor: &Actor, book: &AccountBook) -> bool {
        let reaches_partner =
            |partner| book.apps.iter().any(|app| app.partner == partner && self.affected.reaches(app));
        self.is_public || actor.is_operator() || actor.partner().is_some_and(reaches_partner)
    }
}

/// A page of the incidents that whoever asks may know of, the newest first; it may be shorter than what was asked for.
pub fn list(work: &mut Work<'_>, which: Which, page: PageRequest) -> Result<Page<Incident>, Problem> {
    let (index, value) = match which {
        Which::All => ("started", "all"),
        Which::Open => ("state", "open"),
        Which::Resolved => ("state", "resolved"),
    };
    let book = work.book()?;
    let mut found = work.find::<Incident>(index, value, true, page)?;
    found.items.retain(|incident| incident.is_shown_to(&work.actor, &book));
    Ok(found)
}

/// The incident of this id, where whoever asks may know of it.
pub fn the_incident(work: &mut Work<'_>, id: IncidentId) -> Result<Incident, Problem> {
    let incident: Incident = work.get(id)?;
    let book = work.book()?;
    if incident.is_shown_to(&work.actor, &book) { Ok(incident) } else { Err(Problem::NotFound(Incident::NOUN)) }
}
