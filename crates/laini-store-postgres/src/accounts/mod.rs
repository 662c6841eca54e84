//! The accounts: partners, agreements, apps, the records of the office, the audit trail, and calls that were refused.
//!
//! Owns their tables. Must never hold a secret (only hashes of them), change an agreement or an audit
//! row, or change anything without raising the version by which nodes notice it.

mod app_secrets;
mod change;
mod limits;
mod load;
mod office;
mod refusals;
mod restrictions;
mod write;

use std::sync::Arc;
use std::time::Duration;

use laini_core::partner::{
    Agreement, App, AppId, OperatorKey, OperatorKeyId, Partner, PartnerId, ResultAddress, ResultAddressId, SecretUse,
};
use laini_core::privacy::{RestrictionCursor, RestrictionRow};
use laini_core::store::{
    AccountBook, AccountStore, AccountsError, AppChange, AuditEntry, BoxFuture, PartnerChange, ResultAddressChange,
    SubjectHash,
};

use crate::columns::Columns;
use crate::database::{Database, Link, Stop, Transaction, params};
use crate::error::DbError;
use load::Tables;

/// Reading or changing them may take so long.
const TIMEOUT: Duration = Duration::from_secs(4);
/// Audit rows that one call returns at most.
const AUDITS_PER_CALL: usize = 10_000;

/// The accounts of a database.
pub struct PostgresAccounts {
    database: Arc<Database>,
}

type Refused = Stop<AccountsError>;

impl PostgresAccounts {
    /// The accounts that lie there.
    pub fn open(database: Arc<Database>) -> Self {
        Self { database }
    }

    async fn read<T: Send + 'static>(
        &self,
        read: impl AsyncFnOnce(&Link) -> Result<T, DbError> + Send + 'static,
    ) -> Result<T, AccountsError> {
        self.database.run(TIMEOUT, read).await.map_err(engine)
    }

    /// One change: what `change` does, its audit row and a new version, or nothing.
    async fn write<T: Send + 'static>(
        &self,
        audit: AuditEntry,
        mut change: impl AsyncFnMut(&Transaction<'_>) -> Result<T, Refused> + Send + 'static,
    ) -> Result<T, AccountsError> {
        let changed = self.database.run(TIMEOUT, async move |link: &Link| {
            let done = link.transact_or(async |transaction: &Transaction<'_>| {
                // First of all: its lock lets writers through one by one.
                let number = "UPDATE accounts_meta SET version = version + 1, audits = audits + 1 RETURNING audits";
                let row = transaction.query_opt(number, &[]).await?.ok_or(DbError::Damaged("accounts_meta"))?;
                let changed = change(transaction).await?;
                write::insert_audit(transaction, row.get(0), &audit).await?;
                Ok(changed)
            });
            match done.await {
                Ok(changed) => Ok(Ok(changed)),
                Err(Stop::Rule(refused)) => Ok(Err(refused)),
                Err(Stop::Database(error)) => Err(error),
            }
        });
        changed.await.map_err(engine)?
    }
}

fn engine(error: DbError) -> AccountsError {
    AccountsError::Engine(match error {
        DbError::Unknown(reason) => {
            format!(
                "{reason}; it is not known whether the change was made: list or show what it was about \
                 before you make it again"
            )
        }
        other => other.to_string(),
    })
}

