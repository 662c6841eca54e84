//! Agreements: what they say, who signed them.

use serde::{Deserialize, Serialize};

/// What an agreement says. Amounts are in minor units, before tax.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct AgreementTerms {
    /// The products that it covers, with their prices.
    pub prices: Vec<PriceBody>,
    /// How many calendar months back swaps are disclosed.
    pub swap_months: u16,
    /// How many calendar months back registrations are disclosed.
    pub registration_months: u16,
    /// For which purposes the partner may ask, and on what ground.
    pub purposes: Vec<PurposeBody>,
    /// Whether `/v1/checks` answers instants where it would answer days.
    #[serde(default)]
    pub exact_times: bool,
    /// Whether the operator's own hash is answered where the feed carries one.
    #[serde(default)]
    pub pass_hashed_imsi: bool,
    /// What all production apps together may ask.
    #[serde(default, deserialize_with = "crate::object::required")]
    pub limits: LimitBody,
    /// From when on (RFC 3339); left out: from the second signature on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_from: Option<String>,
    /// Until when (RFC 3339); left out: until one side ends it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_until: Option<String>,
    /// Either side ends it with so many days' notice, 1 to 365.
    pub notice_days: u16,
}

/// What a product costs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct PriceBody {
    /// imsi, swap, age.
    pub product: String,
    /// Three letters.
    pub currency: String,
    /// Charged once.
    #[serde(default)]
    pub set_up_minor: i64,
    /// So many checks cost nothing,
    #[serde(default)]
    pub free_units: u64,
    /// in every month, or once.
    #[serde(default)]
    pub free_units_renew: bool,
    /// What the others cost, the last band without an end.
    pub bands: Vec<BandBody>,
    /// The least that a month costs.
    #[serde(default)]
    pub monthly_minimum_minor: i64,
}

/// A band of graduated prices.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct BandBody {
    /// The last check of the month that it covers; left out: no end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub up_to: Option<u64>,
    /// The price of each.
    pub unit_minor: i64,
}

/// A purpose, and on what ground.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct PurposeBody {
    /// fraud_prevention, onboarding, cheque_confirmation.
    pub purpose: String,
    /// consent, contract, legal_obligation, public_interest, legitimate_interests.
    pub lawful_basis: String,
}

/// Limits; what is left out is not limited.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields, default)]
pub struct LimitBody {
    /// Numbers a second.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(minimum = 1, maximum = 1_000_000))]
    pub per_second: Option<u32>,
    /// Numbers a day.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(maximum = 1_000_000_000))]
    pub per_day: Option<u64>,
    /// Numbers a calendar month.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(maximum = 1_000_000_000))]
    pub per_month: Option<u64>,
}

/// A signature.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct SignRequest {
    /// SHA-256 of the PDF that was read, in hexadecimal digits: another text is not signed.
    pub sha256: String,
}

/// That both sides signed on paper.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct SignedOnPaperRequest {
    /// The scanned copy, among the partner's documents.
    pub document: String,
}

/// Notice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct EndRequest {
    /// When it is over (RFC 3339); left out: as early as the notice allows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<String>,
    /// Why.
    pub reason: String,
}

/// When agreements are over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct EndAnswer {
    /// The instant (RFC 3339).
    pub ends: String,
}

/// A version of an agreement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AgreementAnswer {
    /// Its id.
    pub agreement: String,
    /// The partner's id.
    pub partner: String,
    /// The how manieth version, from 1.
    pub version: u32,
    /// draft, sent, signed.
    pub state: String,
    /// What it says.
    pub terms: AgreementTerms,
    /// SHA-256 of the PDF that both sides sign, once it was sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
    /// Who signed.
    pub signatures: Vec<SignatureItem>,
}

/// Who signed, when and from where.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SignatureItem {
    /// For which side: partner, operator.
    pub side: String,
    /// What they are called.
    pub name: String,
    /// When (RFC 3339).
    pub at: String,
    /// From which address, or in which way.
    pub address: String,
    /// SHA-256 of what they signed.
    pub sha256: String,
}

/// A page of a partner's versions, the newest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AgreementsAnswer {
    /// What is on it.
    pub agreements: Vec<AgreementAnswer>,
    /// Where the next page begins, where there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}
