use std::collections::{BTreeMap, btree_map};
use std::iter::Peekable;
use std::sync::mpsc::{Receiver, sync_channel};

use jiff::Timestamp;
use laini_core::line::{LineState, Msisdn, RegistrySeal};
use laini_store::registry::columns::{key, msisdn};
use laini_store::registry::{Batch, Broken, KnownLine, Merged, Row, Settling, Tally};
use rusqlite::{Connection, Rows};

use super::failure::Failure;
use super::generation::{COLUMNS, read_row, with_extra, write_extra};

/// Batches that may wait for the inserting thread.
const BATCHES_AHEAD: usize = 8;
/// Lines that one statement inserts.
const LINES_PER_INSERT: usize = 32;

/// What is compared with a snapshot: the generation that serves.
pub(super) struct Previous {
    /// Reads one state of it throughout.
    pub(super) connection: Connection,
    pub(super) cut: Timestamp,
    /// The lines that later events changed, as they stood at the new snapshot's cut.
    pub(super) at_cut: BTreeMap<Msisdn, LineState>,
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
        let settling = scope.spawn(move || {
            let out = |batch| batches.send(batch).map_err(|_| Broken::Interrupted.into());
            let cut_before = previous.as_ref().map_or(Timestamp::MIN, |previous| previous.cut);
            let settling = Settling { cut, cut_before, seal };
            match previous {
                None => settling.settle_all(rows, std::iter::empty(), out),
                Some(Previous { connection, at_cut, .. }) => {
                    let mut statement =
                        connection.prepare(&format!("SELECT msisdn, {COLUMNS} FROM line ORDER BY msisdn"))?;
                    let known = Known::new(&connection, statement.query([])?, at_cut)?;
                    settling.settle_all(rows, known, out)
                }
            }
        });
        let inserted = insert_all(new, settled, progress);
        let tally = settling.join().map_err(|_| Broken::Interrupted)?;
        // An insert that failed interrupts the settling; its reason is the one to tell.
        inserted?;
        tally
    })
}

/// The lines of the serving generation, each with its state at the cut where that is another one.
struct Known<'a> {
    connection: &'a Connection,
    rows: Rows<'a>,
    next: Option<(Msisdn, Row)>,
    at_cut: Peekable<btree_map::IntoIter<Msisdn, LineState>>,
}

impl<'a> Known<'a> {
    fn new(connection: &'a Connection, rows: Rows<'a>, at_cut: BTreeMap<Msisdn, LineState>) -> Result<Self, Failure> {
        let mut known = Self { connection, rows, next: None, at_cut: at_cut.into_iter().peekable() };
        known.next = known.read()?;
        Ok(known)
    }

    fn read(&mut self) -> Result<Option<(Msisdn, Row)>, Failure> {
        let Some(row) = self.rows.next()? else { return Ok(None) };
        let (number, row) = (msisdn(row.get(0)?)?, read_row(row, 1)?);
        Ok(Some((number, with_extra(self.connection, number, row)?)))
    }
}

impl Iterator for Known<'_> {
    type Item = Result<KnownLine, Failure>;

    fn next(&mut self) -> Option<Self::Item> {
        let row = self.next.as_ref().map(|(number, _)| *number);
        if let Some((number, state)) = self.at_cut.next_if(|(number, _)| row.is_none_or(|row| *number < row)) {
            return Some(Ok(KnownLine { msisdn: number, row: None, at_cut: Some(state) }));
        }
        let (number, row) = self.next.take()?;
        let at_cut = self.at_cut.next_if(|(changed, _)| *changed == number).map(|(_, state)| state);
        match self.read() {
            Ok(next) => self.next = next,
            Err(failure) => return Some(Err(failure)),
        }
        Some(Ok(KnownLine { msisdn: number, row: Some(row), at_cut }))
    }
}

fn insert_all(
    new: &Connection,
    settled: Receiver<Batch>,
    progress: &(dyn Fn(u64) + Send + Sync),
) -> Result<(), Failure> {
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
    Ok(())
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
