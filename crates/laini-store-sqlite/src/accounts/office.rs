//! Records of people and organisations, in the file of the accounts: they change together.

use jiff::Timestamp;
use laini_core::store::{
    AccountsChange, AccountsError, BoxFuture, Found, OfficeChange, OfficeError, OfficeStore, Record, RecordChange,
    RecordId, RecordKey, RecordKind, RecordQuery, TrailQuery, TrailRow,
};
use rusqlite::{Connection, OptionalExtension as _, Row, Transaction, params};

use super::load::{self, unsigned};
use super::{SqliteAccounts, change, restrictions, result_addresses, write};

/// Rows that one call returns at most.
const ROWS_PER_CALL: usize = 10_000;

/// Why a change was not made.
enum Refused {
    Office(OfficeError),
    Sqlite(rusqlite::Error),
}

impl From<rusqlite::Error> for Refused {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(error)
    }
}

impl From<AccountsError> for Refused {
    fn from(error: AccountsError) -> Self {
        Self::Office(match error {
            AccountsError::Engine(reason) => OfficeError::Engine(reason),
            error => OfficeError::Accounts(error),
        })
    }
}

#[expect(clippy::needless_pass_by_value, reason = "the form that map_err takes")]
fn engine(error: rusqlite::Error) -> OfficeError {
    OfficeError::Engine(format!("accounts.db: {error}"))
}

impl SqliteAccounts {
    fn ask<T>(&self, read: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Result<T, OfficeError> {
        read(&self.connection()).map_err(engine)
    }

    fn change_office(&self, change: &OfficeChange) -> Result<(), OfficeError> {
        self.immediately(|transaction| {
            for account in &change.accounts {
                accounts(transaction, account, change)?;
            }
            for record in &change.records {
                put(transaction, record)?;
            }
            for entry in &change.trail {
                write::insert_audit(transaction, entry)?;
            }
            if !change.accounts.is_empty() {
                transaction.execute("UPDATE meta SET version = version + 1", [])?;
            }
            Ok(())
        })
        .map_err(|refused| match refused {
            Refused::Office(error) => error,
            Refused::Sqlite(error) => engine(error),
        })
    }

    /// One transaction: all of it, or nothing.
    fn immediately(&self, work: impl FnOnce(&Transaction<'_>) -> Result<(), Refused>) -> Result<(), Refused> {
        let mut connection = self.connection();
        let transaction = connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
        work(&transaction)?;
        Ok(transaction.commit()?)
    }
}

// As with the accounts, the work is small and done inline: no future here waits.
impl OfficeStore for SqliteAccounts {
    fn record(&self, kind: RecordKind, id: RecordId) -> BoxFuture<'_, Result<Option<Record>, OfficeError>> {
        Box::pin(async move {
            self.ask(|connection| {
                let sql = "SELECT version, body FROM record WHERE kind = ?1 AND id = ?2";
                let mut statement = connection.prepare_cached(sql)?;
                statement.query_row(params![kind.0, id.0.cast_signed()], |row| record(row, 0)).optional()
            })
        })
    }

    fn find(&self, query: RecordQuery) -> BoxFuture<'_, Result<Vec<Found>, OfficeError>> {
        Box::pin(async move { self.ask(|connection| find(connection, &query)) })
    }

    fn commit(&self, change: OfficeChange) -> BoxFuture<'_, Result<(), OfficeError>> {
        Box::pin(async move { self.change_office(&change) })
    }

    fn keep_document(&self, digest: [u8; 32], bytes: Vec<u8>) -> BoxFuture<'_, Result<(), OfficeError>> {
        Box::pin(async move {
            self.ask(|connection| {
                let sql = "INSERT INTO document (digest, bytes) VALUES (?1, ?2) ON CONFLICT DO NOTHING";
                connection.execute(sql, params![digest.as_slice(), bytes]).map(drop)
            })
        })
    }

    fn document(&self, digest: [u8; 32]) -> BoxFuture<'_, Result<Option<Vec<u8>>, OfficeError>> {
        Box::pin(async move {
            self.ask(|connection| {
                let sql = "SELECT bytes FROM document WHERE digest = ?1";
                connection.query_row(sql, [digest.as_slice()], |row| row.get(0)).optional()
            })
        })
    }

    fn trail(&self, query: TrailQuery) -> BoxFuture<'_, Result<Vec<TrailRow>, OfficeError>> {
        Box::pin(async move { self.ask(|connection| trail(connection, &query)) })
    }
}

/// Reads `version, body` from column `first` on.
fn record(row: &Row<'_>, first: usize) -> rusqlite::Result<Record> {
    Ok(Record { version: unsigned(row, first)?, body: row.get(first + 1)? })
}

