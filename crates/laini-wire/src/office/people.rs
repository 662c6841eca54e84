//! People and their sessions.

use serde::{Deserialize, Serialize};

/// `GET /office/v1/me`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct MeAnswer {
    /// Their id.
    pub person: String,
    /// What they are called.
    pub name: String,
    /// The partner that they act for; null: the operator.
    pub partner: Option<String>,
    /// What they may do there.
    pub role: String,
}
