//! Access: credentials, tokens and the keys they rest on.
//!
//! Owns how a secret is made, kept and compared, and how a token proves itself. Must never keep a
//! secret or a token, and never show one in `Debug`.

mod base62;
mod credentials;
mod keys;
mod operator_credential;
mod token;

pub use credentials::{ConsumerKey, ConsumerSecret, CredentialError, SecretHash};
pub use keys::{KeyTree, RootKey};
pub use operator_credential::OperatorCredential;
pub use token::{TOKEN_LIFETIME, Token, TokenClaims, TokenError, TokenKey};
