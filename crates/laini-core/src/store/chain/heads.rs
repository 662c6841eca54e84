use std::collections::BTreeMap;

use jiff::Timestamp;

use super::{ChainBreak, ChainHead, ChainKey, ChainVerifier, MINTED_BEFORE, Progress, ROWS_PER_PAGE};
use crate::billing::CheckId;
use crate::store::{Ledger, LedgerError};

/// Follows the chain of each writer from a head that stands to one that is to be proved, and says what does not fit.
///
/// A writer that `from` does not name is followed from its first row. `since` = no row after those of `from` was
/// decided before; `None` = from the beginning. `progress` is told how many rows more were read, and up to which instant.
pub async fn verify_heads(
    ledger: &dyn Ledger,
    key: ChainKey,
    from: &[ChainHead],
    to: &[ChainHead],
    since: Option<Timestamp>,
    mut progress: impl FnMut(u64, Timestamp),
) -> Result<Vec<ChainBreak>, LedgerError> {
    let ends: BTreeMap<u32, u64> = to.iter().map(|head| (head.writer, head.seq)).collect();
    let mut verifier = ChainVerifier::new(key, to.to_vec());
    for head in from {
        verifier.begin_after(head);
    }
    let before = |at| CheckId::from_parts(CheckId::floor(at).position().saturating_sub(MINTED_BEFORE), 0);
    let mut after = since.map(before);
    while !verifier.has_reached_heads() {
        let page = ledger.chain(after, ROWS_PER_PAGE).await?;
        let Some(last) = page.rows.last() else { break };
        after = Some(last.row.id);
        progress(u64::try_from(page.rows.len()).unwrap_or(u64::MAX), last.row.at);
        let is_asked = |writer: u32, seq: u64| ends.get(&writer).is_some_and(|end| seq <= *end);
        for row in page.rows.into_iter().filter(|row| is_asked(row.writer, row.seq)) {
            verifier.push(row);
        }
    }
    Ok(verifier.finish().1)
}

impl ChainVerifier {
    /// Begins a writer's chain after this head: rows up to it pass by, and a head there must be the same.
    fn begin_after(&mut self, head: &ChainHead) {
        let &ChainHead { writer, seq, mac, .. } = head;
        let behind =
            |known: &&ChainHead| known.writer == writer && (known.seq < seq || (known.seq == seq && known.mac != mac));
        let lost: Vec<ChainHead> = self.heads.values().flatten().filter(behind).copied().collect();
        self.breaks.extend(lost.iter().map(|&ChainHead { writer, seq, at, .. }| ChainBreak::HeadLost {
            writer,
            seq,
            at,
        }));
        let progress =
            Progress { begun_after: seq, next_seq: seq.saturating_add(1), last: mac, early: BTreeMap::new() };
        self.writers.insert(writer, progress);
    }

    /// Whether every head's place was come to.
    fn has_reached_heads(&self) -> bool {
        self.heads.keys().all(|(writer, seq)| self.writers.get(writer).is_some_and(|progress| progress.next_seq > *seq))
    }
}
