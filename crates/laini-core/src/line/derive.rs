use std::collections::BTreeMap;

use jiff::Timestamp;

use super::amend::{Amended, Effective, amend};
use super::{
    Event, EventKey, EventKind, Happening, Imsi, Line, LineState, LineStatus, Msisdn, Refusal, Sim, Swap, SwapCause,
};

/// A row of the feed that was refused when it was read, as far as it says which line it was about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RefusedRow {
    /// The line it was about.
    pub msisdn: Msisdn,
    /// The instant it named, or else the one at which it arrived.
    pub at: Timestamp,
}

/// What became of one event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It changed the line.
    Applied,
    /// It is true and changes nothing (a device, a SIM that was there already).
    NoChange,
    /// It is not newer than the snapshot's cut, so the snapshot contains it.
    BeforeCut,
    /// A correction or retraction that took effect on its event.
    Amends,
    /// Withdrawn by a retraction.
    Withdrawn,
    /// A correction or retraction that a newer one replaced.
    Superseded,
    /// It could not be applied.
    Refused(Refusal),
}

/// Lines derived anew.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Derivation {
    /// The state of every line that the events touch.
    pub lines: BTreeMap<Msisdn, LineState>,
    /// What became of each event.
    pub verdicts: Vec<(EventKey, Verdict)>,
}

/// Derives the present state of a group of lines from their state at the snapshot's `cut` and every
/// known event about them, in whatever order these arrived.
///
/// The group is closed under number changes: an event that names two numbers comes with both lines.
/// Applied in the order of (instant, type, id, source). Cost: O(n log n) in the events.
pub fn derive(
    cut: Timestamp,
    bases: BTreeMap<Msisdn, LineState>,
    events: &[Event],
    refused_rows: &[RefusedRow],
) -> Derivation {
    let mut lines = bases;
    forget_erased(cut, events, &mut lines);
    let Amended { effective, verdicts, doubts } = amend(cut, events, &mut lines);
    let mut derivation = Derivation { lines, verdicts };
    let mut steps: Vec<Step<'_>> = effective.into_iter().map(Step::Event).collect();
    steps.extend(refused_rows.iter().copied().chain(doubts).filter(|row| row.at > cut).map(Step::Doubt));
    steps.sort_by(|a, b| a.order().cmp(&b.order()));
    let mut doubted = BTreeMap::new();
    for step in steps {
        match step {
            Step::Doubt(row) => {
                doubted.insert(row.msisdn, row.at);
                derivation.lines.entry(row.msisdn).or_default().source_rejected = true;
            }
            Step::Event(event) => {
                // What counts is when it was first said to have happened: a correction of an event
                // that the snapshot lacks may move it before the cut.
                let is_news = event.original.at > cut;
                let verdict = if is_news { event.apply(&mut derivation.lines) } else { Verdict::BeforeCut };
                derivation.verdicts.push((event.original.key.clone(), verdict));
                // Who gives a number up makes room for the next holder, of whom the row may have told.
                let is_end = matches!(event.happening, Happening::PortedOut | Happening::Terminated);
                if is_end && doubted.get(&event.msisdn) == Some(&event.at) {
                    derivation.lines.entry(event.msisdn).or_default().source_rejected = true;
                }
            }
        }
    }
    derivation
}

/// What a base knows of a time that was erased goes, and is not known any more.
fn forget_erased(cut: Timestamp, events: &[Event], lines: &mut BTreeMap<Msisdn, LineState>) {
    for event in events.iter().filter(|event| event.happening == Happening::Erased && event.at <= cut) {
        let line = event.msisdn.and_then(|msisdn| lines.get_mut(&msisdn)).and_then(|state| state.line.as_mut());
        if let Some(line) = line.filter(|line| line.swap_before.is_some_and(|swap| swap.at <= event.at)) {
            line.swap_before = line.last_swap;
        }
    }
}

enum Step<'a> {
    Event(Effective<'a>),
    /// A refused row, or an amendment that could not be taken over.
    Doubt(RefusedRow),
}

impl Step<'_> {
    /// What is in doubt goes before the good events of the same instant: a line that was sent again, mended,
    /// with its true instant is believed.
    fn order(&self) -> (Timestamp, Option<(EventKind, &EventKey)>) {
        match self {
            Self::Event(event) => (event.at, Some((event.happening.kind(), &event.original.key))),
            Self::Doubt(row) => (row.at, None),
        }
    }
}

