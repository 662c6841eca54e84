use clap::Args;
use laini_core::billing::{InvoiceStatement, Line};
use laini_office::billing::{CreditNote, Dispute, TaxReceipt, credit_notes};
use serde::Serialize;

use super::list::money;
use super::{invoice, office};
use crate::command::Context;
use crate::command::context::{console, now};

/// `laini invoice show`
#[derive(Args)]
pub(crate) struct ShowArgs {
    /// Its number.
    number: u64,
}

#[derive(Serialize)]
struct Shown {
    statement: InvoiceStatement,
    tax_receipt: Option<TaxReceipt>,
    credit_notes: Vec<CreditNote>,
    disputes: Vec<Dispute>,
}

/// Shows.
pub(crate) fn run(context: &Context, args: &ShowArgs) -> anyhow::Result<()> {
    let office = office(context)?;
    let found = invoice(&office, args.number)?;
    let shown = office.run(&console(), now(), |work| {
        Ok(Shown {
            statement: found.statement.clone(),
            tax_receipt: found.tax_receipt.clone(),
            credit_notes: credit_notes(work, args.number)?,
            disputes: work.all("invoice", args.number)?,
        })
    })?;
    context.out.data(&shown, in_words)
}

fn in_words(shown: &Shown) -> String {
    let InvoiceStatement { number, month, issued, due, buyer, currency, .. } = &shown.statement;
    let statement = &shown.statement;
    let money = |minor| money(minor, currency);
    let mut lines = vec![
        format!("invoice {number} to {} for {month}, made {issued:.0}, to be paid by {due}", buyer.name),
        format!(
            "{:>4}  {:<6} {:<11} {:>5} {:>12} {:>16} {:>18}",
            "line", "of", "kind", "price", "units", "each", "amount"
        ),
    ];
    let line = |line: &Line| {
        let each = line.unit_minor.map(money).unwrap_or_default();
        let (product, kind, amount) = (line.product.word(), line.kind.word(), money(line.amount_minor));
        let Line { line, price_version, units, .. } = line;
        format!("{line:>4}  {product:<6} {kind:<11} {price_version:>5} {units:>12} {each:>16} {amount:>18}")
    };
    lines.extend(statement.lines.iter().map(line));
    for (name, minor) in
        [("sum", statement.subtotal_minor), ("tax", statement.tax_minor), ("to be paid", statement.total_minor)]
    {
        lines.push(format!("{name:>59} {:>18}", money(minor)));
    }
    lines.extend(
        statement
            .covered
            .chains
            .iter()
            .map(|chain| format!("chain of writer {}: up to place {}, link {}", chain.writer, chain.seq, chain.mac)),
    );
    if let Some(receipt) = &shown.tax_receipt {
        lines.push(format!("tax authority: {} {}", receipt.number, receipt.qr));
    }
    lines.extend(
        shown.credit_notes.iter().map(|note| {
            format!("credit note {}: {} given back, {}", note.number, money(note.total_minor), note.reason)
        }),
    );
    lines.extend(shown.disputes.iter().map(|dispute| {
        format!("dispute {} of line {}: {}, {}", dispute.id, dispute.line, dispute.state.word(), dispute.reason)
    }));
    lines.join("\n")
}
