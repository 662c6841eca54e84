use clap::Args;
use jiff::civil::Date;
use laini_core::partner::PaymentId;
use laini_office::payments;

use super::PaymentReport;
use crate::command::Context;
use crate::command::context::{in_office, partner_of};

/// `laini payment match`
#[derive(Args)]
pub(crate) struct MatchArgs {
    /// The payment's id.
    payment: String,
    /// Whose it is: the partner's name or id.
    #[arg(long)]
    partner: String,
    /// The number of the invoice that it is meant for (default: whichever is due first).
    #[arg(long)]
    invoice: Option<u64>,
}

/// `laini payment reverse`
#[derive(Args)]
pub(crate) struct ReverseArgs {
    /// The payment's id.
    payment: String,
    /// Why; kept in the audit trail.
    #[arg(long)]
    reason: String,
    /// From which day on it does not count (default: today, or the payment's own day where that has not come).
    #[arg(long, value_name = "DAY")]
    on: Option<Date>,
}

/// Says whose a payment is.
pub(crate) fn match_with(context: &Context, args: &MatchArgs) -> anyhow::Result<()> {
    let id = PaymentId::parse(&args.payment)?;
    let payment = in_office(context, |work| {
        let partner = partner_of(work, &args.partner)?;
        payments::match_with(work, id, partner, args.invoice)
    })?;
    context.out.data(&PaymentReport::of(&payment)?, |report| {
        format!("payment {} of {} is of {}", report.payment, report.amount, args.partner)
    })
}

/// Takes a payment back.
pub(crate) fn reverse(context: &Context, args: &ReverseArgs) -> anyhow::Result<()> {
    let id = PaymentId::parse(&args.payment)?;
    let payment = in_office(context, |work| payments::reverse(work, id, args.on, &args.reason))?;
    context.out.data(&PaymentReport::of(&payment)?, |report| {
        let on = report.reversed_on.as_deref().unwrap_or_default();
        format!("payment {} of {} does not count from {on} on", report.payment, report.amount)
    })
}
