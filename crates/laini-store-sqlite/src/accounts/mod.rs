//! The accounts: partners, agreements, apps, the records of the office, the audit trail, and calls that were refused.
//!
//! Owns `accounts.db`, which any number of processes may have open at once. Must never hold a secret
//! (only hashes of them, and how those end that were minted here), change an agreement or an audit row, or change anything without raising the
//! version by which servers notice it (the log of refused calls is none of that).

mod app_secrets;
mod change;
mod limits;
mod load;
mod office;
mod operator_keys;
mod refusals;
mod restrictions;
mod result_addresses;
mod write;

use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use laini_core::partner::{
    Agreement, App, AppId, OperatorKey, OperatorKeyId, Partner, PartnerId, ResultAddress, ResultAddressId, SecretUse,
};
use laini_core::privacy::{RestrictionCursor, RestrictionRow};
use laini_core::store::{
    AccountBook, AccountStore, AccountsError, AppChange, AuditEntry, BoxFuture, PartnerChange, ResultAddressChange,
    SubjectHash,
};
use rusqlite::config::DbConfig;
use rusqlite::{Connection, Transaction, TransactionBehavior};

use crate::sql::{self, StoreError};

pub(crate) const MIGRATIONS: &[&str] = &[
    include_str!("schema.sql"),
    include_str!("migration_2.sql"),
    include_str!("migration_3.sql"),
    include_str!("migration_4.sql"),
    include_str!("prepaid.sql"),
    include_str!("app_secrets.sql"),
    include_str!("restrictions.sql"),
    include_str!("refusals.sql"),
    include_str!("secret_endings.sql"),
];
/// How long a change waits for another process that holds the file: it holds up a server's worker.
const BUSY_TIMEOUT: Duration = Duration::from_secs(1);
/// Prepared statements that are kept: all that this module has.
const STATEMENTS_KEPT: usize = 64;
/// Audit rows that one call returns at most.
const AUDITS_PER_CALL: usize = 10_000;

/// The accounts of one data directory.
pub struct SqliteAccounts {
    connection: Mutex<Connection>,
}

impl SqliteAccounts {
    /// Opens (and makes) the accounts of `dir`.
    pub fn open(dir: &Path) -> Result<Self, StoreError> {
        let path: PathBuf = dir.join("accounts.db");
        let connection = sql::open_writer(&path, MIGRATIONS)?;
        let adjust = || -> rusqlite::Result<()> {
            connection.busy_timeout(BUSY_TIMEOUT)?;
            connection.set_prepared_statement_cache_capacity(STATEMENTS_KEPT);
            // With a partial index, SQLite plans anew for each bound value: docs/decisions/0068.
            connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true).map(drop)
        };
        adjust().map_err(sql::failed(&path))?;
        Ok(Self { connection: Mutex::new(connection) })
    }

    fn connection(&self) -> MutexGuard<'_, Connection> {
        self.connection.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn read<T>(&self, read: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<T>) -> Result<T, AccountsError> {
        let mut connection = self.connection();
        connection.transaction().and_then(|transaction| read(&transaction)).map_err(engine)
    }

    /// One change: what `change` does, its audit row and a new version, or nothing.
    fn write<T>(
        &self,
        audit: &AuditEntry,
        change: impl FnOnce(&Transaction<'_>) -> Result<T, AccountsError>,
    ) -> Result<T, AccountsError> {
        let mut connection = self.connection();
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(engine)?;
        let changed = change(&transaction)?;
        let finish = || -> rusqlite::Result<()> {
            write::insert_audit(&transaction, audit)?;
            transaction.execute("UPDATE meta SET version = version + 1", [])?;
            transaction.commit()
        };
        finish().map_err(engine)?;
        Ok(changed)
    }
}

#[expect(clippy::needless_pass_by_value, reason = "the form that map_err takes")]
fn engine(error: rusqlite::Error) -> AccountsError {
    AccountsError::Engine(format!("accounts.db: {error}"))
}

