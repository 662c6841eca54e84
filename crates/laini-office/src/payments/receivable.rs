use jiff::civil::Date;
use laini_core::billing::{Currency, Money, OpenItem};
use laini_core::partner::PartnerId;
use laini_core::store::{RecordId, RecordKey, RecordKind};
use serde::{Deserialize, Serialize};

use super::order;
use crate::{Kept, Problem, Work, key};

/// An invoice, as it stands in its partner's account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receivable {
    /// The invoice's number.
    pub number: u64,
    /// Who owes it.
    pub partner: PartnerId,
    /// With tax, in minor units.
    pub total_minor: i64,
    /// The currency.
    pub currency: String,
    /// The day of the invoice.
    pub issued: Date,
    /// The last day on which it can be paid in time.
    pub due: Date,
}

impl Receivable {
    /// As the rules of accounts see it.
    pub fn item(&self) -> Result<OpenItem, Problem> {
        let Self { number, partner, issued, due, .. } = *self;
        Ok(OpenItem { number, partner, total: money(self.total_minor, &self.currency)?, issued, due })
    }
}

impl Kept for Receivable {
    const KIND: RecordKind = RecordKind("receivable");
    const NOUN: &'static str = "invoice";

    fn id(&self) -> RecordId {
        RecordId(self.number)
    }

    fn keys(&self) -> Vec<RecordKey> {
        vec![key("partner", self.partner, order(self.due)), key("due", "all", order(self.due))]
    }
}

/// A credit note, as it stands in its partner's account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CreditPosting {
    /// The credit note's number.
    pub number: u64,
    /// Whose account.
    pub partner: PartnerId,
    /// The invoice that it is for.
    pub invoice: u64,
    /// With tax, in minor units; above zero.
    pub amount_minor: i64,
    /// The currency.
    pub currency: String,
    /// Its day.
    pub on: Date,
}

impl Kept for CreditPosting {
    const KIND: RecordKind = RecordKind("credit_posting");
    const NOUN: &'static str = "credit note";

    fn id(&self) -> RecordId {
        RecordId(self.number)
    }

    fn keys(&self) -> Vec<RecordKey> {
        vec![key("partner", self.partner, order(self.on))]
    }
}

/// Posts an invoice to its partner's account: in the unit of work that issues it. Again does no harm.
pub fn post(work: &mut Work<'_>, item: &OpenItem) -> Result<(), Problem> {
    let posted = Receivable {
        number: item.number,
        partner: item.partner,
        total_minor: item.total.minor,
        currency: item.total.currency.as_str().to_owned(),
        issued: item.issued,
        due: item.due,
    };
    match work.look::<Receivable>(posted.id())? {
        None => work.put(&posted),
        Some(found) if found == posted => Ok(()),
        // Its number was the next one when it was read, and was given away since.
        Some(_) => Err(Problem::Contended),
    }
}

/// Posts a credit note to its partner's account: in the unit of work that issues it. Again does no harm.
pub fn post_credit(work: &mut Work<'_>, posted: &CreditPosting) -> Result<(), Problem> {
    match work.look::<CreditPosting>(posted.id())? {
        None => work.put(posted),
        Some(found) if found == *posted => Ok(()),
        // As above.
        Some(_) => Err(Problem::Contended),
    }
}

/// An amount as it was kept.
pub(super) fn money(minor: i64, currency: &str) -> Result<Money, Problem> {
    let currency = Currency::parse(currency).map_err(|error| Problem::Store(error.to_string()))?;
    Ok(Money::new(minor, currency))
}
