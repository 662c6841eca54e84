//! New rows, each inside the transaction of its caller.

use jiff::Timestamp;
use laini_core::billing::{FreeUnits, Price};
use laini_core::partner::{
    Agreement, AgreementId, App, AppId, AppLimits, OperatorKey, Partner, Product, Purpose, ResultAddress,
};
use laini_core::store::{AccountsError, AuditEntry};
use tokio_postgres::error::SqlState;

use super::{Refused, app_secrets, limits};
use crate::columns::Columns;
use crate::database::{Stop, Transaction, params};
use crate::error::DbError;

pub(super) async fn insert_partner(transaction: &Transaction<'_>, partner: &Partner) -> Result<(), Refused> {
    let (per_second, burst) = limits::columns(partner.limits.rate);
    let (per_day, per_month) = (limits::stored(partner.limits.per_day), limits::stored(partner.limits.per_month));
    let sql = "INSERT INTO partner (id, name, status, rate_per_second, rate_burst, per_day, per_month, prepaid_from,
                   prepaid_minor)
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
    let (id, status) = (partner.id.as_u64().cast_signed(), partner.status.word());
    let prepaid_from = partner.prepaid.map(|prepaid| prepaid.from.as_microsecond());
    let prepaid_minor = partner.prepaid.map(|prepaid| prepaid.paid_minor);
    let row = params![id, partner.name, status, per_second, burst, per_day, per_month, prepaid_from, prepaid_minor];
    let inserted = transaction.execute(sql, row).await;
    explained(inserted, &format!("a partner named {:?}", partner.name), "the partner")
}

/// Others that begin so soon after an agreement's date begin at the same date: it takes over from them too.
const SAME_DATE_US: i64 = 1_000;

/// Adds an agreement that begins on its date, or `now`: after every other of its partner that began when it was
/// added, even where the clock went back since.
pub(super) async fn insert_agreement(
    transaction: &Transaction<'_>,
    agreement: &Agreement,
    now: Timestamp,
) -> Result<(), Refused> {
    let sql = "INSERT INTO agreement (id, partner, valid_from, swap_months, registration_months, pass_hashed_imsi,
                   purposes, exact_times, valid_until, is_dated)
               SELECT $1, $2, greatest($3, coalesce(max(valid_from) + 1, $3)), $4, $5, $6, $7, $8, $9, $10
               FROM agreement WHERE partner = $2 AND (valid_from <= $3 + $11 OR NOT is_dated)";
    let purposes: Vec<&str> = agreement.purposes.iter().map(|purpose| Purpose::word(*purpose)).collect();
    let (id, partner) = (agreement.id.as_u64().cast_signed(), agreement.partner.as_u64().cast_signed());
    let (swap, registration) = (agreement.windows.swap.as_months(), agreement.windows.registration.as_months());
    let (from, is_dated) = (agreement.valid_from.max(now).as_microsecond(), agreement.valid_from > now);
    let (until, purposes) = (agreement.valid_until.map(Timestamp::as_microsecond), purposes.join(","));
    let (swap, registration) = (i64::from(swap), i64::from(registration));
    let (pass, exact) = (agreement.pass_hashed_imsi, agreement.exact_times);
    let row = params![id, partner, from, swap, registration, pass, purposes, exact, until, is_dated, SAME_DATE_US];
    let inserted = transaction.execute(sql, row).await;
    let taken = format!("agreement {}, or a price in it,", agreement.id);
    let missing = format!("partner {}", agreement.partner);
    explained(inserted, &taken, &missing)?;
    for (product, price) in &agreement.prices {
        let inserted = insert_price(transaction, agreement.id, *product, price).await;
        explained(inserted, &taken, &missing)?;
    }
    Ok(())
}

async fn insert_price(
    transaction: &Transaction<'_>,
    agreement: AgreementId,
    product: Product,
    price: &Price,
) -> Result<u64, DbError> {
    let (free_units, free_per_month) = match price.free {
        FreeUnits::Once(units) => (units, false),
        FreeUnits::PerMonth(units) => (units, true),
    };
    let sql = "INSERT INTO agreement_price (agreement, product, version, currency, set_up_minor, free_units,
                   free_per_month, monthly_minimum_minor)
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
    let (agreement, product) = (agreement.as_u64().cast_signed(), product.word());
    let (version, currency, free_units) =
        (i64::from(price.version), price.currency.as_str().to_owned(), free_units.cast_signed());
    let (set_up, minimum) = (price.set_up_minor, price.monthly_minimum_minor);
    let row = params![agreement, product, version, currency, set_up, free_units, free_per_month, minimum];
    let mut inserted = transaction.execute(sql, row).await?;
    for (place, band) in (0i64..).zip(&price.bands) {
        let up_to = band.up_to.map(u64::cast_signed);
        let sql = "INSERT INTO price_band (agreement, product, place, up_to, unit_minor) VALUES ($1, $2, $3, $4, $5)";
        inserted += transaction.execute(sql, params![agreement, product, place, up_to, band.unit_minor]).await?;
    }
    Ok(inserted)
}

