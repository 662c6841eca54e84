//! The organisation behind a partner, and its documents.

use serde::{Deserialize, Serialize};

/// What an organisation is registered as, and how it is reached. What is left out is not known.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields, default)]
pub struct OrganisationDetails {
    /// Its name in the register of companies.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub legal_name: Option<String>,
    /// Its number there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub registration_number: Option<String>,
    /// Its KRA PIN: a letter, nine digits, a letter.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kra_pin: Option<String>,
    /// Its number in the register of data controllers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data_protection_number: Option<String>,
    /// The last day on which that registration is valid: `2027-06-30`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data_protection_expires: Option<String>,
    /// Where letters go.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub postal_address: Option<String>,
    /// Where it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub physical_address: Option<String>,
    /// Who gets invoices.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub billing_contact: Option<ContactBody>,
    /// Who is called when something fails.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub technical_contact: Option<ContactBody>,
    /// The M-PESA paybill or till that it pays from: 5 to 7 digits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mpesa_number: Option<String>,
}

/// Somebody to turn to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct ContactBody {
    /// What they are called.
    pub name: String,
    /// Their e-mail address.
    pub email: String,
    /// Their telephone number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phone: Option<String>,
}

/// An organisation as it is known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct OrganisationAnswer {
    /// The partner's id.
    pub partner: String,
    /// What it is called here.
    pub name: String,
    /// What is known of it.
    pub details: OrganisationDetails,
    /// What an agreement cannot be sent without: names of fields, and `document:` with a purpose.
    pub missing: Vec<String>,
}

/// A document of a partner.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DocumentAnswer {
    /// Its id.
    pub document: String,
    /// What it is for: incorporation, tax_pin, data_protection, signed_agreement, other.
    pub purpose: String,
    /// The name of the file that was sent.
    pub name: String,
    /// What it is, by its bytes.
    pub media_type: String,
    /// How many bytes it has.
    pub bytes: u64,
    /// SHA-256 of its bytes, in hexadecimal digits.
    pub sha256: String,
    /// Who sent it.
    pub by: String,
    /// When (RFC 3339).
    pub at: String,
}

/// A page of a partner's documents, the newest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DocumentsAnswer {
    /// What is on it.
    pub documents: Vec<DocumentAnswer>,
    /// Where the next page begins, where there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}
