use clap::Args;
use jiff::civil::Date;
use laini_core::partner::Product;
use laini_office::Problem;
use laini_office::agreements::{PriceAgreed, PriceTerms, change_price};
use serde::Serialize;

use super::price_args::PriceArgs;
use crate::command::Context;
use crate::command::context::{in_office, partner_of};

/// `laini price set`
#[derive(Args)]
pub(crate) struct SetArgs {
    /// The partner: its name or id.
    partner: String,
    /// The product.
    #[arg(value_parser = Product::parse)]
    product: Product,
    #[command(flatten)]
    price: PriceArgs,
    /// From this day on, in the operator's zone (default: once both have signed).
    #[arg(long, value_name = "DAY")]
    from: Option<Date>,
    /// It was agreed outside, for this reason, and is signed for both sides; otherwise it is laid before them.
    #[arg(long, value_name = "REASON")]
    agreed_outside: Option<String>,
}

#[derive(Serialize)]
struct SetReport {
    agreement: String,
    number: u32,
    state: &'static str,
}

/// Makes a new version of the agreement, with another price.
pub(crate) fn run(context: &Context, args: &SetArgs) -> anyhow::Result<()> {
    let version = in_office(context, |work| {
        let currency = work.office.settings.currency;
        let price = args.price.price(currency).map_err(|error| Problem::invalid("price", error.to_string()))?;
        let terms = PriceTerms::of(args.product, &price);
        let midnight = |day: Date| {
            let midnight = work.office.settings.zone.to_ambiguous_timestamp(day.at(0, 0, 0, 0)).compatible();
            midnight.map_err(|_| Problem::invalid("from", "expected a day such as 2026-12-01"))
        };
        let from = args.from.map(midnight).transpose()?;
        let agreed = args.agreed_outside.as_deref().map_or(PriceAgreed::ByBoth, PriceAgreed::Outside);
        let partner = partner_of(work, &args.partner)?;
        change_price(work, partner, &terms, from, agreed)
    })?;
    let report = SetReport { agreement: version.id.to_string(), number: version.number, state: version.state.word() };
    context.out.data(&report, |report| format!("version {} of the agreement is {}", report.number, report.state))
}
