//! The secrets of apps: their hashes, since when they are good, and when they were last used.

use jiff::Timestamp;
use laini_core::access::{SecretEnding, SecretHash};
use laini_core::partner::{AppId, AppSecret, SecretUse};
use laini_core::store::AccountsError;

use super::Refused;
use crate::columns::Columns;
use crate::database::{Link, Stop, Transaction, params};
use crate::error::DbError;

pub(super) fn read(columns: &Columns<'_>) -> Result<AppSecret, DbError> {
    Ok(AppSecret {
        number: columns.small("place")?,
        hash: SecretHash(columns.bytes("hash")?),
        ending: columns.get::<Option<&str>>("ending")?.and_then(SecretEnding::parse),
        created: columns.optional_instant("created")?,
        used: columns.optional_instant("used")?,
    })
}

pub(super) async fn insert(transaction: &Transaction<'_>, app: AppId, secret: &AppSecret) -> Result<(), DbError> {
    let micros = |at: Option<Timestamp>| at.map(Timestamp::as_microsecond);
    let (created, used) = (micros(secret.created), micros(secret.used));
    let (id, place, hash) = (app.as_u64().cast_signed(), i64::from(secret.number), secret.hash.0.as_slice());
    let ending = secret.ending.as_ref().map(SecretEnding::as_str);
    let sql = "INSERT INTO app_secret (app, place, hash, created, used, ending) VALUES ($1, $2, $3, $4, $5, $6)";
    transaction.execute(sql, params![id, place, hash, created, used, ending]).await.map(drop)
}

/// One more, where there is room for it.
pub(super) async fn add(transaction: &Transaction<'_>, app: AppId, secret: &AppSecret) -> Result<(), Refused> {
    let sql = "SELECT * FROM app_secret WHERE app = $1 ORDER BY place";
    let live = transaction.query(sql, params![app.as_u64().cast_signed()]).await?;
    if live.len() >= AppSecret::LIVE_MAX {
        return Err(Stop::Rule(AccountsError::Exists(format!("a second secret of app {app}"))));
    }
    let last = live.last().map(|row| read(&Columns(row))).transpose()?;
    let number = last.map_or(0, |last| last.number.saturating_add(1));
    Ok(insert(transaction, app, &AppSecret { number, ..*secret }).await?)
}

/// One less, where another one stays.
pub(super) async fn retire(transaction: &Transaction<'_>, app: AppId, number: u32) -> Result<(), Refused> {
    let sql = "DELETE FROM app_secret WHERE app = $1 AND place = $2
               AND (SELECT count(*) FROM app_secret WHERE app = $1) > 1";
    let retired = transaction.execute(sql, params![app.as_u64().cast_signed(), i64::from(number)]).await?;
    let unknown = || AccountsError::NotFound(format!("secret {number} of app {app}, beside another one,"));
    if retired == 1 { Ok(()) } else { Err(Stop::Rule(unknown())) }
}

/// All of them in one statement; in the order of their keys, so that two nodes never wait for each other in turn.
pub(super) async fn note_uses(link: &Link, uses: &[SecretUse]) -> Result<(), DbError> {
    let mut uses = uses.to_vec();
    uses.sort_by_key(|one| (one.app, one.secret));
    let apps: Vec<i64> = uses.iter().map(|one| one.app.as_u64().cast_signed()).collect();
    let places: Vec<i64> = uses.iter().map(|one| i64::from(one.secret)).collect();
    let at: Vec<i64> = uses.iter().map(|one| one.at.as_microsecond()).collect();
    let sql = "UPDATE app_secret SET used = greatest(app_secret.used, noted.used)
               FROM unnest($1::bigint[], $2::bigint[], $3::bigint[]) AS noted (app, place, used)
               WHERE app_secret.app = noted.app AND app_secret.place = noted.place";
    link.query(sql, params![apps, places, at]).await.map(drop)
}
