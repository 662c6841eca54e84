use jiff::Timestamp;
use laini_core::line::{
    ContractType, HashedImsi, Line, LineState, LineStatus, Msisdn, RegistrySeal, SealedImsi, Swap, SwapCause,
};

use super::Broken;
use super::columns::{nth, position, second};

/// A line's state as a row keeps it: the IMSI sealed, instants in whole seconds since 1970, the rest
/// in `flags`. A line without data that the feed refused has no IMSI.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Row {
    /// The sealed IMSI.
    pub imsi: Option<[u8; 16]>,
    /// When the number was registered.
    pub registered: i64,
    /// The last swap.
    pub swapped: Option<i64>,
    /// Status, contract, cause of the swap, marks, and the swap behind a learned one, as bits.
    pub flags: i64,
    /// Since when the holder has the number.
    pub holder: Option<i64>,
    /// When number and SIM were paired last.
    pub paired: Option<i64>,
    /// The operator's own hash: few feeds have it.
    pub hashed: Option<HashedImsi>,
}

// The bits of `flags`. The common line (active, pay as you go) stays below 128: one byte on disk.
const STATUS_MASK: i64 = 0b11;
const CONTRACT_SHIFT: u32 = 2;
const CONTRACT_MASK: i64 = 0b11;
const CAUSE_SHIFT: u32 = 4;
const CAUSE_MASK: i64 = 0b111;
const RESTRICTED: i64 = 1 << 7;
const SOURCE_REJECTED: i64 = 1 << 8;
/// There is an operator's hash: an engine may keep it elsewhere.
const HAS_EXTRA: i64 = 1 << 9;
/// No snapshot stated the swap.
const SWAP_LEARNED: i64 = 1 << 10;
/// What is behind the learned swap is known: nothing, or what the upper bits say. Rows of a release that did
/// not keep it are without.
const BEHIND_KNOWN: i64 = 1 << 11;
/// There is a swap behind the learned one; the rare row that needs them has its cause and instant here.
const HAS_BEHIND: i64 = 1 << 18;
const BEHIND_CAUSE_SHIFT: u32 = 19;
const BEHIND_SECOND_SHIFT: u32 = 24;
/// From this bit on, rows in transit through a snapshot load carry marks of their own.
pub(super) const FIRST_TRANSIT_BIT: u32 = 16;

impl Row {
    /// Packs a state; `None` for a line that was never known and that nothing speaks against.
    pub fn of(state: &LineState, msisdn: Msisdn, seal: &RegistrySeal) -> Option<Self> {
        let rejected = if state.source_rejected { SOURCE_REJECTED } else { 0 };
        let Some(line) = &state.line else {
            return state.source_rejected.then(|| Self { flags: rejected, ..Self::default() });
        };
        // The feed states an IMSI with every line. One without could not be kept: it is doubted, never lost.
        let Some(imsi) = line.sim.imsi() else { return Some(Self { flags: SOURCE_REJECTED, ..Self::default() }) };
        let restricted = if line.restricted { RESTRICTED } else { 0 };
        let extra = if line.hashed_imsi.is_some() { HAS_EXTRA } else { 0 };
        let learned = if line.swap_learned { SWAP_LEARNED | pack_behind(line) } else { 0 };
        Some(Self {
            imsi: Some(seal.seal(msisdn, imsi).0),
            registered: line.registered.as_second(),
            swapped: line.last_swap.map(|swap| swap.at.as_second()),
            flags: pack(line.status, line.contract, line.last_swap) | restricted | rejected | extra | learned,
            holder: line.holder_since.map(Timestamp::as_second),
            paired: line.last_pairing.map(Timestamp::as_second),
            hashed: line.hashed_imsi.clone(),
        })
    }

    /// Unpacks the state; the opposite of [`Row::of`], but for fractions of seconds.
    pub fn open(&self, msisdn: Msisdn, seal: &RegistrySeal) -> Result<LineState, Broken> {
        let source_rejected = self.flags & SOURCE_REJECTED != 0;
        let Some(imsi) = self.imsi else { return Ok(LineState { line: None, source_rejected }) };
        let line = Line {
            status: status(self.flags),
            sim: seal.open(msisdn, SealedImsi(imsi))?.into(),
            registered: second(self.registered)?,
            holder_since: self.holder.map(second).transpose()?,
            last_swap: swap(self.swapped, self.flags)?,
            swap_learned: self.flags & SWAP_LEARNED != 0,
            swap_before: behind(self.swapped, self.flags)?,
            last_pairing: self.paired.map(second).transpose()?,
            contract: contract(self.flags),
            restricted: self.flags & RESTRICTED != 0,
            hashed_imsi: self.hashed.clone(),
        };
        Ok(LineState { line: Some(line), source_rejected })
    }

    /// The same line, given up: what becomes of one that a whole snapshot no longer names. No doubt of before the
    /// snapshot is left.
    pub(super) fn given_up(mut self) -> Self {
        self.flags &= !SOURCE_REJECTED;
        if status(self.flags).is_served() {
            self.flags = self.flags & !STATUS_MASK | position(&LineStatus::ALL, &LineStatus::Terminated);
        }
        self
    }

    /// Whether there is a line at all: a number that only refused rows named has none.
    pub fn is_known(&self) -> bool {
        self.imsi.is_some()
    }

