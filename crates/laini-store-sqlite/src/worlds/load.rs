//! Reading, inside the transaction of its caller.

use std::collections::BTreeMap;
use std::fmt::Display;

use jiff::{SignedDuration, Timestamp};
use laini_core::line::{ContractType, HashedImsi, Imsi, Line, LineState, LineStatus, Msisdn, Swap, SwapCause};
use laini_core::partner::AppId;
use laini_core::sandbox::{LifeEvent, WorldEvent, WorldRecord};
use rusqlite::types::FromSqlError;
use rusqlite::{OptionalExtension as _, Row, Transaction};

pub(super) fn version(transaction: &Transaction<'_>) -> rusqlite::Result<u64> {
    transaction.prepare_cached("SELECT version FROM meta")?.query_row([], |row| unsigned(row, 0))
}

pub(super) fn version_of(transaction: &Transaction<'_>, app: AppId) -> rusqlite::Result<Option<u64>> {
    let mut statement = transaction.prepare_cached("SELECT version FROM world WHERE app = ?1")?;
    statement.query_row([key(app)], |row| unsigned(row, 0)).optional()
}

pub(super) fn record(transaction: &Transaction<'_>, app: AppId) -> rusqlite::Result<Option<WorldRecord>> {
    let mut statement =
        transaction.prepare_cached("SELECT ahead_us, feed_stopped, events_ever FROM world WHERE app = ?1")?;
    let found = statement.query_row([key(app)], |row| {
        Ok(WorldRecord {
            ahead: SignedDuration::from_micros(row.get(0)?),
            feed_stopped: instant(row, 1)?,
            events_ever: unsigned(row, 2)?,
            ..WorldRecord::default()
        })
    });
    let Some(record) = found.optional()? else { return Ok(None) };
    Ok(Some(WorldRecord { lines: lines(transaction, app)?, events: events(transaction, app)?, ..record }))
}

fn lines(transaction: &Transaction<'_>, app: AppId) -> rusqlite::Result<BTreeMap<Msisdn, LineState>> {
    let mut statement = transaction.prepare_cached(
        "SELECT msisdn, source_rejected, status, imsi, registered, holder_since, last_swap, swap_cause, contract,
             restricted, hashed_imsi
         FROM line WHERE app = ?1",
    )?;
    let lines = statement.query_map([key(app)], |row| {
        let msisdn = parsed(Msisdn::from_stored(unsigned(row, 0)?).ok_or("no number"))?;
        let line = row.get_ref(2)?.as_str_or_null()?.map(|status| line(row, status)).transpose()?;
        Ok((msisdn, LineState { line, source_rejected: row.get(1)? }))
    })?;
    lines.collect()
}

fn line(row: &Row<'_>, status: &str) -> rusqlite::Result<Line> {
    let imsi = Imsi::from_stored(unsigned(row, 3)?).ok_or("no IMSI");
    let cause = row.get_ref(7)?.as_str_or_null()?.and_then(SwapCause::parse);
    let contract = row.get_ref(8)?.as_str_or_null()?.map(|word| ContractType::parse(word).ok_or("no contract type"));
    let hashed = row.get_ref(10)?.as_str_or_null()?.map(HashedImsi::parse);
    Ok(Line {
        status: parsed(LineStatus::parse(status).ok_or("no status"))?,
        sim: parsed(imsi)?.into(),
        registered: parsed(instant(row, 4)?.ok_or("no registration"))?,
        holder_since: instant(row, 5)?,
        last_swap: instant(row, 6)?.zip(cause).map(|(at, cause)| Swap { at, cause }),
        swap_learned: false,
        swap_before: None,
        last_pairing: None,
        contract: parsed(contract.transpose())?,
        restricted: row.get(9)?,
        hashed_imsi: parsed(hashed.transpose())?,
    })
}

fn events(transaction: &Transaction<'_>, app: AppId) -> rusqlite::Result<Vec<WorldEvent>> {
    let sql = "SELECT number, msisdn, at, what, new_msisdn FROM event WHERE app = ?1 ORDER BY number";
    let mut statement = transaction.prepare_cached(sql)?;
    let events = statement.query_map([key(app)], |row| {
        let new_msisdn = row.get::<_, Option<i64>>(4)?.and_then(|number| Msisdn::from_stored(number.cast_unsigned()));
        let what = match new_msisdn {
            Some(new_msisdn) => LifeEvent::NumberChange(new_msisdn),
            None => parsed(LifeEvent::parse(row.get_ref(3)?.as_str()?).ok_or("no event"))?,
        };
        Ok(WorldEvent {
            number: unsigned(row, 0)?,
            msisdn: parsed(Msisdn::from_stored(unsigned(row, 1)?).ok_or("no number"))?,
            at: parsed(instant(row, 2)?.ok_or("no instant"))?,
            what,
        })
    })?;
    events.collect()
}

pub(super) fn key(app: AppId) -> i64 {
    app.as_u64().cast_signed()
}

fn unsigned(row: &Row<'_>, column: usize) -> rusqlite::Result<u64> {
    row.get::<_, i64>(column).map(i64::cast_unsigned)
}

fn instant(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<Timestamp>> {
    row.get::<_, Option<i64>>(column)?.map(|micros| parsed(Timestamp::from_microsecond(micros))).transpose()
}

/// A value that does not parse was not written by this program.
fn parsed<T, E: Display>(value: Result<T, E>) -> rusqlite::Result<T> {
    value.map_err(|error| FromSqlError::Other(error.to_string().into()).into())
}
