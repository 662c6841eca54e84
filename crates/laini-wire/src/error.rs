//! The one envelope of every error, and its codes.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

/// An error on every path but the check paths and the standard token door.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct ErrorBody<'a> {
    /// The id to give to support.
    #[serde(borrow)]
    pub request_id: Cow<'a, str>,
    /// What went wrong, for programs.
    #[serde(borrow)]
    pub error_code: Cow<'a, str>,
    /// For people.
    #[serde(borrow)]
    pub error_message: Cow<'a, str>,
}

/// An error on a check path: both published styles in one body.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct CheckErrorBody<'a> {
    /// The id to give to support.
    #[serde(borrow)]
    pub request_id: Cow<'a, str>,
    /// What went wrong, for programs.
    #[serde(borrow)]
    pub error_code: Cow<'a, str>,
    /// For people.
    #[serde(borrow)]
    pub error_message: Cow<'a, str>,
    /// The same as `requestId`.
    #[serde(borrow, rename = "requestRefID")]
    pub request_ref_id: Cow<'a, str>,
    /// The HTTP status.
    #[serde(borrow)]
    pub response_code: Cow<'a, str>,
    /// The same as `errorMessage`.
    #[serde(borrow)]
    pub response_desc: Cow<'a, str>,
}

impl<'a> CheckErrorBody<'a> {
    /// Both styles from one set of texts. `status` is the HTTP status.
    pub fn new(request_id: &'a str, status: u16, error_code: &'a str, error_message: &'a str) -> Self {
        Self {
            request_id: request_id.into(),
            error_code: error_code.into(),
            error_message: error_message.into(),
            request_ref_id: request_id.into(),
            response_code: status.to_string().into(),
            response_desc: error_message.into(),
        }
    }
}

/// Texts that a client may have to tell apart under one code.
pub mod message {
    /// 503.002.02: the registry's feed is older than the operator allows for this question.
    pub const REGISTRY_STALE: &str = "Registry data is stale";
    /// 503.002.02: the registry's history does not reach far enough, or the line's newest row was refused.
    pub const REGISTRY_INCOMPLETE: &str = "Registry data is incomplete";
    /// 401.002.01: the token is good, but the app may not call this product.
    pub const NO_PRODUCT: &str = "Invalid API call as no apiproduct match found";
}

/// Every `errorCode`. Each belongs to one HTTP status; the first three digits mostly name it.
pub mod code {
    /// 400: no or unreadable Basic credentials, a wrong key or secret, the wrong environment.
    pub const INVALID_AUTHENTICATION: &str = "400.008.01";
    /// 400: `grant_type` missing or another.
    pub const INVALID_GRANT_TYPE: &str = "400.008.02";
    /// 401: no token, a bad token, or the product is not the app's.
    pub const INVALID_ACCESS_TOKEN: &str = "401.002.01";
    /// 401: the e-mail address, the password or the code is wrong.
    pub const NOT_SIGNED_IN: &str = "401.005.01";
    /// 401: the password is right, and a code of the second factor is needed as well.
    pub const CODE_NEEDED: &str = "401.005.02";
    /// 403: suspended, no agreement, address or environment not allowed.
    pub const FORBIDDEN: &str = "403.002.01";
    /// 403: the subscriber's data is restricted.
    pub const WITHHELD: &str = "403.002.02";
    /// 400: `customerNumber` missing or malformed.
    pub const INVALID_CUSTOMER_NUMBER: &str = "400.002.02";
    /// 400: not a JSON object.
    pub const INVALID_PAYLOAD: &str = "400.002.05";
    /// 404: the number is not served here. Not checked, so never "safe".
    pub const NOT_SERVED: &str = "404.002.01";
    /// 404: no such path.
    pub const UNKNOWN_PATH: &str = "404.001.01";
    /// 405: another method (see `Allow`).
    pub const METHOD_NOT_ALLOWED: &str = "405.001";
    /// 408: the body came too slowly.
    pub const REQUEST_TIMEOUT: &str = "408.002.01";
    /// 409: a request with this idempotency key is still running.
    pub const KEY_IN_USE: &str = "409.002.01";
    /// 409: the idempotency key is older than its replay time.
    pub const KEY_TOO_OLD: &str = "409.002.02";
    /// 409: the sandbox world is not such that this can be done.
    pub const WORLD_CONFLICT: &str = "409.003.01";
    /// 400: an upload of the operator's that broke off, or cannot be read.
    pub const UPLOAD_BROKEN: &str = "400.004.01";
    /// 409: a snapshot that is older than the present one, or another one is being loaded.
    pub const FEED_CONFLICT: &str = "409.004.01";
    /// 409: it is not such that this can be done now.
    pub const NOT_NOW: &str = "409.005.01";
    /// 409: another one has the name.
    pub const TAKEN: &str = "409.005.02";
    /// 422: a snapshot that was read, and would do harm.
    pub const SNAPSHOT_REFUSED: &str = "422.004.01";
    /// 413: the body is too large.
    pub const PAYLOAD_TOO_LARGE: &str = "413.002.01";
    /// 415: the body is not declared as JSON.
    pub const UNSUPPORTED_MEDIA_TYPE: &str = "415.002.01";
    /// 422: the idempotency key was used with another body.
    pub const KEY_REUSED: &str = "422.002.01";
    /// 429: the rate limit.
    pub const RATE_LIMITED: &str = "500.003.02";
    /// 429: quota, budget or prepaid used up.
    pub const QUOTA_USED_UP: &str = "500.003.03";
    /// 500: the server's fault.
    pub const INTERNAL: &str = "500.003.1001";
    /// 501: a capability that is switched off.
    pub const NOT_IMPLEMENTED: &str = "501.002.01";
    /// 502: a bad answer from the registry behind.
    pub const UPSTREAM_BAD: &str = "502.002.01";
    /// 503: the registry is unreachable or sheds load.
    pub const UNREACHABLE: &str = "503.002.01";
    /// 503: the registry cannot say; see [`message`](super::message).
    pub const REGISTRY_UNKNOWN: &str = "503.002.02";
    /// 503: the record of the check could not be confirmed; repeat with the same key.
    pub const NOT_CONFIRMED: &str = "503.002.03";
    /// 504: the registry behind was too slow.
    pub const UPSTREAM_TIMEOUT: &str = "504.002.01";
}
