use laini_core::billing::{Chained, Currency, InvoiceStatement, Line, LineKind, Money};

use super::{CreditNote, Invoice};
use crate::paper::{Block, Paper, Table};

/// The invoice as a paper. The same invoice gives the same paper.
pub fn paper(invoice: &Invoice) -> Paper {
    let statement = &invoice.statement;
    let InvoiceStatement { number, month, issued, due, seller, buyer, .. } = statement;
    let mut facts = vec![
        ("Month".to_owned(), month.to_string()),
        ("Made".to_owned(), issued.strftime("%Y-%m-%d %H:%M UTC").to_string()),
        ("To be paid by".to_owned(), due.to_string()),
    ];
    let numbers = [("Our tax number", &seller.tax_number), ("Your tax number", &buyer.tax_number)];
    facts.extend(numbers.into_iter().filter(|(_, number)| !number.is_empty()).map(named));
    if let Some(receipt) = &invoice.tax_receipt {
        facts.extend([("Tax authority's number", &receipt.number), ("Tax authority's QR", &receipt.qr)].map(named));
    }
    let chains = statement
        .covered
        .chains
        .iter()
        .map(|Chained { writer, seq, mac }| (format!("Chain {writer}"), format!("place {seq}, link {mac}")));
    Paper {
        title: format!("Invoice {number}"),
        lead: lead(statement),
        blocks: vec![
            Block::Facts(facts),
            Block::Table(lines(statement)),
            Block::Heading("What it stands on".to_owned()),
            Block::Text(format!(
                "Every line can be computed again from the ledger: the checks decided before {}, up to the places below, \
                 that no earlier invoice has.",
                statement.covered.end
            )),
            Block::Facts(chains.collect()),
        ],
        foot: format!("Invoice {number}, {month}. Lines can be disputed within 60 days."),
    }
}

/// The credit note as a paper.
pub fn paper_of_credit(note: &CreditNote, invoice: &Invoice) -> Paper {
    let statement = &invoice.statement;
    let money = |minor| amount(statement, minor);
    let what = |number| statement.lines.iter().find(|line| line.line == number).map(described).unwrap_or_default();
    let rows = note.lines.iter().map(|line| vec![line.line.to_string(), what(line.line), money(line.amount_minor)]);
    let sum = |name: &str, minor| vec![String::new(), name.to_owned(), money(minor)];
    Paper {
        title: format!("Credit note {}", note.number),
        lead: lead(statement),
        blocks: vec![
            Block::Facts(vec![
                named(("Of invoice", &note.invoice.to_string())),
                named(("Made", &note.issued.strftime("%Y-%m-%d %H:%M UTC").to_string())),
                named(("Reason", &note.reason)),
            ]),
            Block::Table(Table {
                columns: vec![("Line".to_owned(), true), ("What".to_owned(), false), ("Given back".to_owned(), true)],
                rows: rows.collect(),
                sums: vec![
                    sum("Sum", note.subtotal_minor),
                    sum("Tax", note.tax_minor),
                    sum("Given back", note.total_minor),
                ],
            }),
        ],
        foot: format!("Credit note {} of invoice {}", note.number, note.invoice),
    }
}

fn lead(statement: &InvoiceStatement) -> Vec<String> {
    let mut lead = vec![format!("From {}", statement.seller.name), format!("To {}", statement.buyer.name)];
    lead.extend(statement.buyer.address.iter().cloned());
    lead
}

fn named((name, value): (&str, &String)) -> (String, String) {
    (name.to_owned(), value.clone())
}

fn lines(statement: &InvoiceStatement) -> Table {
    let column = |name: &str, is_number| (name.to_owned(), is_number);
    let money = |minor| amount(statement, minor);
    let rows = statement.lines.iter().map(|line| {
        let unit = line.unit_minor.map(money).unwrap_or_default();
        vec![line.line.to_string(), described(line), line.units.to_string(), unit, money(line.amount_minor)]
    });
    let sum = |name: String, minor| vec![String::new(), name, String::new(), String::new(), money(minor)];
    let rate = super::tax::decimal(i64::from(statement.tax_basis_points));
    Table {
        columns: vec![
            column("Line", true),
            column("What", false),
            column("Units", true),
            column("Each", true),
            column("Amount", true),
        ],
        rows: rows.collect(),
        sums: vec![
            sum("Sum".to_owned(), statement.subtotal_minor),
            sum(format!("Tax, {rate} %"), statement.tax_minor),
            sum("To be paid".to_owned(), statement.total_minor),
        ],
    }
}

fn described(line: &Line) -> String {
    let (product, version) = (line.product.word(), line.price_version);
    match line.kind {
        LineKind::SetUp => format!("{product}: set-up fee (price {version})"),
        LineKind::Free => format!("{product}: free checks (price {version})"),
        LineKind::Units => format!("{product}: checks (price {version})"),
        LineKind::Minimum => format!("{product}: up to the monthly minimum (price {version})"),
        LineKind::TakenBack => format!("{product}: checks of an earlier month, reversed (price {version})"),
    }
}

fn amount(statement: &InvoiceStatement, minor: i64) -> String {
    Money::new(minor, Currency::parse(&statement.currency).unwrap_or(Currency::KES)).to_string()
}
