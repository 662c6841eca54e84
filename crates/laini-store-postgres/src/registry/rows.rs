use laini_core::line::{HashedImsi, Msisdn, Refusal, RefusedRow, RegistrySeal};
use laini_core::store::{KeptLine, RejectId};
use laini_store::registry::columns::{count, micros, msisdn, nth};
use laini_store::registry::{Broken, Entry, EventColumns, RefusedEntry, Row};
use tokio_postgres::Row as Found;

use crate::columns::Columns;
use crate::error::DbError;

/// The columns of a line after its number.
macro_rules! line_columns {
    ($table:literal) => {
        concat!(
            $table,
            ".registered, ",
            $table,
            ".flags, ",
            $table,
            ".swapped, ",
            $table,
            ".holder, ",
            $table,
            ".paired, ",
            $table,
            ".imsi, ",
            $table,
            ".hashed_imsi"
        )
    };
}
pub(super) use line_columns;

/// The columns of an event.
macro_rules! event_columns {
    () => {
        "e.seq, e.id, e.source, e.at, e.recorded, e.received, e.kind, e.msisdn, e.new_msisdn, e.imsi, e.amends"
    };
}
pub(super) use event_columns;

/// The columns of a refused row.
macro_rules! refused_columns {
    () => {
        "r.seq, r.at, r.received, r.msisdn, r.place, r.reason, r.line IS NOT NULL AS is_kept"
    };
}
pub(super) use refused_columns;

/// The line whose columns begin at `first`; `None` where an outer join found none.
pub(super) fn line(found: &Found, first: usize) -> Result<Option<Row>, DbError> {
    let damaged = |_| DbError::Damaged("line");
    let Some(flags) = found.try_get(first + 1).map_err(damaged)? else { return Ok(None) };
    let imsi: Option<&[u8]> = found.try_get(first + 5).map_err(damaged)?;
    let hashed: Option<&str> = found.try_get(first + 6).map_err(damaged)?;
    Ok(Some(Row {
        registered: found.try_get(first).map_err(damaged)?,
        flags,
        swapped: found.try_get(first + 2).map_err(damaged)?,
        holder: found.try_get(first + 3).map_err(damaged)?,
        paired: found.try_get(first + 4).map_err(damaged)?,
        imsi: imsi.map(|sealed| sealed.try_into().map_err(|_| DbError::Damaged("imsi"))).transpose()?,
        hashed: hashed.map(|text| HashedImsi::parse(text).map_err(|_| DbError::Damaged("hashed_imsi"))).transpose()?,
    }))
}

/// A number.
pub(super) fn number(found: &Found, column: &'static str) -> Result<Msisdn, DbError> {
    Ok(msisdn(Columns(found).get(column)?)?)
}

pub(super) fn event(found: &Found, seal: &RegistrySeal) -> Result<Entry, DbError> {
    let columns = Columns(found);
    let event = EventColumns {
        seq: columns.get("seq")?,
        id: columns.get("id")?,
        source: columns.get("source")?,
        at: columns.get("at")?,
        recorded: columns.get("recorded")?,
        received: columns.get("received")?,
        kind: columns.get("kind")?,
        msisdn: columns.get("msisdn")?,
        new_msisdn: columns.get("new_msisdn")?,
        imsi: columns.optional_bytes("imsi")?,
        amends: columns.get("amends")?,
    };
    Ok(event.open(seal)?)
}

pub(super) fn refused(found: &Found) -> Result<RefusedEntry, DbError> {
    let columns = Columns(found);
    Ok(RefusedEntry {
        seq: columns.get("seq")?,
        at: micros(columns.get("at")?)?,
        received: micros(columns.get("received")?)?,
        msisdn: columns.get::<Option<i64>>("msisdn")?.map(msisdn).transpose()?,
        place: columns.get("place")?,
        reason: columns.get("reason")?,
        is_kept: columns.get("is_kept")?,
    })
}

pub(super) fn refused_about(found: &Found) -> Result<RefusedRow, DbError> {
    Ok(RefusedRow { msisdn: number(found, "msisdn")?, at: Columns(found).instant("at")? })
}

pub(super) fn kept(found: &Found, seal: &RegistrySeal) -> Result<KeptLine, DbError> {
    let columns = Columns(found);
    let sealed = laini_core::line::SealedFeedLine(columns.get("line")?);
    let line = seal.open_feed_line(&sealed).map_err(Broken::from)?;
    Ok(KeptLine { id: RejectId(count(columns.get("seq")?)), place: columns.get("place")?, line })
}

pub(super) fn refusal(found: &Found) -> Result<Refusal, DbError> {
    nth(&Refusal::ALL, Columns(found).get("refusal")?).ok_or(DbError::Damaged("refusal"))
}
