use clap::Args;
use laini_office::billing::keep_tax_receipt;

use super::{invoice, office};
use crate::command::Context;
use crate::command::context::{console, now};

/// `laini invoice receipt`
#[derive(Args)]
pub(crate) struct ReceiptArgs {
    /// The number of the invoice.
    number: u64,
    /// The number that the tax authority gave it.
    #[arg(long)]
    tax_number: String,
    /// What its QR code says.
    #[arg(long)]
    qr: String,
}

/// Keeps it.
pub(crate) fn run(context: &Context, args: &ReceiptArgs) -> anyhow::Result<()> {
    let office = office(context)?;
    let found = invoice(&office, args.number)?;
    let kept = office.run(&console(), now(), |work| keep_tax_receipt(work, &found, &args.tax_number, &args.qr))?;
    context.out.data(&kept.tax_receipt, |_| format!("kept with invoice {}", args.number))
}
