use jiff::Timestamp;

use super::AppId;
use crate::access::{ConsumerSecret, SecretEnding, SecretHash};

/// One of the secrets of an app: what is kept of it, and what people tell it by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AppSecret {
    /// Which of its app's: grows with every secret that is added beside another, from 0.
    pub number: u32,
    /// What is kept of it.
    pub hash: SecretHash,
    /// How it ends; `None` = it was made elsewhere, or before that was kept.
    pub ending: Option<SecretEnding>,
    /// Since when it is good; `None` = it was there before that was written down.
    pub created: Option<Timestamp>,
    /// When it last got a token, to about a minute; `None` = never, as far as is known.
    pub used: Option<Timestamp>,
}

impl AppSecret {
    /// So many secrets of an app are good at a time: the present one, and the one that takes its place.
    pub const LIVE_MAX: usize = 2;

    /// The first secret of a new app, minted here.
    pub fn first(secret: &ConsumerSecret, created: Timestamp) -> Self {
        Self { ending: secret.ending(), ..Self::foreign(secret.hash(), created) }
    }

    /// The first secret of an app that brings it along; of these nothing but the hash is kept.
    pub fn foreign(hash: SecretHash, created: Timestamp) -> Self {
        Self { number: 0, hash, ending: None, created: Some(created), used: None }
    }
}

/// A secret got a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SecretUse {
    /// Whose it is.
    pub app: AppId,
    /// Its number.
    pub secret: u32,
    /// When.
    pub at: Timestamp,
}
