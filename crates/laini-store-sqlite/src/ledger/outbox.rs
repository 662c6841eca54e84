//! Accepted checks and deliveries, beside the ledger's rows and in their transactions.

use jiff::Timestamp;
use laini_core::partner::{AppId, Product, Purpose, ResultAddressId};
use laini_core::store::{
    AcceptedCheck, Attempt, Backlog, BodyOwner, BoxFuture, DayKey, Delivery, DeliveryDraft, DeliveryId, DeliveryKind,
    DeliveryQuery, DeliveryState, LedgerError, Outbox, OutboxDepth, RepeatKey,
};
use rusqlite::{Connection, Row, params};

use laini_store::ledger::{
    DeliveryCode, SealedCheck, SealedDelivery, open_delivery, product_code, purpose_code, repeat_window,
};

use super::{SqliteLedger, schema};

/// Deliveries that one list holds at most, whatever its caller asks for.
const DELIVERIES_PER_PAGE: usize = 1_000;
/// Checks or deliveries that one call leases at most.
const LEASED_AT_ONCE: usize = 1_000;

impl Outbox for SqliteLedger {
    fn accept(&self, check: AcceptedCheck) -> BoxFuture<'_, Result<(), LedgerError>> {
        Box::pin(async move {
            let day_key = self.day_key(check.at)?;
            let sealed = SealedCheck::seal(&day_key, &check);
            self.perform(move |connection| insert_check(connection, &check, &sealed)).await
        })
    }

    fn lease_checks(
        &self,
        now: Timestamp,
        until: Timestamp,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<AcceptedCheck>, LedgerError>> {
        let limit = limit.min(LEASED_AT_ONCE);
        Box::pin(async move {
            // Most of the time there is nothing: a read finds that out without a transaction.
            if self.readers.run(move |connection| waiting_checks(connection, now, limit)).await?.is_empty() {
                return Ok(Vec::new());
            }
            let leased = self.perform(move |connection| lease_checks(connection, (now, until), limit)).await?;
            leased.iter().map(|sealed| sealed.open(&*self.day_keys)).collect()
        })
    }

    fn put(&self, delivery: DeliveryDraft) -> BoxFuture<'_, Result<(), LedgerError>> {
        Box::pin(async move {
            let (day_key, body) = (self.day_key(delivery.at)?, (delivery.write)(&[]));
            self.perform(move |connection| insert(connection, &delivery, &day_key, &body)).await
        })
    }

    fn lease_deliveries(
        &self,
        now: Timestamp,
        until: Timestamp,
        limit: usize,
        per_address: usize,
    ) -> BoxFuture<'_, Result<Vec<Delivery>, LedgerError>> {
        let limits = (limit.min(LEASED_AT_ONCE), per_address);
        Box::pin(async move {
            if self.readers.run(move |connection| due(connection, now, limits)).await?.is_empty() {
                return Ok(Vec::new());
            }
            let leased = self.perform(move |connection| lease_deliveries(connection, (now, until), limits)).await?;
            leased.into_iter().map(|sealed| open_delivery(&*self.day_keys, sealed)).collect()
        })
    }

    fn settle(&self, id: DeliveryId, attempt: Attempt, next: DeliveryState) -> BoxFuture<'_, Result<(), LedgerError>> {
        Box::pin(async move {
            let settled = self.perform(move |connection| settle(connection, id, &attempt, next)).await?;
            let unknown = || LedgerError::NotRecorded("there is no delivery of this id".to_owned());
            if settled { Ok(()) } else { Err(unknown()) }
        })
    }

    fn deliveries(&self, query: DeliveryQuery) -> BoxFuture<'_, Result<Vec<Delivery>, LedgerError>> {
        Box::pin(self.readers.run(move |connection| list(connection, &query)))
    }

    fn redeliver(&self, id: DeliveryId, now: Timestamp) -> BoxFuture<'_, Result<bool, LedgerError>> {
        Box::pin(self.perform(move |connection| redeliver(connection, id, now)))
    }

    fn backlogs(&self, now: Timestamp) -> BoxFuture<'_, Result<Vec<Backlog>, LedgerError>> {
        Box::pin(self.readers.run(move |connection| backlogs(connection, now)))
    }

    fn depth(&self) -> BoxFuture<'_, Result<OutboxDepth, LedgerError>> {
        Box::pin(self.readers.run(depth))
    }
}

