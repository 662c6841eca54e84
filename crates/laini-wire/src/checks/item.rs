use std::fmt;

use serde::{Deserialize, Serialize};

/// The answer of `POST /v1/checks`: an item for each number, in the order in which they were asked.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ChecksAnswer {
    /// The items.
    pub checks: Vec<CheckItem>,
}

/// What is known of one number. A fact that was not asked for is not there.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CheckItem {
    /// The check's id: its `requestRefID` everywhere.
    pub id: String,
    /// The number asked about, in full international digits.
    pub number: String,
    /// `active`, `suspended`, `not_served`, or `unknown` where nothing can be said.
    pub line: String,
    /// Whether and when the SIM changed.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub swap: Option<SwapItem>,
    /// Since when the present holding exists.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub registration: Option<RegistrationItem>,
    /// The SIM, as this partner sees it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub sim: Option<SimItem>,
    /// The instant up to which the registry is complete (RFC 3339); not there where no feed has said.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub as_of: Option<String>,
    /// What it costs.
    pub charge: ChargeItem,
}

/// The swap fact.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SwapItem {
    /// `swapped`, `not_swapped` or `unknown`.
    pub status: String,
    /// Of `swapped`: `replacement`, `esim`, `port_in`, `new_holder`, `number_change`. Of `unknown`:
    /// `no_history`, `stale_feed`, `source_rejected`, `withheld`, `not_served`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub reason: Option<String>,
    /// The day of the swap in the operator's zone (ISO 8601).
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub on: Option<String>,
    /// The instant of the swap (RFC 3339), where the agreement allows it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub at: Option<String>,
    /// How far back it is disclosed, as an ISO 8601 duration.
    pub window: String,
}

/// The registration fact.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RegistrationItem {
    /// `within_window`, `older` or `unknown`.
    pub status: String,
    /// Of `unknown`: as of a swap.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub reason: Option<String>,
    /// The day on which the present holding began, in the operator's zone (ISO 8601).
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub on: Option<String>,
    /// The instant (RFC 3339), where the agreement allows it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub at: Option<String>,
    /// How far back it is disclosed, as an ISO 8601 duration.
    pub window: String,
}

/// The SIM.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SimItem {
    /// The pseudonym; not there where it cannot be told.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub pseudonym: Option<String>,
    /// `same`, `changed` or `unknown` against what was expected; not there where nothing was.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub compared: Option<String>,
}

/// What a check costs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ChargeItem {
    /// Major and minor units: `20.00`.
    pub amount: String,
    /// ISO 4217.
    pub currency: String,
    /// Why it is free: `repeat`, `not-served`, `unknown`, `withheld`, `reversed`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub reason: Option<String>,
    /// `true` where bands or free units decide at the month's end.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub estimate: bool,
}

/// The answer to a `dry_run`: what each number would cost, without asking the registry.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ChecksQuote {
    /// Always `true`.
    pub dry_run: bool,
    /// The items, in the order in which they were asked.
    pub checks: Vec<QuoteItem>,
    /// All together, where every number is answered and none repeats an earlier check.
    pub total: ChargeItem,
}

/// What one number would cost.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct QuoteItem {
    /// The number, in full international digits.
    pub number: String,
    /// The product that would be charged.
    pub product: String,
    /// Its price, if the number is answered.
    pub charge: ChargeItem,
}

macro_rules! redacted {
    ($($name:ident)*) => {
        $(impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!(stringify!($name), "(redacted)"))
            }
        })*
    };
}

redacted!(ChecksAnswer CheckItem SwapItem RegistrationItem SimItem ChecksQuote QuoteItem);
