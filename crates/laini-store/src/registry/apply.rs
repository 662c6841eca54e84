use std::collections::{BTreeMap, HashSet};

use jiff::Timestamp;
use laini_core::line::{LineState, Msisdn, Refusal, RegistrySeal, Verdict, derive};

use super::{Broken, Entry, Group, History, RefusedEntry, Row, Seed};

/// What the steps of the feed read and write of a generation.
pub trait Lines {
    /// Why the engine could not.
    type Error: From<Broken>;

    /// The present row of one line.
    fn line(&self, number: Msisdn) -> Result<Option<Row>, Self::Error>;

    /// The row of one line at the snapshot's cut, before any event.
    fn row_at_cut(&self, number: Msisdn) -> Result<Option<Row>, Self::Error>;

    /// Keeps the row that a line had at the cut, before the first event changes it; later calls change
    /// nothing.
    fn keep_base(&mut self, number: Msisdn, row: Option<&Row>) -> Result<(), Self::Error>;

    /// Replaces the row of one line; `None` removes it.
    fn write_line(&mut self, number: Msisdn, row: Option<&Row>) -> Result<(), Self::Error>;

    /// Notes whether an event of the history is applied.
    fn write_refusal(&mut self, event: i64, refusal: Option<Refusal>) -> Result<(), Self::Error>;
}

/// Some events and refused rows, taken over into a generation: each line that they touch is derived anew.
pub struct Step<'a, H, L> {
    /// What every event about the touched lines is asked of.
    pub history: &'a H,
    /// The generation.
    pub lines: &'a mut L,
    /// What seals its rows.
    pub seal: &'a RegistrySeal,
    /// The instant after which events count.
    pub cut: Timestamp,
    /// The places of the events that are taken over: after the first, up to the second.
    pub places: (i64, i64),
}

/// What a step changed.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Taken {
    /// Lines that the generation has more than before, or fewer.
    pub lines: i64,
    /// Events taken over that changed a line.
    pub applied: u64,
}

impl<H, L> Step<'_, H, L>
where
    H: History,
    L: Lines<Error = H::Error>,
{
    /// Derives anew what `entries` and `refused` touch.
    pub fn take_over(mut self, entries: Vec<Entry>, refused: &[RefusedEntry]) -> Result<Taken, H::Error> {
        let mut taken = Taken::default();
        let mut done = HashSet::new();
        for entry in entries {
            if entry.is_news_after(self.cut) && !done.contains(&entry.seq) {
                self.derive_group(Seed::Entry(entry), &mut done, &mut taken)?;
            }
        }
        let (mut marked, cut) = (HashSet::new(), self.cut);
        for number in refused.iter().filter(|row| row.at > cut).filter_map(|row| row.msisdn) {
            if marked.insert(number) {
                self.derive_group(Seed::Number(number), &mut done, &mut taken)?;
            }
        }
        Ok(taken)
    }

    fn derive_group(&mut self, seed: Seed, done: &mut HashSet<i64>, taken: &mut Taken) -> Result<(), H::Error> {
        let group = Group::gather(self.history, seed)?;
        let mut bases = BTreeMap::new();
        let mut refused_rows = Vec::new();
        for number in &group.numbers {
            bases.insert(*number, state_at_cut(self.lines, *number, self.seal)?);
            refused_rows.extend(self.history.refused_about(*number)?);
        }
        let derivation = derive(self.cut, bases, &group.events(), &refused_rows);
        for (number, state) in &derivation.lines {
            taken.lines += self.write(*number, state)?;
        }
        let by_key = group.by_key();
        let (from, until) = self.places;
        for (key, verdict) in &derivation.verdicts {
            let entry = by_key.get(key).ok_or(Broken::Damaged("an event"))?;
            self.lines.write_refusal(entry.seq, refusal(*verdict, entry, self.cut))?;
            if *verdict == Verdict::Applied && entry.seq > from && entry.seq <= until {
                taken.applied += 1;
            }
        }
        done.extend(group.entries.keys());
        Ok(())
    }

    /// Writes a line where it differs, and keeps first what the snapshot said. Returns how many lines
    /// more there are.
    fn write(&mut self, number: Msisdn, state: &LineState) -> Result<i64, H::Error> {
        let new = Row::of(state, number, self.seal);
        let old = self.lines.line(number)?;
        if new == old {
            return Ok(0);
        }
        self.lines.keep_base(number, old.as_ref())?;
        self.lines.write_line(number, new.as_ref())?;
        let known = |row: &Option<Row>| i64::from(row.as_ref().is_some_and(Row::is_known));
        Ok(known(&new) - known(&old))
    }
}

/// The state of a line at the cut of its generation, before any event.
fn state_at_cut<L: Lines>(lines: &L, number: Msisdn, seal: &RegistrySeal) -> Result<LineState, L::Error> {
    match lines.row_at_cut(number)? {
        Some(row) => Ok(row.open(number, seal)?),
        None => Ok(LineState::default()),
    }
}

/// Why an event is not applied. An amendment that came before the cut of what it amends is in the
/// snapshot as that is.
fn refusal(verdict: Verdict, entry: &Entry, cut: Timestamp) -> Option<Refusal> {
    match verdict {
        Verdict::Refused(Refusal::BeforeCut) if entry.received <= cut => None,
        Verdict::Refused(refusal) => Some(refusal),
        _ => None,
    }
}

/// How lines of one generation stood at the cut of a later snapshot, where events after that have changed
/// them since: what the snapshot is to be compared with.
pub struct AtCut<'a, H, L> {
    /// Every event about the lines.
    pub history: &'a H,
    /// The generation.
    pub lines: &'a L,
    /// What seals its rows.
    pub seal: &'a RegistrySeal,
    /// The instant after which events count in it.
    pub from: Timestamp,
    /// The cut of the later snapshot.
    pub until: Timestamp,
}

impl<H, L> AtCut<'_, H, L>
where
    H: History,
    L: Lines<Error = H::Error>,
{
    /// Adds the lines of the group of `entry`, and its events to `done`.
    pub fn add(
        &self,
        entry: Entry,
        states: &mut BTreeMap<Msisdn, LineState>,
        done: &mut HashSet<i64>,
    ) -> Result<(), H::Error> {
        if done.contains(&entry.seq) {
            return Ok(());
        }
        let group = Group::gather(self.history, Seed::Entry(entry))?;
        let mut bases = BTreeMap::new();
        for number in &group.numbers {
            bases.insert(*number, state_at_cut(self.lines, *number, self.seal)?);
        }
        states.extend(derive(self.from, bases, &group.events_until(self.until), &[]).lines);
        done.extend(group.entries.keys());
        Ok(())
    }
}
