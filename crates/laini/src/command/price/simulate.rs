use anyhow::Context as _;
use clap::Args;
use laini_core::billing::{Band, Currency, FreeUnits, Line, Money, Month, Price};
use laini_core::partner::Product;
use laini_office::billing::simulate;
use serde::Serialize;

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
    /// Bands over the month's paid units: LAST=AMOUNT for each but the last, which is an amount alone; 1000=20,10000=15,12.50.
    #[arg(long, value_name = "BANDS")]
    bands: String,
    /// So many units are free in every month.
    #[arg(long, conflicts_with = "free_once")]
    free_per_month: Option<u64>,
    /// So many units are free once.
    #[arg(long)]
    free_once: Option<u64>,
    /// The set-up fee.
    #[arg(long, value_name = "AMOUNT", default_value = "0")]
    set_up: String,
    /// The least that a month costs.
    #[arg(long, value_name = "AMOUNT", default_value = "0")]
    minimum: String,
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

impl SimulateArgs {
    fn price(&self, currency: Currency) -> anyhow::Result<Price> {
        let amount = |text: &str| Money::parse_amount(text.trim(), currency).map(|money| money.minor);
        let band = |text: &str| -> anyhow::Result<Band> {
            let Some((last, unit)) = text.split_once('=') else {
                return Ok(Band { up_to: None, unit_minor: amount(text)? });
            };
            let last = last.trim().parse().with_context(|| format!("`{last}` is no number of units"))?;
            Ok(Band { up_to: Some(last), unit_minor: amount(unit)? })
        };
        let price = Price {
            set_up_minor: amount(&self.set_up)?,
            free: match self.free_per_month {
                Some(units) => FreeUnits::PerMonth(units),
                None => FreeUnits::Once(self.free_once.unwrap_or(0)),
            },
            bands: self.bands.split(',').map(band).collect::<Result<_, _>>()?,
            monthly_minimum_minor: amount(&self.minimum)?,
            ..Price::flat(u32::MAX, Money::new(0, currency))
        };
        price.check()?;
        Ok(price)
    }
}

/// Says it; nothing is changed.
pub(crate) fn run(context: &Context, args: &SimulateArgs) -> anyhow::Result<()> {
    let office = invoice::office(context)?;
    let book = block_on(office.accounts.load())??;
    let of = partner::find(&book, &args.partner)?.id;
    let month = args.month.unwrap_or_else(|| Month::of(now(), &office.settings.zone).previous());
    let currency = office.settings.currency;
    let done = simulate(&office, of, args.product, month, &args.price(currency)?)?;
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