impl AccountStore for PostgresAccounts {
    fn version(&self) -> BoxFuture<'_, Result<u64, AccountsError>> {
        Box::pin(self.read(async |link: &Link| {
            let row = link.query_opt("SELECT version FROM accounts_meta", &[]).await?;
            Columns(&row.ok_or(DbError::Damaged("accounts_meta"))?).bits("version", 63)
        }))
    }

    fn load(&self) -> BoxFuture<'_, Result<AccountBook, AccountsError>> {
        Box::pin(async {
            // Thousands of rows take a while, for which nothing else is to wait. The runtime is the database's own: whoever asks
            // may have none.
            let read = async |link: &Link| {
                let read = async |transaction: &Transaction<'_>| Tables::read(transaction).await;
                let tables = link.read_together(read).await?;
                Ok(tokio::task::spawn_blocking(move || tables.book()))
            };
            let book = self.read(read).await?.await;
            let panicked = |_| AccountsError::Engine("putting the accounts together panicked".to_owned());
            book.map_err(panicked)?.map_err(engine)
        })
    }

    fn restrictions(
        &self,
        after: RestrictionCursor,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<RestrictionRow>, AccountsError>> {
        Box::pin(self.read(async move |link: &Link| restrictions::changed(link, after, limit).await))
    }

    fn restriction(&self, number: SubjectHash) -> BoxFuture<'_, Result<Option<RestrictionRow>, AccountsError>> {
        Box::pin(self.read(async move |link: &Link| restrictions::of(link, number).await))
    }

    fn add_partner(
        &self,
        partner: Partner,
        agreement: Agreement,
        audit: AuditEntry,
    ) -> BoxFuture<'_, Result<(), AccountsError>> {
        let now = audit.at;
        Box::pin(self.write(audit, async move |transaction: &Transaction<'_>| {
            write::insert_partner(transaction, &partner).await?;
            write::insert_agreement(transaction, &agreement, now).await
        }))
    }

    fn add_agreement(&self, agreement: Agreement, audit: AuditEntry) -> BoxFuture<'_, Result<(), AccountsError>> {
        let now = audit.at;
        Box::pin(self.write(audit, async move |transaction: &Transaction<'_>| {
            write::insert_agreement(transaction, &agreement, now).await
        }))
    }

    fn add_app(&self, app: App, audit: AuditEntry) -> BoxFuture<'_, Result<(), AccountsError>> {
        Box::pin(
            self.write(audit, async move |transaction: &Transaction<'_>| write::insert_app(transaction, &app).await),
        )
    }

    fn revoke_app(&self, app: AppId, audit: AuditEntry) -> BoxFuture<'_, Result<(), AccountsError>> {
        Box::pin(
            self.write(audit, async move |transaction: &Transaction<'_>| write::revoke_app(transaction, app).await),
        )
    }

    fn change_partner(
        &self,
        partner: PartnerId,
        change: PartnerChange,
        audit: AuditEntry,
    ) -> BoxFuture<'_, Result<(), AccountsError>> {
        Box::pin(self.write(audit, async move |transaction: &Transaction<'_>| {
            change::partner(transaction, partner, &change).await
        }))
    }

    fn change_app(&self, app: AppId, change: AppChange, audit: AuditEntry) -> BoxFuture<'_, Result<(), AccountsError>> {
        Box::pin(
            self.write(audit, async move |transaction: &Transaction<'_>| change::app(transaction, app, &change).await),
        )
    }

    fn add_result_address(
        &self,
        address: ResultAddress,
        audit: AuditEntry,
    ) -> BoxFuture<'_, Result<(), AccountsError>> {
        Box::pin(self.write(audit, async move |transaction: &Transaction<'_>| {
            write::insert_result_address(transaction, &address).await
        }))
    }

    fn change_result_address(
        &self,
        address: ResultAddressId,
        change: ResultAddressChange,
        audit: AuditEntry,
    ) -> BoxFuture<'_, Result<(), AccountsError>> {
        Box::pin(self.write(audit, async move |transaction: &Transaction<'_>| {
            change::result_address(transaction, address, &change).await
        }))
    }

    fn add_operator_key(&self, key: OperatorKey, audit: AuditEntry) -> BoxFuture<'_, Result<(), AccountsError>> {
        Box::pin(self.write(audit, async move |transaction: &Transaction<'_>| {
            write::insert_operator_key(transaction, &key).await
        }))
    }

    fn revoke_operator_key(&self, key: OperatorKeyId, audit: AuditEntry) -> BoxFuture<'_, Result<(), AccountsError>> {
        Box::pin(self.write(audit, async move |transaction: &Transaction<'_>| {
            let sql = "UPDATE operator_key SET is_revoked = true WHERE id = $1";
            let changed = transaction.execute(sql, params![key.as_u64().cast_signed()]).await;
            write::changed_one(changed, || format!("operator key {key}"))
        }))
    }

    fn next_token_epoch(&self, app: AppId, audit: AuditEntry) -> BoxFuture<'_, Result<u32, AccountsError>> {
        Box::pin(
            self.write(audit, async move |transaction: &Transaction<'_>| {
                write::next_token_epoch(transaction, app).await
            }),
        )
    }

    fn note_secret_uses(&self, uses: Vec<SecretUse>) -> BoxFuture<'_, Result<(), AccountsError>> {
        Box::pin(self.read(async move |link: &Link| app_secrets::note_uses(link, &uses).await))
    }

    fn audit(&self, audit: AuditEntry) -> BoxFuture<'_, Result<(), AccountsError>> {
        Box::pin(self.write(audit, async |_: &Transaction<'_>| Ok(())))
    }

    fn audits(&self, limit: usize) -> BoxFuture<'_, Result<Vec<AuditEntry>, AccountsError>> {
        let limit = i64::try_from(limit.min(AUDITS_PER_CALL)).unwrap_or(i64::MAX);
        Box::pin(self.read(async move |link: &Link| load::audits(link, limit).await))
    }
}
