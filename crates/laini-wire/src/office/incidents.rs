//! Incidents.

use serde::{Deserialize, Serialize};

/// `POST /office/v1/incidents`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct OpenIncidentRequest {
    /// What it is called: 1 to 120 characters on one line.
    pub title: String,
    /// `minor`, `major` or `critical`.
    pub severity: String,
    /// Of `tokens`, `checks`, `deliveries`, `feed`, `portal`; at least one.
    pub components: Vec<String>,
    /// Reaches whoever has an app with one of these products; not together with `apps`. Neither = everyone.
    #[serde(default)]
    pub products: Vec<String>,
    /// Reaches whoever has one of these apps.
    #[serde(default)]
    pub apps: Vec<String>,
    /// Whether everybody reads of it; otherwise only whom it reaches. True where absent.
    #[serde(default = "yes")]
    pub public: bool,
    /// When it began (RFC 3339), within 30 days; now, where absent.
    #[serde(default)]
    pub started: Option<String>,
    /// `investigating` (where absent), `identified` or `monitoring`.
    #[serde(default)]
    pub state: Option<String>,
    /// What is said of it, in plain words: 1 to 2,000 characters. Phone numbers are masked.
    pub text: String,
}

fn yes() -> bool {
    true
}

/// `POST /office/v1/incidents/{incident}/updates`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct UpdateIncidentRequest {
    /// `investigating`, `identified`, `monitoring` or `resolved`.
    pub state: String,
    /// In plain words: 1 to 2,000 characters.
    pub text: String,
}

/// `POST /office/v1/incidents/{incident}/resolve`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct ResolveIncidentRequest {
    /// In plain words: 1 to 2,000 characters.
    pub text: String,
}

/// An incident. Neither the partners nor the apps that it reaches are in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct IncidentAnswer {
    /// Its id.
    pub id: String,
    /// What it is called.
    pub title: String,
    /// `minor`, `major` or `critical`.
    pub severity: String,
    /// `investigating`, `identified`, `monitoring` or `resolved`.
    pub state: String,
    /// What it is about.
    pub components: Vec<String>,
    /// `everyone`, `products` or `apps`.
    pub affected: String,
    /// The products that it is about, where `affected` is `products`.
    pub products: Vec<String>,
    /// Whether everybody reads of it.
    pub public: bool,
    /// When it began (RFC 3339).
    pub started: String,
    /// When it was over; null: it goes on.
    pub resolved: Option<String>,
    /// What was said of it, the oldest first.
    pub updates: Vec<IncidentUpdateItem>,
}

/// Something that was said of an incident.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct IncidentUpdateItem {
    /// When (RFC 3339).
    pub at: String,
    /// How far it was then.
    pub state: String,
    /// In plain words.
    pub text: String,
}

/// A page of incidents.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct IncidentsAnswer {
    /// The incidents, the newest first. A page may be shorter than its limit and not the last.
    pub incidents: Vec<IncidentAnswer>,
    /// Where the next page begins; null: this was the last.
    pub next: Option<String>,
}

/// What an incident meant for a partner.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct IncidentImpactAnswer {
    /// The incident's id.
    pub incident: String,
    /// From when calls are looked at: the incident's beginning (RFC 3339).
    pub from: String,
    /// Until when: its end, or now.
    pub until: String,
    /// How many of the partner's apps it reaches.
    pub apps: u64,
    /// How many calls of these apps failed on the operator's side meanwhile (5xx, but for 501); of those that are kept (30
    /// days). What was refused for a reason of the caller's is not among them.
    pub failed: u64,
    /// The same number.
    pub failed_by_operator: u64,
    /// How many of them were billed: 0, for calls that fail never are.
    pub billed: u64,
    /// Why they failed, the most frequent reason first.
    pub causes: Vec<IncidentCauseItem>,
    /// The `requestRefID` of the newest, at most 100.
    pub newest: Vec<String>,
}

/// Why calls failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct IncidentCauseItem {
    /// The HTTP status.
    #[cfg_attr(feature = "openapi", schema(maximum = 65535))]
    pub status: u16,
    /// The code of the table of errors.
    pub code: String,
    /// What their callers were told.
    pub reason: String,
    /// How many.
    pub calls: u64,
}

/// Who is told of an incident.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct IncidentAudienceAnswer {
    /// By the partner's name.
    pub partners: Vec<IncidentAudienceItem>,
}

/// A partner that is told of an incident.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct IncidentAudienceItem {
    /// The partner's id.
    pub partner: String,
    /// Its name.
    pub name: String,
    /// How many of its apps are reached.
    pub apps: u64,
    /// How many letters it gets.
    pub letters: u64,
}
