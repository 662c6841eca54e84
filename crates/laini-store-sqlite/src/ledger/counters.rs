//! The running counters: how many rows of each kind there are, written in the rows' own transactions.

use jiff::Timestamp;
use laini_core::billing::Outcome;
use laini_core::partner::{AppId, Product};
use laini_core::store::Usage;
use laini_store::ledger::{Counters, ENVIRONMENTS, QUARTER_S, environment_code, outcome_code, product_code, quarters};
use rusqlite::{Connection, Row, params};

use super::schema;

/// One upsert a kind and transaction, not one a row.
const ADD: &str = "INSERT INTO usage VALUES (?1,?2,?3,?4,?5,?6,?7)
     ON CONFLICT DO UPDATE SET checks = checks + ?6, charged_minor = charged_minor + ?7";

pub(super) fn write(counters: &Counters, connection: &Connection) -> rusqlite::Result<()> {
    if counters.is_empty() {
        return Ok(());
    }
    let mut add = connection.prepare_cached(ADD)?;
    for (kind, sum) in counters.iter() {
        add.execute(params![
            kind.quarter,
            kind.app.as_u64().cast_signed(),
            product_code(kind.product),
            environment_code(kind.environment),
            outcome_code(kind.outcome),
            sum.checks,
            sum.charged_minor,
        ])?;
    }
    Ok(())
}

/// The counters of whole quarters from `from` (rounded down) until `until` (rounded up).
pub(super) fn read(connection: &Connection, from: Timestamp, until: Timestamp) -> rusqlite::Result<Vec<Usage>> {
    let sql = "SELECT quarter, app, product, environment, outcome, checks, charged_minor
               FROM usage WHERE quarter >= ?1 AND quarter < ?2 ORDER BY quarter, app, product, environment, outcome";
    let (first, end) = quarters(from, until);
    connection.prepare_cached(sql)?.query_map([first, end], usage)?.collect()
}

fn usage(row: &Row<'_>) -> rusqlite::Result<Usage> {
    let quarter: i64 = row.get(0)?;
    let from = Timestamp::from_second(quarter.saturating_mul(QUARTER_S)).map_err(|_| schema::damaged(0))?;
    Ok(Usage {
        app: AppId::from_stored(schema::bits(row, 1, 63)?),
        product: schema::decoded(row, 2, &Product::ALL, product_code)?,
        environment: schema::decoded(row, 3, &ENVIRONMENTS, environment_code)?,
        outcome: schema::decoded(row, 4, &Outcome::ALL, outcome_code)?,
        from,
        checks: schema::bits(row, 5, 63)?,
        charged_minor: row.get(6)?,
    })
}
