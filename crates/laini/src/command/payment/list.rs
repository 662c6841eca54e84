use clap::Args;
use laini_core::partner::PaymentId;
use laini_office::PageRequest;
use laini_office::payments::{Payment, list, of_partner, suggestions};
use serde::Serialize;

use super::PaymentReport;
use crate::command::Context;
use crate::command::context::{in_office, partner_of};

/// `laini payment list`
#[derive(Args)]
pub(crate) struct ListArgs {
    /// Only this partner's: its name or id.
    #[arg(long, conflicts_with = "unmatched")]
    partner: Option<String>,
    /// Only those of which nobody knows whose they are.
    #[arg(long)]
    unmatched: bool,
    /// How many at most.
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u16).range(1..=500))]
    limit: u16,
}

/// `laini payment show`
#[derive(Args)]
pub(crate) struct ShowArgs {
    /// The payment's id.
    payment: String,
}

#[derive(Serialize)]
struct ShowReport {
    payment: PaymentReport,
    suggestions: Vec<SuggestionReport>,
}

#[derive(Serialize)]
struct SuggestionReport {
    partner: String,
    invoice: Option<u64>,
    why: &'static str,
}

/// Lists payments.
pub(crate) fn run(context: &Context, args: &ListArgs) -> anyhow::Result<()> {
    let page = PageRequest { limit: args.limit.into(), ..PageRequest::FIRST };
    let payments = in_office(context, |work| match &args.partner {
        Some(partner) => {
            let partner = partner_of(work, partner)?;
            of_partner(work, partner, page)
        }
        None => list(work, args.unmatched, page),
    })?;
    let reports = payments.items.iter().map(PaymentReport::of).collect::<anyhow::Result<Vec<_>>>()?;
    context.out.data(&reports, |reports| {
        if reports.is_empty() {
            return "no payments".to_owned();
        }
        let lines = reports.iter().map(PaymentReport::line);
        std::iter::once(PaymentReport::header()).chain(lines).collect::<Vec<_>>().join("\n")
    })
}

/// Shows a payment.
pub(crate) fn show(context: &Context, args: &ShowArgs) -> anyhow::Result<()> {
    let id = PaymentId::parse(&args.payment)?;
    let (payment, suggested) = in_office(context, |work| {
        let payment: Payment = work.get(id)?;
        let suggested = suggestions(work, &payment)?;
        Ok((payment, suggested))
    })?;
    let suggestions = suggested.into_iter().map(|one| SuggestionReport {
        partner: one.partner.to_string(),
        invoice: one.invoice,
        why: one.why,
    });
    let report = ShowReport { suggestions: suggestions.collect(), payment: PaymentReport::of(&payment)? };
    context.out.data(&report, |report| {
        let mut lines = vec![PaymentReport::header(), report.payment.line()];
        lines.extend(report.suggestions.iter().map(|one| {
            let invoice = one.invoice.map_or(String::new(), |number| format!(" --invoice {number}"));
            let id = &report.payment.payment;
            format!("{}: laini payment match {id} --partner {}{invoice}", one.why, one.partner)
        }));
        lines.join("\n")
    })
}
