use laini_core::billing::{AccountStatement, Entry, EntryKind, Means, Money};
use laini_core::partner::Partner;

use crate::paper::{Block, Paper, Table};

/// A statement of account as a paper.
pub fn paper(operator: &str, partner: &Partner, statement: &AccountStatement) -> Paper {
    let amount = |minor| Money::new(minor, statement.currency).to_string();
    let number = |head: &str| (head.to_owned(), true);
    let text = |head: &str| (head.to_owned(), false);
    let row = |entry: &Entry| {
        let (owed, settled) = columns(entry);
        let shown = |minor: Option<i64>| minor.map(amount).unwrap_or_default();
        vec![entry.on.to_string(), in_words(entry), shown(owed), shown(settled), amount(entry.balance_minor)]
    };
    let rows = statement.entries.iter().map(row).collect();
    let sum = |words: &str, minor| vec![String::new(), words.to_owned(), String::new(), String::new(), amount(minor)];
    let table = Table {
        columns: vec![text("Date"), text("Entry"), number("Owed"), number("Settled"), number("Balance")],
        rows,
        sums: vec![sum("Balance at the end", statement.closing_minor)],
    };
    let facts = [
        ("From", statement.from.to_string()),
        ("Until", statement.until.to_string()),
        ("Balance at the beginning", amount(statement.opening_minor)),
        ("Balance at the end", amount(statement.closing_minor)),
    ];
    Paper {
        title: "Statement of account".to_owned(),
        lead: vec![format!("From {operator}"), format!("To {}", partner.name)],
        blocks: vec![
            Block::Facts(facts.map(|(name, value)| (name.to_owned(), value)).to_vec()),
            Block::Table(table),
            Block::Text("A balance below zero is credit: it settles the next invoice.".to_owned()),
        ],
        foot: format!("{}, {} to {}", partner.id, statement.from, statement.until),
    }
}

/// A statement of account as a table for programs: amounts in the currency's unit, with a point.
pub fn csv(statement: &AccountStatement) -> String {
    let amount = |minor: i64| {
        let shown = Money::new(minor, statement.currency).to_string();
        shown.split_once(' ').map_or(String::new(), |(_, amount)| amount.to_owned())
    };
    let mut table = "date,entry,id,owed,settled,balance,currency\n".to_owned();
    let currency = statement.currency.as_str();
    let opening = amount(statement.opening_minor);
    table += &format!("{},opening_balance,,,,{opening},{currency}\n", statement.from);
    for entry in &statement.entries {
        let (owed, settled) = columns(entry);
        let shown = |minor: Option<i64>| minor.map(amount).unwrap_or_default();
        let (id, word, balance) = (id_of(entry), entry.kind.word(), amount(entry.balance_minor));
        table += &format!("{},{word},{id},{},{},{balance},{currency}\n", entry.on, shown(owed), shown(settled));
    }
    let closing = amount(statement.closing_minor);
    table + &format!("{},closing_balance,,,,{closing},{currency}\n", statement.until)
}

/// What an entry adds to what is owed, or what it settles.
fn columns(entry: &Entry) -> (Option<i64>, Option<i64>) {
    if entry.amount_minor < 0 { (None, Some(-entry.amount_minor)) } else { (Some(entry.amount_minor), None) }
}

fn in_words(entry: &Entry) -> String {
    match entry.kind {
        EntryKind::Invoice | EntryKind::Settled(Means::Invoice) => format!("Invoice {}", entry.id),
        EntryKind::Settled(Means::Payment) => "Payment, with thanks".to_owned(),
        EntryKind::Settled(Means::CreditNote) => format!("Credit note {}", entry.id),
        EntryKind::Settled(Means::WithholdingTax) => "Certificate of withheld tax".to_owned(),
        EntryKind::Reversed(Means::Payment) => "Payment reversed".to_owned(),
        EntryKind::Reversed(Means::CreditNote) => format!("Credit note {} reversed", entry.id),
        EntryKind::Reversed(Means::WithholdingTax) => "Certificate of withheld tax reversed".to_owned(),
        EntryKind::Reversed(Means::Invoice) => format!("Invoice {} reversed", entry.id),
    }
}

/// An entry's id, as other answers write it: a number, or 16 hexadecimal digits.
pub fn id_of(entry: &Entry) -> String {
    match entry.kind {
        EntryKind::Invoice | EntryKind::Settled(Means::CreditNote) | EntryKind::Reversed(Means::CreditNote) => {
            entry.id.to_string()
        }
        EntryKind::Settled(_) | EntryKind::Reversed(_) => format!("{:016x}", entry.id),
    }
}
