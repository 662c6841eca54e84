//! Limits and budgets, on their way in and out of their tables.

use std::collections::HashMap;
use std::num::NonZeroU32;

use laini_core::billing::{Currency, Money};
use laini_core::partner::{AppId, AppLimits, Budget, Limits, Probing, Product, Rate};

use super::Refused;
use crate::columns::Columns;
use crate::database::{Transaction, params};
use crate::error::DbError;

/// What `app_limit.product` says of the limits of all products together.
const ALL: &str = "all";

/// Reads `rate_per_second, rate_burst, per_day, per_month`.
pub(super) fn limits(columns: &Columns<'_>) -> Result<Limits, DbError> {
    Ok(Limits {
        rate: rate(columns, "rate_per_second", "rate_burst")?,
        per_day: columns.optional_bits("per_day", 64)?,
        per_month: columns.optional_bits("per_month", 64)?,
    })
}

/// Reads a rate and its burst, or neither.
fn rate(columns: &Columns<'_>, per_second: &'static str, burst: &'static str) -> Result<Option<Rate>, DbError> {
    let number = |column| -> Result<Option<NonZeroU32>, DbError> {
        let stored = columns.optional_bits(column, 32)?;
        let fits = |number: u64| u32::try_from(number).ok().and_then(NonZeroU32::new).ok_or(DbError::Damaged(column));
        stored.map(fits).transpose()
    };
    match (number(per_second)?, number(burst)?) {
        (Some(per_second), Some(burst)) => Ok(Some(Rate { per_second, burst })),
        (None, None) => Ok(None),
        _ => Err(DbError::Damaged(burst)),
    }
}

/// Reads `probing_rate_per_second, probing_rate_burst`.
pub(super) fn probing(columns: &Columns<'_>) -> Result<Probing, DbError> {
    let rate = rate(columns, "probing_rate_per_second", "probing_rate_burst")?;
    Ok(rate.map_or(Probing::Flag, Probing::Slow))
}

/// The limits of all apps, on their way to them.
#[derive(Default)]
pub(super) struct Limited(HashMap<u64, AppLimits>);

impl Limited {
    /// Adds a row of `app_limit`.
    pub(super) fn add_limits(&mut self, columns: &Columns<'_>) -> Result<(), DbError> {
        let (of_app, limits) = (self.0.entry(columns.bits("app", 64)?).or_default(), limits(columns)?);
        match columns.get::<&str>("product")? {
            ALL => of_app.in_all = limits,
            _ => of_app.products.push((columns.word("product", |word| Product::parse(word).ok())?, limits)),
        }
        Ok(())
    }

    /// Adds a row of `app_budget`.
    pub(super) fn add_budget(&mut self, columns: &Columns<'_>) -> Result<(), DbError> {
        self.0.entry(columns.bits("app", 64)?).or_default().budget = Some(budget(columns)?);
        Ok(())
    }

    /// Those of an app whose row says `probing`.
    pub(super) fn take(&mut self, app: u64, probing: Probing) -> AppLimits {
        let mut found = self.0.remove(&app).unwrap_or_default();
        found.products.sort_by_key(|(product, _)| *product);
        AppLimits { probing, ..found }
    }
}

fn budget(columns: &Columns<'_>) -> Result<Budget, DbError> {
    let currency = columns.word("currency", |word| Currency::parse(word).ok())?;
    let shares = |texts: &str| {
        let shares = texts.split(',').filter(|share| !share.is_empty());
        shares.map(|share| share.parse().ok()).collect::<Option<Vec<u8>>>()
    };
    let overrun: i64 = columns.get("overrun_percent")?;
    Ok(Budget {
        month: Money::new(columns.get("month_minor")?, currency),
        warn_at_percent: columns.word("warn_at_percent", shares)?,
        overrun_percent: overrun.try_into().map_err(|_| DbError::Damaged("overrun_percent"))?,
        hard_stop: columns.get("hard_stop")?,
    })
}

/// Replaces what an app may ask, in all and of each product.
pub(super) async fn replace(
    transaction: &Transaction<'_>,
    app: AppId,
    in_all: &Limits,
    products: &[(Product, Limits)],
) -> Result<(), Refused> {
    let app = app.as_u64().cast_signed();
    transaction.execute("DELETE FROM app_limit WHERE app = $1", params![app]).await?;
    let of_products = products.iter().map(|(product, limits)| (product.word(), limits));
    for (product, limits) in of_products.chain([(ALL, in_all)]).filter(|(_, limits)| limits.is_set()) {
        let (per_second, burst) = columns(limits.rate);
        let sql = "INSERT INTO app_limit (app, product, rate_per_second, rate_burst, per_day, per_month)
                   VALUES ($1, $2, $3, $4, $5, $6)";
        let (per_day, per_month) = (stored(limits.per_day), stored(limits.per_month));
        transaction.execute(sql, params![app, product, per_second, burst, per_day, per_month]).await?;
    }
    Ok(())
}

/// Replaces what an app may spend.
pub(super) async fn replace_budget(
    transaction: &Transaction<'_>,
    app: AppId,
    budget: Option<&Budget>,
) -> Result<(), Refused> {
    let app = app.as_u64().cast_signed();
    transaction.execute("DELETE FROM app_budget WHERE app = $1", params![app]).await?;
    if let Some(budget) = budget {
        let shares: Vec<String> = budget.warn_at_percent.iter().map(u8::to_string).collect();
        let sql = "INSERT INTO app_budget (app, month_minor, currency, warn_at_percent, overrun_percent, hard_stop)
                   VALUES ($1, $2, $3, $4, $5, $6)";
        let (month, overrun) = (budget.month, i64::from(budget.overrun_percent));
        let (currency, shares) = (month.currency.as_str().to_owned(), shares.join(","));
        let row = params![app, month.minor, currency, shares, overrun, budget.hard_stop];
        transaction.execute(sql, row).await?;
    }
    Ok(())
}

/// Replaces what happens to an app that seems to walk through the numbers.
pub(super) async fn replace_probing(
    transaction: &Transaction<'_>,
    app: AppId,
    probing: Probing,
) -> Result<(), Refused> {
    let (per_second, burst) = columns(match probing {
        Probing::Flag => None,
        Probing::Slow(rate) => Some(rate),
    });
    let sql = "UPDATE app SET probing_rate_per_second = $2, probing_rate_burst = $3 WHERE id = $1";
    transaction.execute(sql, params![app.as_u64().cast_signed(), per_second, burst]).await?;
    Ok(())
}

/// A rate as its two columns.
pub(super) fn columns(rate: Option<Rate>) -> (Option<i64>, Option<i64>) {
    rate.map(|rate| (i64::from(rate.per_second.get()), i64::from(rate.burst.get()))).unzip()
}

/// A count as its column.
pub(super) fn stored(count: Option<u64>) -> Option<i64> {
    count.map(u64::cast_signed)
}
