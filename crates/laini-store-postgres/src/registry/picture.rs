use std::collections::hash_map::Entry::Vacant;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use jiff::Timestamp;
use laini_core::line::{Event, EventKey, EventText, FeedLine, Happening, Msisdn, Refusal, RefusedRow, RegistrySeal};
use laini_store::registry::columns::key;
use laini_store::registry::{Broken, Entering, Entry, EventColumns, History, Lines, RefusedEntry, Row};

/// All that the history has about the lines that some feed items touch, read before the rules run on it,
/// and what they add to it, written afterwards.
pub(super) struct Events {
    seal: RegistrySeal,
    known: BTreeMap<i64, Entry>,
    by_key: HashMap<EventKey, i64>,
    naming: HashMap<Msisdn, BTreeSet<i64>>,
    amending: HashMap<EventKey, Vec<i64>>,
    refused_about: HashMap<Msisdn, Vec<RefusedRow>>,
    /// Refused rows that are there: number and what was kept of them, or else number, instant and place.
    pub(super) kept: HashSet<(Option<i64>, Vec<u8>)>,
    pub(super) named: HashSet<(Option<i64>, i64, String)>,
    /// The newest places.
    pub(super) last_event: i64,
    pub(super) last_refused: i64,
    pub(super) added: Vec<EventColumns>,
    pub(super) refused: Vec<RefusedColumns>,
    pub(super) heartbeats: BTreeMap<String, i64>,
    /// Up to when everything about a number was erased.
    erased_until: HashMap<Msisdn, Timestamp>,
    /// Events that go, and the numbers whose refused rows do, with the instant up to which.
    pub(super) gone: Vec<i64>,
    pub(super) gone_until: Vec<(i64, i64)>,
}

/// A refused row that is to be written.
pub(super) struct RefusedColumns {
    pub(super) entry: RefusedEntry,
    pub(super) line: Option<Vec<u8>>,
    pub(super) is_settled: bool,
}

impl Events {
    pub(super) fn new(seal: RegistrySeal, last_event: i64, last_refused: i64) -> Self {
        Self {
            seal,
            known: BTreeMap::new(),
            by_key: HashMap::new(),
            naming: HashMap::new(),
            amending: HashMap::new(),
            refused_about: HashMap::new(),
            kept: HashSet::new(),
            named: HashSet::new(),
            last_event,
            last_refused,
            added: Vec::new(),
            refused: Vec::new(),
            heartbeats: BTreeMap::new(),
            erased_until: HashMap::new(),
            gone: Vec::new(),
            gone_until: Vec::new(),
        }
    }

    /// Takes up an event; false where it was there.
    pub(super) fn know(&mut self, entry: Entry) -> bool {
        let seq = entry.seq;
        self.by_key.insert(entry.event.key.clone(), seq);
        for number in entry.numbers() {
            self.naming.entry(number).or_default().insert(seq);
        }
        if let (Happening::Erased, Some(number)) = (&entry.event.happening, entry.event.msisdn) {
            let until = self.erased_until.entry(number).or_insert(entry.event.at);
            *until = entry.event.at.max(*until);
        }
        if let Some(of) = amended(&entry.event)
            && !self.known.contains_key(&seq)
        {
            self.amending.entry(of).or_default().push(seq);
        }
        self.known.insert(seq, entry).is_none()
    }

    /// Forgets an event.
    fn unknow(&mut self, seq: i64) -> Result<(), Broken> {
        let Some(entry) = self.known.remove(&seq) else { return Err(Broken::Damaged("an event")) };
        self.by_key.remove(&entry.event.key);
        for number in entry.numbers() {
            self.naming.entry(number).or_default().remove(&seq);
        }
        if let Some(of) = amended(&entry.event) {
            self.amending.entry(of).or_default().retain(|amending| *amending != seq);
        }
        Ok(())
    }

    pub(super) fn know_refused(&mut self, row: RefusedRow) {
        self.refused_about.entry(row.msisdn).or_default().push(row);
    }

    /// The numbers that anything in it names.
    pub(super) fn numbers(&self) -> impl Iterator<Item = Msisdn> {
        self.naming.keys().copied()
    }

    /// The events after a place.
    pub(super) fn after(&self, seq: i64) -> Vec<Entry> {
        self.known.range(seq + 1..).map(|(_, entry)| entry.clone()).collect()
    }

    fn entries<'a>(&self, places: impl IntoIterator<Item = &'a i64>) -> Vec<Entry> {
        places.into_iter().filter_map(|seq| self.known.get(seq)).cloned().collect()
    }
}

/// The key of the event that an amendment is about.
pub(super) fn amended(event: &Event) -> Option<EventKey> {
    event.happening.amends().map(|of| EventKey { id: of.clone(), source: event.key.source.clone() })
}

impl History for Events {
    type Error = Broken;

    fn by_key(&self, key: &EventKey) -> Result<Option<Entry>, Broken> {
        Ok(self.by_key.get(key).and_then(|seq| self.known.get(seq)).cloned())
    }

    fn amendments(&self, key: &EventKey) -> Result<Vec<Entry>, Broken> {
        Ok(self.entries(self.amending.get(key).into_iter().flatten()))
    }

    fn naming(&self, number: Msisdn) -> Result<Vec<Entry>, Broken> {
        Ok(self.entries(self.naming.get(&number).into_iter().flatten()))
    }

