use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use jiff::Timestamp;
use laini_core::line::{RegistrySeal, SnapshotRow};
use laini_core::store::{BoxFuture, FeedError, RefusedLine, SnapshotLoad, SnapshotPlan, SnapshotSummary};
use laini_store::registry::columns::{count, second};
use laini_store::registry::{Packed, Present, Sorter, Tally, check_lines};
use rusqlite::Connection;

use super::SqliteRegistry;
use super::apply::{catch_up, states_at};
use super::failure::Failure;
use super::files::{Files, sync};
use super::generation::{self, Meta, connect, meta, write_meta};
use super::history::{self, History};
use super::serving::Serving;
use super::write::{Previous, write_lines};
use crate::sql::open_writer;

/// A snapshot being loaded, in files that nobody reads until the switch.
pub(super) struct Load {
    files: Files,
    seal: RegistrySeal,
    serving: Arc<Serving>,
    plan: SnapshotPlan,
    sorter: Sorter,
    /// The newest instant in the rows so far, in seconds since 1970.
    newest_second: Option<i64>,
    refused_rows: u64,
    /// Held to the end: one load at a time.
    _lock: File,
}

impl SqliteRegistry {
    pub(super) fn begin_load(&self, plan: SnapshotPlan) -> Result<Load, Failure> {
        let lock = self.files.load_lock()?.ok_or(FeedError::Busy)?;
        check(&plan, plan.cut, &self.serving)?;
        let dir = self.files.begin_loading()?;
        Ok(Load {
            files: self.files.clone(),
            seal: self.seal.clone(),
            serving: Arc::clone(&self.serving),
            plan,
            sorter: Sorter::new(dir, self.sort_chunk_rows),
            newest_second: None,
            refused_rows: 0,
            _lock: lock,
        })
    }
}

/// Refuses a snapshot that would roll back, or forget, what is known. `cut` is `None` while only the
/// rows can tell it.
fn check(plan: &SnapshotPlan, cut: Option<Timestamp>, serving: &Serving) -> Result<(), Failure> {
    serving.refresh()?;
    let has_events = |history: &History<'_>| Ok(history.last_event()? > 0);
    let present = Present {
        cut: serving.view().generation.as_ref().and_then(|generation| generation.meta.cut),
        has_events: serving.read_history(has_events)?.unwrap_or(false),
    };
    Ok(present.check(plan, cut)?)
}

impl SnapshotLoad for Load {
    fn push(&mut self, rows: Vec<SnapshotRow>) -> BoxFuture<'_, Result<(), FeedError>> {
        Box::pin(async move { Ok(self.push_now(rows)?) })
    }

    fn refuse(&mut self, rows: Vec<RefusedLine>) -> BoxFuture<'_, Result<(), FeedError>> {
        Box::pin(async move {
            self.refused_rows += rows.len() as u64;
            for number in rows.into_iter().filter_map(|row| row.msisdn) {
                self.sorter.push(Packed::refused(number)).map_err(Failure::from)?;
            }
            Ok(())
        })
    }

    fn finish(
        self: Box<Self>,
        progress: &(dyn Fn(u64) + Send + Sync),
    ) -> BoxFuture<'_, Result<SnapshotSummary, FeedError>> {
        Box::pin(async move { Ok(self.finish_now(progress)?) })
    }
}

impl Load {
    fn push_now(&mut self, rows: Vec<SnapshotRow>) -> Result<(), Failure> {
        for row in rows {
            let packed = Packed::row(row, &self.seal);
            self.newest_second = self.newest_second.max(Some(packed.newest_second()));
            self.sorter.push(packed)?;
        }
        Ok(())
    }

