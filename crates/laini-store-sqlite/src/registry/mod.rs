//! The registry: current rows of the serving snapshot generation, and the history of events.
//!
//! Owns `registry-<generation>.db` (current rows, replaced whole by each snapshot),
//! `registry-events.db` (append-only events, heartbeats, refused rows), `registry-current` (the number
//! of the serving generation) and the lock files of their writers. Must never let an unsealed IMSI
//! touch a disk, temporary files included, and never decide what an event does: laini-core derives.
//!
//! A batch of events is first made durable in the history and then applied to the generation, which
//! remembers how far it came; a kill in between is healed by the next writer.

mod apply;
mod failure;
mod feed;
mod files;
mod generation;
mod history;
mod load;
mod refused;
mod serving;
mod write;

use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use jiff::Timestamp;
use laini_core::line::{Event, EventText, LineState, Msisdn, RegistrySeal};
use laini_core::store::{
    BoxFuture, FeedError, FeedItem, FeedResult, KeptLine, Lookup, RecordedPage, RecordedQuery, Registry, RegistryError,
    RegistryFeed, RegistryStatus, RejectCursor, RejectId, RejectPage, SnapshotLoad, SnapshotPlan,
};

use self::failure::Failure;
use self::feed::Writer;
pub(crate) use self::files::Files;
pub(crate) use self::generation::MIGRATIONS as GENERATION_MIGRATIONS;
pub(crate) use self::history::MIGRATIONS as HISTORY_MIGRATIONS;
use self::serving::{Refresher, Serving, View};
use crate::sql::{StoreError, file_failed};

/// Rows that a snapshot load sorts in memory before it spills them: about 80 bytes each.
const SORT_CHUNK_ROWS: usize = 2_000_000;

/// How a registry is kept.
#[derive(Debug, Clone)]
pub struct RegistrySettings {
    /// The data directory.
    pub dir: PathBuf,
    /// The feeds that must be complete for the registry to be (contract §1, "as-of").
    pub required_feeds: Vec<EventText>,
    /// Rows that a snapshot load holds in memory (about 80 bytes each); at least 1.
    pub sort_chunk_rows: usize,
}

impl RegistrySettings {
    /// The defaults for `dir`: only the default feed is required.
    pub fn new(dir: impl Into<PathBuf>) -> Self {
        Self { dir: dir.into(), required_feeds: vec![EventText::default_source()], sort_chunk_rows: SORT_CHUNK_ROWS }
    }
}

/// A registry in SQLite files. Cheap to open; several processes may hold one directory.
///
/// Look-ups are short reads on the caller's thread. Everything of the feed blocks the caller's thread
/// for as long as it takes: call it from a command, or from a thread that may block.
pub struct SqliteRegistry {
    files: Files,
    seal: RegistrySeal,
    sort_chunk_rows: usize,
    serving: Arc<Serving>,
    writer: Arc<Mutex<Option<Writer>>>,
    _refresher: Refresher,
}

impl SqliteRegistry {
    /// Opens the registry of a directory, also where nothing was loaded yet.
    pub fn open(settings: RegistrySettings, seal: RegistrySeal) -> Result<Self, StoreError> {
        let files = Files::new(settings.dir);
        let serving = Arc::new(Serving::open(files.clone(), settings.required_feeds, seal.clone())?);
        let refresher = Refresher::start(Arc::clone(&serving)).map_err(file_failed(&files.events()))?;
        Ok(Self {
            files,
            seal,
            sort_chunk_rows: settings.sort_chunk_rows.max(1),
            serving,
            writer: Arc::new(Mutex::new(None)),
            _refresher: refresher,
        })
    }

    fn look_up_now(&self, msisdn: Msisdn) -> Result<Lookup, RegistryError> {
        match self.look_up_in(&self.serving.view(), msisdn) {
            // A generation that was replaced a moment ago may be gone already; its successor is not.
            Err(RegistryError::Bad(_) | RegistryError::Unavailable(_)) => {
                self.serving.refresh()?;
                self.look_up_in(&self.serving.view(), msisdn)
            }
            found => found,
        }
    }

    fn look_up_in(&self, view: &View, msisdn: Msisdn) -> Result<Lookup, RegistryError> {
        let generation = view.generation.as_ref().ok_or(RegistryError::Empty)?;
        let state = generation.read(|connection| generation::look_up(connection, msisdn, &self.seal))?;
        Ok(Lookup { state, horizon: view.horizon })
    }

    fn scan_now(&self, after: Option<Msisdn>, limit: usize) -> Result<Vec<(Msisdn, LineState)>, Failure> {
        self.serving.refresh()?;
        let Some(generation) = self.serving.view().generation.clone() else { return Ok(Vec::new()) };
        generation.read(|connection| generation::scan(connection, after, limit, &self.seal))
    }
}

impl Registry for SqliteRegistry {
    fn look_up(&self, msisdn: Msisdn) -> BoxFuture<'_, Result<Lookup, RegistryError>> {
        Box::pin(async move { self.look_up_now(msisdn) })
    }
}

impl RegistryFeed for SqliteRegistry {
    fn begin_snapshot(&self, plan: SnapshotPlan) -> BoxFuture<'_, Result<Box<dyn SnapshotLoad>, FeedError>> {
        Box::pin(async move { Ok(Box::new(self.begin_load(plan)?) as Box<dyn SnapshotLoad>) })
    }

    fn record(&self, items: Vec<FeedItem>, now: Timestamp) -> BoxFuture<'_, Result<Vec<FeedResult>, FeedError>> {
        Box::pin(async move { Ok(self.record_now(items, now)?) })
    }

    fn require(&self, feeds: Vec<EventText>) {
        self.serving.require(feeds);
    }

    fn status(&self) -> BoxFuture<'_, Result<RegistryStatus, FeedError>> {
        Box::pin(async move { Ok(self.status_now()?) })
    }

    fn scan(&self, after: Option<Msisdn>, limit: usize) -> BoxFuture<'_, Result<Vec<(Msisdn, LineState)>, FeedError>> {
        Box::pin(async move { Ok(self.scan_now(after, limit)?) })
    }

    fn history(&self, msisdn: Msisdn) -> BoxFuture<'_, Result<Vec<Event>, FeedError>> {
        Box::pin(async move { Ok(self.history_now(msisdn)?) })
    }

    fn recorded(&self, query: RecordedQuery) -> BoxFuture<'_, Result<RecordedPage, FeedError>> {
        Box::pin(async move { Ok(self.recorded_now(&query)?) })
    }

    fn rejects(&self, cursor: RejectCursor, limit: usize) -> BoxFuture<'_, Result<RejectPage, FeedError>> {
        Box::pin(async move { Ok(self.rejects_now(cursor, limit)?) })
    }

    fn kept_lines(&self, after: Option<RejectId>, limit: usize) -> BoxFuture<'_, Result<Vec<KeptLine>, FeedError>> {
        Box::pin(async move { Ok(self.kept_lines_now(after, limit)?) })
    }

    fn settle(
        &self,
        kept: RejectId,
        item: FeedItem,
        now: Timestamp,
    ) -> BoxFuture<'_, Result<Option<FeedResult>, FeedError>> {
        Box::pin(async move { Ok(self.settle_now(kept, item, now)?) })
    }
}
