//! Records of people and organisations, beside the tables of the accounts: they change together.

use jiff::Timestamp;
use laini_core::store::{
    AccountsChange, AccountsError, BoxFuture, Found, OfficeChange, OfficeError, OfficeStore, Record, RecordChange,
    RecordId, RecordKey, RecordKind, RecordQuery, TrailQuery, TrailRow,
};
use tokio_postgres::Row;

use super::{PostgresAccounts, TIMEOUT, change, engine, load, restrictions, write};
use crate::columns::Columns;
use crate::database::{Link, Stop, Transaction, params};
use crate::error::DbError;

/// Rows that one call returns at most.
const ROWS_PER_CALL: usize = 10_000;

type Refused = Stop<OfficeError>;

/// What a refusal of the accounts is here.
fn refused(stop: Stop<AccountsError>) -> Refused {
    match stop {
        Stop::Database(error) => Stop::Database(error),
        Stop::Rule(error) => Stop::Rule(OfficeError::Accounts(error)),
    }
}

fn failed(error: DbError) -> OfficeError {
    match engine(error) {
        AccountsError::Engine(reason) => OfficeError::Engine(reason),
        error => OfficeError::Accounts(error),
    }
}

impl PostgresAccounts {
    async fn ask<T: Send + 'static>(
        &self,
        read: impl AsyncFnOnce(&Link) -> Result<T, DbError> + Send + 'static,
    ) -> Result<T, OfficeError> {
        self.database.run(TIMEOUT, read).await.map_err(failed)
    }
}

impl OfficeStore for PostgresAccounts {
    fn record(&self, kind: RecordKind, id: RecordId) -> BoxFuture<'_, Result<Option<Record>, OfficeError>> {
        Box::pin(self.ask(async move |link: &Link| {
            let sql = "SELECT version, body FROM record WHERE kind = $1 AND id = $2";
            let row = link.query_opt(sql, params![kind.0, id.0.cast_signed()]).await?;
            row.map(|row| record(&Columns(&row))).transpose()
        }))
    }

    fn find(&self, query: RecordQuery) -> BoxFuture<'_, Result<Vec<Found>, OfficeError>> {
        Box::pin(self.ask(async move |link: &Link| find(link, &query).await))
    }

    fn commit(&self, change: OfficeChange) -> BoxFuture<'_, Result<(), OfficeError>> {
        Box::pin(async move {
            let done = self.database.run(TIMEOUT, async move |link: &Link| {
                let done = link.transact_or(async |transaction: &Transaction<'_>| apply(transaction, &change).await);
                match done.await {
                    Ok(()) => Ok(Ok(())),
                    Err(Stop::Rule(refused)) => Ok(Err(refused)),
                    Err(Stop::Database(error)) => Err(error),
                }
            });
            done.await.map_err(failed)?
        })
    }

    fn keep_document(&self, digest: [u8; 32], bytes: Vec<u8>) -> BoxFuture<'_, Result<(), OfficeError>> {
        Box::pin(self.ask(async move |link: &Link| {
            let sql = "INSERT INTO document (digest, bytes) VALUES ($1, $2) ON CONFLICT DO NOTHING";
            let keep = async |transaction: &Transaction<'_>| {
                transaction.execute(sql, params![digest.as_slice(), bytes.as_slice()]).await
            };
            link.transact(keep).await.map(drop)
        }))
    }

    fn document(&self, digest: [u8; 32]) -> BoxFuture<'_, Result<Option<Vec<u8>>, OfficeError>> {
        Box::pin(self.ask(async move |link: &Link| {
            let sql = "SELECT bytes FROM document WHERE digest = $1";
            let row = link.query_opt(sql, params![digest.as_slice()]).await?;
            row.map(|row| Columns(&row).get("bytes")).transpose()
        }))
    }

    fn trail(&self, query: TrailQuery) -> BoxFuture<'_, Result<Vec<TrailRow>, OfficeError>> {
        Box::pin(self.ask(async move |link: &Link| trail(link, &query).await))
    }
}

fn record(columns: &Columns<'_>) -> Result<Record, DbError> {
    Ok(Record { version: columns.bits("version", 63)?, body: columns.get("body")? })
}

async fn find(link: &Link, query: &RecordQuery) -> Result<Vec<Found>, DbError> {
    let (beyond, direction) = if query.newest_first { ("<", "DESC") } else { (">", "ASC") };
    let sql = format!(
        "SELECT id, place, version, body FROM record_key JOIN record USING (kind, id)
         WHERE kind = $1 AND name = $2 AND value = $3 AND ($4::bigint IS NULL OR (place, id) {beyond} ($4, $5))
         ORDER BY place {direction}, id {direction} LIMIT $6"
    );
    let (place, id) = query.after.map(|(place, id)| (place, id.0.cast_signed())).unzip();
    let limit = query.limit.min(ROWS_PER_CALL).cast_signed() as i64;
    let rows = link.query(&sql, params![query.kind.0, query.index, query.key, place, id, limit]).await?;
    let read = |row: &Row| {
        let columns = Columns(row);
        let id = RecordId(columns.bits("id", 63)?);
        Ok(Found { id, order: columns.get("place")?, record: record(&columns)? })
    };
    rows.iter().map(read).collect()
}

