//! Setting up the tables: one node at a time, statement by statement, each with the note that it is done.

use std::rc::Rc;
use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::NOW_MS;
use super::link::{Link, Shared, Transaction};
use super::params::params;
use crate::error::{DbError, StoreError};
use crate::schema::{self, Migration};

/// A pause between two looks at whether another node has finished.
const LOOK_AGAIN: Duration = Duration::from_millis(20);
/// Setting up one statement may take so long: an index over a large table.
const STATEMENT_TIMEOUT: Duration = Duration::from_mins(10);

const BOOTSTRAP: [&str; 2] = [
    "CREATE TABLE IF NOT EXISTS laini_schema (
         one int PRIMARY KEY CHECK (one = 1), version bigint NOT NULL, step bigint NOT NULL,
         compatible_from bigint NOT NULL, fence bigint NOT NULL, lease_until_ms bigint NOT NULL)",
    "INSERT INTO laini_schema VALUES (1, 0, 0, 0, 0, 0) ON CONFLICT DO NOTHING",
];

/// How far the tables are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Progress {
    /// Migrations that are done.
    version: usize,
    /// Statements of the next one that are done.
    step: usize,
    /// The oldest release's schema that works with these tables.
    compatible_from: usize,
}

/// Brings the tables to this release's schema, or waits until another node has.
pub(super) async fn set_up(shared: &Rc<Shared>, lease: Duration, until: Instant) -> Result<(), StoreError> {
    set_up_to(shared, schema::MIGRATIONS, lease, until).await
}

async fn set_up_to(
    shared: &Rc<Shared>,
    migrations: &[Migration],
    lease: Duration,
    until: Instant,
) -> Result<(), StoreError> {
    loop {
        match look(shared, migrations, lease, until).await {
            Ok(Look::Done) => return Ok(()),
            Ok(Look::Newer { found }) => return Err(StoreError::Newer { found, known: migrations.len() }),
            Ok(Look::Again) if Instant::now() < until => {}
            Ok(Look::Again) => return Err(StoreError::Setup("another node sets them up still".to_owned())),
            // Eight nodes that make the same table at once: one is first, the others find it there.
            Err(error) if Instant::now() < until && (error.is_passing() || is_already_there(&error)) => {}
            Err(error @ (DbError::Refused { .. } | DbError::Damaged(_))) => {
                return Err(StoreError::Setup(error.to_string()));
            }
            Err(error) if Instant::now() >= until => return Err(StoreError::Unreachable(error.to_string())),
            Err(DbError::Unavailable(reason)) if is_hopeless(&reason) => return Err(StoreError::Unreachable(reason)),
            Err(error) => tracing::info!(%error, "the database cannot be reached yet"),
        }
        sleep(LOOK_AGAIN).await;
    }
}

/// What repeating does not mend: the address, the name or the password is wrong.
fn is_hopeless(reason: &str) -> bool {
    ["authentication failed", "does not exist", "certificate", "no pg_hba.conf entry"]
        .iter()
        .any(|part| reason.contains(part))
}

fn is_already_there(error: &DbError) -> bool {
    const ALREADY_THERE: [&str; 3] = ["42P07", "42710", "23505"];
    matches!(error, DbError::Refused { state, .. } if ALREADY_THERE.contains(&state.code()))
}

enum Look {
    Done,
    Newer { found: usize },
    Again,
}

