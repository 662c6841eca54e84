//! The writer's connection: its place in the table of writers, taken anew whenever it is opened.

use std::rc::Rc;
use std::time::Duration;

use jiff::Timestamp;
use laini_core::billing::CheckId;
use laini_core::store::Mac;
use tokio::sync::OnceCell;
use tokio::time::{Instant, timeout_at};
use tokio_postgres::Statement;

use super::statement::{FULL, Lone, PLAIN, Writes, params as statement_params};
use crate::columns::Columns;
use crate::database::{Opened, Shared, params, within};
use crate::error::DbError;

/// Taking the place waits so long for a commit of its own that is under way still.
const LOCK_TIMEOUT_MS: u32 = 1_000;

/// The end of this node's chain, and the newest id of the ledger that it knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Tip {
    pub(super) seq: u64,
    pub(super) mac: Mac,
    pub(super) newest: Option<CheckId>,
    /// The instant of its newest row: the ledger's only clock.
    pub(super) newest_at: Timestamp,
}

/// A writer's place: held for as long as nobody raised its fence.
#[derive(Debug, Clone, Copy)]
pub(super) struct Slot {
    pub(super) writer: i32,
    pub(super) fence: i64,
    pub(super) tip: Tip,
}

/// Who takes a place.
#[derive(Debug, Clone)]
pub(super) struct Holder {
    pub(super) node: String,
    /// This process, and no other.
    pub(super) process: Vec<u8>,
    /// The place that it has had.
    pub(super) writer: Option<i32>,
}

/// An open connection with a place.
pub(super) struct Session {
    connection: Opened,
    pub(super) slot: Slot,
    /// `None` = this connection has none.
    statements: Option<Statements>,
}

/// The prepared statements of checks alone, and of everything; made on first use, and anew after a while:
/// a plan that was made for empty tables reads large ones from end to end.
struct Statements {
    made: [OnceCell<Statement>; 2],
    since: Instant,
    good_for: Duration,
}

/// The first plans are good for so long; the next ones each twice as long, up to the longest.
const PLANS_FIRST: Duration = Duration::from_secs(1);
const PLANS_LONGEST: Duration = Duration::from_mins(5);

impl Statements {
    fn new(good_for: Duration) -> Self {
        Self { made: Default::default(), since: Instant::now(), good_for }
    }

    /// Lets plans go that are too old.
    fn renew(&mut self) {
        if self.since.elapsed() > self.good_for {
            *self = Self::new((self.good_for * 2).min(PLANS_LONGEST));
        }
    }
}

/// How an attempt ended that was not acknowledged.
#[derive(Debug)]
pub(super) enum Failure {
    /// Nothing was written, and nothing will be: another process writes under this node's name.
    TakenOver,
    /// Nothing was written: something that it took for granted is not so.
    Conflict,
    /// Nothing was written: others were preferred.
    Passing(String),
    /// Nothing was written: somebody holds a lock and did not let go of it for as long as is waited.
    LockedOut(String),
    /// Nothing was written.
    NotWritten(String),
    /// It may have been written.
    InDoubt(String),
}

impl Failure {
    /// For people.
    pub(super) fn reason(&self) -> String {
        match self {
            Self::TakenOver => "this node's chain was taken over: another process runs under its name".to_owned(),
            Self::Conflict => "others kept writing the same".to_owned(),
            Self::Passing(reason) | Self::LockedOut(reason) | Self::NotWritten(reason) | Self::InDoubt(reason) => {
                reason.clone()
            }
        }
    }

    pub(super) fn of(error: DbError) -> Self {
        // What was taken for granted divides by zero; an id that stands there is refused by its key.
        const CONFLICTS: [&str; 2] = ["22012", "23505"];
        match error {
            DbError::Refused { state, .. } if CONFLICTS.contains(&state.code()) => Self::Conflict,
            locked if locked.is_locked_out() => Self::LockedOut(locked.to_string()),
            passing if passing.is_passing() => Self::Passing(passing.to_string()),
            DbError::Unknown(reason) => Self::InDoubt(reason),
            other => Self::NotWritten(other.to_string()),
        }
    }
}

impl From<DbError> for Failure {
    fn from(error: DbError) -> Self {
        Self::of(error)
    }
}

impl Session {
    /// Connects to the server that takes writes, and takes the holder's place there. Once that is
    /// acknowledged no commit sent before is in doubt: it is there and durable, or will never be.
    pub(super) async fn open(shared: &Rc<Shared>, holder: &Holder, until: Instant) -> Result<Self, Failure> {
        let connection = shared.connector.connect().await?;
        let slot = loop {
            let place = match holder.writer {
                Some(writer) => Some(writer),
                None => place_of(&connection, &holder.node, until).await?,
            };
            let Some(writer) = place else {
                // Taken by its next look: the first to insert a number has it.
                add_place(&connection, holder, until).await?;
                continue;
            };
            match take(&connection, writer, holder, until).await? {
                Some(slot) => break slot,
                None => return Err(Failure::TakenOver),
            }
        };
        connection.confirmed()?;
        let statements = shared.settings.prepared.then(|| Statements::new(PLANS_FIRST));
        Ok(Self { connection, slot, statements })
    }

