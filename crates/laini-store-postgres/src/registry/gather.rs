use std::collections::HashSet;

use laini_core::line::{EventKey, EventText, Msisdn, RegistrySeal};
use laini_core::store::FeedItem;
use laini_store::registry::columns::key;
use laini_store::registry::{Entry, RefusedEntry, new_number_place};

use super::picture::{Events, Touched, amended};
use super::rows::{self, event_columns, line_columns};
use super::state::State;
use crate::columns::Columns;
use crate::database::{Transaction, params};
use crate::error::DbError;

/// What is still to be asked about, and what was.
#[derive(Default)]
struct Open {
    numbers: Vec<Msisdn>,
    keys: Vec<EventKey>,
    asked_numbers: HashSet<Msisdn>,
    asked_keys: HashSet<EventKey>,
}

impl Open {
    fn number(&mut self, number: Msisdn) {
        if self.asked_numbers.insert(number) {
            self.numbers.push(number);
        }
    }

    /// An event that is wanted with its amendments.
    fn key(&mut self, key: EventKey) {
        if !self.asked_keys.contains(&key) {
            self.asked_keys.insert(key.clone());
            self.keys.push(key);
        }
    }

    fn entry(&mut self, entry: &Entry) {
        entry.numbers().for_each(|number| self.number(number));
        self.key(entry.event.key.clone());
        if let Some(of) = amended(&entry.event) {
            self.key(of);
        }
    }
}

/// What the history is asked about.
#[derive(Default)]
pub(super) struct Wanted<'a> {
    /// Feed items that are to be taken in.
    pub(super) items: &'a [FeedItem],
    /// Events of the history.
    pub(super) entries: &'a [Entry],
    /// Lines.
    pub(super) numbers: &'a [Msisdn],
    /// A refused row that does not count any more.
    pub(super) refused_but: Option<i64>,
}

/// What the history has about what is wanted and all that events link to it: few statements, however much
/// that is.
pub(super) async fn gather(
    transaction: &Transaction<'_>,
    state: &State,
    seal: &RegistrySeal,
    wanted: Wanted<'_>,
) -> Result<Events, DbError> {
    let mut events = Events::new(seal.clone(), state.last_event, state.last_refused);
    let mut open = Open::default();
    wanted.numbers.iter().for_each(|number| open.number(*number));
    for entry in wanted.entries {
        open.entry(entry);
        events.know(entry.clone());
    }
    for item in wanted.items {
        match item {
            FeedItem::Event(event) => {
                open.entry(&Entry { seq: 0, received: event.at, event: event.clone() });
            }
            FeedItem::Refused { msisdn, new_msisdn, .. } => {
                msisdn.iter().chain(new_msisdn).for_each(|number| open.number(*number));
            }
            FeedItem::Heartbeat { .. } => {}
        }
    }
    while !open.numbers.is_empty() || !open.keys.is_empty() {
        for entry in next_round(transaction, seal, &mut open).await? {
            open.entry(&entry);
            events.know(entry);
        }
    }
    know_refused(transaction, &mut events, &open, wanted.refused_but).await?;
    know_rejects(transaction, seal, &mut events, wanted.items).await?;
    Ok(events)
}

/// The events that name open numbers, that have open keys, or that amend the events of those.
async fn next_round(
    transaction: &Transaction<'_>,
    seal: &RegistrySeal,
    open: &mut Open,
) -> Result<Vec<Entry>, DbError> {
    const SQL: &str = concat!(
        "SELECT ",
        event_columns!(),
        " FROM event e WHERE e.msisdn = ANY($1) UNION ALL SELECT ",
        event_columns!(),
        " FROM event e WHERE e.new_msisdn = ANY($1) UNION ALL SELECT ",
        event_columns!(),
        " FROM unnest($2, $3) k(id, source) JOIN event e ON e.id = k.id AND e.source = k.source UNION ALL SELECT ",
        event_columns!(),
        " FROM unnest($2, $3) k(id, source) JOIN event e ON e.amends = k.id AND e.source = k.source",
    );
    let numbers: Vec<i64> = open.numbers.drain(..).map(key).collect();
    let (ids, sources): (Vec<String>, Vec<String>) =
        open.keys.drain(..).map(|key| (owned(&key.id), owned(&key.source))).unzip();
    let found = transaction.query(SQL, params![numbers, ids, sources]).await?;
    found.iter().map(|row| rows::event(row, seal)).collect()
}

