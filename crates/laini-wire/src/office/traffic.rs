//! Traffic and limits, for the operator's staff.

use serde::{Deserialize, Serialize};

use super::requests::RequestCause;

/// What all partners asked in the last hours.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TrafficAnswer {
    /// Each hour, the oldest first.
    pub hours: Vec<HourTrafficAnswer>,
    /// Each app that asked, the busiest first.
    pub apps: Vec<AppTrafficAnswer>,
    /// Why calls of all partners' apps failed, the most frequent first, at most 200.
    pub errors: Vec<TrafficError>,
    /// Since when they are counted (RFC 3339): later than the first hour began where 10,000 failed, the newest of which
    /// are counted.
    pub errors_since: String,
}

/// Calls of one environment that failed for one reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TrafficError {
    /// `sandbox` or `production`.
    pub environment: String,
    /// Why they failed, and how many there were.
    pub cause: RequestCause,
}

/// An hour.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct HourTrafficAnswer {
    /// When it began (RFC 3339).
    pub from: String,
    /// Checks in production.
    pub production: u64,
    /// Checks in the sandbox.
    pub sandbox: u64,
}

/// An app.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AppTrafficAnswer {
    /// Which.
    pub app: String,
    /// Whose it is.
    pub partner: String,
    /// `sandbox` or `production`.
    pub environment: String,
    /// Checks in all.
    pub checks: u64,
    /// Answered, and charged.
    pub answered: u64,
    /// Free: the same question again.
    pub repeated: u64,
    /// Free: the number is not served.
    pub not_served: u64,
    /// Free: the registry could not say.
    pub unknown: u64,
    /// Free: the number is restricted.
    pub withheld: u64,
}

/// `PUT /office/v1/partners/{partner}/apps/{app}/probing`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct ProbingRequest {
    /// Numbers a second while it is flagged, 1 to 1,000,000; null = it is only told.
    #[cfg_attr(feature = "openapi", schema(minimum = 1, maximum = 1_000_000))]
    pub slow_to: Option<u32>,
    /// Why: 1 to 500 characters.
    pub reason: String,
}
