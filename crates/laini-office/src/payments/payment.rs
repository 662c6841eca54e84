use jiff::Timestamp;
use jiff::ToSpan as _;
use jiff::civil::Date;
use laini_core::billing::{Means, Settlement};
use laini_core::partner::{PartnerId, PaymentId};
use laini_core::store::{RecordId, RecordKey, RecordKind};
use serde::{Deserialize, Serialize};

use super::receivable::{Receivable, money};
use super::statement::Format;
use super::{MatchedBy, known_partner, order, positive, reason, today};
use crate::{Kept, Page, PageRequest, Problem, Work, key, unique};

/// The longest reference or name of a bank that is taken, in characters.
const TEXT_CHARS_MAX: usize = 200;

/// Money that came in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Payment {
    /// Its id.
    pub id: PaymentId,
    /// Who told of it.
    pub source: Source,
    /// What it is called there: no other payment of the source has it.
    pub bank_id: String,
    /// When it was booked.
    pub on: Date,
    /// How much, in minor units; above zero.
    pub amount_minor: i64,
    /// The currency.
    pub currency: String,
    /// What the payer wrote.
    pub reference: String,
    /// The account number that the payer typed at a paybill.
    pub account: String,
    /// What else the bank said.
    pub details: String,
    /// Whose it is; `None` = nobody knows yet.
    pub partner: Option<PartnerId>,
    /// The invoice that it is meant for.
    pub invoice: Option<u64>,
    /// How it was found out whose it is.
    pub matched: Option<MatchedBy>,
    /// How much of it was put on the partner's prepaid balance, with its tax.
    pub prepaid_minor: i64,
    /// Since when it does not count any more, and why.
    pub reversed: Option<Reversed>,
    /// When it was recorded.
    pub recorded: Timestamp,
}

/// Who told of a payment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// Somebody of the operator's.
    Hand,
    /// A bank's table.
    Csv,
    /// A bank's camt.053.
    Camt053,
    /// An M-PESA paybill.
    Mpesa,
}

impl Source {
    /// The word in answers and exports.
    pub fn word(self) -> &'static str {
        match self {
            Self::Hand => "hand",
            Self::Csv => Format::Csv.word(),
            Self::Camt053 => Format::Camt053.word(),
            Self::Mpesa => Format::Mpesa.word(),
        }
    }
}

impl From<Format> for Source {
    fn from(format: Format) -> Self {
        match format {
            Format::Csv => Self::Csv,
            Format::Camt053 => Self::Camt053,
            Format::Mpesa => Self::Mpesa,
        }
    }
}

/// Why a payment does not count any more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reversed {
    /// Since when.
    pub on: Date,
    /// Why.
    pub reason: String,
}

impl Payment {
    /// What it settles; `None` where nothing of it is left for invoices.
    pub(super) fn settlement(&self) -> Result<Option<Settlement>, Problem> {
        let amount = money(self.amount_minor - self.prepaid_minor, &self.currency)?;
        let reversed = self.reversed.as_ref().map(|reversed| reversed.on);
        let (means, id, on, invoice) = (Means::Payment, self.id.as_u64(), self.on, self.invoice);
        Ok((amount.minor > 0).then_some(Settlement { means, id, on, amount, invoice, reversed }))
    }
}

impl Kept for Payment {
    const KIND: RecordKind = RecordKind("payment");
    const NOUN: &'static str = "payment";

    fn id(&self) -> RecordId {
        self.id.into()
    }

    fn keys(&self) -> Vec<RecordKey> {
        let (recorded, on) = (self.recorded.as_microsecond(), order(self.on));
        let mut keys = vec![unique("bank_id", bank_key(self.source, &self.bank_id)), key("all", "all", recorded)];
        match self.partner {
            Some(partner) => keys.push(key("partner", partner, on)),
            None if self.reversed.is_none() => keys.push(key("unmatched", "all", on)),
            None => {}
        }
        keys
    }
}

/// What a payment is unique by.
pub(super) fn bank_key(source: Source, bank_id: &str) -> String {
    format!("{}:{bank_id}", source.word())
}

/// Whether a payment can have been booked on a day: until tomorrow, which has begun where the bank is.
pub(super) fn has_come(work: &Work<'_>, on: Date) -> bool {
    on <= today(work).saturating_add(1.day())
}

/// A payment that somebody tells of.
#[derive(Debug, Clone)]
pub struct NewPayment {
    /// Whose.
    pub partner: PartnerId,
    /// When it was booked.
    pub on: Date,
    /// In minor units of the operator's currency.
    pub amount_minor: i64,
    /// What the payer wrote.
    pub reference: String,
    /// What the bank calls it; the payment's own id where it has no name.
    pub bank_id: Option<String>,
    /// The invoice that it is meant for.
    pub invoice: Option<u64>,
}

