//! Changes, each inside the transaction of its caller.

use jiff::Timestamp;
use laini_core::billing::{FreeUnits, Price};
use laini_core::partner::{Agreement, AgreementId, App, AppId, AppLimits, Partner, Product, Purpose};
use laini_core::store::{AccountsError, AuditEntry};
use rusqlite::{OptionalExtension, Transaction, ffi, params};

use super::{app_secrets, engine, limits};

pub(super) fn insert_partner(transaction: &Transaction<'_>, partner: &Partner) -> Result<(), AccountsError> {
    let (per_second, burst) = limits::columns(partner.limits.rate);
    let inserted = transaction.execute(
        "INSERT INTO partner (id, name, status, rate_per_second, rate_burst, per_day, per_month, prepaid_from,
             prepaid_minor)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
        params![
            partner.id.as_u64().cast_signed(),
            partner.name,
            partner.status.word(),
            per_second,
            burst,
            limits::stored(partner.limits.per_day),
            limits::stored(partner.limits.per_month),
            partner.prepaid.map(|prepaid| prepaid.from.as_microsecond()),
            partner.prepaid.map(|prepaid| prepaid.paid_minor),
        ],
    );
    inserted.map(drop).map_err(|error| explain(error, &format!("a partner named {:?}", partner.name), "the partner"))
}

/// Others that begin so soon after an agreement's date begin at the same date: it takes over from them too.
const SAME_DATE_US: i64 = 1_000;

/// Adds an agreement that begins on its date, or `now`: after every other of its partner that began when it was
/// added, even where the clock went back since.
pub(super) fn insert_agreement(
    transaction: &Transaction<'_>,
    agreement: &Agreement,
    now: Timestamp,
) -> Result<(), AccountsError> {
    let purposes: Vec<&str> = agreement.purposes.iter().map(|purpose| Purpose::word(*purpose)).collect();
    let insert = || -> rusqlite::Result<()> {
        transaction.execute(
            "INSERT INTO agreement (id, partner, valid_from, swap_months, registration_months, pass_hashed_imsi,
                 purposes, exact_times, valid_until, is_dated)
             SELECT ?1, ?2, max(?3, coalesce(max(valid_from) + 1, ?3)), ?4, ?5, ?6, ?7, ?8, ?9, ?10
             FROM agreement WHERE partner = ?2 AND (valid_from <= ?3 + ?11 OR NOT is_dated)",
            params![
                agreement.id.as_u64().cast_signed(),
                agreement.partner.as_u64().cast_signed(),
                agreement.valid_from.max(now).as_microsecond(),
                agreement.windows.swap.as_months(),
                agreement.windows.registration.as_months(),
                agreement.pass_hashed_imsi,
                purposes.join(","),
                agreement.exact_times,
                agreement.valid_until.map(Timestamp::as_microsecond),
                agreement.valid_from > now,
                SAME_DATE_US,
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
            "INSERT INTO app (id, partner, name, environment, products, status, token_epoch, consumer_key,
                 sentinel_with_time, single_token, purpose, client_certificate, allowed_addresses)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
            params![
                app.id.as_u64().cast_signed(),
                app.partner.as_u64().cast_signed(),
                app.name,
                app.environment.word(),
                app.products.to_string(),
                app.status.word(),
                app.token_epoch,
                app.consumer_key.as_str(),
                app.profile.sentinel_with_time,
                app.profile.single_token,
                app.purpose.word(),
                app.client_certificate.as_ref().map(<[u8; 32]>::as_slice),
                app.allowed_addresses.to_string(),
            ],
        )?;
        let AppLimits { in_all, products, budget, probing } = &app.limits;
        limits::replace(transaction, app.id, in_all, products)?;
        limits::replace_budget(transaction, app.id, budget.as_ref())?;
        limits::replace_probing(transaction, app.id, *probing)?;
        app.secrets.iter().try_for_each(|secret| app_secrets::insert(transaction, app.id, secret))
    };
    let taken = format!("an app named {:?} of this partner, or its consumer key,", app.name);
    insert().map_err(|error| explain(error, &taken, &format!("partner {}", app.partner)))
}

pub(super) fn revoke_app(transaction: &Transaction<'_>, app: AppId) -> Result<(), AccountsError> {
    let sql = "UPDATE app SET status = 'revoked' WHERE id = ?1";
    let changed = transaction.execute(sql, [app.as_u64().cast_signed()]);
    changed_one(changed, || format!("app {app}"))
}

pub(super) fn next_token_epoch(transaction: &Transaction<'_>, app: AppId) -> Result<u32, AccountsError> {
    let sql = "UPDATE app SET token_epoch = token_epoch + 1 WHERE id = ?1 RETURNING token_epoch";
    let epoch = transaction.query_row(sql, [app.as_u64().cast_signed()], |row| row.get(0)).optional();
    epoch.map_err(engine)?.ok_or_else(|| unknown_app(app))
}

pub(super) fn insert_audit(transaction: &Transaction<'_>, audit: &AuditEntry) -> rusqlite::Result<()> {
    let sql = "INSERT INTO audit (at, actor, action, target, reason, partner) VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
    let partner = audit.partner.map(|partner| partner.as_u64().cast_signed());
    let values = params![audit.at.as_microsecond(), audit.actor, audit.action, audit.target, audit.reason, partner];
    transaction.execute(sql, values).map(drop)
}

/// What a change of one row says where there is no such row.
pub(super) fn changed_one(changed: rusqlite::Result<usize>, what: impl Fn() -> String) -> Result<(), AccountsError> {
    if changed.map_err(engine)? == 1 { Ok(()) } else { Err(AccountsError::NotFound(what())) }
}

pub(super) fn unknown_app(app: AppId) -> AccountsError {
    AccountsError::NotFound(format!("app {app}"))
}

/// Says in the port's words which constraint refused a row.
pub(super) fn explain(error: rusqlite::Error, taken: &str, missing: &str) -> AccountsError {
    match error.sqlite_error().map(|error| error.extended_code) {
        Some(ffi::SQLITE_CONSTRAINT_UNIQUE | ffi::SQLITE_CONSTRAINT_PRIMARYKEY | ffi::SQLITE_CONSTRAINT_ROWID) => {
            AccountsError::Exists(taken.to_owned())
        }
        Some(ffi::SQLITE_CONSTRAINT_FOREIGNKEY) => AccountsError::NotFound(missing.to_owned()),
        _ => engine(error),
    }
}