async fn look(shared: &Rc<Shared>, migrations: &[Migration], lease: Duration, until: Instant) -> Result<Look, DbError> {
    let link = Link::new(Rc::clone(shared), until.max(Instant::now() + STATEMENT_TIMEOUT));
    let found = match read(&link).await {
        Err(DbError::Refused { state, .. }) if state.code() == "42P01" => None,
        found => found?,
    };
    let Some(mut progress) = found else {
        bootstrap(&link).await?;
        return Ok(Look::Again);
    };
    if progress.version > migrations.len() {
        let is_compatible = progress.compatible_from <= migrations.len();
        return Ok(if is_compatible { Look::Done } else { Look::Newer { found: progress.version } });
    }
    if progress.version == migrations.len() {
        return Ok(Look::Done);
    }
    let Some(fence) = take_lease(&link, migrations.len(), lease).await? else { return Ok(Look::Again) };
    while let Some(migration) = migrations.get(progress.version) {
        match apply(&link, migration, progress, (fence, lease, migrations.len())).await? {
            Some(next) => progress = next,
            None => return Ok(Look::Again),
        }
    }
    Ok(Look::Done)
}

async fn bootstrap(link: &Link) -> Result<(), DbError> {
    for statement in BOOTSTRAP {
        link.transact(async |transaction: &Transaction<'_>| transaction.execute(statement, &[]).await).await?;
    }
    Ok(())
}

/// `None` = another node has made the table and not yet its row.
async fn read(link: &Link) -> Result<Option<Progress>, DbError> {
    let sql = "SELECT version, step, compatible_from FROM laini_schema";
    let Some(row) = link.query_opt(sql, &[]).await? else { return Ok(None) };
    let number = |column: usize| usize::try_from(row.get::<_, i64>(column)).unwrap_or(usize::MAX);
    Ok(Some(Progress { version: number(0), step: number(1), compatible_from: number(2) }))
}

/// The fence of this node's turn; `None` while it is another's, or where there is nothing left to do.
async fn take_lease(link: &Link, known: usize, lease: Duration) -> Result<Option<i64>, DbError> {
    let sql = format!(
        "UPDATE laini_schema SET fence = fence + 1, lease_until_ms = {NOW_MS} + $1
         WHERE lease_until_ms < {NOW_MS} AND version < $2 RETURNING fence"
    );
    let (lease, known) = (millis(lease), signed(known));
    let taken =
        link.transact(async |transaction: &Transaction<'_>| transaction.query_opt(&sql, params![lease, known]).await);
    Ok(taken.await?.map(|row| row.get(0)))
}

/// Runs the next statement and notes it, both or neither; `None` = the turn is another node's now. The turn ends with the last
/// of the `known` migrations, so no other node steps in between two of them.
async fn apply(
    link: &Link,
    migration: &Migration,
    progress: Progress,
    (fence, lease, known): (i64, Duration, usize),
) -> Result<Option<Progress>, DbError> {
    let statements = migration.statements();
    let statement = statements.get(progress.step).ok_or(DbError::Damaged("laini_schema.step"))?;
    let is_last = progress.step + 1 == statements.len();
    let next = if is_last {
        Progress { version: progress.version + 1, step: 0, compatible_from: migration.compatible_from }
    } else {
        Progress { step: progress.step + 1, ..progress }
    };
    let is_done = next.version == known;
    // The note comes first: its row lock keeps a node that lost its turn from doing anything.
    let note = format!(
        "UPDATE laini_schema SET version = $1, step = $2, compatible_from = $3,
             lease_until_ms = CASE WHEN $4 THEN 0 ELSE {NOW_MS} + $5 END
         WHERE fence = $6 AND version = $7 AND step = $8"
    );
    let [version, step, compatible, from_version, from_step] =
        [next.version, next.step, next.compatible_from, progress.version, progress.step].map(signed);
    let lease = millis(lease);
    let noted = link.transact(async |transaction: &Transaction<'_>| {
        let row = params![version, step, compatible, is_done, lease, fence, from_version, from_step];
        if transaction.execute(&note, row).await? == 0 {
            return Ok(false);
        }
        transaction.execute(statement, &[]).await?;
        Ok(true)
    });
    Ok(noted.await?.then_some(next))
}

fn signed(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

fn millis(time: Duration) -> i64 {
    i64::try_from(time.as_millis()).unwrap_or(i64::MAX)
}
