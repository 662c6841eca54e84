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
    /// Checks from this instant on were paid from a balance and are not on it, RFC 3339. Null: there is none.
    #[serde(default)]
    pub prepaid_from: Option<String>,
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

/// An invoice in a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct InvoiceSummary {
    /// Its number.
    pub number: u64,
    /// The month that it closes.
    pub month: String,
    /// Whose it is.
    pub partner: String,
    /// To whom it was made out.
    pub buyer: String,
    /// When it was made, RFC 3339.
    pub issued: String,
    /// The last day on which it is paid in time.
    pub due: String,
    /// The currency.
    pub currency: String,
    /// What is to be paid, in minor units.
    pub total_minor: i64,
    /// How many credit notes there are of it.
    pub credit_notes: u32,
}

/// `GET /office/v1/invoices` and `GET /office/v1/partners/{partner}/invoices`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct InvoicesAnswer {
    /// Newest first.
    pub invoices: Vec<InvoiceSummary>,
    /// Where the next page begins; null: this is the last one.
    pub next: Option<String>,
}

/// An invoice with what came of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct InvoiceAnswer {
    /// What it says.
    pub statement: InvoiceStatement,
    /// What the tax authority returned for it; null: nothing yet.
    pub tax_receipt: Option<InvoiceTaxReceipt>,
    /// What was given back of it.
    pub credit_notes: Vec<CreditNoteAnswer>,
    /// What of it is or was disputed.
    pub disputes: Vec<DisputeAnswer>,
}

/// What the tax authority returned for an invoice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct InvoiceTaxReceipt {
    /// The number that it gave the invoice.
    pub number: String,
    /// What its QR code says.
    pub qr: String,
}

/// What is to be kept of the tax authority's answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct TaxReceiptRequest {
    /// The number that it gave the invoice.
    pub number: String,
    /// What its QR code says.
    pub qr: String,
}

/// What is given back of a line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct CreditedLine {
    /// The line's number.
    pub line: u32,
    /// How much, in minor units, before tax.
    pub amount_minor: i64,
}

/// Gives something of an invoice back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct CreditRequest {
    /// What of which line; at least one.
    pub lines: Vec<CreditedLine>,
    /// Why; it stands on the credit note.
    pub reason: String,
}

/// A credit note.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CreditNoteAnswer {
    /// Its number.
    pub number: u64,
    /// Of which invoice.
    pub invoice: u64,
    /// When it was made, RFC 3339.
    pub issued: String,
    /// The currency.
    pub currency: String,
    /// What is given back of which line, before tax.
    pub lines: Vec<CreditedLine>,
    /// Why.
    pub reason: String,
    /// The tax of it, in minor units.
    pub tax_minor: i64,
    /// What is given back, tax included, in minor units.
    pub total_minor: i64,
}

/// Disputes a line of an invoice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct DisputeRequest {
    /// The line's number.
    pub line: u32,
    /// What is wrong with it.
    pub reason: String,
}

/// Settles a dispute.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct SettleRequest {
    /// So much is given back, in minor units before tax; null: the line stays.
    pub accept_minor: Option<i64>,
    /// What the partner is told.
    pub answer: String,
}

/// A dispute of a line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DisputeAnswer {
    /// Its id.
    pub dispute: String,
    /// Whose it is.
    pub partner: String,
    /// Of which invoice,
    pub invoice: u64,
    /// and which line of it.
    pub line: u32,
    /// `open`, `accepted` or `rejected`.
    pub state: String,
    /// What is said to be wrong.
    pub reason: String,
    /// What the operator answered; empty while it is open.
    pub answer: String,
    /// When it was opened, RFC 3339.
    pub opened: String,
    /// The credit note that it led to.
    pub credit_note: Option<u64>,
}

/// A page of disputes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DisputesAnswer {
    /// Oldest first.
    pub disputes: Vec<DisputeAnswer>,
    /// Where the next page begins; null: this is the last one.
    pub next: Option<String>,
}

/// What came of computing an invoice again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct VerificationAnswer {
    /// The invoice.
    pub number: u64,
    /// Units that were counted.
    pub units: u64,
    /// The total that follows from the ledger, in minor units.
    pub total_minor: i64,
    /// Chain heads on the invoice that were looked for in the ledger.
    pub chain_heads: u64,
    /// What is other than the invoice says; empty: it is right to the cent, and stands on the ledger's own chains.
    pub differences: Vec<String>,
}

/// A month that is closed, or being closed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CloseAnswer {
    /// Which month.
    pub month: String,
    /// When what it covers was frozen, RFC 3339.
    pub frozen: String,
    /// Whether all its invoices are made.
    pub is_done: bool,
}

/// Closes a month.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct CloseRequest {
    /// Which month: `2026-11`.
    pub month: String,
    /// Whether it is the first one that is invoiced here: what lies before it was invoiced elsewhere.
    #[serde(default)]
    pub first: bool,
}

/// What a close came to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ClosedAnswer {
    /// Which month.
    pub month: String,
    /// Invoices that were made now.
    pub invoices_made: u64,
    /// Whether the month was closed before already.
    pub was_closed: bool,
}

/// The closes there are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ClosesAnswer {
    /// Newest first.
    pub closes: Vec<CloseAnswer>,
    /// Where the next page begins; null: this is the last one.
    pub next: Option<String>,
}

/// `GET /office/v1/closes/next`: the month that is closed next, and what that waits for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct NextCloseAnswer {
    /// Which month.
    pub month: String,
    /// When it ends, or ended.
    pub ends: String,
    /// Since when its invoices are made; null: that is not begun.
    pub begun: Option<String>,
    /// Invoices of it that are made.
    pub invoices_made: u64,
    /// Whether it is over.
    pub is_over: bool,
    /// Writers of the ledger that may still record what was decided before the month's end.
    pub writers_behind: Vec<u32>,
}
