use std::collections::VecDeque;
use std::fs;
use std::path::PathBuf;
use std::sync::PoisonError;
use std::time::Duration;

use jiff::Timestamp;
use laini_core::line::{Event, Msisdn, RegistrySeal};
use laini_core::store::{
    FeedItem, FeedResult, KeptLine, RecordedPage, RecordedQuery, RegistryStatus, RejectCursor, RejectId, RejectPage,
};
use laini_store::registry::columns::count;
use laini_store::registry::{
    Broken, Entered, History as _, RecordedSpan, enter_item, in_order, newest, result_of, unapplied_event, unread_line,
};
use rusqlite::{Connection, TransactionBehavior};

use super::SqliteRegistry;
use super::apply::catch_up;
use super::failure::Failure;
use super::files::Files;
use super::generation::{self, Meta, write_meta};
use super::history::{self, History};
use crate::sql::open_writer;

/// How large the WAL of a generation may grow before a writer waits for its readers to let go of it.
const WAL_LIMIT_BYTES: u64 = 16 << 20;
/// How long it waits; readers move on several times a second.
const WAL_WAIT: Duration = Duration::from_secs(1);

/// The writing connections of this process, kept between batches.
pub(super) struct Writer {
    history: Connection,
    target: Option<Target>,
}

/// The serving generation, opened for writing.
struct Target {
    number: u64,
    connection: Connection,
    wal: PathBuf,
    wal_limit_bytes: u64,
}

impl Target {
    fn open(files: &Files, number: u64) -> Result<Self, Failure> {
        let path = files.generation(number);
        let connection = open_writer(&path, generation::MIGRATIONS)?;
        connection.busy_timeout(WAL_WAIT)?;
        let mut wal = path.into_os_string();
        wal.push("-wal");
        Ok(Self { number, connection, wal: wal.into(), wal_limit_bytes: WAL_LIMIT_BYTES })
    }

    /// Empties a WAL that has grown large: readers come and go without a gap, so it would not
    /// start over by itself. Where one stays (a snapshot is compared), it is tried again later.
    fn trim_wal(&mut self) -> Result<(), Failure> {
        if fs::metadata(&self.wal).map_or(0, |wal| wal.len()) <= self.wal_limit_bytes {
            return Ok(());
        }
        let busy: bool = self.connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0))?;
        self.wal_limit_bytes = if busy { self.wal_limit_bytes * 2 } else { WAL_LIMIT_BYTES };
        Ok(())
    }
}

impl Writer {
    fn open(files: &Files) -> Result<Self, Failure> {
        Ok(Self { history: open_writer(&files.events(), history::MIGRATIONS)?, target: None })
    }

    /// Makes a batch durable in the history.
    fn enter(&mut self, items: Vec<FeedItem>, now: Timestamp, seal: &RegistrySeal) -> Result<Vec<Entered>, Failure> {
        let transaction = self.history.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let mut history = History { connection: &transaction, seal };
        let entered = items.into_iter().map(|item| enter_item(&mut history, item, now)).collect::<Result<_, _>>()?;
        transaction.commit()?;
        Ok(entered)
    }

    /// Makes an item durable in place of the kept row that it was read from; `None` where that is gone.
    fn enter_instead(
        &mut self,
        kept: i64,
        item: FeedItem,
        now: Timestamp,
        seal: &RegistrySeal,
    ) -> Result<Option<Entered>, Failure> {
        let transaction = self.history.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let mut history = History { connection: &transaction, seal };
        if !history.is_kept(kept)? {
            return Ok(None);
        }
        let entered = enter_item(&mut history, item, now)?;
        // A transaction that ends without its commit has changed nothing.
        if !matches!(entered, Entered::Settled(FeedResult::Conflict | FeedResult::Unreadable)) {
            history.settle(kept)?;
            transaction.commit()?;
        }
        Ok(Some(entered))
    }

    /// Brings the serving generation up to the history; the first event of all founds one.
    fn apply(&mut self, files: &Files, now: Timestamp, seal: &RegistrySeal) -> Result<(), Failure> {
        let history = History { connection: &self.history, seal };
        let current = files.current()?;
        if current.is_none() && history.is_silent()? {
            return Ok(());
        }
        let open = self.target.take().filter(|open| Some(open.number) == current);
        let target = match (open, current) {
            (Some(open), _) => open,
            (None, Some(number)) => Target::open(files, number)?,
            (None, None) => found(files, now)?,
        };
        let target = self.target.insert(target);
        catch_up(&mut target.connection, &history)?;
        target.trim_wal()
    }

    fn result(&self, entered: Entered) -> Result<FeedResult, Failure> {
        let (event, target) = match (entered, &self.target) {
            (Entered::Settled(result), _) => return Ok(result),
            (Entered::New(event), Some(target)) => (event, target),
            (Entered::New(_), None) => return Err(Broken::Interrupted.into()),
        };
        Ok(result_of(generation::refusal(&target.connection, event)?))
    }
}

/// The first generation where events come before any snapshot. Its swap history begins with them.
fn found(files: &Files, now: Timestamp) -> Result<Target, Failure> {
    const FIRST: u64 = 1;
    files.remove_generations_except(None)?;
    let target = Target::open(files, FIRST)?;
    let meta = Meta { cut: None, history_since: now, lines: 0, refused_rows: 0, applied_event: 0, applied_refused: 0 };
    write_meta(&target.connection, &meta)?;
    files.switch_to(FIRST)?;
    Ok(target)
}

