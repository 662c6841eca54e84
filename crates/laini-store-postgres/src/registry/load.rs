use std::fs;
use std::io;
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::mpsc as blocking;
use std::thread;
use std::time::Duration;

use jiff::Timestamp;
use laini_core::line::{RegistrySeal, SnapshotRow};
use laini_core::store::{BoxFuture, FeedError, RefusedLine, SnapshotLoad, SnapshotPlan, SnapshotSummary};
use laini_store::registry::columns::{count, second};
use laini_store::registry::{Broken, Merged, Packed, Settling, Sorter, Tally, check_lines};
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::sync::oneshot;
use tokio::time::timeout;

use super::catch_up::{CatchUp, Switch};
use super::copy::Piece;
use super::generations::{self, Lease};
use super::known::{KnownLines, Page, lines_of};
use super::state::{State, View, WITH_FEEDS};
use super::{PostgresRegistry, RegistrySettings};
use crate::database::{Database, Link, Transaction};
use crate::error::DbError;

/// A short step of a load may take so long, waiting for others included.
const STEP_TIMEOUT: Duration = Duration::from_secs(30);
/// Copying one piece, or looking at what was copied, may take so long.
const PIECE_TIMEOUT: Duration = Duration::from_mins(5);
/// Removing what does not serve any more may hold a load up for so long.
const TIDY_TIMEOUT: Duration = Duration::from_secs(5);
/// Pieces that may wait for their turn to be copied,
const PIECES_AHEAD: usize = 1;
/// and pages of the generation before that may wait to be compared.
const PAGES_AHEAD: usize = 4;
/// A load that ends waits so long for its lease to be given back; after that it ends by itself.
const RELEASE_TIMEOUT: Duration = Duration::from_secs(2);
/// So often in its time a lease is renewed.
const RENEWALS: u32 = 4;

/// A snapshot being loaded, in files and in a table that nobody reads until the switch.
pub(super) struct Load {
    held: Held,
    seal: RegistrySeal,
    plan: SnapshotPlan,
    sorter: Sorter,
    /// The newest instant in the rows so far, in seconds since 1970.
    newest_second: Option<i64>,
    refused_rows: u64,
    spill: Spill,
}

impl PostgresRegistry {
    pub(super) async fn begin_load(&self, plan: SnapshotPlan) -> Result<Load, FeedError> {
        let lasts = self.settings.load_lease;
        let taken = self.database.run(STEP_TIMEOUT, async move |link: &Link| Lease::take(link, lasts).await).await?;
        let lease = taken.ok_or(FeedError::Busy)?;
        let held = Held::new(&self.database, lease, &self.settings);
        present(&self.database).await?.state.present().check(&plan, plan.cut)?;
        let spill = Spill::begin(&self.settings, lease).map_err(broken)?;
        let sorter = Sorter::new(spill.0.clone(), self.settings.sort_chunk_rows.max(1));
        let seal = self.seal.clone();
        Ok(Load { held, seal, plan, sorter, newest_second: None, refused_rows: 0, spill })
    }
}

async fn present(database: &Database) -> Result<View, FeedError> {
    let read = async |link: &Link| View::read(&link.query(WITH_FEEDS, &[]).await?);
    Ok(database.run(STEP_TIMEOUT, read).await?)
}

fn broken(broken: impl Into<Broken>) -> FeedError {
    DbError::from(broken.into()).into()
}

/// Where a load sorts; nothing in it outlives the load.
struct Spill(PathBuf);

impl Spill {
    /// A directory of its own; what dead loads of this machine left is removed.
    fn begin(settings: &RegistrySettings, lease: Lease) -> io::Result<Self> {
        const PREFIX: &str = "registry-loading-";
        fs::create_dir_all(&settings.spill_dir)?;
        for entry in fs::read_dir(&settings.spill_dir)? {
            let path = entry?.path();
            if path.file_name().and_then(|name| name.to_str()).is_some_and(|name| name.starts_with(PREFIX)) {
                fs::remove_dir_all(path)?;
            }
        }
        let path = settings.spill_dir.join(format!("{PREFIX}{}", lease.fence));
        fs::create_dir(&path)?;
        Ok(Self(path))
    }
}

