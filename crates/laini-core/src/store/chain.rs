mod heads;

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::fmt::Write as _;

use hmac::{Hmac, Mac as _};
use jiff::Timestamp;
use sha2::Sha256;

use super::{ChainRow, Ledger, LedgerError, LedgerRow};
use crate::billing::{CheckId, Money};
use crate::mac::keyed;
use crate::partner::AgreementId;

pub use heads::verify_heads;

/// A link: HMAC-SHA-256 over the link before it and the row.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Mac(pub [u8; 32]);

impl Mac {
    /// What the first row of a writer's chain is linked to.
    pub const GENESIS: Self = Self([0; 32]);

    /// In hexadecimal, for heads and people.
    pub fn hex(&self) -> String {
        self.0.iter().fold(String::with_capacity(64), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        })
    }

    /// Reads what [`Mac::hex`] writes.
    pub fn parse(text: &str) -> Option<Self> {
        let fits = text.len() == 64 && text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
        let mut bytes = [0; 32];
        for (byte, at) in bytes.iter_mut().zip((0..64).step_by(2)) {
            *byte = fits.then(|| u8::from_str_radix(&text[at..at + 2], 16).ok())??;
        }
        Some(Self(bytes))
    }
}

impl fmt::Debug for Mac {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.hex())
    }
}

/// Where a writer's chain ended at some instant, written down outside of the ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChainHead {
    /// When it was written down.
    pub at: Timestamp,
    /// Which writer.
    pub writer: u32,
    /// Its last row then.
    pub seq: u64,
    /// The link of that row.
    pub mac: Mac,
}

/// The key of the chain.
#[derive(Clone)]
pub struct ChainKey(Hmac<Sha256>);

impl ChainKey {
    /// A key of 256 bits.
    pub fn new(key: &[u8; 32]) -> Self {
        Self(keyed(key))
    }

    /// The link of a row: over the previous link, the writer, the place and every field of the row.
    pub fn link(&self, previous: Mac, writer: u32, seq: u64, row: &LedgerRow) -> Mac {
        let mut mac = self.0.clone();
        let mut number = |value: u64| mac.update(&value.to_be_bytes());
        number(u64::from(writer));
        number(seq);
        number(row.id.position());
        number(row.id.tail());
        number(row.at.as_microsecond().cast_unsigned());
        number(row.partner.as_u64());
        number(row.app.as_u64());
        number(row.agreement.map_or(u64::MAX, AgreementId::as_u64));
        number(u64::from(row.price_version));
        number(row.as_of.map_or(u64::MAX, |at| at.as_microsecond().cast_unsigned()));
        number(u64::from(row.policy_version));
        let mut money = |amount: Money| {
            mac.update(&amount.minor.to_be_bytes());
            mac.update(amount.currency.as_str().as_bytes());
        };
        money(row.list_price);
        money(row.charge);
        for word in [row.product.word(), row.environment.word(), row.purpose.word(), row.outcome.word()] {
            mac.update(&[u8::try_from(word.len()).unwrap_or(u8::MAX)]);
            mac.update(word.as_bytes());
        }
        mac.update(&row.side_digest);
        // Only reversals have one, and their outcome says so: no other row's link is changed by it.
        if let Some(reversed) = row.reverses {
            mac.update(reversed.uuid().as_bytes());
        }
        mac.update(&previous.0);
        Mac(mac.finalize().into_bytes().into())
    }
}

impl fmt::Debug for ChainKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ChainKey(…)")
    }
}

/// What a verification found wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ChainBreak {
    /// A row's link does not follow from the row before it: it, or that one, was altered.
    #[error("row {seq} of writer {writer} was altered (or the one before it)")]
    Altered {
        /// Which writer.
        writer: u32,
        /// Which place.
        seq: u64,
    },
    /// A place in the chain has no row.
    #[error("row {seq} of writer {writer} is missing")]
    Missing {
        /// Which writer.
        writer: u32,
        /// Which place.
        seq: u64,
    },
    /// A place in the chain has two rows.
    #[error("row {seq} of writer {writer} stands there twice")]
    Doubled {
        /// Which writer.
        writer: u32,
        /// Which place.
        seq: u64,
    },
    /// A head that was written down elsewhere is not in the chain: its tail was cut or rewritten.
    #[error(
        "the ledger of writer {writer} once reached row {seq} as written down at {at}; the chain does not hold that row now"
    )]
    HeadLost {
        /// Which writer.
        writer: u32,
        /// Which place.
        seq: u64,
        /// When the head was written down.
        at: Timestamp,
    },
    /// The sealed side row is another one than was recorded.
    #[error("the sealed facts of row {seq} of writer {writer} were altered")]
    SideAltered {
        /// Which writer.
        writer: u32,
        /// Which place.
        seq: u64,
    },
}

