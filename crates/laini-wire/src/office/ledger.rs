//! Rows of the ledger, as partners see what they pay for.

use serde::{Deserialize, Serialize};

/// A row of the ledger, with names for ids as in its export.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LedgerRowAnswer {
    /// The check: its `requestRefID`.
    pub request_ref_id: String,
    /// When it was decided, RFC 3339.
    pub at: String,
    /// The name of the app that asked.
    pub app: String,
    /// What was asked.
    pub product: String,
    /// `sandbox` or `production`
    pub environment: String,
    /// What came of it.
    pub outcome: String,
    /// What it costs by its own price, in minor units; negative of a reversal.
    pub charge_minor: i64,
    /// The currency.
    pub currency: String,
    /// The list price of one unit then, in minor units,
    pub list_price_minor: i64,
    /// and the version of the price.
    pub price_version: u32,
    /// What for.
    pub purpose: String,
    /// How far the registry's knowledge reached, RFC 3339; null: unknown.
    pub as_of: Option<String>,
    /// Which version of the disclosure rules decided.
    pub policy_version: u32,
    /// Of a reversal: the check whose charge it takes back.
    pub reverses: Option<String>,
    /// Which writer of the ledger wrote it,
    pub writer: u32,
    /// and its place in that writer's chain.
    pub seq: u64,
}

/// A page of the rows that a line of an invoice bills.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LineRowsAnswer {
    /// Oldest first.
    pub rows: Vec<LedgerRowAnswer>,
    /// Where the next page begins; null: this is the last one.
    pub next: Option<String>,
}
