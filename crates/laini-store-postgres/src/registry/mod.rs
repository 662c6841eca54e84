//! The registry: current rows of the serving generation, and the history of events, for all nodes.
//!
//! Owns the tables of lines, events and refused rows, and the row that says which generation serves.
//! Must never answer from a generation that does not serve any more, hold a transaction open for the
//! length of a load, let an unsealed IMSI reach a disk or the network, or decide what an event does:
//! laini-core derives.
//!
//! All look-ups of a node that wait go as one statement, which also says of which state its answer is.
//! Every writer of the feed locks the row `registry_state`; a batch is one transaction on it, events and
//! lines together. A snapshot is copied into a table of its own under a lease with a fence; the switch is
//! one short transaction, and whoever lost the lease cannot make it.

mod catch_up;
mod copy;
mod feed;
mod gather;
pub(crate) mod generations;
mod known;
mod load;
mod look_up;
mod picture;
mod read;
mod rows;
mod state;
mod write;

use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use jiff::Timestamp;
use laini_core::disclosure::Horizon;
use laini_core::line::{Event, EventText, LineState, Msisdn, RegistrySeal};
use laini_core::store::{
    BoxFuture, FeedError, FeedItem, FeedResult, KeptLine, Lookup, RecordedPage, RecordedQuery, Registry, RegistryError,
    RegistryFeed, RegistryStatus, RejectCursor, RejectId, RejectPage, SnapshotLoad, SnapshotPlan,
};

use self::look_up::LookUps;
use crate::database::{Database, Link, Transaction};
use crate::error::DbError;

/// A batch of events may take so long, those before it included.
const RECORD_TIMEOUT: Duration = Duration::from_mins(1);
/// A read for people may take so long.
const READ_TIMEOUT: Duration = Duration::from_secs(10);

/// How a registry is kept.
#[derive(Debug, Clone)]
pub struct RegistrySettings {
    /// Where a snapshot load sorts what does not fit into memory, sealed.
    pub spill_dir: PathBuf,
    /// The feeds that must be complete for the registry to be (contract §1, "as-of").
    pub required_feeds: Vec<EventText>,
    /// Rows that a snapshot load holds in memory (about 80 bytes each); at least 1.
    pub sort_chunk_rows: usize,
    /// How many look-ups may wait; beyond it one is refused at once.
    pub look_ups_waiting_limit: usize,
    /// How long a look-up may take: longer than a lock is waited for, shorter than callers wait.
    pub look_up_timeout: Duration,
    /// So long callers wait while the one before had no answer: they are refused early until the database is
    /// back.
    pub look_up_timeout_in_trouble: Duration,
    /// For so long a loader that gives no sign of life keeps others from loading.
    pub load_lease: Duration,
    /// For so long a replaced generation is kept.
    pub keep_replaced: Duration,
}

impl RegistrySettings {
    /// The defaults: only the default feed is required.
    pub fn new(spill_dir: impl Into<PathBuf>) -> Self {
        Self {
            spill_dir: spill_dir.into(),
            required_feeds: vec![EventText::default_source()],
            sort_chunk_rows: 2_000_000,
            look_ups_waiting_limit: 8_192,
            look_up_timeout: Duration::from_millis(2_300),
            look_up_timeout_in_trouble: Duration::from_millis(200),
            load_lease: Duration::from_secs(30),
            keep_replaced: Duration::from_mins(1),
        }
    }
}

/// The registry as one node has it.
pub struct PostgresRegistry {
    database: Arc<Database>,
    seal: RegistrySeal,
    settings: RegistrySettings,
    required_feeds: RwLock<Arc<[EventText]>>,
    look_ups: LookUps,
}

impl PostgresRegistry {
    /// The registry of a database, also where nothing was loaded yet.
    pub fn open(database: Arc<Database>, settings: RegistrySettings, seal: RegistrySeal) -> Self {
        let look_ups = LookUps::start(&database, &settings);
        let required_feeds = RwLock::new(settings.required_feeds.clone().into());
        Self { database, seal, settings, required_feeds, look_ups }
    }

    /// How many statements look-ups have taken so far: far fewer than look-ups, under load.
    pub fn look_up_statements(&self) -> u64 {
        self.look_ups.statements()
    }

    fn required_feeds(&self) -> Arc<[EventText]> {
        Arc::clone(&self.required_feeds.read().unwrap_or_else(PoisonError::into_inner))
    }

