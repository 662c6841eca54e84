//! Credentials of the operator's own systems.

use laini_core::access::SecretHash;
use laini_core::partner::{OperatorKey, OperatorKeyId, OperatorScopes};
use laini_core::store::AccountsError;
use rusqlite::{Transaction, params};

use super::load::{instant, parsed, unsigned};
use super::write::{changed_one, explain};

pub(super) fn all(transaction: &Transaction<'_>) -> rusqlite::Result<Vec<OperatorKey>> {
    let mut statement = transaction.prepare_cached(
        "SELECT id, name, scopes, hash, created, expires, is_revoked FROM operator_key ORDER BY created, id",
    )?;
    let keys = statement.query_map([], |row| {
        Ok(OperatorKey {
            id: OperatorKeyId::from_stored(unsigned(row, 0)?),
            name: row.get(1)?,
            scopes: parsed(OperatorScopes::parse(row.get_ref(2)?.as_str()?))?,
            hash: SecretHash(row.get(3)?),
            created: instant(row.get(4)?)?,
            expires: instant(row.get(5)?)?,
            is_revoked: row.get(6)?,
        })
    })?;
    keys.collect()
}

pub(super) fn insert(transaction: &Transaction<'_>, key: &OperatorKey) -> Result<(), AccountsError> {
    let inserted = transaction.execute(
        "INSERT INTO operator_key (id, name, scopes, hash, created, expires, is_revoked)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        params![
            key.id.as_u64().cast_signed(),
            key.name,
            key.scopes.to_string(),
            key.hash.0.as_slice(),
            key.created.as_microsecond(),
            key.expires.as_microsecond(),
            key.is_revoked,
        ],
    );
    let taken = format!("an operator key named {:?}", key.name);
    inserted.map(drop).map_err(|error| explain(error, &taken, "the operator key"))
}

pub(super) fn revoke(transaction: &Transaction<'_>, key: OperatorKeyId) -> Result<(), AccountsError> {
    let sql = "UPDATE operator_key SET is_revoked = 1 WHERE id = ?1";
    let changed = transaction.execute(sql, [key.as_u64().cast_signed()]);
    changed_one(changed, || format!("operator key {key}"))
}