pub(super) fn insert_check(connection: &Connection, check: &AcceptedCheck, sealed: &[u8]) -> rusqlite::Result<()> {
    let sql = "INSERT INTO accepted VALUES (?,?,?,?,?,?,?,?,?,0,?) ON CONFLICT DO NOTHING";
    let (key, window) = check.repeat;
    connection.prepare_cached(sql)?.execute(params![
        check.id.position().cast_signed(),
        check.id.tail().cast_signed(),
        check.at.as_microsecond(),
        check.app.as_u64().cast_signed(),
        product_code(check.product),
        purpose_code(check.purpose),
        key.0.as_slice(),
        window.length().as_secs(),
        check.address.as_u64().cast_signed(),
        sealed,
    ])?;
    Ok(())
}

/// Oldest first. What is leased stands in front of them, and there are only as many of those as are at work.
fn waiting_checks(connection: &Connection, now: Timestamp, limit: usize) -> rusqlite::Result<Vec<SealedCheck>> {
    let sql = "SELECT position, tail, at, app, product, purpose, repeat_key, repeat_window_s, address, sealed
               FROM accepted WHERE leased_until <= ?1 ORDER BY position, tail LIMIT ?2";
    let read = |row: &Row<'_>| {
        Ok(SealedCheck {
            id: schema::read_id(row)?,
            at: schema::instant(row, 2)?,
            app: AppId::from_stored(schema::bits(row, 3, 63)?),
            product: schema::decoded(row, 4, &Product::ALL, product_code)?,
            purpose: schema::decoded(row, 5, &Purpose::ALL, purpose_code)?,
            repeat: (RepeatKey(row.get(6)?), repeat_window(row.get(7)?)),
            address: ResultAddressId::from_stored(schema::bits(row, 8, 63)?),
            sealed: row.get(9)?,
        })
    };
    connection.prepare_cached(sql)?.query_map(params![now.as_microsecond(), limit.cast_signed()], read)?.collect()
}

fn lease_checks(
    connection: &Connection,
    (now, until): (Timestamp, Timestamp),
    limit: usize,
) -> rusqlite::Result<Vec<SealedCheck>> {
    let checks = waiting_checks(connection, now, limit)?;
    let mut lease =
        connection.prepare_cached("UPDATE accepted SET leased_until = ?1 WHERE position = ?2 AND tail = ?3")?;
    for check in &checks {
        let (position, tail) = (check.id.position().cast_signed(), check.id.tail().cast_signed());
        lease.execute([until.as_microsecond(), position, tail])?;
    }
    Ok(checks)
}

/// Puts a delivery into the outbox, once, and ends the accepted check of the same id.
pub(super) fn insert(
    connection: &Connection,
    delivery: &DeliveryDraft,
    day_key: &DayKey,
    body: &[u8],
) -> rusqlite::Result<()> {
    let (id, at) = (delivery.id.0, delivery.at.as_microsecond());
    let sql = "INSERT INTO delivery VALUES (?,?,?,?,?,?,?,0,NULL,NULL,NULL,?,?,0) ON CONFLICT DO NOTHING";
    connection.prepare_cached(sql)?.execute(params![
        id.position().cast_signed(),
        id.tail().cast_signed(),
        delivery.kind.word(),
        delivery.app.as_u64().cast_signed(),
        delivery.address.as_u64().cast_signed(),
        at,
        day_key.seal_body(BodyOwner::Delivery(delivery.id), body),
        DeliveryCode::DUE,
        at,
    ])?;
    let accepted = "DELETE FROM accepted WHERE position = ?1 AND tail = ?2";
    connection.prepare_cached(accepted)?.execute([id.position().cast_signed(), id.tail().cast_signed()])?;
    Ok(())
}

