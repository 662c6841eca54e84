//! Calls that were answered with an error, beside the accounts: small, bounded, and never on the way of a check.

use std::collections::BTreeSet;

use jiff::Timestamp;
use laini_core::billing::CheckId;
use laini_core::partner::{AppId, Environment, PartnerId, Product};
use laini_core::store::{
    BoxFuture, Forgotten, MaskedNumber, RecentCause, RecentRefusals, RefusalCause, RefusalLog, RefusalLogError,
    RefusedCall, RefusedQuery, Stage, SubjectHash,
};
use tokio_postgres::Row;
use uuid::Uuid;

use super::{PostgresAccounts, TIMEOUT};
use crate::columns::Columns;
use crate::database::{Link, Transaction, params};
use crate::error::DbError;

/// Calls that one call of the port returns at most.
const CALLS_PER_CALL: usize = 10_000;
/// Causes that it returns at most.
const CAUSES_PER_CALL: i64 = 200;

/// Which calls fit a [`RefusedQuery`].
const FITS: &str = "($1::bigint IS NULL OR partner = $1) AND ($2::bigint IS NULL OR app = $2)
     AND ($3::bytea IS NULL OR number_hash = $3) AND ($4::bigint IS NULL OR status = $4)
     AND ($5::text IS NULL OR code = $5) AND ($6::bigint IS NULL OR at >= $6) AND ($7::bigint IS NULL OR at < $7)
     AND ($8::bytea IS NULL OR id >= $8) AND ($9::bytea IS NULL OR id < $9)";

impl PostgresAccounts {
    async fn of_log<T: Send + 'static>(
        &self,
        work: impl AsyncFnOnce(&Link) -> Result<T, DbError> + Send + 'static,
    ) -> Result<T, RefusalLogError> {
        self.database.run(TIMEOUT, work).await.map_err(|error| RefusalLogError(error.to_string()))
    }
}

