//! Calls that were answered with an error, in the file of the accounts: small, bounded, and never on the way of a check.

use std::collections::BTreeSet;

use jiff::Timestamp;
use laini_core::billing::CheckId;
use laini_core::partner::{AppId, Environment, PartnerId, Product};
use laini_core::store::{
    BoxFuture, Forgotten, MaskedNumber, RecentCause, RecentRefusals, RefusalCause, RefusalLog, RefusalLogError,
    RefusedCall, RefusedQuery, Stage, SubjectHash,
};
use rusqlite::types::{FromSqlError, Value};
use rusqlite::{Connection, OptionalExtension as _, Row, Transaction, TransactionBehavior, params, params_from_iter};
use uuid::Uuid;

use super::SqliteAccounts;
use super::load::unsigned;

/// Calls that one call of the port returns at most.
const CALLS_PER_CALL: usize = 10_000;
/// Causes that it returns at most.
const CAUSES_PER_CALL: i64 = 200;

const COLUMNS: &str = "id, at, partner, app, environment, path, product, status, code, stage, reason, micros, \
     number_hash, masked";

/// What a call fits by, for each of the values of [`filters`].
const FITS: [&str; 9] = [
    "partner = ?1",
    "app = ?2",
    "number_hash = ?3",
    "status = ?4",
    "code = ?5",
    "at >= ?6",
    "at < ?7",
    // Ids follow the instants: these two are for the indexes.
    "id >= ?8",
    "id < ?9",
];

/// Which calls fit: only the filters that are asked for stand in the statement, so that an index can serve them. That of
/// numbers does so best, which the engine does not know: a plus keeps it from those of partners and apps.
fn fits(filters: &[Value; 9]) -> String {
    let is_of_number = filters[2] != Value::Null;
    let asked = FITS.iter().zip(filters).enumerate().filter(|(_, (_, value))| **value != Value::Null);
    let asked =
        asked.map(|(place, (fits, _))| if is_of_number && place < 2 { format!("+{fits}") } else { (*fits).to_owned() });
    std::iter::once("true".to_owned()).chain(asked).collect::<Vec<_>>().join(" AND ")
}

#[expect(clippy::needless_pass_by_value, reason = "the form that map_err takes")]
fn failed(error: rusqlite::Error) -> RefusalLogError {
    RefusalLogError(format!("accounts.db: {error}"))
}

impl SqliteAccounts {
    fn look<T>(&self, read: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Result<T, RefusalLogError> {
        read(&self.connection()).map_err(failed)
    }

    fn put<T>(&self, write: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<T>) -> Result<T, RefusalLogError> {
        let mut connection = self.connection();
        let written = || {
            let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let done = write(&transaction)?;
            transaction.commit()?;
            Ok(done)
        };
        written().map_err(failed)
    }
}

// As with the accounts, the work is small and done inline: no future here waits.
impl RefusalLog for SqliteAccounts {
    fn keep(&self, calls: Vec<RefusedCall>, per_app: usize) -> BoxFuture<'_, Result<(), RefusalLogError>> {
        Box::pin(async move {
            self.put(|transaction| {
                calls.iter().try_for_each(|call| insert(transaction, call))?;
                let apps: BTreeSet<AppId> = calls.iter().map(|call| call.app).collect();
                apps.into_iter().try_for_each(|app| trim(transaction, app, per_app))
            })
        })
    }

