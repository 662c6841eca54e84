use std::fmt;
use std::time::Duration;

use jiff::Timestamp;

use super::{
    AcceptedCheck, AnswerKey, BoxFuture, ChainHead, DeliveryDraft, KeyedAnswer, Mac, RepeatKey, RepeatWindow,
    StoredAnswer, Subject, SubjectHash,
};
use crate::billing::{Charge, CheckId, Currency, Money, Outcome, PriceStamp};
use crate::partner::{AgreementId, AppId, Environment, PartnerId, Product, Purpose};

/// The append-only record of every check that reached the registry.
pub trait Ledger: Send + Sync {
    /// Makes the record of one check durable, deciding whether it is charged or a free repeat
    /// (contract §5). When the future resolves with `Ok`, the row survives a power cut.
    ///
    /// Where it resolves with [`LedgerError::Unknown`], or its caller stopped waiting, and the row turns
    /// out to be there and charged, the engine reverses it by a new row ([`Outcome::Reversal`]) and
    /// forgets that the question was charged.
    fn record(&self, draft: Draft) -> BoxFuture<'_, Result<Recorded, LedgerError>>;

    /// Makes the records of several checks, and what must commit with them, durable in one transaction:
    /// all or nothing. A row that goes with a stored answer or a delivery is not reversed when its
    /// caller stopped waiting: the answer can be fetched.
    fn submit(&self, submission: Submission) -> BoxFuture<'_, Result<Submitted, LedgerError>>;

    /// The row of this id with its side row opened; `None` where there is none. Not for hot paths.
    fn find(&self, id: CheckId) -> BoxFuture<'_, Result<Option<FoundCheck>, LedgerError>>;

    /// How many checks came to what, by app, from `from` (rounded down to a quarter of an hour) until
    /// `until` (rounded up): the running counters, which are written in the rows' own transactions.
    fn usage(&self, from: Timestamp, until: Timestamp) -> BoxFuture<'_, Result<Vec<Usage>, LedgerError>>;

    /// The newest id that the ledger holds, so that minting continues after it.
    fn newest(&self) -> BoxFuture<'_, Result<Option<CheckId>, LedgerError>>;

    /// Rows in ascending order of id. Long reads are made of many short ones.
    fn rows(&self, query: RowQuery) -> BoxFuture<'_, Result<Vec<LedgerRow>, LedgerError>>;

    /// Checks with what they were about, in the order of their ids, either way: a scan, since no index on numbers is kept.
    /// A call reads a bounded number of rows in short transactions, so a page can be empty and not the last.
    fn asked(&self, query: AskedQuery) -> BoxFuture<'_, Result<AskedPage, LedgerError>>;

    /// Rows with what the chain is computed over, in ascending order of id after `after`.
    fn chain(&self, after: Option<CheckId>, limit: usize) -> BoxFuture<'_, Result<ChainPage, LedgerError>>;

    /// What [`Ledger::rows`] reads, each row with its place in its writer's chain.
    fn placed(&self, query: RowQuery) -> BoxFuture<'_, Result<Vec<PlacedRow>, LedgerError>>;

    /// Where each writer's chain ends, in the order of writers. Every row up to such an end can be read. A writer
    /// without a row after `after` may be left out.
    fn ends(&self, after: Option<CheckId>) -> BoxFuture<'_, Result<Vec<WriterEnd>, LedgerError>>;

    /// The chain heads that were written elsewhere, oldest first.
    fn heads(&self) -> BoxFuture<'_, Result<Vec<ChainHead>, LedgerError>>;
}

/// Is told of every commit that an engine made durable, on the thread that made it: it must be quick.
pub trait CommitObserver: fmt::Debug + Send + Sync {
    /// So many checks were committed together, in this time.
    fn committed(&self, checks: usize, took: Duration);
}

/// What the gateway knows of a check before it is recorded.
#[derive(Debug, Clone)]
pub struct Draft {
    /// Its identity.
    pub id: CheckId,
    /// When it was decided.
    pub at: Timestamp,
    /// Who pays.
    pub partner: PartnerId,
    /// Who asked.
    pub app: AppId,
    /// Under which agreement; `None` in the sandbox of a partner that has none.
    pub agreement: Option<AgreementId>,
    /// What was asked.
    pub product: Product,
    /// Where.
    pub environment: Environment,
    /// What for.
    pub purpose: Purpose,
    /// What came of it; `Answered` becomes `Repeated` where it repeats a charged one.
    pub outcome: Outcome,
    /// The price, frozen.
    pub price: PriceStamp,
    /// How far the registry's knowledge reached.
    pub as_of: Option<Timestamp>,
    /// Which version of the disclosure rules decided.
    pub policy_version: u32,
    /// What makes it the same question as another.
    pub repeat: (RepeatKey, RepeatWindow),
    /// What must go one day: number and facts.
    pub subject: Subject,
}

