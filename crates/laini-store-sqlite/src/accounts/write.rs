//! Changes, each inside the transaction of its caller.

use jiff::Timestamp;
use laini_core::billing::{FreeUnits, Price};
use laini_core::partner::{Agreement, AgreementId, App, AppId, AppStatus, Partner, Product};
use laini_core::store::{AccountsError, AuditEntry};
use rusqlite::{OptionalExtension, Transaction, ffi, params};

use super::engine;

pub(super) fn insert_partner(transaction: &Transaction<'_>, partner: &Partner) -> Result<(), AccountsError> {
    let values = params![partner.id.as_u64().cast_signed(), partner.name];
    let inserted = transaction.execute("INSERT INTO partner (id, name) VALUES (?1, ?2)", values);
    inserted.map(drop).map_err(|error| explain(error, &format!("a partner named {:?}", partner.name), "the partner"))
}

pub(super) fn insert_agreement(
    transaction: &Transaction<'_>,
    agreement: &Agreement,
    valid_from: Timestamp,
) -> Result<(), AccountsError> {
    let insert = || -> rusqlite::Result<()> {
        transaction.execute(
            "INSERT INTO agreement (id, partner, valid_from, swap_months, registration_months, pass_hashed_imsi)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            params![
                agreement.id.as_u64().cast_signed(),
                agreement.partner.as_u64().cast_signed(),
                valid_from.as_microsecond(),
                agreement.windows.swap.as_months(),
                agreement.windows.registration.as_months(),
                agreement.pass_hashed_imsi,
            ],
        )?;
        agreement
            .prices
            .iter()
            .try_for_each(|(product, price)| insert_price(transaction, agreement.id, *product, price))
    };
    let taken = format!("agreement {}, or a price in it,", agreement.id);
    insert().map_err(|error| explain(error, &taken, &format!("partner {}", agreement.partner)))
}

fn insert_price(
    transaction: &Transaction<'_>,
    agreement: AgreementId,
    product: Product,
    price: &Price,
) -> rusqlite::Result<()> {
    let (free_units, free_per_month) = match price.free {
        FreeUnits::Once(units) => (units, false),
        FreeUnits::PerMonth(units) => (units, true),
    };
    transaction.execute(
        "INSERT INTO agreement_price (agreement, product, version, currency, set_up_minor, free_units,
             free_per_month, monthly_minimum_minor)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        params![
            agreement.as_u64().cast_signed(),
            product.word(),
            price.version,
            price.currency.as_str(),
            price.set_up_minor,
            free_units.cast_signed(),
            free_per_month,
            price.monthly_minimum_minor,
        ],
    )?;
    for (place, band) in price.bands.iter().enumerate() {
        let up_to = band.up_to.map(u64::cast_signed);
        transaction.execute(
            "INSERT INTO price_band (agreement, product, place, up_to, unit_minor) VALUES (?1, ?2, ?3, ?4, ?5)",
            params![agreement.as_u64().cast_signed(), product.word(), place.cast_signed(), up_to, band.unit_minor],
        )?;
    }
    Ok(())
}

pub(super) fn insert_app(transaction: &Transaction<'_>, app: &App) -> Result<(), AccountsError> {
    let insert = || -> rusqlite::Result<()> {
        transaction.execute(
            "INSERT INTO app (id, partner, name, environment, products, is_revoked, token_epoch, consumer_key,
                 sentinel_with_time, single_token)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
            params![
                app.id.as_u64().cast_signed(),
                app.partner.as_u64().cast_signed(),
                app.name,
                app.environment.word(),
                app.products.to_string(),
                app.status == AppStatus::Revoked,
                app.token_epoch,
                app.consumer_key.as_str(),
                app.profile.sentinel_with_time,
                app.profile.single_token,
            ],
        )?;
        for (place, secret) in app.secrets.iter().enumerate() {
            transaction.execute(
                "INSERT INTO app_secret (app, place, hash) VALUES (?1, ?2, ?3)",
                params![app.id.as_u64().cast_signed(), place.cast_signed(), secret.0.as_slice()],
            )?;
        }
        Ok(())
    };
    let taken = format!("an app named {:?} of this partner, or its consumer key,", app.name);
    insert().map_err(|error| explain(error, &taken, &format!("partner {}", app.partner)))
}

pub(super) fn revoke_app(transaction: &Transaction<'_>, app: AppId) -> Result<(), AccountsError> {
    let sql = "UPDATE app SET is_revoked = 1 WHERE id = ?1";
    let changed = transaction.execute(sql, [app.as_u64().cast_signed()]).map_err(engine)?;
    if changed == 1 { Ok(()) } else { Err(unknown_app(app)) }
}

pub(super) fn next_token_epoch(transaction: &Transaction<'_>, app: AppId) -> Result<u32, AccountsError> {
    let sql = "UPDATE app SET token_epoch = token_epoch + 1 WHERE id = ?1 RETURNING token_epoch";
    let epoch = transaction.query_row(sql, [app.as_u64().cast_signed()], |row| row.get(0)).optional();
    epoch.map_err(engine)?.ok_or_else(|| unknown_app(app))
}

pub(super) fn insert_audit(transaction: &Transaction<'_>, audit: &AuditEntry) -> rusqlite::Result<()> {
    let sql = "INSERT INTO audit (at, actor, action, target, reason) VALUES (?1, ?2, ?3, ?4, ?5)";
    let values = params![audit.at.as_microsecond(), audit.actor, audit.action, audit.target, audit.reason];
    transaction.execute(sql, values).map(drop)
}

fn unknown_app(app: AppId) -> AccountsError {
    AccountsError::NotFound(format!("app {app}"))
}

/// Says in the port's words which constraint refused a row.
fn explain(error: rusqlite::Error, taken: &str, missing: &str) -> AccountsError {
    match error.sqlite_error().map(|error| error.extended_code) {
        Some(ffi::SQLITE_CONSTRAINT_UNIQUE | ffi::SQLITE_CONSTRAINT_PRIMARYKEY | ffi::SQLITE_CONSTRAINT_ROWID) => {
            AccountsError::Exists(taken.to_owned())
        }
        Some(ffi::SQLITE_CONSTRAINT_FOREIGNKEY) => AccountsError::NotFound(missing.to_owned()),
        _ => engine(error),
    }
}
