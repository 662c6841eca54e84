//! Accepted checks and deliveries, beside the ledger's rows.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use laini_core::partner::{AppId, Product, Purpose, ResultAddressId};
use laini_core::store::{
    AcceptedCheck, Attempt, Backlog, BodyOwner, BoxFuture, Delivery, DeliveryDraft, DeliveryId, DeliveryKind,
    DeliveryQuery, DeliveryState, LedgerError, Outbox, OutboxDepth, RepeatKey,
};
use laini_store::ledger::{
    DeliveryCode, SealedCheck, SealedDelivery, open_delivery, product_code, purpose_code, repeat_window,
};
use tokio_postgres::Row;

use super::PostgresLedger;
use super::arrays::window_s;
use crate::columns::{Columns, place};
use crate::database::{Link, Transaction, params};
use crate::error::DbError;

/// Deliveries that one list holds at most, whatever its caller asks for.
const DELIVERIES_PER_PAGE: usize = 1_000;
/// Checks or deliveries that one call leases at most.
const LEASED_AT_ONCE: usize = 1_000;
/// A change may take so long.
const WRITE_TIMEOUT: Duration = Duration::from_secs(4);

impl PostgresLedger {
    /// Has a transaction done; what its commit came to is told.
    pub(super) async fn perform<T: Send + 'static>(
        &self,
        mut work: impl AsyncFnMut(&Transaction<'_>) -> Result<T, DbError> + Send + 'static,
    ) -> Result<T, LedgerError> {
        let done = self.database.run(WRITE_TIMEOUT, async move |link: &Link| link.transact(&mut work).await).await;
        done.map_err(|error| match error {
            DbError::Unknown(reason) => LedgerError::Unknown(reason),
            other => LedgerError::NotRecorded(other.to_string()),
        })
    }
}

impl Outbox for PostgresLedger {
    fn accept(&self, check: AcceptedCheck) -> BoxFuture<'_, Result<(), LedgerError>> {
        Box::pin(async move {
            let sealed = SealedCheck::seal(&*self.day_key(check.at)?, &check);
            self.perform(async move |transaction: &Transaction<'_>| insert_check(transaction, &check, &sealed).await)
                .await
        })
    }

    fn lease_checks(
        &self,
        now: Timestamp,
        until: Timestamp,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<AcceptedCheck>, LedgerError>> {
        let (now, until) = (now.as_microsecond(), until.as_microsecond());
        Box::pin(async move {
            // Most of the time there is nothing: a read finds that out without a commit.
            let any = "SELECT 1 FROM accepted WHERE leased_until <= $1 LIMIT 1";
            if self.read(async move |link: &Link| link.query(any, params![now]).await).await?.is_empty() {
                return Ok(Vec::new());
            }
            let limit = limit.min(LEASED_AT_ONCE);
            let lease = async move |transaction: &Transaction<'_>| lease_checks(transaction, now, until, limit).await;
            self.perform(lease).await?.iter().map(|sealed| sealed.open(&*self.day_keys)).collect()
        })
    }

    fn put(&self, delivery: DeliveryDraft) -> BoxFuture<'_, Result<(), LedgerError>> {
        Box::pin(async move {
            let body = (delivery.write)(&[]);
            let sealed = self.day_key(delivery.at)?.seal_body(BodyOwner::Delivery(delivery.id), &body);
            self.perform(async move |transaction: &Transaction<'_>| insert(transaction, &delivery, &sealed).await).await
        })
    }

    fn lease_deliveries(
        &self,
        now: Timestamp,
        until: Timestamp,
        limit: usize,
        per_address: usize,
    ) -> BoxFuture<'_, Result<Vec<Delivery>, LedgerError>> {
        let (now, until) = (now.as_microsecond(), until.as_microsecond());
        Box::pin(async move {
            let any = "SELECT 1 FROM delivery WHERE state = 1 AND due <= $1 AND leased_until <= $1 LIMIT 1";
            if self.read(async move |link: &Link| link.query(any, params![now]).await).await?.is_empty() {
                return Ok(Vec::new());
            }
            let limits = (limit.min(LEASED_AT_ONCE), per_address);
            let lease =
                async move |transaction: &Transaction<'_>| lease_deliveries(transaction, now, until, limits).await;
            let leased = self.perform(lease).await?;
            self.leases.add(leased.iter().map(|(delivery, _)| delivery.id), now, until);
            leased.into_iter().map(|sealed| open_delivery(&*self.day_keys, sealed)).collect()
        })
    }

