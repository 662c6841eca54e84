use jiff::{SignedDuration, Timestamp};
use laini_core::billing::Credited;
use laini_core::partner::{DisputeId, PartnerId};
use laini_core::store::{RecordId, RecordKey, RecordKind};
use serde::{Deserialize, Serialize};

use super::credit_note::said;
use super::{Invoice, credit_invoice};
use crate::{Kept, Page, PageRequest, Problem, Work, key};

/// A line of an invoice is disputed within so many days after the invoice was made.
pub const DISPUTE_DAYS: i64 = 60;

/// A line of an invoice that the partner does not agree with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dispute {
    /// Its id.
    pub id: DisputeId,
    /// Whose it is.
    pub partner: PartnerId,
    /// The number of the invoice,
    pub invoice: u64,
    /// and of its line.
    pub line: u32,
    /// What is said to be wrong.
    pub reason: String,
    /// When it was opened.
    pub opened: Timestamp,
    /// How it stands.
    pub state: DisputeState,
    /// What the operator said when it was settled; empty before.
    pub answer: String,
    /// When it was settled.
    pub settled: Option<Timestamp>,
}

/// How a dispute stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DisputeState {
    /// Not settled yet.
    Open,
    /// The partner was right: there is a credit note.
    Accepted {
        /// Its number.
        credit_note: u64,
    },
    /// The line stays.
    Rejected,
}

impl DisputeState {
    /// The word in lists and filters.
    pub fn word(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Accepted { .. } => "accepted",
            Self::Rejected => "rejected",
        }
    }
}

/// How a dispute is settled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Settlement {
    /// So much is given back, in minor units before tax.
    Accept {
        /// Above zero, at most what is left of the line.
        amount_minor: i64,
    },
    /// The line stays.
    Reject,
}

impl Kept for Dispute {
    const KIND: RecordKind = RecordKind("dispute");
    const NOUN: &'static str = "dispute";

    fn id(&self) -> RecordId {
        self.id.into()
    }

    fn keys(&self) -> Vec<RecordKey> {
        let order = self.opened.as_microsecond();
        vec![
            key("state", self.state.word(), order),
            key("partner", self.partner, order),
            key("invoice", self.invoice, order),
            key("line", format!("{}/{}", self.invoice, self.line), order),
        ]
    }
}

/// The disputes in a state, oldest first.
pub fn disputes(work: &mut Work<'_>, state: &str, page: PageRequest) -> Result<Page<Dispute>, Problem> {
    work.find("state", state, false, page)
}

/// Disputes a line, within its time, where no dispute of it is open.
pub fn open_dispute(work: &mut Work<'_>, invoice: &Invoice, line: u32, reason: &str) -> Result<Dispute, Problem> {
    let reason = said("reason", reason)?;
    let statement = &invoice.statement;
    if !statement.lines.iter().any(|known| known.line == line) {
        return Err(Problem::invalid("line", "the invoice has no such line"));
    }
    if work.at > statement.issued + SignedDuration::from_hours(24 * DISPUTE_DAYS) {
        return Err(Problem::not_now(format!(
            "lines of an invoice are disputed within {DISPUTE_DAYS} days after it was made; ask the operator"
        )));
    }
    // Two that are opened at once must see each other.
    let of_invoice: Invoice = work.get(invoice.id())?;
    work.put(&of_invoice)?;
    let earlier = work.all::<Dispute>("line", format!("{}/{line}", statement.number))?;
    if earlier.iter().any(|dispute| dispute.state == DisputeState::Open) {
        return Err(Problem::not_now("the line is disputed already; wait for the answer"));
    }
    let dispute = Dispute {
        id: DisputeId::from_random(work.office.entropy.next_u64()),
        partner: invoice.partner,
        invoice: statement.number,
        line,
        reason,
        opened: work.at,
        state: DisputeState::Open,
        answer: String::new(),
        settled: None,
    };
    work.put(&dispute)?;
    let told = format!("line {line} of invoice {}: {}", dispute.invoice, dispute.reason);
    work.note("invoice.dispute", Some(dispute.partner), dispute.id, &told);
    Ok(dispute)
}

/// Settles a dispute: with a credit note, or without.
pub fn settle_dispute(
    work: &mut Work<'_>,
    id: DisputeId,
    settlement: Settlement,
    answer: &str,
) -> Result<Dispute, Problem> {
    let answer = said("answer", answer)?;
    let mut dispute: Dispute = work.get(id)?;
    if dispute.state != DisputeState::Open {
        return Err(Problem::not_now("the dispute was settled already"));
    }
    dispute.state = match settlement {
        Settlement::Reject => DisputeState::Rejected,
        Settlement::Accept { amount_minor } => {
            let invoice: Invoice = work.get(RecordId(dispute.invoice))?;
            let lines = [Credited { line: dispute.line, amount_minor }];
            let note = credit_invoice(work, &invoice, &lines, &answer)?;
            DisputeState::Accepted { credit_note: note.number }
        }
    };
    dispute.answer = answer;
    dispute.settled = Some(work.at);
    work.put(&dispute)?;
    let told = format!("{}: {}", dispute.state.word(), dispute.answer);
    work.note("invoice.dispute.settle", Some(dispute.partner), dispute.id, &told);
    Ok(dispute)
}
