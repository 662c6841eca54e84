//! The running counters: how many rows of each kind there are, written in the rows' own transactions.

use std::collections::HashMap;

use jiff::Timestamp;
use laini_core::billing::Outcome;
use laini_core::partner::{AppId, Environment, Product};
use laini_core::store::{LedgerRow, Usage};
use rusqlite::{Connection, Row, params};

use super::schema;

/// A quarter of an hour.
const QUARTER_S: i64 = 900;

/// One upsert a kind and transaction, not one a row.
const ADD: &str = "INSERT INTO usage VALUES (?1,?2,?3,?4,?5,?6,?7)
     ON CONFLICT DO UPDATE SET checks = checks + ?6, charged_minor = charged_minor + ?7";

/// What one transaction adds.
#[derive(Default)]
pub(super) struct Counters(HashMap<Kind, Sum>);

#[derive(PartialEq, Eq, Hash)]
struct Kind {
    quarter: i64,
    app: AppId,
    product: Product,
    environment: Environment,
    outcome: Outcome,
}

#[derive(Default)]
struct Sum {
    checks: i64,
    charged_minor: i64,
}

impl Counters {
    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    pub(super) fn count(&mut self, row: &LedgerRow) {
        let quarter = row.at.as_second().div_euclid(QUARTER_S);
        let LedgerRow { app, product, environment, outcome, .. } = *row;
        let sum = self.0.entry(Kind { quarter, app, product, environment, outcome }).or_default();
        sum.checks += 1;
        sum.charged_minor = sum.charged_minor.saturating_add(row.charge.minor);
    }

    pub(super) fn write(&self, connection: &Connection) -> rusqlite::Result<()> {
        if self.0.is_empty() {
            return Ok(());
        }
        let mut add = connection.prepare_cached(ADD)?;
        for (kind, sum) in &self.0 {
            add.execute(params![
                kind.quarter,
                kind.app.as_u64().cast_signed(),
                schema::product_code(kind.product),
                schema::environment_code(kind.environment),
                schema::outcome_code(kind.outcome),
                sum.checks,
                sum.charged_minor,
            ])?;
        }
        Ok(())
    }
}

/// The counters of whole quarters from `from` (rounded down) until `until` (rounded up).
pub(super) fn read(connection: &Connection, from: Timestamp, until: Timestamp) -> rusqlite::Result<Vec<Usage>> {
    let sql = "SELECT quarter, app, product, environment, outcome, checks, charged_minor
               FROM usage WHERE quarter >= ?1 AND quarter < ?2 ORDER BY quarter, app, product, environment, outcome";
    let first = from.as_second().div_euclid(QUARTER_S);
    // Rounded up: an instant within a second counts as the whole second.
    let until_s = until.as_second() + i64::from(until.subsec_nanosecond() > 0);
    let end = -(-until_s).div_euclid(QUARTER_S);
    connection.prepare_cached(sql)?.query_map([first, end], usage)?.collect()
}

fn usage(row: &Row<'_>) -> rusqlite::Result<Usage> {
    let quarter: i64 = row.get(0)?;
    let from = Timestamp::from_second(quarter.saturating_mul(QUARTER_S)).map_err(|_| schema::damaged(0))?;
    Ok(Usage {
        app: AppId::from_stored(schema::bits(row, 1, 63)?),
        product: schema::decoded(row, 2, &Product::ALL, schema::product_code)?,
        environment: schema::decoded(row, 3, &schema::ENVIRONMENTS, schema::environment_code)?,
        outcome: schema::decoded(row, 4, &Outcome::ALL, schema::outcome_code)?,
        from,
        checks: schema::bits(row, 5, 63)?,
        charged_minor: row.get(6)?,
    })
}
