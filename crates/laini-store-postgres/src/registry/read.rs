use laini_core::line::{Event, EventText, LineState, Msisdn, RegistrySeal};
use laini_core::store::{KeptLine, RecordedPage, RecordedQuery, RegistryStatus, RejectCursor, RejectId, RejectPage};
use laini_store::registry::columns::{count, key};
use laini_store::registry::{History as _, RecordedSpan, Row, in_order, newest, unapplied_event, unread_line};

use super::gather::{Wanted, gather};
use super::rows::{self, event_columns, line_columns, refused_columns};
use super::state::{State, View, WITH_FEEDS};
use crate::columns::Columns;
use crate::database::{Link, Transaction, params};
use crate::error::DbError;

/// Counts and instants.
pub(super) async fn status(link: &Link, required_feeds: Vec<EventText>) -> Result<RegistryStatus, DbError> {
    let view = View::read(&link.query(WITH_FEEDS, &[]).await?)?;
    let generation = view.state.generation;
    let refused = "SELECT count(*) AS rows FROM refused WHERE is_settled = 0";
    let refused = link.query_opt(refused, &[]).await?.ok_or(DbError::Damaged("refused"))?;
    let mut status = RegistryStatus {
        events: count(view.state.last_event),
        rejects: count(Columns(&refused).get("rows")?),
        as_of: view.as_of(&required_feeds),
        feeds: view.feeds,
        required_feeds,
        ..RegistryStatus::default()
    };
    let Some(generation) = generation else { return Ok(status) };
    let unapplied = "SELECT refusal, count(*) AS events FROM unapplied WHERE generation = $1 GROUP BY refusal";
    for row in link.query(unapplied, params![generation]).await? {
        let events = count(Columns(&row).get("events")?);
        if rows::refusal(&row)?.can_wait() { status.waiting += events } else { status.rejects += events }
    }
    status.generation = count(generation);
    status.lines = count(view.state.lines);
    status.cut = view.state.cut;
    status.history_since = Some(view.state.history_since);
    status.rejects += count(view.state.refused_rows);
    Ok(status)
}

/// Lines after `after` in ascending order, at most `limit`.
pub(super) async fn scan(
    link: &Link,
    after: Option<Msisdn>,
    limit: usize,
    seal: &RegistrySeal,
) -> Result<Vec<(Msisdn, LineState)>, DbError> {
    const SQL: &str = concat!(
        "SELECT l.msisdn, ",
        line_columns!("l"),
        " FROM line l WHERE l.generation = $1 AND l.msisdn > $2 ORDER BY l.msisdn LIMIT $3",
    );
    let state = "SELECT generation FROM registry_state";
    let state = link.query_opt(state, &[]).await?.ok_or(DbError::Damaged("registry_state"))?;
    let Some(generation) = Columns(&state).get::<Option<i64>>("generation")? else { return Ok(Vec::new()) };
    let found = link.query(SQL, params![generation, after.map_or(0, key), rows_of(limit)]).await?;
    found
        .iter()
        .map(|row| {
            let number = rows::number(row, "msisdn")?;
            let line = rows::line(row, 1)?.unwrap_or_default();
            Ok((number, Row::open(&line, number, seal)?))
        })
        .collect()
}

/// Every event about one line, those that amend them included.
pub(super) async fn history(link: &Link, number: Msisdn, seal: &RegistrySeal) -> Result<Vec<Event>, DbError> {
    link.transact(async |transaction: &Transaction<'_>| {
        let state = State::read_in(transaction).await?;
        let numbers = std::slice::from_ref(&number);
        let events = gather(transaction, &state, seal, Wanted { numbers, ..Wanted::default() }).await?;
        let mut entries = events.naming(number)?;
        for at in 0..entries.len() {
            let amendments = events.amendments(&entries[at].event.key)?;
            entries.extend(amendments.into_iter().filter(|entry| entry.event.msisdn != Some(number)));
        }
        Ok(in_order(entries))
    })
    .await
}

/// What feeds told, the newest first.
pub(super) async fn recorded(link: &Link, query: &RecordedQuery, seal: &RegistrySeal) -> Result<RecordedPage, DbError> {
    // The kind of an erasure, which no feed tells, is written out as in the index of erasures.
    const SQL: &str = concat!(
        "SELECT ",
        event_columns!(),
        " FROM event e WHERE e.seq >= $1 AND e.seq < $2 AND e.kind <> 14 AND ($3::text IS NULL OR e.source = $3)
          ORDER BY e.seq DESC LIMIT $4",
    );
    let last = link.query_opt("SELECT last_event FROM registry_state", &[]).await?;
    let last = Columns(&last.ok_or(DbError::Damaged("registry_state"))?).get("last_event")?;
    let span = RecordedSpan::of(query, last);
    let source = query.source.as_ref().map(EventText::as_str);
    let found = link.query(SQL, params![span.first, span.end, source, span.rows]).await?;
    let found = found.iter().map(|row| rows::event(row, seal)).collect::<Result<_, DbError>>()?;
    Ok(span.page(found, query.limit))
}

/// What could not be read or applied, newest first.
pub(super) async fn rejects(
    link: &Link,
    cursor: RejectCursor,
    limit: usize,
    seal: &RegistrySeal,
) -> Result<RejectPage, DbError> {
    const EVENTS: &str = concat!(
        "SELECT u.refusal, ",
        event_columns!(),
        " FROM registry_state s JOIN unapplied u ON u.generation = s.generation JOIN event e ON e.seq = u.event
          WHERE u.event < $1 ORDER BY u.event DESC LIMIT $2",
    );
    const LINES: &str = concat!(
        "SELECT ",
        refused_columns!(),
        " FROM refused r WHERE r.is_settled = 0 AND r.seq < $1 ORDER BY r.seq DESC LIMIT $2",
    );
    // One more than asked for tells whether there are more.
    let one_more = rows_of(limit).saturating_add(1);
    let events = link.query(EVENTS, params![stored(cursor.event), one_more]).await?;
    let events = events.iter().map(|row| Ok(unapplied_event(rows::event(row, seal)?, rows::refusal(row)?)));
    let events = events.collect::<Result<_, DbError>>()?;
    let lines = link.query(LINES, params![stored(cursor.line), one_more]).await?;
    let lines = lines.iter().map(|row| Ok(unread_line(rows::refused(row)?))).collect::<Result<_, DbError>>()?;
    Ok(newest(cursor, events, lines, limit))
}

/// Lines that were kept as they came, oldest first.
pub(super) async fn kept_lines(
    link: &Link,
    after: Option<RejectId>,
    limit: usize,
    seal: &RegistrySeal,
) -> Result<Vec<KeptLine>, DbError> {
    let sql = "SELECT seq, place, line FROM refused WHERE line IS NOT NULL AND seq > $1 ORDER BY seq LIMIT $2";
    let found = link.query(sql, params![after.map_or(0, |id| stored(id.0)), rows_of(limit)]).await?;
    found.iter().map(|row| rows::kept(row, seal)).collect()
}

fn rows_of(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}

/// A place as a column keeps it; beyond its range nothing is.
pub(super) fn stored(place: u64) -> i64 {
    i64::try_from(place).unwrap_or(i64::MAX)
}
