//! The sandbox worlds of apps.
//!
//! Owns `sandbox.db`, which any number of processes may have open at once. Must never hold anything of a
//! real line, or decide what may happen in a world: laini-core does.

mod load;
mod write;

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use laini_core::partner::AppId;
use laini_core::sandbox::World;
use laini_core::store::{BoxFuture, Changed, WorldChange, WorldStore, WorldsError};
use rusqlite::{Connection, Transaction, TransactionBehavior};

use crate::sql::{self, StoreError};

pub(crate) const MIGRATIONS: &[&str] = &[include_str!("schema.sql")];
/// How long a change waits for another process that holds the file.
const BUSY_TIMEOUT: Duration = Duration::from_secs(1);
/// Worlds that one call forgets at most: each may have 10,000 events.
const PURGED_PER_CALL: usize = 100;

/// The worlds of one data directory.
pub struct SqliteWorlds {
    connection: Arc<Mutex<Connection>>,
}

impl SqliteWorlds {
    /// Opens (and makes) the worlds of `dir`.
    pub fn open(dir: &Path) -> Result<Self, StoreError> {
        let path = dir.join("sandbox.db");
        let connection = sql::open_writer(&path, MIGRATIONS)?;
        connection.busy_timeout(BUSY_TIMEOUT).map_err(sql::failed(&path))?;
        // Made-up lines are not worth an fsync for each change, which the ledger beside it would feel.
        connection.pragma_update(None, "synchronous", "NORMAL").map_err(sql::failed(&path))?;
        Ok(Self { connection: Arc::new(Mutex::new(connection)) })
    }

    /// Works on a thread that may wait: a large world takes some ten milliseconds.
    fn work<T: Send + 'static>(
        &self,
        behavior: TransactionBehavior,
        work: impl FnOnce(&Transaction<'_>) -> Result<T, WorldsError> + Send + 'static,
    ) -> BoxFuture<'_, Result<T, WorldsError>> {
        let connection = Arc::clone(&self.connection);
        Box::pin(async move {
            let working = tokio::task::spawn_blocking(move || {
                let mut connection = connection.lock().unwrap_or_else(PoisonError::into_inner);
                let transaction = connection.transaction_with_behavior(behavior).map_err(engine)?;
                let done = work(&transaction)?;
                transaction.commit().map_err(engine)?;
                Ok(done)
            });
            working.await.map_err(|_| WorldsError::Engine("the work on sandbox.db panicked".to_owned())).flatten()
        })
    }
}

#[expect(clippy::needless_pass_by_value, reason = "the form that map_err takes")]
fn engine(error: rusqlite::Error) -> WorldsError {
    WorldsError::Engine(format!("sandbox.db: {error}"))
}

impl WorldStore for SqliteWorlds {
    fn version(&self) -> BoxFuture<'_, Result<u64, WorldsError>> {
        self.work(TransactionBehavior::Deferred, |transaction| load::version(transaction).map_err(engine))
    }

    fn version_of(&self, app: AppId) -> BoxFuture<'_, Result<Option<u64>, WorldsError>> {
        self.work(TransactionBehavior::Deferred, move |transaction| load::version_of(transaction, app).map_err(engine))
    }

    fn load(&self, app: AppId) -> BoxFuture<'_, Result<Option<World>, WorldsError>> {
        self.work(TransactionBehavior::Deferred, move |transaction| {
            let record = load::record(transaction, app).map_err(engine)?;
            Ok(record.map(World::restore))
        })
    }

    fn change(&self, app: AppId, now: Timestamp, change: WorldChange) -> BoxFuture<'_, Result<Changed, WorldsError>> {
        self.work(TransactionBehavior::Immediate, move |transaction| {
            let record = load::record(transaction, app).map_err(engine)?;
            let mut world = record.map(World::restore).unwrap_or_default();
            change(&mut world)?;
            let edits = world.take_edits();
            let version = write::edits(transaction, app, now, &edits).map_err(engine)?;
            Ok(Changed { version, world })
        })
    }

    fn touch(&self, app: AppId, now: Timestamp) -> BoxFuture<'_, Result<(), WorldsError>> {
        self.work(TransactionBehavior::Immediate, move |transaction| {
            write::touch(transaction, app, now).map_err(engine)
        })
    }

    fn purge(&self, idle_since: Timestamp, limit: usize) -> BoxFuture<'_, Result<usize, WorldsError>> {
        let limit = limit.min(PURGED_PER_CALL);
        self.work(TransactionBehavior::Immediate, move |transaction| {
            write::purge(transaction, idle_since, limit).map_err(engine)
        })
    }
}
