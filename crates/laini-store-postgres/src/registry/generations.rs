use std::time::Duration;

use super::state::State;
use crate::columns::Columns;
use crate::database::{Link, NOW_MS, Transaction, params};
use crate::error::DbError;

/// Dropping a generation waits so long for those who read it, and holds up who comes after for as long.
const DROP_LOCK_MS: u32 = 100;

/// A number that no generation had.
pub(crate) async fn next_number(transaction: &Transaction<'_>) -> Result<i64, DbError> {
    let sql = "UPDATE registry_state SET last_generation = last_generation + 1 RETURNING last_generation";
    let row = transaction.query_opt(sql, &[]).await?.ok_or(DbError::Damaged("registry_state"))?;
    Columns(&row).get("last_generation")
}

/// Makes the table of a generation. Made apart and then attached, it holds up no reader.
pub(crate) async fn create(transaction: &Transaction<'_>, generation: i64) -> Result<(), DbError> {
    let table = table(generation);
    transaction.execute(&format!("CREATE TABLE {table} (LIKE line INCLUDING ALL)"), &[]).await?;
    let attach = format!("ALTER TABLE line ATTACH PARTITION {table} FOR VALUES IN ({generation})");
    transaction.execute(&attach, &[]).await.map(drop)
}

/// The table of a generation's lines.
pub(crate) fn table(generation: i64) -> String {
    format!("line_{generation}")
}

/// The right to load a snapshot: whoever raised the fence last.
#[derive(Debug, Clone, Copy)]
pub(super) struct Lease {
    pub(super) fence: i64,
}

impl Lease {
    /// Takes it; `None` while somebody else has it.
    pub(super) async fn take(link: &Link, lasts: Duration) -> Result<Option<Self>, DbError> {
        let sql = format!(
            "UPDATE registry_load SET fence = fence + 1, until_ms = {NOW_MS} + $1 WHERE until_ms < {NOW_MS} RETURNING fence"
        );
        let lasts = millis(lasts);
        let taken =
            link.transact(async |transaction: &Transaction<'_>| transaction.query_opt(&sql, params![lasts]).await);
        taken.await?.map(|row| Ok(Self { fence: Columns(&row).get("fence")? })).transpose()
    }

    /// Makes it last from now on; without effect where somebody else has it.
    pub(super) async fn renew(self, link: &Link, lasts: Duration) -> Result<(), DbError> {
        let sql = format!("UPDATE registry_load SET until_ms = {NOW_MS} + $1 WHERE fence = $2");
        let lasts = millis(lasts);
        link.transact(async |transaction: &Transaction<'_>| transaction.execute(&sql, params![lasts, self.fence]).await)
            .await
            .map(drop)
    }

    /// Gives it back.
    pub(super) async fn release(self, link: &Link) -> Result<(), DbError> {
        let sql = "UPDATE registry_load SET until_ms = 0 WHERE fence = $1";
        link.transact(async |transaction: &Transaction<'_>| transaction.execute(sql, params![self.fence]).await)
            .await
            .map(drop)
    }

    /// Whether nobody has raised the fence since; nobody does until the transaction ends.
    pub(super) async fn is_held(self, transaction: &Transaction<'_>) -> Result<bool, DbError> {
        let sql = "SELECT fence FROM registry_load WHERE fence = $1 FOR UPDATE";
        Ok(transaction.query_opt(sql, params![self.fence]).await?.is_some())
    }
}

fn millis(time: Duration) -> i64 {
    i64::try_from(time.as_millis()).unwrap_or(i64::MAX)
}

/// Removes every generation that does not serve: what was replaced, and what a killed load left. Does
/// nothing while somebody loads, unless that is who asks.
pub(super) async fn remove_others(link: &Link, mine: Option<Lease>) -> Result<(), DbError> {
    let sql = "SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
        WHERE i.inhparent = 'line'::regclass";
    let tables = link.query(sql, &[]).await?;
    for row in tables {
        let name: &str = Columns(&row).get("relname")?;
        let Some(generation) = name.strip_prefix("line_").and_then(|number| number.parse().ok()) else { continue };
        link.transact(async |transaction: &Transaction<'_>| remove(transaction, generation, mine).await).await?;
    }
    Ok(())
}

/// Removes one, unless it serves, or somebody else loads.
pub(super) async fn remove(transaction: &Transaction<'_>, generation: i64, mine: Option<Lease>) -> Result<(), DbError> {
    let wait = format!("SET LOCAL lock_timeout = {DROP_LOCK_MS}");
    transaction.execute(&wait, &[]).await?;
    let state = State::lock(transaction).await?;
    let is_mine = if let Some(lease) = mine {
        lease.is_held(transaction).await?
    } else {
        let sql = format!("SELECT fence FROM registry_load WHERE until_ms < {NOW_MS} FOR UPDATE");
        transaction.query_opt(&sql, &[]).await?.is_some()
    };
    if !is_mine || state.generation == Some(generation) {
        return Ok(());
    }
    for table in ["line_base", "unapplied"] {
        transaction.execute(&format!("DELETE FROM {table} WHERE generation = $1"), params![generation]).await?;
    }
    // Last, for it holds up readers.
    transaction.execute(&format!("DROP TABLE IF EXISTS {}", table(generation)), &[]).await.map(drop)
}
