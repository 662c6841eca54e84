use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use arc_swap::{ArcSwap, Guard};
use laini_core::access::KeyTree;
use laini_core::partner::Accounts;
use laini_core::store::{AccountStore, AccountsError};
use tokio::time::timeout;

/// How often the store is asked whether accounts changed; a revocation holds after that.
const POLL_INTERVAL_MS: u64 = 250;
/// How long one refresh may take before the store counts as unreachable.
const REFRESH_TIMEOUT_MS: u64 = 5_000;

/// The accounts that requests are decided on: an immutable picture, replaced whole when the store
/// has a newer version.
pub struct AccountsPicture {
    store: Arc<dyn AccountStore>,
    keys: Arc<KeyTree>,
    current: ArcSwap<Accounts>,
    failing: AtomicBool,
}

impl AccountsPicture {
    /// The picture of what `store` holds now.
    pub async fn load(store: Arc<dyn AccountStore>, keys: Arc<KeyTree>) -> Result<Self, AccountsError> {
        let current = ArcSwap::new(Arc::new(assemble(&*store, &keys).await?));
        Ok(Self { store, keys, current, failing: AtomicBool::new(false) })
    }

    /// The present picture. Cheap; not to be held across an await.
    pub fn current(&self) -> Guard<Arc<Accounts>> {
        self.current.load()
    }

    /// The store behind the picture, for changes.
    pub fn store(&self) -> &dyn AccountStore {
        &*self.store
    }

    /// Whether the store could not be read the last time.
    pub fn is_failing(&self) -> bool {
        self.failing.load(Ordering::Relaxed)
    }

    /// Takes over what the store holds now, if it is newer.
    pub async fn refresh(&self) -> Result<(), AccountsError> {
        if self.store.version().await? != self.current().version {
            self.current.store(Arc::new(assemble(&*self.store, &self.keys).await?));
        }
        Ok(())
    }

    /// Refreshes for ever. While the store cannot be read, the last picture stays in force.
    pub async fn keep_fresh(&self) {
        let mut ticks = tokio::time::interval(Duration::from_millis(POLL_INTERVAL_MS));
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            let too_slow = |_| AccountsError::Engine("no answer in time".to_owned());
            let patience = Duration::from_millis(REFRESH_TIMEOUT_MS);
            match timeout(patience, self.refresh()).await.map_err(too_slow).flatten() {
                Ok(()) => self.failing.store(false, Ordering::Relaxed),
                Err(error) if !self.failing.swap(true, Ordering::Relaxed) => {
                    tracing::error!(%error, "accounts cannot be refreshed; the last known ones stay in force");
                }
                Err(_) => {}
            }
        }
    }
}

async fn assemble(store: &dyn AccountStore, keys: &KeyTree) -> Result<Accounts, AccountsError> {
    Ok(Accounts::assemble(keys, store.load().await?))
}