impl Draft {
    /// What it costs, given whether it repeats a charged one.
    pub fn decide(&self, is_repeat: bool) -> Recorded {
        let outcome = if self.outcome == Outcome::Answered && is_repeat { Outcome::Repeated } else { self.outcome };
        let charge = outcome.free_reason().map_or(Charge::Charged(self.price.list), Charge::Free);
        Recorded { outcome, charge }
    }

    /// The row that stays of it. `side_digest` is [`super::DayKey::digest`] of its sealed side row.
    pub fn row(&self, recorded: Recorded, side_digest: [u8; 32]) -> LedgerRow {
        let charge = match recorded.charge {
            Charge::Charged(amount) => amount,
            Charge::Free(_) => Money::new(0, self.price.list.currency),
        };
        LedgerRow {
            id: self.id,
            at: self.at,
            partner: self.partner,
            app: self.app,
            agreement: self.agreement,
            product: self.product,
            environment: self.environment,
            purpose: self.purpose,
            outcome: recorded.outcome,
            price_version: self.price.version,
            list_price: self.price.list,
            charge,
            as_of: self.as_of,
            policy_version: self.policy_version,
            side_digest,
            reverses: None,
        }
    }
}

/// Checks that are recorded together, and what must be durable with them.
#[derive(Debug, Default)]
pub struct Submission {
    /// The checks, in the order of their ids. May be empty where only the rest is to be kept.
    pub drafts: Vec<Draft>,
    /// The answer under the caller's idempotency key.
    pub answer: Option<KeyedAnswer>,
    /// A check that is decided later, accepted with that answer ([`super::Outbox::accept`] where there is no key).
    pub accepted: Option<AcceptedCheck>,
    /// What is delivered of it; it also ends the accepted check of the same id.
    pub delivery: Option<DeliveryDraft>,
}

/// What became of a submission.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Submitted {
    /// All of it is durable: how each check was recorded, and the answer as it was stored.
    Recorded(Vec<Recorded>, Option<Vec<u8>>),
    /// An answer was stored under this key meanwhile; nothing of the submission was written.
    Answered(AnswerKey, StoredAnswer),
}

/// A check as it is found again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundCheck {
    /// Its row.
    pub row: LedgerRow,
    /// The keyed hash of its number, which stays where the rest is forgotten; `None` of a reversal.
    pub number: Option<SubjectHash>,
    /// What was asked and answered; `None` once retention has forgotten it.
    pub subject: Option<Subject>,
    /// Whether its charge was reversed by a later row.
    pub is_reversed: bool,
}

/// How many checks of one kind there were.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Usage {
    /// Whose.
    pub app: AppId,
    /// Of what.
    pub product: Product,
    /// Where.
    pub environment: Environment,
    /// What came of them.
    pub outcome: Outcome,
    /// The beginning of the quarter of an hour.
    pub from: Timestamp,
    /// How many.
    pub checks: u64,
    /// What they cost together, in minor units.
    pub charged_minor: i64,
}

/// How a check was recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Recorded {
    /// What came of it.
    pub outcome: Outcome,
    /// What it costs.
    pub charge: Charge,
}

/// One row, as it stays for ever.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LedgerRow {
    /// Its identity.
    pub id: CheckId,
    /// When it was decided.
    pub at: Timestamp,
    /// Who pays.
    pub partner: PartnerId,
    /// Who asked.
    pub app: AppId,
    /// Under which agreement.
    pub agreement: Option<AgreementId>,
    /// What was asked.
    pub product: Product,
    /// Where.
    pub environment: Environment,
    /// What for.
    pub purpose: Purpose,
    /// What came of it.
    pub outcome: Outcome,
    /// The version of the price.
    pub price_version: u32,
    /// The price of one unit then.
    pub list_price: Money,
    /// What it costs; zero where it is free.
    pub charge: Money,
    /// How far the registry's knowledge reached.
    pub as_of: Option<Timestamp>,
    /// Which version of the disclosure rules decided.
    pub policy_version: u32,
    /// SHA-256 of the sealed side row ([`super::SubjectHash`] and sealed bytes).
    pub side_digest: [u8; 32],
    /// Of a reversal: the check whose charge it takes back. Part of the chain where there is one.
    pub reverses: Option<CheckId>,
}

impl LedgerRow {
    /// The row that takes this one's charge back, decided at `at` and named `id`
    /// ([`CheckId::of_reversal`]). It has no side row.
    #[must_use]
    pub fn reversal(&self, id: CheckId, at: Timestamp) -> Self {
        Self {
            id,
            at,
            outcome: Outcome::Reversal,
            charge: Money::new(-self.charge.minor, self.charge.currency),
            side_digest: [0; 32],
            reverses: Some(self.id),
            ..self.clone()
        }
    }

