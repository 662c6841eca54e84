//! Changes, each inside the transaction of its caller.

use jiff::Timestamp;
use laini_core::line::{ContractType, HashedImsi, LineState, Msisdn};
use laini_core::partner::AppId;
use laini_core::sandbox::{WorldEdit, WorldEvent};

use super::load::key;
use crate::columns::Columns;
use crate::database::{Transaction, params};
use crate::error::DbError;

/// Writes the edits of a world down; returns the version from then on.
pub(super) async fn edits(
    transaction: &Transaction<'_>,
    app: AppId,
    now: Timestamp,
    edits: &[WorldEdit],
) -> Result<u64, DbError> {
    let meta = if edits.is_empty() {
        "SELECT version FROM world_meta"
    } else {
        "UPDATE world_meta SET version = version + 1 RETURNING version"
    };
    let row = transaction.query_opt(meta, &[]).await?.ok_or(DbError::Damaged("world_meta"))?;
    let version = Columns(&row).bits("version", 63)?;
    let mut is_ensured = false;
    for edit in edits {
        if *edit == WorldEdit::Reset {
            transaction.execute("DELETE FROM world WHERE app = $1", params![key(app)]).await?;
            is_ensured = false;
            continue;
        }
        if !is_ensured {
            let ensure = "INSERT INTO world (app, version, used, ahead_us, events_ever) VALUES ($1, $2, $3, 0, 0)
                          ON CONFLICT (app) DO UPDATE SET version = $2, used = $3";
            let (stored_version, now) = (version.cast_signed(), now.as_microsecond());
            transaction.execute(ensure, params![key(app), stored_version, now]).await?;
            is_ensured = true;
        }
        write(transaction, app, edit).await?;
    }
    Ok(version)
}

async fn write(transaction: &Transaction<'_>, app: AppId, edit: &WorldEdit) -> Result<(), DbError> {
    let app_key = key(app);
    match edit {
        WorldEdit::Reset => {}
        WorldEdit::Clock(ahead) => {
            let micros = i64::try_from(ahead.as_micros()).unwrap_or(i64::MAX);
            transaction.execute("UPDATE world SET ahead_us = $2 WHERE app = $1", params![app_key, micros]).await?;
        }
        WorldEdit::Feed(stopped) => {
            let stopped = stopped.map(Timestamp::as_microsecond);
            transaction.execute("UPDATE world SET feed_stopped = $2 WHERE app = $1", params![app_key, stopped]).await?;
        }
        WorldEdit::Line(msisdn, state) => {
            forget_events(transaction, app_key, *msisdn).await?;
            line(transaction, app_key, *msisdn, state).await?;
        }
        WorldEdit::Removed(msisdn) => {
            forget_events(transaction, app_key, *msisdn).await?;
            let sql = "DELETE FROM world_line WHERE app = $1 AND msisdn = $2";
            transaction.execute(sql, params![app_key, number(*msisdn)]).await?;
        }
        WorldEdit::Event(event) => {
            insert_event(transaction, app_key, event).await?;
            let sql = "UPDATE world SET events_ever = greatest(events_ever, $2) WHERE app = $1";
            transaction.execute(sql, params![app_key, event.number.cast_signed()]).await?;
        }
    }
    Ok(())
}

async fn forget_events(transaction: &Transaction<'_>, app: i64, msisdn: Msisdn) -> Result<(), DbError> {
    let sql = "DELETE FROM world_event WHERE app = $1 AND msisdn = $2";
    transaction.execute(sql, params![app, number(msisdn)]).await.map(drop)
}

async fn line(transaction: &Transaction<'_>, app: i64, msisdn: Msisdn, state: &LineState) -> Result<(), DbError> {
    let line = state.line.as_ref();
    // Only an operator's back end states SIMs by a hash alone; worlds make up IMSIs.
    let imsi = line.and_then(|line| line.sim.imsi()).map(|imsi| imsi.as_u64().cast_signed());
    let swap = line.and_then(|line| line.last_swap);
    let instant = |at: Option<Timestamp>| at.map(Timestamp::as_microsecond);
    let sql = "INSERT INTO world_line (app, msisdn, source_rejected, status, imsi, registered, holder_since, last_swap,
                   swap_cause, contract, restricted, hashed_imsi)
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
               ON CONFLICT (app, msisdn) DO UPDATE SET source_rejected = excluded.source_rejected,
                   status = excluded.status, imsi = excluded.imsi, registered = excluded.registered,
                   holder_since = excluded.holder_since, last_swap = excluded.last_swap,
                   swap_cause = excluded.swap_cause, contract = excluded.contract,
                   restricted = excluded.restricted, hashed_imsi = excluded.hashed_imsi";
    let (status, registered) = (line.map(|line| line.status.word()), instant(line.map(|line| line.registered)));
    let holder_since = instant(line.and_then(|line| line.holder_since));
    let (swapped, cause) = (instant(swap.map(|swap| swap.at)), swap.map(|swap| swap.cause.word()));
    let contract = line.and_then(|line| line.contract).map(ContractType::word);
    let hashed = line.and_then(|line| line.hashed_imsi.as_ref()).map(HashedImsi::as_str);
    let (rejected, restricted) = (state.source_rejected, line.map(|line| line.restricted));
    let msisdn = number(msisdn);
    let row = params![
        app,
        msisdn,
        rejected,
        status,
        imsi,
        registered,
        holder_since,
        swapped,
        cause,
        contract,
        restricted,
        hashed,
    ];
    transaction.execute(sql, row).await.map(drop)
}

async fn insert_event(transaction: &Transaction<'_>, app: i64, event: &WorldEvent) -> Result<(), DbError> {
    let sql = "INSERT INTO world_event (app, number, msisdn, at, what, new_msisdn) VALUES ($1, $2, $3, $4, $5, $6)";
    let (count, msisdn, at) = (event.number.cast_signed(), number(event.msisdn), event.at.as_microsecond());
    let (what, new_msisdn) = (event.what.word(), event.what.new_msisdn().map(number));
    transaction.execute(sql, params![app, count, msisdn, at, what, new_msisdn]).await.map(drop)
}

fn number(msisdn: Msisdn) -> i64 {
    msisdn.as_u64().cast_signed()
}
