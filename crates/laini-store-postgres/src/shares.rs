//! Limits that nodes share: rows that they reserve amounts from, and what each is asked for.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use jiff::Timestamp;
use laini_core::billing::Outcome;
use laini_core::store::{Allowance, BoxFuture, Demand, Grant, LimitShares, Limited, Paces, Quota, SharesError, Want};
use laini_store::ledger::{QUARTER_S, outcome_code, product_code};
use tokio_postgres::types::{ToSql, Type};

use crate::columns::Columns;
use crate::database::{Database, Link, NOW_MS, SMALL_WORK, Sql, Transaction, params};
use crate::error::DbError;

/// A node that told nothing for so long does not count.
const HEARD_WITHIN_MS: i64 = 5_000;
/// Rows that nobody needs any more are deleted every so many calls, of which there is one a second.
const SWEPT_EVERY: u32 = 3_600;
/// How long rows are kept that nobody writes any more.
const PACE_KEPT_MS: i64 = 3_600_000;
const ALLOWANCE_KEPT_MS: i64 = 62 * 86_400_000;
/// A lost reservation only lets a little more through than there is; it need not wait for a standby.
const UNHURRIED: &str = "SET LOCAL synchronous_commit = off";

/// The limits that the nodes of a database share.
pub struct PostgresShares {
    database: Arc<Database>,
    node: String,
    calls: AtomicU32,
}

impl PostgresShares {
    /// For the node of this name.
    pub fn new(database: Arc<Database>, node: &str) -> Self {
        Self { database, node: node.to_owned(), calls: AtomicU32::new(0) }
    }
}

impl LimitShares for PostgresShares {
    fn reserve(&self, wants: Vec<Want>) -> BoxFuture<'_, Result<Vec<Grant>, SharesError>> {
        Box::pin(async move {
            let reserve = async move |link: &Link| {
                let keys = Keys::of(wants.iter().map(|want| want.allowance));
                link.transact(async |transaction: &Transaction<'_>| grant(transaction, &keys, &wants).await).await
            };
            // Requests wait for a fraction of this; but what is not heard of in time is lost for its window.
            self.database.run(SMALL_WORK, reserve).await.map_err(failed)
        })
    }

    fn pace(&self, demands: Vec<Demand>) -> BoxFuture<'_, Result<Paces, SharesError>> {
        let node = self.node.clone();
        let sweeps = self.calls.fetch_add(1, Ordering::Relaxed).is_multiple_of(SWEPT_EVERY);
        Box::pin(async move {
            let tell = async move |link: &Link| {
                if sweeps {
                    link.transact(async |transaction: &Transaction<'_>| sweep(transaction).await).await?;
                }
                let told = Told::of(&demands);
                link.transact(async |transaction: &Transaction<'_>| listen(transaction, &node, &told).await).await
            };
            self.database.run(SMALL_WORK, tell).await.map_err(failed)
        })
    }
}

fn failed(error: DbError) -> SharesError {
    match error {
        DbError::Unknown(reason) => SharesError::Unknown(reason),
        error => SharesError::Unavailable(error.to_string()),
    }
}

/// The columns that say whose a row is. Codes are never reused.
fn key(of: Limited) -> (i16, i64, i16) {
    match of {
        Limited::Product(app, product) => (1, app.as_u64().cast_signed(), product_code(product)),
        Limited::App(app) => (2, app.as_u64().cast_signed(), 0),
        Limited::Partner(partner) => (3, partner.as_u64().cast_signed(), 0),
        Limited::Slowed(app) => (4, app.as_u64().cast_signed(), 0),
    }
}

/// From this code on, amounts of money are counted, not numbers.
const BUDGET: i16 = 3;
const PREPAID: i16 = 4;

fn quota_code(quota: Quota) -> i16 {
    match quota {
        Quota::Day => 1,
        Quota::Month => 2,
        Quota::Budget => BUDGET,
        Quota::Prepaid => PREPAID,
    }
}

/// Quarters of an hour of the longest day (a clock that is set back makes 25 hours) and month.
fn quarters(quota: Quota) -> i64 {
    match quota {
        Quota::Day | Quota::Prepaid => 25 * 4,
        Quota::Month | Quota::Budget => (31 * 24 + 1) * 4,
    }
}

/// The keys of allowances, a column each.
#[derive(Default)]
struct Keys {
    kind: Vec<i16>,
    id: Vec<i64>,
    product: Vec<i16>,
    quota: Vec<i16>,
    from_us: Vec<i64>,
}

impl Keys {
    fn of(allowances: impl Iterator<Item = Allowance>) -> Self {
        let mut keys = Self::default();
        for allowance in allowances {
            let (kind, id, product) = key(allowance.of);
            keys.kind.push(kind);
            keys.id.push(id);
            keys.product.push(product);
            keys.quota.push(quota_code(allowance.quota));
            keys.from_us.push(allowance.from.as_microsecond());
        }
        keys
    }