    fn refused(&self, query: RefusedQuery) -> BoxFuture<'_, Result<Vec<RefusedCall>, RefusalLogError>> {
        Box::pin(async move {
            self.look(|connection| {
                let (beyond, direction) = if query.oldest_first { (">", "ASC") } else { ("<", "DESC") };
                let filters = filters(&query);
                let fits = fits(&filters);
                let sql = format!(
                    "SELECT {COLUMNS} FROM refusal WHERE {fits} AND (?10 IS NULL OR id {beyond} ?10)
                     ORDER BY id {direction} LIMIT ?11"
                );
                let after = query.after.map_or(Value::Null, |id| Value::Blob(bytes_of(id)));
                let limit = Value::Integer(query.limit.min(CALLS_PER_CALL).cast_signed() as i64);
                let mut statement = connection.prepare_cached(&sql)?;
                let asked = filters.into_iter().chain([after, limit]);
                statement.query_map(params_from_iter(asked), read)?.collect()
            })
        })
    }

    fn refused_call(&self, id: CheckId) -> BoxFuture<'_, Result<Option<RefusedCall>, RefusalLogError>> {
        Box::pin(async move {
            self.look(|connection| {
                let sql = format!("SELECT {COLUMNS} FROM refusal WHERE id = ?1");
                connection.prepare_cached(&sql)?.query_row([id.uuid().as_bytes().as_slice()], read).optional()
            })
        })
    }

    fn causes(
        &self,
        query: RefusedQuery,
        newest: Option<usize>,
    ) -> BoxFuture<'_, Result<Vec<RefusalCause>, RefusalLogError>> {
        Box::pin(async move {
            self.look(|connection| {
                let filters = filters(&query);
                let fits = fits(&filters);
                let sql = format!(
                    "SELECT status, code, stage, reason, count(*), max(at) FROM
                         (SELECT * FROM refusal WHERE {fits} ORDER BY id DESC LIMIT ?10)
                     GROUP BY 1, 2, 3, 4 ORDER BY 5 DESC, 6 DESC, 4 LIMIT ?11"
                );
                let mut statement = connection.prepare_cached(&sql)?;
                // Below zero is no limit.
                let newest = newest.map_or(-1, |newest| newest.cast_signed() as i64);
                let asked = filters.into_iter().chain([newest, CAUSES_PER_CALL].map(Value::Integer));
                statement.query_map(params_from_iter(asked), cause)?.collect()
            })
        })
    }

    fn failed_since(&self, app: AppId, from: Timestamp) -> BoxFuture<'_, Result<u64, RefusalLogError>> {
        Box::pin(async move {
            self.look(|connection| {
                let sql = "SELECT count(*) FROM refusal WHERE app = ?1 AND id >= ?2";
                let asked = params![app.as_u64().cast_signed(), bytes_of(CheckId::floor(from))];
                connection.prepare_cached(sql)?.query_row(asked, |row| unsigned(row, 0))
            })
        })
    }

    fn recent(&self, from: Timestamp, newest: usize) -> BoxFuture<'_, Result<RecentRefusals, RefusalLogError>> {
        Box::pin(async move {
            self.look(|connection| {
                // An id is never older than its call: those of before `from` are not looked at.
                let sql = "SELECT status, code, stage, reason, count(*), max(at), environment, min(at) FROM
                               (SELECT * FROM refusal WHERE id >= ?1 AND at >= ?2 ORDER BY id DESC LIMIT ?3)
                           GROUP BY 1, 2, 3, 4, 7 ORDER BY 5 DESC, 6 DESC, 4";
                let mut statement = connection.prepare_cached(sql)?;
                let floor = CheckId::floor(from).uuid();
                let asked = params![floor.as_bytes().as_slice(), from.as_microsecond(), newest.cast_signed()];
                let counted = statement.query_map(asked, |row| Ok((recent_cause(row)?, instant(row, 7)?)))?;
                counted.collect::<Result<_, _>>().map(RecentRefusals::of)
            })
        })
    }

    fn forget_refused(&self, before: Timestamp, limit: usize) -> BoxFuture<'_, Result<Forgotten, RefusalLogError>> {
        Box::pin(async move {
            self.put(|transaction| {
                // Ids follow the instants of their calls but for a clock that was set back; those go with a later sweep.
                let sql = "DELETE FROM refusal WHERE id IN (SELECT id FROM refusal WHERE id < ?1 AND at < ?2 LIMIT ?3)";
                let floor = CheckId::floor(before).uuid();
                let limit = limit.cast_signed();
                let gone =
                    transaction.execute(sql, params![floor.as_bytes().as_slice(), before.as_microsecond(), limit])?;
                Ok(Forgotten { count: gone as u64, more: gone == limit.cast_unsigned() })
            })
        })
    }

    fn forget_number(
        &self,
        number: SubjectHash,
        from: Option<Timestamp>,
        until: Option<Timestamp>,
    ) -> BoxFuture<'_, Result<u64, RefusalLogError>> {
        Box::pin(async move {
            self.put(|transaction| {
                let sql = "UPDATE refusal SET number_hash = NULL, masked = NULL
                           WHERE number_hash = ?1 AND (?2 IS NULL OR at >= ?2) AND (?3 IS NULL OR at < ?3)";
                let micros = |at: Option<Timestamp>| at.map(Timestamp::as_microsecond);
                let forgotten = transaction.execute(sql, params![number.0.as_slice(), micros(from), micros(until)])?;
                Ok(forgotten as u64)
            })
        })
    }
}

