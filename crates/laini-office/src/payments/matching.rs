use laini_core::billing::{invoice_numbers, normal_reference};
use laini_core::partner::PartnerId;
use laini_core::store::RecordId;
use serde::{Deserialize, Serialize};

use super::account::account;
use super::{Payer, Payment, Receivable, today};
use crate::{Problem, Work};

/// How many suggestions are made for one payment.
const SUGGESTIONS_MAX: usize = 5;
/// A name shorter than that, in letters and digits, is found by accident.
const NAME_CHARS_MIN: usize = 5;

/// How it was found out whose a payment is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MatchedBy {
    /// It names an invoice.
    Invoice,
    /// It has the partner's reference, or the account number that the partner types at the paybill.
    Reference,
    /// Somebody said so.
    Person,
}

impl MatchedBy {
    /// The word in answers and exports.
    pub fn word(self) -> &'static str {
        match self {
            Self::Invoice => "invoice",
            Self::Reference => "reference",
            Self::Person => "person",
        }
    }
}

/// Whose a payment may be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Suggestion {
    /// Who.
    pub partner: PartnerId,
    /// For which invoice.
    pub invoice: Option<u64>,
    /// Why: a sentence for people.
    pub why: &'static str,
}

/// Finds out whose a payment is, where it says so itself; leaves it as it is where it names two.
pub(super) fn find_out(work: &mut Work<'_>, payment: &mut Payment) -> Result<(), Problem> {
    let texts = [&payment.account, &payment.reference, &payment.details].map(String::clone);
    let mut named: Vec<Receivable> = Vec::new();
    for number in texts.iter().flat_map(|text| invoice_numbers(text)) {
        let found = work.look::<Receivable>(RecordId(number))?;
        named.extend(found.filter(|found| named.iter().all(|known| known.number != found.number)));
    }
    if let Some(first) = named.first() {
        let is_of_one = named.iter().all(|one| one.partner == first.partner);
        if is_of_one {
            payment.partner = Some(first.partner);
            payment.invoice = (named.len() == 1).then_some(first.number);
            payment.matched = Some(MatchedBy::Invoice);
        }
        return Ok(());
    }
    for text in &texts[..2] {
        let normal = normal_reference(text);
        let payer = if normal.is_empty() { None } else { work.the::<Payer>("reference", &normal)? };
        if let Some(payer) = payer {
            (payment.partner, payment.matched) = (Some(payer.partner), Some(MatchedBy::Reference));
            return Ok(());
        }
    }
    Ok(())
}

/// Whose a payment may be that does not say so itself: the best first.
pub fn suggestions(work: &mut Work<'_>, payment: &Payment) -> Result<Vec<Suggestion>, Problem> {
    if payment.partner.is_some() || payment.reversed.is_some() {
        return Ok(Vec::new());
    }
    let said = normal_reference(&[&*payment.reference, &*payment.account, &*payment.details].concat());
    let (mut by_amount, mut by_name) = (Vec::new(), Vec::new());
    let on = today(work);
    for partner in work.book()?.partners {
        let account = account(work, partner.id, on)?;
        let same = account.invoices.iter().filter(|owed| owed.open_minor == payment.amount_minor);
        by_amount.extend(same.map(|owed| Suggestion {
            partner: partner.id,
            invoice: Some(owed.item.number),
            why: "exactly so much is open of this invoice",
        }));
        let name = normal_reference(&partner.name);
        if name.len() >= NAME_CHARS_MIN && said.contains(&name) {
            by_name.push(Suggestion { partner: partner.id, invoice: None, why: "the payer wrote this partner's name" });
        }
    }
    by_name.extend(by_amount);
    by_name.truncate(SUGGESTIONS_MAX);
    Ok(by_name)
}
