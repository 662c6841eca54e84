use clap::Args;
use laini_core::billing::{Money, StatedPrice};
use laini_office::billing::PriceBook;
use serde::Serialize;

use crate::command::context::block_on;
use crate::command::{Context, invoice, partner};

/// `laini price show`
#[derive(Args)]
pub(crate) struct ShowArgs {
    /// The partner: its name or id.
    partner: String,
}

#[derive(Serialize)]
struct Shown {
    agreement: String,
    from: String,
    currency: String,
    #[serde(flatten)]
    price: StatedPrice,
    #[serde(skip)]
    in_words: String,
}

/// Shows them.
pub(crate) fn run(context: &Context, args: &ShowArgs) -> anyhow::Result<()> {
    let office = invoice::office(context)?;
    let book = block_on(office.accounts.load())??;
    let of = partner::find(&book, &args.partner)?.id;
    let prices = PriceBook::load(&office)?;
    let shown: Vec<Shown> = prices
        .agreements(of)
        .iter()
        .flat_map(|agreement| {
            agreement.prices.iter().map(|(product, price)| {
                let stated = StatedPrice::of(*product, price, false);
                Shown {
                    agreement: agreement.id.to_string(),
                    from: agreement.valid_from.to_string(),
                    currency: price.currency.as_str().to_owned(),
                    in_words: in_words(&stated, |minor| Money::new(minor, price.currency).to_string()),
                    price: stated,
                }
            })
        })
        .collect();
    context.out.data(&shown, |shown| {
        let line = |one: &Shown| {
            let from = one.from.get(..10).unwrap_or(&one.from);
            format!("from {from}  {:<5} version {:<4} {}", one.price.product.word(), one.price.version, one.in_words)
        };
        shown.iter().map(line).collect::<Vec<_>>().join("\n")
    })
}

/// A price as people say it.
pub(super) fn in_words(price: &StatedPrice, money: impl Fn(i64) -> String) -> String {
    let mut parts = Vec::new();
    if price.set_up_minor > 0 {
        parts.push(format!("{} set-up", money(price.set_up_minor)));
    }
    if price.free_units > 0 {
        let how = if price.free_per_month { "a month" } else { "once" };
        parts.push(format!("{} free {how}", price.free_units));
    }
    parts.extend(price.bands.iter().map(|band| match band.up_to {
        Some(last) => format!("{} up to {last}", money(band.unit_minor)),
        None => money(band.unit_minor),
    }));
    if price.monthly_minimum_minor > 0 {
        parts.push(format!("at least {} a month", money(price.monthly_minimum_minor)));
    }
    parts.join(", ")
}