/// Records a payment that somebody tells of.
pub fn record(work: &mut Work<'_>, new: NewPayment) -> Result<Payment, Problem> {
    let amount = positive(work, "amount_minor", new.amount_minor)?;
    known_partner(work, new.partner)?;
    invoice_of(work, new.partner, new.invoice)?;
    if !has_come(work, new.on) {
        return Err(Problem::invalid("on", "a payment that was booked has a day that has come"));
    }
    let id = PaymentId::from_random(work.office.entropy.next_u64());
    let bank_id = new.bank_id.map_or_else(|| Ok(id.to_string()), |bank_id| one_line("bank_id", &bank_id, 1))?;
    let payment = Payment {
        id,
        source: Source::Hand,
        bank_id,
        on: new.on,
        amount_minor: amount.minor,
        currency: amount.currency.as_str().to_owned(),
        reference: one_line("reference", &new.reference, 0)?,
        account: String::new(),
        details: String::new(),
        partner: Some(new.partner),
        invoice: new.invoice,
        matched: Some(MatchedBy::Person),
        prepaid_minor: 0,
        reversed: None,
        recorded: work.at,
    };
    if work.the::<Payment>("bank_id", bank_key(payment.source, &payment.bank_id))?.is_some() {
        return Err(Problem::Taken("a payment of this bank id was recorded already".into()));
    }
    work.put(&payment)?;
    work.note("payment.record", Some(new.partner), id, &amount.to_string());
    Ok(payment)
}

/// Says whose a payment is, and what it is meant for.
pub fn match_with(
    work: &mut Work<'_>,
    id: PaymentId,
    partner: PartnerId,
    invoice: Option<u64>,
) -> Result<Payment, Problem> {
    let mut payment: Payment = work.get(id)?;
    known_partner(work, partner)?;
    invoice_of(work, partner, invoice)?;
    if payment.reversed.is_some() {
        return Err(Problem::not_now("the payment was reversed; it settles nothing any more"));
    }
    if payment.prepaid_minor > 0 && payment.partner != Some(partner) {
        return Err(Problem::not_now("some of it lies on a prepaid balance; it stays with that partner"));
    }
    (payment.partner, payment.invoice, payment.matched) = (Some(partner), invoice, Some(MatchedBy::Person));
    work.put(&payment)?;
    work.note("payment.match", Some(partner), id, &invoice.map_or(String::new(), |number| format!("invoice {number}")));
    Ok(payment)
}

/// Takes a payment back: it bounced, or it was recorded by mistake. Without a day, from today, or from the payment's own
/// where that has not come.
pub fn reverse(work: &mut Work<'_>, id: PaymentId, on: Option<Date>, why: &str) -> Result<Payment, Problem> {
    let mut payment: Payment = work.get(id)?;
    // A bank's day may be ahead of the operator's.
    let latest = today(work).max(payment.on);
    let (why, on) = (reason(why)?, on.unwrap_or(latest));
    if payment.reversed.is_some() {
        return Err(Problem::not_now("the payment was reversed already"));
    }
    if payment.prepaid_minor > 0 {
        return Err(Problem::not_now("some of it lies on a prepaid balance, and may be used; agree on another way"));
    }
    if on < payment.on || on > latest {
        return Err(Problem::invalid("on", "a day from the payment's own until today"));
    }
    payment.reversed = Some(Reversed { on, reason: why.clone() });
    work.put(&payment)?;
    work.note("payment.reverse", payment.partner, id, &why);
    Ok(payment)
}

/// Payments, the newest first; those alone whose partner nobody knows, where `unmatched`.
pub fn list(work: &mut Work<'_>, unmatched: bool, page: PageRequest) -> Result<Page<Payment>, Problem> {
    work.find(if unmatched { "unmatched" } else { "all" }, "all", true, page)
}

/// A partner's payments, the newest first.
pub fn of_partner(work: &mut Work<'_>, partner: PartnerId, page: PageRequest) -> Result<Page<Payment>, Problem> {
    known_partner(work, partner)?;
    work.find("partner", partner, true, page)
}

/// Whether an invoice is the partner's.
pub(super) fn invoice_of(work: &mut Work<'_>, partner: PartnerId, invoice: Option<u64>) -> Result<(), Problem> {
    let Some(number) = invoice else { return Ok(()) };
    let unknown = || Problem::invalid("invoice", "the partner has no invoice of this number");
    let number = i64::try_from(number).map_err(|_| unknown())?;
    let found = work.look::<Receivable>(RecordId(number.unsigned_abs()))?;
    found.filter(|found| found.partner == partner).map(drop).ok_or_else(unknown)
}

pub(super) fn one_line(field: &'static str, text: &str, least: usize) -> Result<String, Problem> {
    let text = text.trim();
    let fits = (least..=TEXT_CHARS_MAX).contains(&text.chars().count()) && !text.chars().any(char::is_control);
    if fits {
        Ok(text.to_owned())
    } else {
        Err(Problem::invalid(field, format!("{least} to {TEXT_CHARS_MAX} characters in one line")))
    }
}
