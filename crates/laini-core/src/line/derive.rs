use std::collections::{BTreeMap, HashMap};

use jiff::Timestamp;

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
    let mut derivation = Derivation { lines: bases, verdicts: Vec::with_capacity(events.len()) };
    let effective = amend(cut, events, &mut derivation);
    let mut steps: Vec<Step<'_>> = effective.into_iter().map(Step::Event).collect();
    steps.extend(refused_rows.iter().map(Step::RefusedRow));
    steps.sort_by(|a, b| a.order().cmp(&b.order()));
    for step in steps {
        match step {
            Step::RefusedRow(row) if row.at > cut => {
                derivation.lines.entry(row.msisdn).or_default().source_rejected = true;
            }
            Step::RefusedRow(_) => {}
            Step::Event(event) => {
                // What counts is when it was first said to have happened: a correction of an event
                // that the snapshot lacks may move it before the cut.
                let is_news = event.original.at > cut;
                let verdict = if is_news { event.apply(&mut derivation.lines) } else { Verdict::BeforeCut };
                derivation.verdicts.push((event.original.key.clone(), verdict));
            }
        }
    }
    derivation
}

/// An event as its newest amendment leaves it.
struct Effective<'a> {
    original: &'a Event,
    at: Timestamp,
    msisdn: Msisdn,
    happening: Happening,
}

enum Step<'a> {
    Event(Effective<'a>),
    RefusedRow(&'a RefusedRow),
}

impl Step<'_> {
    fn order(&self) -> (Timestamp, EventKind, Option<&EventKey>) {
        match self {
            Self::Event(event) => (event.at, event.happening.kind(), Some(&event.original.key)),
            Self::RefusedRow(row) => (row.at, EventKind::Heartbeat, None),
        }
    }
}

/// Settles corrections and retractions: the newest one recorded about an event decides.
fn amend<'a>(cut: Timestamp, events: &'a [Event], derivation: &mut Derivation) -> Vec<Effective<'a>> {
    let Derivation { lines, verdicts } = derivation;
    let by_key: HashMap<&EventKey, &Event> = events.iter().map(|event| (&event.key, event)).collect();
    let mut newest: HashMap<EventKey, &Event> = HashMap::new();
    for event in events {
        let Some(of) = event.happening.amends() else { continue };
        let target = EventKey { id: of.clone(), source: event.key.source.clone() };
        let verdict = match by_key.get(&target) {
            None => Verdict::Refused(Refusal::UnknownTarget),
            Some(known) if known.happening.amends().is_some() => Verdict::Refused(Refusal::AmendsAmendment),
            Some(known) if event.msisdn.is_some() && event.msisdn != known.msisdn => {
                Verdict::Refused(Refusal::OtherNumber)
            }
            Some(_) => match newest.insert(target.clone(), event) {
                None => continue,
                Some(other) => {
                    let (older, newer) = if (other.recorded, &other.key) < (event.recorded, &event.key) {
                        (other, event)
                    } else {
                        (event, other)
                    };
                    newest.insert(target, newer);
                    verdicts.push((older.key.clone(), Verdict::Superseded));
                    continue;
                }
            },
        };
        verdicts.push((event.key.clone(), verdict));
    }
    for (target, amendment) in &newest {
        let known = by_key.get(target).filter(|known| known.at <= cut);
        let amends = known.is_none_or(|known| amend_base(lines, known, amendment, events));
        let verdict = if amends { Verdict::Amends } else { Verdict::Refused(Refusal::BeforeCut) };
        verdicts.push((amendment.key.clone(), verdict));
    }
    let mut effective = Vec::with_capacity(events.len());
    for event in events.iter().filter(|event| event.happening.amends().is_none()) {
        // The feed's parser requires a number for every other kind of event.
        let Some(msisdn) = event.msisdn else { continue };
        let (at, happening) = match newest.get(&event.key).map(|amendment| (amendment.at, &amendment.happening)) {
            Some((_, Happening::Retraction { .. })) if event.at > cut => {
                verdicts.push((event.key.clone(), Verdict::Withdrawn));
                continue;
            }
            Some((at, Happening::Correction { imsi, new_msisdn, .. })) if event.at > cut => {
                (at, corrected(&event.happening, *imsi, *new_msisdn))
            }
            _ => (event.at, event.happening.clone()),
        };
        effective.push(Effective { original: event, at, msisdn, happening });
    }
    effective
}

