use std::collections::HashMap;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use jiff::Timestamp;
use laini_core::line::{Before, LineState, Msisdn, RegistrySeal, settle};
use rusqlite::{Connection, Rows};

use super::columns::{key, msisdn};
use super::failure::Failure;
use super::generation::{with_extra, write_extra};
use super::row::{COLUMNS, Row};
use super::sort::{Merged, Packed};

/// Lines that travel together from the settling thread to the inserting one.
const BATCH_LINES: usize = 4_096;
/// Batches that may wait for the inserting thread.
const BATCHES_AHEAD: usize = 8;
/// Lines that one statement inserts.
const LINES_PER_INSERT: usize = 32;

type Batch = Vec<(Msisdn, Row)>;

/// What is compared with a snapshot: the generation that serves.
pub(super) struct Previous {
    /// Reads one state of it throughout.
    pub(super) connection: Connection,
    pub(super) cut: Timestamp,
    /// The lines that later events changed, as they stood at the new snapshot's cut.
    pub(super) at_cut: HashMap<Msisdn, LineState>,
}

/// What the pass over all rows counted.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Tally {
    /// Lines that the snapshot states.
    pub(super) lines: u64,
    /// Lines that it no longer names; kept as given up, so that their next holder is a new one.
    pub(super) carried: u64,
    pub(super) repeated: u64,
    pub(super) contradicted: u64,
}

/// Settles all rows against what was known and inserts the lines into `new`, in order, in one pass:
/// one thread settles while the caller's inserts.
pub(super) fn write_lines(
    new: &Connection,
    rows: Merged,
    previous: Option<Previous>,
    cut: Timestamp,
    seal: &RegistrySeal,
    progress: &(dyn Fn(u64) + Send + Sync),
) -> Result<Tally, Failure> {
    let (batches, settled) = sync_channel(BATCHES_AHEAD);
    std::thread::scope(|scope| {
        let settling = scope.spawn(move || settle_all(rows, previous.as_ref(), cut, seal, &batches));
        let lines = insert_all(new, settled, progress);
        let tally = settling.join().map_err(|_| Failure::Interrupted)?;
        // An insert that failed interrupts the settling; its reason is the one to tell.
        let written = lines?;
        let tally = tally?;
        Ok(Tally { lines: written - tally.carried, ..tally })
    })
}

fn insert_all(
    new: &Connection,
    settled: Receiver<Batch>,
    progress: &(dyn Fn(u64) + Send + Sync),
) -> Result<u64, Failure> {
    const HEAD: &str = "INSERT INTO line(msisdn, imsi, registered, swapped, flags, holder, paired) VALUES ";
    let values = ["(?, ?, ?, ?, ?, ?, ?)"; LINES_PER_INSERT];
    let mut many = new.prepare(&format!("{HEAD}{}", values.join(", ")))?;
    let mut one = new.prepare(&format!("{HEAD}{}", values[0]))?;
    let mut lines = 0;
    for batch in settled {
        for chunk in batch.chunks(LINES_PER_INSERT) {
            if chunk.len() == LINES_PER_INSERT {
                insert(&mut many, chunk)?;
            } else {
                for line in chunk {
                    insert(&mut one, std::slice::from_ref(line))?;
                }
            }
        }
        for (number, row) in &batch {
            write_extra(new, *number, row)?;
            lines += u64::from(row.is_known());
        }
        progress(lines);
    }
    Ok(lines)
}

fn insert(statement: &mut rusqlite::Statement<'_>, lines: &[(Msisdn, Row)]) -> Result<(), Failure> {
    let mut at = 1;
    for (number, row) in lines {
        statement.raw_bind_parameter(at, key(*number))?;
        statement.raw_bind_parameter(at + 1, row.imsi)?;
        statement.raw_bind_parameter(at + 2, row.registered)?;
        statement.raw_bind_parameter(at + 3, row.swapped)?;
        statement.raw_bind_parameter(at + 4, row.flags)?;
        statement.raw_bind_parameter(at + 5, row.holder)?;
        statement.raw_bind_parameter(at + 6, row.paired)?;
        at += 7;
    }
    statement.raw_execute()?;
    Ok(())
}