impl SqliteRegistry {
    pub(super) fn record_now(&self, items: Vec<FeedItem>, now: Timestamp) -> Result<Vec<FeedResult>, Failure> {
        self.write(|writer| {
            let entered = writer.enter(items, now, &self.seal)?;
            writer.apply(&self.files, now, &self.seal)?;
            entered.into_iter().map(|entered| writer.result(entered)).collect()
        })
    }

    pub(super) fn settle_now(
        &self,
        kept: RejectId,
        item: FeedItem,
        now: Timestamp,
    ) -> Result<Option<FeedResult>, Failure> {
        self.write(|writer| {
            let Some(entered) = writer.enter_instead(stored(kept.0), item, now, &self.seal)? else { return Ok(None) };
            writer.apply(&self.files, now, &self.seal)?;
            writer.result(entered).map(Some)
        })
    }

    fn write<T>(&self, change: impl FnOnce(&mut Writer) -> Result<T, Failure>) -> Result<T, Failure> {
        let mut slot = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        let _lock = self.files.write_lock()?;
        let mut writer = match slot.take() {
            Some(writer) => writer,
            None => Writer::open(&self.files)?,
        };
        let changed = change(&mut writer)?;
        // A writer that failed is not kept: the next batch starts from what is on disk.
        *slot = Some(writer);
        self.serving.refresh_or_warn();
        Ok(changed)
    }

    pub(super) fn status_now(&self) -> Result<RegistryStatus, Failure> {
        self.serving.refresh()?;
        let counts = |history: &History<'_>| Ok((history.last_event()?, history.count_refused()?, history.feeds()?));
        let (events, refused_rows, feeds) = self.serving.read_history(counts)?.unwrap_or_default();
        let mut status = RegistryStatus {
            events: count(events),
            rejects: count(refused_rows),
            feeds,
            required_feeds: self.serving.required_feeds().to_vec(),
            ..RegistryStatus::default()
        };
        let view = self.serving.view();
        let Some(generation) = &view.generation else { return Ok(status) };
        let read =
            |connection: &Connection| Ok((generation::meta(connection)?, generation::count_unapplied(connection)?));
        let (meta, (waiting, refused)) = generation.read(read)?;
        status.generation = generation.number;
        status.lines = count(meta.lines);
        status.cut = meta.cut;
        status.as_of = view.horizon.as_of;
        status.history_since = Some(meta.history_since);
        status.waiting = waiting;
        status.rejects += refused + count(meta.refused_rows);
        Ok(status)
    }

    pub(super) fn history_now(&self, msisdn: Msisdn) -> Result<Vec<Event>, Failure> {
        let read = |history: &History<'_>| {
            let mut entries = history.naming(msisdn)?;
            for at in 0..entries.len() {
                let amendments = history.amendments(&entries[at].event.key)?;
                // Those that state the number are there already.
                entries.extend(amendments.into_iter().filter(|entry| entry.event.msisdn != Some(msisdn)));
            }
            Ok(in_order(entries))
        };
        Ok(self.serving.read_history(read)?.unwrap_or_default())
    }

    pub(super) fn kept_lines_now(&self, after: Option<RejectId>, limit: usize) -> Result<Vec<KeptLine>, Failure> {
        let (after, limit) = (after.map_or(0, |id| stored(id.0)), i64::try_from(limit).unwrap_or(i64::MAX));
        Ok(self.serving.read_history(|history| history.kept_after(after, limit))?.unwrap_or_default())
    }

    pub(super) fn recorded_now(&self, query: &RecordedQuery) -> Result<RecordedPage, Failure> {
        let read = |history: &History<'_>| {
            let span = RecordedSpan::of(query, history.last_event()?);
            Ok(span.page(history.recorded(span, query.source.as_ref())?, query.limit))
        };
        Ok(self.serving.read_history(read)?.unwrap_or_default())
    }

    pub(super) fn rejects_now(&self, cursor: RejectCursor, limit: usize) -> Result<RejectPage, Failure> {
        self.serving.refresh()?;
        // One more than asked for tells whether there are more.
        let rows = i64::try_from(limit).unwrap_or(i64::MAX).saturating_add(1);
        let unapplied = match &self.serving.view().generation {
            Some(generation) => {
                generation.read(|connection| generation::unapplied(connection, stored(cursor.event), rows))?
            }
            None => Vec::new(),
        };
        let read = |history: &History<'_>| {
            let mut events = VecDeque::new();
            for (seq, refusal) in &unapplied {
                if let Some(entry) = history.at(*seq)? {
                    events.push_back(unapplied_event(entry, *refusal));
                }
            }
            let lines = history.refused_before(stored(cursor.line), rows)?;
            Ok((events, lines.into_iter().map(unread_line).collect()))
        };
        let (events, lines) = self.serving.read_history(read)?.unwrap_or_default();
        Ok(newest(cursor, events, lines, limit))
    }
}

/// A place as SQLite keeps it; beyond its range nothing is.
fn stored(place: u64) -> i64 {
    i64::try_from(place).unwrap_or(i64::MAX)
}