/// Amends a swap that is part of the base already, where an event and no snapshot had told of it. A
/// withdrawn one gives way to the newest other swap that events told of.
fn amend_base(lines: &mut BTreeMap<Msisdn, LineState>, known: &Event, amendment: &Event, events: &[Event]) -> bool {
    let line = known.msisdn.and_then(|msisdn| lines.get_mut(&msisdn)).and_then(|state| state.line.as_mut());
    let Some(line) = line.filter(|line| line.swap_learned) else { return false };
    if line.last_swap.map(|swap| swap.at.as_second()) != Some(known.at.as_second()) {
        return false;
    }
    if matches!(amendment.happening, Happening::Correction { .. }) {
        line.last_swap = line.last_swap.map(|swap| Swap { at: amendment.at, ..swap });
        return true;
    }
    let earlier = events.iter().filter(|event| event.msisdn == known.msisdn && event.at < known.at);
    let swaps = earlier.filter_map(|event| Some(Swap { at: event.at, cause: event.happening.swap_cause()? }));
    line.last_swap = swaps.max_by_key(|swap| swap.at);
    line.swap_learned = line.last_swap.is_some();
    true
}

fn corrected(happening: &Happening, imsi: Option<Imsi>, new_msisdn: Option<Msisdn>) -> Happening {
    match happening {
        Happening::Registered(old) => Happening::Registered(imsi.unwrap_or(*old)),
        Happening::SimReplaced(old) => Happening::SimReplaced(imsi.unwrap_or(*old)),
        Happening::EsimIssued(old) => Happening::EsimIssued(imsi.unwrap_or(*old)),
        Happening::PortedIn(old) => Happening::PortedIn(imsi.unwrap_or(*old)),
        Happening::Recycled(old) => Happening::Recycled(imsi.unwrap_or(*old)),
        Happening::NumberChanged { new_msisdn: old } => {
            Happening::NumberChanged { new_msisdn: new_msisdn.unwrap_or(*old) }
        }
        other => other.clone(),
    }
}

impl Effective<'_> {
    /// Applies the event. A line's newest event decides whether the feed can be believed about it.
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
        let refused = matches!(verdict, Verdict::Refused(_));
        // A device has nothing to say about the SIM: it neither doubts a line nor clears it.
        if self.happening != Happening::DeviceChanged {
            lines.entry(self.msisdn).or_default().source_rejected = refused;
            if let Happening::NumberChanged { new_msisdn } = self.happening {
                lines.entry(new_msisdn).or_default().source_rejected = refused;
            }
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
                state.line = Some(self.fresh(imsi, None));
                Verdict::Applied
            }
        }
    }

    /// A new holding on this SIM, from whatever state.
    fn hold_anew(&self, imsi: Imsi, cause: SwapCause, state: &mut LineState) -> Verdict {
        state.line = Some(self.fresh(imsi, Some(Swap { at: self.at, cause })));
        Verdict::Applied
    }

    fn fresh(&self, imsi: Imsi, last_swap: Option<Swap>) -> Line {
        Line {
            status: LineStatus::Active,
            sim: imsi.into(),
            registered: self.at,
            holder_since: None,
            swap_learned: last_swap.is_some(),
            last_swap,
            last_pairing: None,
            contract: None,
            restricted: false,
            hashed_imsi: None,
        }
    }

    fn swap(&self, imsi: Imsi, cause: SwapCause, state: &mut LineState) -> Verdict {
        match served(state) {
            Err(refusal) => Verdict::Refused(refusal),
            Ok(line) if line.sim == Sim::Imsi(imsi) => Verdict::NoChange,
            Ok(line) => {
                line.sim = imsi.into();
                line.last_swap = Some(Swap { at: self.at, cause });
                line.swap_learned = true;
                line.last_pairing = None;
                line.hashed_imsi = None;
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
        let moved = match served(lines.entry(self.msisdn).or_default()) {
            Err(refusal) => return Verdict::Refused(refusal),
            Ok(line) => {
                let moved = line.clone();
                line.status = LineStatus::Terminated;
                moved
            }
        };
        lines.entry(new_msisdn).or_default().line = Some(Line {
            last_swap: Some(Swap { at: self.at, cause: SwapCause::NumberChange }),
            swap_learned: true,
            last_pairing: None,
            ..moved
        });
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
