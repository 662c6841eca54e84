use std::collections::{BTreeMap, BTreeSet};

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Span, Timestamp};

use super::{LifeEvent, LineChange, Persona, StatedLine, WorldEvent, WorldRefusal, whole_micros};
use crate::line::{Derivation, LineState, Msisdn, RefusedRow, Verdict, derive};

/// How many lines of its own a world may have.
pub const WORLD_LINES_MAX: usize = 1_000;
/// How many events a world may hold.
pub const WORLD_EVENTS_MAX: usize = 10_000;
/// How far a world's clock may be ahead.
pub const CLOCK_AHEAD_DAYS_MAX: i64 = 36_525;

/// What a world is decided on beside itself: the real time, and the zone in which days begin.
#[derive(Debug, Clone, Copy)]
pub struct Moment<'a> {
    /// The real time.
    pub real: Timestamp,
    /// The operator's zone.
    pub zone: &'a TimeZone,
}

/// The private world of one sandbox app: its own lines, what happened to them, its clock and its feed.
///
/// Personas are not part of it. They show through wherever it has no line of its own, and a change of
/// one of them begins with a copy. After a refusal a world is not to be used any more.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct World {
    /// How far its clock is ahead of the real one; never shrinks but by a reset.
    ahead: SignedDuration,
    /// When its feed was stopped, by its own clock.
    feed_stopped: Option<Timestamp>,
    /// How many events it ever had.
    events_ever: u64,
    /// Its own lines before the events.
    lines: BTreeMap<Msisdn, LineState>,
    events: Vec<WorldEvent>,
    /// What was changed since it was read.
    edits: Vec<WorldEdit>,
}

/// One change of a world, as an engine writes it down.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WorldEdit {
    /// Nothing is left: the world is as if it had never been.
    Reset,
    /// Its clock is so far ahead.
    Clock(SignedDuration),
    /// Its feed stopped at this instant, or runs.
    Feed(Option<Timestamp>),
    /// A line of its own is like this, and the events of its number are part of it.
    Line(Msisdn, Box<LineState>),
    /// A line of its own, and the events of its number, are gone.
    Removed(Msisdn),
    /// Something happened.
    Event(WorldEvent),
}

/// A world as an engine keeps it; each part is explained where [`WorldEdit`] changes it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct WorldRecord {
    /// How far its clock is ahead.
    pub ahead: SignedDuration,
    /// When its feed was stopped.
    pub feed_stopped: Option<Timestamp>,
    /// The number of the newest event that it ever had.
    pub events_ever: u64,
    /// Its own lines, without the events that it holds.
    pub lines: BTreeMap<Msisdn, LineState>,
    /// The events that it holds, in order of their numbers.
    pub events: Vec<WorldEvent>,
}

impl World {
    /// The world that an engine wrote down.
    pub fn restore(record: WorldRecord) -> Self {
        let WorldRecord { ahead, feed_stopped, events_ever, lines, events } = record;
        Self { ahead, feed_stopped, events_ever, lines, events, edits: Vec::new() }
    }

    /// What was changed since it was read, for an engine to write down.
    pub fn take_edits(&mut self) -> Vec<WorldEdit> {
        std::mem::take(&mut self.edits)
    }

    fn record(&mut self, edit: WorldEdit) {
        self.apply(edit.clone());
        self.edits.push(edit);
    }

    fn apply(&mut self, edit: WorldEdit) {
        match edit {
            WorldEdit::Reset => *self = Self { edits: std::mem::take(&mut self.edits), ..Self::default() },
            WorldEdit::Clock(ahead) => self.ahead = ahead,
            WorldEdit::Feed(stopped) => self.feed_stopped = stopped,
            WorldEdit::Line(msisdn, state) => {
                self.events.retain(|event| event.msisdn != msisdn);
                self.lines.insert(msisdn, *state);
            }
            WorldEdit::Removed(msisdn) => {
                self.events.retain(|event| event.msisdn != msisdn);
                self.lines.remove(&msisdn);
            }
            WorldEdit::Event(event) => {
                self.events_ever = self.events_ever.max(event.number);
                self.events.push(event);
            }
        }
    }

    /// What its clock shows when it is really `real`.
    pub fn now(&self, real: Timestamp) -> Timestamp {
        whole_micros(real).checked_add(self.ahead).unwrap_or(Timestamp::MAX)
    }

    /// How far its clock is ahead.
    pub fn ahead(&self) -> SignedDuration {
        self.ahead
    }

    /// When its feed was stopped, by its own clock.
    pub fn feed_stopped(&self) -> Option<Timestamp> {
        self.feed_stopped
    }

    /// How many lines of its own it has.
    pub fn line_count(&self) -> usize {
        self.lines.len()
    }

