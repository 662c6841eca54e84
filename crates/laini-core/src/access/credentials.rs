use std::borrow::Borrow;
use std::fmt;

use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use super::base62;
use crate::partner::Environment;

/// The public half of an app's credentials: 8 to 128 letters and digits.
///
/// Those made here start with `test` (sandbox) or `live` (production), so that a person sees the mode.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ConsumerKey(Box<str>);

/// A text that cannot be a credential.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a consumer key has 8 to 128 letters and digits")]
pub struct CredentialError;

impl ConsumerKey {
    /// A new key from random bytes.
    pub fn mint(environment: Environment, random: [u64; 3]) -> Self {
        let mode = match environment {
            Environment::Sandbox => "test",
            Environment::Production => "live",
        };
        Self(format!("{mode}{}", base62::encode(&random)).into())
    }

    /// Reads 8 to 128 letters and digits.
    pub fn parse(text: &str) -> Result<Self, CredentialError> {
        let fits = (8..=128).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric());
        fits.then(|| Self(text.into())).ok_or(CredentialError)
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Borrow<str> for ConsumerKey {
    fn borrow(&self) -> &str {
        &self.0
    }
}

/// The secret half, as it exists only while it is shown or checked. Wiped from memory on drop.
pub struct ConsumerSecret(Zeroizing<String>);

impl ConsumerSecret {
    /// A new secret of 256 random bits.
    pub fn mint(random: [u64; 4]) -> Self {
        Self(Zeroizing::new(base62::encode(&random)))
    }

    /// A secret as somebody presents it.
    pub fn presented(text: &str) -> Self {
        Self(Zeroizing::new(text.to_owned()))
    }

    /// Shows the secret: once, to the one it is made for.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// What is kept of it. A plain hash is enough for 256 random bits.
    pub fn hash(&self) -> SecretHash {
        SecretHash(Sha256::digest(self.0.as_bytes()).into())
    }
}

impl fmt::Debug for ConsumerSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ConsumerSecret(…)")
    }
}

/// SHA-256 of a consumer secret. Compared in constant time.
#[derive(Clone, Copy)]
pub struct SecretHash(pub [u8; 32]);

impl PartialEq for SecretHash {
    fn eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl Eq for SecretHash {}

impl fmt::Debug for SecretHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretHash(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_shows_its_mode_and_a_secret_nothing() {
        let key = ConsumerKey::mint(Environment::Sandbox, [1, 2, 3]);
        assert!(key.as_str().starts_with("test"));
        assert_eq!(ConsumerKey::parse(key.as_str()), Ok(key));
        let secret = ConsumerSecret::mint([u64::MAX; 4]);
        assert_eq!(secret.reveal().len(), 44);
        assert!(!format!("{secret:?} {:?}", secret.hash()).contains(secret.reveal()));
        assert_eq!(secret.hash(), ConsumerSecret::presented(secret.reveal()).hash());
        assert_ne!(secret.hash(), ConsumerSecret::presented("").hash());
    }
}