    fn finish_now(mut self, progress: &(dyn Fn(u64) + Send + Sync)) -> Result<SnapshotSummary, Failure> {
        let newest = self.newest_second.ok_or(FeedError::NoLines)?;
        let cut = match self.plan.cut {
            Some(cut) => cut,
            None => second(newest)?,
        };
        check(&self.plan, Some(cut), &self.serving)?;
        let history = open_writer(&self.files.events(), history::MIGRATIONS)?;
        let history = History { connection: &history, seal: &self.seal };
        let (previous, lines_before) = self.previous(&history, cut)?;

        let path = self.files.loading().join("generation.db");
        let mut new = private(&path)?;
        let rows = std::mem::replace(&mut self.sorter, Sorter::new(self.files.loading(), 1)).merge()?;
        new.execute_batch("BEGIN")?;
        let tally = write_lines(&new, rows, previous, cut, &self.seal, progress)?;
        check_lines(&self.plan, tally.lines(), lines_before)?;
        write_meta(&new, &self.meta(cut, &tally, &history)?)?;
        new.execute_batch("COMMIT")?;
        // Most of the events while others may still write; the rest under the lock.
        let reapplied = catch_up(&mut new, &history)?;
        drop(new);
        sync(&path)?;
        let (generation, late) = self.switch(&path, cut, &history)?;
        Ok(SnapshotSummary {
            generation,
            cut,
            lines: tally.lines(),
            lines_before,
            repeated: tally.repeated,
            contradicted: tally.contradicted,
            events_reapplied: reapplied + late,
        })
    }

    /// What serves now, as one state of it.
    fn previous(&self, history: &History<'_>, cut: Timestamp) -> Result<(Option<Previous>, u64), Failure> {
        let Some(number) = self.files.current()? else { return Ok((None, 0)) };
        let connection = connect(&self.files.generation(number))?;
        connection.execute_batch("BEGIN")?;
        let meta = meta(&connection)?;
        let at_cut = states_at(&connection, history, cut)?;
        let previous = Previous { connection, cut: meta.events_after(), at_cut };
        Ok((Some(previous), count(meta.lines)))
    }

    fn meta(&self, cut: Timestamp, tally: &Tally, history: &History<'_>) -> Result<Meta, Failure> {
        Ok(Meta {
            cut: Some(cut),
            history_since: self.plan.history_from(),
            lines: i64::try_from(tally.lines()).unwrap_or(i64::MAX),
            refused_rows: i64::try_from(self.refused_rows).unwrap_or(i64::MAX),
            applied_event: history.last_before_news(cut)?,
            applied_refused: 0,
        })
    }

    /// Applies what arrived meanwhile and makes the new generation the serving one.
    fn switch(&self, finished: &Path, cut: Timestamp, history: &History<'_>) -> Result<(u64, u64), Failure> {
        let _lock = self.files.write_lock()?;
        check(&self.plan, Some(cut), &self.serving)?;
        let current = self.files.current()?;
        self.files.remove_generations_except(current)?;
        let number = current.unwrap_or(0) + 1;
        self.files.adopt(finished, number)?;
        let mut new = open_writer(&self.files.generation(number), generation::MIGRATIONS)?;
        let late = catch_up(&mut new, history)?;
        self.files.switch_to(number)?;
        // It serves from here on: what is left is housekeeping, and repeated by the next load.
        let tidy = history.forget_refused(cut).and_then(|()| Ok(self.files.remove_generations_except(Some(number))?));
        if let Err(failure) = tidy {
            tracing::warn!(%failure, "files of the generation before could not be removed");
        }
        self.serving.refresh_or_warn();
        Ok((number, late))
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        // What cannot be removed now is removed by the next load.
        let _ = self.files.end_loading();
    }
}

/// A new generation's file for writing as fast as can be: a failure removes it altogether.
fn private(path: &Path) -> Result<Connection, Failure> {
    drop(open_writer(path, generation::MIGRATIONS)?);
    let connection = Connection::open(path)?;
    connection.execute_batch("PRAGMA locking_mode=EXCLUSIVE; PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF")?;
    Ok(connection)
}
