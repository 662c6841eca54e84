//! The account of a partner: what it was invoiced, what settled that, and what is open.
//!
//! Owns the rules of allocation, statements, ageing and when a reminder is due. Must never keep an allocation: it is
//! worked out anew from invoices and settlements, so that nothing can be settled twice and a reversal needs no undoing.

mod ageing;
mod matching;
mod reminder;
mod statement;

use std::collections::BTreeMap;

use jiff::civil::Date;

use super::{Currency, Money, MoneyError};
use crate::partner::{PartnerId, WordError};

pub use ageing::Ageing;
pub use matching::{invoice_numbers, normal_reference};
pub use reminder::Reminder;
pub use statement::{AccountStatement, Entry, EntryKind};

/// An invoice, as its partner's account sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenItem {
    /// The invoice's number.
    pub number: u64,
    /// Who owes it.
    pub partner: PartnerId,
    /// What it comes to, with tax; below zero where it gives back more than it asks for.
    pub total: Money,
    /// The day of the invoice.
    pub issued: Date,
    /// The last day on which it can be paid in time.
    pub due: Date,
}

/// What an invoice is settled by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Means {
    /// Money came.
    Payment,
    /// The operator credited it.
    CreditNote,
    /// Tax that the partner withheld and paid to the tax authority for the operator, by its certificate.
    WithholdingTax,
    /// Another invoice gave it back: one that comes to less than nothing.
    Invoice,
}

impl Means {
    /// Every means.
    pub const ALL: [Self; 4] = [Self::Payment, Self::CreditNote, Self::WithholdingTax, Self::Invoice];

    /// The word in answers and exports.
    pub fn word(self) -> &'static str {
        match self {
            Self::Payment => "payment",
            Self::CreditNote => "credit_note",
            Self::WithholdingTax => "withholding_tax",
            Self::Invoice => "invoice",
        }
    }

    /// Reads the word.
    pub fn parse(word: &str) -> Result<Self, WordError> {
        let found = Self::ALL.into_iter().find(|means| means.word() == word);
        found.ok_or(WordError { expected: "payment, credit_note, withholding_tax, invoice" })
    }
}

/// Something that settles invoices.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settlement {
    /// By what.
    pub means: Means,
    /// Its id among those of its means.
    pub id: u64,
    /// From which day on it counts.
    pub on: Date,
    /// How much; above zero.
    pub amount: Money,
    /// The invoice that it is meant for.
    pub invoice: Option<u64>,
    /// From which day on it counts no more.
    pub reversed: Option<Date>,
}

/// What a settlement settled of an invoice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Allocation {
    /// The means and id of the settlement.
    pub settlement: (Means, u64),
    /// The number of the invoice.
    pub invoice: u64,
    /// How much, in minor units; above zero.
    pub amount_minor: i64,
}

/// What is open of an invoice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owed {
    /// The invoice.
    pub item: OpenItem,
    /// What is still to be paid, in minor units; not below zero.
    pub open_minor: i64,
}

/// A partner's account on one day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// The day.
    pub on: Date,
    /// The currency of everything in it.
    pub currency: Currency,
    /// Every invoice, those due first in front.
    pub invoices: Vec<Owed>,
    /// What settled what.
    pub allocations: Vec<Allocation>,
    /// What was paid or given back and has settled nothing yet, in minor units; not below zero.
    pub credit_minor: i64,
}

