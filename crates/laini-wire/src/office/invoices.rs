//! Invoices: what they state, so that anybody can compute them again.

use serde::{Deserialize, Serialize};

/// What an invoice says; made once, and never changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct InvoiceStatement {
    /// Its number; the numbers of an installation have no gaps.
    pub number: u64,
    /// The month that it closes: `2026-11`.
    pub month: String,
    /// When it was made, RFC 3339.
    pub issued: String,
    /// The last day on which it is paid in time.
    pub due: String,
    /// Who sends it.
    pub seller: InvoiceSeller,
    /// Who is to pay.
    pub buyer: InvoiceBuyer,
    /// The currency of every amount on it.
    pub currency: String,
    /// What the close before covered; those checks are not on it. Null: there was none.
    pub covered_before: Option<InvoiceCovered>,
    /// What this close covers.
    pub covered: InvoiceCovered,
    /// The prices that its lines are computed with.
    pub prices: Vec<InvoicePrice>,
    /// What was carried over from the invoice before, by product.
    pub carried_in: Vec<InvoiceCarried>,
    /// What the next invoice begins with.
    pub carried_out: Vec<InvoiceCarried>,
    /// Its lines, before tax.
    pub lines: Vec<InvoiceLine>,
    /// Their sum, in minor units.
    pub subtotal_minor: i64,
    /// The tax rate, in hundredths of a per cent.
    pub tax_basis_points: u32,
    /// The tax in minor units: of the sum, rounded once, half up.
    pub tax_minor: i64,
    /// What is to be paid, in minor units.
    pub total_minor: i64,
}

/// Who sends an invoice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct InvoiceSeller {
    /// The operator's name.
    pub name: String,
    /// Its number with the tax authority; empty where none is set.
    pub tax_number: String,
}

/// Who is to pay an invoice, as known when it was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct InvoiceBuyer {
    /// The partner's id.
    pub partner: String,
    /// Its name.
    pub name: String,
    /// Its number with the tax authority; empty where it is not known.
    pub tax_number: String,
    /// Its address, line by line.
    pub address: Vec<String>,
}

/// What a close covers: checks decided before `end`, up to the place of each writer of the ledger.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct InvoiceCovered {
    /// The month's end, RFC 3339.
    pub end: String,
    /// The ledger's chain heads at that moment.
    pub chains: Vec<InvoiceChain>,
}

/// Where a writer's chain stood.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct InvoiceChain {
    /// Which writer.
    pub writer: u32,
    /// The last place that is covered.
    pub seq: u64,
    /// The link at that place, in hexadecimal.
    pub mac: String,
}

/// A price as an invoice states it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct InvoicePrice {
    /// Of which product.
    pub product: String,
    /// Its version, as the ledger has it.
    pub version: u32,
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
    /// Whether it was in force when the month began, so that its minimum counts.
    pub is_minimum: bool,
}

/// A band of a price.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct PriceBand {
    /// The last unit that it covers; null: no end.
    pub up_to: Option<u64>,
    /// What each unit in it costs, in minor units.
    pub unit_minor: i64,
}

/// What one invoice knows of the ones before it, for a product.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct InvoiceCarried {
    /// Which product.
    pub product: String,
    /// Units that counted before the newest month in which there were some,
    pub units_before: u64,
    /// and in that month.
    pub units: u64,
    /// Whether the set-up fee was charged.
    pub is_set_up: bool,
}

/// A line of an invoice, before tax.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct InvoiceLine {
    /// Its number on the invoice, from 1.
    pub line: u32,
    /// `set_up`, `free`, `units`, `minimum` or `taken_back`.
    pub kind: String,
    /// Of which product.
    pub product: String,
    /// Under which version of its price.
    pub price_version: u32,
    /// How many units.
    pub units: u64,
    /// What each of them costs, in minor units; null where the line has one amount.
    pub unit_minor: Option<i64>,
    /// What they cost together, in minor units; negative where it is given back.
    pub amount_minor: i64,
}
