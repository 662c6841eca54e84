use anyhow::Context as _;
use clap::Args;
use laini_core::billing::{Band, Currency, FreeUnits, Money, Price};

/// A price, as it is given on the command line.
#[derive(Args)]
pub(super) struct PriceArgs {
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

impl PriceArgs {
    pub(super) fn price(&self, currency: Currency) -> anyhow::Result<Price> {
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
