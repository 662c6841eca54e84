//! What is delivered instead of answered, and how a developer's machine takes part.

use std::borrow::Cow;
use std::fmt;

use serde::{Deserialize, Serialize};

/// `GET`: what waits for whoever listens with the app's token. Answers at once where there is something,
/// else after [`LISTEN_WAIT_S`].
pub const DELIVERIES_PATH: &str = "/v1/deliveries";
/// `POST`: what became of one that was handed over.
pub const ACKNOWLEDGE_PATH: &str = "/v1/deliveries/acknowledge";
/// How long a listener's request may wait.
pub const LISTEN_WAIT_S: u64 = 5;

/// The id of a delivery, the same on each attempt (Standard Webhooks).
pub const WEBHOOK_ID: &str = "webhook-id";
/// When the attempt was made, in seconds since 1970.
pub const WEBHOOK_TIMESTAMP: &str = "webhook-timestamp";
/// `v1,` and the signature in base64; several are separated by a space.
pub const WEBHOOK_SIGNATURE: &str = "webhook-signature";
/// What a signing secret begins with.
pub const SECRET_PREFIX: &str = "whsec_";

/// `responseDesc` of an accepted check.
pub const RESPONSE_DESC_ACCEPTED: &str = "Accepted for processing";

/// `type` of a check's result.
pub const RESULT: &str = "result";
/// `type` of a challenge.
pub const CHALLENGE: &str = "challenge";
/// `type` of a budget warning.
pub const BUDGET_WARNING: &str = "budget_warning";
/// `type` of the nonce of a scripted run.
pub const SCRIPTED_RUN: &str = "scripted_run";
/// `type` of an incident that was opened.
pub const INCIDENT_OPENED: &str = "incident.opened";
/// `type` of an incident of which there is news.
pub const INCIDENT_UPDATED: &str = "incident.updated";
/// `type` of an incident that is over.
pub const INCIDENT_RESOLVED: &str = "incident.resolved";

/// The answer to a check whose result is delivered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Accepted<'a> {
    /// The check's id.
    #[serde(borrow, rename = "requestRefID")]
    pub request_ref_id: Cow<'a, str>,
    /// `200`.
    #[serde(borrow)]
    pub response_code: Cow<'a, str>,
    /// `Accepted for processing`.
    #[serde(borrow)]
    pub response_desc: Cow<'a, str>,
}

/// What the result of a check says after the fields that its path answers (or those of its error): what
/// headers say there, and how old it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ResultDetails<'a> {
    /// [`RESULT`].
    pub r#type: &'static str,
    /// When it was decided (RFC 3339).
    pub answered_at: Cow<'a, str>,
    /// Until when it may be relied on (RFC 3339).
    pub valid_until: Cow<'a, str>,
    /// As the header `Laini-Charge`; not where the answer itself says it (`/v1/checks`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub charge: Option<Cow<'a, str>>,
    /// As the header `Laini-Environment`.
    pub environment: &'static str,
    /// As the header `Laini-Swap`; not for product `age`, nor for errors.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub swap: Option<&'static str>,
    /// As the header `Laini-As-Of`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub as_of: Option<Cow<'a, str>>,
}

/// Asks a new address whether it wants deliveries; it answers 2xx with the challenge, as text or in the
/// same JSON.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Challenge<'a> {
    /// [`CHALLENGE`].
    #[serde(borrow)]
    pub r#type: Cow<'a, str>,
    /// What is to be answered.
    #[serde(borrow)]
    pub challenge: Cow<'a, str>,
}

/// The nonce of a scripted run: whoever verified the delivery brings it back.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunNonce<'a> {
    /// [`SCRIPTED_RUN`].
    #[serde(borrow)]
    pub r#type: Cow<'a, str>,
    /// The run's id.
    #[serde(borrow)]
    pub run: Cow<'a, str>,
    /// The nonce.
    #[serde(borrow)]
    pub nonce: Cow<'a, str>,
}

/// A share of an app's budget was reached.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BudgetWarning<'a> {
    /// [`BUDGET_WARNING`].
    #[serde(borrow)]
    pub r#type: Cow<'a, str>,
    /// The app's id.
    #[serde(borrow)]
    pub app: Cow<'a, str>,
    /// The share, in per cent.
    pub percent: u8,
    /// The month's budget, e.g. `KES 20000.00`.
    #[serde(borrow)]
    pub budget: Cow<'a, str>,
    /// When the share was reached (RFC 3339).
    #[serde(borrow)]
    pub reached_at: Cow<'a, str>,
}

/// An incident that reaches an app: opened, updated or over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct IncidentNotice<'a> {
    /// [`INCIDENT_OPENED`], [`INCIDENT_UPDATED`] or [`INCIDENT_RESOLVED`].
    #[serde(borrow)]
    pub r#type: Cow<'a, str>,
    /// The incident's id.
    #[serde(borrow)]
    pub incident: Cow<'a, str>,
    /// Which of its updates this is, from 1: what comes twice has the same.
    pub update: u64,
    /// What it is called.
    #[serde(borrow)]
    pub title: Cow<'a, str>,
    /// `minor`, `major` or `critical`.
    #[serde(borrow)]
    pub severity: Cow<'a, str>,
    /// `investigating`, `identified`, `monitoring` or `resolved`.
    #[serde(borrow)]
    pub state: Cow<'a, str>,
    /// What it is about: `tokens`, `checks`, `deliveries`, `feed`, `portal`.
    pub components: Vec<Cow<'a, str>>,
    /// What was said, in plain words.
    #[serde(borrow)]
    pub text: Cow<'a, str>,
    /// When it began (RFC 3339).
    #[serde(borrow)]
    pub started_at: Cow<'a, str>,
    /// When this was said (RFC 3339).
    #[serde(borrow)]
    pub said_at: Cow<'a, str>,
}

/// What a listener is handed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct HandedPage {
    /// At most a few; more with the next request.
    pub deliveries: Vec<Handed>,
}

/// One attempt at a delivery, to be forwarded as it is: three headers and a body.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Handed {
    /// The header `webhook-id`.
    pub id: String,
    /// The header `webhook-timestamp`.
    pub timestamp: String,
    /// The header `webhook-signature`.
    pub signature: String,
    /// The body, as it was signed.
    pub body: String,
}

impl fmt::Debug for Handed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Handed({})", self.id)
    }
}

/// What became of a delivery that was handed over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Acknowledgement {
    /// Its id.
    pub id: String,
    /// The status that its receiver answered; null where there was no answer.
    #[cfg_attr(feature = "openapi", schema(maximum = 65535))]
    pub status: Option<u16>,
}
