//! Usage and prices.

use serde::{Deserialize, Serialize};

use super::invoices::{InvoiceLine, PriceBand};

/// What an app asked on a day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DayUsageAnswer {
    /// Which day, in the operator's zone.
    pub day: String,
    /// Whose: an app's id.
    pub app: String,
    /// Of what.
    pub product: String,
    /// `sandbox` or `production`.
    pub environment: String,
    /// What came of it.
    pub outcome: String,
    /// How many checks.
    pub checks: u64,
    /// What they cost at list prices, in minor units.
    pub charged_minor: i64,
}

/// `GET /office/v1/partners/{partner}/usage`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct UsageAnswer {
    /// In the order of days and apps.
    pub usage: Vec<DayUsageAnswer>,
}

/// What was asked under a caller's own reference.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ReferenceUsageAnswer {
    /// The reference; null: without one, or it is not kept any more.
    pub reference: Option<String>,
    /// Of what.
    pub product: String,
    /// How many checks.
    pub checks: u64,
    /// How many of them are charged.
    pub charged: u64,
    /// What they cost at list prices, in minor units.
    pub charged_minor: i64,
}

/// `GET /office/v1/partners/{partner}/usage/references`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ReferencesAnswer {
    /// In the order of references.
    pub references: Vec<ReferenceUsageAnswer>,
}

/// A price of a partner.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PriceAnswer {
    /// Under which agreement.
    pub agreement: String,
    /// From when on, RFC 3339.
    pub from: String,
    /// Of which product.
    pub product: String,
    /// Its version.
    pub version: u32,
    /// The currency.
    pub currency: String,
    /// The set-up fee in minor units.
    pub set_up_minor: i64,
    /// How many units are free,
    pub free_units: u64,
    /// in every month, or once.
    pub free_per_month: bool,
    /// Graduated bands over the paid units of a month.
    pub bands: Vec<PriceBand>,
    /// The least that a month costs, in minor units.
    pub monthly_minimum_minor: i64,
}

/// `GET /office/v1/partners/{partner}/prices`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PricesAnswer {
    /// In the order in which they begin.
    pub prices: Vec<PriceAnswer>,
}

/// What would a month have cost under another price?
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct SimulationRequest {
    /// The product.
    pub product: String,
    /// The month: `2026-11`.
    pub month: String,
    /// The set-up fee in minor units.
    pub set_up_minor: i64,
    /// How many units are free,
    pub free_units: u64,
    /// in every month, or once.
    pub free_per_month: bool,
    /// Graduated bands over the paid units of a month; the last one has no end.
    pub bands: Vec<PriceBand>,
    /// The least that a month costs, in minor units.
    pub monthly_minimum_minor: i64,
}

/// What a month cost, and would have cost.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SimulationAnswer {
    /// Units that counted.
    pub units: u64,
    /// What it cost, before tax, in minor units.
    pub was_minor: i64,
    /// What it would have cost.
    pub would_be_minor: i64,
    /// The lines as they were.
    pub was: Vec<InvoiceLine>,
    /// The lines as they would have been.
    pub would_be: Vec<InvoiceLine>,
}
