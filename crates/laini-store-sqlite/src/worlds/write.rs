//! Changes, each inside the transaction of its caller.

use jiff::Timestamp;
use laini_core::line::{ContractType, HashedImsi, LineState, Msisdn};
use laini_core::partner::AppId;
use laini_core::sandbox::{WorldEdit, WorldEvent};
use rusqlite::{Transaction, params};

use super::load::{key, version};

/// Writes the edits of a world down; returns the version from then on.
pub(super) fn edits(
    transaction: &Transaction<'_>,
    app: AppId,
    now: Timestamp,
    edits: &[WorldEdit],
) -> rusqlite::Result<u64> {
    if edits.is_empty() {
        return version(transaction);
    }
    transaction.execute("UPDATE meta SET version = version + 1", [])?;
    let version = version(transaction)?;
    for edit in edits {
        if *edit == WorldEdit::Reset {
            transaction.prepare_cached("DELETE FROM world WHERE app = ?1")?.execute([key(app)])?;
            continue;
        }
        let ensure = "INSERT INTO world (app, version, used, ahead_us, events_ever) VALUES (?1, ?2, ?3, 0, 0)
            ON CONFLICT (app) DO UPDATE SET version = ?2, used = ?3";
        let values = params![key(app), version.cast_signed(), now.as_microsecond()];
        transaction.prepare_cached(ensure)?.execute(values)?;
        write(transaction, app, edit)?;
    }
    Ok(version)
}

fn write(transaction: &Transaction<'_>, app: AppId, edit: &WorldEdit) -> rusqlite::Result<()> {
    let execute = |sql: &str, values: &[&dyn rusqlite::ToSql]| -> rusqlite::Result<()> {
        transaction.prepare_cached(sql)?.execute(values).map(drop)
    };
    let forget_events =
        |msisdn: Msisdn| execute("DELETE FROM event WHERE app = ?1 AND msisdn = ?2", params![key(app), number(msisdn)]);
    match edit {
        WorldEdit::Reset => Ok(()),
        WorldEdit::Clock(ahead) => {
            let micros = i64::try_from(ahead.as_micros()).unwrap_or(i64::MAX);
            execute("UPDATE world SET ahead_us = ?2 WHERE app = ?1", params![key(app), micros])
        }
        WorldEdit::Feed(stopped) => {
            let stopped = stopped.map(Timestamp::as_microsecond);
            execute("UPDATE world SET feed_stopped = ?2 WHERE app = ?1", params![key(app), stopped])
        }
        WorldEdit::Line(msisdn, state) => {
            forget_events(*msisdn)?;
            line(transaction, app, *msisdn, state)
        }
        WorldEdit::Removed(msisdn) => {
            forget_events(*msisdn)?;
            execute("DELETE FROM line WHERE app = ?1 AND msisdn = ?2", params![key(app), number(*msisdn)])
        }
        WorldEdit::Event(event) => {
            insert_event(transaction, app, event)?;
            let sql = "UPDATE world SET events_ever = max(events_ever, ?2) WHERE app = ?1";
            execute(sql, params![key(app), event.number.cast_signed()])
        }
    }
}

fn line(transaction: &Transaction<'_>, app: AppId, msisdn: Msisdn, state: &LineState) -> rusqlite::Result<()> {
    let line = state.line.as_ref();
    // Only an operator's back end states SIMs by a hash alone; worlds make up IMSIs.
    let imsi = line.and_then(|line| line.sim.imsi()).map(|imsi| imsi.as_u64().cast_signed());
    let swap = line.and_then(|line| line.last_swap);
    let instant = |at: Option<Timestamp>| at.map(Timestamp::as_microsecond);
    transaction
        .prepare_cached(
            "INSERT OR REPLACE INTO line (app, msisdn, source_rejected, status, imsi, registered, holder_since,
                 last_swap, swap_cause, contract, restricted, hashed_imsi)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
        )?
        .execute(params![
            key(app),
            number(msisdn),
            state.source_rejected,
            line.map(|line| line.status.word()),
            imsi,
            instant(line.map(|line| line.registered)),
            instant(line.and_then(|line| line.holder_since)),
            instant(swap.map(|swap| swap.at)),
            swap.map(|swap| swap.cause.word()),
            line.and_then(|line| line.contract).map(ContractType::word),
            line.map(|line| line.restricted),
            line.and_then(|line| line.hashed_imsi.as_ref()).map(HashedImsi::as_str),
        ])
        .map(drop)
}

fn insert_event(transaction: &Transaction<'_>, app: AppId, event: &WorldEvent) -> rusqlite::Result<()> {
    let sql = "INSERT INTO event (app, number, msisdn, at, what, new_msisdn) VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
    let values = params![
        key(app),
        event.number.cast_signed(),
        number(event.msisdn),
        event.at.as_microsecond(),
        event.what.word(),
        event.what.new_msisdn().map(number),
    ];
    transaction.prepare_cached(sql)?.execute(values).map(drop)
}

pub(super) fn touch(transaction: &Transaction<'_>, app: AppId, now: Timestamp) -> rusqlite::Result<()> {
    let sql = "UPDATE world SET used = max(used, ?2) WHERE app = ?1";
    transaction.prepare_cached(sql)?.execute(params![key(app), now.as_microsecond()]).map(drop)
}

pub(super) fn purge(transaction: &Transaction<'_>, idle_since: Timestamp, limit: usize) -> rusqlite::Result<usize> {
    let sql = "DELETE FROM world WHERE app IN (SELECT app FROM world WHERE used < ?1 ORDER BY used LIMIT ?2)";
    let purged = transaction.prepare_cached(sql)?.execute(params![idle_since.as_microsecond(), limit.cast_signed()])?;
    if purged > 0 {
        transaction.execute("UPDATE meta SET version = version + 1", [])?;
    }
    Ok(purged)
}

fn number(msisdn: Msisdn) -> i64 {
    msisdn.as_u64().cast_signed()
}
