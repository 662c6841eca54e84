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

/// How long the checks of an app took on a day that were answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DayCallTimesAnswer {
    /// Which day, in the operator's zone.
    pub day: String,
    /// Whose: an app's id.
    pub app: String,
    /// `sandbox` or `production`.
    pub environment: String,
    /// How many calls were answered.
    pub calls: u64,
    /// In so many microseconds half of them were answered, from the head of the request to the answer, as the server counts
    /// it: a bound of its histogram. Null: it was more than ten seconds.
    pub half_within_micros: Option<u64>,
    /// The same of 99 of 100.
    pub most_within_micros: Option<u64>,
}

/// `GET /office/v1/partners/{partner}/usage/times`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CallTimesAnswer {
    /// In the order of days and apps; days without an answered call are left out, and so are those of 100 days ago.
    pub times: Vec<DayCallTimesAnswer>,
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

/// `POST /office/v1/partners/{partner}/prices`: another price, in a new version of the agreement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PriceChangeRequest {
    /// Of which product.
    pub product: String,
    /// Charged once, in minor units of the operator's currency.
    #[serde(default)]
    pub set_up_minor: i64,
    /// So many checks cost nothing,
    #[serde(default)]
    pub free_units: u64,
    /// in every month, or once.
    #[serde(default)]
    pub free_per_month: bool,
    /// What the others cost, the last band without an end.
    pub bands: Vec<PriceBand>,
    /// The least that a month costs.
    #[serde(default)]
    pub monthly_minimum_minor: i64,
    /// From when on; null: once both sides have signed.
    #[serde(default)]
    pub from: Option<String>,
    /// Why it is in force without being signed here: it was agreed outside. Null: it is laid before both sides.
    #[serde(default)]
    pub agreed_outside: Option<String>,
}

/// The version of the agreement that has the new price.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PriceChangeAnswer {
    /// Its id.
    pub agreement: String,
    /// The how manieth it is.
    pub number: u32,
    /// `sent`: both sides are to sign; `signed`: it is agreed.
    pub state: String,
}

/// What a product costs in the running month.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ProductSoFarAnswer {
    /// Which.
    pub product: String,
    /// The currency of its amounts.
    pub currency: String,
    /// Units so far.
    pub units: u64,
    /// Free units that are left; null: the price has none.
    pub free_left: Option<u64>,
    /// Whether free units come anew with every month.
    pub free_per_month: bool,
    /// What the units cost so far, in minor units, before tax and without the monthly minimum.
    pub spent_minor: i64,
    /// Units that the month comes to, going on like the average day.
    pub forecast_units: u64,
    /// What these cost, in minor units, before tax, with the monthly minimum.
    pub forecast_minor: i64,
}

/// `GET /office/v1/partners/{partner}/usage/month`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct MonthSoFarAnswer {
    /// The running month.
    pub month: String,
    /// Days of it after today.
    pub days_left: u64,
    /// So many days before today are averaged.
    pub averaged_days: u64,
    /// Of each product with a price in force.
    pub products: Vec<ProductSoFarAnswer>,
}

/// What a product of a partner brought in a month.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct EarnedAnswer {
    /// The month.
    pub month: String,
    /// Of whom: a partner's id.
    pub partner: String,
    /// With what.
    pub product: String,
    /// Units.
    pub units: u64,
    /// The currency.
    pub currency: String,
    /// In minor units, before tax, less what credit notes gave back.
    pub net_minor: i64,
    /// Whether it stands on an invoice; otherwise it is what would be invoiced if the month ended now.
    pub is_invoiced: bool,
}

/// `GET /office/v1/revenue`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RevenueAnswer {
    /// The newest month first.
    pub revenue: Vec<EarnedAnswer>,
}
