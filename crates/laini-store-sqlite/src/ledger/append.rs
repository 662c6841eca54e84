//! One transaction: every waiting check becomes a row, in the order of ids, or none does.

use jiff::Timestamp;
use laini_core::billing::CheckId;
use laini_core::store::{ChainKey, LedgerError, LedgerRow, Mac, Recorded, RepeatBatch, RepeatKey, RepeatMemory};
use rusqlite::{CachedStatement, Connection, ErrorCode, OptionalExtension, ffi, params};

use super::queue::{Batch, Job};
use laini_store::ledger::{Counters, Link, SealedDraft, gave_up, taken};

use super::counters;
use super::schema::{self, COLUMNS};

/// What each job of a batch is answered, in the batch's order.
pub(super) type Answers = Vec<Result<Recorded, LedgerError>>;

/// The end of this writer's chain, and of the whole ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Tip {
    pub(super) seq: u64,
    pub(super) mac: Mac,
    /// The newest id of all.
    pub(super) newest: Option<CheckId>,
    /// The instant of the newest row: the ledger's only clock.
    pub(super) newest_at: Timestamp,
}

impl Tip {
    pub(super) const START: Self = Self { seq: 0, mac: Mac::GENESIS, newest: None, newest_at: Timestamp::UNIX_EPOCH };
}

/// Why a transaction failed, and how far it had come.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) stage: Stage,
    pub(super) reason: String,
}

/// How far a failed transaction had come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    /// The file could not be opened, or the transaction not begun.
    Opening,
    /// Certainly nothing of it is in the file.
    Writing,
    /// It may be in the file.
    Committing,
}

impl Stage {
    pub(super) fn failed<E: std::fmt::Display>(self) -> impl Fn(E) -> Failure {
        move |error| Failure { stage: self, reason: error.to_string() }
    }
}

/// What the rows of a batch are decided and linked with.
pub(super) struct Rules<'a> {
    pub(super) key: &'a ChainKey,
    pub(super) writer: u32,
    pub(super) repeats: &'a RepeatMemory,
}

/// What a transaction learns while it is written; it counts only once that is committed.
#[derive(Default)]
pub(super) struct Learned {
    /// What the repeat memory is to learn.
    pub(super) noted: RepeatBatch,
    pub(super) counters: Counters,
    pub(super) answers: Answers,
}

impl Learned {
    pub(super) fn clear(&mut self) {
        self.noted.clear();
        self.counters.clear();
        self.answers.clear();
    }
}

/// A transaction that is being written.
pub(super) struct Transaction<'a> {
    pub(super) connection: &'a Connection,
    rules: &'a Rules<'a>,
    tip: Tip,
    learned: &'a mut Learned,
}

/// The statements that a row takes.
pub(super) struct Inserts<'a> {
    row: CachedStatement<'a>,
    subject: CachedStatement<'a>,
}

impl<'a> Inserts<'a> {
    pub(super) fn of(connection: &'a Connection) -> rusqlite::Result<Self> {
        let row = connection.prepare_cached(schema::INSERT_ROW)?;
        Ok(Self { row, subject: connection.prepare_cached(schema::INSERT_SUBJECT)? })
    }
}

/// Reverses what is to be reversed, writes the jobs, which are sorted by id, then the chores, and
/// commits. Returns where the chain ends then.
pub(super) fn append(
    connection: &Connection,
    rules: &Rules<'_>,
    tip: Tip,
    (to_reverse, batch): (&[CheckId], &mut Batch),
    learned: &mut Learned,
) -> Result<Tip, Failure> {
    let run = |sql| connection.prepare_cached(sql)?.execute([]);
    run("BEGIN IMMEDIATE").map_err(Stage::Opening.failed())?;
    let mut transaction = Transaction { connection, rules, tip, learned };
    let mut write = || -> rusqlite::Result<()> {
        for id in to_reverse {
            transaction.reverse(*id)?;
        }
        transaction.record(&batch.jobs)?;
        for chore in &mut batch.chores {
            chore.write(&mut transaction)?;
        }
        counters::write(&transaction.learned.counters, connection)
    };
    write().map_err(Stage::Writing.failed())?;
    run("COMMIT").map_err(|error| commit_stage(&error).failed()(error))?;
    Ok(transaction.tip)
}

