use std::io::{self, Read};
use std::sync::mpsc::{Receiver, sync_channel};
use std::sync::{Arc, Mutex};

use csv::ByteRecord;
use jiff::Timestamp;
use laini_core::line::{ContractType, HashedImsi, Imsi, LineStatus, Msisdn, NumberPlan, SnapshotRow, Swap, SwapCause};

use super::Instants;
use super::blocks::{Block, Blocks};

/// Blocks that may wait between two stages.
const QUEUED_BLOCKS: usize = 4;

/// What rows are read by.
#[derive(Debug, Clone)]
pub struct SnapshotRules {
    /// The operator's number plan.
    pub plan: NumberPlan,
    /// How instants are read, and which are in the future.
    pub instants: Instants,
    /// Threads that parse (1 to 64).
    pub workers: usize,
}

/// Why an extract cannot be read at all.
#[derive(Debug, thiserror::Error)]
pub enum SnapshotError {
    /// The file has no header.
    #[error("is empty: expected a header with msisdn, imsi and registered_at")]
    Empty,
    /// A column that must be there is not.
    #[error("has no column `{0}`; the header must name msisdn, imsi and registered_at (in any case and order)")]
    MissingColumn(&'static str),
    /// A column that stands there twice.
    #[error("names the column `{0}` twice")]
    DoubleColumn(&'static str),
    /// Reading failed.
    #[error("cannot be read: {0}")]
    Read(#[from] io::Error),
}

/// Where each column stands.
#[derive(Debug, Clone, Copy, Default)]
pub struct SnapshotColumns {
    msisdn: usize,
    imsi: usize,
    registered_at: usize,
    last_swap_at: Option<usize>,
    swap_cause: Option<usize>,
    status: Option<usize>,
    contract_type: Option<usize>,
    holder_since: Option<usize>,
    hashed_imsi: Option<usize>,
}

impl SnapshotColumns {
    /// Whether the extract says when SIMs were swapped.
    pub fn has_swaps(&self) -> bool {
        self.last_swap_at.is_some()
    }

    fn of(header: &[u8]) -> Result<Self, SnapshotError> {
        let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(header);
        let mut record = ByteRecord::new();
        if !reader.read_byte_record(&mut record).map_err(io::Error::other)? {
            return Err(SnapshotError::Empty);
        }
        let find = |name: &'static str| {
            let mut places =
                record.iter().enumerate().filter(|(_, cell)| cell.trim_ascii().eq_ignore_ascii_case(name.as_bytes()));
            match (places.next(), places.next()) {
                (Some(_), Some(_)) => Err(SnapshotError::DoubleColumn(name)),
                (place, _) => Ok(place.map(|(at, _)| at)),
            }
        };
        let need = |name| find(name)?.ok_or(SnapshotError::MissingColumn(name));
        Ok(Self {
            msisdn: need("msisdn")?,
            imsi: need("imsi")?,
            registered_at: need("registered_at")?,
            last_swap_at: find("last_swap_at")?,
            swap_cause: find("swap_cause")?,
            status: find("status")?,
            contract_type: find("contract_type")?,
            holder_since: find("holder_since")?,
            hashed_imsi: find("hashed_imsi")?,
        })
    }
}

/// A row that was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RejectedRow {
    /// Its line in the file, from 1 (the header).
    pub line: u64,
    /// Its number, where that could be read.
    pub msisdn: Option<Msisdn>,
    /// Why, without personal data.
    pub reason: String,
}

/// What one block of an extract held.
#[derive(Debug, Default)]
pub struct ParsedBlock {
    /// The rows that are good.
    pub rows: Vec<SnapshotRow>,
    /// The rows that are not.
    pub rejected: Vec<RejectedRow>,
    /// The newest instant in the good rows.
    pub newest: Option<Timestamp>,
}

/// Reads an extract: the header first, then its rows in blocks, in no order, as `take` asks for them.
///
/// Several threads parse; `take` runs on the caller's and may stop the reading with an error.
/// Memory is bounded by a few blocks of one megabyte.
pub fn read_snapshot<E: From<SnapshotError>>(
    input: impl Read + Send,
    rules: &SnapshotRules,
    start: impl FnOnce(&SnapshotColumns) -> Result<(), E>,
    mut take: impl FnMut(ParsedBlock) -> Result<(), E>,
) -> Result<(), E> {
    let mut blocks = Blocks::new(input);
    let header = blocks.header().map_err(SnapshotError::from)?.ok_or(SnapshotError::Empty)?;
    let columns = SnapshotColumns::of(&header)?;
    start(&columns)?;
    std::thread::scope(|scope| {
        let (to_workers, cut) = sync_channel::<Block>(QUEUED_BLOCKS);
        let (to_taker, parsed) = sync_channel::<io::Result<ParsedBlock>>(QUEUED_BLOCKS);
        let cut = Arc::new(Mutex::new(cut));
        for _ in 0..rules.workers.clamp(1, 64) {
            let (cut, to_taker) = (Arc::clone(&cut), to_taker.clone());
            scope.spawn(move || {
                while let Some(block) = receive(&cut) {
                    if to_taker.send(Ok(parse_block(&block, &columns, rules))).is_err() {
                        return;
                    }
                }
            });
        }
        // Only the workers hold the receiving end from here, so that the cutter stops when they do.
        drop(cut);
        scope.spawn(move || {
            loop {
                let block = match blocks.next() {
                    Ok(Some(block)) => block,
                    Ok(None) => return,
                    Err(error) => {
                        let _ = to_taker.send(Err(error));
                        return;
                    }
                };
                if to_workers.send(block).is_err() {
                    return;
                }
            }
        });
        for block in parsed {
            take(block.map_err(SnapshotError::from)?)?;
        }
        Ok(())
    })
}

fn receive(cut: &Mutex<Receiver<Block>>) -> Option<Block> {
    cut.lock().ok()?.recv().ok()
}

fn parse_block(block: &Block, columns: &SnapshotColumns, rules: &SnapshotRules) -> ParsedBlock {
    let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(block.bytes.as_slice());
    let mut record = ByteRecord::new();
    let mut parsed = ParsedBlock::default();
    loop {
        match reader.read_byte_record(&mut record) {
            Ok(false) => return parsed,
            Ok(true) => {}
            // Reading from memory with flexible lengths cannot fail; if it did, the rest is not rows.
            Err(error) => {
                parsed.rejected.push(RejectedRow { line: block.first_line, msisdn: None, reason: error.to_string() });
                return parsed;
            }
        }
        let row = RowReader { record: &record, columns, rules };
        match row.read() {
            Ok(row) => {
                parsed.newest = parsed.newest.max(Some(newest_instant(&row)));
                parsed.rows.push(row);
            }
            Err(reason) => {
                let line = record.position().map_or(block.first_line, |at| block.line_of(at));
                parsed.rejected.push(RejectedRow { line, msisdn: row.msisdn().ok(), reason });
            }
        }
    }
}

fn newest_instant(row: &SnapshotRow) -> Timestamp {
    let swap = row.last_swap.flatten().map_or(row.registered, |swap| swap.at);
    swap.max(row.registered).max(row.holder_since.unwrap_or(row.registered))
}

struct RowReader<'a> {
    record: &'a ByteRecord,
    columns: &'a SnapshotColumns,
    rules: &'a SnapshotRules,
}