    /// Whether there is an operator's hash, which an engine may keep elsewhere.
    pub fn has_extra(&self) -> bool {
        self.flags & HAS_EXTRA != 0
    }
}

/// The swap behind a learned one as bits; none where it is the learned one itself, which nobody looks behind.
fn pack_behind(line: &Line) -> i64 {
    let kept = |swap: Swap| (swap.at.as_second(), swap.cause);
    match line.swap_before {
        before if before.map(kept) == line.last_swap.map(kept) => 0,
        None => BEHIND_KNOWN,
        // No feed tells of anything before 1970.
        Some(before) => {
            let cause = position(&SwapCause::ALL, &before.cause) << BEHIND_CAUSE_SHIFT;
            BEHIND_KNOWN | HAS_BEHIND | cause | before.at.as_second().max(0) << BEHIND_SECOND_SHIFT
        }
    }
}

/// The swap behind the learned one of a row.
fn behind(swapped: Option<i64>, flags: i64) -> Result<Option<Swap>, Broken> {
    match (flags & SWAP_LEARNED != 0, flags & BEHIND_KNOWN != 0, flags & HAS_BEHIND != 0) {
        (true, false, _) => swap(swapped, flags),
        (true, true, true) => {
            let cause = nth(&SwapCause::ALL, flags >> BEHIND_CAUSE_SHIFT & CAUSE_MASK);
            let at = second(flags >> BEHIND_SECOND_SHIFT)?;
            Ok(Some(Swap { at, cause: cause.ok_or(Broken::Damaged("the cause of a swap"))? }))
        }
        _ => Ok(None),
    }
}

/// Status, contract and swap cause as bits.
pub(super) fn pack(status: LineStatus, contract: Option<ContractType>, swap: Option<Swap>) -> i64 {
    let status = position(&LineStatus::ALL, &status);
    let contract = contract.map_or(0, |contract| position(&ContractType::ALL, &contract) + 1);
    let cause = swap.map_or(0, |swap| position(&SwapCause::ALL, &swap.cause));
    status | contract << CONTRACT_SHIFT | cause << CAUSE_SHIFT
}

/// The status in `flags`.
pub(super) fn status(flags: i64) -> LineStatus {
    nth(&LineStatus::ALL, flags & STATUS_MASK).unwrap_or(LineStatus::Active)
}

/// The contract in `flags`.
pub(super) fn contract(flags: i64) -> Option<ContractType> {
    nth(&ContractType::ALL, (flags >> CONTRACT_SHIFT & CONTRACT_MASK) - 1)
}

/// The swap made of its instant and the cause in `flags`.
pub(super) fn swap(at: Option<i64>, flags: i64) -> Result<Option<Swap>, Broken> {
    let Some(at) = at else { return Ok(None) };
    let cause =
        nth(&SwapCause::ALL, flags >> CAUSE_SHIFT & CAUSE_MASK).ok_or(Broken::Damaged("the cause of a swap"))?;
    Ok(Some(Swap { at: second(at)?, cause }))
}

#[cfg(test)]
mod tests {
    use laini_core::line::Imsi;

    use super::*;

    #[test]
    fn what_is_behind_a_learned_swap_is_kept_and_not_known_of_the_release_before() {
        let seal = RegistrySeal::new(&[7; 32]);
        let number = Msisdn::from_stored(254_722_000_001).unwrap();
        let swap = |at: &str, cause| Some(Swap { at: at.parse().unwrap(), cause });
        let last = swap("2026-11-16T09:00:00Z", SwapCause::PortIn);
        let line = |swap_learned, swap_before| Line {
            status: LineStatus::Suspended,
            sim: Imsi::from_stored(639_020_000_000_001).unwrap().into(),
            registered: second(1).unwrap(),
            holder_since: None,
            last_swap: last,
            swap_learned,
            swap_before,
            last_pairing: None,
            contract: Some(ContractType::ALL[1]),
            restricted: true,
            hashed_imsi: None,
        };
        let causes = SwapCause::ALL.into_iter();
        let mut behind: Vec<_> = causes
            .flat_map(|cause| [swap("1970-01-01T00:00:00Z", cause), swap("9999-12-30T00:00:00Z", cause)])
            .collect();
        behind.extend([None, last, swap("2026-10-20T00:00:00Z", SwapCause::Esim)]);
        for behind in behind {
            let state = LineState { line: Some(line(true, behind)), source_rejected: true };
            let row = Row::of(&state, number, &seal).unwrap();
            assert_eq!(row.open(number, &seal).unwrap(), state);
            let given_up = row.given_up().open(number, &seal).unwrap();
            let line = given_up.line.unwrap();
            assert_eq!((line.status, line.swap_before), (LineStatus::Terminated, behind));
            assert!(!given_up.source_rejected);
        }
        let state = LineState { line: Some(line(true, None)), source_rejected: false };
        let mut old = Row::of(&state, number, &seal).unwrap();
        old.flags &= !BEHIND_KNOWN;
        assert_eq!(old.open(number, &seal).unwrap().line.unwrap().swap_before, last);
        let state = LineState { line: Some(line(false, None)), source_rejected: false };
        assert_eq!(Row::of(&state, number, &seal).unwrap().open(number, &seal).unwrap(), state);
    }
}