    /// How many events it holds.
    pub fn event_count(&self) -> usize {
        self.events.len()
    }

    /// The present state of every line of its own.
    pub fn states(&self) -> BTreeMap<Msisdn, LineState> {
        self.derive(self.lines.keys().copied().collect()).lines
    }

    /// The present state of one number: its own line, else the persona, else nothing.
    pub fn state(&self, msisdn: Msisdn, moment: Moment<'_>) -> LineState {
        if !self.lines.contains_key(&msisdn) {
            return persona(msisdn, moment);
        }
        self.derive(self.group(msisdn)).lines.remove(&msisdn).unwrap_or_default()
    }

    /// Whether the number is a line of its own.
    pub fn owns(&self, msisdn: Msisdn) -> bool {
        self.lines.contains_key(&msisdn)
    }

    /// Moves the clock on by a calendar span in the operator's zone.
    pub fn advance_by(&mut self, span: Span, moment: Moment<'_>) -> Result<(), WorldRefusal> {
        let now = self.now(moment.real);
        let to = moment.zone.to_datetime(now).checked_add(span).ok();
        let to = to.and_then(|to| moment.zone.to_timestamp(to).ok()).ok_or(WorldRefusal::ClockTooFar)?;
        self.advance_to(to, moment)
    }

    /// Moves the clock on to an instant.
    pub fn advance_to(&mut self, to: Timestamp, moment: Moment<'_>) -> Result<(), WorldRefusal> {
        let to = whole_micros(to);
        if to < self.now(moment.real) {
            return Err(WorldRefusal::ClockBack);
        }
        let ahead = to.duration_since(whole_micros(moment.real));
        if ahead > SignedDuration::from_hours(CLOCK_AHEAD_DAYS_MAX * 24) {
            return Err(WorldRefusal::ClockTooFar);
        }
        self.record(WorldEdit::Clock(ahead));
        Ok(())
    }

    /// Stops the feed: its as-of stays where the clock is now.
    pub fn stop_feed(&mut self, moment: Moment<'_>) {
        if self.feed_stopped.is_none() {
            self.record(WorldEdit::Feed(Some(self.now(moment.real))));
        }
    }

    /// Starts the feed again.
    pub fn start_feed(&mut self) {
        if self.feed_stopped.is_some() {
            self.record(WorldEdit::Feed(None));
        }
    }

    /// Forgets everything.
    pub fn reset(&mut self) {
        self.record(WorldEdit::Reset);
    }

    /// States a line whole, whatever it was before. It keeps its SIM.
    pub fn put(&mut self, msisdn: Msisdn, line: &StatedLine, moment: Moment<'_>) -> Result<(), WorldRefusal> {
        may_change(msisdn)?;
        line.check(self.now(moment.real))?;
        let before = self.state(msisdn, moment).line;
        self.settle(msisdn);
        self.make(msisdn, line.as_state(msisdn, before.as_ref()))
    }

    /// States a line anew: what `change` does not say is as of a line that nothing is said of.
    pub fn state_anew(&mut self, msisdn: Msisdn, change: &LineChange, moment: Moment<'_>) -> Result<(), WorldRefusal> {
        let now = self.now(moment.real);
        let line = change.apply(StatedLine::unsaid(now, moment), now, moment)?;
        self.put(msisdn, &line, moment)
    }

    /// Changes what is said of a line or of a persona.
    pub fn amend(&mut self, msisdn: Msisdn, change: &LineChange, moment: Moment<'_>) -> Result<(), WorldRefusal> {
        let line = self.state(msisdn, moment).line.ok_or(WorldRefusal::NoSuchLine)?;
        let line = change.apply(StatedLine::of(&line), self.now(moment.real), moment)?;
        self.put(msisdn, &line, moment)
    }

    /// Takes a line of its own away; a persona shows through again.
    pub fn remove(&mut self, msisdn: Msisdn) -> Result<(), WorldRefusal> {
        if !self.lines.contains_key(&msisdn) {
            return Err(WorldRefusal::NoSuchLine);
        }
        self.settle(msisdn);
        self.record(WorldEdit::Removed(msisdn));
        Ok(())
    }

    /// Withholds the line's data, or discloses it again. A new holder's is disclosed.
    pub fn restrict(&mut self, msisdn: Msisdn, restricted: bool, moment: Moment<'_>) -> Result<(), WorldRefusal> {
        may_change(msisdn)?;
        let mut state = self.state(msisdn, moment);
        let line = state.line.as_mut().filter(|line| line.status.is_served()).ok_or(WorldRefusal::NotServed)?;
        line.restricted = restricted;
        self.settle(msisdn);
        self.make(msisdn, state)
    }

