//! Reading: whole tables at one moment, put together here.

use std::collections::HashMap;
use std::hash::Hash;

use jiff::Timestamp;
use laini_core::access::{AddressRules, ConsumerKey, SecretHash};
use laini_core::billing::{Band, Currency, FreeUnits, Price};
use laini_core::disclosure::{Window, Windows};
use laini_core::partner::{
    Agreement, AgreementId, App, AppId, AppLimits, AppProfile, AppSecret, AppStatus, Environment, OperatorKey,
    OperatorKeyId, OperatorScopes, Partner, PartnerId, PartnerStatus, Prepaid, Product, ProductSet, Purpose,
    ResultAddress, ResultAddressId,
};
use laini_core::store::{AccountBook, AuditEntry};
use tokio_postgres::Row;

use super::app_secrets;
use super::limits::{self, Limited};
use crate::columns::Columns;
use crate::database::{Link, Transaction, params};
use crate::error::DbError;

/// Everything as it lies in the database at one moment.
pub(super) struct Tables {
    version: u64,
    partners: Vec<Row>,
    agreements: Vec<Row>,
    prices: Vec<Row>,
    bands: Vec<Row>,
    apps: Vec<Row>,
    secrets: Vec<Row>,
    limits: Vec<Row>,
    budgets: Vec<Row>,
    result_addresses: Vec<Row>,
    operator_keys: Vec<Row>,
}

impl Tables {
    /// Names are in the order of their bytes, whatever the language of the database.
    pub(super) async fn read(transaction: &Transaction<'_>) -> Result<Self, DbError> {
        let version = transaction.query_opt("SELECT version FROM accounts_meta", &[]).await?;
        let all = async |sql: &str| transaction.query(sql, &[]).await;
        Ok(Self {
            version: Columns(&version.ok_or(DbError::Damaged("accounts_meta"))?).bits("version", 63)?,
            partners: all("SELECT * FROM partner ORDER BY name COLLATE \"C\"").await?,
            agreements: all("SELECT * FROM agreement ORDER BY partner, valid_from, id").await?,
            prices: all("SELECT * FROM agreement_price").await?,
            bands: all("SELECT * FROM price_band ORDER BY place").await?,
            apps: all("SELECT * FROM app ORDER BY partner, name COLLATE \"C\"").await?,
            secrets: all("SELECT * FROM app_secret ORDER BY place").await?,
            limits: all("SELECT * FROM app_limit").await?,
            budgets: all("SELECT * FROM app_budget").await?,
            result_addresses: all("SELECT * FROM result_address ORDER BY app, url COLLATE \"C\"").await?,
            operator_keys: all("SELECT * FROM operator_key ORDER BY created, id").await?,
        })
    }

    /// Puts them together.
    pub(super) fn book(&self) -> Result<AccountBook, DbError> {
        Ok(AccountBook {
            version: self.version,
            partners: each(&self.partners, partner)?,
            agreements: self.agreements()?,
            apps: self.apps()?,
            result_addresses: each(&self.result_addresses, result_address)?,
            operator_keys: each(&self.operator_keys, operator_key)?,
        })
    }

    fn agreements(&self) -> Result<Vec<Agreement>, DbError> {
        let mut bands = grouped(&self.bands, |columns| {
            let of = (columns.bits("agreement", 64)?, columns.word("product", |word| Product::parse(word).ok())?);
            let up_to = columns.optional_bits("up_to", 64)?;
            Ok((of, Band { up_to, unit_minor: columns.get("unit_minor")? }))
        })?;
        let mut prices = grouped(&self.prices, |columns| {
            let agreement = columns.bits("agreement", 64)?;
            let product = columns.word("product", |word| Product::parse(word).ok())?;
            let price = price(columns, bands.remove(&(agreement, product)).unwrap_or_default())?;
            Ok((agreement, (product, price)))
        })?;
        each(&self.agreements, |columns| {
            let prices = prices.remove(&columns.bits("id", 64)?).unwrap_or_default();
            agreement(columns, prices)
        })
    }

    fn apps(&self) -> Result<Vec<App>, DbError> {
        let mut secrets =
            grouped(&self.secrets, |columns| Ok((columns.bits("app", 64)?, app_secrets::read(columns)?)))?;
        let mut limited = Limited::default();
        self.limits.iter().try_for_each(|row| limited.add_limits(&Columns(row)))?;
        self.budgets.iter().try_for_each(|row| limited.add_budget(&Columns(row)))?;
        each(&self.apps, |columns| {
            let id = columns.bits("id", 64)?;
            app(columns, secrets.remove(&id).unwrap_or_default(), limited.take(id, limits::probing(columns)?))
        })
    }
}

