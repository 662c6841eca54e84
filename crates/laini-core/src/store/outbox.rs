use std::fmt;

use jiff::Timestamp;

use super::{AnswerWriter, BoxFuture, LedgerError, RepeatKey, RepeatWindow};
use crate::billing::CheckId;
use crate::disclosure::FactSet;
use crate::line::Msisdn;
use crate::partner::{AppId, Product, Purpose, ResultAddressId};

/// Asynchronous checks and what is delivered of them (contract §6), beside the ledger: a charge and its
/// delivery commit together ([`super::Ledger::submit`]). Numbers and payloads lie sealed.
///
/// Several workers may ask at once: what one has leased no other gets before the lease has ended.
pub trait Outbox: Send + Sync {
    /// Makes an accepted check durable; nothing is charged yet.
    fn accept(&self, check: AcceptedCheck) -> BoxFuture<'_, Result<(), LedgerError>>;

    /// Accepted checks that nobody has leased, oldest first, leased until `until`.
    fn lease_checks(
        &self,
        now: Timestamp,
        until: Timestamp,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<AcceptedCheck>, LedgerError>>;

    /// Puts a delivery that goes with no charge (a refusal, a challenge, a warning) into the outbox. It
    /// ends the accepted check of the same id, where there is one.
    fn put(&self, delivery: DeliveryDraft) -> BoxFuture<'_, Result<(), LedgerError>>;

    /// Deliveries that are due at `now` and leased by nobody, longest due first, leased until `until`. Of
    /// one result address at most `per_address` are leased at a time: those of an earlier lease that has
    /// not ended count, so that a slow receiver holds up nobody else.
    fn lease_deliveries(
        &self,
        now: Timestamp,
        until: Timestamp,
        limit: usize,
        per_address: usize,
    ) -> BoxFuture<'_, Result<Vec<Delivery>, LedgerError>>;

    /// Notes how an attempt ended and what comes next; the lease ends with it.
    fn settle(&self, id: DeliveryId, attempt: Attempt, next: DeliveryState) -> BoxFuture<'_, Result<(), LedgerError>>;

    /// Deliveries, newest first, without their payloads.
    fn deliveries(&self, query: DeliveryQuery) -> BoxFuture<'_, Result<Vec<Delivery>, LedgerError>>;

    /// Makes a delivery due at `now` again, whatever its state; `false` = there is none, or it was
    /// forgotten.
    fn redeliver(&self, id: DeliveryId, now: Timestamp) -> BoxFuture<'_, Result<bool, LedgerError>>;

    /// What waits at `now` though nobody has leased it, by result address.
    fn backlogs(&self, now: Timestamp) -> BoxFuture<'_, Result<Vec<Backlog>, LedgerError>>;

    /// How much waits.
    fn depth(&self) -> BoxFuture<'_, Result<OutboxDepth, LedgerError>>;
}

/// A check that was accepted and not decided yet.
#[derive(Clone, PartialEq, Eq)]
pub struct AcceptedCheck {
    /// Its identity, already told to the caller.
    pub id: CheckId,
    /// When it was accepted.
    pub at: Timestamp,
    /// Who asked.
    pub app: AppId,
    /// What.
    pub product: Product,
    /// How it was asked, and so how it is told.
    pub asked: AskedAs,
    /// About whom.
    pub msisdn: Msisdn,
    /// What for.
    pub purpose: Purpose,
    /// The caller's own reference.
    pub reference: Option<String>,
    /// What makes it the same question as another, so that one accepted twice is charged once.
    pub repeat: (RepeatKey, RepeatWindow),
    /// Where the result goes.
    pub address: ResultAddressId,
}

/// How an accepted check was asked.
#[derive(Clone, PartialEq, Eq)]
pub enum AskedAs {
    /// On the published path of its product: all of that product's facts.
    Published,
    /// Explicitly (`/v1/checks`).
    Explicit {
        /// These facts;
        facts: FactSet,
        /// and whether the SIM is the one of this pseudonym.
        expect: Option<String>,
    },
}

impl AcceptedCheck {
    /// Number, reference and question, for an engine to seal.
    pub fn sealed_part(&self) -> Vec<u8> {
        let mut plain = self.msisdn.as_u64().to_be_bytes().to_vec();
        let mut field = |kind: u8, text: &str| {
            plain.push(kind);
            plain.extend_from_slice(&u16::try_from(text.len()).unwrap_or(u16::MAX).to_be_bytes());
            plain.extend_from_slice(text.as_bytes());
        };
        if let Some(reference) = &self.reference {
            field(b'r', reference);
        }
        if let AskedAs::Explicit { facts, expect } = &self.asked {
            field(b'f', &facts.to_string());
            if let Some(expect) = expect {
                field(b'e', expect);
            }
        }
        plain
    }

