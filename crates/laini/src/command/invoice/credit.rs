use anyhow::Context as _;
use clap::Args;
use laini_core::billing::{Credited, Currency, Money};
use laini_office::billing::credit_invoice;

use super::{invoice, list::money, office};
use crate::command::Context;
use crate::command::context::{console, now};

/// `laini invoice credit`
#[derive(Args)]
pub(crate) struct CreditArgs {
    /// The number of the invoice.
    number: u64,
    /// What is given back: LINE=AMOUNT, before tax, in the currency's unit (3=1500.00). Can be repeated.
    #[arg(long = "line", required = true, value_name = "LINE=AMOUNT")]
    lines: Vec<String>,
    /// Why; it stands on the credit note.
    #[arg(long)]
    reason: String,
}

/// Makes the credit note.
pub(crate) fn run(context: &Context, args: &CreditArgs) -> anyhow::Result<()> {
    let office = office(context)?;
    let found = invoice(&office, args.number)?;
    let currency = Currency::parse(&found.statement.currency)?;
    let read = |text: &String| -> anyhow::Result<Credited> {
        let (line, amount) = text.split_once('=').context("expected LINE=AMOUNT, e.g. 3=1500.00")?;
        let line = line.trim().parse().with_context(|| format!("`{line}` is no number of a line"))?;
        Ok(Credited { line, amount_minor: Money::parse_amount(amount.trim(), currency)?.minor })
    };
    let lines: Vec<Credited> = args.lines.iter().map(read).collect::<Result<_, _>>()?;
    let note = office.run(&console(), now(), |work| credit_invoice(work, &found, &lines, &args.reason))?;
    context.out.data(&note, |note| {
        let total = money(note.total_minor, &note.currency);
        format!("credit note {}: {total} of invoice {} given back, tax included", note.number, note.invoice)
    })
}
