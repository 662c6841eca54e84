//! Payments, certificates of withheld tax, accounts and prepaid balances.

use serde::{Deserialize, Serialize};

/// A payment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PaymentAnswer {
    /// Its id.
    pub payment: String,
    /// Who told of it: hand, csv, camt053, mpesa.
    pub source: String,
    /// What it is called there; no other payment of the source has it.
    pub bank_id: String,
    /// The day on which it was booked.
    pub on: String,
    /// How much, in minor units.
    pub amount_minor: i64,
    /// The currency.
    pub currency: String,
    /// What the payer wrote.
    pub reference: String,
    /// The account number that the payer typed at a paybill.
    pub account: String,
    /// What else the bank said.
    pub details: String,
    /// Whose it is; null: nobody knows yet.
    pub partner: Option<String>,
    /// The invoice that it is meant for; null: whichever is due first.
    pub invoice: Option<u64>,
    /// How it was found out whose it is: invoice, reference, person.
    pub matched_by: Option<String>,
    /// How much of it was put on the prepaid balance, with its tax.
    pub prepaid_minor: i64,
    /// Since which day it does not count any more; null: it counts.
    pub reversed_on: Option<String>,
    /// Why.
    pub reversed_because: Option<String>,
    /// When it was recorded.
    pub recorded: String,
}

/// A page of payments, the newest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PaymentPage {
    /// The payments.
    pub items: Vec<PaymentAnswer>,
    /// Where the next page begins; null: there is none.
    pub next: Option<String>,
}

/// A payment, and whose it may be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PaymentDetail {
    /// The payment.
    pub payment: PaymentAnswer,
    /// Whose it may be, where nobody knows: the best first.
    pub suggestions: Vec<PaymentSuggestion>,
}

/// Whose a payment may be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PaymentSuggestion {
    /// The partner's id.
    pub partner: String,
    /// For which invoice.
    pub invoice: Option<u64>,
    /// Why.
    pub why: String,
}

/// A payment that somebody tells of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct RecordPayment {
    /// Whose.
    pub partner: String,
    /// The day on which it was booked.
    pub on: String,
    /// How much, in minor units; above zero.
    pub amount_minor: i64,
    /// The operator's currency.
    pub currency: String,
    /// What the payer wrote.
    #[serde(default)]
    pub reference: String,
    /// What the bank calls it; without one, the payment's own id.
    pub bank_id: Option<String>,
    /// The invoice that it is meant for.
    pub invoice: Option<u64>,
}

/// Whose a payment is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct MatchPayment {
    /// The partner's id.
    pub partner: String,
    /// The invoice that it is meant for; without one, whichever is due first.
    pub invoice: Option<u64>,
}

/// Why a payment is taken back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct ReversePayment {
    /// Why.
    pub reason: String,
    /// From which day on it does not count; without one, from today, or from the payment's own day where that has not come.
    pub on: Option<String>,
}

/// What became of a statement of a bank.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ImportAnswer {
    /// Payments that are new.
    pub added: usize,
    /// Of these, those of which it is known whose they are.
    pub matched: usize,
    /// Payments that were recorded before.
    pub known: usize,
    /// What is no payment: withdrawals, pending entries.
    pub passed_over: usize,
    /// How many lines could not be read.
    pub bad: usize,
    /// What is wrong with the first hundred of these.
    pub problems: Vec<LineProblemAnswer>,
}

/// A line that could not be read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LineProblemAnswer {
    /// Which line of the file, from 1; of XML: which entry.
    pub place: usize,
    /// What is wrong with it.
    pub reason: String,
}

/// What a partner writes when it pays: its reference at a bank, its account number at the paybill.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct PaymentReferences {
    /// Letters and digits are compared, in any case.
    pub references: Vec<String>,
}

/// A certificate of withheld tax.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CertificateAnswer {
    /// Its id.
    pub certificate: String,
    /// Whose.
    pub partner: String,
    /// The tax authority's number.
    pub number: String,
    /// How much was withheld, in minor units.
    pub amount_minor: i64,
    /// The currency.
    pub currency: String,
    /// The day of the certificate.
    pub on: String,
    /// The invoice that it was withheld from.
    pub invoice: Option<u64>,
    /// registered, accepted, refused; it settles once it is accepted.
    pub state: String,
    /// Why it was refused.
    pub refused_because: Option<String>,
    /// When it was registered.
    pub registered: String,
}

/// A page of certificates, the newest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CertificatePage {
    /// The certificates.
    pub items: Vec<CertificateAnswer>,
    /// Where the next page begins; null: there is none.
    pub next: Option<String>,
}

