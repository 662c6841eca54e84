use std::collections::{BTreeMap, HashMap};

use jiff::Timestamp;

use super::{Event, EventKey, Happening, Imsi, LineState, Msisdn, Refusal, RefusedRow, Swap, SwapCause, Verdict};

/// An event as its newest amendment leaves it.
pub(super) struct Effective<'a> {
    pub(super) original: &'a Event,
    pub(super) at: Timestamp,
    pub(super) msisdn: Msisdn,
    pub(super) happening: Happening,
}

/// What corrections and retractions come to.
#[derive(Default)]
pub(super) struct Amended<'a> {
    /// The events that are left, each as it was corrected.
    pub(super) effective: Vec<Effective<'a>>,
    /// What became of the amendments, and of the events that they withdraw.
    pub(super) verdicts: Vec<(EventKey, Verdict)>,
    /// Lines about which an amendment says something that could not be taken over.
    pub(super) doubts: Vec<RefusedRow>,
}

/// Settles corrections and retractions: the newest one recorded about an event decides. What they change
/// of swaps that are part of the bases already is written to `lines`.
pub(super) fn amend<'a>(cut: Timestamp, events: &'a [Event], lines: &mut BTreeMap<Msisdn, LineState>) -> Amended<'a> {
    let mut amended = Amended::default();
    let newest = amended.newest(events);
    amended.amend_bases(cut, events, &newest, lines);
    for event in events.iter().filter(|event| event.happening.amends().is_none()) {
        // The feed's parser requires a number for every other kind of event.
        let Some(msisdn) = event.msisdn else { continue };
        let amendment = newest.get(&event.key).filter(|_| event.at > cut);
        let (at, happening) = match amendment.map(|amendment| (amendment.at, &amendment.happening)) {
            Some((_, Happening::Retraction { .. })) => {
                amended.verdicts.push((event.key.clone(), Verdict::Withdrawn));
                continue;
            }
            Some((at, Happening::Correction { imsi, new_msisdn, .. })) => {
                (at, corrected(&event.happening, *imsi, *new_msisdn))
            }
            _ => (event.at, event.happening.clone()),
        };
        amended.effective.push(Effective { original: event, at, msisdn, happening });
    }
    amended
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

impl Amended<'_> {
    /// The newest amendment of each event. The others are superseded, or refused; one that is refused
    /// leaves the lines that it states in doubt.
    fn newest<'e>(&mut self, events: &'e [Event]) -> BTreeMap<EventKey, &'e Event> {
        let by_key: HashMap<&EventKey, &Event> = events.iter().map(|event| (&event.key, event)).collect();
        let mut newest: BTreeMap<EventKey, &Event> = BTreeMap::new();
        for event in events {
            let Some(target) = amends(event) else { continue };
            let refusal = match by_key.get(&target) {
                None => Refusal::UnknownTarget,
                Some(known) if known.happening.amends().is_some() => Refusal::AmendsAmendment,
                Some(known) if event.msisdn.is_some() && event.msisdn != known.msisdn => Refusal::OtherNumber,
                Some(_) => {
                    let Some(other) = newest.insert(target.clone(), event) else { continue };
                    let is_newer = (other.recorded, &other.key) < (event.recorded, &event.key);
                    let (older, newer) = if is_newer { (other, event) } else { (event, other) };
                    newest.insert(target, newer);
                    self.verdicts.push((older.key.clone(), Verdict::Superseded));
                    continue;
                }
            };
            self.verdicts.push((event.key.clone(), Verdict::Refused(refusal)));
            let named = event.msisdn.into_iter().chain(new_msisdn(event));
            self.doubts.extend(named.map(|msisdn| RefusedRow { msisdn, at: event.at }));
        }
        newest
    }

    /// Tells what becomes of the amendments, and amends swaps that are part of the bases, where events and
    /// no snapshot had told of them.
    fn amend_bases(
        &mut self,
        cut: Timestamp,
        events: &[Event],
        newest: &BTreeMap<EventKey, &Event>,
        lines: &mut BTreeMap<Msisdn, LineState>,
    ) {
        let mut amended: BTreeMap<Msisdn, Vec<&Event>> = BTreeMap::new();
        for event in events.iter().filter(|event| newest.contains_key(&event.key)) {
            match event.msisdn.filter(|_| event.at <= cut) {
                Some(msisdn) => amended.entry(msisdn).or_default().push(event),
                None => self.verdicts.extend(newest.get(&event.key).map(|by| (by.key.clone(), Verdict::Amends))),
            }
        }
        let mut corrections: HashMap<EventKey, Vec<Timestamp>> = HashMap::new();
        for event in events.iter().filter(|event| !amended.is_empty() && is_correction(event)) {
            if let Some(target) = amends(event) {
                corrections.entry(target).or_default().push(event.at);
            }
        }
        for (msisdn, targets) in amended {
            let told = ToldSwap::about(msisdn, cut, events, newest, &corrections);
            let taken = lines.get_mut(&msisdn).map(|state| amend_base(state, &told)).unwrap_or_default();
            for event in targets {
                let Some(amendment) = newest.get(&event.key) else { continue };
                let is_taken = taken.contains(&&event.key);
                let verdict = if is_taken { Verdict::Amends } else { Verdict::Refused(Refusal::BeforeCut) };
                self.verdicts.push((amendment.key.clone(), verdict));
                // What really happened after the cut is not in the snapshot, whatever was told before.
                if !is_taken && event.happening.is_about_the_sim() && is_correction(amendment) {
                    self.doubts.push(RefusedRow { msisdn, at: amendment.at });
                }
            }
        }
    }
}