impl Transaction<'_> {
    /// Writes the jobs. One that nobody waits for any more is left out: no answer can leave, so nothing
    /// may be charged.
    fn record(&mut self, jobs: &[Job]) -> rusqlite::Result<()> {
        if jobs.is_empty() {
            return Ok(());
        }
        let mut inserts = Inserts::of(self.connection)?;
        for job in jobs {
            if job.answer.is_closed() {
                self.learned.answers.push(Err(gave_up()));
                continue;
            }
            let recorded = match self.insert(&mut inserts, &job.check)? {
                None => self.already_there(&job.check)?,
                recorded => recorded,
            };
            self.learned.answers.push(recorded.ok_or_else(taken));
        }
        Ok(())
    }

    /// Decides a check and writes its rows; `None` = nothing was written, for its id stands there already.
    pub(super) fn insert(
        &mut self,
        inserts: &mut Inserts<'_>,
        check: &SealedDraft,
    ) -> rusqlite::Result<Option<Recorded>> {
        let draft = &check.draft;
        let (key, window) = draft.repeat;
        let recorded = draft.decide(self.rules.repeats.is_repeat_in(&self.learned.noted, key, window, draft.at));
        let row = draft.row(recorded, check.side_digest);
        match self.insert_row(&mut inserts.row, &row) {
            Err(error) if error.sqlite_error_code() == Some(ErrorCode::ConstraintViolation) => return Ok(None),
            written => written?,
        }
        schema::insert_subject(&mut inserts.subject, check)?;
        self.rules.repeats.note(&mut self.learned.noted, draft.repeat, draft.at, recorded.outcome);
        Ok(Some(recorded))
    }

    /// Links and writes a row, and counts it.
    fn insert_row(&mut self, statement: &mut CachedStatement<'_>, row: &LedgerRow) -> rusqlite::Result<()> {
        let (writer, seq) = (self.rules.writer, self.tip.seq + 1);
        let mac = self.rules.key.link(self.tip.mac, writer, seq, row);
        schema::insert_row(statement, row, Link { writer, seq, mac })?;
        let newest_at = self.tip.newest_at.max(row.at);
        self.tip = Tip { seq, mac, newest: self.tip.newest.max(Some(row.id)), newest_at };
        self.learned.counters.count(row);
        Ok(())
    }

    /// An id stands in the ledger once: recording the same check again finds how it was recorded.
    /// `None` = the id is another check's.
    pub(super) fn already_there(&self, check: &SealedDraft) -> rusqlite::Result<Option<Recorded>> {
        let found = row_at(self.connection, check.draft.id)?.map(|row| (row.recorded(), row));
        Ok(found.filter(|(recorded, row)| check.draft.row(*recorded, check.side_digest) == *row).map(|found| found.0))
    }

    /// Takes back the charge of a check that nobody learned of, where it has one and still has it.
    fn reverse(&mut self, id: CheckId) -> rusqlite::Result<()> {
        let Some((found, repeat_key)) = reversible(self.connection, id)? else { return Ok(()) };
        let last = self.tip.newest.map_or(id, |newest| newest.max(id));
        let row = found.reversal(CheckId::of_reversal(last, id), found.at.max(self.tip.newest_at));
        self.insert_row(&mut self.connection.prepare_cached(schema::INSERT_ROW)?, &row)?;
        let places = params![schema::place(self.connection, id)?, row.id.position().cast_signed()];
        self.connection.prepare_cached("INSERT INTO reversed VALUES (?,?)")?.execute(places)?;
        if let Some(key) = repeat_key {
            self.rules.repeats.note_reversed(&mut self.learned.noted, key, found.at);
        }
        Ok(())
    }
}

/// The row at an id's place, whatever the rest of its id is.
pub(super) fn row_at(connection: &Connection, id: CheckId) -> rusqlite::Result<Option<LedgerRow>> {
    let sql = format!("SELECT {COLUMNS} FROM ledger WHERE position = ?1");
    let place = schema::place(connection, id)?;
    Ok(connection.prepare_cached(&sql)?.query_row([place], schema::read).optional()?.map(|(row, _)| row))
}

/// The row of a check whose charge can be taken back, and its repeat key while its side row is there.
pub(super) fn reversible(
    connection: &Connection,
    id: CheckId,
) -> rusqlite::Result<Option<(LedgerRow, Option<RepeatKey>)>> {
    let Some(row) = row_at(connection, id)?.filter(|row| row.id == id && row.is_charged()) else { return Ok(None) };
    let place = [schema::place(connection, id)?];
    let reversed = "SELECT 1 FROM reversed WHERE position = ?1";
    if connection.prepare_cached(reversed)?.exists(place)? {
        return Ok(None);
    }
    let key = "SELECT repeat_key FROM subject WHERE position = ?1";
    let key = connection.prepare_cached(key)?.query_row(place, |row| row.get(0)).optional()?;
    Ok(Some((row, key.map(RepeatKey))))
}

/// A failed COMMIT left nothing behind where its last frame, the one that commits, was certainly not
/// written whole; after any other failure (an fsync above all) only the file itself can tell.
fn commit_stage(error: &rusqlite::Error) -> Stage {
    let refused = matches!(
        error.sqlite_error_code(),
        Some(ErrorCode::DiskFull | ErrorCode::ConstraintViolation | ErrorCode::DatabaseBusy)
    );
    let unwritten = error.sqlite_error().is_some_and(|error| error.extended_code == ffi::SQLITE_IOERR_WRITE);
    if refused || unwritten { Stage::Writing } else { Stage::Committing }
}