/// A certificate that somebody tells of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct RegisterCertificate {
    /// The tax authority's number.
    pub number: String,
    /// How much was withheld, in minor units; above zero.
    pub amount_minor: i64,
    /// The operator's currency.
    pub currency: String,
    /// The day of the certificate.
    pub on: String,
    /// The invoice that it was withheld from.
    pub invoice: Option<u64>,
}

/// Why a certificate is refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct RefuseCertificate {
    /// Why.
    pub reason: String,
}

/// What a partner owes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AccountAnswer {
    /// The day.
    pub on: String,
    /// The currency.
    pub currency: String,
    /// What is open in all, in minor units.
    pub open_minor: i64,
    /// What of it is past its day.
    pub overdue_minor: i64,
    /// What was paid and has settled nothing yet.
    pub credit_minor: i64,
    /// From which day on the partner can be suspended for a debt; null: not yet.
    pub suspend_from: Option<String>,
    /// Every invoice, those due first in front.
    pub invoices: Vec<OwedAnswer>,
}

/// What is open of an invoice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct OwedAnswer {
    /// The invoice's number.
    pub invoice: u64,
    /// Its day.
    pub issued: String,
    /// The last day on which it can be paid in time.
    pub due: String,
    /// What it comes to, with tax.
    pub total_minor: i64,
    /// What of it is open.
    pub open_minor: i64,
}

/// A statement of account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct StatementAnswer {
    /// The first day.
    pub from: String,
    /// The last day.
    pub until: String,
    /// The currency.
    pub currency: String,
    /// What was owed before the first day, in minor units; below zero: credit.
    pub opening_minor: i64,
    /// In the order of their days.
    pub entries: Vec<EntryAnswer>,
    /// What is owed at the end of the last day.
    pub closing_minor: i64,
}

/// An entry of an account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct EntryAnswer {
    /// Its day.
    pub on: String,
    /// invoice, payment, credit_note, withholding_tax, or one of the last three with `_reversed`.
    pub entry: String,
    /// The number of the invoice or credit note, the id of the payment or certificate.
    pub id: String,
    /// Above zero: owed; below: settled.
    pub amount_minor: i64,
    /// What is owed with it.
    pub balance_minor: i64,
}

/// What every partner owes, by age.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AgeingAnswer {
    /// The day.
    pub on: String,
    /// The currency.
    pub currency: String,
    /// Those who owe something or have credit.
    pub partners: Vec<AgedPartner>,
    /// All of them together.
    pub all: AgedAmounts,
}

/// What a partner owes, by age.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AgedPartner {
    /// The partner's id.
    pub partner: String,
    /// What it is called.
    pub name: String,
    /// How much.
    pub amounts: AgedAmounts,
}

/// What is open, by how long it is overdue, in minor units.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AgedAmounts {
    /// Not due yet, or due today.
    pub not_due_minor: i64,
    /// 1 to 30 days overdue.
    pub days_1_to_30_minor: i64,
    /// 31 to 60 days.
    pub days_31_to_60_minor: i64,
    /// 61 to 90 days.
    pub days_61_to_90_minor: i64,
    /// More than 90 days.
    pub over_90_days_minor: i64,
    /// Paid, and not used for an invoice.
    pub credit_minor: i64,
}

/// A prepaid balance; amounts before tax, in minor units.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PrepaidAnswer {
    /// The currency.
    pub currency: String,
    /// Checks decided from then on are paid from it, and are on no invoice.
    pub from: String,
    /// All top-ups.
    pub paid_minor: i64,
    /// What checks have cost since, by the highest price of each.
    pub used_minor: i64,
    /// What is left; checks stop at zero.
    pub left_minor: i64,
}

/// Money of a payment that is put on the balance.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct TopUpRequest {
    /// The payment.
    pub payment: String,
    /// How much of it, with its tax, in minor units; without it, all that is free.
    pub amount_minor: Option<i64>,
    /// The tax in it, in hundredths of a per cent; without it, 1600.
    pub tax_basis_points: Option<u32>,
}

/// A top-up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TopUpAnswer {
    /// Its id.
    pub top_up: String,
    /// The payment that it was taken of.
    pub payment: String,
    /// What was taken of the payment, in minor units.
    pub gross_minor: i64,
    /// The tax in it.
    pub tax_minor: i64,
    /// What checks can be paid from: the rest.
    pub net_minor: i64,
    /// When.
    pub at: String,
}

/// A page of top-ups, the newest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TopUpPage {
    /// The top-ups.
    pub items: Vec<TopUpAnswer>,
    /// Where the next page begins; null: there is none.
    pub next: Option<String>,
}
