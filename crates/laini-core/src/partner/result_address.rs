use jiff::Timestamp;

use super::{AppId, ResultAddressId};

/// An address to which an app has results delivered (contract §6). It works once it has answered a
/// challenge. Its signing secret is derived, never stored: [`crate::access::KeyTree::delivery`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResultAddress {
    /// Its id.
    pub id: ResultAddressId,
    /// Whose it is.
    pub app: AppId,
    /// The address, as it was registered.
    pub url: String,
    /// When it answered the challenge; `None` = not yet.
    pub proven: Option<Timestamp>,
    /// Which generation of its secret signs; grows with every roll, from 1.
    pub secret_generation: u32,
    /// Until when the generation before signs as well.
    pub previous_until: Option<Timestamp>,
}

impl ResultAddress {
    /// Until when the generation before signs as well, where it does at `at`.
    pub fn overlap_at(&self, at: Timestamp) -> Option<Timestamp> {
        self.previous_until.filter(|until| at < *until)
    }
}
