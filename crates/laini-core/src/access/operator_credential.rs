use std::fmt;

use zeroize::Zeroizing;

use super::{ConsumerSecret, CredentialError};
use crate::partner::{OperatorKey, OperatorKeyId};

/// What every operator key begins with, so that a person, or a scanner for leaked secrets, knows one.
const PREFIX: &str = "laini_op_";
/// The longest secret part that is looked at.
const SECRET_BYTES_MAX: usize = 128;

/// An operator key as its owner presents it: `laini_op_<id>_<secret>`.
pub struct OperatorCredential {
    /// Which key it claims to be.
    pub key: OperatorKeyId,
    /// What proves it.
    pub secret: ConsumerSecret,
}

impl OperatorCredential {
    /// A new one from random bits.
    pub fn mint(id: u64, secret: [u64; 4]) -> Self {
        Self { key: OperatorKeyId::from_random(id), secret: ConsumerSecret::mint(secret) }
    }

    /// Reads one. Whether it is genuine is for [`OperatorCredential::proves`] to say.
    pub fn parse(text: &str) -> Result<Self, CredentialError> {
        let (id, secret) = text.strip_prefix(PREFIX).and_then(|rest| rest.split_once('_')).ok_or(CredentialError)?;
        let fits = (1..=SECRET_BYTES_MAX).contains(&secret.len()) && secret.bytes().all(|b| b.is_ascii_alphanumeric());
        let key = OperatorKeyId::parse(id).map_err(|_| CredentialError)?;
        if fits { Ok(Self { key, secret: ConsumerSecret::presented(secret) }) } else { Err(CredentialError) }
    }

    /// Whether a text looks like an operator key, genuine or not.
    pub fn is_meant_by(text: &str) -> bool {
        text.starts_with(PREFIX)
    }

    /// Whether it is the credential of `key`; in constant time.
    pub fn proves(&self, key: &OperatorKey) -> bool {
        self.key == key.id && self.secret.hash() == key.hash
    }

    /// Shows it: once, to the one it is made for.
    pub fn reveal(&self) -> Zeroizing<String> {
        Zeroizing::new(format!("{PREFIX}{}_{}", self.key, self.secret.reveal()))
    }
}

impl fmt::Debug for OperatorCredential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "OperatorCredential({}, …)", self.key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_is_shown_once_is_read_and_proves_its_key_alone() {
        let made = OperatorCredential::mint(u64::MAX, [1, 2, 3, 4]);
        let text = made.reveal();
        assert!(OperatorCredential::is_meant_by(&text));
        let read = OperatorCredential::parse(&text).unwrap();
        let key = |credential: &OperatorCredential| OperatorKey {
            id: credential.key,
            name: "feed".to_owned(),
            scopes: [].into_iter().collect(),
            hash: credential.secret.hash(),
            created: jiff::Timestamp::UNIX_EPOCH,
            expires: jiff::Timestamp::UNIX_EPOCH,
            is_revoked: false,
        };
        assert!(read.proves(&key(&made)));
        let same_id = OperatorCredential::mint(u64::MAX, [1, 2, 3, 5]);
        let same_secret = OperatorCredential::mint(7, [1, 2, 3, 4]);
        assert!(!read.proves(&key(&same_id)) && !read.proves(&key(&same_secret)));
        assert!(!format!("{made:?}").contains(made.secret.reveal()));
    }

    #[test]
    fn other_texts_are_none() {
        let good = OperatorCredential::mint(7, [1; 4]).reveal();
        assert!(OperatorCredential::parse(&good).is_ok());
        let table = [
            "",
            "laini_op_",
            "laini_op_0000000000000007",
            "laini_op_0000000000000007_",
            "laini_op_8000000000000007_abc",
            "laini_op_000000000000007_abc",
            "laini_op_0000000000000007_ab_c",
            "laini_op_0000000000000007_abc ",
            "LAINI_OP_0000000000000007_abc",
        ];
        for text in table {
            assert!(OperatorCredential::parse(text).is_err(), "{text}");
        }
        let long = format!("laini_op_0000000000000007_{}", "a".repeat(SECRET_BYTES_MAX + 1));
        assert!(OperatorCredential::parse(&long).is_err());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(100_000))]

        #[test]
        fn no_text_breaks_the_reading(text in "\\PC{0,60}|laini_op_[0-9a-f]{15,17}_?[0-9A-Za-z_]{0,60}") {
            if let Ok(read) = OperatorCredential::parse(&text) {
                prop_assert!(read.reveal().eq_ignore_ascii_case(&text));
                prop_assert!(text.ends_with(read.secret.reveal()));
            }
        }
    }
}
