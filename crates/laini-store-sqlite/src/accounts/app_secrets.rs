//! The secrets of apps: their hashes, since when they are good, and when they were last used.

use jiff::Timestamp;
use laini_core::access::{SecretEnding, SecretHash};
use laini_core::partner::{AppId, AppSecret, SecretUse};
use laini_core::store::AccountsError;
use rusqlite::{Transaction, params};

use super::engine;
use super::load::instant;

pub(super) fn of_app(transaction: &Transaction<'_>, app: u64) -> rusqlite::Result<Vec<AppSecret>> {
    let sql = "SELECT place, hash, created, used, ending FROM app_secret WHERE app = ?1 ORDER BY place";
    let mut statement = transaction.prepare_cached(sql)?;
    let secrets = statement.query_map([app.cast_signed()], |row| {
        let at = |column: usize| row.get::<_, Option<i64>>(column)?.map(instant).transpose();
        let ending = row.get_ref(4)?.as_str_or_null()?.and_then(SecretEnding::parse);
        Ok(AppSecret { number: row.get(0)?, hash: SecretHash(row.get(1)?), ending, created: at(2)?, used: at(3)? })
    })?;
    secrets.collect()
}

pub(super) fn insert(transaction: &Transaction<'_>, app: AppId, secret: &AppSecret) -> rusqlite::Result<()> {
    let micros = |at: Option<Timestamp>| at.map(Timestamp::as_microsecond);
    let (created, used) = (micros(secret.created), micros(secret.used));
    let sql = "INSERT INTO app_secret (app, place, hash, created, used, ending) VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
    let (id, hash) = (app.as_u64().cast_signed(), secret.hash.0.as_slice());
    let ending = secret.ending.as_ref().map(SecretEnding::as_str);
    transaction.execute(sql, params![id, secret.number, hash, created, used, ending]).map(drop)
}

/// One more, where there is room for it.
pub(super) fn add(transaction: &Transaction<'_>, app: AppId, secret: &AppSecret) -> Result<(), AccountsError> {
    let live = of_app(transaction, app.as_u64()).map_err(engine)?;
    if live.len() >= AppSecret::LIVE_MAX {
        return Err(AccountsError::Exists(format!("a second secret of app {app}")));
    }
    let number = live.last().map_or(0, |last| last.number.saturating_add(1));
    insert(transaction, app, &AppSecret { number, ..*secret }).map_err(engine)
}

/// One less, where another one stays.
pub(super) fn retire(transaction: &Transaction<'_>, app: AppId, number: u32) -> Result<(), AccountsError> {
    let sql = "DELETE FROM app_secret WHERE app = ?1 AND place = ?2
               AND (SELECT count(*) FROM app_secret WHERE app = ?1) > 1";
    let retired = transaction.execute(sql, params![app.as_u64().cast_signed(), number]).map_err(engine)?;
    let unknown = || AccountsError::NotFound(format!("secret {number} of app {app}, beside another one,"));
    if retired == 1 { Ok(()) } else { Err(unknown()) }
}

pub(super) fn note_uses(transaction: &Transaction<'_>, uses: &[SecretUse]) -> rusqlite::Result<()> {
    let sql = "UPDATE app_secret SET used = max(coalesce(used, ?3), ?3) WHERE app = ?1 AND place = ?2";
    let mut statement = transaction.prepare_cached(sql)?;
    for one in uses {
        statement.execute(params![one.app.as_u64().cast_signed(), one.secret, one.at.as_microsecond()])?;
    }
    Ok(())
}
