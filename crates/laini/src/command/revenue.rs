use std::collections::HashMap;

use clap::Args;
use laini_office::billing::{REVENUE_MONTHS_MAX, revenue};
use serde::Serialize;

use super::Context;
use super::context::in_office;

/// `laini revenue`
#[derive(Args)]
pub(crate) struct RevenueArgs {
    /// How many months, with the running one.
    #[arg(long, default_value_t = 12, value_parser = clap::value_parser!(u64).range(1..=REVENUE_MONTHS_MAX))]
    months: u64,
}

#[derive(Serialize)]
struct Brought {
    month: String,
    partner: String,
    name: String,
    product: &'static str,
    units: u64,
    currency: String,
    net_minor: i64,
    is_invoiced: bool,
    #[serde(skip)]
    net: String,
}

/// Shows what partners brought, before tax, by month and product.
pub(crate) fn run(context: &Context, args: &RevenueArgs) -> anyhow::Result<()> {
    let (earned, book) = in_office(context, |work| Ok((revenue(work, args.months)?, work.book()?)))?;
    let names: HashMap<_, _> = book.partners.into_iter().map(|partner| (partner.id, partner.name)).collect();
    let brought = earned.into_iter().map(|one| Brought {
        month: one.month.to_string(),
        partner: one.partner.to_string(),
        name: names.get(&one.partner).cloned().unwrap_or_default(),
        product: one.product.word(),
        units: one.units,
        currency: one.net.currency.as_str().to_owned(),
        net_minor: one.net.minor,
        is_invoiced: one.is_invoiced,
        net: one.net.to_string(),
    });
    let brought: Vec<Brought> = brought.collect();
    context.out.data(&brought, |brought| {
        let line = |one: &Brought| {
            let how = if one.is_invoiced { "invoiced" } else { "so far" };
            format!("{}  {:<20} {:<5} {:>10}  {:>18}  {how}", one.month, one.name, one.product, one.units, one.net)
        };
        brought.iter().map(line).collect::<Vec<_>>().join("\n")
    })
}