impl RowReader<'_> {
    fn read(&self) -> Result<SnapshotRow, String> {
        let columns = self.columns;
        let msisdn = self.msisdn()?;
        let imsi = Imsi::parse(self.cell(columns.imsi, "imsi")?).map_err(|e| format!("imsi: {e}"))?;
        let registered = self.instant(columns.registered_at, "registered_at")?.ok_or("registered_at is empty")?;
        Ok(SnapshotRow {
            msisdn,
            imsi,
            registered,
            last_swap: columns.last_swap_at.map(|at| self.swap(at)).transpose()?,
            status: self.word(columns.status, "status", LineStatus::parse)?.unwrap_or(LineStatus::Active),
            contract: self.word(columns.contract_type, "contract_type", ContractType::parse)?,
            holder_since: match columns.holder_since {
                Some(at) => self.instant(at, "holder_since")?,
                None => None,
            },
            hashed_imsi: self.word(columns.hashed_imsi, "hashed_imsi", |text| HashedImsi::parse(text).ok())?,
        })
    }

    fn msisdn(&self) -> Result<Msisdn, String> {
        let text = self.cell(self.columns.msisdn, "msisdn")?;
        self.rules.plan.parse_spaced(text).map_err(|e| format!("msisdn: {e}"))
    }

    fn swap(&self, at: usize) -> Result<Option<Swap>, String> {
        let cause = self.word(self.columns.swap_cause, "swap_cause", SwapCause::parse)?;
        let at = self.instant(at, "last_swap_at")?;
        Ok(at.map(|at| Swap { at, cause: cause.unwrap_or(SwapCause::Replacement) }))
    }

    fn instant(&self, at: usize, name: &str) -> Result<Option<Timestamp>, String> {
        let text = self.cell(at, name)?;
        if text.is_empty() {
            return Ok(None);
        }
        self.rules.instants.parse(text).map(Some).map_err(|e| format!("{name} {e}"))
    }

    fn word<T>(&self, at: Option<usize>, name: &str, parse: impl Fn(&str) -> Option<T>) -> Result<Option<T>, String> {
        let Some(at) = at else { return Ok(None) };
        let text = self.cell(at, name)?;
        if text.is_empty() {
            return Ok(None);
        }
        parse(text).map(Some).ok_or_else(|| format!("{name} is none of the known words"))
    }

    fn cell(&self, at: usize, name: &str) -> Result<&str, String> {
        let cell = self.record.get(at).ok_or_else(|| format!("{name} is missing: the row is too short"))?;
        std::str::from_utf8(cell).map(str::trim_ascii).map_err(|_| format!("{name} is not UTF-8"))
    }
}

#[cfg(test)]
mod tests;
