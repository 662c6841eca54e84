use jiff::{SignedDuration, Timestamp};

use super::{BoxFuture, Forgotten, SubjectHash};
use crate::billing::CheckId;
use crate::line::Msisdn;
use crate::partner::{AppId, Environment, PartnerId, Product};

/// For so long refused calls are kept.
pub const REFUSED_CALLS_KEPT: SignedDuration = SignedDuration::from_hours(24 * 30);
/// So many refused calls of one app are kept at most: the newest.
pub const REFUSED_CALLS_PER_APP: usize = 10_000;

/// An id is never older than its call. It is so much younger at most, unless a clock was set back further.
const ID_LATE_MAX: SignedDuration = SignedDuration::from_hours(24);

/// The calls of known apps that were answered with an error: what the ledger does not keep. It proves nothing and bills
/// nothing; it tells people why a call failed. What could not be kept is lost, and nobody waits for it.
pub trait RefusalLog: Send + Sync {
    /// Keeps these calls, and of each of their apps the newest `per_app` alone. The same call twice does no harm.
    fn keep(&self, calls: Vec<RefusedCall>, per_app: usize) -> BoxFuture<'_, Result<(), RefusalLogError>>;

    /// Calls that fit, newest first.
    fn refused(&self, query: RefusedQuery) -> BoxFuture<'_, Result<Vec<RefusedCall>, RefusalLogError>>;

    /// The call of this id.
    fn refused_call(&self, id: CheckId) -> BoxFuture<'_, Result<Option<RefusedCall>, RefusalLogError>>;

    /// The calls that fit, counted by cause; the most frequent first, at most 200 causes. `newest`: of these, the newest
    /// so many alone. The query's page is not looked at.
    fn causes(
        &self,
        query: RefusedQuery,
        newest: Option<usize>,
    ) -> BoxFuture<'_, Result<Vec<RefusalCause>, RefusalLogError>>;

    /// How many calls of an app there are whose ids are not older than `from`: those that came then or later, and those
    /// that went on then. As quick for ten thousand as a page wants it.
    fn failed_since(&self, app: AppId, from: Timestamp) -> BoxFuture<'_, Result<u64, RefusalLogError>>;

    /// The calls of all apps that came at or after `from`, counted by environment and cause: the newest `newest` of them
    /// alone, so that what is read stays bounded however many there are.
    fn recent(&self, from: Timestamp, newest: usize) -> BoxFuture<'_, Result<RecentRefusals, RefusalLogError>>;

    /// Forgets what was refused before `before`, at most `limit` calls.
    fn forget_refused(&self, before: Timestamp, limit: usize) -> BoxFuture<'_, Result<Forgotten, RefusalLogError>>;

    /// Forgets that the calls of a span were about this number; returns how many there were. The calls stay.
    fn forget_number(
        &self,
        number: SubjectHash,
        from: Option<Timestamp>,
        until: Option<Timestamp>,
    ) -> BoxFuture<'_, Result<u64, RefusalLogError>>;
}

/// A call that was answered with an error.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefusedCall {
    /// The id that its answer named.
    pub id: CheckId,
    /// When it came.
    pub at: Timestamp,
    /// Whose app called.
    pub partner: PartnerId,
    /// Which.
    pub app: AppId,
    /// Where.
    pub environment: Environment,
    /// What was called: one of our own paths; empty where there is no such path.
    pub path: String,
    /// What was asked; `None` = the path is of no one product.
    pub product: Option<Product>,
    /// The HTTP status of the answer.
    pub status: u16,
    /// Its code of the table of errors.
    pub code: String,
    /// How far the call came.
    pub stage: Stage,
    /// What its caller was told, in our own words: nothing that came in the call.
    pub reason: String,
    /// How long it took.
    pub micros: u64,
    /// The one number that it was about, where it could be read, and until that is forgotten.
    pub about: Option<MaskedNumber>,
}