impl RefusalLog for PostgresAccounts {
    fn keep(&self, calls: Vec<RefusedCall>, per_app: usize) -> BoxFuture<'_, Result<(), RefusalLogError>> {
        Box::pin(self.of_log(async move |link: &Link| {
            let keep = async |transaction: &Transaction<'_>| {
                insert(transaction, &calls).await?;
                let apps: BTreeSet<AppId> = calls.iter().map(|call| call.app).collect();
                for app in apps {
                    trim(transaction, app, per_app).await?;
                }
                Ok(())
            };
            link.transact(keep).await
        }))
    }

    fn refused(&self, query: RefusedQuery) -> BoxFuture<'_, Result<Vec<RefusedCall>, RefusalLogError>> {
        Box::pin(self.of_log(async move |link: &Link| {
            let (beyond, direction) = if query.oldest_first { (">", "ASC") } else { ("<", "DESC") };
            let sql = format!(
                "SELECT * FROM refusal WHERE {FITS} AND ($10::bytea IS NULL OR id {beyond} $10)
                 ORDER BY id {direction} LIMIT $11"
            );
            let Filters { partner, app, number, status, code, from, until, low, high } = Filters::of(&query);
            let after = query.after.map(bytes_of);
            let limit = query.limit.min(CALLS_PER_CALL).cast_signed() as i64;
            let params = params![partner, app, number, status, code, from, until, low, high, after, limit];
            let rows = link.query(&sql, params).await?;
            rows.iter().map(read).collect()
        }))
    }

    fn refused_call(&self, id: CheckId) -> BoxFuture<'_, Result<Option<RefusedCall>, RefusalLogError>> {
        Box::pin(self.of_log(async move |link: &Link| {
            let row = link.query_opt("SELECT * FROM refusal WHERE id = $1", params![bytes_of(id)]).await?;
            row.as_ref().map(read).transpose()
        }))
    }

    fn causes(
        &self,
        query: RefusedQuery,
        newest: Option<usize>,
    ) -> BoxFuture<'_, Result<Vec<RefusalCause>, RefusalLogError>> {
        Box::pin(self.of_log(async move |link: &Link| {
            let order = if newest.is_some() { "ORDER BY id DESC" } else { "" };
            let sql = format!(
                "SELECT status, code, stage, reason, count(*) AS calls, max(at) AS newest FROM
                     (SELECT * FROM refusal WHERE {FITS} {order} LIMIT $10) AS counted
                 GROUP BY status, code, stage, reason ORDER BY calls DESC, newest DESC, reason LIMIT $11"
            );
            let Filters { partner, app, number, status, code, from, until, low, high } = Filters::of(&query);
            // Null is no limit.
            let newest = newest.map(|newest| newest.cast_signed() as i64);
            let params = params![partner, app, number, status, code, from, until, low, high, newest, CAUSES_PER_CALL];
            let rows = link.query(&sql, params).await?;
            rows.iter().map(cause).collect()
        }))
    }

    fn failed_since(&self, app: AppId, from: Timestamp) -> BoxFuture<'_, Result<u64, RefusalLogError>> {
        Box::pin(self.of_log(async move |link: &Link| {
            let sql = "SELECT count(*) AS calls FROM refusal WHERE app = $1 AND id >= $2";
            let (app, floor) = (app.as_u64().cast_signed(), bytes_of(CheckId::floor(from)));
            let row = link.query_opt(sql, params![app, floor]).await?.ok_or(DbError::Damaged("calls"))?;
            Columns(&row).bits("calls", 63)
        }))
    }

    fn recent(&self, from: Timestamp, newest: usize) -> BoxFuture<'_, Result<RecentRefusals, RefusalLogError>> {
        Box::pin(self.of_log(async move |link: &Link| {
            // An id is never older than its call: those of before `from` are not looked at.
            let sql = "SELECT environment, status, code, stage, reason, count(*) AS calls, max(at) AS newest,
                           min(at) AS oldest
                       FROM (SELECT * FROM refusal WHERE id >= $1 AND at >= $2 ORDER BY id DESC LIMIT $3) AS recent
                       GROUP BY environment, status, code, stage, reason ORDER BY calls DESC, newest DESC, reason";
            let (floor, from) = (bytes_of(CheckId::floor(from)), from.as_microsecond());
            let newest = newest.cast_signed() as i64;
            let rows = link.query(sql, params![floor, from, newest]).await?;
            let counted = rows.iter().map(|row| Ok((recent_cause(row)?, Columns(row).instant("oldest")?)));
            counted.collect::<Result<_, DbError>>().map(RecentRefusals::of)
        }))
    }

    fn forget_refused(&self, before: Timestamp, limit: usize) -> BoxFuture<'_, Result<Forgotten, RefusalLogError>> {
        Box::pin(self.of_log(async move |link: &Link| {
            // Ids follow the instants of their calls but for a clock that was set back; those go with a later sweep.
            let sql = "DELETE FROM refusal
                       WHERE id IN (SELECT id FROM refusal WHERE id < $1 AND at < $2 ORDER BY id LIMIT $3)";
            let (floor, micros) = (bytes_of(CheckId::floor(before)), before.as_microsecond());
            let limit = limit.cast_signed() as i64;
            let forget =
                async |transaction: &Transaction<'_>| transaction.execute(sql, params![floor, micros, limit]).await;
            let count = link.transact(forget).await?;
            Ok(Forgotten { count, more: count == limit.cast_unsigned() })
        }))
    }

    fn forget_number(
        &self,
        number: SubjectHash,
        from: Option<Timestamp>,
        until: Option<Timestamp>,
    ) -> BoxFuture<'_, Result<u64, RefusalLogError>> {
        Box::pin(self.of_log(async move |link: &Link| {
            let sql = "UPDATE refusal SET number_hash = NULL, masked = NULL
                       WHERE number_hash = $1 AND ($2::bigint IS NULL OR at >= $2) AND ($3::bigint IS NULL OR at < $3)";
            let micros = |at: Option<Timestamp>| at.map(Timestamp::as_microsecond);
            let (from, until) = (micros(from), micros(until));
            let forget = async |transaction: &Transaction<'_>| {
                transaction.execute(sql, params![number.0.as_slice(), from, until]).await
            };
            link.transact(forget).await
        }))
    }
}

/// The values of [`FITS`].
struct Filters {
    partner: Option<i64>,
    app: Option<i64>,
    number: Option<Vec<u8>>,
    status: Option<i64>,
    code: Option<String>,
    from: Option<i64>,
    until: Option<i64>,
    /// Ids follow the instants: these two are for the indexes.
    low: Option<Vec<u8>>,
    high: Option<Vec<u8>>,
}

impl Filters {
    fn of(query: &RefusedQuery) -> Self {
        let (low, high) = query.ids();
        Self {
            partner: query.partner.map(|id| id.as_u64().cast_signed()),
            app: query.app.map(|id| id.as_u64().cast_signed()),
            number: query.number.map(|hash| hash.0.to_vec()),
            status: query.status.map(i64::from),
            code: query.code.clone(),
            from: query.from.map(Timestamp::as_microsecond),
            until: query.until.map(Timestamp::as_microsecond),
            low: low.map(bytes_of),
            high: high.map(bytes_of),
        }
    }
}

fn bytes_of(id: CheckId) -> Vec<u8> {
    id.uuid().as_bytes().to_vec()
}