/// Verifies chains from rows that come roughly in order: ids and places may differ by the number of
/// requests that were under way at once, which bounds what it keeps.
pub struct ChainVerifier {
    key: ChainKey,
    /// By writer and place.
    heads: HashMap<(u32, u64), Vec<ChainHead>>,
    writers: BTreeMap<u32, Progress>,
    rows: u64,
    breaks: Vec<ChainBreak>,
}

#[derive(Debug)]
struct Progress {
    /// Rows up to this place are not looked at.
    begun_after: u64,
    next_seq: u64,
    last: Mac,
    early: BTreeMap<u64, (LedgerRow, Mac)>,
}

impl Default for Progress {
    fn default() -> Self {
        Self { begun_after: 0, next_seq: 1, last: Mac::GENESIS, early: BTreeMap::new() }
    }
}

/// Rows that are kept while the one before them is awaited; ids and places of checks that ran at once
/// differ by less.
const PLACES_AHEAD: usize = 100_000;

/// Longer than a check lives between its minting and its row: 60 s, as a difference of
/// [`CheckId::position`].
const MINTED_BEFORE: u64 = 60_000 << 12;

impl ChainVerifier {
    /// A verification against the heads that were written down elsewhere.
    pub fn new(key: ChainKey, heads: Vec<ChainHead>) -> Self {
        let mut by_place: HashMap<_, Vec<ChainHead>> = HashMap::new();
        for head in heads {
            by_place.entry((head.writer, head.seq)).or_default().push(head);
        }
        Self { key, heads: by_place, writers: BTreeMap::new(), rows: 0, breaks: Vec::new() }
    }

    /// Takes the next row.
    pub fn push(&mut self, row: ChainRow) {
        let (writer, seq) = (row.writer, row.seq);
        if self.writers.get(&writer).is_some_and(|progress| seq <= progress.begun_after) {
            return;
        }
        self.rows += 1;
        if row.side_digest_now.is_some_and(|now| now != row.row.side_digest) {
            self.breaks.push(ChainBreak::SideAltered { writer, seq });
        }
        let progress = self.writers.entry(writer).or_default();
        if seq < progress.next_seq || progress.early.insert(seq, (row.row, row.mac)).is_some() {
            self.breaks.push(ChainBreak::Doubled { writer, seq });
            return;
        }
        let is_far_ahead = progress.early.len() > PLACES_AHEAD;
        self.advance(writer);
        if is_far_ahead {
            self.skip_gap(writer);
        }
    }

    /// Gives up on the place that the chain waits for: it goes on after it.
    fn skip_gap(&mut self, writer: u32) {
        let Some(progress) = self.writers.get_mut(&writer) else { return };
        if let Some((seq, (_, mac))) = progress.early.pop_first() {
            self.breaks.push(ChainBreak::Missing { writer, seq: progress.next_seq });
            progress.next_seq = seq + 1;
            progress.last = mac;
        }
        self.advance(writer);
    }

    /// The id after which to read again where places were passed over, `None` where none were.
    ///
    /// Beside a running writer a row can be committed behind the page that was just read. A writer
    /// commits its places in order, so whoever reads again after seeing a place sees all before it.
    pub fn passed_over(&self) -> Option<CheckId> {
        let early = self.writers.values().filter_map(|progress| progress.early.values().next());
        let first = early.map(|(row, _)| row.id.position()).min()?;
        Some(CheckId::from_parts(first.saturating_sub(MINTED_BEFORE), 0))
    }

    /// Takes a row of the second reading if its place was passed over in the first.
    pub fn fill(&mut self, row: ChainRow) {
        let Some(progress) = self.writers.get(&row.writer) else { return };
        let passed_over = row.seq >= progress.next_seq
            && !progress.early.contains_key(&row.seq)
            && progress.early.keys().next_back().is_some_and(|last| row.seq < *last);
        if passed_over {
            self.push(row);
        }
    }

