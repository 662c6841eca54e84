//! Reading, inside the transaction of its caller, so that everything is of one version.

use std::collections::HashMap;
use std::fmt::Display;

use jiff::Timestamp;
use laini_core::access::{AddressRules, ConsumerKey};
use laini_core::billing::{Band, Currency, FreeUnits, Price};
use laini_core::disclosure::{Window, Windows};
use laini_core::partner::{
    Agreement, AgreementId, App, AppId, AppProfile, AppStatus, Environment, Partner, PartnerId, PartnerStatus, Prepaid,
    Product, ProductSet, Purpose,
};
use laini_core::store::{AccountBook, AuditEntry};
use rusqlite::types::FromSqlError;
use rusqlite::{Row, Transaction};

use super::{app_secrets, limits, operator_keys, result_addresses};

pub(super) fn version(transaction: &Transaction<'_>) -> rusqlite::Result<u64> {
    transaction.prepare_cached("SELECT version FROM meta")?.query_row([], |row| unsigned(row, 0))
}

pub(super) fn book(transaction: &Transaction<'_>) -> rusqlite::Result<AccountBook> {
    Ok(AccountBook {
        version: version(transaction)?,
        partners: partners(transaction)?,
        agreements: agreements(transaction)?,
        apps: apps(transaction)?,
        result_addresses: result_addresses::all(transaction)?,
        operator_keys: operator_keys::all(transaction)?,
    })
}

fn partners(transaction: &Transaction<'_>) -> rusqlite::Result<Vec<Partner>> {
    let mut statement = transaction.prepare_cached(
        "SELECT id, name, status, rate_per_second, rate_burst, per_day, per_month, prepaid_from, prepaid_minor
         FROM partner ORDER BY name",
    )?;
    let partners = statement.query_map([], |row| {
        Ok(Partner {
            id: PartnerId::from_stored(unsigned(row, 0)?),
            name: row.get(1)?,
            status: parsed(PartnerStatus::parse(row.get_ref(2)?.as_str()?))?,
            limits: limits::limits(row, 3)?,
            prepaid: prepaid(row.get(7)?, row.get(8)?)?,
        })
    })?;
    partners.collect()
}

fn prepaid(from: Option<i64>, paid_minor: Option<i64>) -> rusqlite::Result<Option<Prepaid>> {
    let Some((from, paid_minor)) = from.zip(paid_minor) else { return Ok(None) };
    Ok(Some(Prepaid { from: parsed(Timestamp::from_microsecond(from))?, paid_minor }))
}

/// Every agreement, those that are over or to come too.
fn agreements(transaction: &Transaction<'_>) -> rusqlite::Result<Vec<Agreement>> {
    let mut statement = transaction.prepare_cached(
        "SELECT id, partner, swap_months, registration_months, pass_hashed_imsi, purposes, exact_times, valid_from,
             valid_until
         FROM agreement ORDER BY partner, valid_from, id",
    )?;
    let mut prices = prices(transaction)?;
    let mut rows = statement.query([])?;
    let mut agreements = Vec::new();
    while let Some(row) = rows.next()? {
        let agreement = unsigned(row, 0)?;
        agreements.push(Agreement {
            id: AgreementId::from_stored(agreement),
            partner: PartnerId::from_stored(unsigned(row, 1)?),
            valid_from: instant(row.get(7)?)?,
            valid_until: row.get::<_, Option<i64>>(8)?.map(instant).transpose()?,
            windows: Windows {
                swap: parsed(Window::months(row.get(2)?))?,
                registration: parsed(Window::months(row.get(3)?))?,
            },
            prices: prices.remove(&agreement).unwrap_or_default(),
            pass_hashed_imsi: row.get(4)?,
            purposes: parsed(Purpose::parse_list(row.get_ref(5)?.as_str()?))?,
            exact_times: row.get(6)?,
        });
    }
    Ok(agreements)
}

/// The prices of each agreement, in the products' own order.
fn prices(transaction: &Transaction<'_>) -> rusqlite::Result<HashMap<u64, Vec<(Product, Price)>>> {
    let mut statement = transaction.prepare_cached(
        "SELECT agreement, product, version, currency, set_up_minor, free_units, free_per_month, monthly_minimum_minor
         FROM agreement_price",
    )?;
    let mut bands = bands(transaction)?;
    let mut rows = statement.query([])?;
    let mut prices: HashMap<u64, Vec<(Product, Price)>> = HashMap::new();
    while let Some(row) = rows.next()? {
        let agreement = unsigned(row, 0)?;
        let product = parsed(Product::parse(row.get_ref(1)?.as_str()?))?;
        let (units, per_month) = (unsigned(row, 5)?, row.get::<_, bool>(6)?);
        let price = Price {
            version: row.get(2)?,
            currency: parsed(Currency::parse(row.get_ref(3)?.as_str()?))?,
            set_up_minor: row.get(4)?,
            free: if per_month { FreeUnits::PerMonth(units) } else { FreeUnits::Once(units) },
            bands: bands.remove(&(agreement, product)).unwrap_or_default(),
            monthly_minimum_minor: row.get(7)?,
        };
        parsed(price.check())?;
        prices.entry(agreement).or_default().push((product, price));
    }
    for prices in prices.values_mut() {
        prices.sort_by_key(|(product, _)| *product);
    }
    Ok(prices)
}

