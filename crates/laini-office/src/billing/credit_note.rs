use jiff::Timestamp;
use laini_core::billing::{CreditError, Credited, credit};
use laini_core::partner::PartnerId;
use laini_core::store::{RecordId, RecordKey, RecordKind};
use serde::{Deserialize, Serialize};

use super::Invoice;
use super::number::{Series, next_number};
use crate::payments::{CreditPosting, post_credit};
use crate::{Kept, Problem, Work, key};

/// The longest reason, in characters.
pub(super) const REASON_CHARS_MAX: usize = 500;

/// What is given back of an invoice. The invoice stays as it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CreditNote {
    /// Its number; those of an installation have no gaps.
    pub number: u64,
    /// Whose it is.
    pub partner: PartnerId,
    /// Of which invoice.
    pub invoice: u64,
    /// When it was made.
    pub issued: Timestamp,
    /// The currency of its amounts.
    pub currency: String,
    /// What is given back of which line, before tax.
    pub lines: Vec<Credited>,
    /// Why.
    pub reason: String,
    /// Their sum, in minor units.
    pub subtotal_minor: i64,
    /// The tax of it, in minor units.
    pub tax_minor: i64,
    /// What is given back, in minor units.
    pub total_minor: i64,
}

impl Kept for CreditNote {
    const KIND: RecordKind = RecordKind("credit_note");
    const NOUN: &'static str = "credit note";

    fn id(&self) -> RecordId {
        RecordId(self.number)
    }

    fn keys(&self) -> Vec<RecordKey> {
        let order = self.number.cast_signed();
        vec![key("all", "all", order), key("partner", self.partner, order), key("invoice", self.invoice, order)]
    }
}

/// The credit notes of an invoice, oldest first.
pub fn credit_notes(work: &mut Work<'_>, invoice: u64) -> Result<Vec<CreditNote>, Problem> {
    work.all("invoice", invoice)
}

/// Gives something of an invoice back: at most what is left of each line.
pub fn credit_invoice(
    work: &mut Work<'_>,
    invoice: &Invoice,
    lines: &[Credited],
    reason: &str,
) -> Result<CreditNote, Problem> {
    let reason = said("reason", reason)?;
    let statement = &invoice.statement;
    // Read for writing: two credits at once must see each other.
    let mut of_invoice: Invoice = work.get(invoice.id())?;
    let before: Vec<Credited> = credit_notes(work, statement.number)?.into_iter().flat_map(|note| note.lines).collect();
    let (subtotal_minor, tax_minor) = credit(statement, &before, lines).map_err(refused)?;
    let number = next_number(work, Series::CreditNote)?;
    let note = CreditNote {
        number,
        partner: invoice.partner,
        invoice: statement.number,
        issued: work.at,
        currency: statement.currency.clone(),
        lines: lines.to_vec(),
        reason,
        subtotal_minor,
        tax_minor,
        total_minor: subtotal_minor.saturating_add(tax_minor),
    };
    work.put(&note)?;
    let on = work.office.settings.zone.to_datetime(work.at).date();
    let (partner, invoice, currency) = (note.partner, note.invoice, note.currency.clone());
    post_credit(work, &CreditPosting { number, partner, invoice, amount_minor: note.total_minor, currency, on })?;
    of_invoice.credits += 1;
    work.put(&of_invoice)?;
    let told = format!("{} minor units of invoice {}: {}", note.total_minor, note.invoice, note.reason);
    work.note("invoice.credit", Some(note.partner), number, &told);
    Ok(note)
}

/// A text that somebody gives as a reason.
pub(super) fn said(field: &'static str, text: &str) -> Result<String, Problem> {
    let text = text.trim();
    let fits = !text.is_empty() && text.chars().count() <= REASON_CHARS_MAX && !text.chars().any(char::is_control);
    let expected = || Problem::invalid(field, format!("expected 1 to {REASON_CHARS_MAX} characters on one line"));
    fits.then(|| text.to_owned()).ok_or_else(expected)
}

fn refused(error: CreditError) -> Problem {
    Problem::invalid("lines", error.to_string())
}