// The work is small (tables of a few thousand rows), so it is done inline: no future here waits.
impl AccountStore for SqliteAccounts {
    fn version(&self) -> BoxFuture<'_, Result<u64, AccountsError>> {
        Box::pin(async { self.read(load::version) })
    }

    fn load(&self) -> BoxFuture<'_, Result<AccountBook, AccountsError>> {
        Box::pin(async { self.read(load::book) })
    }

    fn restrictions(
        &self,
        after: RestrictionCursor,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<RestrictionRow>, AccountsError>> {
        Box::pin(async move { self.read(|transaction| restrictions::changed(transaction, after, limit)) })
    }

    fn restriction(&self, number: SubjectHash) -> BoxFuture<'_, Result<Option<RestrictionRow>, AccountsError>> {
        Box::pin(async move { self.read(|transaction| restrictions::of(transaction, number)) })
    }

    fn add_partner(
        &self,
        partner: Partner,
        agreement: Agreement,
        audit: AuditEntry,
    ) -> BoxFuture<'_, Result<(), AccountsError>> {
        Box::pin(async move {
            self.write(&audit, |transaction| {
                write::insert_partner(transaction, &partner)?;
                write::insert_agreement(transaction, &agreement, audit.at)
            })
        })
    }

    fn add_app(&self, app: App, audit: AuditEntry) -> BoxFuture<'_, Result<(), AccountsError>> {
        Box::pin(async move { self.write(&audit, |transaction| write::insert_app(transaction, &app)) })
    }

    fn revoke_app(&self, app: AppId, audit: AuditEntry) -> BoxFuture<'_, Result<(), AccountsError>> {
        Box::pin(async move { self.write(&audit, |transaction| write::revoke_app(transaction, app)) })
    }

    fn add_agreement(&self, agreement: Agreement, audit: AuditEntry) -> BoxFuture<'_, Result<(), AccountsError>> {
        Box::pin(
            async move { self.write(&audit, |transaction| write::insert_agreement(transaction, &agreement, audit.at)) },
        )
    }

    fn change_partner(
        &self,
        partner: PartnerId,
        change: PartnerChange,
        audit: AuditEntry,
    ) -> BoxFuture<'_, Result<(), AccountsError>> {
        Box::pin(async move { self.write(&audit, |transaction| change::partner(transaction, partner, &change)) })
    }

    fn change_app(&self, app: AppId, change: AppChange, audit: AuditEntry) -> BoxFuture<'_, Result<(), AccountsError>> {
        Box::pin(async move { self.write(&audit, |transaction| change::app(transaction, app, &change)) })
    }

    fn add_result_address(
        &self,
        address: ResultAddress,
        audit: AuditEntry,
    ) -> BoxFuture<'_, Result<(), AccountsError>> {
        Box::pin(async move { self.write(&audit, |transaction| result_addresses::insert(transaction, &address)) })
    }

    fn change_result_address(
        &self,
        address: ResultAddressId,
        change: ResultAddressChange,
        audit: AuditEntry,
    ) -> BoxFuture<'_, Result<(), AccountsError>> {
        Box::pin(
            async move { self.write(&audit, |transaction| result_addresses::change(transaction, address, &change)) },
        )
    }

    fn add_operator_key(&self, key: OperatorKey, audit: AuditEntry) -> BoxFuture<'_, Result<(), AccountsError>> {
        Box::pin(async move { self.write(&audit, |transaction| operator_keys::insert(transaction, &key)) })
    }

    fn revoke_operator_key(&self, key: OperatorKeyId, audit: AuditEntry) -> BoxFuture<'_, Result<(), AccountsError>> {
        Box::pin(async move { self.write(&audit, |transaction| operator_keys::revoke(transaction, key)) })
    }

    fn next_token_epoch(&self, app: AppId, audit: AuditEntry) -> BoxFuture<'_, Result<u32, AccountsError>> {
        Box::pin(async move { self.write(&audit, |transaction| write::next_token_epoch(transaction, app)) })
    }

    fn note_secret_uses(&self, uses: Vec<SecretUse>) -> BoxFuture<'_, Result<(), AccountsError>> {
        Box::pin(async move {
            let mut connection = self.connection();
            let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(engine)?;
            app_secrets::note_uses(&transaction, &uses).and_then(|()| transaction.commit()).map_err(engine)
        })
    }

    fn audit(&self, audit: AuditEntry) -> BoxFuture<'_, Result<(), AccountsError>> {
        Box::pin(async move { self.write(&audit, |_| Ok(())) })
    }

    fn audits(&self, limit: usize) -> BoxFuture<'_, Result<Vec<AuditEntry>, AccountsError>> {
        let limit = limit.min(AUDITS_PER_CALL);
        Box::pin(async move { self.read(|transaction| load::audits(transaction, limit)) })
    }
}