impl Drop for Spill {
    fn drop(&mut self) {
        // What cannot be removed now is removed by the next load.
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// The right to load, renewed until it is dropped, and the table that has not served yet.
struct Held {
    database: Arc<Database>,
    lease: Lease,
    renewing: Option<oneshot::Sender<()>>,
    unfinished: Option<i64>,
}

impl Held {
    fn new(database: &Arc<Database>, lease: Lease, settings: &RegistrySettings) -> Self {
        let (renewing, mut ended) = oneshot::channel::<()>();
        let lasts = settings.load_lease;
        database.spawn(async move |shared| {
            while timeout(lasts / RENEWALS, &mut ended).await.is_err() {
                if let Err(error) = lease.renew(&Link::within(Rc::clone(&shared), lasts), lasts).await {
                    tracing::warn!(%error, "the right to load a snapshot was not renewed");
                }
            }
        });
        Self { database: Arc::clone(database), lease, renewing: Some(renewing), unfinished: None }
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        drop(self.renewing.take());
        let (lease, unfinished) = (self.lease, self.unfinished);
        let (done, wait) = blocking::channel();
        self.database.spawn(async move |shared| {
            let link = Link::within(shared, RELEASE_TIMEOUT);
            if let Some(generation) = unfinished {
                let remove = async |transaction: &Transaction<'_>| {
                    generations::remove(transaction, generation, Some(lease)).await
                };
                // What is left is removed by the next load.
                let _ = link.transact(remove).await;
            }
            if let Err(error) = lease.release(&link).await {
                tracing::warn!(%error, "the right to load a snapshot ends by its time alone");
            }
            let _ = done.send(());
        });
        let _ = wait.recv_timeout(RELEASE_TIMEOUT);
    }
}

impl SnapshotLoad for Load {
    fn push(&mut self, rows: Vec<SnapshotRow>) -> BoxFuture<'_, Result<(), FeedError>> {
        Box::pin(async move {
            for row in rows {
                let packed = Packed::row(row, &self.seal);
                self.newest_second = self.newest_second.max(Some(packed.newest_second()));
                self.sorter.push(packed).map_err(broken)?;
            }
            Ok(())
        })
    }

    fn refuse(&mut self, rows: Vec<RefusedLine>) -> BoxFuture<'_, Result<(), FeedError>> {
        Box::pin(async move {
            self.refused_rows += rows.len() as u64;
            for number in rows.into_iter().filter_map(|row| row.msisdn) {
                self.sorter.push(Packed::refused(number)).map_err(broken)?;
            }
            Ok(())
        })
    }

    fn finish(
        self: Box<Self>,
        progress: &(dyn Fn(u64) + Send + Sync),
    ) -> BoxFuture<'_, Result<SnapshotSummary, FeedError>> {
        Box::pin(async move { self.finish_now(progress).await })
    }
}

impl Load {
    async fn finish_now(mut self, progress: &(dyn Fn(u64) + Send + Sync)) -> Result<SnapshotSummary, FeedError> {
        let newest = self.newest_second.ok_or(FeedError::NoLines)?;
        let cut = match self.plan.cut {
            Some(cut) => cut,
            None => second(newest).map_err(broken)?,
        };
        let before = present(&self.held.database).await?.state;
        before.present().check(&self.plan, Some(cut))?;
        let generation = self.make_table().await?;
        let tally = self.write_lines(&before, cut, generation, progress).await?;
        let lines_before = count(before.lines);
        check_lines(&self.plan, tally.lines(), lines_before)?;
        let switch = Switch {
            lease: self.held.lease,
            plan: self.plan.clone(),
            seal: self.seal.clone(),
            generation,
            cut,
            lines: i64::try_from(tally.lines()).unwrap_or(i64::MAX),
            refused_rows: i64::try_from(self.refused_rows).unwrap_or(i64::MAX),
        };
        let events_reapplied = self.switch(switch).await?;
        self.held.unfinished = None;
        drop(self.spill);
        Ok(SnapshotSummary {
            generation: count(generation),
            cut,
            lines: tally.lines(),
            lines_before,
            repeated: tally.repeated,
            contradicted: tally.contradicted,
            events_reapplied,
        })
    }

