use jiff::Timestamp;

use super::{BoxFuture, SubjectHash};
use crate::access::AddressRules;
use crate::partner::{
    Agreement, Agreements, App, AppId, AppProfile, AppSecret, AppStatus, Budget, Limits, OperatorKey, OperatorKeyId,
    Partner, PartnerId, PartnerStatus, Prepaid, Probing, Product, ProductSet, Purpose, ResultAddress, ResultAddressId,
    SecretUse,
};
use crate::privacy::{RestrictionCursor, RestrictionRow};

/// Partners, agreements and apps: small, relational, read whole.
pub trait AccountStore: Send + Sync {
    /// Grows with every change, whoever made it; cheap enough to ask several times a second.
    fn version(&self) -> BoxFuture<'_, Result<u64, AccountsError>>;

    /// Everything, at one version.
    fn load(&self) -> BoxFuture<'_, Result<AccountBook, AccountsError>>;

    /// Restrictions that changed after `after`, in the order of (change, number), each as it is now, at most `limit`.
    /// One that was made or lifted comes with a new version.
    fn restrictions(
        &self,
        after: RestrictionCursor,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<RestrictionRow>, AccountsError>>;

    /// The restriction of one number, lifted ones too.
    fn restriction(&self, number: SubjectHash) -> BoxFuture<'_, Result<Option<RestrictionRow>, AccountsError>>;

    /// Adds a partner with its first agreement, in one step; see [`AccountStore::add_agreement`].
    fn add_partner(
        &self,
        partner: Partner,
        agreement: Agreement,
        audit: AuditEntry,
    ) -> BoxFuture<'_, Result<(), AccountsError>>;

    /// Adds a new version of a partner's agreement; the versions before stay as they are. It begins at its
    /// `valid_from`, or where that has come, at once: a little later where it would not be the last to begin of
    /// those that have begun, whatever the clock says, or of those that begin at the same instant.
    fn add_agreement(&self, agreement: Agreement, audit: AuditEntry) -> BoxFuture<'_, Result<(), AccountsError>>;

    /// Adds an app.
    fn add_app(&self, app: App, audit: AuditEntry) -> BoxFuture<'_, Result<(), AccountsError>>;

    /// Ends an app for good.
    fn revoke_app(&self, app: AppId, audit: AuditEntry) -> BoxFuture<'_, Result<(), AccountsError>>;

    /// Changes one thing about a partner.
    fn change_partner(
        &self,
        partner: PartnerId,
        change: PartnerChange,
        audit: AuditEntry,
    ) -> BoxFuture<'_, Result<(), AccountsError>>;

    /// Changes one thing about an app. A revoked app is changed no more: [`AccountsError::NotFound`].
    fn change_app(&self, app: AppId, change: AppChange, audit: AuditEntry) -> BoxFuture<'_, Result<(), AccountsError>>;

    /// Adds a result address to an app, not proven yet. An app has a given url once.
    fn add_result_address(&self, address: ResultAddress, audit: AuditEntry)
    -> BoxFuture<'_, Result<(), AccountsError>>;

    /// Changes one thing about a result address.
    fn change_result_address(
        &self,
        address: ResultAddressId,
        change: ResultAddressChange,
        audit: AuditEntry,
    ) -> BoxFuture<'_, Result<(), AccountsError>>;

    /// Adds an operator key; its name is unique among those not revoked.
    fn add_operator_key(&self, key: OperatorKey, audit: AuditEntry) -> BoxFuture<'_, Result<(), AccountsError>>;

    /// Refuses an operator key from now on.
    fn revoke_operator_key(&self, key: OperatorKeyId, audit: AuditEntry) -> BoxFuture<'_, Result<(), AccountsError>>;

    /// Begins a new token epoch, so that every earlier token is refused; returns it.
    fn next_token_epoch(&self, app: AppId, audit: AuditEntry) -> BoxFuture<'_, Result<u32, AccountsError>>;

    /// Notes when secrets were last used; an earlier instant than the one that is there changes nothing, nor does a
    /// secret that is gone. Does not raise [`AccountStore::version`]: no check is decided on it.
    fn note_secret_uses(&self, uses: Vec<SecretUse>) -> BoxFuture<'_, Result<(), AccountsError>>;

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
    /// The agreements of all of them, over and to come ones too, in the order of (partner, beginning).
    pub agreements: Vec<Agreement>,
    /// Every app, revoked ones too.
    pub apps: Vec<App>,
    /// The result addresses of all apps.
    pub result_addresses: Vec<ResultAddress>,
    /// Every operator key, revoked ones too.
    pub operator_keys: Vec<OperatorKey>,
}

impl AccountBook {
    /// All agreements of a partner.
    pub fn agreements_of(&self, partner: PartnerId) -> Agreements {
        Agreements::new(self.agreements.iter().filter(|agreement| agreement.partner == partner).cloned().collect())
    }
}

/// One change of a partner.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PartnerChange {
    /// Suspended or resumed.
    Status(PartnerStatus),
    /// Other limits for all its apps together.
    Limits(Limits),
    /// Its agreements, those to come too, are over at this instant, or earlier where they were to end before.
    AgreementsEnd(Timestamp),
    /// It pays in advance from now on, or paid more.
    Prepaid(Prepaid),
}

/// One change of an app.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AppChange {
    /// Suspended, resumed or revoked.
    Status(AppStatus),
    /// Other limits, of all that it asks and of each product; budget and probing stay.
    Limits {
        /// Of everything that it asks.
        in_all: Limits,
        /// Of each product; one that is not listed has none of its own.
        products: Vec<(Product, Limits)>,
    },
    /// Another budget, or none.
    Budget(Option<Budget>),
    /// What happens when it seems to walk through the numbers.
    Probing(Probing),
    /// Another default purpose.
    Purpose(Purpose),
    /// Other published forms.
    Profile(AppProfile),
    /// Another client certificate, or none.
    ClientCertificate(Option<[u8; 32]>),
    /// Other addresses that it is answered from.
    AllowedAddresses(AddressRules),
    /// Another name; one that another app of its partner has is [`AccountsError::Exists`].
    Name(String),
    /// Other products.
    Products(ProductSet),
    /// One more secret; its number is the next, whatever it says. Where [`AppSecret::LIVE_MAX`] are good already:
    /// [`AccountsError::Exists`].
    SecretAdded(AppSecret),
    /// The secret of this number gets no more tokens. The only one an app has, and one that it has not:
    /// [`AccountsError::NotFound`].
    SecretRetired(u32),
}

/// One change of a result address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ResultAddressChange {
    /// It answered the challenge.
    Proven(Timestamp),
    /// Its secret was rolled: the next generation signs, and until an instant the one before as well. Where another
    /// one signs by now than the one that was read, somebody rolled it meanwhile: [`AccountsError::Changed`].
    SecretRolled {
        /// The generation that was read, and is the one before from now on.
        from: u32,
        /// Until when both sign.
        previous_until: Timestamp,
    },
    /// It is not used any more.
    Removed,
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
    /// Whom it concerns: that partner's owners may read it. `None` = the operator alone.
    pub partner: Option<PartnerId>,
}

/// Why an account could not be read or changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AccountsError {
    /// The name is taken.
    #[error("{0} exists already")]
    Exists(String),
    /// There is no such thing.
    #[error("{0} is not known")]
    NotFound(String),
    /// It is not any more as it was read.
    #[error("{0} was changed meanwhile; try again")]
    Changed(String),
    /// The engine failed.
    #[error("the accounts cannot be read or written: {0}")]
    Engine(String),
}