    /// What stands for a row with a value that is never written, somebody having altered it: a
    /// verification must name it and go on, so it has a form that no link fits.
    pub fn unreadable(id: CheckId) -> Self {
        let nothing = Money::new(0, Currency::KES);
        Self {
            id,
            at: Timestamp::UNIX_EPOCH,
            partner: PartnerId::from_stored(0),
            app: AppId::from_stored(0),
            agreement: None,
            product: Product::Imsi,
            environment: Environment::Sandbox,
            purpose: Purpose::FraudPrevention,
            outcome: Outcome::Unknown,
            price_version: 0,
            list_price: nothing,
            charge: nothing,
            as_of: None,
            policy_version: 0,
            side_digest: [0; 32],
            reverses: None,
        }
    }

    /// Whether there is a charge that a reversal could take back.
    pub fn is_charged(&self) -> bool {
        self.outcome == Outcome::Answered && self.charge.minor != 0
    }

    /// How it was recorded.
    pub fn recorded(&self) -> Recorded {
        let charge = self.outcome.free_reason().map_or(Charge::Charged(self.charge), Charge::Free);
        Recorded { outcome: self.outcome, charge }
    }
}

/// Which rows to read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RowQuery {
    /// Only rows after this id.
    pub after: Option<CheckId>,
    /// Only rows decided at or after this instant.
    pub from: Option<Timestamp>,
    /// Only rows decided before this instant.
    pub until: Option<Timestamp>,
    /// Only rows of this partner.
    pub partner: Option<PartnerId>,
    /// Only rows of this app.
    pub app: Option<AppId>,
    /// Only rows of this outcome.
    pub outcome: Option<Outcome>,
    /// At most so many rows.
    pub limit: usize,
}

impl RowQuery {
    /// Every row, at most so many at once.
    pub const fn every(limit: usize) -> Self {
        Self { after: None, from: None, until: None, partner: None, app: None, outcome: None, limit }
    }
}

/// A row with its place in the chain of its writer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlacedRow {
    /// The row.
    pub row: LedgerRow,
    /// Which writer wrote it.
    pub writer: u32,
    /// Its place in that writer's chain, from 1.
    pub seq: u64,
}

/// Where a writer's chain ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WriterEnd {
    /// Which writer.
    pub writer: u32,
    /// The place of its last row.
    pub seq: u64,
    /// When that row was decided.
    pub at: Timestamp,
    /// The link of that row.
    pub mac: Mac,
}

/// Which checks to read with what they were about.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AskedQuery {
    /// Only checks about these numbers, at most [`AskedQuery::NUMBERS_MAX`]; empty = about any.
    pub numbers: Vec<SubjectHash>,
    /// Only checks of this partner.
    pub partner: Option<PartnerId>,
    /// Only checks of this app.
    pub app: Option<AppId>,
    /// Only checks of this outcome.
    pub outcome: Option<Outcome>,
    /// From the highest id down.
    pub newest_first: bool,
    /// Only checks after this id, in the order asked for: where the page before ended.
    pub after: Option<CheckId>,
    /// Only checks decided at or after this instant.
    pub from: Option<Timestamp>,
    /// Only checks decided before this instant.
    pub until: Option<Timestamp>,
    /// At most so many checks.
    pub limit: usize,
}

impl AskedQuery {
    /// The most numbers of one query.
    pub const NUMBERS_MAX: usize = 16;
}

/// A page of a scan.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AskedPage {
    /// What fits the query, in the order asked for.
    pub checks: Vec<AskedCheck>,
    /// How many rows were read for it, rounded up to whole reads.
    pub looked_at: u64,
    /// Where the next page begins; `None` = this was the last.
    pub after: Option<CheckId>,
}

/// A check with what it was about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AskedCheck {
    /// Its row.
    pub row: LedgerRow,
    /// The keyed hash of its number; `None` of a reversal.
    pub number: Option<SubjectHash>,
    /// What was asked and answered; `None` once it was forgotten.
    pub subject: Option<Subject>,
}

/// Rows with their links.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ChainPage {
    /// In ascending order of id; empty at the end.
    pub rows: Vec<ChainRow>,
}

/// One row with its link in the chain of its writer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChainRow {
    /// The row.
    pub row: LedgerRow,
    /// Which writer wrote it.
    pub writer: u32,
    /// Its place in that writer's chain, from 1.
    pub seq: u64,
    /// The link.
    pub mac: Mac,
    /// SHA-256 over the side row as it lies there now; `None` once retention has removed it.
    pub side_digest_now: Option<[u8; 32]>,
}

/// Why a record was not confirmed.
#[derive(Debug, Clone, thiserror::Error)]
pub enum LedgerError {
    /// Nothing was written; the check is free.
    #[error("the ledger cannot be written: {0}")]
    NotRecorded(String),
    /// Too many checks wait for it already. Nothing was written; the check is free.
    #[error("too many checks wait for the ledger already; repeat in a moment")]
    Busy,
    /// A commit was attempted and neither success nor failure is known.
    #[error("the ledger did not confirm the record: {0}")]
    Unknown(String),
    /// It cannot be read.
    #[error("the ledger cannot be read: {0}")]
    Unreadable(String),
}