impl Effective<'_> {
    /// Applies the event. The newest event that speaks of a line's SIM decides whether the feed can be
    /// believed about it.
    fn apply(&self, lines: &mut BTreeMap<Msisdn, LineState>) -> Verdict {
        if self.happening == Happening::Erased {
            // As after a row that could not be read: whoever comes next is a new holder, and until then nobody knows.
            lines.insert(self.msisdn, LineState { line: None, source_rejected: true });
            return Verdict::Applied;
        }
        let verdict = if let Happening::NumberChanged { new_msisdn } = self.happening {
            self.change_number(new_msisdn, lines)
        } else {
            self.apply_to(lines.entry(self.msisdn).or_default())
        };
        let is_doubted = match verdict {
            Verdict::Refused(_) => true,
            // A device or a bar has nothing to say about the SIM, nor has what changes nothing: a line that is
            // in doubt stays so.
            Verdict::Applied if self.happening.is_about_the_sim() => false,
            _ => return verdict,
        };
        lines.entry(self.msisdn).or_default().source_rejected = is_doubted;
        if let Happening::NumberChanged { new_msisdn } = self.happening {
            lines.entry(new_msisdn).or_default().source_rejected = is_doubted;
        }
        verdict
    }

    fn apply_to(&self, state: &mut LineState) -> Verdict {
        match &self.happening {
            Happening::Registered(imsi) => self.register(*imsi, state),
            Happening::Recycled(imsi) => self.hold_anew(*imsi, SwapCause::NewHolder, state),
            Happening::PortedIn(imsi) => self.hold_anew(*imsi, SwapCause::PortIn, state),
            Happening::SimReplaced(imsi) => self.swap(*imsi, SwapCause::Replacement, state),
            Happening::EsimIssued(imsi) => self.swap(*imsi, SwapCause::Esim, state),
            Happening::Suspended => set_status(state, LineStatus::Suspended),
            Happening::Resumed => set_status(state, LineStatus::Active),
            Happening::PortedOut => end(state, LineStatus::PortedOut),
            Happening::Terminated => end(state, LineStatus::Terminated),
            Happening::DeviceChanged
            | Happening::NumberChanged { .. }
            | Happening::Correction { .. }
            | Happening::Retraction { .. }
            | Happening::Erased => Verdict::NoChange,
        }
    }

    fn register(&self, imsi: Imsi, state: &mut LineState) -> Verdict {
        match &state.line {
            Some(line) if line.status.is_served() => Verdict::Refused(Refusal::AlreadyServed),
            // Held before, or a refused row that may have said so: a new holder, to be safe.
            Some(_) => self.hold_anew(imsi, SwapCause::NewHolder, state),
            None if state.source_rejected => self.hold_anew(imsi, SwapCause::NewHolder, state),
            None => {
                state.line = Some(self.fresh(imsi));
                Verdict::Applied
            }
        }
    }

    /// A new holding on this SIM, from whatever state.
    fn hold_anew(&self, imsi: Imsi, cause: SwapCause, state: &mut LineState) -> Verdict {
        let mut line = self.fresh(imsi);
        if let Some(Line { last_swap, swap_learned, swap_before, .. }) = state.line {
            line = Line { last_swap, swap_learned, swap_before, ..line };
        }
        self.learn(cause, &mut line, state.source_rejected);
        state.line = Some(line);
        Verdict::Applied
    }

    fn fresh(&self, imsi: Imsi) -> Line {
        Line {
            status: LineStatus::Active,
            sim: imsi.into(),
            registered: self.at,
            holder_since: None,
            last_swap: None,
            swap_learned: false,
            swap_before: None,
            last_pairing: None,
            contract: None,
            restricted: false,
            hashed_imsi: None,
        }
    }

    /// Takes up the swap that it tells of. What is behind it is not known where the line was in doubt.
    fn learn(&self, cause: SwapCause, line: &mut Line, was_doubted: bool) {
        line.learn(Swap { at: self.at, cause });
        if was_doubted {
            line.swap_before = line.last_swap;
        }
        line.last_pairing = None;
    }

    fn swap(&self, imsi: Imsi, cause: SwapCause, state: &mut LineState) -> Verdict {
        let was_doubted = state.source_rejected;
        match served(state) {
            Err(refusal) => Verdict::Refused(refusal),
            Ok(line) if line.sim == Sim::Imsi(imsi) && !was_doubted => Verdict::NoChange,
            Ok(line) => {
                // On a line in doubt the SIM may have been another one meanwhile: the same is a swap, too.
                if line.sim != Sim::Imsi(imsi) {
                    line.sim = imsi.into();
                    line.hashed_imsi = None;
                }
                self.learn(cause, line, was_doubted);
                Verdict::Applied
            }
        }
    }

    fn change_number(&self, new_msisdn: Msisdn, lines: &mut BTreeMap<Msisdn, LineState>) -> Verdict {
        if new_msisdn == self.msisdn {
            return Verdict::NoChange;
        }
        if lines.get(&new_msisdn).and_then(|state| state.line.as_ref()).is_some_and(|line| line.status.is_served()) {
            return Verdict::Refused(Refusal::NewNumberServed);
        }
        let was_doubted = [self.msisdn, new_msisdn].iter().any(|n| lines.get(n).is_some_and(|s| s.source_rejected));
        let mut moved = match served(lines.entry(self.msisdn).or_default()) {
            Err(refusal) => return Verdict::Refused(refusal),
            Ok(line) => {
                let moved = line.clone();
                line.status = LineStatus::Terminated;
                moved
            }
        };
        let state = lines.entry(new_msisdn).or_default();
        moved.last_swap = Swap::newest(moved.last_swap, state.line.as_ref().and_then(|line| line.last_swap));
        self.learn(SwapCause::NumberChange, &mut moved, was_doubted);
        state.line = Some(moved);
        Verdict::Applied
    }
}

fn served(state: &mut LineState) -> Result<&mut Line, Refusal> {
    match &mut state.line {
        Some(line) if line.status.is_served() => Ok(line),
        Some(_) => Err(Refusal::NotServed),
        None if state.source_rejected => Err(Refusal::RowRefused),
        None => Err(Refusal::UnknownLine),
    }
}

fn set_status(state: &mut LineState, status: LineStatus) -> Verdict {
    match served(state) {
        Err(refusal) => Verdict::Refused(refusal),
        Ok(line) if line.status == status => Verdict::NoChange,
        Ok(line) => {
            line.status = status;
            Verdict::Applied
        }
    }
}

/// The end of service. A line that is not served already stays as it ended.
fn end(state: &mut LineState, status: LineStatus) -> Verdict {
    match served(state) {
        Err(Refusal::NotServed) => Verdict::NoChange,
        Err(refusal) => Verdict::Refused(refusal),
        Ok(line) => {
            line.status = status;
            Verdict::Applied
        }
    }
}

#[cfg(test)]
mod tests;
