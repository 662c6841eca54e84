//! `laini prepaid …`: partners that pay first.
//!
//! Owns how a balance is shown and topped up. Must never change what checks have used of it.

use clap::{Args, Subcommand};
use laini_core::billing::Money;
use laini_core::partner::PaymentId;
use laini_office::prepaid::{Standing, standing, top_up};
use serde::Serialize;

use super::Context;
use super::context::{in_office, partner_of};
use crate::failure::WithHint as _;

/// What to do with balances.
#[derive(Subcommand)]
pub(crate) enum PrepaidCommand {
    /// Show what is left of a partner's balance.
    Show(ShowArgs),
    /// Put money of a payment on its partner's balance; the first time ends its invoices.
    TopUp(TopUpArgs),
}

/// `laini prepaid show`
#[derive(Args)]
pub(crate) struct ShowArgs {
    /// The partner: its name or id.
    partner: String,
}

/// `laini prepaid top-up`
#[derive(Args)]
pub(crate) struct TopUpArgs {
    /// The partner: its name or id.
    partner: String,
    /// The payment: its id.
    #[arg(long)]
    payment: String,
    /// How much of it, with its tax (default: all that is free).
    #[arg(long)]
    amount: Option<String>,
    /// The tax in it, in hundredths of a per cent.
    #[arg(long, value_name = "BASIS_POINTS", default_value_t = laini_office::prepaid::TAX_BASIS_POINTS)]
    tax: u32,
}

#[derive(Serialize)]
struct StandingReport {
    currency: String,
    from: String,
    paid_minor: i64,
    used_minor: i64,
    left_minor: i64,
}

/// Runs one of them.
pub(crate) fn run(context: &Context, command: &PrepaidCommand) -> anyhow::Result<()> {
    match command {
        PrepaidCommand::Show(args) => {
            let standing = in_office(context, |work| {
                let partner = partner_of(work, &args.partner)?;
                standing(work, partner)
            })?;
            let standing = standing
                .ok_or_else(|| anyhow::anyhow!("{} pays invoices", args.partner))
                .hint("a top-up begins a balance: laini prepaid top-up PARTNER --payment ID")?;
            show(context, &args.partner, &standing)
        }
        PrepaidCommand::TopUp(args) => {
            let (payment, (_, config)) = (PaymentId::parse(&args.payment)?, context.existing()?);
            let currency = config.currency()?;
            let amount = args.amount.as_deref().map(|amount| Money::parse_amount(amount, currency)).transpose()?;
            in_office(context, |work| {
                let partner = partner_of(work, &args.partner)?;
                top_up(work, partner, payment, amount.map(|amount| amount.minor), args.tax)
            })?;
            let standing = in_office(context, |work| {
                let partner = partner_of(work, &args.partner)?;
                standing(work, partner)
            })?;
            let standing = standing.ok_or_else(|| anyhow::anyhow!("{} pays invoices", args.partner))?;
            show(context, &args.partner, &standing)
        }
    }
}

fn show(context: &Context, partner: &str, standing: &Standing) -> anyhow::Result<()> {
    let report = StandingReport {
        currency: standing.paid.currency.as_str().to_owned(),
        from: standing.from.to_string(),
        paid_minor: standing.paid.minor,
        used_minor: standing.used.minor,
        left_minor: standing.left.minor,
    };
    context.out.data(&report, |_| {
        let Standing { from, paid, used, left } = standing;
        format!("{partner}: {left} left of {paid} paid before tax, {used} used since {from}")
    })
}
