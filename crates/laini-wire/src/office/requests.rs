//! The calls of a partner's apps, one by one.

use serde::{Deserialize, Serialize};

/// A call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RequestAnswer {
    /// The id that its answer named.
    pub request_ref_id: String,
    /// When it came, RFC 3339.
    pub at: String,
    /// Which app called: its id.
    pub app: String,
    /// `sandbox` or `production`.
    pub environment: String,
    /// What was asked; null: the path is of no one product.
    pub product: Option<String>,
    /// The number that it was about, masked; null: none, several, or forgotten.
    pub number: Option<String>,
    /// The HTTP status; null: not kept any more.
    pub status: Option<u16>,
    /// How it failed; null: it was answered.
    pub failure: Option<RequestFailure>,
    /// What came of it in the ledger; null: it did not reach the registry, and is not there.
    pub outcome: Option<String>,
    /// What it costs, in minor units.
    pub charge_minor: i64,
    /// In which currency; null: it is not in the ledger.
    pub currency: Option<String>,
    /// Up to when the registry was complete, RFC 3339.
    pub as_of: Option<String>,
}

/// How a call failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RequestFailure {
    /// What was called; empty: there is no such path.
    pub path: String,
    /// The code of the table of errors.
    pub error_code: String,
    /// What its caller was told.
    pub error_message: String,
    /// Where it ended: `token`, `request`, `limits`, `registry`, `disclosure` or `charge`.
    pub stage: String,
    /// How long it took.
    pub micros: u64,
}

/// `POST /office/v1/partners/{partner}/requests/search`: a number has no place in a URL.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct SearchRequestsRequest {
    /// The number, in any form.
    pub number: String,
    /// The `next` of the page before.
    #[serde(default)]
    pub after: Option<String>,
    /// How many at most: 1 to 500.
    #[serde(default)]
    pub limit: Option<usize>,
}

impl std::fmt::Debug for SearchRequestsRequest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SearchRequestsRequest(…)")
    }
}

/// `GET /office/v1/partners/{partner}/requests`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RequestsAnswer {
    /// Newest first. May be empty though there are more.
    pub requests: Vec<RequestAnswer>,
    /// The `after` of the next page; null: this was the last.
    pub next: Option<String>,
}

/// What happened to a call at one of its steps.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RequestStep {
    /// Which: `token`, `request`, `limits`, `registry`, `disclosure` or `charge`.
    pub stage: String,
    /// `passed`, `failed` or `not_reached`.
    pub state: String,
}

/// `GET /office/v1/partners/{partner}/requests/{call}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct OpenedRequestAnswer {
    /// The call.
    pub request: RequestAnswer,
    /// Its steps, in their order.
    pub steps: Vec<RequestStep>,
    /// Whether its charge was taken back.
    pub is_reversed: bool,
}

/// Calls that failed for one reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RequestCause {
    /// The HTTP status.
    pub status: u16,
    /// The code of the table of errors.
    pub error_code: String,
    /// What their callers were told.
    pub error_message: String,
    /// Where they ended.
    pub stage: String,
    /// How many there were.
    pub calls: u64,
    /// When the newest came, RFC 3339.
    pub newest: String,
}

/// `GET /office/v1/partners/{partner}/request-causes`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RequestCausesAnswer {
    /// The most frequent first.
    pub causes: Vec<RequestCause>,
}
