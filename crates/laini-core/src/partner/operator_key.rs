use std::fmt;

use jiff::Timestamp;

use super::{OperatorKeyId, WordError};
use crate::access::SecretHash;

/// A credential of the operator's own systems; never good for a check. Shown once, kept as a hash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OperatorKey {
    /// Its id, the public part of the key.
    pub id: OperatorKeyId,
    /// What it is for, in the operator's words.
    pub name: String,
    /// What it may do.
    pub scopes: OperatorScopes,
    /// What is kept of the secret part.
    pub hash: SecretHash,
    /// When it was made.
    pub created: Timestamp,
    /// From when on it is refused.
    pub expires: Timestamp,
    /// Whether it was revoked before.
    pub is_revoked: bool,
}

impl OperatorKey {
    /// Whether it is good at `now`.
    pub fn is_good(&self, now: Timestamp) -> bool {
        !self.is_revoked && now < self.expires
    }
}

/// Something that an operator key may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OperatorScope {
    /// Send events and snapshots.
    FeedWrite,
    /// Read the feed's status and its rejects.
    FeedRead,
}

impl OperatorScope {
    /// Every scope.
    pub const ALL: [Self; 2] = [Self::FeedWrite, Self::FeedRead];

    /// The word in commands and exports.
    pub fn word(self) -> &'static str {
        match self {
            Self::FeedWrite => "feed:write",
            Self::FeedRead => "feed:read",
        }
    }

    fn bit(self) -> u8 {
        match self {
            Self::FeedWrite => 1,
            Self::FeedRead => 2,
        }
    }
}

/// A set of scopes.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub struct OperatorScopes(u8);

impl OperatorScopes {
    /// Whether it holds `scope`.
    pub fn contains(self, scope: OperatorScope) -> bool {
        self.0 & scope.bit() != 0
    }

    /// Reads words separated by commas; at least one.
    pub fn parse(words: &str) -> Result<Self, WordError> {
        let scope = |word: &str| {
            let found = OperatorScope::ALL.into_iter().find(|scope| scope.word() == word.trim());
            found.ok_or(WordError { expected: "feed:write, feed:read" })
        };
        words.split(',').map(scope).collect()
    }
}

impl FromIterator<OperatorScope> for OperatorScopes {
    fn from_iter<I: IntoIterator<Item = OperatorScope>>(scopes: I) -> Self {
        Self(scopes.into_iter().fold(0, |set, scope| set | scope.bit()))
    }
}

impl fmt::Display for OperatorScopes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let held = OperatorScope::ALL.into_iter().filter(|scope| self.contains(*scope));
        f.write_str(&held.map(OperatorScope::word).collect::<Vec<_>>().join(","))
    }
}

impl fmt::Debug for OperatorScopes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "OperatorScopes({self})")
    }
}