    fn count_naming(&self, number: Msisdn) -> Result<i64, Broken> {
        let count = self.naming.get(&number).map_or(0, BTreeSet::len);
        Ok(i64::try_from(count).unwrap_or(i64::MAX))
    }

    fn erased_until(&self, number: Msisdn) -> Result<Option<Timestamp>, Broken> {
        Ok(self.erased_until.get(&number).copied())
    }

    fn refused_about(&self, number: Msisdn) -> Result<Vec<RefusedRow>, Broken> {
        Ok(self.refused_about.get(&number).cloned().unwrap_or_default())
    }
}

impl Entering for Events {
    fn add(&mut self, event: &Event, received: Timestamp) -> Result<i64, Broken> {
        self.last_event += 1;
        let columns = EventColumns::of(self.last_event, event, received, &self.seal)?;
        // To the precision of its columns, as everybody will read it.
        self.know(columns.open(&self.seal)?);
        self.added.push(columns);
        Ok(self.last_event)
    }

    fn take_back(&mut self, seq: i64) -> Result<(), Broken> {
        self.added.pop();
        self.last_event -= 1;
        self.unknow(seq)
    }

    fn erase(&mut self, events: &[i64], number: Msisdn, until: Timestamp) -> Result<(), Broken> {
        for seq in events {
            self.unknow(*seq)?;
        }
        self.added.retain(|row| !events.contains(&row.seq));
        self.gone.extend(events);
        if let Some(rows) = self.refused_about.get_mut(&number) {
            rows.retain(|row| row.at > until);
        }
        let is_gone = |row: &RefusedColumns| row.entry.msisdn == Some(number) && row.entry.at <= until;
        let (gone, mut rest): (Vec<_>, Vec<_>) = std::mem::take(&mut self.refused).into_iter().partition(is_gone);
        // What they say goes where it is kept about another number, too.
        for row in rest.iter_mut().filter(|row| row.line.is_some() && gone.iter().any(|gone| gone.line == row.line)) {
            row.line = None;
        }
        self.refused = rest;
        self.gone_until.push((key(number), until.as_microsecond()));
        Ok(())
    }

    fn refuse(&mut self, mut entry: RefusedEntry, line: Option<&FeedLine>) -> Result<(), Broken> {
        let line = line.map(|line| self.seal.seal_feed_line(line).0);
        let is_news = match &line {
            Some(line) => self.kept.insert((entry.msisdn.map(key), line.clone())),
            None => self.named.insert((entry.msisdn.map(key), entry.at.as_microsecond(), entry.place.clone())),
        };
        if is_news {
            self.last_refused += 1;
            entry.seq = self.last_refused;
            if let Some(msisdn) = entry.msisdn {
                self.know_refused(RefusedRow { msisdn, at: entry.at });
            }
            self.refused.push(RefusedColumns { entry, line, is_settled: false });
        }
        Ok(())
    }

    fn heartbeat(&mut self, source: &EventText, until: Timestamp) -> Result<(), Broken> {
        let until = until.as_microsecond();
        let newest = self.heartbeats.entry(source.as_str().to_owned()).or_insert(until);
        *newest = until.max(*newest);
        Ok(())
    }
}

/// The rows of the lines that are to be derived anew, and what becomes of them.
pub(super) struct Touched {
    /// Each line that may be touched, with its present row.
    pub(super) lines: HashMap<Msisdn, Option<Row>>,
    /// The rows at the cut that are kept.
    pub(super) bases: HashMap<Msisdn, Option<Row>>,
    /// The lines whose row is another one now.
    pub(super) changed: BTreeSet<Msisdn>,
    /// The lines whose row at the cut is to be kept.
    pub(super) kept: BTreeSet<Msisdn>,
    /// For each event that was derived why it is not applied.
    pub(super) refusals: BTreeMap<i64, Option<Refusal>>,
}

impl Touched {
    pub(super) fn new() -> Self {
        Self {
            lines: HashMap::new(),
            bases: HashMap::new(),
            changed: BTreeSet::new(),
            kept: BTreeSet::new(),
            refusals: BTreeMap::new(),
        }
    }
}

impl Lines for Touched {
    type Error = Broken;

    fn line(&self, number: Msisdn) -> Result<Option<Row>, Broken> {
        self.lines.get(&number).cloned().ok_or(Broken::Damaged("a line that was not read"))
    }

    fn row_at_cut(&self, number: Msisdn) -> Result<Option<Row>, Broken> {
        self.bases.get(&number).map_or_else(|| self.line(number), |row| Ok(row.clone()))
    }

    fn keep_base(&mut self, number: Msisdn, row: Option<&Row>) -> Result<(), Broken> {
        if let Vacant(place) = self.bases.entry(number) {
            place.insert(row.cloned());
            self.kept.insert(number);
        }
        Ok(())
    }

    fn write_line(&mut self, number: Msisdn, row: Option<&Row>) -> Result<(), Broken> {
        self.lines.insert(number, row.cloned());
        self.changed.insert(number);
        Ok(())
    }

    fn write_refusal(&mut self, event: i64, refusal: Option<Refusal>) -> Result<(), Broken> {
        self.refusals.insert(event, refusal);
        Ok(())
    }
}
