use clap::{Args, Subcommand};
use jiff::civil::Date;
use laini_core::billing::{Currency, Money};
use laini_core::partner::CertificateId;
use laini_office::PageRequest;
use laini_office::payments::{self, Certificate, NewCertificate, today};
use serde::Serialize;

use crate::command::Context;
use crate::command::context::{in_office, partner_of};

/// What to do with certificates of withheld tax.
#[derive(Subcommand)]
pub(crate) enum CertificateCommand {
    /// Register a certificate; it settles like money.
    Add(AddArgs),
    /// List a partner's certificates, the newest first.
    List(PartnerArgs),
    /// Accept a certificate that a partner registered.
    Accept(AcceptArgs),
    /// Refuse a certificate that a partner registered.
    Refuse(RefuseArgs),
}

/// `laini payment certificate add`
#[derive(Args)]
pub(crate) struct AddArgs {
    #[command(flatten)]
    of: PartnerArgs,
    /// The tax authority's number; taken once.
    #[arg(long)]
    number: String,
    /// How much was withheld, in the operator's currency.
    #[arg(long)]
    amount: String,
    /// The day of the certificate (default: today).
    #[arg(long, value_name = "DAY")]
    on: Option<Date>,
    /// The number of the invoice that it was withheld from.
    #[arg(long)]
    invoice: Option<u64>,
}

/// Whose.
#[derive(Args)]
pub(crate) struct PartnerArgs {
    /// The partner: its name or id.
    #[arg(long)]
    partner: String,
}

/// `laini payment certificate accept`
#[derive(Args)]
pub(crate) struct AcceptArgs {
    #[command(flatten)]
    of: PartnerArgs,
    /// The certificate's id.
    certificate: String,
}

/// `laini payment certificate refuse`
#[derive(Args)]
pub(crate) struct RefuseArgs {
    #[command(flatten)]
    of: PartnerArgs,
    /// The certificate's id.
    certificate: String,
    /// Why; the partner reads it.
    #[arg(long)]
    reason: String,
}

#[derive(Serialize)]
struct CertificateReport {
    certificate: String,
    partner: String,
    number: String,
    amount_minor: i64,
    currency: String,
    on: String,
    invoice: Option<u64>,
    state: &'static str,
    #[serde(skip)]
    amount: String,
}

impl CertificateReport {
    fn of(certificate: &Certificate) -> anyhow::Result<Self> {
        let currency = Currency::parse(&certificate.currency)?;
        Ok(Self {
            certificate: certificate.id.to_string(),
            partner: certificate.partner.to_string(),
            number: certificate.number.clone(),
            amount_minor: certificate.amount_minor,
            currency: certificate.currency.clone(),
            on: certificate.on.to_string(),
            invoice: certificate.invoice,
            state: certificate.state.word(),
            amount: Money::new(certificate.amount_minor, currency).to_string(),
        })
    }

    fn line(&self) -> String {
        let Self { certificate, on, amount, number, state, .. } = self;
        format!("{certificate:<16} {on:<10} {amount:>18} {state:<10} {number}")
    }
}

/// Runs one of them.
pub(crate) fn run(context: &Context, command: &CertificateCommand) -> anyhow::Result<()> {
    let certificate = match command {
        CertificateCommand::List(args) => return list(context, args),
        CertificateCommand::Add(args) => add(context, args)?,
        CertificateCommand::Accept(args) => {
            let id = CertificateId::parse(&args.certificate)?;
            in_office(context, |work| {
                let partner = partner_of(work, &args.of.partner)?;
                payments::accept(work, partner, id)
            })?
        }
        CertificateCommand::Refuse(args) => {
            let id = CertificateId::parse(&args.certificate)?;
            in_office(context, |work| {
                let partner = partner_of(work, &args.of.partner)?;
                payments::refuse(work, partner, id, &args.reason)
            })?
        }
    };
    context.out.data(&CertificateReport::of(&certificate)?, |report| {
        format!("certificate {} of {} is {}", report.number, report.amount, report.state)
    })
}

fn add(context: &Context, args: &AddArgs) -> anyhow::Result<Certificate> {
    let (_, config) = context.existing()?;
    let amount = Money::parse_amount(&args.amount, config.currency()?)?;
    in_office(context, |work| {
        let partner = partner_of(work, &args.of.partner)?;
        let on = args.on.unwrap_or_else(|| today(work));
        let new = NewCertificate { number: args.number.clone(), amount_minor: amount.minor, on, invoice: args.invoice };
        payments::register(work, partner, &new)
    })
}

fn list(context: &Context, args: &PartnerArgs) -> anyhow::Result<()> {
    let page = in_office(context, |work| {
        let partner = partner_of(work, &args.partner)?;
        payments::certificates(work, partner, PageRequest::LONGEST)
    })?;
    let reports = page.items.iter().map(CertificateReport::of).collect::<anyhow::Result<Vec<_>>>()?;
    context.out.data(&reports, |reports| {
        if reports.is_empty() {
            return "no certificates".to_owned();
        }
        let header = format!("{:<16} {:<10} {:>18} {:<10} number", "certificate", "of", "amount", "state");
        std::iter::once(header).chain(reports.iter().map(CertificateReport::line)).collect::<Vec<_>>().join("\n")
    })
}
