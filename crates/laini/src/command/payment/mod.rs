//! `laini payment …`: money that comes in.
//!
//! Owns how payments are told of, imported, matched and reversed, and certificates of withheld tax. Must never decide
//! what a payment settles.

mod add;
mod certificate;
mod change;
mod import;
mod list;
mod references;

use clap::Subcommand;
use laini_core::billing::Money;
use laini_office::payments::Payment;
use serde::Serialize;

use super::Context;

/// What to do with payments.
#[derive(Subcommand)]
pub(crate) enum PaymentCommand {
    /// Record a payment by hand.
    Add(add::AddArgs),
    /// Record the payments of a statement; the same one twice adds nothing.
    Import(import::ImportArgs),
    /// List payments, the newest first.
    List(list::ListArgs),
    /// Show a payment, and whose it may be where nobody knows.
    Show(list::ShowArgs),
    /// Say whose a payment is.
    Match(change::MatchArgs),
    /// Take a payment back that bounced or was recorded by mistake.
    Reverse(change::ReverseArgs),
    /// Show or set what a partner writes when it pays.
    References(references::ReferencesArgs),
    /// Certificates of withheld tax.
    #[command(subcommand)]
    Certificate(certificate::CertificateCommand),
}

/// Runs one of them.
pub(crate) fn run(context: &Context, command: &PaymentCommand) -> anyhow::Result<()> {
    match command {
        PaymentCommand::Add(args) => add::run(context, args),
        PaymentCommand::Import(args) => import::run(context, args),
        PaymentCommand::List(args) => list::run(context, args),
        PaymentCommand::Show(args) => list::show(context, args),
        PaymentCommand::Match(args) => change::match_with(context, args),
        PaymentCommand::Reverse(args) => change::reverse(context, args),
        PaymentCommand::References(args) => references::run(context, args),
        PaymentCommand::Certificate(command) => certificate::run(context, command),
    }
}

/// A payment as it is shown.
#[derive(Serialize)]
struct PaymentReport {
    payment: String,
    source: &'static str,
    bank_id: String,
    on: String,
    amount_minor: i64,
    currency: String,
    reference: String,
    account: String,
    partner: Option<String>,
    invoice: Option<u64>,
    matched_by: Option<&'static str>,
    prepaid_minor: i64,
    reversed_on: Option<String>,
    #[serde(skip)]
    amount: String,
}

impl PaymentReport {
    fn of(payment: &Payment) -> anyhow::Result<Self> {
        let currency = laini_core::billing::Currency::parse(&payment.currency)?;
        Ok(Self {
            payment: payment.id.to_string(),
            source: payment.source.word(),
            bank_id: payment.bank_id.clone(),
            on: payment.on.to_string(),
            amount_minor: payment.amount_minor,
            currency: payment.currency.clone(),
            reference: payment.reference.clone(),
            account: payment.account.clone(),
            partner: payment.partner.map(|partner| partner.to_string()),
            invoice: payment.invoice,
            matched_by: payment.matched.map(laini_office::payments::MatchedBy::word),
            prepaid_minor: payment.prepaid_minor,
            reversed_on: payment.reversed.as_ref().map(|reversed| reversed.on.to_string()),
            amount: Money::new(payment.amount_minor, currency).to_string(),
        })
    }

    fn header() -> String {
        format!(
            "{:<16} {:<10} {:>18} {:<8} {:<16} {:<16} says",
            "payment", "booked", "amount", "source", "bank id", "partner"
        )
    }

    fn line(&self) -> String {
        let said = match (&self.reversed_on, self.invoice) {
            (Some(on), _) => format!("reversed {on}"),
            (None, Some(invoice)) => format!("invoice {invoice}"),
            (None, None) => [&*self.account, &*self.reference].join(" "),
        };
        let partner = self.partner.as_deref().unwrap_or("nobody knows");
        let Self { payment, on, amount, source, bank_id, .. } = self;
        format!("{payment:<16} {on:<10} {amount:>18} {source:<8} {bank_id:<16} {partner:<16} {}", said.trim())
    }
}