fn settle_all(
    mut rows: Merged,
    previous: Option<&Previous>,
    cut: Timestamp,
    seal: &RegistrySeal,
    batches: &SyncSender<Batch>,
) -> Result<Tally, Failure> {
    let sql = format!("SELECT msisdn, {COLUMNS} FROM line ORDER BY msisdn");
    let mut statement = previous.map(|previous| previous.connection.prepare(&sql)).transpose()?;
    let mut known = match (previous, &mut statement) {
        (Some(previous), Some(statement)) => Some(Known { previous, rows: statement.query([])?, head: None }),
        _ => None,
    };
    let mut tally = Tally::default();
    let mut out = Out { batch: Vec::with_capacity(BATCH_LINES), batches };
    let mut next = rows.next()?;
    while let Some(first) = next {
        let number = first.number()?;
        let mut stated = Stated::default();
        let mut same_number = first.clone();
        loop {
            stated.add(same_number);
            match rows.next()? {
                Some(row) if row.is_about_the_number_of(&first) => same_number = row,
                other => {
                    next = other;
                    break;
                }
            }
        }
        tally.repeated += stated.repeated;
        tally.contradicted += u64::from(stated.contradicted);
        let before = match &mut known {
            Some(known) => {
                tally.carried += known.give_up_before(Some(number), &mut out, seal)?;
                known.before(number, seal)?
            }
            None => LineState::default(),
        };
        let previous_cut = previous.map_or(Timestamp::MIN, |previous| previous.cut);
        let state = stated.state(before, previous_cut, cut, seal)?;
        if let Some(row) = Row::of(&state, number, seal) {
            out.add(number, row)?;
        }
    }
    if let Some(known) = &mut known {
        tally.carried += known.give_up_before(None, &mut out, seal)?;
    }
    batches.send(out.batch).map_err(|_| Failure::Interrupted)?;
    Ok(tally)
}

/// Lines on their way to the inserting thread.
struct Out<'a> {
    batch: Batch,
    batches: &'a SyncSender<Batch>,
}

impl Out<'_> {
    fn add(&mut self, number: Msisdn, row: Row) -> Result<(), Failure> {
        self.batch.push((number, row));
        if self.batch.len() < BATCH_LINES {
            return Ok(());
        }
        let full = std::mem::replace(&mut self.batch, Vec::with_capacity(BATCH_LINES));
        self.batches.send(full).map_err(|_| Failure::Interrupted)
    }
}

/// All that a snapshot says about one number.
#[derive(Default)]
struct Stated {
    first: Option<Packed>,
    repeated: u64,
    contradicted: bool,
    refused: bool,
}

impl Stated {
    fn add(&mut self, row: Packed) {
        match &self.first {
            _ if row.is_refused() => self.refused = true,
            None => self.first = Some(row),
            Some(first) if *first == row => self.repeated += 1,
            Some(_) => self.contradicted = true,
        }
    }

    /// A line that cannot be believed keeps what was known about it: what comes later stands on that.
    fn state(
        self,
        before: LineState,
        previous_cut: Timestamp,
        cut: Timestamp,
        seal: &RegistrySeal,
    ) -> Result<LineState, Failure> {
        let source_rejected = self.refused || self.contradicted;
        let line = match self.first.filter(|_| !self.contradicted) {
            None => before.line,
            Some(row) => {
                let before = before.line.as_ref().map(|line| Before { line, cut: previous_cut });
                Some(settle(before, &row.open(seal)?, cut))
            }
        };
        Ok(LineState { line, source_rejected })
    }
}

/// The lines of the serving generation, read once, in step with the snapshot's.
struct Known<'a> {
    previous: &'a Previous,
    rows: Rows<'a>,
    head: Option<(Msisdn, Row)>,
}

impl Known<'_> {
    /// What was known about `number`, once [`Known::give_up_before`] has come to it.
    fn before(&mut self, number: Msisdn, seal: &RegistrySeal) -> Result<LineState, Failure> {
        let row = self.head.take_if(|head| head.0 == number);
        if let Some(state) = self.previous.at_cut.get(&number) {
            return Ok(state.clone());
        }
        match row {
            None => Ok(LineState::default()),
            Some((_, row)) => with_extra(&self.previous.connection, number, row)?.open(number, seal),
        }
    }

    /// Gives up every line before `number` (`None` = to the end) that the snapshot has passed over.
    /// Numbers come in ascending order. Returns how many there were.
    fn give_up_before(
        &mut self,
        number: Option<Msisdn>,
        out: &mut Out<'_>,
        seal: &RegistrySeal,
    ) -> Result<u64, Failure> {
        let mut given_up = 0;
        loop {
            if self.head.is_none() {
                let Some(row) = self.rows.next()? else { return Ok(given_up) };
                self.head = Some((msisdn(row.get(0)?)?, Row::read(row, 1)?));
            }
            let Some((missing, row)) = self.head.take_if(|head| number.is_none_or(|number| head.0 < number)) else {
                return Ok(given_up);
            };
            let row = match self.previous.at_cut.get(&missing) {
                Some(state) => Row::of(state, missing, seal),
                None => Some(with_extra(&self.previous.connection, missing, row)?),
            };
            if let Some(row) = row.filter(Row::is_known) {
                out.add(missing, row.given_up())?;
                given_up += 1;
            }
        }
    }
}
