use std::num::NonZeroU32;

use clap::{Args, Subcommand};
use laini_core::partner::{App, AppLimits, Limits, Probing, Product};
use laini_core::store::{AccountBook, AppChange};

use super::change::apply;
use super::show::{ALL, probing_in_words};
use crate::command::Context;
use crate::command::context::because;
use crate::command::limits::{LimitArgs, in_words, rate_of};

/// `laini app limits`
#[derive(Args)]
pub(crate) struct LimitsArgs {
    /// The app: its id, consumer key or name.
    app: String,
    /// Only of this product: imsi, swap or age (default: of everything that it asks).
    #[arg(long, value_parser = Product::parse)]
    product: Option<Product>,
    #[command(flatten)]
    limits: LimitArgs,
    /// Why; kept in the audit trail.
    #[arg(long, default_value = "")]
    reason: String,
}

/// `laini app probing`
#[derive(Subcommand)]
pub(crate) enum ProbingCommand {
    /// Flag it in the log, a metric and the audit trail.
    Flag(FlagArgs),
    /// Flag it, and slow it down until the next day.
    Slow(SlowArgs),
}

/// `laini app probing flag`
#[derive(Args)]
pub(crate) struct FlagArgs {
    /// The app: its id, consumer key or name.
    app: String,
    /// Why; kept in the audit trail.
    #[arg(long, default_value = "")]
    reason: String,
}

/// `laini app probing slow`
#[derive(Args)]
pub(crate) struct SlowArgs {
    /// The app: its id, consumer key or name.
    app: String,
    /// Numbers per second that it may still ask about.
    #[arg(long, value_name = "NUMBERS", default_value = "1")]
    rate: NonZeroU32,
    /// Numbers at once (default: as many as the rate lets pass in a second).
    #[arg(long, value_name = "NUMBERS")]
    burst: Option<NonZeroU32>,
    /// Why; kept in the audit trail.
    #[arg(long, default_value = "")]
    reason: String,
}

/// Changes how many numbers an app may ask about.
pub(crate) fn run(context: &Context, args: &LimitsArgs) -> anyhow::Result<()> {
    let of = args.product.map_or(ALL, Product::word);
    let change = |app: &App, _: &AccountBook| {
        let AppLimits { mut in_all, mut products, .. } = app.limits.clone();
        let now = args.limits.applied_to(args.product.map_or(in_all, |product| app.limits.of(product)));
        match args.product {
            None => in_all = now,
            Some(product) => set(&mut products, product, now),
        }
        Ok((AppChange::Limits { in_all, products }, because(&format!("{of} {}", in_words(now)), &args.reason)))
    };
    apply(context, &args.app, "app.limits", change, |report| format!("{}, {of}: {}", report.name, report.limits_of(of)))
}

/// Chooses what happens to an app that seems to walk through the numbers.
pub(crate) fn probing(context: &Context, command: &ProbingCommand) -> anyhow::Result<()> {
    let (app, probing, reason) = match command {
        ProbingCommand::Flag(args) => (&args.app, Probing::Flag, &args.reason),
        ProbingCommand::Slow(args) => (&args.app, Probing::Slow(rate_of(args.rate, args.burst)), &args.reason),
    };
    let words = probing_in_words(probing);
    let change = |_: &App, _: &AccountBook| Ok((AppChange::Probing(probing), because(&words, reason)));
    apply(context, app, "app.probing", change, |report| format!("{} is {words} when it probes", report.name))
}

fn set(products: &mut Vec<(Product, Limits)>, product: Product, to: Limits) {
    products.retain(|(limited, _)| *limited != product);
    if to.is_set() {
        products.push((product, to));
    }
}