    /// Reads what [`AcceptedCheck::sealed_part`] wrote: number, reference, question.
    pub fn read_sealed_part(plain: &[u8]) -> Option<(Msisdn, Option<String>, AskedAs)> {
        let (number, mut rest) = plain.split_first_chunk::<8>()?;
        let (mut reference, mut facts, mut expect) = (None, None, None);
        while let Some((kind, after)) = rest.split_first() {
            let (length, after) = after.split_first_chunk::<2>()?;
            let (text, after) = after.split_at_checked(usize::from(u16::from_be_bytes(*length)))?;
            let text = std::str::from_utf8(text).ok()?;
            match kind {
                b'r' => reference = Some(text.to_owned()),
                b'f' => facts = Some(FactSet::parse_all(text)?),
                b'e' => expect = Some(text.to_owned()),
                _ => return None,
            }
            rest = after;
        }
        let asked = facts.map_or(AskedAs::Published, |facts| AskedAs::Explicit { facts, expect });
        Some((Msisdn::from_stored(u64::from_be_bytes(*number))?, reference, asked))
    }
}

impl fmt::Debug for AcceptedCheck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AcceptedCheck({})", self.id.request_ref())
    }
}

/// The identity of a delivery, `webhook-id` on the wire: the same on every attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DeliveryId(pub CheckId);

/// A delivery on its way into the outbox.
#[derive(Clone)]
pub struct DeliveryDraft {
    /// Its id; of a result, that of its check.
    pub id: DeliveryId,
    /// What it is.
    pub kind: DeliveryKind,
    /// Whose.
    pub app: AppId,
    /// Where to.
    pub address: ResultAddressId,
    /// When it was made; it is due at once.
    pub at: Timestamp,
    /// Writes the body, told how the checks of the same submission were recorded (none for
    /// [`Outbox::put`]).
    pub write: AnswerWriter,
}

impl fmt::Debug for DeliveryDraft {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DeliveryDraft({:?}, {:?})", self.id, self.kind)
    }
}

/// What is delivered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum DeliveryKind {
    /// The result of an asynchronous check.
    Result,
    /// A share of the budget was reached.
    BudgetWarning,
    /// The nonce of a scripted run.
    ScriptedRun,
    /// News of an incident.
    Incident,
}

impl DeliveryKind {
    /// Every kind; engines store the word.
    pub const ALL: [Self; 4] = [Self::Result, Self::BudgetWarning, Self::ScriptedRun, Self::Incident];

    /// The word in lists.
    pub fn word(self) -> &'static str {
        match self {
            Self::Result => "result",
            Self::BudgetWarning => "budget_warning",
            Self::ScriptedRun => "scripted_run",
            Self::Incident => "incident",
        }
    }

    /// Reads the word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.word() == word)
    }
}

/// A delivery in the outbox.
#[derive(Clone, PartialEq, Eq)]
pub struct Delivery {
    /// Its id.
    pub id: DeliveryId,
    /// What it is.
    pub kind: DeliveryKind,
    /// Whose.
    pub app: AppId,
    /// Where to.
    pub address: ResultAddressId,
    /// When it was made.
    pub at: Timestamp,
    /// The body; empty in lists, and once retention has forgotten it.
    pub body: Vec<u8>,
    /// Attempts so far.
    pub attempts: u32,
    /// How the newest attempt ended.
    pub last: Option<Attempt>,
    /// What comes next.
    pub state: DeliveryState,
}

impl fmt::Debug for Delivery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Delivery({:?}, {:?}, {:?})", self.id, self.kind, self.state)
    }
}

/// How one attempt ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// When.
    pub at: Timestamp,
    /// The HTTP status, where one came.
    pub status: Option<u16>,
    /// What went wrong, for people; empty where nothing did. Without personal data.
    pub problem: String,
}

/// What comes next for a delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum DeliveryState {
    /// It is tried again at this instant.
    Due(Timestamp),
    /// It arrived.
    Delivered,
    /// It was given up: the dead-letter list has it.
    Dead,
}

/// Which deliveries to list.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DeliveryQuery {
    /// Only of this app.
    pub app: Option<AppId>,
    /// Only to this address.
    pub address: Option<ResultAddressId>,
    /// Only those given up.
    pub only_dead: bool,
    /// Only those after this one, in the order asked for: where the page before ended.
    pub after: Option<DeliveryId>,
    /// From the oldest up; otherwise from the newest down.
    pub oldest_first: bool,
    /// At most so many.
    pub limit: usize,
}

/// What is due to one result address and leased by nobody.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backlog {
    /// Where to.
    pub address: ResultAddressId,
    /// Since when the longest due is.
    pub since: Timestamp,
    /// How many others are leased, so under way to it.
    pub under_way: u64,
}

/// How much waits in an outbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct OutboxDepth {
    /// Accepted checks not decided yet.
    pub checks: u64,
    /// Deliveries not delivered yet.
    pub deliveries: u64,
    /// Deliveries given up.
    pub dead: u64,
}
