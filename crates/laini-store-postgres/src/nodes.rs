//! The nodes: each says once a second that it is there, and everybody can read who is.
//!
//! Owns the tables `node` and `installation`. Must never decide anything by a node's own clock, or keep
//! a node from serving because it could not say that it is there.

use std::rc::Rc;
use std::sync::{Arc, mpsc};
use std::time::Duration;

use jiff::Timestamp;
use laini_core::store::{BoxFuture, Node, NodeStore, NodesError};
use tokio::sync::oneshot;
use tokio::time::{MissedTickBehavior, interval};

use crate::columns::Columns;
use crate::database::{Database, Link, NOW_MS, Shared, Transaction, params};
use crate::error::{DbError, StoreError};

/// A node says so often that it is there.
const SAID_EVERY: Duration = Duration::from_secs(1);
/// A node that was not heard of for so long is not alive.
pub(crate) const HEARD_WITHIN_MS: i64 = 5_000;
/// Reading or writing the tables may take so long.
const TIMEOUT: Duration = Duration::from_secs(5);

/// The nodes of a database.
pub struct PostgresNodes {
    database: Arc<Database>,
    /// Says that this node is there until it is dropped.
    _presence: Option<oneshot::Sender<()>>,
}

impl PostgresNodes {
    /// For a process that is no node.
    pub fn beside(database: Arc<Database>) -> Self {
        Self { database, _presence: None }
    }

    /// For a node: from now on it says that it is there, until this is dropped.
    pub fn join(database: Arc<Database>, name: &str, release: &str) -> Self {
        let (presence, gone) = oneshot::channel();
        let (name, release) = (name.to_owned(), release.to_owned());
        database.spawn(async move |shared| stay(shared, &name, &release, gone).await);
        Self { database, _presence: Some(presence) }
    }
}

async fn stay(shared: Rc<Shared>, name: &str, release: &str, mut gone: oneshot::Receiver<()>) {
    let mut ticks = interval(SAID_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let (mut sql, mut is_silent) = (arrive(), false);
    loop {
        tokio::select! {
            _ = &mut gone => return,
            _ = ticks.tick() => {}
        }
        let link = Link::within(Rc::clone(&shared), TIMEOUT);
        let said = link
            .transact(async |transaction: &Transaction<'_>| transaction.execute(&sql, params![name, release]).await);
        match said.await {
            Ok(_) => (sql, is_silent) = (say(), false),
            Err(error) if !is_silent => {
                tracing::warn!(%error, "this node cannot say that it is there");
                is_silent = true;
            }
            Err(_) => {}
        }
    }
}

fn arrive() -> String {
    format!(
        "INSERT INTO node (name, release, started_ms, seen_ms) VALUES ($1, $2, {NOW_MS}, {NOW_MS})
         ON CONFLICT (name) DO UPDATE SET release = excluded.release, started_ms = excluded.started_ms,
             seen_ms = excluded.seen_ms"
    )
}

fn say() -> String {
    format!("UPDATE node SET seen_ms = {NOW_MS}, release = $2 WHERE name = $1")
}

impl NodeStore for PostgresNodes {
    fn nodes(&self) -> BoxFuture<'_, Result<Vec<Node>, NodesError>> {
        Box::pin(async {
            let nodes = self.database.run(TIMEOUT, async |link: &Link| nodes(link).await).await;
            nodes.map_err(|error| NodesError(error.to_string()))
        })
    }
}

async fn nodes(link: &Link) -> Result<Vec<Node>, DbError> {
    let sql = format!(
        "SELECT name, release, started_ms, seen_ms, {NOW_MS} - seen_ms < $1 AS is_alive, writer, seq
         FROM node LEFT JOIN writer ON writer.node = node.name ORDER BY name, writer"
    );
    let rows = link.query(&sql, params![HEARD_WITHIN_MS]).await?;
    let read = |row: &tokio_postgres::Row| {
        let columns = Columns(row);
        let instant = |column| {
            let millis = columns.get::<i64>(column)?;
            Timestamp::from_millisecond(millis).map_err(|_| DbError::Damaged(column))
        };
        let writer: Option<i32> = columns.get("writer")?;
        Ok(Node {
            name: columns.get("name")?,
            release: columns.get("release")?,
            started: instant("started_ms")?,
            seen: instant("seen_ms")?,
            is_alive: columns.get("is_alive")?,
            writer: writer.map(i32::cast_unsigned),
            rows: columns.optional_bits("seq", 63)?.unwrap_or(0),
        })
    };
    rows.iter().map(read).collect()
}

impl Database {
    /// Confirms that this node has the keys that the database was written under, or notes which they are
    /// where it is new: nodes with other keys could neither read each other's rows nor verify them.
    pub fn confirm_keys(&self, fingerprint: [u8; 32]) -> Result<(), StoreError> {
        let (sender, confirmed) = mpsc::channel();
        self.spawn(async move |shared| {
            let _ = sender.send(confirm_keys(&Link::within(shared, TIMEOUT), &fingerprint).await);
        });
        match confirmed.recv() {
            Ok(Ok((_, false))) => Err(StoreError::HalfCopied),
            Ok(Ok((true, true))) => Ok(()),
            Ok(Ok((false, true))) => Err(StoreError::OtherKeys),
            Ok(Err(error)) => Err(StoreError::Setup(error.to_string())),
            Err(_) => Err(StoreError::Unreachable("its thread stopped".to_owned())),
        }
    }
}

/// Whether the keys are those of the database, and whether the database is whole.
async fn confirm_keys(link: &Link, own: &[u8]) -> Result<(bool, bool), DbError> {
    link.transact(async |transaction: &Transaction<'_>| {
        let insert = "INSERT INTO installation (one, key_fingerprint, is_whole, copies) VALUES (1, $1, true, 0)
             ON CONFLICT DO NOTHING";
        transaction.execute(insert, params![own]).await?;
        let found = transaction.query_opt("SELECT key_fingerprint, is_whole FROM installation", &[]).await?;
        let found = found.ok_or(DbError::Damaged("key_fingerprint"))?;
        let columns = Columns(&found);
        Ok((columns.get::<&[u8]>("key_fingerprint")? == own, columns.get("is_whole")?))
    })
    .await
}
