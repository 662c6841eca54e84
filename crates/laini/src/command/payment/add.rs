use clap::Args;
use jiff::civil::Date;
use laini_core::billing::Money;
use laini_office::payments::{NewPayment, record, today};

use super::PaymentReport;
use crate::command::Context;
use crate::command::context::{in_office, partner_of};

/// `laini payment add`
#[derive(Args)]
pub(crate) struct AddArgs {
    /// Whose: the partner's name or id.
    #[arg(long)]
    partner: String,
    /// How much, in the operator's currency (50000 or 1999.50).
    #[arg(long)]
    amount: String,
    /// The day on which it was booked (default: today).
    #[arg(long, value_name = "DAY")]
    on: Option<Date>,
    /// What the payer wrote.
    #[arg(long, default_value = "")]
    reference: String,
    /// What the bank calls it; taken once.
    #[arg(long)]
    bank_id: Option<String>,
    /// The number of the invoice that it is meant for (default: whichever is due first).
    #[arg(long)]
    invoice: Option<u64>,
}

/// Records a payment by hand.
pub(crate) fn run(context: &Context, args: &AddArgs) -> anyhow::Result<()> {
    let (_, config) = context.existing()?;
    let amount = Money::parse_amount(&args.amount, config.currency()?)?;
    let payment = in_office(context, |work| {
        let new = NewPayment {
            partner: partner_of(work, &args.partner)?,
            on: args.on.unwrap_or_else(|| today(work)),
            amount_minor: amount.minor,
            reference: args.reference.clone(),
            bank_id: args.bank_id.clone(),
            invoice: args.invoice,
        };
        record(work, new)
    })?;
    context.out.data(&PaymentReport::of(&payment)?, |report| {
        format!("{} of {} recorded as payment {}", report.amount, args.partner, report.payment)
    })
}
