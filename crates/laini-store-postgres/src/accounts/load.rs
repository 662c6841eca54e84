//! Reading: whole tables at one moment, put together here.

use std::collections::HashMap;

use laini_core::access::{AddressRules, ConsumerKey, SecretHash};
use laini_core::billing::{Band, Currency, FreeUnits, Price};
use laini_core::disclosure::{Window, Windows};
use laini_core::partner::{
    Agreement, AgreementId, App, AppId, AppProfile, AppStatus, Environment, OperatorKey, OperatorKeyId, OperatorScopes,
    Partner, PartnerId, PartnerStatus, Product, ProductSet, Purpose, ResultAddress, ResultAddressId,
};
use laini_core::store::{AccountBook, AuditEntry};
use tokio_postgres::Row;

use super::limits;
use crate::columns::Columns;
use crate::database::{Link, Transaction, params};
use crate::error::DbError;

pub(super) async fn book(transaction: &Transaction<'_>) -> Result<AccountBook, DbError> {
    let version = transaction.query_opt("SELECT version FROM accounts_meta", &[]).await?;
    let version = Columns(&version.ok_or(DbError::Damaged("accounts_meta"))?).bits("version", 63)?;
    Ok(AccountBook {
        version,
        partners: all(transaction, "SELECT * FROM partner ORDER BY name", partner).await?,
        agreements: agreements(transaction).await?,
        apps: apps(transaction).await?,
        result_addresses: all(transaction, "SELECT * FROM result_address ORDER BY app, url", result_address).await?,
        operator_keys: all(transaction, "SELECT * FROM operator_key ORDER BY created, id", operator_key).await?,
    })
}

