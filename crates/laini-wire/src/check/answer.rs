use std::borrow::Cow;
use std::fmt;

use serde::{Deserialize, Serialize};

/// The answer of product `imsi`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct ImsiAnswer<'a> {
    /// The check's id.
    #[serde(borrow, rename = "requestRefID")]
    pub request_ref_id: Cow<'a, str>,
    /// `200`.
    #[serde(borrow)]
    pub response_code: Cow<'a, str>,
    /// `Success`.
    #[serde(borrow)]
    pub response_desc: Cow<'a, str>,
    /// The pseudonym of the SIM: 16 decimal digits.
    #[serde(borrow)]
    pub imsi: Cow<'a, str>,
    /// `DD-MM-YYYY`; `01-01-1900` where there was no swap inside the window.
    #[serde(borrow)]
    pub last_swap_date: Cow<'a, str>,
    /// `DD-MM-YYYY`, or the text for one before the window.
    #[serde(borrow)]
    pub msisdn_registration_date: Cow<'a, str>,
    /// The number asked about, in full international digits.
    #[serde(borrow)]
    pub customer_number: Cow<'a, str>,
}

/// The answer of product `swap`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct SwapAnswer<'a> {
    /// The check's id.
    #[serde(borrow, rename = "requestRefID")]
    pub request_ref_id: Cow<'a, str>,
    /// `200`.
    #[serde(borrow)]
    pub response_code: Cow<'a, str>,
    /// `Success`.
    #[serde(borrow)]
    pub response_desc: Cow<'a, str>,
    /// `DD-MM-YYYY HH:MM`; `01-01-1900 00:00` where there was no swap inside the window.
    #[serde(borrow)]
    pub last_swap_date: Cow<'a, str>,
}

/// The answer of product `age`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct AgeAnswer<'a> {
    /// The check's id.
    #[serde(borrow, rename = "requestRefID")]
    pub request_ref_id: Cow<'a, str>,
    /// `200`.
    #[serde(borrow)]
    pub response_code: Cow<'a, str>,
    /// `Success`.
    #[serde(borrow)]
    pub response_desc: Cow<'a, str>,
    /// `DD-MM-YYYY`, or the text for one before the window.
    #[serde(borrow)]
    pub msisdn_registration_date: Cow<'a, str>,
    /// The number asked about, in full international digits.
    #[serde(borrow)]
    pub customer_number: Cow<'a, str>,
}

impl fmt::Debug for ImsiAnswer<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ImsiAnswer").field("request_ref_id", &self.request_ref_id).finish_non_exhaustive()
    }
}

impl fmt::Debug for SwapAnswer<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SwapAnswer").field("request_ref_id", &self.request_ref_id).finish_non_exhaustive()
    }
}

impl fmt::Debug for AgeAnswer<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AgeAnswer").field("request_ref_id", &self.request_ref_id).finish_non_exhaustive()
    }
}
