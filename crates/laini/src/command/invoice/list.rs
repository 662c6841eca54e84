use clap::Args;
use laini_core::billing::{Currency, InvoiceStatement, Money, Month};
use laini_office::billing::{Invoice, invoices, invoices_of};
use laini_office::{Page, PageRequest};
use serde::Serialize;

use super::{month, office};
use crate::command::context::{console, now};
use crate::command::{Context, partner};

/// `laini invoice list`
#[derive(Args)]
pub(crate) struct ListArgs {
    /// Only those of this month.
    #[arg(long, value_parser = month)]
    month: Option<Month>,
    /// Only those of this partner: its name or id.
    #[arg(long, conflicts_with = "month")]
    partner: Option<String>,
    /// How many at most.
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u16).range(1..=500))]
    limit: u16,
}

#[derive(Serialize)]
struct Listed {
    number: u64,
    month: String,
    partner: String,
    buyer: String,
    issued: String,
    due: String,
    currency: String,
    total_minor: i64,
    credit_notes: u32,
    #[serde(skip)]
    total: String,
}

impl Listed {
    fn of(invoice: &Invoice) -> Self {
        let InvoiceStatement { number, month, issued, due, buyer, currency, total_minor, .. } = &invoice.statement;
        Self {
            number: *number,
            month: month.to_string(),
            partner: invoice.partner.to_string(),
            buyer: buyer.name.clone(),
            issued: issued.to_string(),
            due: due.to_string(),
            currency: currency.clone(),
            total_minor: *total_minor,
            credit_notes: invoice.credits,
            total: money(*total_minor, currency),
        }
    }
}

/// An amount as people read it.
pub(super) fn money(minor: i64, currency: &str) -> String {
    Money::new(minor, Currency::parse(currency).unwrap_or(Currency::KES)).to_string()
}

/// Lists.
pub(crate) fn run(context: &Context, args: &ListArgs) -> anyhow::Result<()> {
    let office = office(context)?;
    let page = PageRequest { limit: args.limit.into(), ..PageRequest::FIRST };
    let Page { items, .. } = office.run(&console(), now(), |work| match &args.partner {
        None => invoices(work, args.month, page),
        Some(wanted) => {
            let book = work.book()?;
            let partner = partner::find(&book, wanted).map_err(|_| laini_office::Problem::NotFound("partner"))?;
            invoices_of(work, partner.id, page)
        }
    })?;
    let listed: Vec<Listed> = items.iter().map(Listed::of).collect();
    context.out.data(&listed, |listed| {
        if listed.is_empty() {
            return "no invoices yet: laini invoice close".to_owned();
        }
        let header = format!("{:>8}  {:<8} {:<24} {:<11} {:>18}", "number", "month", "to", "due", "total");
        let line = |one: &Listed| {
            format!("{:>8}  {:<8} {:<24} {:<11} {:>18}", one.number, one.month, one.buyer, one.due, one.total)
        };
        std::iter::once(header).chain(listed.iter().map(line)).collect::<Vec<_>>().join("\n")
    })
}
