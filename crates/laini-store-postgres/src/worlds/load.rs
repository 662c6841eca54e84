//! Reading, inside the transaction of its caller.

use std::collections::BTreeMap;

use jiff::SignedDuration;
use laini_core::line::{ContractType, HashedImsi, Imsi, Line, LineState, LineStatus, Msisdn, Swap, SwapCause};
use laini_core::partner::AppId;
use laini_core::sandbox::{LifeEvent, WorldEvent, WorldRecord};

use crate::columns::Columns;
use crate::database::{Transaction, params};
use crate::error::DbError;

pub(super) async fn record(transaction: &Transaction<'_>, app: AppId) -> Result<Option<WorldRecord>, DbError> {
    let sql = "SELECT ahead_us, feed_stopped, events_ever FROM world WHERE app = $1";
    let Some(row) = transaction.query_opt(sql, params![key(app)]).await? else { return Ok(None) };
    let columns = Columns(&row);
    Ok(Some(WorldRecord {
        ahead: SignedDuration::from_micros(columns.get("ahead_us")?),
        feed_stopped: columns.optional_instant("feed_stopped")?,
        events_ever: columns.bits("events_ever", 63)?,
        lines: lines(transaction, app).await?,
        events: events(transaction, app).await?,
    }))
}

async fn lines(transaction: &Transaction<'_>, app: AppId) -> Result<BTreeMap<Msisdn, LineState>, DbError> {
    let rows = transaction.query("SELECT * FROM world_line WHERE app = $1", params![key(app)]).await?;
    let read = |row: &tokio_postgres::Row| {
        let columns = Columns(row);
        let is_known = columns.get::<Option<&str>>("status")?.is_some();
        let line = is_known.then(|| line(&columns)).transpose()?;
        Ok((msisdn(&columns)?, LineState { line, source_rejected: columns.get("source_rejected")? }))
    };
    rows.iter().map(read).collect()
}

fn line(columns: &Columns<'_>) -> Result<Line, DbError> {
    let word = |column| columns.get::<Option<&str>>(column);
    let imsi = Imsi::from_stored(columns.bits("imsi", 63)?).ok_or(DbError::Damaged("imsi"))?;
    let cause = word("swap_cause")?.and_then(SwapCause::parse);
    let contract = word("contract")?.map(|word| ContractType::parse(word).ok_or(DbError::Damaged("contract")));
    let hashed = word("hashed_imsi")?.map(|word| HashedImsi::parse(word).map_err(|_| DbError::Damaged("hashed_imsi")));
    Ok(Line {
        status: columns.word("status", LineStatus::parse)?,
        sim: imsi.into(),
        registered: columns.instant("registered")?,
        holder_since: columns.optional_instant("holder_since")?,
        last_swap: columns.optional_instant("last_swap")?.zip(cause).map(|(at, cause)| Swap { at, cause }),
        swap_learned: false,
        swap_before: None,
        last_pairing: None,
        contract: contract.transpose()?,
        restricted: columns.get("restricted")?,
        hashed_imsi: hashed.transpose()?,
    })
}

async fn events(transaction: &Transaction<'_>, app: AppId) -> Result<Vec<WorldEvent>, DbError> {
    let sql = "SELECT number, msisdn, at, what, new_msisdn FROM world_event WHERE app = $1 ORDER BY number";
    let rows = transaction.query(sql, params![key(app)]).await?;
    let read = |row: &tokio_postgres::Row| {
        let columns = Columns(row);
        let what = match columns.optional_bits("new_msisdn", 63)?.and_then(Msisdn::from_stored) {
            Some(new_msisdn) => LifeEvent::NumberChange(new_msisdn),
            None => columns.word("what", LifeEvent::parse)?,
        };
        let (number, at) = (columns.bits("number", 63)?, columns.instant("at")?);
        Ok(WorldEvent { number, msisdn: msisdn(&columns)?, at, what })
    };
    rows.iter().map(read).collect()
}

fn msisdn(columns: &Columns<'_>) -> Result<Msisdn, DbError> {
    Msisdn::from_stored(columns.bits("msisdn", 63)?).ok_or(DbError::Damaged("msisdn"))
}

pub(super) fn key(app: AppId) -> i64 {
    app.as_u64().cast_signed()
}