pub(super) async fn insert_app(transaction: &Transaction<'_>, app: &App) -> Result<(), Refused> {
    let sql = "INSERT INTO app (id, partner, name, environment, products, status, token_epoch, consumer_key,
                   sentinel_with_time, single_token, purpose, client_certificate, allowed_addresses)
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)";
    let (id, partner, epoch) =
        (app.id.as_u64().cast_signed(), app.partner.as_u64().cast_signed(), i64::from(app.token_epoch));
    let (environment, status, purpose) = (app.environment.word(), app.status.word(), app.purpose.word());
    let (products, addresses) = (app.products.to_string(), app.allowed_addresses.to_string());
    let certificate = app.client_certificate.as_ref().map(<[u8; 32]>::as_slice);
    let (key, sentinel, single) = (app.consumer_key.as_str(), app.profile.sentinel_with_time, app.profile.single_token);
    let row = params![
        id,
        partner,
        app.name,
        environment,
        products,
        status,
        epoch,
        key,
        sentinel,
        single,
        purpose,
        certificate,
        addresses,
    ];
    let inserted = transaction.execute(sql, row).await;
    let taken = format!("an app named {:?} of this partner, or its consumer key,", app.name);
    explained(inserted, &taken, &format!("partner {}", app.partner))?;
    let AppLimits { in_all, products, budget, probing } = &app.limits;
    limits::replace(transaction, app.id, in_all, products).await?;
    limits::replace_budget(transaction, app.id, budget.as_ref()).await?;
    limits::replace_probing(transaction, app.id, *probing).await?;
    for secret in &app.secrets {
        app_secrets::insert(transaction, app.id, secret).await?;
    }
    Ok(())
}

pub(super) async fn revoke_app(transaction: &Transaction<'_>, app: AppId) -> Result<(), Refused> {
    let sql = "UPDATE app SET status = 'revoked' WHERE id = $1";
    let changed = transaction.execute(sql, params![app.as_u64().cast_signed()]).await;
    changed_one(changed, || format!("app {app}"))
}

pub(super) async fn next_token_epoch(transaction: &Transaction<'_>, app: AppId) -> Result<u32, Refused> {
    let sql = "UPDATE app SET token_epoch = token_epoch + 1 WHERE id = $1 RETURNING token_epoch";
    let row = transaction.query_opt(sql, params![app.as_u64().cast_signed()]).await?;
    let row = row.ok_or_else(|| unknown_app(app))?;
    Ok(Columns(&row).small("token_epoch")?)
}

pub(super) async fn insert_result_address(
    transaction: &Transaction<'_>,
    address: &ResultAddress,
) -> Result<(), Refused> {
    let sql = "INSERT INTO result_address (id, app, url, proven, secret_generation, previous_until)
               VALUES ($1, $2, $3, $4, $5, $6)";
    let (id, app) = (address.id.as_u64().cast_signed(), address.app.as_u64().cast_signed());
    let instant = |at: Option<Timestamp>| at.map(Timestamp::as_microsecond);
    let (proven, previous) = (instant(address.proven), instant(address.previous_until));
    let generation = i64::from(address.secret_generation);
    let inserted = transaction.execute(sql, params![id, app, address.url, proven, generation, previous]).await;
    explained(inserted, "this result address of the app", &format!("app {}", address.app))
}

pub(super) async fn insert_operator_key(transaction: &Transaction<'_>, key: &OperatorKey) -> Result<(), Refused> {
    let sql = "INSERT INTO operator_key (id, name, scopes, hash, created, expires, is_revoked)
               VALUES ($1, $2, $3, $4, $5, $6, $7)";
    let (id, scopes, hash) = (key.id.as_u64().cast_signed(), key.scopes.to_string(), key.hash.0.as_slice());
    let (created, expires) = (key.created.as_microsecond(), key.expires.as_microsecond());
    let row = params![id, key.name, scopes, hash, created, expires, key.is_revoked];
    let inserted = transaction.execute(sql, row).await;
    explained(inserted, &format!("an operator key named {:?}", key.name), "the operator key")
}

pub(super) async fn insert_audit(
    transaction: &Transaction<'_>,
    number: i64,
    audit: &AuditEntry,
) -> Result<(), DbError> {
    let sql = "INSERT INTO audit (number, at, actor, action, target, reason, partner)
               VALUES ($1, $2, $3, $4, $5, $6, $7)";
    let (at, partner) = (audit.at.as_microsecond(), audit.partner.map(|partner| partner.as_u64().cast_signed()));
    let row = params![number, at, audit.actor, audit.action, audit.target, audit.reason, partner];
    transaction.execute(sql, row).await.map(drop)
}

/// What a change of one row says where there is no such row.
pub(super) fn changed_one(changed: Result<u64, DbError>, what: impl Fn() -> String) -> Result<(), Refused> {
    if changed? == 1 { Ok(()) } else { Err(Stop::Rule(AccountsError::NotFound(what()))) }
}

pub(super) fn unknown_app(app: AppId) -> Refused {
    Stop::Rule(AccountsError::NotFound(format!("app {app}")))
}

/// Tells a name that is taken, and a thing that is missing, from a database that failed.
pub(super) fn explained(written: Result<u64, DbError>, taken: &str, missing: &str) -> Result<(), Refused> {
    match written {
        Ok(_) => Ok(()),
        Err(error) if error.is_duplicate() => Err(Stop::Rule(AccountsError::Exists(taken.to_owned()))),
        Err(DbError::Refused { state, .. }) if state == SqlState::FOREIGN_KEY_VIOLATION => {
            Err(Stop::Rule(AccountsError::NotFound(missing.to_owned())))
        }
        Err(error) => Err(error.into()),
    }
}
