use jiff::Timestamp;

use super::BoxFuture;
use crate::partner::{Agreement, App, AppId, Partner};

/// Partners, agreements and apps: small, relational, read whole.
pub trait AccountStore: Send + Sync {
    /// Grows with every change, whoever made it; cheap enough to ask several times a second.
    fn version(&self) -> BoxFuture<'_, Result<u64, AccountsError>>;

    /// Everything, at one version.
    fn load(&self) -> BoxFuture<'_, Result<AccountBook, AccountsError>>;

    /// Adds a partner with its agreement, in one step.
    fn add_partner(
        &self,
        partner: Partner,
        agreement: Agreement,
        audit: AuditEntry,
    ) -> BoxFuture<'_, Result<(), AccountsError>>;

    /// Adds an app.
    fn add_app(&self, app: App, audit: AuditEntry) -> BoxFuture<'_, Result<(), AccountsError>>;

    /// Ends an app for good.
    fn revoke_app(&self, app: AppId, audit: AuditEntry) -> BoxFuture<'_, Result<(), AccountsError>>;

    /// Begins a new token epoch, so that every earlier token is refused; returns it.
    fn next_token_epoch(&self, app: AppId, audit: AuditEntry) -> BoxFuture<'_, Result<u32, AccountsError>>;

    /// Writes an audit row by itself.
    fn audit(&self, audit: AuditEntry) -> BoxFuture<'_, Result<(), AccountsError>>;

    /// Audit rows, newest first, at most `limit`.
    fn audits(&self, limit: usize) -> BoxFuture<'_, Result<Vec<AuditEntry>, AccountsError>>;
}

/// Everything that [`AccountStore::load`] reads.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct AccountBook {
    /// [`AccountStore::version`] at that moment.
    pub version: u64,
    /// Every partner.
    pub partners: Vec<Partner>,
    /// The agreement in force of each.
    pub agreements: Vec<Agreement>,
    /// Every app, revoked ones too.
    pub apps: Vec<App>,
}

/// Who did what, when and why. Append-only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditEntry {
    /// When.
    pub at: Timestamp,
    /// Who: a person, or the account that ran a command.
    pub actor: String,
    /// What, as a verb with its noun: `app.revoke`, `line.reveal`.
    pub action: String,
    /// On what: an id, or a masked number. Never personal data in full.
    pub target: String,
    /// Why, where a reason was asked for.
    pub reason: String,
}

/// Why an account could not be read or changed.
#[derive(Debug, thiserror::Error)]
pub enum AccountsError {
    /// The name is taken.
    #[error("{0} exists already")]
    Exists(String),
    /// There is no such thing.
    #[error("{0} is not known")]
    NotFound(String),
    /// The engine failed.
    #[error("the accounts cannot be read or written: {0}")]
    Engine(String),
}
