use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use arc_swap::{ArcSwap, Guard};
use laini_core::access::KeyTree;
use laini_core::partner::Accounts;
use laini_core::privacy::Restrictions;
use laini_core::store::{AccountStore, AccountsError};
use tokio::time::{Instant, timeout};

/// How often the store is asked whether accounts changed; a revocation holds after that.
const POLL_INTERVAL_MS: u64 = 250;
/// How long one refresh may take before the store counts as unreachable.
const REFRESH_TIMEOUT_MS: u64 = 2_000;
/// Restrictions that are read at once.
const RESTRICTIONS_PER_PAGE: usize = 50_000;

/// The accounts that requests are decided on: an immutable picture, replaced whole when the store
/// has a newer version.
pub struct AccountsPicture {
    store: Arc<dyn AccountStore>,
    keys: Arc<KeyTree>,
    current: ArcSwap<Accounts>,
    /// One refresh at a time: an older picture must not replace a newer one.
    refreshing: tokio::sync::Mutex<()>,
    restrictions: ArcSwap<Restrictions>,
    failing: AtomicBool,
    /// When the store was last asked and answered.
    read_at: Mutex<Instant>,
    age_max: Duration,
    outdated: AtomicBool,
}

impl AccountsPicture {
    /// The picture of what `store` holds now. Without news for `age_ms_max` it is outdated.
    pub async fn load(
        store: Arc<dyn AccountStore>,
        keys: Arc<KeyTree>,
        age_ms_max: u64,
    ) -> Result<Self, AccountsError> {
        let read_at = Mutex::new(Instant::now());
        let current = ArcSwap::new(Arc::new(assemble(&*store, &keys).await?));
        let (failing, outdated) = (AtomicBool::new(false), AtomicBool::new(false));
        let (restrictions, age_max) = (ArcSwap::default(), Duration::from_millis(age_ms_max));
        let picture = Self {
            store,
            keys,
            current,
            refreshing: tokio::sync::Mutex::default(),
            restrictions,
            failing,
            read_at,
            age_max,
            outdated,
        };
        picture.learn_restrictions().await?;
        Ok(picture)
    }

    /// The restricted numbers. Cheap; not to be held across an await.
    pub fn restrictions(&self) -> Guard<Arc<Restrictions>> {
        self.restrictions.load()
    }

    /// Takes over what changed since it was last asked, page by page: each is in force at once, so that what is too much
    /// for one refresh goes on with the next.
    async fn learn_restrictions(&self) -> Result<(), AccountsError> {
        loop {
            let known = self.restrictions.load_full();
            let news = self.store.restrictions(known.seen(), RESTRICTIONS_PER_PAGE).await?;
            let is_last = news.len() < RESTRICTIONS_PER_PAGE;
            if !news.is_empty() {
                self.restrictions.store(Arc::new(known.with(news)));
            }
            if is_last {
                return Ok(());
            }
        }
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

    /// Whether the store could not be read for so long that a revocation may have been missed.
    pub fn is_outdated(&self) -> bool {
        self.outdated.load(Ordering::Relaxed)
    }

    /// How old the picture may be.
    pub fn age(&self) -> Duration {
        self.read_at.lock().unwrap_or_else(PoisonError::into_inner).elapsed()
    }

    /// Takes over what the store holds now, if it is newer.
    pub async fn refresh(&self) -> Result<(), AccountsError> {
        let _turn = self.refreshing.lock().await;
        if self.store.version().await? != self.current().version {
            // First: with the version they would count as known.
            self.learn_restrictions().await?;
            self.current.store(Arc::new(assemble(&*self.store, &self.keys).await?));
        }
        Ok(())
    }

    /// Refreshes for ever. While the store cannot be read, the last picture stays in force, until it is
    /// outdated.
    pub async fn keep_fresh(&self) {
        let mut ticks = tokio::time::interval(Duration::from_millis(POLL_INTERVAL_MS));
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            // Between two tries, too, the picture gets outdated when it does, not later.
            if !self.is_outdated() && timeout(self.left(), ticks.tick()).await.is_err() {
                self.judge_age();
            }
            if self.is_outdated() {
                ticks.tick().await;
            }
            let began = Instant::now();
            let too_slow = |_| AccountsError::Engine("no answer in time".to_owned());
            match timeout(self.patience(), self.refresh()).await.map_err(too_slow).flatten() {
                Ok(()) => self.was_read(began),
                Err(error) => self.was_not_read(&error),
            }
        }
    }

    /// How long a refresh may take: a store that hangs is judged when the picture gets outdated.
    fn patience(&self) -> Duration {
        let patience = Duration::from_millis(REFRESH_TIMEOUT_MS);
        if self.is_outdated() { patience } else { patience.min(self.left()) }
    }

    /// How long until the picture gets outdated.
    fn left(&self) -> Duration {
        self.age_max.saturating_sub(self.age())
    }

    fn was_read(&self, began: Instant) {
        *self.read_at.lock().unwrap_or_else(PoisonError::into_inner) = began;
        self.failing.store(false, Ordering::Relaxed);
        if self.outdated.swap(false, Ordering::Relaxed) {
            tracing::info!("accounts can be read again; production checks are answered");
        }
    }

    fn was_not_read(&self, error: &AccountsError) {
        if !self.failing.swap(true, Ordering::Relaxed) {
            tracing::error!(%error, "accounts cannot be refreshed; the last known ones stay in force");
        }
        self.judge_age();
    }

    fn judge_age(&self) {
        if self.left().is_zero() && !self.outdated.swap(true, Ordering::Relaxed) {
            tracing::error!("accounts are outdated; production checks are refused until they can be read");
        }
    }
}

async fn assemble(store: &dyn AccountStore, keys: &KeyTree) -> Result<Accounts, AccountsError> {
    Ok(Accounts::assemble(keys, store.load().await?))
}