/// All of them in one statement.
async fn insert(transaction: &Transaction<'_>, calls: &[RefusedCall]) -> Result<(), DbError> {
    fn column<'a, T>(calls: &'a [RefusedCall], of: impl Fn(&'a RefusedCall) -> T) -> Vec<T> {
        calls.iter().map(of).collect()
    }
    let ids = column(calls, |call| bytes_of(call.id));
    let at = column(calls, |call| call.at.as_microsecond());
    let partners = column(calls, |call| call.partner.as_u64().cast_signed());
    let apps = column(calls, |call| call.app.as_u64().cast_signed());
    let environments = column(calls, |call| call.environment.word());
    let paths = column(calls, |call| call.path.as_str());
    let products = column(calls, |call| call.product.map(Product::word));
    let statuses = column(calls, |call| i64::from(call.status));
    let codes = column(calls, |call| call.code.as_str());
    let stages = column(calls, |call| call.stage.word());
    let reasons = column(calls, |call| call.reason.as_str());
    let micros = column(calls, |call| i64::try_from(call.micros).unwrap_or(i64::MAX));
    let hashes = column(calls, |call| call.about.as_ref().map(|about| about.hash.0.to_vec()));
    let masked = column(calls, |call| call.about.as_ref().map(|about| about.masked.as_str()));
    let sql = "INSERT INTO refusal (id, at, partner, app, environment, path, product, status, code, stage, reason,
                   micros, number_hash, masked)
               SELECT * FROM unnest($1::bytea[], $2::bigint[], $3::bigint[], $4::bigint[], $5::text[], $6::text[],
                   $7::text[], $8::bigint[], $9::text[], $10::text[], $11::text[], $12::bigint[], $13::bytea[],
                   $14::text[])
               ON CONFLICT DO NOTHING";
    let params = params![
        ids,
        at,
        partners,
        apps,
        environments,
        paths,
        products,
        statuses,
        codes,
        stages,
        reasons,
        micros,
        hashes,
        masked
    ];
    transaction.execute(sql, params).await.map(drop)
}

/// Leaves an app its newest `per_app` calls.
async fn trim(transaction: &Transaction<'_>, app: AppId, per_app: usize) -> Result<(), DbError> {
    let sql = "DELETE FROM refusal WHERE app = $1 AND id <=
                   (SELECT id FROM refusal WHERE app = $1 ORDER BY id DESC OFFSET $2 LIMIT 1)";
    let per_app = per_app.cast_signed() as i64;
    transaction.execute(sql, params![app.as_u64().cast_signed(), per_app]).await.map(drop)
}

fn read(row: &Row) -> Result<RefusedCall, DbError> {
    let columns = Columns(row);
    let product: Option<&str> = columns.get("product")?;
    let hash: Option<[u8; 16]> = columns.optional_bytes("number_hash")?;
    let masked: Option<String> = columns.get("masked")?;
    let id = Uuid::from_bytes(columns.bytes("id")?);
    Ok(RefusedCall {
        id: CheckId::from_uuid(id).ok_or(DbError::Damaged("id"))?,
        at: columns.instant("at")?,
        partner: PartnerId::from_stored(columns.bits("partner", 63)?),
        app: AppId::from_stored(columns.bits("app", 63)?),
        environment: environment(&columns)?,
        path: columns.get("path")?,
        product: product.map(|word| Product::parse(word).map_err(|_| DbError::Damaged("product"))).transpose()?,
        status: status(&columns)?,
        code: columns.get("code")?,
        stage: columns.word("stage", Stage::parse)?,
        reason: columns.get("reason")?,
        micros: columns.bits("micros", 63)?,
        about: hash.zip(masked).map(|(hash, masked)| MaskedNumber { hash: SubjectHash(hash), masked }),
    })
}

fn cause(row: &Row) -> Result<RefusalCause, DbError> {
    let columns = Columns(row);
    Ok(RefusalCause {
        status: status(&columns)?,
        code: columns.get("code")?,
        stage: columns.word("stage", Stage::parse)?,
        reason: columns.get("reason")?,
        calls: columns.bits("calls", 63)?,
        newest: columns.instant("newest")?,
    })
}

fn recent_cause(row: &Row) -> Result<RecentCause, DbError> {
    Ok(RecentCause { environment: environment(&Columns(row))?, cause: cause(row)? })
}

fn environment(columns: &Columns<'_>) -> Result<Environment, DbError> {
    columns.word("environment", |word| Environment::parse(word).ok())
}

fn status(columns: &Columns<'_>) -> Result<u16, DbError> {
    u16::try_from(columns.get::<i64>("status")?).map_err(|_| DbError::Damaged("status"))
}
