//! Where apps have results delivered.

use jiff::Timestamp;
use laini_core::partner::{AppId, ResultAddress, ResultAddressId};
use laini_core::store::{AccountsError, ResultAddressChange};
use rusqlite::{Transaction, params};

use super::engine;
use super::load::{instant, unsigned};
use super::write::{changed_one, explain};

pub(super) fn all(transaction: &Transaction<'_>) -> rusqlite::Result<Vec<ResultAddress>> {
    let mut statement = transaction.prepare_cached(
        "SELECT id, app, url, proven, secret_generation, previous_until FROM result_address ORDER BY app, url",
    )?;
    let addresses = statement.query_map([], |row| {
        Ok(ResultAddress {
            id: ResultAddressId::from_stored(unsigned(row, 0)?),
            app: AppId::from_stored(unsigned(row, 1)?),
            url: row.get(2)?,
            proven: row.get::<_, Option<i64>>(3)?.map(instant).transpose()?,
            secret_generation: row.get(4)?,
            previous_until: row.get::<_, Option<i64>>(5)?.map(instant).transpose()?,
        })
    })?;
    addresses.collect()
}

pub(super) fn insert(transaction: &Transaction<'_>, address: &ResultAddress) -> Result<(), AccountsError> {
    let inserted = transaction.execute(
        "INSERT INTO result_address (id, app, url, proven, secret_generation, previous_until)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        params![
            address.id.as_u64().cast_signed(),
            address.app.as_u64().cast_signed(),
            address.url,
            address.proven.map(Timestamp::as_microsecond),
            address.secret_generation,
            address.previous_until.map(Timestamp::as_microsecond),
        ],
    );
    let missing = format!("app {}", address.app);
    inserted.map(drop).map_err(|error| explain(error, "this result address of the app", &missing))
}

pub(super) fn change(
    transaction: &Transaction<'_>,
    address: ResultAddressId,
    change: &ResultAddressChange,
) -> Result<(), AccountsError> {
    let id = address.as_u64().cast_signed();
    let changed = match change {
        ResultAddressChange::Proven(at) => {
            let sql = "UPDATE result_address SET proven = ?2 WHERE id = ?1";
            transaction.execute(sql, params![id, at.as_microsecond()])
        }
        ResultAddressChange::SecretRolled { from, previous_until } => {
            let sql = "UPDATE result_address SET secret_generation = secret_generation + 1, previous_until = ?3
                       WHERE id = ?1 AND secret_generation = ?2";
            let rolled = transaction.execute(sql, params![id, from, previous_until.as_microsecond()]);
            if matches!(rolled, Ok(0)) && is_there(transaction, id).map_err(engine)? {
                return Err(AccountsError::Changed(format!("result address {address}")));
            }
            rolled
        }
        ResultAddressChange::Removed => transaction.execute("DELETE FROM result_address WHERE id = ?1", [id]),
    };
    changed_one(changed, || format!("result address {address}"))
}

fn is_there(transaction: &Transaction<'_>, id: i64) -> rusqlite::Result<bool> {
    transaction.query_row("SELECT EXISTS (SELECT 1 FROM result_address WHERE id = ?1)", [id], |row| row.get(0))
}
