//! The sandbox worlds of apps.
//!
//! Owns their tables. Must never hold anything of a real line, or decide what may happen in a world:
//! laini-core does.

mod load;
mod write;

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use laini_core::partner::AppId;
use laini_core::sandbox::{World, WorldEdit, WorldRefusal};
use laini_core::store::{BoxFuture, Changed, WorldChange, WorldStore, WorldsError};
use tokio::task::spawn_blocking;

use crate::columns::Columns;
use crate::database::{Database, Link, Stop, Transaction, params};
use crate::error::DbError;

/// Reading or changing a world may take so long.
const TIMEOUT: Duration = Duration::from_secs(4);
/// Worlds that one call forgets at most: each may have 10,000 events.
const PURGED_PER_CALL: usize = 100;

/// The worlds of a database.
pub struct PostgresWorlds {
    database: Arc<Database>,
}

impl PostgresWorlds {
    /// The worlds that lie there.
    pub fn open(database: Arc<Database>) -> Self {
        Self { database }
    }

    async fn read<T: Send + 'static>(
        &self,
        read: impl AsyncFnOnce(&Link) -> Result<T, DbError> + Send + 'static,
    ) -> Result<T, WorldsError> {
        self.database.run(TIMEOUT, read).await.map_err(engine)
    }

    async fn write<T: Send + 'static>(
        &self,
        change: impl AsyncFnMut(&Transaction<'_>) -> Result<T, Stop<WorldsError>> + Send + 'static,
    ) -> Result<T, WorldsError> {
        let changed = self.database.run(TIMEOUT, async move |link: &Link| match link.transact_or(change).await {
            Ok(changed) => Ok(Ok(changed)),
            Err(Stop::Rule(refused)) => Ok(Err(refused)),
            Err(Stop::Database(error)) => Err(error),
        });
        changed.await.map_err(engine)?
    }
}

#[expect(clippy::needless_pass_by_value, reason = "the form that map_err takes")]
fn engine(error: DbError) -> WorldsError {
    WorldsError::Engine(error.to_string())
}

impl WorldStore for PostgresWorlds {
    fn version(&self) -> BoxFuture<'_, Result<u64, WorldsError>> {
        Box::pin(self.read(async |link: &Link| {
            let row = link.query_opt("SELECT version FROM world_meta", &[]).await?;
            Columns(&row.ok_or(DbError::Damaged("world_meta"))?).bits("version", 63)
        }))
    }

    fn version_of(&self, app: AppId) -> BoxFuture<'_, Result<Option<u64>, WorldsError>> {
        Box::pin(self.read(async move |link: &Link| {
            let row = link.query_opt("SELECT version FROM world WHERE app = $1", params![load::key(app)]).await?;
            row.map(|row| Columns(&row).bits("version", 63)).transpose()
        }))
    }

    fn load(&self, app: AppId) -> BoxFuture<'_, Result<Option<World>, WorldsError>> {
        Box::pin(self.read(async move |link: &Link| {
            let load = async |transaction: &Transaction<'_>| load::record(transaction, app).await;
            Ok(link.read_together(load).await?.map(World::restore))
        }))
    }

    fn change(&self, app: AppId, now: Timestamp, change: WorldChange) -> BoxFuture<'_, Result<Changed, WorldsError>> {
        let change = Arc::new(change);
        Box::pin(self.write(async move |transaction: &Transaction<'_>| {
            // Its lock lets changes through one by one, that of a world which is not there yet too.
            transaction.query("SELECT 1 FROM world_meta FOR UPDATE", &[]).await?;
            let record = load::record(transaction, app).await?;
            // A large world takes some ten milliseconds, and every other transaction of this process runs on this thread.
            let change = Arc::clone(&change);
            let changing = spawn_blocking(move || {
                let mut world = record.map(World::restore).unwrap_or_default();
                change(&mut world)?;
                let edits = world.take_edits();
                Ok((world, edits))
            });
            let panicked = |_| Stop::Rule(WorldsError::Engine("the change of a world panicked".to_owned()));
            let changed: Result<(World, Vec<WorldEdit>), WorldRefusal> = changing.await.map_err(panicked)?;
            let (world, edits) = changed.map_err(|refused| Stop::Rule(refused.into()))?;
            let version = write::edits(transaction, app, now, &edits).await?;
            Ok(Changed { version, world })
        }))
    }

    fn touch(&self, app: AppId, now: Timestamp) -> BoxFuture<'_, Result<(), WorldsError>> {
        Box::pin(self.write(async move |transaction: &Transaction<'_>| {
            let sql = "UPDATE world SET used = greatest(used, $2) WHERE app = $1";
            transaction.execute(sql, params![load::key(app), now.as_microsecond()]).await?;
            Ok(())
        }))
    }

    fn purge(&self, idle_since: Timestamp, limit: usize) -> BoxFuture<'_, Result<usize, WorldsError>> {
        let limit = i64::try_from(limit.min(PURGED_PER_CALL)).unwrap_or(i64::MAX);
        Box::pin(self.write(async move |transaction: &Transaction<'_>| {
            transaction.query("SELECT 1 FROM world_meta FOR UPDATE", &[]).await?;
            // Asked again of the row itself: another node may touch it at this moment.
            let sql = "DELETE FROM world WHERE used < $1 AND app IN (
                           SELECT app FROM world WHERE used < $1 ORDER BY used LIMIT $2)";
            let purged = transaction.execute(sql, params![idle_since.as_microsecond(), limit]).await?;
            if purged > 0 {
                transaction.execute("UPDATE world_meta SET version = version + 1", &[]).await?;
            }
            Ok(usize::try_from(purged).unwrap_or(usize::MAX))
        }))
    }
}