fn each<T>(rows: &[Row], mut read: impl FnMut(&Columns<'_>) -> Result<T, DbError>) -> Result<Vec<T>, DbError> {
    rows.iter().map(|row| read(&Columns(row))).collect()
}

/// Rows by what they belong to.
fn grouped<K: Hash + Eq, T>(
    rows: &[Row],
    mut read: impl FnMut(&Columns<'_>) -> Result<(K, T), DbError>,
) -> Result<HashMap<K, Vec<T>>, DbError> {
    let mut groups: HashMap<K, Vec<T>> = HashMap::new();
    for row in rows {
        let (key, one) = read(&Columns(row))?;
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
        prepaid: prepaid(columns)?,
    })
}

fn prepaid(columns: &Columns<'_>) -> Result<Option<Prepaid>, DbError> {
    let stored: (Option<i64>, Option<i64>) = (columns.get("prepaid_from")?, columns.get("prepaid_minor")?);
    let Some((from, paid_minor)) = stored.0.zip(stored.1) else { return Ok(None) };
    let from = Timestamp::from_microsecond(from).map_err(|_| DbError::Damaged("prepaid_from"))?;
    Ok(Some(Prepaid { from, paid_minor }))
}

fn agreement(columns: &Columns<'_>, mut prices: Vec<(Product, Price)>) -> Result<Agreement, DbError> {
    prices.sort_by_key(|(product, _)| *product);
    let window = |column| {
        let months = u8::try_from(columns.get::<i64>(column)?).map_err(|_| DbError::Damaged(column))?;
        Window::months(months.into()).map_err(|_| DbError::Damaged(column))
    };
    Ok(Agreement {
        id: AgreementId::from_stored(columns.bits("id", 64)?),
        partner: PartnerId::from_stored(columns.bits("partner", 64)?),
        valid_from: columns.instant("valid_from")?,
        valid_until: columns.optional_instant("valid_until")?,
        windows: Windows { swap: window("swap_months")?, registration: window("registration_months")? },
        prices,
        pass_hashed_imsi: columns.get("pass_hashed_imsi")?,
        purposes: columns.word("purposes", |words| Purpose::parse_list(words).ok())?,
        exact_times: columns.get("exact_times")?,
    })
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

fn app(columns: &Columns<'_>, secrets: Vec<AppSecret>, limits: AppLimits) -> Result<App, DbError> {
    Ok(App {
        id: AppId::from_stored(columns.bits("id", 64)?),
        partner: PartnerId::from_stored(columns.bits("partner", 64)?),
        name: columns.get("name")?,
        environment: columns.word("environment", |word| Environment::parse(word).ok())?,
        products: columns.word("products", |words| ProductSet::parse(words).ok())?,
        status: columns.word("status", |word| AppStatus::parse(word).ok())?,
        token_epoch: columns.small("token_epoch")?,
        consumer_key: columns.word("consumer_key", |text| ConsumerKey::parse(text).ok())?,
        secrets,
        profile: AppProfile {
            sentinel_with_time: columns.get("sentinel_with_time")?,
            single_token: columns.get("single_token")?,
        },
        purpose: columns.word("purpose", |word| Purpose::parse(word).ok())?,
        client_certificate: columns.optional_bytes("client_certificate")?,
        limits,
        allowed_addresses: columns.word("allowed_addresses", |texts| {
            AddressRules::parse(texts.split(',').filter(|text| !text.is_empty())).ok()
        })?,
    })
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
    let sql = "SELECT at, actor, action, target, reason, partner FROM audit ORDER BY number DESC LIMIT $1";
    link.query(sql, params![limit]).await?.iter().map(|row| audit(&Columns(row))).collect()
}

/// Reads `at, actor, action, target, reason, partner`.
pub(super) fn audit(columns: &Columns<'_>) -> Result<AuditEntry, DbError> {
    Ok(AuditEntry {
        at: columns.instant("at")?,
        actor: columns.get("actor")?,
        action: columns.get("action")?,
        target: columns.get("target")?,
        reason: columns.get("reason")?,
        partner: columns.optional_bits("partner", 63)?.map(PartnerId::from_stored),
    })
}