    fn params(&self) -> [(&(dyn ToSql + Sync), Type); 5] {
        [self.kind.typed(), self.id.typed(), self.product.typed(), self.quota.typed(), self.from_us.typed()]
    }
}

/// One of an allowance's rows, as it is locked.
#[derive(Clone, Copy, PartialEq)]
struct Held {
    reserved: i64,
    peak: i64,
}

async fn grant(transaction: &Transaction<'_>, keys: &Keys, wants: &[Want]) -> Result<Vec<Grant>, DbError> {
    let mut held = vec![None; wants.len()];
    let (unhurried, locked) =
        tokio::join!(transaction.connection().batch_execute(UNHURRIED), lock(transaction, keys, &mut held));
    unhurried.map_err(|error| DbError::of(&error))?;
    locked?;
    if held.contains(&None) {
        begin(transaction, wants, &held).await?;
        lock(transaction, keys, &mut held).await?;
    }
    let held: Option<Vec<Held>> = held.into_iter().collect();
    let held = held.ok_or(DbError::Damaged("reserved"))?;
    let reserved: Vec<i64> = wants.iter().zip(&held).map(|(want, held)| want.reserved_after(held.reserved)).collect();
    let update = "UPDATE allowance AS a SET reserved = w.reserved, peak = greatest(a.peak, w.reserved)
        FROM unnest($1::smallint[], $2::bigint[], $3::smallint[], $4::smallint[], $5::bigint[], $6::bigint[])
            AS w(kind, id, product, quota, from_us, reserved)
        WHERE (a.id, a.kind, a.product, a.quota, a.from_us) = (w.id, w.kind, w.product, w.quota, w.from_us)";
    let [kind, id, product, quota, from_us] = keys.params();
    transaction.execute(update, &[kind, id, product, quota, from_us, reserved.typed()]).await?;
    let granted = wants.iter().zip(held).zip(reserved).map(|((want, held), reserved)| Grant {
        given: want.grant(held.reserved),
        left: want.limit.saturating_sub(reserved),
        peak: (held.peak, held.peak.max(reserved)),
    });
    Ok(granted.collect())
}

/// Locks the rows that are there, in one order for all nodes.
async fn lock(transaction: &Transaction<'_>, keys: &Keys, held: &mut [Option<Held>]) -> Result<(), DbError> {
    let select = "SELECT place, reserved, peak
        FROM unnest($1::smallint[], $2::bigint[], $3::smallint[], $4::smallint[], $5::bigint[])
            WITH ORDINALITY AS w(kind, id, product, quota, from_us, place)
        JOIN allowance AS a USING (id, kind, product, quota, from_us)
        ORDER BY id, kind, product, quota, from_us FOR UPDATE OF a";
    for row in transaction.query(select, &keys.params()).await? {
        let columns = Columns(&row);
        let place = usize::try_from(columns.get::<i64>("place")? - 1).map_err(|_| DbError::Damaged("place"))?;
        let found = Held { reserved: columns.get("reserved")?, peak: columns.get("peak")? };
        *held.get_mut(place).ok_or(DbError::Damaged("place"))? = Some(found);
    }
    Ok(())
}

/// Makes the rows that are not there yet; they begin with what the ledger counted.
async fn begin(transaction: &Transaction<'_>, wants: &[Want], held: &[Option<Held>]) -> Result<(), DbError> {
    let insert = "INSERT INTO allowance (kind, id, product, quota, from_us, reserved, peak)
        SELECT w.kind, w.id, w.product, w.quota, w.from_us, used, used
        FROM unnest($1::smallint[], $2::bigint[], $3::smallint[], $4::smallint[], $5::bigint[], $6::bigint[],
                $7::bigint[], $8::bigint[])
            AS w(kind, id, product, quota, from_us, first_quarter, end_quarter, place)
        CROSS JOIN LATERAL (
            SELECT coalesce(sum(CASE WHEN w.quota >= $9 THEN u.charged_minor WHEN u.outcome <> $10 THEN u.checks END),
                0)::bigint AS used
            FROM unnest($11::bigint[], $12::bigint[]) AS counted(place, app)
            CROSS JOIN generate_series(w.first_quarter, w.end_quarter - 1) AS q(quarter)
            JOIN usage AS u ON u.quarter = q.quarter AND u.app = counted.app
            WHERE counted.place = w.place AND (w.product = 0 OR u.product = w.product)
        ) AS counted
        ORDER BY w.id, w.kind, w.product, w.quota, w.from_us
        ON CONFLICT DO NOTHING";
    let numbered = || (0_i64..).zip(wants);
    let missing = || numbered().zip(held).filter(|(_, held)| held.is_none()).map(|(numbered, _)| numbered);
    let keys = Keys::of(missing().map(|(_, want)| want.allowance));
    let quarter = |at: Timestamp| at.as_microsecond().div_euclid(QUARTER_S * 1_000_000);
    let first_quarters: Vec<i64> = missing().map(|(_, want)| quarter(want.counted_from)).collect();
    let end = |allowance: Allowance| quarter(allowance.from) + quarters(allowance.quota);
    let end_quarters: Vec<i64> = missing().map(|(_, want)| end(want.allowance)).collect();
    let places: Vec<i64> = missing().map(|(place, _)| place).collect();
    let counted = || missing().flat_map(|(place, want)| want.apps.iter().map(move |app| (place, app)));
    let counted_places: Vec<i64> = counted().map(|(place, _)| place).collect();
    let apps: Vec<i64> = counted().map(|(_, app)| app.as_u64().cast_signed()).collect();
    let reversal = outcome_code(Outcome::Reversal);
    let mut parameters = keys.params().to_vec();
    parameters.extend([first_quarters.typed(), end_quarters.typed(), places.typed()]);
    parameters.extend([BUDGET.typed(), reversal.typed(), counted_places.typed(), apps.typed()]);
    transaction.execute(insert, &parameters).await?;
    Ok(())
}

/// What a node tells, a column each. The first row says that the node is there.
struct Told {
    kind: Vec<i16>,
    id: Vec<i64>,
    product: Vec<i16>,
    per_second: Vec<i64>,
}

impl Told {
    fn of(demands: &[Demand]) -> Self {
        let mut told = Self { kind: vec![0], id: vec![0], product: vec![0], per_second: vec![0] };
        for demand in demands {
            let (kind, id, product) = key(demand.of);
            told.kind.push(kind);
            told.id.push(id);
            told.product.push(product);
            told.per_second.push(i64::try_from(demand.per_second).unwrap_or(i64::MAX));
        }
        told
    }
}

async fn listen(transaction: &Transaction<'_>, node: &str, told: &Told) -> Result<Paces, DbError> {
    let tell = format!(
        "INSERT INTO pace (kind, id, product, node, per_second, at_ms)
         SELECT kind, id, product, $1, per_second, {NOW_MS}
         FROM unnest($2::smallint[], $3::bigint[], $4::smallint[], $5::bigint[]) AS w(kind, id, product, per_second)
         ON CONFLICT (id, kind, product, node)
         DO UPDATE SET per_second = excluded.per_second, at_ms = excluded.at_ms"
    );
    let hear = format!(
        "SELECT place, p.per_second
         FROM unnest($2::smallint[], $3::bigint[], $4::smallint[]) WITH ORDINALITY AS w(kind, id, product, place)
         JOIN pace AS p USING (id, kind, product)
         WHERE p.node <> $1 AND p.at_ms > {NOW_MS} - $5
         ORDER BY place, p.node"
    );
    let Told { kind, id, product, per_second } = told;
    let (unhurried, heard) = tokio::join!(transaction.connection().batch_execute(UNHURRIED), async {
        transaction.execute(&tell, params![node, *kind, *id, *product, *per_second]).await?;
        transaction.query(&hear, params![node, *kind, *id, *product, HEARD_WITHIN_MS]).await
    });
    unhurried.map_err(|error| DbError::of(&error))?;
    let (mut nodes, mut others) = (1, vec![Vec::new(); kind.len() - 1]);
    for row in heard? {
        let columns = Columns(&row);
        // The first place is that of the nodes themselves.
        let place = usize::try_from(columns.get::<i64>("place")?).map_err(|_| DbError::Damaged("place"))?;
        match place.checked_sub(2) {
            None => nodes += 1,
            Some(demand) => {
                let heard: &mut Vec<u64> = others.get_mut(demand).ok_or(DbError::Damaged("place"))?;
                heard.push(columns.bits("per_second", 63)?);
            }
        }
    }
    Ok(Paces { nodes, others })
}

/// Deletes what belongs to nodes and times that are gone.
async fn sweep(transaction: &Transaction<'_>) -> Result<(), DbError> {
    let paces = format!("DELETE FROM pace WHERE at_ms < {NOW_MS} - $1");
    transaction.execute(&paces, params![PACE_KEPT_MS]).await?;
    let allowances = format!("DELETE FROM allowance WHERE from_us < ({NOW_MS} - $1) * 1000");
    transaction.execute(&allowances, params![ALLOWANCE_KEPT_MS]).await?;
    Ok(())
}
