//! Privacy requests.

use std::fmt;

use serde::{Deserialize, Serialize};

/// `POST /office/v1/privacy-requests` and `POST /office/v1/partners/{partner}/privacy-requests`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct NewPrivacyRequest {
    /// The number, in any form. It is kept as a keyed hash.
    pub number: String,
    /// `export`, `rectify`, `restrict`, `unrestrict` or `erase`.
    pub action: String,
    /// Why: 1 to 500 characters, without the number.
    pub reason: String,
    /// Whether a restriction holds for whoever has the number later; false where absent.
    #[serde(default)]
    pub any_holder: bool,
}

impl fmt::Debug for NewPrivacyRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("NewPrivacyRequest(…)")
    }
}

/// `POST /office/v1/privacy-requests/{request}/identity-check`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct IdentityCheckRequest {
    /// The number that the papers are about, in any form: only its keyed hash is kept with the request. Whether it is
    /// held is looked up again.
    pub number: String,
    /// `document_in_person`, `certified_copy`, `representative` or `order`. That somebody has the SIM proves nothing.
    pub how: String,
}

impl fmt::Debug for IdentityCheckRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("IdentityCheckRequest(…)")
    }
}

/// `POST /office/v1/privacy-requests/{request}/approve`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct PrivacyApproval {
    /// The number, in any form. Needed of `restrict` and `unrestrict`, which take effect with it: whether it is held is
    /// looked up again. Of the others that is done when they are carried out.
    #[serde(default)]
    pub number: Option<String>,
    /// Why: 1 to 500 characters, without the number.
    pub reason: String,
    /// Whether it is approved although it is held; false where absent.
    #[serde(default)]
    pub override_hold: bool,
}

impl fmt::Debug for PrivacyApproval {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PrivacyApproval(…)")
    }
}

/// `POST /office/v1/privacy-requests/{request}/refuse`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct PrivacyRefusal {
    /// Why: 1 to 500 characters, without the number.
    pub reason: String,
}

/// `POST /office/v1/privacy-requests/{request}/carry-out`. What is asked for says which of the fields count.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct PrivacyOrder {
    /// The number, in any form: only its keyed hash is kept with the request.
    pub number: String,
    /// Of an export or an erasure: from this day on, in the operator's zone: `2026-11-01`.
    #[serde(default)]
    pub from: Option<String>,
    /// Until this day, which is included.
    #[serde(default)]
    pub until: Option<String>,
    /// Whose time: `present`, where absent, `all`, or, of an erasure alone, `earlier`.
    #[serde(default)]
    pub holdings: Option<String>,
    /// Of a correction: the id of the event that is wrong.
    #[serde(default)]
    pub event: Option<String>,
    /// The feed that it came by; `default` where absent.
    #[serde(default)]
    pub source: Option<String>,
    /// When it really happened.
    #[serde(default)]
    pub at: Option<String>,
    /// Which IMSI it was really about.
    #[serde(default)]
    pub imsi: Option<String>,
    /// Whether it never happened; false where absent.
    #[serde(default)]
    pub is_retracted: bool,
}

impl fmt::Debug for PrivacyOrder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PrivacyOrder(…)")
    }
}

/// A long piece of work that reads the ledger, with how far it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct JobAnswer {
    /// `under_way`, `done` or `failed`.
    pub status: String,
    /// When it began.
    pub begun: String,
    /// Who began it.
    pub by: String,
    /// How many rows of the ledger were read.
    pub rows_read: u64,
    /// Up to which instant the ledger was read, of a report; null: not known.
    pub read_until: Option<String>,
    /// What it came to, in counts; null: not yet, or it is a file that somebody has.
    pub came_to: Option<String>,
    /// What was not erased, and why.
    pub stays: Vec<String>,
    /// Why it failed; null: it did not.
    pub failed_for: Option<String>,
    /// For so many seconds after its end it is kept, in memory alone.
    pub kept_s: u64,
}

/// A privacy request, as the operator's staff see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PrivacyRequestAnswer {
    /// Its id.
    pub id: String,
    /// The number with its middle hidden.
    pub number: String,
    /// What is asked for.
    pub action: String,
    /// `received`, `held`, `identity_checked`, `approved`, `done` or `refused`.
    pub status: String,
    /// The partner that filed it; null: the operator received it.
    pub partner: Option<String>,
    /// Whether a restriction holds for whoever has the number later.
    pub any_holder: bool,
    /// When it came.
    pub received: String,
    /// Who took it.
    pub received_by: String,
    /// Why.
    pub reason: String,
    /// Until when the law wants it answered.
    pub deadline: String,
    /// Until when nothing is done, for the SIM was swapped or ported lately; null: it is not held.
    pub held_until: Option<String>,
    /// How it was made sure who asks; null: not yet.
    pub identity_checked: Option<String>,
    /// Who approved it; null: nobody yet.
    pub approved_by: Option<String>,
    /// What was done, or why nothing was; null: it is open.
    pub ended: Option<String>,
}

/// A page of privacy requests.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PrivacyRequestsAnswer {
    /// The requests.
    pub requests: Vec<PrivacyRequestAnswer>,
    /// Where the next page begins; null: this was the last.
    pub next: Option<String>,
}

/// A privacy request as its partner sees it: nothing that the operator knows of the number.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct FiledPrivacyRequest {
    /// Its id.
    pub id: String,
    /// The number with its middle hidden.
    pub number: String,
    /// What is asked for.
    pub action: String,
    /// `open`, `done` or `refused`.
    pub status: String,
    /// When it came.
    pub received: String,
    /// Until when the law wants it answered.
    pub deadline: String,
}

/// A page of privacy requests of a partner.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct FiledPrivacyRequests {
    /// The requests.
    pub requests: Vec<FiledPrivacyRequest>,
    /// Where the next page begins; null: this was the last.
    pub next: Option<String>,
}

/// `POST /office/v1/look-ups`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct LookUpsRequest {
    /// Only what was asked on this day or later, in the operator's zone: `2026-11-01`.
    #[serde(default)]
    pub from: Option<String>,
    /// Only what was asked on this day or earlier.
    #[serde(default)]
    pub until: Option<String>,
    /// Only what this partner asked.
    #[serde(default)]
    pub partner: Option<String>,
    /// Only what was asked about this number, in any form.
    #[serde(default)]
    pub number: Option<String>,
    /// Why; kept in the audit trail, so without a number.
    pub reason: String,
}

impl fmt::Debug for LookUpsRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LookUpsRequest(…)")
    }
}
