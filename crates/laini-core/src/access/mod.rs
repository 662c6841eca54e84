//! Access: credentials, tokens and the keys they rest on.
//!
//! Owns how a secret is made, kept and compared, how a token proves itself, and which addresses may
//! ask. Must never keep a secret or a token, and never show one in `Debug`.

mod address_rules;
mod backoff;
mod base62;
mod credentials;
mod keys;
mod office_seal;
mod operator_credential;
mod password;
mod token;
mod totp;

pub use address_rules::{AddressRules, AddressRulesError};
pub use backoff::{Backoff, Failures, OF_EMAIL, OF_PAIR};
pub use credentials::{ConsumerKey, ConsumerSecret, CredentialError, ForeignSecretError, SecretEnding, SecretHash};
pub use keys::{KeyTree, RootKey};
pub use office_seal::OfficeSeal;
pub use operator_credential::OperatorCredential;
pub use password::{PASSWORD_CHARS_MAX, PASSWORD_CHARS_MIN, PasswordProblem, judge_password};
pub use token::{TOKEN_LIFETIME, Token, TokenClaims, TokenError, TokenKey};
pub use totp::{TotpSecret, normal_recovery_code, recovery_code};