    /// Lets something happen to a line at `at` (its clock's now where none is given), by the rules by
    /// which a feed's events are applied.
    pub fn happen(
        &mut self,
        msisdn: Msisdn,
        what: LifeEvent,
        at: Option<Timestamp>,
        moment: Moment<'_>,
    ) -> Result<(), WorldRefusal> {
        let now = self.now(moment.real);
        let at = at.map_or(now, whole_micros);
        if self.feed_stopped.is_some() {
            return Err(WorldRefusal::FeedStopped);
        }
        if at > now {
            return Err(WorldRefusal::Future("at"));
        }
        if self.events.len() >= WORLD_EVENTS_MAX {
            return Err(WorldRefusal::EventsFull);
        }
        for number in [Some(msisdn), what.new_msisdn()].into_iter().flatten() {
            may_change(number)?;
            if !self.lines.contains_key(&number) {
                self.make(number, persona(number, moment))?;
            }
            if self.lines.get(&number).and_then(newest_stated).is_some_and(|stated| at < stated) {
                return Err(WorldRefusal::BeforeStated);
            }
        }
        let event = WorldEvent { number: self.events_ever + 1, msisdn, at, what };
        self.record(WorldEdit::Event(event));
        let verdicts = self.derive(self.group(msisdn)).verdicts;
        match verdicts.into_iter().find(|(key, _)| Some(key) == event.key().as_ref()) {
            Some((_, Verdict::Refused(refusal))) => Err(WorldRefusal::ByRule(refusal)),
            _ => Ok(()),
        }
    }

    /// Makes a line of its own out of a state.
    fn make(&mut self, msisdn: Msisdn, state: LineState) -> Result<(), WorldRefusal> {
        if !self.lines.contains_key(&msisdn) && self.lines.len() >= WORLD_LINES_MAX {
            return Err(WorldRefusal::LinesFull);
        }
        self.record(WorldEdit::Line(msisdn, Box::new(state)));
        Ok(())
    }

    /// Makes the events of a line, and of those that share a change of number with it, part of the lines.
    fn settle(&mut self, msisdn: Msisdn) {
        let group = self.group(msisdn);
        if self.events.iter().any(|event| group.contains(&event.msisdn)) {
            for (number, state) in self.derive(group).lines {
                self.record(WorldEdit::Line(number, Box::new(state)));
            }
        }
    }

    /// The line and every other that changes of number lead to. Every event and every number is looked at once.
    fn group(&self, msisdn: Msisdn) -> BTreeSet<Msisdn> {
        let mut beside: BTreeMap<Msisdn, Vec<Msisdn>> = BTreeMap::new();
        for event in &self.events {
            let Some(new_msisdn) = event.what.new_msisdn() else { continue };
            beside.entry(event.msisdn).or_default().push(new_msisdn);
            beside.entry(new_msisdn).or_default().push(event.msisdn);
        }
        let mut group = BTreeSet::from([msisdn]);
        let mut to_follow = vec![msisdn];
        while let Some(number) = to_follow.pop() {
            for other in beside.remove(&number).unwrap_or_default() {
                if group.insert(other) {
                    to_follow.push(other);
                }
            }
        }
        group
    }

    fn derive(&self, group: BTreeSet<Msisdn>) -> Derivation {
        let events = self.events.iter().filter(|event| group.contains(&event.msisdn));
        let (mut told, mut refused) = (Vec::new(), Vec::new());
        for event in events {
            match event.as_told() {
                Some(event) => told.push(event),
                // Whoever lets a row be refused at the instant of an event means it to be the later one.
                None => refused.push(RefusedRow { msisdn: event.msisdn, at: after(event.at) }),
            }
        }
        let bases = group.into_iter().filter_map(|number| Some((number, self.lines.get(&number)?.clone()))).collect();
        // Every event is later than what its line states, so nothing is cut off.
        derive(Timestamp::MIN, bases, &told, &refused)
    }
}

/// The next instant that a world tells apart.
fn after(at: Timestamp) -> Timestamp {
    at.saturating_add(SignedDuration::from_micros(1)).unwrap_or(at)
}

/// The number as it is where a world has no line of its own.
pub fn persona(msisdn: Msisdn, moment: Moment<'_>) -> LineState {
    Persona::of(msisdn).map(|persona| persona.state(msisdn, moment.real, moment.zone)).unwrap_or_default()
}

fn may_change(msisdn: Msisdn) -> Result<(), WorldRefusal> {
    if Persona::of(msisdn) == Some(Persona::PublishedSample) { Err(WorldRefusal::SampleIsFixed) } else { Ok(()) }
}

/// The newest instant that a line states: what happens to it can only be later.
fn newest_stated(state: &LineState) -> Option<Timestamp> {
    let line = state.line.as_ref()?;
    Some(line.last_swap.map_or(line.holding_since(), |swap| swap.at.max(line.holding_since())))
}

#[cfg(test)]
mod tests;