    fn settle(&self, id: DeliveryId, attempt: Attempt, next: DeliveryState) -> BoxFuture<'_, Result<(), LedgerError>> {
        Box::pin(async move {
            let lease = self.leases.take(id);
            let settle =
                async move |transaction: &Transaction<'_>| settle(transaction, id, lease, (&attempt, next)).await;
            let unknown = || {
                LedgerError::NotRecorded("there is no delivery of this id, or another node has it by now".to_owned())
            };
            if self.perform(settle).await? { Ok(()) } else { Err(unknown()) }
        })
    }

    fn deliveries(&self, query: DeliveryQuery) -> BoxFuture<'_, Result<Vec<Delivery>, LedgerError>> {
        Box::pin(self.read(async move |link: &Link| list(link, &query).await))
    }

    fn redeliver(&self, id: DeliveryId, now: Timestamp) -> BoxFuture<'_, Result<bool, LedgerError>> {
        let sql = "UPDATE delivery SET state = 1, due = $3 WHERE position = $1 AND tail = $2 AND sealed IS NOT NULL";
        let ((position, tail), now) = (place(id.0), now.as_microsecond());
        Box::pin(self.perform(async move |transaction: &Transaction<'_>| {
            Ok(transaction.execute(sql, params![position, tail, now]).await? == 1)
        }))
    }

    fn backlogs(&self, now: Timestamp) -> BoxFuture<'_, Result<Vec<Backlog>, LedgerError>> {
        Box::pin(self.read(async move |link: &Link| backlogs(link, now).await))
    }

    fn depth(&self) -> BoxFuture<'_, Result<OutboxDepth, LedgerError>> {
        let sql = "SELECT (SELECT count(*) FROM accepted) AS checks,
                       (SELECT count(*) FROM delivery WHERE state = 1) AS deliveries,
                       (SELECT count(*) FROM delivery WHERE state = 3) AS dead";
        Box::pin(self.read(async move |link: &Link| {
            let row = link.query_opt(sql, &[]).await?.ok_or(DbError::Damaged("depth"))?;
            let count = |column| Columns(&row).bits(column, 63);
            Ok(OutboxDepth { checks: count("checks")?, deliveries: count("deliveries")?, dead: count("dead")? })
        }))
    }
}

async fn insert_check(transaction: &Transaction<'_>, check: &AcceptedCheck, sealed: &[u8]) -> Result<(), DbError> {
    let sql = "INSERT INTO accepted VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 0, $10) ON CONFLICT DO NOTHING";
    let ((position, tail), (key, window)) = (place(check.id), check.repeat);
    transaction
        .execute(
            sql,
            params![
                position,
                tail,
                check.at.as_microsecond(),
                check.app.as_u64().cast_signed(),
                product_code(check.product),
                purpose_code(check.purpose),
                key.0.as_slice(),
                window_s(window),
                check.address.as_u64().cast_signed(),
                sealed,
            ],
        )
        .await
        .map(drop)
}

/// Oldest first.
async fn lease_checks(
    transaction: &Transaction<'_>,
    now: i64,
    until: i64,
    limit: usize,
) -> Result<Vec<SealedCheck>, DbError> {
    let sql = "UPDATE accepted SET leased_until = $2 WHERE (position, tail) IN (
                   SELECT position, tail FROM accepted WHERE leased_until <= $1
                   ORDER BY position, tail LIMIT $3 FOR UPDATE SKIP LOCKED)
               RETURNING position, tail, at, app, product, purpose, repeat_key, repeat_window_s, address, sealed";
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let rows = transaction.query(sql, params![now, until, limit]).await?;
    let read = |row: &Row| {
        let columns = Columns(row);
        let window_s: i16 = columns.get("repeat_window_s")?;
        Ok(SealedCheck {
            id: columns.check_id()?,
            at: columns.instant("at")?,
            app: AppId::from_stored(columns.bits("app", 63)?),
            product: columns.code("product", &Product::ALL, product_code)?,
            purpose: columns.code("purpose", &Purpose::ALL, purpose_code)?,
            repeat: (RepeatKey(columns.bytes("repeat_key")?), repeat_window(window_s.into())),
            address: ResultAddressId::from_stored(columns.bits("address", 63)?),
            sealed: columns.get("sealed")?,
        })
    };
    let mut checks: Vec<SealedCheck> = rows.iter().map(read).collect::<Result<_, DbError>>()?;
    checks.sort_unstable_by_key(|check| check.id);
    Ok(checks)
}