fn bands(transaction: &Transaction<'_>) -> rusqlite::Result<HashMap<(u64, Product), Vec<Band>>> {
    let sql = "SELECT agreement, product, up_to, unit_minor FROM price_band ORDER BY place";
    let mut statement = transaction.prepare_cached(sql)?;
    let mut rows = statement.query([])?;
    let mut bands: HashMap<(u64, Product), Vec<Band>> = HashMap::new();
    while let Some(row) = rows.next()? {
        let of = (unsigned(row, 0)?, parsed(Product::parse(row.get_ref(1)?.as_str()?))?);
        let up_to: Option<i64> = row.get(2)?;
        bands.entry(of).or_default().push(Band { up_to: up_to.map(i64::cast_unsigned), unit_minor: row.get(3)? });
    }
    Ok(bands)
}

fn apps(transaction: &Transaction<'_>) -> rusqlite::Result<Vec<App>> {
    let mut statement = transaction.prepare_cached(
        "SELECT id, partner, name, environment, products, status, token_epoch, consumer_key, sentinel_with_time,
             single_token, purpose, client_certificate, probing_rate_per_second, probing_rate_burst,
             allowed_addresses
         FROM app ORDER BY partner, name",
    )?;
    let mut rows = statement.query([])?;
    let mut apps = Vec::new();
    while let Some(row) = rows.next()? {
        let app = unsigned(row, 0)?;
        apps.push(App {
            id: AppId::from_stored(app),
            partner: PartnerId::from_stored(unsigned(row, 1)?),
            name: row.get(2)?,
            environment: parsed(Environment::parse(row.get_ref(3)?.as_str()?))?,
            products: parsed(ProductSet::parse(row.get_ref(4)?.as_str()?))?,
            status: parsed(AppStatus::parse(row.get_ref(5)?.as_str()?))?,
            token_epoch: row.get(6)?,
            consumer_key: parsed(ConsumerKey::parse(row.get_ref(7)?.as_str()?))?,
            secrets: app_secrets::of_app(transaction, app)?,
            profile: AppProfile { sentinel_with_time: row.get(8)?, single_token: row.get(9)? },
            purpose: parsed(Purpose::parse(row.get_ref(10)?.as_str()?))?,
            client_certificate: row.get(11)?,
            limits: limits::of_app(transaction, app, limits::probing(row, 12)?)?,
            allowed_addresses: addresses(row.get_ref(14)?.as_str()?)?,
        });
    }
    Ok(apps)
}

fn addresses(texts: &str) -> rusqlite::Result<AddressRules> {
    parsed(AddressRules::parse(texts.split(',').filter(|text| !text.is_empty())))
}

pub(super) fn audits(transaction: &Transaction<'_>, limit: usize) -> rusqlite::Result<Vec<AuditEntry>> {
    let sql = "SELECT at, actor, action, target, reason, partner FROM audit ORDER BY number DESC LIMIT ?1";
    let mut statement = transaction.prepare_cached(sql)?;
    let entries = statement.query_map([limit.cast_signed()], |row| audit(row, 0))?;
    entries.collect()
}

/// Reads `at, actor, action, target, reason, partner` from column `first` on.
pub(super) fn audit(row: &Row<'_>, first: usize) -> rusqlite::Result<AuditEntry> {
    let partner: Option<i64> = row.get(first + 5)?;
    Ok(AuditEntry {
        at: instant(row.get(first)?)?,
        actor: row.get(first + 1)?,
        action: row.get(first + 2)?,
        target: row.get(first + 3)?,
        reason: row.get(first + 4)?,
        partner: partner.map(|partner| PartnerId::from_stored(partner.cast_unsigned())),
    })
}

pub(super) fn instant(microsecond: i64) -> rusqlite::Result<Timestamp> {
    parsed(Timestamp::from_microsecond(microsecond))
}

pub(super) fn unsigned(row: &Row<'_>, column: usize) -> rusqlite::Result<u64> {
    row.get::<_, i64>(column).map(i64::cast_unsigned)
}

/// A value that does not parse was not written by this program.
pub(super) fn parsed<T, E: Display>(value: Result<T, E>) -> rusqlite::Result<T> {
    value.map_err(|error| damaged(&error.to_string()))
}

/// What is said of a value that was not written by this program.
pub(super) fn damaged(why: &str) -> rusqlite::Error {
    FromSqlError::Other(why.into()).into()
}
