use serde::{Deserialize, Serialize};

/// Why something is done; kept in the audit trail, so without personal data.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct ReasonRequest {
    /// 1 to 500 characters.
    pub reason: String,
}
