use jiff::Timestamp;

use super::AppId;
use crate::access::SecretHash;

/// One of the secrets of an app: what is kept of it, and what people tell it by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AppSecret {
    /// Which of its app's: grows with every secret that is added beside another, from 0.
    pub number: u32,
    /// What is kept of it.
    pub hash: SecretHash,
    /// Since when it is good; `None` = it was there before that was written down.
    pub created: Option<Timestamp>,
    /// When it last got a token, to about a minute; `None` = never, as far as is known.
    pub used: Option<Timestamp>,
}

impl AppSecret {
    /// So many secrets of an app are good at a time: the present one, and the one that takes its place.
    pub const LIVE_MAX: usize = 2;

    /// The first secret of a new app.
    pub fn first(hash: SecretHash, created: Timestamp) -> Self {
        Self { number: 0, hash, created: Some(created), used: None }
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