/// Puts a delivery into the outbox, once, and ends the accepted check of the same id.
async fn insert(transaction: &Transaction<'_>, delivery: &DeliveryDraft, sealed: &[u8]) -> Result<(), DbError> {
    let sql =
        "INSERT INTO delivery (position, tail, kind, app, address, at, sealed, attempts, state, due, leased_until)
               VALUES ($1, $2, $3, $4, $5, $6, $7, 0, $8, $6, 0) ON CONFLICT DO NOTHING";
    let (position, tail) = place(delivery.id.0);
    transaction
        .execute(
            sql,
            params![
                position,
                tail,
                delivery.kind.word(),
                delivery.app.as_u64().cast_signed(),
                delivery.address.as_u64().cast_signed(),
                delivery.at.as_microsecond(),
                sealed,
                DeliveryCode::DUE,
            ],
        )
        .await?;
    let accepted = "DELETE FROM accepted WHERE position = $1 AND tail = $2";
    transaction.execute(accepted, params![position, tail]).await.map(drop)
}

const COLUMNS: &str =
    "position, tail, kind, app, address, at, attempts, last_at, last_status, last_problem, state, due";

/// What is due and leased by nobody, the longest due first: of each address so many that with those at
/// work there are `per_address`. One node at a time looks, so that all of them together keep to that.
async fn lease_deliveries(
    transaction: &Transaction<'_>,
    now: i64,
    until: i64,
    (limit, per_address): (usize, usize),
) -> Result<Vec<SealedDelivery>, DbError> {
    transaction.query("SELECT 1 FROM worker WHERE name = 'deliveries' FOR UPDATE", &[]).await?;
    let sql = format!(
        "UPDATE delivery SET leased_until = $2 WHERE (position, tail) IN (
             SELECT next.position, next.tail
             FROM (SELECT DISTINCT address FROM delivery WHERE state = 1) AS one,
             LATERAL (SELECT position, tail, due FROM delivery
                      WHERE state = 1 AND address = one.address AND due <= $1 AND leased_until <= $1
                      ORDER BY due, position
                      LIMIT greatest(0, $4 - (SELECT count(*) FROM delivery
                                              WHERE address = one.address AND leased_until > 0 AND leased_until > $1))
             ) AS next
             ORDER BY next.due, next.position LIMIT $3)
         RETURNING {COLUMNS}, sealed"
    );
    let count = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
    let rows = transaction.query(&sql, params![now, until, count(limit), count(per_address)]).await?;
    let read = |row: &Row| Ok((read_delivery(row)?, Columns(row).get("sealed")?));
    let mut leased: Vec<SealedDelivery> = rows.iter().map(read).collect::<Result<_, DbError>>()?;
    leased.sort_unstable_by_key(|(delivery, _)| match delivery.state {
        DeliveryState::Due(due) => (due, delivery.id),
        DeliveryState::Delivered | DeliveryState::Dead => (delivery.at, delivery.id),
    });
    Ok(leased)
}

fn read_delivery(row: &Row) -> Result<Delivery, DbError> {
    let columns = Columns(row);
    let status: Option<i32> = columns.get("last_status")?;
    let status = status.map(|status| u16::try_from(status).map_err(|_| DbError::Damaged("last_status")));
    let (status, problem) = (status.transpose()?, columns.get::<Option<String>>("last_problem")?);
    let last = columns.optional_instant("last_at")?;
    Ok(Delivery {
        id: DeliveryId(columns.check_id()?),
        kind: columns.word("kind", DeliveryKind::parse)?,
        app: AppId::from_stored(columns.bits("app", 63)?),
        address: ResultAddressId::from_stored(columns.bits("address", 63)?),
        at: columns.instant("at")?,
        body: Vec::new(),
        attempts: columns.small("attempts")?,
        last: last.map(|at| Attempt { at, status, problem: problem.unwrap_or_default() }),
        state: DeliveryCode::state(columns.get("state")?, columns.instant("due")?).ok_or(DbError::Damaged("state"))?,
    })
}