/// A swap that an event told of before the cut.
struct ToldSwap<'a> {
    event: &'a Event,
    cause: SwapCause,
    /// Whether it was one whatever the line was then.
    is_certain: bool,
    amendment: Option<&'a Event>,
    /// The instants that it was ever said to have.
    instants: Vec<Timestamp>,
}

impl<'a> ToldSwap<'a> {
    fn about(
        msisdn: Msisdn,
        cut: Timestamp,
        events: &'a [Event],
        newest: &BTreeMap<EventKey, &'a Event>,
        corrections: &HashMap<EventKey, Vec<Timestamp>>,
    ) -> Vec<Self> {
        let told = events.iter().filter(|event| event.msisdn == Some(msisdn) && event.at <= cut);
        let swap = |event: &'a Event| {
            let certain = event.happening.swap_cause();
            let is_registration = matches!(event.happening, Happening::Registered(_));
            let cause = certain.or(is_registration.then_some(SwapCause::NewHolder))?;
            let said = corrections.get(&event.key).into_iter().flatten().copied();
            Some(Self {
                event,
                cause,
                is_certain: certain.is_some(),
                amendment: newest.get(&event.key).copied(),
                instants: std::iter::once(event.at).chain(said).collect(),
            })
        };
        told.filter_map(swap).collect()
    }

    /// Whether a swap of a base, which is known to the second, is this one.
    fn is(&self, swap: Swap) -> bool {
        self.cause == swap.cause && self.instants.iter().any(|at| at.as_second() == swap.at.as_second())
    }

    /// The swap as it was corrected, where it was.
    fn corrected(&self) -> Option<Swap> {
        self.amendment.filter(|by| is_correction(by)).map(|by| Swap { at: by.at, cause: self.cause })
    }

    /// The swap where nothing amends it.
    fn as_told(&self) -> Option<Swap> {
        (self.is_certain && self.amendment.is_none()).then_some(Swap { at: self.event.at, cause: self.cause })
    }
}

/// Amends the learned swap of a line at the cut. It never falls behind the newest other swap that is known
/// and not withdrawn; where what is behind it is not known, the line is in doubt. Returns the events whose
/// amendments took effect.
fn amend_base<'a>(state: &mut LineState, told: &[ToldSwap<'a>]) -> Vec<&'a EventKey> {
    let Some(line) = state.line.as_mut().filter(|line| line.swap_learned) else { return Vec::new() };
    let Some(last) = line.last_swap else { return Vec::new() };
    let is_gone = |swap: Swap| {
        let mut by = told.iter().filter(|told| told.is(swap)).peekable();
        by.peek().is_some() && by.all(|told| told.amendment.is_some())
    };
    let newest = |swaps: &mut dyn Iterator<Item = Swap>| swaps.max_by_key(|swap| (swap.at, swap.cause));
    let corrected = newest(&mut told.iter().filter_map(ToldSwap::corrected));
    if !is_gone(last) {
        let Some(later) = corrected.filter(|swap| swap.at > last.at) else { return Vec::new() };
        line.learn(later);
        return told.iter().filter(|told| told.corrected() == Some(later)).map(|told| &told.event.key).collect();
    }
    let (lost, behind) = match line.swap_before {
        Some(before) if is_gone(before) => (Some(before), None),
        before => (None, before),
    };
    let as_told = told.iter().filter_map(ToldSwap::as_told);
    let left = newest(&mut as_told.chain(corrected).chain(behind));
    line.last_swap = left;
    line.swap_learned = left.is_some();
    // Further back nothing is kept.
    line.swap_before = if lost.is_some() || behind == left { left } else { behind };
    state.source_rejected |= lost.is_some_and(|lost| left.is_none_or(|left| left.at.as_second() < lost.at.as_second()));
    let is_taken = |told: &&ToldSwap<'_>| {
        told.amendment.is_some()
            && (told.is(last)
                || lost.is_some_and(|lost| told.is(lost))
                || told.corrected().is_some_and(|swap| left == Some(swap)))
    };
    told.iter().filter(is_taken).map(|told| &told.event.key).collect()
}

/// The key of the event that an amendment is about.
fn amends(event: &Event) -> Option<EventKey> {
    event.happening.amends().map(|of| EventKey { id: of.clone(), source: event.key.source.clone() })
}

fn new_msisdn(amendment: &Event) -> Option<Msisdn> {
    match amendment.happening {
        Happening::Correction { new_msisdn, .. } => new_msisdn,
        _ => None,
    }
}

fn is_correction(event: &Event) -> bool {
    matches!(event.happening, Happening::Correction { .. })
}
