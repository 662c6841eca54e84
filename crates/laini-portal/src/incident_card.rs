use jiff::Timestamp;
use laini_core::support::{Affected, Component, IncidentState, Severity};
use laini_office::incidents::Incident;

use crate::portal::Portal;
use crate::sorting::{Table, by_text};
use crate::words::{IncidentWords, StatusWords, Words};

/// An incident as pages show it.
pub(crate) struct IncidentCard {
    pub(crate) id: String,
    pub(crate) title: String,
    pub(crate) severity: &'static str,
    pub(crate) state: &'static str,
    /// Classes of the style sheet, which never say more than the words do.
    pub(crate) severity_tone: &'static str,
    pub(crate) state_tone: &'static str,
    pub(crate) parts: String,
    pub(crate) reaches: String,
    pub(crate) started: String,
    pub(crate) resolved: Option<String>,
    pub(crate) is_public: bool,
    /// The newest first: when, how far it was, what was said.
    pub(crate) updates: Vec<(String, &'static str, String)>,
}

/// An incident among others, and whether it reaches whoever looks.
pub(crate) type Listed = (Incident, bool);

pub(crate) static INCIDENTS: Table<Listed> = Table {
    name: "sort",
    columns: &[
        ("incident", |one, other| by_text(&one.0.title, &other.0.title)),
        ("severity", |one, other| one.0.severity.cmp(&other.0.severity)),
        ("state", |one, other| (one.0.state as u8).cmp(&(other.0.state as u8))),
        ("began", |one, other| one.0.started.cmp(&other.0.started)),
        // What goes on is over last.
        ("over", |one, other| {
            one.0.resolved.unwrap_or(Timestamp::MAX).cmp(&other.0.resolved.unwrap_or(Timestamp::MAX))
        }),
        ("reaches", |one, other| one.1.cmp(&other.1)),
    ],
    comes: "-began",
};

impl IncidentCard {
    pub(crate) fn of(incident: &Incident, portal: &Portal, words: &Words) -> Self {
        let of = &words.incidents;
        let said = incident.updates.iter().rev();
        let parts: Vec<_> = incident.components.iter().map(|component| words.status.component(*component)).collect();
        Self {
            id: incident.id.to_string(),
            title: incident.title.clone(),
            severity: of.severity(incident.severity),
            state: of.state(incident.state),
            severity_tone: match incident.severity {
                Severity::Minor => "",
                Severity::Major => "care",
                Severity::Critical => "stop",
            },
            state_tone: match incident.state {
                IncidentState::Investigating | IncidentState::Identified => "care",
                IncidentState::Monitoring => "",
                IncidentState::Resolved => "go",
            },
            parts: parts.join(", "),
            reaches: match &incident.affected {
                Affected::Everyone => of.everyone.to_owned(),
                Affected::Products(products) => {
                    let products: Vec<_> = products.iter().map(|product| product.word()).collect();
                    format!("{}: {}", of.by_product, products.join(", "))
                }
                Affected::Apps(_) => of.by_app.to_owned(),
            },
            started: portal.shown(incident.started),
            resolved: incident.resolved.map(|at| portal.shown(at)),
            is_public: incident.is_public,
            updates: said.map(|one| (portal.shown(one.at), of.state(one.state), one.text.clone())).collect(),
        }
    }
}

impl IncidentWords {
    /// A severity as people call it.
    pub(crate) fn severity(&self, severity: Severity) -> &'static str {
        self.severities[severity as usize]
    }

    /// A state as people call it.
    pub(crate) fn state(&self, state: IncidentState) -> &'static str {
        self.states[state as usize]
    }
}

impl StatusWords {
    /// A component as people call it.
    pub(crate) fn component(&self, component: Component) -> &'static str {
        self.components[component as usize]
    }
}