fn owned(text: &EventText) -> String {
    text.as_str().to_owned()
}

/// The refused rows about the lines that were asked about.
async fn know_refused(
    transaction: &Transaction<'_>,
    events: &mut Events,
    open: &Open,
    but: Option<i64>,
) -> Result<(), DbError> {
    let sql = "SELECT msisdn, at FROM refused
        WHERE msisdn = ANY($1) AND is_settled = 0 AND seq IS DISTINCT FROM $2";
    let numbers: Vec<i64> = open.asked_numbers.iter().copied().map(key).collect();
    if !numbers.is_empty() {
        for row in transaction.query(sql, params![numbers, but]).await? {
            events.know_refused(rows::refused_about(&row)?);
        }
    }
    Ok(())
}

/// The refused rows that some items would repeat.
async fn know_rejects(
    transaction: &Transaction<'_>,
    seal: &RegistrySeal,
    events: &mut Events,
    items: &[FeedItem],
) -> Result<(), DbError> {
    let (mut places, mut kept) = (Vec::new(), Vec::new());
    for item in items {
        match item {
            FeedItem::Event(event) => places.push(format!("event {}", event.key.id.as_str())),
            FeedItem::Refused { place, line, .. } => {
                places.push(place.clone());
                kept.extend(line.as_ref().map(|line| seal.seal_feed_line(line).0));
            }
            FeedItem::Heartbeat { .. } => {}
        }
    }
    // Some of them name another number as well.
    let new_places: Vec<String> = places.iter().map(|place| new_number_place(place)).collect();
    places.extend(new_places);
    if !places.is_empty() {
        let sql = "SELECT msisdn, at, place FROM refused WHERE place = ANY($1) AND line IS NULL AND is_settled = 0";
        for row in transaction.query(sql, params![places]).await? {
            let columns = Columns(&row);
            events.named.insert((columns.get("msisdn")?, columns.get("at")?, columns.get("place")?));
        }
    }
    if !kept.is_empty() {
        let sql = "SELECT msisdn, line FROM refused WHERE line IS NOT NULL
            AND substr(line, 1, 12) = ANY(SELECT substr(k, 1, 12) FROM unnest($1) k) AND line = ANY($1)";
        for row in transaction.query(sql, params![kept]).await? {
            let columns = Columns(&row);
            events.kept.insert((columns.get("msisdn")?, columns.get("line")?));
        }
    }
    Ok(())
}

/// The rows of every line that `events` and `refused` may touch in a generation.
pub(super) async fn touched(
    transaction: &Transaction<'_>,
    generation: i64,
    events: &Events,
    refused: &[RefusedEntry],
) -> Result<Touched, DbError> {
    const SQL: &str = concat!(
        "SELECT n.msisdn, b.msisdn IS NOT NULL, ",
        line_columns!("l"),
        ", ",
        line_columns!("b"),
        " FROM unnest($2) n(msisdn) LEFT JOIN line l ON l.generation = $1 AND l.msisdn = n.msisdn
          LEFT JOIN line_base b ON b.generation = $1 AND b.msisdn = n.msisdn",
    );
    let mut touched = Touched::new();
    let numbers: HashSet<Msisdn> = events.numbers().chain(refused.iter().filter_map(|row| row.msisdn)).collect();
    if numbers.is_empty() {
        return Ok(touched);
    }
    let mut numbers: Vec<i64> = numbers.into_iter().map(key).collect();
    // In one order, whoever writes them later.
    numbers.sort_unstable();
    for row in transaction.query(SQL, params![generation, numbers]).await? {
        let number = rows::number(&row, "msisdn")?;
        touched.lines.insert(number, rows::line(&row, 2)?);
        if row.try_get(1).map_err(|_| DbError::Damaged("line_base"))? {
            touched.bases.insert(number, rows::line(&row, 9)?);
        }
    }
    Ok(touched)
}
