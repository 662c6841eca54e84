//! Limits and budgets, on their way in and out of their tables.

use std::num::NonZeroU32;

use laini_core::billing::{Currency, Money};
use laini_core::partner::{AppId, AppLimits, Budget, Limits, Probing, Product, Rate};
use rusqlite::{OptionalExtension as _, Row, Transaction, params};

use super::load::{damaged, parsed};

/// What `app_limit.product` says of the limits of all products together.
const ALL: &str = "all";

/// Reads `rate_per_second, rate_burst, per_day, per_month` from column `first` on.
pub(super) fn limits(row: &Row<'_>, first: usize) -> rusqlite::Result<Limits> {
    let count = |column| row.get::<_, Option<i64>>(column).map(|count| count.map(i64::cast_unsigned));
    Ok(Limits { rate: rate(row, first)?, per_day: count(first + 2)?, per_month: count(first + 3)? })
}

/// Reads a rate and its burst, or neither.
fn rate(row: &Row<'_>, first: usize) -> rusqlite::Result<Option<Rate>> {
    let number = |column| -> rusqlite::Result<Option<NonZeroU32>> {
        let stored: Option<u32> = row.get(column)?;
        stored.map(|number| NonZeroU32::new(number).ok_or_else(|| damaged("a rate of nothing"))).transpose()
    };
    match (number(first)?, number(first + 1)?) {
        (Some(per_second), Some(burst)) => Ok(Some(Rate { per_second, burst })),
        (None, None) => Ok(None),
        _ => Err(damaged("half a rate")),
    }
}

/// Reads `probing_rate_per_second, probing_rate_burst`.
pub(super) fn probing(row: &Row<'_>, first: usize) -> rusqlite::Result<Probing> {
    Ok(rate(row, first)?.map_or(Probing::Flag, Probing::Slow))
}

/// The limits of an app whose row says `probing`.
pub(super) fn of_app(transaction: &Transaction<'_>, app: u64, probing: Probing) -> rusqlite::Result<AppLimits> {
    let sql = "SELECT product, rate_per_second, rate_burst, per_day, per_month FROM app_limit WHERE app = ?1";
    let mut statement = transaction.prepare_cached(sql)?;
    let mut rows = statement.query([app.cast_signed()])?;
    let mut found = AppLimits { budget: budget(transaction, app)?, probing, ..AppLimits::default() };
    while let Some(row) = rows.next()? {
        let limits = limits(row, 1)?;
        match row.get_ref(0)?.as_str()? {
            ALL => found.in_all = limits,
            product => found.products.push((parsed(Product::parse(product))?, limits)),
        }
    }
    found.products.sort_by_key(|(product, _)| *product);
    Ok(found)
}

fn budget(transaction: &Transaction<'_>, app: u64) -> rusqlite::Result<Option<Budget>> {
    let mut statement = transaction.prepare_cached(
        "SELECT month_minor, currency, warn_at_percent, overrun_percent, hard_stop FROM app_budget WHERE app = ?1",
    )?;
    let budget = statement.query_row([app.cast_signed()], |row| {
        let shares = row.get_ref(2)?.as_str()?.split(',').filter(|share| !share.is_empty());
        Ok(Budget {
            month: Money::new(row.get(0)?, parsed(Currency::parse(row.get_ref(1)?.as_str()?))?),
            warn_at_percent: parsed(shares.map(str::parse).collect::<Result<_, _>>())?,
            overrun_percent: row.get(3)?,
            hard_stop: row.get(4)?,
        })
    });
    budget.optional()
}

/// Replaces what an app may ask, in all and of each product.
pub(super) fn replace(
    transaction: &Transaction<'_>,
    app: AppId,
    in_all: &Limits,
    products: &[(Product, Limits)],
) -> rusqlite::Result<()> {
    let app = app.as_u64().cast_signed();
    transaction.execute("DELETE FROM app_limit WHERE app = ?1", [app])?;
    let of_products = products.iter().map(|(product, limits)| (product.word(), limits));
    for (product, limits) in of_products.chain([(ALL, in_all)]).filter(|(_, limits)| limits.is_set()) {
        let (per_second, burst) = columns(limits.rate);
        transaction.execute(
            "INSERT INTO app_limit (app, product, rate_per_second, rate_burst, per_day, per_month)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            params![app, product, per_second, burst, stored(limits.per_day), stored(limits.per_month)],
        )?;
    }
    Ok(())
}

/// Replaces what an app may spend.
pub(super) fn replace_budget(
    transaction: &Transaction<'_>,
    app: AppId,
    budget: Option<&Budget>,
) -> rusqlite::Result<()> {
    let app = app.as_u64().cast_signed();
    transaction.execute("DELETE FROM app_budget WHERE app = ?1", [app])?;
    if let Some(budget) = budget {
        let shares: Vec<String> = budget.warn_at_percent.iter().map(u8::to_string).collect();
        transaction.execute(
            "INSERT INTO app_budget (app, month_minor, currency, warn_at_percent, overrun_percent, hard_stop)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            params![
                app,
                budget.month.minor,
                budget.month.currency.as_str(),
                shares.join(","),
                budget.overrun_percent,
                budget.hard_stop,
            ],
        )?;
    }
    Ok(())
}

/// Replaces what happens to an app that seems to walk through the numbers.
pub(super) fn replace_probing(transaction: &Transaction<'_>, app: AppId, probing: Probing) -> rusqlite::Result<()> {
    let (per_second, burst) = columns(match probing {
        Probing::Flag => None,
        Probing::Slow(rate) => Some(rate),
    });
    let sql = "UPDATE app SET probing_rate_per_second = ?2, probing_rate_burst = ?3 WHERE id = ?1";
    transaction.execute(sql, params![app.as_u64().cast_signed(), per_second, burst]).map(drop)
}

/// A rate as its two columns.
pub(super) fn columns(rate: Option<Rate>) -> (Option<u32>, Option<u32>) {
    rate.map(|rate| (rate.per_second.get(), rate.burst.get())).unzip()
}

/// A count as its column.
pub(super) fn stored(count: Option<u64>) -> Option<i64> {
    count.map(u64::cast_signed)
}
