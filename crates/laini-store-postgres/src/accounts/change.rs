//! Changes of what is there already, each inside the transaction of its caller.

use laini_core::partner::{AppId, PartnerId, Prepaid, ResultAddressId};
use laini_core::store::{AccountsError, AppChange, PartnerChange, ResultAddressChange};

use super::write::{changed_one, explained, unknown_app};
use super::{Refused, app_secrets, limits};
use crate::database::{Stop, Transaction, params};

pub(super) async fn partner(
    transaction: &Transaction<'_>,
    partner: PartnerId,
    change: &PartnerChange,
) -> Result<(), Refused> {
    let id = partner.as_u64().cast_signed();
    let changed = match change {
        PartnerChange::AgreementsEnd(at) => {
            let sql = "WITH ended AS (UPDATE agreement SET valid_until = $2
                           WHERE partner = $1 AND (valid_until IS NULL OR valid_until > $2))
                       UPDATE partner SET name = name WHERE id = $1";
            transaction.execute(sql, params![id, at.as_microsecond()]).await
        }
        PartnerChange::Status(status) => {
            let sql = "UPDATE partner SET status = $2 WHERE id = $1";
            transaction.execute(sql, params![id, status.word()]).await
        }
        PartnerChange::Limits(of_partner) => {
            let (per_second, burst) = limits::columns(of_partner.rate);
            let (per_day, per_month) = (limits::stored(of_partner.per_day), limits::stored(of_partner.per_month));
            let sql = "UPDATE partner SET rate_per_second = $2, rate_burst = $3, per_day = $4, per_month = $5
                       WHERE id = $1";
            transaction.execute(sql, params![id, per_second, burst, per_day, per_month]).await
        }
        PartnerChange::Prepaid(Prepaid { from, paid_minor }) => {
            let sql = "UPDATE partner SET prepaid_from = $2, prepaid_minor = $3 WHERE id = $1";
            transaction.execute(sql, params![id, from.as_microsecond(), *paid_minor]).await
        }
    };
    changed_one(changed, || format!("partner {partner}"))
}

pub(super) async fn app(transaction: &Transaction<'_>, app: AppId, change: &AppChange) -> Result<(), Refused> {
    let id = app.as_u64().cast_signed();
    let is_there = "SELECT 1 FROM app WHERE id = $1 AND status <> 'revoked'";
    if transaction.query(is_there, params![id]).await?.is_empty() {
        return Err(unknown_app(app));
    }
    let changed = match change {
        AppChange::Status(status) => {
            let sql = "UPDATE app SET status = $2 WHERE id = $1";
            transaction.execute(sql, params![id, status.word()]).await
        }
        AppChange::Limits { in_all, products } => return limits::replace(transaction, app, in_all, products).await,
        AppChange::Budget(budget) => return limits::replace_budget(transaction, app, budget.as_ref()).await,
        AppChange::Probing(probing) => return limits::replace_probing(transaction, app, *probing).await,
        AppChange::Purpose(purpose) => {
            let sql = "UPDATE app SET purpose = $2 WHERE id = $1";
            transaction.execute(sql, params![id, purpose.word()]).await
        }
        AppChange::Profile(profile) => {
            let sql = "UPDATE app SET sentinel_with_time = $2, single_token = $3 WHERE id = $1";
            transaction.execute(sql, params![id, profile.sentinel_with_time, profile.single_token]).await
        }
        AppChange::ClientCertificate(digest) => {
            let digest = digest.as_ref().map(<[u8; 32]>::as_slice);
            let sql = "UPDATE app SET client_certificate = $2 WHERE id = $1";
            transaction.execute(sql, params![id, digest]).await
        }
        AppChange::AllowedAddresses(rules) => {
            let sql = "UPDATE app SET allowed_addresses = $2 WHERE id = $1";
            transaction.execute(sql, params![id, rules.to_string()]).await
        }
        AppChange::Name(name) => {
            let named = transaction.execute("UPDATE app SET name = $2 WHERE id = $1", params![id, name.as_str()]).await;
            return explained(named, &format!("an app named {name:?} of this partner"), "the app");
        }
        AppChange::Products(products) => {
            let sql = "UPDATE app SET products = $2 WHERE id = $1";
            transaction.execute(sql, params![id, products.to_string()]).await
        }
        AppChange::SecretAdded(secret) => return app_secrets::add(transaction, app, secret).await,
        AppChange::SecretRetired(number) => return app_secrets::retire(transaction, app, *number).await,
    };
    changed_one(changed, || format!("app {app}"))
}

pub(super) async fn result_address(
    transaction: &Transaction<'_>,
    address: ResultAddressId,
    change: &ResultAddressChange,
) -> Result<(), Refused> {
    let id = address.as_u64().cast_signed();
    let changed = match change {
        ResultAddressChange::Proven(at) => {
            let sql = "UPDATE result_address SET proven = $2 WHERE id = $1";
            transaction.execute(sql, params![id, at.as_microsecond()]).await
        }
        ResultAddressChange::SecretRolled { from, previous_until } => {
            let sql = "UPDATE result_address SET secret_generation = secret_generation + 1, previous_until = $3
                       WHERE id = $1 AND secret_generation = $2";
            let (from, until) = (i64::from(*from), previous_until.as_microsecond());
            let rolled = transaction.execute(sql, params![id, from, until]).await;
            let there = "SELECT 1 FROM result_address WHERE id = $1";
            if matches!(rolled, Ok(0)) && !transaction.query(there, params![id]).await?.is_empty() {
                return Err(Stop::Rule(AccountsError::Changed(format!("result address {address}"))));
            }
            rolled
        }
        ResultAddressChange::Removed => {
            transaction.execute("DELETE FROM result_address WHERE id = $1", params![id]).await
        }
    };
    changed_one(changed, || format!("result address {address}"))
}