    /// Writes and commits, all or nothing, and moves the chain to `after`.
    pub(super) async fn commit(&mut self, after: Tip, writes: &Writes, until: Instant) -> Result<(), Failure> {
        let lone = Lone::of(&self.slot, &after, writes);
        let params = statement_params(&lone, writes);
        if let Some(statements) = &mut self.statements {
            statements.renew();
        }
        let sent = async {
            let (number, text) = if writes.is_plain() { (0, PLAIN.as_str()) } else { (1, FULL.as_str()) };
            match &self.statements {
                Some(statements) => {
                    let statement = statements.made[number].get_or_try_init(|| self.connection.prepare(text)).await?;
                    let values: Vec<_> = params.iter().map(|(value, _)| *value).collect();
                    self.connection.query(statement, &values).await.map(drop)
                }
                None => self.connection.query_typed(text, &params).await.map(drop),
            }
        };
        match timeout_at(until, sent).await {
            Ok(Ok(())) => self.connection.confirmed()?,
            Ok(Err(error)) => return Err(Failure::of(DbError::of_commit(&error))),
            Err(_) => return Err(Failure::InDoubt("the database did not answer in time".to_owned())),
        }
        self.slot.tip = after;
        Ok(())
    }

    /// Confirms that the place is this process's still, after a commit that took it for granted was refused.
    pub(super) async fn confirm(&self, until: Instant) -> Result<(), Failure> {
        let sql = "SELECT 1 FROM writer WHERE writer = $1 AND fence = $2";
        let place = params![self.slot.writer, self.slot.fence];
        let held = within(until, self.connection.query_typed(sql, place)).await?;
        if held.is_empty() { Err(Failure::TakenOver) } else { Ok(()) }
    }

    pub(super) fn connection(&self) -> &Opened {
        &self.connection
    }
}

/// The newest place of a node's name.
async fn place_of(connection: &Opened, node: &str, until: Instant) -> Result<Option<i32>, DbError> {
    let sql = "SELECT writer FROM writer WHERE node = $1 ORDER BY writer DESC LIMIT 1";
    let rows = within(until, connection.query_typed(sql, params![node])).await?;
    rows.first().map(|row| Columns(row).get("writer")).transpose()
}

async fn add_place(connection: &Opened, holder: &Holder, until: Instant) -> Result<(), DbError> {
    let sql = "INSERT INTO writer (writer, node, holder, fence, seq, mac, newest_at)
               SELECT coalesce(max(writer), 0) + 1, $1, $2, 0, 0, $3, 0 FROM writer ON CONFLICT DO NOTHING";
    let (node, process, genesis) = (holder.node.as_str(), holder.process.as_slice(), Mac::GENESIS.0.as_slice());
    within(until, connection.execute_typed(sql, params![node, process, genesis])).await?;
    Ok(())
}

/// Raises the fence of a place; `None` = another process has it.
async fn take(connection: &Opened, writer: i32, holder: &Holder, until: Instant) -> Result<Option<Slot>, DbError> {
    let begin = format!("BEGIN; SET LOCAL lock_timeout = {LOCK_TIMEOUT_MS}");
    within(until, connection.batch_execute(&begin)).await?;
    // The first time the place is taken from whoever had the node's name before; later only from itself.
    let sql = "UPDATE writer SET fence = fence + 1, holder = $2
               WHERE writer = $1 AND ($3 OR holder = $2) RETURNING fence, seq, mac, newest_at";
    let (process, is_first) = (holder.process.as_slice(), holder.writer.is_none());
    let rows = within(until, connection.query_typed(sql, params![writer, process, is_first])).await?;
    let newest = "SELECT position, tail FROM ledger ORDER BY position DESC, tail DESC LIMIT 1";
    let newest = within(until, connection.query_typed(newest, &[])).await?;
    within(until, connection.batch_execute("COMMIT")).await?;
    let Some(row) = rows.first() else { return Ok(None) };
    let columns = Columns(row);
    let tip = Tip {
        seq: columns.bits("seq", 63)?,
        mac: Mac(columns.bytes("mac")?),
        newest: newest.first().map(|row| Columns(row).check_id()).transpose()?,
        newest_at: columns.instant("newest_at")?,
    };
    Ok(Some(Slot { writer, fence: columns.get("fence")?, tip }))
}

/// A pause that begins short and doubles, never beyond the end.
pub(super) async fn pause(length: &mut Duration, until: Instant) {
    let wake = (Instant::now() + length.mul_f64(1.0 + fastrand::f64())).min(until);
    tokio::time::sleep_until(wake).await;
    *length *= 2;
}