/// What this process has leased, and until when: whoever was away for longer finds that instant changed, and
/// notes nothing about what another node has by then.
#[derive(Debug, Default)]
pub(super) struct Leases(Mutex<HashMap<DeliveryId, i64>>);

impl Leases {
    fn add(&self, ids: impl Iterator<Item = DeliveryId>, now: i64, until: i64) {
        let mut leases = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // What was leased and never settled is forgotten with its lease.
        leases.retain(|_, end| *end > now);
        leases.extend(ids.map(|id| (id, until)));
    }

    fn take(&self, id: DeliveryId) -> Option<i64> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&id)
    }
}

/// `false` = there is no such delivery, or its lease is another's. The same attempt noted twice is one attempt.
async fn settle(
    transaction: &Transaction<'_>,
    id: DeliveryId,
    lease: Option<i64>,
    (attempt, next): (&Attempt, DeliveryState),
) -> Result<bool, DbError> {
    let (state, due) = DeliveryCode::of(next);
    let at = attempt.at.as_microsecond();
    let sql = "UPDATE delivery SET attempts = attempts + (CASE WHEN last_at IS DISTINCT FROM $3 THEN 1 ELSE 0 END),
                   last_at = $3, last_status = $4, last_problem = $5, state = $6, due = $7, leased_until = 0
               WHERE position = $1 AND tail = $2 AND ($8::bigint IS NULL OR leased_until = $8)";
    let (position, tail) = place(id.0);
    let status = attempt.status.map(i32::from);
    let due = due.map_or(at, Timestamp::as_microsecond);
    let row = params![position, tail, at, status, attempt.problem, state, due, lease];
    Ok(transaction.execute(sql, row).await? == 1)
}

async fn backlogs(link: &Link, now: Timestamp) -> Result<Vec<Backlog>, DbError> {
    let sql = "SELECT one.address, late.since,
                   (SELECT count(*) FROM delivery
                    WHERE leased_until > 0 AND address = one.address AND leased_until > $1) AS under_way
               FROM (SELECT DISTINCT address FROM delivery WHERE state = 1) AS one,
               LATERAL (SELECT min(due) AS since FROM delivery
                        WHERE state = 1 AND address = one.address AND due <= $1 AND leased_until <= $1) AS late
               WHERE late.since IS NOT NULL";
    let rows = link.query(sql, params![now.as_microsecond()]).await?;
    let read = |row: &Row| {
        let columns = Columns(row);
        Ok(Backlog {
            address: ResultAddressId::from_stored(columns.bits("address", 63)?),
            since: columns.instant("since")?,
            under_way: columns.bits("under_way", 63)?,
        })
    };
    rows.iter().map(read).collect()
}

async fn list(link: &Link, query: &DeliveryQuery) -> Result<Vec<Delivery>, DbError> {
    let (beyond, direction, end) =
        if query.oldest_first { (">", "ASC", (-1, 0)) } else { ("<", "DESC", (i64::MAX, 0)) };
    let sql = format!(
        "SELECT {COLUMNS} FROM delivery
         WHERE position {beyond}= $1 AND (position {beyond} $1 OR tail {beyond} $2)
             AND ($3::bigint IS NULL OR app = $3) AND ($6::bigint IS NULL OR address = $6) AND (NOT $4 OR state = 3)
         ORDER BY position {direction}, tail {direction} LIMIT $5"
    );
    let (position, tail) = query.after.map_or(end, |after| place(after.0));
    let app = query.app.map(|app| app.as_u64().cast_signed());
    let limit = i64::try_from(query.limit.min(DELIVERIES_PER_PAGE)).unwrap_or(i64::MAX);
    let address = query.address.map(|address| address.as_u64().cast_signed());
    let rows = link.query(&sql, params![position, tail, app, query.only_dead, limit, address]).await?;
    rows.iter().map(read_delivery).collect()
}