async fn trail(link: &Link, query: &TrailQuery) -> Result<Vec<TrailRow>, DbError> {
    let (beyond, direction) = if query.oldest_first { (">", "ASC") } else { ("<", "DESC") };
    let sql = format!(
        "SELECT number, at, actor, action, target, reason, partner FROM audit
         WHERE ($1::bigint IS NULL OR number {beyond} $1) AND ($2::bigint IS NULL OR partner = $2)
         AND substr(actor, 1, length($4::text)) = $4 AND substr(action, 1, length($5::text)) = $5
         AND ($6::bigint IS NULL OR at >= $6) AND ($7::bigint IS NULL OR at < $7)
         ORDER BY number {direction} LIMIT $3"
    );
    let after = query.after.map(u64::cast_signed);
    let partner = query.partner.map(|partner| partner.as_u64().cast_signed());
    let limit = query.limit.min(ROWS_PER_CALL).cast_signed() as i64;
    let (from, until) = (query.from.map(Timestamp::as_microsecond), query.until.map(Timestamp::as_microsecond));
    let row = params![after, partner, limit, query.actor, query.action, from, until];
    let rows = link.query(&sql, row).await?;
    let read = |row: &Row| {
        let columns = Columns(row);
        Ok(TrailRow { number: columns.bits("number", 63)?, entry: load::audit(&columns)? })
    };
    rows.iter().map(read).collect()
}

async fn apply(transaction: &Transaction<'_>, change: &OfficeChange) -> Result<(), Refused> {
    // First of all: its lock lets writers through one by one.
    let (rows, is_for_checks) = (change.trail.len().cast_signed() as i64, !change.accounts.is_empty());
    let numbers = "UPDATE accounts_meta SET audits = audits + $1, version = version + CASE WHEN $2 THEN 1 ELSE 0 END
                   RETURNING audits";
    let newest = transaction.query_opt(numbers, params![rows, is_for_checks]).await?;
    let newest: i64 = newest.ok_or(DbError::Damaged("accounts_meta"))?.get(0);
    for account in &change.accounts {
        accounts(transaction, account, change).await.map_err(refused)?;
    }
    for record in &change.records {
        put(transaction, record).await?;
    }
    for (number, entry) in (newest - rows + 1..).zip(&change.trail) {
        write::insert_audit(transaction, number, entry).await?;
    }
    Ok(())
}

async fn put(transaction: &Transaction<'_>, change: &RecordChange) -> Result<(), Refused> {
    let (kind, id, expected) = (change.kind.0, change.id.0.cast_signed(), change.expected.cast_signed());
    transaction.execute("DELETE FROM record_key WHERE kind = $1 AND id = $2", params![kind, id]).await?;
    let changed = match (change.body.as_deref(), change.expected) {
        (Some(body), 0) => {
            let sql = "INSERT INTO record (kind, id, version, body) VALUES ($1, $2, 1, $3) ON CONFLICT DO NOTHING";
            transaction.execute(sql, params![kind, id, body]).await?
        }
        (Some(body), _) => {
            let sql = "UPDATE record SET version = version + 1, body = $4
                       WHERE kind = $1 AND id = $2 AND version = $3";
            transaction.execute(sql, params![kind, id, expected, body]).await?
        }
        (None, _) => {
            let sql = "DELETE FROM record WHERE kind = $1 AND id = $2 AND version = $3";
            transaction.execute(sql, params![kind, id, expected]).await?
        }
    };
    if changed == 0 {
        return Err(Stop::Rule(OfficeError::Conflict(change.kind, change.id)));
    }
    for key in &change.keys {
        insert_key(transaction, change, key).await?;
    }
    Ok(())
}

async fn insert_key(transaction: &Transaction<'_>, change: &RecordChange, key: &RecordKey) -> Result<(), Refused> {
    let sql = "INSERT INTO record_key (kind, name, value, place, id, is_unique) VALUES ($1, $2, $3, $4, $5, $6)";
    let id = change.id.0.cast_signed();
    let row = params![change.kind.0, key.index, key.key, key.order, id, key.is_unique];
    match transaction.execute(sql, row).await {
        Err(error) if error.is_duplicate() => {
            Err(Stop::Rule(OfficeError::Taken { kind: change.kind, index: key.index }))
        }
        inserted => Ok(inserted.map(drop)?),
    }
}

async fn accounts(
    transaction: &Transaction<'_>,
    account: &AccountsChange,
    of: &OfficeChange,
) -> Result<(), Stop<AccountsError>> {
    let at = of.trail.first().map(|entry| entry.at).unwrap_or_default();
    match account {
        AccountsChange::AddPartner(partner) => write::insert_partner(transaction, partner).await,
        AccountsChange::AddAgreement(agreement) => write::insert_agreement(transaction, agreement, at).await,
        AccountsChange::AddApp(app) => write::insert_app(transaction, app).await,
        AccountsChange::Partner(partner, to) => change::partner(transaction, *partner, to).await,
        AccountsChange::App(app, to) => change::app(transaction, *app, to).await,
        AccountsChange::RevokeApp(app) => write::revoke_app(transaction, *app).await,
        AccountsChange::NextTokenEpoch(app) => write::next_token_epoch(transaction, *app).await.map(drop),
        AccountsChange::AddResultAddress(address) => write::insert_result_address(transaction, address).await,
        AccountsChange::ResultAddress(address, to) => change::result_address(transaction, *address, to).await,
        AccountsChange::Restriction(number, until) => restrictions::set(transaction, *number, *until).await,
    }
}
