//! What is delivered to a partner's result addresses.

use serde::{Deserialize, Serialize};

/// A delivery.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DeliveryAnswer {
    /// Its id, `webhook-id`; of a result, the id of its check.
    pub delivery: String,
    /// `result`, `budget_warning` or `scripted_run`.
    pub kind: String,
    /// Of which app: its id.
    pub app: String,
    /// Where to: a result address's id.
    pub address: String,
    /// When it was made, RFC 3339.
    pub made_at: String,
    /// `due`, `delivered` or `dead`.
    pub state: String,
    /// When it is tried next; null: it is not.
    pub due_at: Option<String>,
    /// Attempts so far.
    pub attempts: u32,
    /// When the newest attempt was; null: none yet.
    pub last_attempt_at: Option<String>,
    /// The HTTP status that it was answered with; null: none came.
    pub last_status: Option<u16>,
    /// What went wrong; null: nothing did.
    pub last_problem: Option<String>,
}

/// `GET /office/v1/partners/{partner}/deliveries`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DeliveriesAnswer {
    /// Newest first.
    pub deliveries: Vec<DeliveryAnswer>,
    /// The `after` of the next page; null: this was the last.
    pub next: Option<String>,
}