    fn advance(&mut self, writer: u32) {
        let Some(progress) = self.writers.get_mut(&writer) else { return };
        while let Some((row, mac)) = progress.early.remove(&progress.next_seq) {
            let seq = progress.next_seq;
            if self.key.link(progress.last, writer, seq, &row) != mac {
                self.breaks.push(ChainBreak::Altered { writer, seq });
            }
            for head in self.heads.get(&(writer, seq)).into_iter().flatten().filter(|head| head.mac != mac) {
                self.breaks.push(ChainBreak::HeadLost { writer, seq, at: head.at });
            }
            // One altered row is one finding: the chain goes on from what stands there.
            progress.last = mac;
            progress.next_seq += 1;
        }
    }

    /// Ends the verification: the number of rows seen, and everything that is wrong.
    pub fn finish(mut self) -> (u64, Vec<ChainBreak>) {
        let writers: Vec<u32> = self.writers.keys().copied().collect();
        for writer in writers {
            while self.writers.get(&writer).is_some_and(|progress| !progress.early.is_empty()) {
                self.skip_gap(writer);
            }
        }
        let mut lost: Vec<ChainHead> = self.heads.into_values().flatten().collect();
        lost.retain(|head| head.seq >= self.writers.get(&head.writer).map_or(1, |progress| progress.next_seq));
        lost.sort_by_key(|head| (head.writer, head.seq));
        let lost = lost.iter().map(|&ChainHead { writer, seq, at, .. }| ChainBreak::HeadLost { writer, seq, at });
        self.breaks.extend(lost);
        (self.rows, self.breaks)
    }
}

/// Verifies a whole ledger against its heads, also beside a running writer: what was recorded before
/// the call is verified. `progress` is told how many rows were read.
pub async fn verify_ledger(
    ledger: &dyn Ledger,
    key: ChainKey,
    mut progress: impl FnMut(u64),
) -> Result<(u64, Vec<ChainBreak>), LedgerError> {
    // Heads first: each of them then has its row among those that are read.
    let mut verifier = ChainVerifier::new(key, ledger.heads().await?);
    let end = ledger.newest().await?;
    let mut after = None;
    while after < end {
        let page = ledger.chain(after, ROWS_PER_PAGE).await?;
        let Some(last) = page.rows.last() else { break };
        after = Some(last.row.id);
        for row in page.rows {
            verifier.push(row);
        }
        progress(verifier.rows);
    }
    // A place that was passed over is near the ids that were read, or nowhere: traffic goes on, this ends.
    let last = after.map_or(0, |id| id.position().saturating_add(MINTED_BEFORE));
    let mut again = verifier.passed_over();
    while let Some(after) = again.filter(|id| id.position() <= last) {
        let page = ledger.chain(Some(after), ROWS_PER_PAGE).await?;
        again = page.rows.last().map(|last| last.row.id);
        for row in page.rows {
            verifier.fill(row);
        }
        if verifier.passed_over().is_none() {
            break;
        }
    }
    Ok(verifier.finish())
}

/// Whether a ledger was written under this key: some row near its beginning fits its predecessor. An empty
/// ledger was written under any. A row that was altered speaks for no other key.
pub async fn is_written_under(ledger: &dyn Ledger, key: &ChainKey) -> Result<bool, LedgerError> {
    let rows = ledger.chain(None, ROWS_PER_PAGE).await?.rows;
    let macs: HashMap<(u32, u64), Mac> = rows.iter().map(|row| ((row.writer, row.seq), row.mac)).collect();
    let fits = |row: &ChainRow| {
        let previous = if row.seq == 1 { Some(&Mac::GENESIS) } else { macs.get(&(row.writer, row.seq - 1)) };
        previous.is_some_and(|previous| key.link(*previous, row.writer, row.seq, &row.row) == row.mac)
    };
    Ok(rows.is_empty() || rows.iter().any(fits))
}

/// Rows that [`verify_ledger`] reads at once.
const ROWS_PER_PAGE: usize = 4_000;

#[cfg(test)]
mod tests;
