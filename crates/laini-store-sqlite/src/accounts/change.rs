//! Changes of partners and apps that are there already.

use laini_core::partner::{AppId, PartnerId, Prepaid};
use laini_core::store::{AccountsError, AppChange, PartnerChange};
use rusqlite::{OptionalExtension as _, Transaction, params};

use super::write::{changed_one, explain, unknown_app};
use super::{app_secrets, engine, limits};

pub(super) fn partner(
    transaction: &Transaction<'_>,
    partner: PartnerId,
    change: &PartnerChange,
) -> Result<(), AccountsError> {
    let id = partner.as_u64().cast_signed();
    let changed = match change {
        PartnerChange::AgreementsEnd(at) => {
            let sql = "UPDATE agreement SET valid_until = ?2 WHERE partner = ?1 AND coalesce(valid_until > ?2, 1)";
            let ended = transaction.execute(sql, params![id, at.as_microsecond()]);
            ended.and_then(|_| transaction.execute("UPDATE partner SET name = name WHERE id = ?1", [id]))
        }
        PartnerChange::Status(status) => {
            transaction.execute("UPDATE partner SET status = ?2 WHERE id = ?1", params![id, status.word()])
        }
        PartnerChange::Limits(of_partner) => {
            let (per_second, burst) = limits::columns(of_partner.rate);
            let (per_day, per_month) = (limits::stored(of_partner.per_day), limits::stored(of_partner.per_month));
            transaction.execute(
                "UPDATE partner SET rate_per_second = ?2, rate_burst = ?3, per_day = ?4, per_month = ?5 WHERE id = ?1",
                params![id, per_second, burst, per_day, per_month],
            )
        }
        PartnerChange::Prepaid(Prepaid { from, paid_minor }) => transaction.execute(
            "UPDATE partner SET prepaid_from = ?2, prepaid_minor = ?3 WHERE id = ?1",
            params![id, from.as_microsecond(), paid_minor],
        ),
    };
    changed_one(changed, || format!("partner {partner}"))
}

pub(super) fn app(transaction: &Transaction<'_>, app: AppId, change: &AppChange) -> Result<(), AccountsError> {
    let id = app.as_u64().cast_signed();
    let is_there = "SELECT 1 FROM app WHERE id = ?1 AND status <> 'revoked'";
    let found = transaction.query_row(is_there, [id], |_| Ok(())).optional().map_err(engine)?;
    found.ok_or_else(|| unknown_app(app))?;
    let changed = match change {
        AppChange::Status(status) => {
            transaction.execute("UPDATE app SET status = ?2 WHERE id = ?1", params![id, status.word()]).map(drop)
        }
        AppChange::Limits { in_all, products } => limits::replace(transaction, app, in_all, products),
        AppChange::Budget(budget) => limits::replace_budget(transaction, app, budget.as_ref()),
        AppChange::Probing(probing) => limits::replace_probing(transaction, app, *probing),
        AppChange::Purpose(purpose) => {
            transaction.execute("UPDATE app SET purpose = ?2 WHERE id = ?1", params![id, purpose.word()]).map(drop)
        }
        AppChange::Profile(profile) => {
            let sql = "UPDATE app SET sentinel_with_time = ?2, single_token = ?3 WHERE id = ?1";
            transaction.execute(sql, params![id, profile.sentinel_with_time, profile.single_token]).map(drop)
        }
        AppChange::ClientCertificate(digest) => {
            let sql = "UPDATE app SET client_certificate = ?2 WHERE id = ?1";
            transaction.execute(sql, params![id, digest.as_ref().map(<[u8; 32]>::as_slice)]).map(drop)
        }
        AppChange::AllowedAddresses(rules) => {
            let sql = "UPDATE app SET allowed_addresses = ?2 WHERE id = ?1";
            transaction.execute(sql, params![id, rules.to_string()]).map(drop)
        }
        AppChange::Name(name) => {
            let named = transaction.execute("UPDATE app SET name = ?2 WHERE id = ?1", params![id, name]);
            let taken = format!("an app named {name:?} of this partner");
            return named.map(drop).map_err(|error| explain(error, &taken, "the app"));
        }
        AppChange::Products(products) => {
            let sql = "UPDATE app SET products = ?2 WHERE id = ?1";
            transaction.execute(sql, params![id, products.to_string()]).map(drop)
        }
        AppChange::SecretAdded(secret) => return app_secrets::add(transaction, app, secret),
        AppChange::SecretRetired(number) => return app_secrets::retire(transaction, app, *number),
    };
    changed.map_err(engine)
}