const COLUMNS: &str =
    "position, tail, kind, app, address, at, attempts, last_at, last_status, last_problem, state, due";

/// What is due at an instant and leased by nobody, the longest due first: of each address so many that
/// with those at work there are `per_address`.
fn due(
    connection: &Connection,
    now: Timestamp,
    (limit, per_address): (usize, usize),
) -> rusqlite::Result<Vec<(i64, i64)>> {
    let now = now.as_microsecond();
    let next = "SELECT min(address) FROM delivery WHERE state = 1 AND address > ?1";
    let mut next = connection.prepare_cached(next)?;
    let leased = "SELECT count(*) FROM delivery WHERE leased_until > 0 AND address = ?1 AND leased_until > ?2";
    let mut leased = connection.prepare_cached(leased)?;
    let of_address = "SELECT due, rowid FROM delivery
                      WHERE state = 1 AND address = ?1 AND due <= ?2 AND leased_until <= ?2 ORDER BY due LIMIT ?3";
    let mut of_address = connection.prepare_cached(of_address)?;
    let mut found: Vec<(i64, i64)> = Vec::new();
    let mut after = -1;
    while let Some(address) = next.query_row([after], |row| row.get::<_, Option<i64>>(0))? {
        after = address;
        let at_work: i64 = leased.query_row([address, now], |row| row.get(0))?;
        let free = i64::try_from(per_address).unwrap_or(i64::MAX).saturating_sub(at_work).max(0);
        let bounds = params![address, now, free];
        for row in of_address.query_map(bounds, |row| Ok((row.get(0)?, row.get(1)?)))? {
            found.push(row?);
        }
    }
    found.sort_unstable();
    found.truncate(limit);
    Ok(found)
}

fn lease_deliveries(
    connection: &Connection,
    (now, until): (Timestamp, Timestamp),
    limits: (usize, usize),
) -> rusqlite::Result<Vec<SealedDelivery>> {
    let mut lease = connection.prepare_cached("UPDATE delivery SET leased_until = ?1 WHERE rowid = ?2")?;
    let mut read = connection.prepare_cached(&format!("SELECT {COLUMNS}, sealed FROM delivery WHERE rowid = ?1"))?;
    let mut leased = Vec::new();
    for (_, rowid) in due(connection, now, limits)? {
        lease.execute([until.as_microsecond(), rowid])?;
        leased.push(read.query_row([rowid], |row| Ok((read_delivery(row)?, row.get(12)?)))?);
    }
    Ok(leased)
}

fn read_delivery(row: &Row<'_>) -> rusqlite::Result<Delivery> {
    let status: Option<u16> = row.get(8)?;
    let problem: Option<String> = row.get(9)?;
    let attempt = |at| Attempt { at, status, problem: problem.unwrap_or_default() };
    let last = if schema::optional(row, 7)? { Some(attempt(schema::instant(row, 7)?)) } else { None };
    Ok(Delivery {
        id: DeliveryId(schema::read_id(row)?),
        kind: DeliveryKind::parse(row.get_ref(2)?.as_str()?).ok_or_else(|| schema::damaged(2))?,
        app: AppId::from_stored(schema::bits(row, 3, 63)?),
        address: ResultAddressId::from_stored(schema::bits(row, 4, 63)?),
        at: schema::instant(row, 5)?,
        body: Vec::new(),
        attempts: row.get(6)?,
        last,
        state: DeliveryCode::state(row.get(10)?, schema::instant(row, 11)?).ok_or_else(|| schema::damaged(10))?,
    })
}

