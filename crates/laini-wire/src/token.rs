//! The two token doors.

use std::borrow::Cow;
use std::fmt;

use serde::{Deserialize, Serialize};

/// The published door: `GET`, Basic credentials, `?grant_type=client_credentials`.
pub const GENERATE_PATH: &str = "/oauth/v1/generate";
/// The standard door: `POST`, client credentials as in RFC 6749.
pub const OAUTH2_PATH: &str = "/oauth2/token";
/// The only grant that either door knows.
pub const GRANT_TYPE: &str = "client_credentials";
/// The `token_type` of the standard door.
pub const TOKEN_TYPE: &str = "Bearer";

/// A token as the published door gives it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PublishedToken<'a> {
    /// Letters and digits.
    #[serde(borrow)]
    pub access_token: Cow<'a, str>,
    /// Seconds, as text: that is how it is published.
    #[serde(borrow)]
    pub expires_in: Cow<'a, str>,
}

/// A token as the standard door gives it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct StandardToken<'a> {
    /// Letters and digits.
    #[serde(borrow)]
    pub access_token: Cow<'a, str>,
    /// `Bearer`.
    #[serde(borrow)]
    pub token_type: Cow<'a, str>,
    /// Seconds.
    pub expires_in: u64,
}

/// Why the standard door gives no token (RFC 6749, section 5.2).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct OAuthError<'a> {
    /// `invalid_client`, `invalid_request`, `unsupported_grant_type`…
    #[serde(borrow)]
    pub error: Cow<'a, str>,
    /// For people.
    #[serde(borrow)]
    pub error_description: Cow<'a, str>,
}

impl fmt::Debug for PublishedToken<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PublishedToken").field("expires_in", &self.expires_in).finish_non_exhaustive()
    }
}

impl fmt::Debug for StandardToken<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StandardToken").field("expires_in", &self.expires_in).finish_non_exhaustive()
    }
}
