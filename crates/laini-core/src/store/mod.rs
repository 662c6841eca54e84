//! The ports: what the rules need remembered, as traits that an engine implements.
//!
//! Owns the shapes that cross them and the cryptography of the ledger (chain, sealing), so that every
//! engine keeps the same bytes. Must never assume an engine: no SQL, no files, no isolation level;
//! uniqueness is by constraint and order is by values that the rows carry.

mod accounts;
mod answers;
mod chain;
mod day_key_seal;
mod ledger;
mod nodes;
mod office;
mod outbox;
mod recorded;
mod refusals;
mod registry;
mod reject;
mod repeat;
mod retention;
mod shares;
mod subject;
mod worlds;

use std::future::Future;
use std::pin::Pin;

pub use accounts::{
    AccountBook, AccountStore, AccountsError, AppChange, AuditEntry, PartnerChange, ResultAddressChange,
};
pub use answers::{AnswerKey, AnswerMemory, AnswerWriter, Claim, Claimed, KeyedAnswer, RequestHash, StoredAnswer};
pub use chain::{ChainBreak, ChainHead, ChainKey, ChainVerifier, Mac, is_written_under, verify_heads, verify_ledger};
pub use day_key_seal::DayKeySeal;
pub use ledger::{
    AskedCheck, AskedPage, AskedQuery, ChainPage, ChainRow, CommitObserver, Draft, FoundCheck, Ledger, LedgerError,
    LedgerRow, PlacedRow, Recorded, RowQuery, Submission, Submitted, Usage, WriterEnd,
};
pub use nodes::{Node, NodeStore, NodesError};
pub use office::{
    AccountsChange, Found, OfficeChange, OfficeError, OfficeStore, Record, RecordChange, RecordId, RecordKey,
    RecordKind, RecordQuery, TrailQuery, TrailRow,
};
pub use outbox::{
    AcceptedCheck, AskedAs, Attempt, Backlog, Delivery, DeliveryDraft, DeliveryId, DeliveryKind, DeliveryQuery,
    DeliveryState, Outbox, OutboxDepth,
};
pub use recorded::{EVENTS_LOOKED_THROUGH, RecordedEvent, RecordedPage, RecordedQuery};
pub use refusals::{
    MaskedNumber, REFUSED_CALLS_KEPT, REFUSED_CALLS_PER_APP, RecentCause, RecentRefusals, RefusalCause, RefusalLog,
    RefusalLogError, RefusedCall, RefusedQuery, Stage,
};
pub use registry::{
    FeedError, FeedItem, FeedResult, FeedStatus, Lookup, RefusedLine, Registry, RegistryError, RegistryFeed,
    RegistryStatus, SnapshotLoad, SnapshotPlan, SnapshotSummary, SourceStatus,
};
pub use reject::{KeptLine, Reject, RejectCursor, RejectId, RejectPage};
pub use repeat::{RepeatBatch, RepeatKey, RepeatMemory, RepeatWindow, Repeatable};
pub use retention::{CHECKS_AT_ONCE, Forgotten, Retention};
pub use shares::{Allowance, Demand, Grant, LimitShares, Limited, Paces, Quota, SharesError, Want};
pub use subject::{BodyOwner, DayKey, DayKeyError, DayKeys, OpenError, Subject, SubjectHash, SubjectHasher};
pub use worlds::{Changed, WorldChange, WorldStore, WorldsError};

/// What an asynchronous method of a port returns: an engine may answer at once or wait for a network.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;
