use std::borrow::Borrow;
use std::collections::BTreeSet;
use std::fmt;

use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use super::base62;
use crate::partner::Environment;

/// The public half of an app's credentials: 8 to 128 letters, digits and `-` `.` `_` `~` behind the first.
///
/// Those made here start with `test` (sandbox) or `live` (production), so that a person sees the mode, and have letters
/// and digits alone. Those that an operator brings along are of other gateways' making: whatever of them can stand in a
/// form, in a header and in a spreadsheet without being read as something else.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ConsumerKey(Box<str>);

/// A text that cannot be a credential.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a consumer key has 8 to 128 letters and digits, and - . _ ~ behind the first")]
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

    /// Reads 8 to 128 unreserved characters (RFC 3986), the first of them a letter or a digit.
    pub fn parse(text: &str) -> Result<Self, CredentialError> {
        let is_unreserved = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_' | b'~');
        let fits = (8..=128).contains(&text.len())
            && text.bytes().all(is_unreserved)
            && text.starts_with(|first: char| first.is_ascii_alphanumeric());
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

    /// Its last four characters.
    pub fn ending(&self) -> Option<SecretEnding> {
        SecretEnding::parse(self.0.get(self.0.len().checked_sub(4)?..)?)
    }
}

impl fmt::Debug for ConsumerSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ConsumerSecret(…)")
    }
}

/// Why a secret that somebody brings along is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ForeignSecretError {
    /// Its length or its characters.
    #[error("a consumer secret has 16 to 128 visible ASCII characters")]
    Form,
    /// What is kept of a secret is a plain hash, so it must not be guessable.
    #[error("a consumer secret has at least 8 different characters; this one could be guessed")]
    Guessable,
    /// A digest of another form.
    #[error("the SHA-256 of a secret is 64 hexadecimal digits")]
    Digest,
}

impl SecretHash {
    /// The hash of a secret that was made elsewhere: 16 to 128 visible ASCII characters, 8 of them different.
    pub fn of_foreign(secret: &str) -> Result<Self, ForeignSecretError> {
        if !(16..=128).contains(&secret.len()) || !secret.bytes().all(|b| b.is_ascii_graphic()) {
            return Err(ForeignSecretError::Form);
        }
        let different = secret.bytes().collect::<BTreeSet<_>>().len();
        if different < 8 {
            return Err(ForeignSecretError::Guessable);
        }
        Ok(ConsumerSecret::presented(secret).hash())
    }

    /// Reads the 64 hexadecimal digits of a SHA-256 that was made elsewhere.
    pub fn parse_hex(text: &str) -> Result<Self, ForeignSecretError> {
        if text.len() != 64 || !text.bytes().all(|b| b.is_ascii_hexdigit()) {
            return Err(ForeignSecretError::Digest);
        }
        let mut digest = [0; 32];
        for (byte, digits) in digest.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
            let digits = std::str::from_utf8(digits).map_err(|_| ForeignSecretError::Digest)?;
            *byte = u8::from_str_radix(digits, 16).map_err(|_| ForeignSecretError::Digest)?;
        }
        Ok(Self(digest))
    }
}

/// The last four characters of a secret, by which people tell it from another. 24 of its 256 random bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SecretEnding([u8; 4]);

impl SecretEnding {
    /// Reads what [`Self::as_str`] gives: four visible ASCII characters.
    pub fn parse(text: &str) -> Option<Self> {
        let ending: [u8; 4] = text.as_bytes().try_into().ok()?;
        ending.iter().all(u8::is_ascii_graphic).then_some(Self(ending))
    }

    /// The four characters.
    pub fn as_str(&self) -> &str {
        str::from_utf8(&self.0).unwrap_or_default()
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

    #[test]
    fn keys_of_other_gateways_are_read_and_what_is_read_otherwise_elsewhere_is_not() {
        for good in ["wU62DjlyDBnq87GlBwplfqvmAbAa", "0a1b2c3d", "bank_a-prod.1~x", &"k".repeat(128)] {
            assert_eq!(ConsumerKey::parse(good).unwrap().as_str(), good);
        }
        for bad in ["", "short12", "-12345678", "=cmd|'/c'!A1", "with:colon", "with space", "pl+us1234", "naïve-key-1"]
        {
            assert_eq!(ConsumerKey::parse(bad), Err(CredentialError), "{bad}");
        }
        assert_eq!(ConsumerKey::parse(&"k".repeat(129)), Err(CredentialError));
    }

    #[test]
    fn secrets_of_other_gateways_are_taken_as_they_are_or_as_their_digest() {
        let secret = "AbCdEfGh01234567";
        let hash = SecretHash::of_foreign(secret).unwrap();
        assert_eq!(hash, ConsumerSecret::presented(secret).hash());
        let hex = hash.0.iter().fold(String::new(), |text, byte| format!("{text}{byte:02X}"));
        assert_eq!(SecretHash::parse_hex(&hex), Ok(hash));
        for (bad, why) in [
            ("AbCdEfGh0123456", ForeignSecretError::Form),
            (&*"ab0!".repeat(33), ForeignSecretError::Form),
            ("AbCdEfGh 1234567", ForeignSecretError::Form),
            ("aaaaaaaabbbbbbbb", ForeignSecretError::Guessable),
        ] {
            assert_eq!(SecretHash::of_foreign(bad), Err(why), "{bad}");
        }
        for bad in ["", &hex[1..], &format!("{hex}0"), &hex.replacen(|_: char| true, "g", 1), &"é".repeat(32)] {
            assert_eq!(SecretHash::parse_hex(bad), Err(ForeignSecretError::Digest), "{bad}");
        }
    }
}
