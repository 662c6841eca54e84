use jiff::Timestamp;

use super::accounts::{AccountsError, AppChange, AuditEntry, PartnerChange};
use super::{BoxFuture, ResultAddressChange, SubjectHash};
use crate::partner::{Agreement, App, AppId, Partner, PartnerId, ResultAddress, ResultAddressId};

/// What people and organisations did: records of many kinds, found by keys, changed together with the
/// accounts that they concern (decision 0037). Small and rarely written; never on the way of a check.
pub trait OfficeStore: Send + Sync {
    /// One record; `None` where there is none.
    fn record(&self, kind: RecordKind, id: RecordId) -> BoxFuture<'_, Result<Option<Record>, OfficeError>>;

    /// The records that stand under a key, in the order of (order, id).
    fn find(&self, query: RecordQuery) -> BoxFuture<'_, Result<Vec<Found>, OfficeError>>;

    /// Everything that `change` says, or nothing.
    fn commit(&self, change: OfficeChange) -> BoxFuture<'_, Result<(), OfficeError>>;

    /// Keeps the bytes of a document under their SHA-256; again does no harm. A record names it afterwards.
    fn keep_document(&self, digest: [u8; 32], bytes: Vec<u8>) -> BoxFuture<'_, Result<(), OfficeError>>;

    /// The bytes of a document.
    fn document(&self, digest: [u8; 32]) -> BoxFuture<'_, Result<Option<Vec<u8>>, OfficeError>>;

    /// Audit rows, newest first.
    fn trail(&self, query: TrailQuery) -> BoxFuture<'_, Result<Vec<TrailRow>, OfficeError>>;
}

/// What a record is: a word of its own, stored with it, so it never changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct RecordKind(pub &'static str);

/// The id of a record within its kind; below 2⁶³.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RecordId(pub u64);

/// A record as it lies there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Grows by one with every change, from 1.
    pub version: u64,
    /// What it says, in the form of its owner.
    pub body: Vec<u8>,
}

/// A record that was found by a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Its id.
    pub id: RecordId,
    /// Where it stands among those of its key.
    pub order: i64,
    /// The record.
    pub record: Record,
}

/// A key that a record is found by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordKey {
    /// Which of the keys of its kind: a word.
    pub index: &'static str,
    /// Its value.
    pub key: String,
    /// Where the record stands among those of the same key, an instant for example.
    pub order: i64,
    /// Whether no other record of the kind may have the same value.
    pub is_unique: bool,
}

/// Which records to find.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordQuery {
    /// Of this kind,
    pub kind: RecordKind,
    /// under this key
    pub index: &'static str,
    /// of this value,
    pub key: String,
    /// after this one of the page before,
    pub after: Option<(i64, RecordId)>,
    /// from the highest order down,
    pub newest_first: bool,
    /// at most so many.
    pub limit: usize,
}

/// A change of one record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordChange {
    /// Its kind.
    pub kind: RecordKind,
    /// Its id.
    pub id: RecordId,
    /// The version that was read; 0 = there is none yet. Another one there is a conflict.
    pub expected: u64,
    /// What it says from now on; `None` = it is removed.
    pub body: Option<Vec<u8>>,
    /// The keys that it is found by from now on.
    pub keys: Vec<RecordKey>,
}

/// What becomes true at once, or not at all.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct OfficeChange {
    /// Records.
    pub records: Vec<RecordChange>,
    /// Changes of the accounts that checks are decided on; in this order, before the records.
    pub accounts: Vec<AccountsChange>,
    /// Who did what.
    pub trail: Vec<AuditEntry>,
}

/// A change of the accounts, as a value.
#[derive(Debug, Clone, PartialEq)]
pub enum AccountsChange {
    /// Adds a partner.
    AddPartner(Partner),
    /// Adds a version of an agreement: see [`AccountStore::add_agreement`](super::AccountStore::add_agreement).
    AddAgreement(Agreement),
    /// Adds an app.
    AddApp(Box<App>),
    /// Changes a partner.
    Partner(PartnerId, PartnerChange),
    /// Changes an app that is not revoked.
    App(AppId, AppChange),
    /// Ends an app for good.
    RevokeApp(AppId),
    /// Refuses every earlier token of an app.
    NextTokenEpoch(AppId),
    /// Adds a result address.
    AddResultAddress(ResultAddress),
    /// Changes a result address.
    ResultAddress(ResultAddressId, ResultAddressChange),
    /// Restricts a number for the holdings that began by an instant ([`Timestamp::MAX`] = for whoever holds it), or lifts
    /// its restriction (`None`).
    Restriction(SubjectHash, Option<Timestamp>),
}

/// Which audit rows to read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TrailQuery {
    /// Only rows after this number, in the order asked for: where the page before ended.
    pub after: Option<u64>,
    /// From the oldest up; otherwise from the newest down.
    pub oldest_first: bool,
    /// Only what concerns this partner.
    pub partner: Option<PartnerId>,
    /// Only what was done by those whose name in the trail begins so.
    pub actor: String,
    /// Only actions that begin so.
    pub action: String,
    /// Only what was done from this instant on,
    pub from: Option<Timestamp>,
    /// and before this one.
    pub until: Option<Timestamp>,
    /// At most so many.
    pub limit: usize,
}

/// An audit row with its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrailRow {
    /// Grows with every row.
    pub number: u64,
    /// What it says.
    pub entry: AuditEntry,
}

/// Why the office's records could not be read or changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OfficeError {
    /// Somebody else changed a record meanwhile: read again, and decide again.
    #[error("{} {} was changed meanwhile", .0.0, .1.0)]
    Conflict(RecordKind, RecordId),
    /// Another record of the kind has this key.
    #[error("another {} has this {index}", kind.0)]
    Taken {
        /// The kind.
        kind: RecordKind,
        /// Which key.
        index: &'static str,
    },
    /// The accounts do not allow it: a name that is taken, an app that is gone.
    #[error("{0}")]
    Accounts(AccountsError),
    /// The engine failed.
    #[error("the office's records cannot be read or written: {0}")]
    Engine(String),
}