    /// Makes the table of the new generation, and removes what does not serve any more.
    async fn make_table(&mut self) -> Result<i64, FeedError> {
        let lease = self.held.lease;
        // A backup that reads all tables holds this up, not the load.
        let tidy = async move |link: &Link| generations::remove_others(link, Some(lease)).await;
        if let Err(error) = self.held.database.run(TIDY_TIMEOUT, tidy).await {
            tracing::info!(%error, "generations of lines that were replaced are removed later");
        }
        let make = async move |link: &Link| {
            link.transact(async |transaction: &Transaction<'_>| {
                State::lock(transaction).await?;
                if !lease.is_held(transaction).await? {
                    return Ok(None);
                }
                let generation = generations::next_number(transaction).await?;
                generations::create(transaction, generation).await?;
                Ok(Some(generation))
            })
            .await
        };
        let generation = self.held.database.run(STEP_TIMEOUT, make).await?.ok_or(FeedError::Busy)?;
        self.held.unfinished = Some(generation);
        Ok(generation)
    }

    /// Settles all rows against what was known and copies the lines, in order, in one pass: a thread
    /// settles while the database takes in the piece before.
    async fn write_lines(
        &mut self,
        before: &State,
        cut: Timestamp,
        generation: i64,
        progress: &(dyn Fn(u64) + Send + Sync),
    ) -> Result<Tally, FeedError> {
        let sorter = std::mem::replace(&mut self.sorter, Sorter::new(self.spill.0.clone(), 1));
        let rows = sorter.merge().map_err(broken)?;
        let (to_copy, mut pieces) = channel(PIECES_AHEAD);
        let (tell, told) = oneshot::channel();
        let known = before.generation.map(|serving| self.known(before, serving, cut));
        let (seal, cut_before) = (self.seal.clone(), before.events_after());
        let settle = move || {
            let settling = Settling { cut, cut_before, seal: &seal };
            let _ = tell.send(settle_all(settling, rows, known, generation, &to_copy));
        };
        thread::Builder::new().name("registry-settle".to_owned()).spawn(settle).map_err(broken)?;
        let mut lines = 0;
        while let Some(piece) = pieces.recv().await {
            lines += piece.lines;
            let copy = async move |link: &Link| piece.copy(link, generation).await;
            self.held.database.run(PIECE_TIMEOUT, copy).await?;
            progress(lines);
        }
        // A piece that failed ends the settling; its reason was told.
        let tally = told.await.unwrap_or_else(|_| Err(Broken::Interrupted.into()))?;
        let look_at = format!("ANALYZE {}", generations::table(generation));
        let look = async move |link: &Link| {
            link.transact(async |transaction: &Transaction<'_>| transaction.execute(&look_at, &[]).await).await
        };
        // Without it the planner would take a lookup of many numbers for a read of all.
        self.held.database.run(PIECE_TIMEOUT, look).await?;
        Ok(tally)
    }

    fn known(&self, before: &State, serving: i64, cut: Timestamp) -> Receiver<Page> {
        let (sender, pages) = channel(PAGES_AHEAD);
        let known = (before.clone(), serving, cut, self.seal.clone());
        self.held.database.spawn(async move |shared| {
            let (before, serving, cut, seal) = known;
            Box::pin(KnownLines::new(before, serving, cut, seal).send(shared, sender)).await;
        });
        pages
    }

    /// Brings the new generation up to the history and makes it the serving one. Returns how many events
    /// were applied on top.
    async fn switch(&self, switch: Switch) -> Result<u64, FeedError> {
        let database = &self.held.database;
        let mut catch_up = CatchUp::default();
        let begin = (switch.cut, switch.generation, switch.seal.clone());
        loop {
            // Most of the events while others may still write, the rest in the moment of the switch.
            let (step, begin) = (catch_up, begin.clone());
            let (next, is_more) = database
                .run(PIECE_TIMEOUT, async move |link: &Link| {
                    let (cut, generation, seal) = begin;
                    link.transact(async |transaction: &Transaction<'_>| {
                        step.clone().step(transaction, generation, cut, &seal).await
                    })
                    .await
                })
                .await?;
            catch_up = next;
            if !is_more {
                break;
            }
        }
        let (generation, lease) = (switch.generation, switch.lease);
        let switched = database.run(PIECE_TIMEOUT, async move |link: &Link| {
            link.transact(async |transaction: &Transaction<'_>| switch.switch(transaction, catch_up.clone()).await)
                .await
        });
        match switched.await {
            Ok(applied) => applied,
            Err(DbError::Unknown(reason)) => {
                // A later commit on the same server tells whether this one counts.
                let renew = async move |link: &Link| lease.renew(link, STEP_TIMEOUT).await;
                database.run(STEP_TIMEOUT, renew).await?;
                if present(database).await?.state.generation == Some(generation) {
                    return Ok(0);
                }
                Err(DbError::Unknown(reason).into())
            }
            Err(error) => Err(error.into()),
        }
    }
}

/// Settles the rows on a thread of its own and hands them over in pieces.
fn settle_all(
    settling: Settling<'_>,
    rows: Merged,
    known: Option<Receiver<Page>>,
    generation: i64,
    pieces: &Sender<Piece>,
) -> Result<Tally, DbError> {
    let mut piece = Piece::default();
    let hand_over = |piece| pieces.blocking_send(piece).map_err(|_| DbError::from(Broken::Interrupted));
    let out = |batch| {
        piece.add(generation, &batch);
        if piece.is_full() { hand_over(std::mem::take(&mut piece)) } else { Ok(()) }
    };
    let tally = match known {
        None => settling.settle_all(rows, std::iter::empty(), out),
        Some(pages) => settling.settle_all(rows, lines_of(pages), out),
    }?;
    hand_over(piece)?;
    Ok(tally)
}