/// `false` = there is no such delivery. The same attempt noted twice is one attempt.
fn settle(connection: &Connection, id: DeliveryId, attempt: &Attempt, next: DeliveryState) -> rusqlite::Result<bool> {
    let at = attempt.at.as_microsecond();
    let (state, due) = DeliveryCode::of(next);
    let due = due.map_or(at, Timestamp::as_microsecond);
    let sql = "UPDATE delivery SET attempts = attempts + (last_at IS NOT ?3), last_at = ?3, last_status = ?4,
                   last_problem = ?5, state = ?6, due = ?7, leased_until = 0
               WHERE position = ?1 AND tail = ?2";
    let (position, tail) = (id.0.position().cast_signed(), id.0.tail().cast_signed());
    let row = params![position, tail, at, attempt.status, attempt.problem, state, due];
    Ok(connection.prepare_cached(sql)?.execute(row)? == 1)
}

fn list(connection: &Connection, query: &DeliveryQuery) -> rusqlite::Result<Vec<Delivery>> {
    let only_dead = if query.only_dead { " AND state = 3" } else { "" };
    let (beyond, direction, end) =
        if query.oldest_first { (">", "ASC", (-1, 0)) } else { ("<", "DESC", (i64::MAX, 0)) };
    // Only what is asked for stands in the statement, so that an index can serve it.
    let of_app = if query.app.is_some() { " AND app = ?3" } else { "" };
    let of_address = if query.address.is_some() { " AND address = ?4" } else { "" };
    let sql = format!(
        "SELECT {COLUMNS} FROM delivery
         WHERE (position, tail) {beyond} (?1, ?2){of_app}{of_address}{only_dead}
         ORDER BY position {direction}, tail {direction} LIMIT ?5"
    );
    let place = |id: DeliveryId| (id.0.position().cast_signed(), id.0.tail().cast_signed());
    let (position, tail) = query.after.map_or(end, place);
    let app = query.app.map(|app| app.as_u64().cast_signed());
    let address = query.address.map(|address| address.as_u64().cast_signed());
    let limit = query.limit.min(DELIVERIES_PER_PAGE).cast_signed();
    connection.prepare_cached(&sql)?.query_map(params![position, tail, app, address, limit], read_delivery)?.collect()
}

fn redeliver(connection: &Connection, id: DeliveryId, now: Timestamp) -> rusqlite::Result<bool> {
    let sql = "UPDATE delivery SET state = 1, due = ?3 WHERE position = ?1 AND tail = ?2 AND sealed IS NOT NULL";
    let (position, tail) = (id.0.position().cast_signed(), id.0.tail().cast_signed());
    Ok(connection.prepare_cached(sql)?.execute([position, tail, now.as_microsecond()])? == 1)
}

fn backlogs(connection: &Connection, now: Timestamp) -> rusqlite::Result<Vec<Backlog>> {
    let sql = "SELECT one.address,
                   (SELECT min(due) FROM delivery
                    WHERE state = 1 AND address = one.address AND due <= ?1 AND leased_until <= ?1) AS since,
                   (SELECT count(*) FROM delivery
                    WHERE leased_until > 0 AND address = one.address AND leased_until > ?1)
               FROM (SELECT DISTINCT address FROM delivery WHERE state = 1) AS one WHERE since IS NOT NULL";
    let read = |row: &Row<'_>| {
        Ok(Backlog {
            address: ResultAddressId::from_stored(schema::bits(row, 0, 63)?),
            since: schema::instant(row, 1)?,
            under_way: schema::bits(row, 2, 63)?,
        })
    };
    connection.prepare_cached(sql)?.query_map([now.as_microsecond()], read)?.collect()
}

fn depth(connection: &Connection) -> rusqlite::Result<OutboxDepth> {
    let count = |sql: &str| -> rusqlite::Result<u64> {
        Ok(connection.prepare_cached(sql)?.query_row([], |row| row.get::<_, i64>(0))?.cast_unsigned())
    };
    Ok(OutboxDepth {
        checks: count("SELECT count(*) FROM accepted")?,
        deliveries: count("SELECT count(*) FROM delivery WHERE state = 1")?,
        dead: count("SELECT count(*) FROM delivery WHERE state = 3")?,
    })
}
