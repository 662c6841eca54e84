use clap::Args;
use laini_core::billing::{Line, Money, Month};
use laini_core::partner::Product;
use laini_office::billing::simulate;
use serde::Serialize;

use super::price_args::PriceArgs;
use crate::command::context::{block_on, now};
use crate::command::invoice::{self, month};
use crate::command::{Context, partner};

/// `laini price simulate`
#[derive(Args)]
pub(crate) struct SimulateArgs {
    /// The partner: its name or id.
    partner: String,
    /// The product.
    #[arg(value_parser = Product::parse)]
    product: Product,
    /// The month (default: the last one that is over).
    #[arg(long, value_parser = month)]
    month: Option<Month>,
    #[command(flatten)]
    price: PriceArgs,
}

#[derive(Serialize)]
struct Simulated {
    month: String,
    product: &'static str,
    units: u64,
    currency: String,
    was_minor: i64,
    would_be_minor: i64,
    was: Vec<Line>,
    would_be: Vec<Line>,
}

/// Says it; nothing is changed.
pub(crate) fn run(context: &Context, args: &SimulateArgs) -> anyhow::Result<()> {
    let office = invoice::office(context)?;
    let book = block_on(office.accounts.load())??;
    let of = partner::find(&book, &args.partner)?.id;
    let month = args.month.unwrap_or_else(|| Month::of(now(), &office.settings.zone).previous());
    let currency = office.settings.currency;
    let done = simulate(&office, of, args.product, month, &args.price.price(currency)?)?;
    let simulated = Simulated {
        month: month.to_string(),
        product: args.product.word(),
        units: done.units,
        currency: currency.as_str().to_owned(),
        was_minor: done.was_minor,
        would_be_minor: done.would_be_minor,
        was: done.was,
        would_be: done.would_be,
    };
    context.out.data(&simulated, |one| {
        let (was, would_be) = (Money::new(one.was_minor, currency), Money::new(one.would_be_minor, currency));
        format!(
            "{} {}: {} units cost {was}; under this price they would have cost {would_be} (before tax)",
            one.month, one.product, one.units
        )
    })
}