/// The values of [`FITS`]; null where one is not asked for.
fn filters(query: &RefusedQuery) -> [Value; 9] {
    let integer = |value: Option<i64>| value.map_or(Value::Null, Value::Integer);
    let id = |id: Option<CheckId>| id.map_or(Value::Null, |id| Value::Blob(bytes_of(id)));
    let (low, high) = query.ids();
    [
        integer(query.partner.map(|id| id.as_u64().cast_signed())),
        integer(query.app.map(|id| id.as_u64().cast_signed())),
        query.number.map_or(Value::Null, |hash| Value::Blob(hash.0.to_vec())),
        integer(query.status.map(i64::from)),
        query.code.clone().map_or(Value::Null, Value::Text),
        integer(query.from.map(Timestamp::as_microsecond)),
        integer(query.until.map(Timestamp::as_microsecond)),
        id(low),
        id(high),
    ]
}

fn bytes_of(id: CheckId) -> Vec<u8> {
    id.uuid().as_bytes().to_vec()
}

fn insert(transaction: &Transaction<'_>, call: &RefusedCall) -> rusqlite::Result<()> {
    let sql = "INSERT INTO refusal VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING";
    transaction.prepare_cached(sql)?.execute(params![
        call.id.uuid().as_bytes().as_slice(),
        call.at.as_microsecond(),
        call.partner.as_u64().cast_signed(),
        call.app.as_u64().cast_signed(),
        call.environment.word(),
        call.path,
        call.product.map(Product::word),
        call.status,
        call.code,
        call.stage.word(),
        call.reason,
        i64::try_from(call.micros).unwrap_or(i64::MAX),
        call.about.as_ref().map(|about| about.hash.0.as_slice()),
        call.about.as_ref().map(|about| about.masked.as_str()),
    ])?;
    Ok(())
}

/// Leaves an app its newest `per_app` calls.
fn trim(transaction: &Transaction<'_>, app: AppId, per_app: usize) -> rusqlite::Result<()> {
    let sql = "DELETE FROM refusal WHERE app = ?1 AND id <=
                   (SELECT id FROM refusal WHERE app = ?1 ORDER BY id DESC LIMIT 1 OFFSET ?2)";
    transaction.prepare_cached(sql)?.execute(params![app.as_u64().cast_signed(), per_app.cast_signed()])?;
    Ok(())
}

fn read(row: &Row<'_>) -> rusqlite::Result<RefusedCall> {
    let product: Option<String> = row.get(6)?;
    let hash: Option<[u8; 16]> = row.get(12)?;
    let masked: Option<String> = row.get(13)?;
    Ok(RefusedCall {
        id: CheckId::from_uuid(Uuid::from_bytes(row.get(0)?)).ok_or_else(|| damaged("id"))?,
        at: instant(row, 1)?,
        partner: PartnerId::from_stored(unsigned(row, 2)?),
        app: AppId::from_stored(unsigned(row, 3)?),
        environment: environment(row, 4)?,
        path: row.get(5)?,
        product: product.map(|word| Product::parse(&word).map_err(|_| damaged("product"))).transpose()?,
        status: row.get(7)?,
        code: row.get(8)?,
        stage: word(row, 9, Stage::parse)?,
        reason: row.get(10)?,
        micros: unsigned(row, 11)?,
        about: hash.zip(masked).map(|(hash, masked)| MaskedNumber { hash: SubjectHash(hash), masked }),
    })
}

fn cause(row: &Row<'_>) -> rusqlite::Result<RefusalCause> {
    Ok(RefusalCause {
        status: row.get(0)?,
        code: row.get(1)?,
        stage: word(row, 2, Stage::parse)?,
        reason: row.get(3)?,
        calls: unsigned(row, 4)?,
        newest: instant(row, 5)?,
    })
}

fn recent_cause(row: &Row<'_>) -> rusqlite::Result<RecentCause> {
    Ok(RecentCause { environment: environment(row, 6)?, cause: cause(row)? })
}

fn environment(row: &Row<'_>, column: usize) -> rusqlite::Result<Environment> {
    word(row, column, |word| Environment::parse(word).ok())
}

fn instant(row: &Row<'_>, column: usize) -> rusqlite::Result<Timestamp> {
    Timestamp::from_microsecond(row.get(column)?).map_err(|_| damaged("at"))
}

fn word<T>(row: &Row<'_>, column: usize, parse: impl FnOnce(&str) -> Option<T>) -> rusqlite::Result<T> {
    parse(row.get_ref(column)?.as_str()?).ok_or_else(|| damaged("a word"))
}

fn damaged(what: &'static str) -> rusqlite::Error {
    FromSqlError::Other(format!("refusal: {what} is one that is never written").into()).into()
}