/// What is kept of a number: enough to find calls about it by the number, and to know it again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MaskedNumber {
    /// Its keyed hash, as the ledger has it.
    pub hash: SubjectHash,
    /// [`Msisdn::masked`].
    pub masked: String,
}

impl MaskedNumber {
    /// What is kept of `msisdn`.
    pub fn of(msisdn: Msisdn, hash: SubjectHash) -> Self {
        Self { hash, masked: msisdn.masked() }
    }
}

/// The steps of a call, in their order: where one ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Stage {
    /// Who calls, and whether they may: token, app, agreement, product.
    Token,
    /// What is asked: body, number, idempotency key.
    Request,
    /// How much may be asked: rate, quota, budget.
    Limits,
    /// What is known of the line.
    Registry,
    /// What of it may be told.
    Disclosure,
    /// The durable record, and what it costs.
    Charge,
}

impl Stage {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::Token, Self::Request, Self::Limits, Self::Registry, Self::Disclosure, Self::Charge];

    /// As stored and shown.
    pub fn word(self) -> &'static str {
        match self {
            Self::Token => "token",
            Self::Request => "request",
            Self::Limits => "limits",
            Self::Registry => "registry",
            Self::Disclosure => "disclosure",
            Self::Charge => "charge",
        }
    }

    /// The stage of a word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|stage| stage.word() == word)
    }
}

/// Which refused calls.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RefusedQuery {
    /// Only calls of this partner's apps.
    pub partner: Option<PartnerId>,
    /// Only calls of this app.
    pub app: Option<AppId>,
    /// Only calls about this number.
    pub number: Option<SubjectHash>,
    /// Only calls answered with this HTTP status.
    pub status: Option<u16>,
    /// Only calls answered with this code.
    pub code: Option<String>,
    /// Only calls that came at or after this instant.
    pub from: Option<Timestamp>,
    /// Only calls that came before this instant. One whose id is more than a day younger may be missed.
    pub until: Option<Timestamp>,
    /// Only calls after this one, in the order asked for: where the page before ended.
    pub after: Option<CheckId>,
    /// From the oldest up; otherwise from the newest down.
    pub oldest_first: bool,
    /// At most so many.
    pub limit: usize,
}

impl RefusedQuery {
    /// From which id on, and below which one, the calls of its span stand: ids follow the instants, and have an index.
    pub fn ids(&self) -> (Option<CheckId>, Option<CheckId>) {
        let late = |until: Timestamp| until.checked_add(ID_LATE_MAX).unwrap_or(Timestamp::MAX);
        (self.from.map(CheckId::floor), self.until.map(late).map(CheckId::floor))
    }
}

/// Calls that failed for one reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefusalCause {
    /// The HTTP status.
    pub status: u16,
    /// The code of the table of errors.
    pub code: String,
    /// How far the calls came.
    pub stage: Stage,
    /// What their callers were told.
    pub reason: String,
    /// How many there were.
    pub calls: u64,
    /// When the newest came.
    pub newest: Timestamp,
}

/// The newest refused calls of all apps, counted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RecentRefusals {
    /// By environment and cause, the most frequent first.
    pub causes: Vec<RecentCause>,
    /// How many calls were counted.
    pub calls: u64,
    /// When the oldest of them came; `None` = there was none.
    pub oldest: Option<Timestamp>,
}

/// Calls of one environment that failed for one reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecentCause {
    /// Where they were made.
    pub environment: Environment,
    /// Why they failed.
    pub cause: RefusalCause,
}

impl RecentRefusals {
    /// Of calls that an engine counted by cause: each cause with the instant of its oldest call.
    pub fn of(counted: Vec<(RecentCause, Timestamp)>) -> Self {
        let calls = counted.iter().map(|(of, _)| of.cause.calls).sum();
        let oldest = counted.iter().map(|(_, oldest)| *oldest).min();
        Self { causes: counted.into_iter().map(|(cause, _)| cause).collect(), calls, oldest }
    }
}

/// Why refused calls could not be kept or read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the log of refused calls cannot be read or written: {0}")]
pub struct RefusalLogError(pub String);
