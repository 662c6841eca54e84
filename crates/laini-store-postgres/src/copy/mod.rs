//! The database as one side of a copy between engines.
//!
//! Owns the reading and writing of whole tables, and the mark that a copy into the database is under way.
//! Must never write into a database that holds data or that somebody serves from, or let one with half a
//! copy be served from.

mod begin;
mod complete;
mod read;
mod write;

use std::sync::{Arc, mpsc};
use std::time::Duration;

use laini_store::copy::{CopyError, Row, Source, Table, Target};

use crate::database::{Database, Link};
use crate::error::DbError;

/// One page is read or written in so long.
const PAGE_TIMEOUT: Duration = Duration::from_mins(5);
/// What goes over whole tables takes no longer.
const WHOLE_TIMEOUT: Duration = Duration::from_hours(6);

/// A database that nobody serves from.
pub struct PostgresCopy {
    database: Arc<Database>,
    /// The generation whose lines are read or written; `None` where none serves.
    generation: Option<i64>,
    role: Role,
}

/// What is done with it.
#[derive(Clone, Copy)]
enum Role {
    /// Read, since an instant of the database's clock.
    Source { since_ms: i64 },
    /// Written, by the copy that has this fence.
    Target { fence: i64 },
}

impl PostgresCopy {
    /// A database that is read: that of the keys with this fingerprint.
    pub fn source(database: Arc<Database>, keys: [u8; 32]) -> Result<Self, CopyError> {
        let begun = wait(&database, WHOLE_TIMEOUT, async move |link| begin::reading(link, &keys).await)?;
        let (generation, since_ms) = begun;
        Ok(Self { database, generation, role: Role::Source { since_ms } })
    }

    /// A database that is written, from nothing: what a copy that died left there is removed.
    pub fn target(database: Arc<Database>, keys: [u8; 32]) -> Result<Self, CopyError> {
        let begun = wait(&database, WHOLE_TIMEOUT, async move |link| begin::writing(link, &keys).await)?;
        let (generation, fence) = begun;
        Ok(Self { database, generation: Some(generation), role: Role::Target { fence } })
    }

    /// The generation and the fence of what is written; a side that is read has none of its own.
    fn writing(&self) -> Result<(i64, i64), CopyError> {
        match (self.generation, self.role) {
            (Some(generation), Role::Target { fence }) => Ok((generation, fence)),
            _ => Err(CopyError::Overtaken),
        }
    }
}

impl Source for PostgresCopy {
    fn rows(&mut self, table: &'static Table, after: Option<&Row>, limit: usize) -> Result<Vec<Row>, CopyError> {
        let (generation, after) = (self.generation, after.cloned());
        let read = async move |link: &Link| read::rows(link, table, generation, after.as_ref(), limit).await;
        wait(&self.database, PAGE_TIMEOUT, read)
    }

    fn count(&mut self, table: &'static Table) -> Result<u64, CopyError> {
        let generation = self.generation;
        wait(&self.database, WHOLE_TIMEOUT, async move |link: &Link| read::count(link, table, generation).await)
    }

    fn confirm(&mut self) -> Result<(), CopyError> {
        let role = self.role;
        wait(&self.database, PAGE_TIMEOUT, async move |link: &Link| match role {
            Role::Source { since_ms } => begin::nobody_served(link, since_ms).await,
            Role::Target { fence } => {
                link.transact_or(async |transaction| begin::hold(transaction, fence).await).await.map_err(begin::told)
            }
        })
    }
}

impl Target for PostgresCopy {
    fn write(&mut self, table: &'static Table, rows: &[Row]) -> Result<(), CopyError> {
        let (generation, fence) = self.writing()?;
        let piece = write::Piece::of(table, generation, rows)?;
        wait(&self.database, PAGE_TIMEOUT, async move |link: &Link| piece.write(link, fence).await)
    }

    fn complete(&mut self) -> Result<(), CopyError> {
        let (generation, fence) = self.writing()?;
        wait(&self.database, WHOLE_TIMEOUT, async move |link: &Link| complete::complete(link, generation, fence).await)
    }

    fn finish(&mut self) -> Result<(), CopyError> {
        let (_, fence) = self.writing()?;
        wait(&self.database, WHOLE_TIMEOUT, async move |link: &Link| complete::finish(link, fence).await)
    }
}

/// Has work done on the database's thread, and waits for it on this one.
fn wait<T, F>(database: &Database, within: Duration, work: F) -> Result<T, CopyError>
where
    T: Send + 'static,
    F: AsyncFnOnce(&Link) -> Result<T, CopyError> + Send + 'static,
{
    let (sender, done) = mpsc::channel();
    database.spawn(async move |shared| {
        let link = Link::within(shared, within);
        let _ = sender.send(work(&link).await);
    });
    done.recv().unwrap_or_else(|_| Err(CopyError::Engine("the engine has stopped".to_owned())))
}

impl From<DbError> for CopyError {
    fn from(error: DbError) -> Self {
        Self::Engine(error.to_string())
    }
}
