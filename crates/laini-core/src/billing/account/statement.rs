use jiff::civil::Date;

use super::{Means, OpenItem, Settlement, checked};
use crate::billing::{Currency, MoneyError};

/// A statement of account: every entry of a time, and the balance before and after.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountStatement {
    /// The first day.
    pub from: Date,
    /// The last day.
    pub until: Date,
    /// The currency of everything in it.
    pub currency: Currency,
    /// What was owed before the first day, in minor units; below zero: credit.
    pub opening_minor: i64,
    /// In the order of their days.
    pub entries: Vec<Entry>,
    /// What is owed at the end of the last day.
    pub closing_minor: i64,
}

/// An entry of an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry {
    /// Its day.
    pub on: Date,
    /// What it is.
    pub kind: EntryKind,
    /// The number of the invoice, or the id of what settled.
    pub id: u64,
    /// In minor units; above zero: owed, below: settled.
    pub amount_minor: i64,
    /// What is owed with it.
    pub balance_minor: i64,
}

/// What an entry is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum EntryKind {
    /// An invoice.
    Invoice,
    /// Something settled it.
    Settled(Means),
    /// Something that had settled does not count any more.
    Reversed(Means),
}

impl EntryKind {
    /// The word in answers and exports.
    pub fn word(self) -> &'static str {
        match self {
            Self::Invoice => "invoice",
            Self::Settled(means) => means.word(),
            Self::Reversed(Means::Payment) => "payment_reversed",
            Self::Reversed(Means::CreditNote) => "credit_note_reversed",
            Self::Reversed(Means::WithholdingTax) => "withholding_tax_reversed",
            Self::Reversed(Means::Invoice) => "invoice_reversed",
        }
    }
}

impl AccountStatement {
    /// From the first day to the last, both of them in it.
    pub fn between(
        (from, until): (Date, Date),
        currency: Currency,
        items: &[OpenItem],
        settlements: &[Settlement],
    ) -> Result<Self, MoneyError> {
        let mut all: Vec<(Date, EntryKind, u64, i64)> = Vec::new();
        for item in items {
            checked(item.total, currency)?;
            all.push((item.issued, EntryKind::Invoice, item.number, item.total.minor));
        }
        for settlement in settlements {
            checked(settlement.amount, currency)?;
            let (means, id, amount) = (settlement.means, settlement.id, settlement.amount.minor);
            all.push((settlement.on, EntryKind::Settled(means), id, -amount));
            if let Some(day) = settlement.reversed {
                all.push((day.max(settlement.on), EntryKind::Reversed(means), id, amount));
            }
        }
        all.sort_unstable();
        let (mut opening_minor, mut balance_minor, mut entries) = (0, 0_i64, Vec::new());
        for (on, kind, id, amount_minor) in all.into_iter().filter(|(on, ..)| *on <= until) {
            balance_minor = balance_minor.checked_add(amount_minor).ok_or(MoneyError::Overflow)?;
            if on < from {
                opening_minor = balance_minor;
            } else {
                entries.push(Entry { on, kind, id, amount_minor, balance_minor });
            }
        }
        Ok(Self { from, until, currency, opening_minor, entries, closing_minor: balance_minor })
    }
}
