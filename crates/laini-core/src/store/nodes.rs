use jiff::Timestamp;

use super::BoxFuture;

/// The nodes of an installation: processes that serve from one store.
pub trait NodeStore: Send + Sync {
    /// Every node that was heard of, by name.
    fn nodes(&self) -> BoxFuture<'_, Result<Vec<Node>, NodesError>>;
}

/// One node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// What it is called.
    pub name: String,
    /// Its release.
    pub release: String,
    /// When it was started, by the store's clock.
    pub started: Timestamp,
    /// When it was heard of last, by the store's clock.
    pub seen: Timestamp,
    /// Whether it was heard of lately.
    pub is_alive: bool,
    /// Its number in the ledger's chain; `None` where it has recorded nothing yet.
    pub writer: Option<u32>,
    /// Rows of its chain.
    pub rows: u64,
}

/// Why the nodes are not known.
#[derive(Debug, thiserror::Error)]
#[error("the nodes cannot be listed: {0}")]
pub struct NodesError(pub String);