async fn all<T>(
    transaction: &Transaction<'_>,
    sql: &str,
    read: impl Fn(&Columns<'_>) -> Result<T, DbError>,
) -> Result<Vec<T>, DbError> {
    let rows = transaction.query(sql, &[]).await?;
    rows.iter().map(|row| read(&Columns(row))).collect()
}

/// The rows of a table by what they belong to.
async fn grouped<K: std::hash::Hash + Eq, T>(
    transaction: &Transaction<'_>,
    sql: &str,
    read: impl Fn(&Columns<'_>) -> Result<(K, T), DbError>,
) -> Result<HashMap<K, Vec<T>>, DbError> {
    let mut groups: HashMap<K, Vec<T>> = HashMap::new();
    for (key, one) in all(transaction, sql, read).await? {
        groups.entry(key).or_default().push(one);
    }
    Ok(groups)
}

fn partner(columns: &Columns<'_>) -> Result<Partner, DbError> {
    Ok(Partner {
        id: PartnerId::from_stored(columns.bits("id", 64)?),
        name: columns.get("name")?,
        status: columns.word("status", |word| PartnerStatus::parse(word).ok())?,
        limits: limits::limits(columns)?,
    })
}

/// The agreement in force of each partner: the one with the latest start.
async fn agreements(transaction: &Transaction<'_>) -> Result<Vec<Agreement>, DbError> {
    let bands = "SELECT * FROM price_band ORDER BY agreement, product, place";
    let mut bands = grouped(transaction, bands, |columns| {
        let of = (columns.bits("agreement", 64)?, columns.word("product", |word| Product::parse(word).ok())?);
        let up_to = columns.optional_bits("up_to", 64)?;
        Ok((of, Band { up_to, unit_minor: columns.get("unit_minor")? }))
    })
    .await?;
    let mut prices: HashMap<u64, Vec<(Product, Price)>> = HashMap::new();
    for row in transaction.query("SELECT * FROM agreement_price", &[]).await? {
        let columns = Columns(&row);
        let agreement = columns.bits("agreement", 64)?;
        let product = columns.word("product", |word| Product::parse(word).ok())?;
        let price = price(&columns, bands.remove(&(agreement, product)).unwrap_or_default())?;
        prices.entry(agreement).or_default().push((product, price));
    }
    let in_force = "SELECT DISTINCT ON (partner) * FROM agreement ORDER BY partner, valid_from DESC, id DESC";
    let mut agreements = Vec::new();
    for row in transaction.query(in_force, &[]).await? {
        let columns = Columns(&row);
        let id = columns.bits("id", 64)?;
        let mut prices = prices.remove(&id).unwrap_or_default();
        prices.sort_by_key(|(product, _)| *product);
        let window = |column| {
            let months = u8::try_from(columns.get::<i64>(column)?).map_err(|_| DbError::Damaged(column))?;
            Window::months(months.into()).map_err(|_| DbError::Damaged(column))
        };
        agreements.push(Agreement {
            id: AgreementId::from_stored(id),
            partner: PartnerId::from_stored(columns.bits("partner", 64)?),
            windows: Windows { swap: window("swap_months")?, registration: window("registration_months")? },
            prices,
            pass_hashed_imsi: columns.get("pass_hashed_imsi")?,
            purposes: columns.word("purposes", |words| Purpose::parse_list(words).ok())?,
            exact_times: columns.get("exact_times")?,
        });
    }
    Ok(agreements)
}

fn price(columns: &Columns<'_>, bands: Vec<Band>) -> Result<Price, DbError> {
    let units = columns.bits("free_units", 64)?;
    let price = Price {
        version: columns.small("version")?,
        currency: columns.word("currency", |word| Currency::parse(word).ok())?,
        set_up_minor: columns.get("set_up_minor")?,
        free: if columns.get("free_per_month")? { FreeUnits::PerMonth(units) } else { FreeUnits::Once(units) },
        bands,
        monthly_minimum_minor: columns.get("monthly_minimum_minor")?,
    };
    price.check().map_err(|_| DbError::Damaged("agreement_price"))?;
    Ok(price)
}

async fn apps(transaction: &Transaction<'_>) -> Result<Vec<App>, DbError> {
    let secrets = "SELECT app, hash FROM app_secret ORDER BY app, place";
    let mut secrets =
        grouped(transaction, secrets, |columns| Ok((columns.bits("app", 64)?, SecretHash(columns.bytes("hash")?))))
            .await?;
    let mut limits = limits::Limited::load(transaction).await?;
    let mut apps = Vec::new();
    for row in transaction.query("SELECT * FROM app ORDER BY partner, name", &[]).await? {
        let columns = Columns(&row);
        let id = columns.bits("id", 64)?;
        apps.push(App {
            id: AppId::from_stored(id),
            partner: PartnerId::from_stored(columns.bits("partner", 64)?),
            name: columns.get("name")?,
            environment: columns.word("environment", |word| Environment::parse(word).ok())?,
            products: columns.word("products", |words| ProductSet::parse(words).ok())?,
            status: columns.word("status", |word| AppStatus::parse(word).ok())?,
            token_epoch: columns.small("token_epoch")?,
            consumer_key: columns.word("consumer_key", |text| ConsumerKey::parse(text).ok())?,
            secrets: secrets.remove(&id).unwrap_or_default(),
            profile: AppProfile {
                sentinel_with_time: columns.get("sentinel_with_time")?,
                single_token: columns.get("single_token")?,
            },
            purpose: columns.word("purpose", |word| Purpose::parse(word).ok())?,
            client_certificate: columns.optional_bytes("client_certificate")?,
            limits: limits.of(id, limits::probing(&columns)?),
            allowed_addresses: columns.word("allowed_addresses", |texts| {
                AddressRules::parse(texts.split(',').filter(|text| !text.is_empty())).ok()
            })?,
        });
    }
    Ok(apps)
}

fn result_address(columns: &Columns<'_>) -> Result<ResultAddress, DbError> {
    Ok(ResultAddress {
        id: ResultAddressId::from_stored(columns.bits("id", 64)?),
        app: AppId::from_stored(columns.bits("app", 64)?),
        url: columns.get("url")?,
        proven: columns.optional_instant("proven")?,
        secret_generation: columns.small("secret_generation")?,
        previous_until: columns.optional_instant("previous_until")?,
    })
}

fn operator_key(columns: &Columns<'_>) -> Result<OperatorKey, DbError> {
    Ok(OperatorKey {
        id: OperatorKeyId::from_stored(columns.bits("id", 64)?),
        name: columns.get("name")?,
        scopes: columns.word("scopes", |words| OperatorScopes::parse(words).ok())?,
        hash: SecretHash(columns.bytes("hash")?),
        created: columns.instant("created")?,
        expires: columns.instant("expires")?,
        is_revoked: columns.get("is_revoked")?,
    })
}

pub(super) async fn audits(link: &Link, limit: i64) -> Result<Vec<AuditEntry>, DbError> {
    let sql = "SELECT at, actor, action, target, reason FROM audit ORDER BY number DESC LIMIT $1";
    let read = |row: &Row| {
        let columns = Columns(row);
        Ok(AuditEntry {
            at: columns.instant("at")?,
            actor: columns.get("actor")?,
            action: columns.get("action")?,
            target: columns.get("target")?,
            reason: columns.get("reason")?,
        })
    };
    link.query(sql, params![limit]).await?.iter().map(read).collect()
}
