//! Requests to go live, terms, and scripted runs.

use serde::{Deserialize, Serialize};

/// `GET /office/v1/terms`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TermsAnswer {
    /// Grows with every change of the text.
    pub version: u32,
    /// SHA-256 of the text, in hexadecimal digits.
    pub sha256: String,
    /// What they say.
    pub text: String,
}

/// `POST /office/v1/partners/{partner}/terms/accept`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct AcceptTermsRequest {
    /// Which terms were read.
    pub version: u32,
    /// SHA-256 of their text.
    pub sha256: String,
}

/// That a partner accepted terms.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TermsAcceptedAnswer {
    /// Which terms.
    pub version: u32,
    /// SHA-256 of their text.
    pub sha256: String,
    /// When.
    pub at: String,
    /// Who, as the audit trail names them.
    pub by: String,
}

/// `POST /office/v1/partners/{partner}/go-lives`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct GoLiveRequest {
    /// What the app will be called.
    pub name: String,
    /// What it will be able to call: `imsi`, `swap`, `age`.
    pub products: Vec<String>,
}

/// `PATCH /office/v1/partners/{partner}/go-lives/{go_live}`: what is not named stays as it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct ChangeGoLiveRequest {
    /// What the app will be able to call.
    #[serde(default)]
    pub products: Option<Vec<String>>,
    /// The scripted run that it is made ready with.
    #[serde(default)]
    pub run: Option<String>,
}

/// Why, where there is something to say.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct GoLiveCommentRequest {
    /// At most 500 characters.
    #[serde(default)]
    pub reason: String,
}

/// A request to go live.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct GoLiveAnswer {
    /// Its id.
    pub go_live: String,
    /// Whose.
    pub partner: String,
    /// What the app will be called.
    pub name: String,
    /// What it will be able to call.
    pub products: Vec<String>,
    /// The scripted run that it is made ready with.
    pub run: Option<String>,
    /// `preparing`, `awaiting_approval`, `returned`, `approved`, `live` or `withdrawn`.
    pub state: String,
    /// What the system itself checks, as it is found now; empty in lists.
    pub checklist: Vec<ChecklistItem>,
    /// What happened, oldest first.
    pub stages: Vec<StageAnswer>,
    /// The app, once it is live.
    pub app: Option<String>,
}

/// An item of the checklist.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ChecklistItem {
    /// `agreement`, `certificate`, `terms` or `scripted_run`.
    pub item: String,
    /// Whether it is done.
    pub is_done: bool,
    /// Who sees to it: `partner` or `operator`.
    pub owner: String,
    /// Since when it is done, or since when it is open (RFC 3339).
    pub since: String,
    /// What was found, or what to do.
    pub why: String,
}

/// Something that happened to a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct StageAnswer {
    /// Where it stood from then on.
    pub state: String,
    /// When.
    pub at: String,
    /// Who, as the audit trail names them.
    pub by: String,
    /// Why.
    pub reason: String,
}

/// A page of requests to go live.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct GoLivesAnswer {
    /// Newest first; of the operator's list, oldest first.
    pub go_lives: Vec<GoLiveAnswer>,
    /// `after` of the next page, where there is one.
    pub next: Option<String>,
}

/// `POST /office/v1/partners/{partner}/scripted-runs`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct BeginRunRequest {
    /// The sandbox app that is watched.
    pub app: String,
}

/// `POST …/scripted-runs/{run}/echo`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct EchoRequest {
    /// The nonce that the run's delivery carried.
    pub nonce: String,
}

/// A scripted run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ScriptedRunAnswer {
    /// Its id.
    pub run: String,
    /// The sandbox app that is watched.
    pub app: String,
    /// From when on.
    pub began: String,
    /// Until when.
    pub ends: String,
    /// When it was passed; null = not yet.
    pub passed: Option<String>,
    /// Its steps.
    pub steps: Vec<RunStepAnswer>,
}

/// A step of a scripted run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RunStepAnswer {
    /// `unknown_handled`, `backed_off`, `idempotent_retry` or `delivery_verified`.
    pub step: String,
    /// `open`, `waiting` or `passed`.
    pub state: String,
    /// When it was passed, or until when it waits.
    pub at: Option<String>,
    /// What an app does to pass it.
    pub what_to_do: String,
}
