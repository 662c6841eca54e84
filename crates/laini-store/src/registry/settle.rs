use jiff::Timestamp;
use laini_core::line::{Before, LineState, Msisdn, RegistrySeal, settle};

use super::{Broken, Merged, Packed, Row};

/// Lines that travel together from the settling to where they are written.
const BATCH_LINES: usize = 4_096;

/// Settled lines in ascending order of number.
pub type Batch = Vec<(Msisdn, Row)>;

/// A line that was known before a snapshot.
pub struct KnownLine {
    /// Its number.
    pub msisdn: Msisdn,
    /// Its present row; `None` where there is none any more.
    pub row: Option<Row>,
    /// Its state at the snapshot's cut, where later events have changed it since.
    pub at_cut: Option<LineState>,
}

/// What a snapshot is settled with.
#[derive(Clone, Copy)]
pub struct Settling<'a> {
    /// Its cut.
    pub cut: Timestamp,
    /// The instant after which events counted in the generation before.
    pub cut_before: Timestamp,
    /// What seals its rows.
    pub seal: &'a RegistrySeal,
}

/// What the pass over all rows counted.
#[derive(Debug, Default, Clone, Copy)]
pub struct Tally {
    /// Lines that were known before and that the snapshot no longer names; kept as given up, so that
    /// their next holder is a new one.
    pub carried: u64,
    /// Lines that the snapshot states, and those carried.
    pub written: u64,
    /// Rows that said the same again.
    pub repeated: u64,
    /// Numbers that rows contradict each other about.
    pub contradicted: u64,
}

impl Tally {
    /// Lines that the snapshot states.
    pub fn lines(&self) -> u64 {
        self.written - self.carried
    }
}

impl Settling<'_> {
    /// Settles all rows against what was `known`, which comes in ascending order of number, in one pass;
    /// what comes of it goes to `out` in that order.
    pub fn settle_all<E: From<Broken>>(
        &self,
        mut rows: Merged,
        known: impl Iterator<Item = Result<KnownLine, E>>,
        out: impl FnMut(Batch) -> Result<(), E>,
    ) -> Result<Tally, E> {
        let mut known = Known { lines: known, head: None };
        let mut tally = Tally::default();
        let mut out = Out { batch: Vec::with_capacity(BATCH_LINES), send: out };
        let mut next = rows.next()?;
        while let Some(first) = next {
            let number = first.number()?;
            let mut stated = Stated::default();
            let mut same_number = first.clone();
            loop {
                stated.add(same_number);
                match rows.next()? {
                    Some(row) if row.is_about_the_number_of(&first) => same_number = row,
                    other => {
                        next = other;
                        break;
                    }
                }
            }
            tally.repeated += stated.repeated;
            tally.contradicted += u64::from(stated.contradicted);
            known.give_up_before(Some(number), &mut out, &mut tally, self.seal)?;
            let before = known.before(number, self.seal)?;
            let state = stated.state(before, self)?;
            if let Some(row) = Row::of(&state, number, self.seal) {
                tally.written += u64::from(row.is_known());
                out.add(number, row)?;
            }
        }
        known.give_up_before(None, &mut out, &mut tally, self.seal)?;
        let Out { batch, mut send } = out;
        send(batch)?;
        Ok(tally)
    }
}

/// Lines on their way out.
struct Out<F> {
    batch: Batch,
    send: F,
}

impl<E, F: FnMut(Batch) -> Result<(), E>> Out<F> {
    fn add(&mut self, number: Msisdn, row: Row) -> Result<(), E> {
        self.batch.push((number, row));
        if self.batch.len() < BATCH_LINES {
            return Ok(());
        }
        (self.send)(std::mem::replace(&mut self.batch, Vec::with_capacity(BATCH_LINES)))
    }
}

/// All that a snapshot says about one number.
#[derive(Default)]
struct Stated {
    first: Option<Packed>,
    repeated: u64,
    contradicted: bool,
    refused: bool,
}

impl Stated {
    fn add(&mut self, row: Packed) {
        match &self.first {
            _ if row.is_refused() => self.refused = true,
            None => self.first = Some(row),
            Some(first) if *first == row => self.repeated += 1,
            Some(_) => self.contradicted = true,
        }
    }

    /// A line that cannot be believed keeps what was known about it: what comes later stands on that.
    fn state(self, before: LineState, settling: &Settling<'_>) -> Result<LineState, Broken> {
        let source_rejected = self.refused || self.contradicted;
        let line = match self.first.filter(|_| !self.contradicted) {
            None => before.line,
            Some(row) => {
                let before = before.line.as_ref().map(|line| Before { line, cut: settling.cut_before });
                Some(settle(before, &row.open(settling.seal)?, settling.cut))
            }
        };
        Ok(LineState { line, source_rejected })
    }
}

/// What was known, read once, in step with the snapshot.
struct Known<I> {
    lines: I,
    head: Option<KnownLine>,
}

impl<E: From<Broken>, I: Iterator<Item = Result<KnownLine, E>>> Known<I> {
    /// What was known about `number`, once [`Known::give_up_before`] has come to it.
    fn before(&mut self, number: Msisdn, seal: &RegistrySeal) -> Result<LineState, E> {
        match self.head.take_if(|head| head.msisdn == number) {
            Some(KnownLine { at_cut: Some(state), .. }) => Ok(state),
            Some(KnownLine { row: Some(row), .. }) => Ok(row.open(number, seal)?),
            _ => Ok(LineState::default()),
        }
    }

    /// Gives up every line before `number` (`None` = to the end) that the snapshot has passed over.
    /// Numbers come in ascending order.
    fn give_up_before<F: FnMut(Batch) -> Result<(), E>>(
        &mut self,
        number: Option<Msisdn>,
        out: &mut Out<F>,
        tally: &mut Tally,
        seal: &RegistrySeal,
    ) -> Result<(), E> {
        loop {
            if self.head.is_none() {
                let Some(line) = self.lines.next().transpose()? else { return Ok(()) };
                self.head = Some(line);
            }
            let Some(missing) = self.head.take_if(|head| number.is_none_or(|number| head.msisdn < number)) else {
                return Ok(());
            };
            let row = match missing.at_cut {
                Some(state) if missing.row.is_some() => Row::of(&state, missing.msisdn, seal),
                _ => missing.row,
            };
            if let Some(row) = row.filter(Row::is_known) {
                out.add(missing.msisdn, row.given_up())?;
                tally.carried += 1;
                tally.written += 1;
            }
        }
    }
}
