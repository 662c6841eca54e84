//! One transaction: every waiting check becomes a row, in the order of ids, or none does.

use laini_core::billing::Charge;
use laini_core::store::{ChainKey, LedgerError, LedgerRow, Mac, Recorded, RepeatBatch, RepeatMemory};
use rusqlite::{Connection, ErrorCode, ffi};

use super::queue::Job;
use super::schema::{self, COLUMNS, Link};

/// What each job of a batch is answered, in the batch's order.
pub(super) type Answers = Vec<Result<Recorded, LedgerError>>;

/// The end of this writer's chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Tip {
    pub(super) seq: u64,
    pub(super) mac: Mac,
}

impl Tip {
    pub(super) const START: Self = Self { seq: 0, mac: Mac::GENESIS };
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

/// Writes the jobs, which are sorted by id, and commits. Returns where the chain ends then. `noted`
/// collects what the repeat memory is to learn of the new rows. A job that nobody waits for any more
/// is left out: no answer can leave, so nothing may be charged.
pub(super) fn append(
    connection: &Connection,
    rules: &Rules<'_>,
    mut tip: Tip,
    batch: &[Job],
    (noted, answers): (&mut RepeatBatch, &mut Answers),
) -> Result<Tip, Failure> {
    let run = |sql| connection.prepare_cached(sql)?.execute([]);
    run("BEGIN IMMEDIATE").map_err(Stage::Opening.failed())?;
    let mut write = || -> rusqlite::Result<()> {
        let mut insert_row = connection.prepare_cached(schema::INSERT_ROW)?;
        let mut insert_subject = connection.prepare_cached(schema::INSERT_SUBJECT)?;
        for job in batch {
            if job.answer.is_closed() {
                answers.push(Err(LedgerError::NotRecorded("its caller gave up".to_owned())));
                continue;
            }
            let draft = &job.draft;
            let is_repeat = rules.repeats.is_repeat_in(noted, draft.repeat.0, draft.repeat.1, draft.at);
            let recorded = draft.decide(is_repeat);
            let row = draft.row(recorded, job.side_digest);
            let seq = tip.seq + 1;
            let mac = rules.key.link(tip.mac, rules.writer, seq, &row);
            let answer = match schema::insert_row(&mut insert_row, &row, Link { writer: rules.writer, seq, mac }) {
                Ok(_) => {
                    schema::insert_subject(&mut insert_subject, job)?;
                    rules.repeats.note(noted, draft.repeat, draft.at, recorded.outcome);
                    tip = Tip { seq, mac };
                    Ok(recorded)
                }
                Err(error) if error.sqlite_error_code() == Some(ErrorCode::ConstraintViolation) => {
                    already_there(connection, job)?
                }
                Err(error) => return Err(error),
            };
            answers.push(answer);
        }
        Ok(())
    };
    write().map_err(Stage::Writing.failed())?;
    run("COMMIT").map_err(|error| commit_stage(&error).failed()(error))?;
    Ok(tip)
}

/// An id stands in the ledger once: recording the same check again finds what was recorded.
fn already_there(connection: &Connection, job: &Job) -> rusqlite::Result<Result<Recorded, LedgerError>> {
    let sql = format!("SELECT {COLUMNS} FROM ledger WHERE position = ?1");
    let position = job.draft.id.position().cast_signed();
    let (found, _) = connection.prepare_cached(&sql)?.query_row([position], schema::read)?;
    let recorded = recorded(&found);
    if job.draft.row(recorded, job.side_digest) == found {
        return Ok(Ok(recorded));
    }
    Ok(Err(LedgerError::NotRecorded("the id of this check belongs to another one; ids must never repeat".to_owned())))
}

fn recorded(row: &LedgerRow) -> Recorded {
    let charge = row.outcome.free_reason().map_or(Charge::Charged(row.charge), Charge::Free);
    Recorded { outcome: row.outcome, charge }
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