impl Account {
    /// The account at the end of a day. A settlement goes to the invoice that it names first, then to those due
    /// first; what is left stays as credit, for the next invoice. What an invoice below zero gives back settles others
    /// like a payment of its day that names none.
    pub fn on(
        on: Date,
        currency: Currency,
        items: &[OpenItem],
        settlements: &[Settlement],
    ) -> Result<Self, MoneyError> {
        let mut invoices = Vec::new();
        for item in items.iter().filter(|item| item.issued <= on) {
            checked(item.total, currency)?;
            invoices.push(Owed { item: item.clone(), open_minor: item.total.minor.max(0) });
        }
        invoices.sort_by_key(|owed| (owed.item.due, owed.item.number));
        let gives_back = |item: &OpenItem| Settlement {
            means: Means::Invoice,
            id: item.number,
            on: item.issued,
            amount: Money::new(item.total.minor.saturating_neg(), currency),
            invoice: None,
            reversed: None,
        };
        let given_back: Vec<Settlement> = items.iter().filter(|item| item.total.minor < 0).map(gives_back).collect();
        let counts = |settlement: &&Settlement| {
            settlement.on <= on && settlement.reversed.is_none_or(|day| day > on) && settlement.amount.minor > 0
        };
        let mut counted: Vec<&Settlement> = settlements.iter().chain(&given_back).filter(counts).collect();
        counted.sort_by_key(|settlement| (settlement.on, settlement.means, settlement.id));
        counted.dedup_by_key(|settlement| (settlement.means, settlement.id));
        let mut account = Self { on, currency, invoices, allocations: Vec::new(), credit_minor: 0 };
        account.allocate(&counted)?;
        Ok(account)
    }

    fn allocate(&mut self, settlements: &[&Settlement]) -> Result<(), MoneyError> {
        let places: BTreeMap<u64, usize> =
            self.invoices.iter().enumerate().map(|(place, owed)| (owed.item.number, place)).collect();
        let mut left = Vec::with_capacity(settlements.len());
        for settlement in settlements {
            checked(settlement.amount, self.currency)?;
            let place = settlement.invoice.and_then(|number| places.get(&number));
            left.push(settlement.amount.minor);
            if let (Some(place), Some(left)) = (place, left.last_mut()) {
                self.settle(*place, settlement, left);
            }
        }
        let mut next = 0;
        for (settlement, mut left) in settlements.iter().zip(left) {
            while left > 0 && next < self.invoices.len() {
                self.settle(next, settlement, &mut left);
                next += usize::from(self.invoices[next].open_minor == 0);
            }
            self.credit_minor = self.credit_minor.checked_add(left).ok_or(MoneyError::Overflow)?;
        }
        self.open_minor().map(drop)
    }

    fn settle(&mut self, place: usize, settlement: &Settlement, left: &mut i64) {
        let owed = &mut self.invoices[place];
        let amount_minor = owed.open_minor.min(*left);
        if amount_minor > 0 {
            owed.open_minor -= amount_minor;
            *left -= amount_minor;
            let (of, invoice) = ((settlement.means, settlement.id), owed.item.number);
            self.allocations.push(Allocation { settlement: of, invoice, amount_minor });
        }
    }

    /// What is open in all, in minor units.
    pub fn open_minor(&self) -> Result<i64, MoneyError> {
        sum(self.invoices.iter().map(|owed| owed.open_minor))
    }

    /// What is open and past its day, in minor units.
    pub fn overdue_minor(&self) -> Result<i64, MoneyError> {
        sum(self.overdue().map(|owed| owed.open_minor))
    }

    /// The invoices that are open and past their day, those due first in front.
    pub fn overdue(&self) -> impl Iterator<Item = &Owed> {
        self.invoices.iter().filter(|owed| owed.open_minor > 0 && owed.item.due < self.on)
    }

    /// What is open of one invoice; `None` where there is no such invoice.
    pub fn open_of(&self, number: u64) -> Option<i64> {
        self.invoices.iter().find(|owed| owed.item.number == number).map(|owed| owed.open_minor)
    }
}

fn checked(amount: Money, currency: Currency) -> Result<(), MoneyError> {
    if amount.currency == currency { Ok(()) } else { Err(MoneyError::Currencies) }
}

fn sum(amounts: impl Iterator<Item = i64>) -> Result<i64, MoneyError> {
    amounts.into_iter().try_fold(0_i64, i64::checked_add).ok_or(MoneyError::Overflow)
}

#[cfg(test)]
mod tests;