    async fn look_up_now(&self, msisdn: Msisdn) -> Result<Lookup, RegistryError> {
        let found = self.look_ups.ask(msisdn).await?;
        let horizon =
            Horizon { as_of: found.view.as_of(&self.required_feeds()), history_since: found.view.state.history_since };
        let state = match found.row {
            Some(row) => row.open(msisdn, &self.seal).map_err(|broken| RegistryError::Bad(broken.to_string()))?,
            None => LineState::default(),
        };
        Ok(Lookup { state, horizon })
    }

    async fn read<T: Send + 'static>(
        &self,
        read: impl AsyncFnOnce(&Link, &RegistrySeal) -> Result<T, DbError> + Send + 'static,
    ) -> Result<T, FeedError> {
        let seal = self.seal.clone();
        Ok(self.database.run(READ_TIMEOUT, async move |link: &Link| read(link, &seal).await).await?)
    }
}

impl Registry for PostgresRegistry {
    fn look_up(&self, msisdn: Msisdn) -> BoxFuture<'_, Result<Lookup, RegistryError>> {
        Box::pin(self.look_up_now(msisdn))
    }
}

impl RegistryFeed for PostgresRegistry {
    fn begin_snapshot(&self, plan: SnapshotPlan) -> BoxFuture<'_, Result<Box<dyn SnapshotLoad>, FeedError>> {
        Box::pin(async move { Ok(Box::new(self.begin_load(plan).await?) as Box<dyn SnapshotLoad>) })
    }

    fn record(&self, items: Vec<FeedItem>, now: Timestamp) -> BoxFuture<'_, Result<Vec<FeedResult>, FeedError>> {
        let seal = self.seal.clone();
        let record = async move |link: &Link| {
            link.transact(async |transaction: &Transaction<'_>| feed::record(transaction, &seal, &items, now).await)
                .await
        };
        Box::pin(async move { Ok(self.database.run(RECORD_TIMEOUT, record).await?) })
    }

    fn require(&self, feeds: Vec<EventText>) {
        *self.required_feeds.write().unwrap_or_else(PoisonError::into_inner) = feeds.into();
    }

    fn status(&self) -> BoxFuture<'_, Result<RegistryStatus, FeedError>> {
        let required = self.required_feeds().to_vec();
        Box::pin(self.read(async move |link: &Link, _: &RegistrySeal| read::status(link, required).await))
    }

    fn scan(&self, after: Option<Msisdn>, limit: usize) -> BoxFuture<'_, Result<Vec<(Msisdn, LineState)>, FeedError>> {
        Box::pin(self.read(async move |link: &Link, seal: &RegistrySeal| read::scan(link, after, limit, seal).await))
    }

    fn history(&self, msisdn: Msisdn) -> BoxFuture<'_, Result<Vec<Event>, FeedError>> {
        Box::pin(self.read(async move |link: &Link, seal: &RegistrySeal| read::history(link, msisdn, seal).await))
    }

    fn recorded(&self, query: RecordedQuery) -> BoxFuture<'_, Result<RecordedPage, FeedError>> {
        Box::pin(self.read(async move |link: &Link, seal: &RegistrySeal| read::recorded(link, &query, seal).await))
    }

    fn rejects(&self, cursor: RejectCursor, limit: usize) -> BoxFuture<'_, Result<RejectPage, FeedError>> {
        Box::pin(
            self.read(async move |link: &Link, seal: &RegistrySeal| read::rejects(link, cursor, limit, seal).await),
        )
    }

    fn kept_lines(&self, after: Option<RejectId>, limit: usize) -> BoxFuture<'_, Result<Vec<KeptLine>, FeedError>> {
        Box::pin(
            self.read(async move |link: &Link, seal: &RegistrySeal| read::kept_lines(link, after, limit, seal).await),
        )
    }

    fn settle(
        &self,
        kept: RejectId,
        item: FeedItem,
        now: Timestamp,
    ) -> BoxFuture<'_, Result<Option<FeedResult>, FeedError>> {
        let (seal, kept) = (self.seal.clone(), read::stored(kept.0));
        let settle = async move |link: &Link| {
            link.transact(async |transaction: &Transaction<'_>| {
                feed::settle(transaction, &seal, kept, &item, now).await
            })
            .await
        };
        Box::pin(async move { Ok(self.database.run(RECORD_TIMEOUT, settle).await?) })
    }
}