fn find(connection: &Connection, query: &RecordQuery) -> rusqlite::Result<Vec<Found>> {
    let (beyond, direction) = if query.newest_first { ("<", "DESC") } else { (">", "ASC") };
    let sql = format!(
        "SELECT record.id, place, version, body FROM record_key JOIN record USING (kind, id)
         WHERE kind = ?1 AND name = ?2 AND value = ?3 AND (?4 IS NULL OR (place, id) {beyond} (?4, ?5))
         ORDER BY place {direction}, id {direction} LIMIT ?6"
    );
    let (place, id) = query.after.map(|(place, id)| (place, id.0.cast_signed())).unzip();
    let limit = query.limit.min(ROWS_PER_CALL).cast_signed();
    let mut statement = connection.prepare_cached(&sql)?;
    let found = statement.query_map(params![query.kind.0, query.index, query.key, place, id, limit], |row| {
        Ok(Found { id: RecordId(unsigned(row, 0)?), order: row.get(1)?, record: record(row, 2)? })
    })?;
    found.collect()
}

fn trail(connection: &Connection, query: &TrailQuery) -> rusqlite::Result<Vec<TrailRow>> {
    let of = if query.partner.is_some() { "partner = ?2" } else { "?2 IS NULL" };
    let (beyond, direction) = if query.oldest_first { (">", "ASC") } else { ("<", "DESC") };
    let sql = format!(
        "SELECT number, at, actor, action, target, reason, partner FROM audit
         WHERE (?1 IS NULL OR number {beyond} ?1) AND {of}
         AND substr(actor, 1, length(?4)) = ?4 AND substr(action, 1, length(?5)) = ?5
         AND (?6 IS NULL OR at >= ?6) AND (?7 IS NULL OR at < ?7) ORDER BY number {direction} LIMIT ?3"
    );
    let after = query.after.map(u64::cast_signed);
    let partner = query.partner.map(|partner| partner.as_u64().cast_signed());
    let limit = query.limit.min(ROWS_PER_CALL).cast_signed();
    let mut statement = connection.prepare_cached(&sql)?;
    let (from, until) = (query.from.map(Timestamp::as_microsecond), query.until.map(Timestamp::as_microsecond));
    let rows = statement.query_map(params![after, partner, limit, query.actor, query.action, from, until], |row| {
        Ok(TrailRow { number: unsigned(row, 0)?, entry: load::audit(row, 1)? })
    })?;
    rows.collect()
}

fn put(transaction: &Transaction<'_>, change: &RecordChange) -> Result<(), Refused> {
    let (kind, id, expected) = (change.kind.0, change.id.0.cast_signed(), change.expected.cast_signed());
    transaction.execute("DELETE FROM record_key WHERE kind = ?1 AND id = ?2", params![kind, id])?;
    let changed = match (&change.body, change.expected) {
        (Some(body), 0) => transaction.execute(
            "INSERT INTO record (kind, id, version, body) VALUES (?1, ?2, 1, ?3) ON CONFLICT DO NOTHING",
            params![kind, id, body],
        )?,
        (Some(body), _) => transaction.execute(
            "UPDATE record SET version = version + 1, body = ?4 WHERE kind = ?1 AND id = ?2 AND version = ?3",
            params![kind, id, expected, body],
        )?,
        (None, _) => transaction
            .execute("DELETE FROM record WHERE kind = ?1 AND id = ?2 AND version = ?3", params![kind, id, expected])?,
    };
    if changed == 0 {
        return Err(Refused::Office(OfficeError::Conflict(change.kind, change.id)));
    }
    change.keys.iter().try_for_each(|key| insert_key(transaction, change, key))
}

fn insert_key(transaction: &Transaction<'_>, change: &RecordChange, key: &RecordKey) -> Result<(), Refused> {
    let sql = "INSERT INTO record_key (kind, name, value, place, id, is_unique) VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
    let id = change.id.0.cast_signed();
    let inserted = transaction.execute(sql, params![change.kind.0, key.index, key.key, key.order, id, key.is_unique]);
    match inserted {
        Err(error) if error.sqlite_error_code() == Some(rusqlite::ErrorCode::ConstraintViolation) => {
            Err(Refused::Office(OfficeError::Taken { kind: change.kind, index: key.index }))
        }
        inserted => Ok(inserted.map(drop)?),
    }
}

fn accounts(transaction: &Transaction<'_>, account: &AccountsChange, of: &OfficeChange) -> Result<(), Refused> {
    let at = of.trail.first().map(|entry| entry.at).unwrap_or_default();
    match account {
        AccountsChange::AddPartner(partner) => write::insert_partner(transaction, partner),
        AccountsChange::AddAgreement(agreement) => write::insert_agreement(transaction, agreement, at),
        AccountsChange::AddApp(app) => write::insert_app(transaction, app),
        AccountsChange::Partner(partner, to) => change::partner(transaction, *partner, to),
        AccountsChange::App(app, to) => change::app(transaction, *app, to),
        AccountsChange::RevokeApp(app) => write::revoke_app(transaction, *app),
        AccountsChange::NextTokenEpoch(app) => write::next_token_epoch(transaction, *app).map(drop),
        AccountsChange::AddResultAddress(address) => result_addresses::insert(transaction, address),
        AccountsChange::ResultAddress(address, to) => result_addresses::change(transaction, *address, to),
        AccountsChange::Restriction(number, until) => restrictions::set(transaction, *number, *until),
    }?;
    Ok(())
}
