use std::io::{self, Read};
use std::sync::mpsc::{Receiver, sync_channel};
use std::sync::{Arc, Mutex};

use csv::ByteRecord;
use jiff::Timestamp;
use laini_core::line::{ContractType, HashedImsi, Imsi, LineStatus, Msisdn, NumberPlan, SnapshotRow, Swap, SwapCause};

use super::Instants;
use super::blocks::{Block, Blocks};

/// Why a row is refused that has others in one of its fields.
const OPEN_QUOTE: &str = "a field goes on over other rows; close its quotation mark, or take the line breaks out of it";

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
    /// How many there are, the others too.
    count: usize,
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
            count: record.len(),
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
        let line = || record.position().map_or(block.first_line, |at| block.line_of(at));
        if memchr::memchr(b'\n', record.as_slice()).is_some() {
            let text = block.text(record.position(), reader.position());
            let within = row.rows_within(text);
            if row.holds_rows() || !within.is_empty() {
                let line = line();
                let msisdn = row.msisdn().or_else(|_| row.msisdn_of(text)).ok();
                parsed.rejected.push(RejectedRow { line, msisdn, reason: OPEN_QUOTE.to_owned() });
                parsed.rejected.extend(within.into_iter().map(|(after, msisdn)| {
                    let reason = format!("stands in a field of the row that begins on line {line}");
                    RejectedRow { line: line + after, msisdn: Some(msisdn), reason }
                }));
                continue;
            }
        }
        match row.read() {
            Ok(row) => {
                parsed.newest = parsed.newest.max(Some(newest_instant(&row)));
                parsed.rows.push(row);
            }
            Err(reason) => {
                parsed.rejected.push(RejectedRow { line: line(), msisdn: row.msisdn().ok(), reason });
            }
        }
    }
}

fn newest_instant(row: &SnapshotRow) -> Timestamp {
    let swap = row.last_swap.flatten().map_or(row.registered, |swap| swap.at);
    swap.max(row.registered).max(row.holder_since.unwrap_or(row.registered))
}

fn lines(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    text.split(|byte| *byte == b'\n')
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
        self.number(self.cell(self.columns.msisdn, "msisdn")?)
    }

    fn number(&self, text: &str) -> Result<Msisdn, String> {
        self.rules.plan.parse_spaced(text).map_err(|e| format!("msisdn: {e}"))
    }

    /// Whether a field goes on over whole rows, so that its quotation mark seems not to be closed.
    fn holds_rows(&self) -> bool {
        self.record.iter().any(|field| lines(field).skip(1).any(|line| self.is_whole(line)))
    }

    /// The numbers of other rows on the lines of a record after its first one, and how many lines after that.
    /// Where a quotation mark is not closed, these rows are no records: nobody else would miss them.
    fn rows_within(&self, text: &[u8]) -> Vec<(u64, Msisdn)> {
        let own = self.msisdn().or_else(|_| self.msisdn_of(text)).ok();
        let numbered = (0..).zip(lines(text)).skip(1);
        let whole = numbered.filter(|(_, line)| self.is_whole(line));
        let numbers = whole.filter_map(|(after, line)| Some((after, self.msisdn_of(line).ok()?)));
        numbers.filter(|(_, number)| Some(*number) != own).collect()
    }

    /// Whether a line has the cells of a row: a number alone is text.
    fn is_whole(&self, line: &[u8]) -> bool {
        memchr::memchr_iter(b',', line).count() + 1 >= self.columns.count
    }

    /// The number of a row on its first line, whatever its quotation marks say.
    fn msisdn_of(&self, text: &[u8]) -> Result<Msisdn, String> {
        let line = lines(text).next().unwrap_or_default();
        let cell = line.split(|byte| *byte == b',').nth(self.columns.msisdn).unwrap_or_default();
        let text = std::str::from_utf8(cell).map_err(|_| "msisdn is not UTF-8".to_owned())?;
        self.number(text.trim_matches(['"', '\r']))
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
