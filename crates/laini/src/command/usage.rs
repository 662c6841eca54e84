//! `laini usage`: how much was asked.

use std::collections::HashMap;

use clap::Args;
use jiff::civil::Date;
use laini_core::billing::{Currency, Money};
use laini_core::partner::AppId;
use laini_office::billing::{usage_by_day, usage_by_reference};
use laini_office::call_times::partner_call_times;
use serde::Serialize;

use super::context::{block_on, console, now};
use super::{Context, invoice, partner};

/// `laini usage`
#[derive(Args)]
pub(crate) struct UsageArgs {
    /// Of this partner alone: its name or id.
    partner: Option<String>,
    /// From this day on (2026-11-01), in the operator's zone,
    #[arg(long)]
    from: Date,
    /// until before this one.
    #[arg(long)]
    until: Date,
    /// By the callers' own references, as long as they are kept, instead of by day and app.
    #[arg(long, requires = "partner")]
    references: bool,
    /// How long answered checks took, by day and app, instead of how many there were.
    #[arg(long, requires = "partner", conflicts_with = "references")]
    times: bool,
}

/// How long the answered checks of an app took on a day; microseconds, `None` = more than ten seconds.
#[derive(Serialize)]
struct Took {
    day: String,
    app: String,
    environment: &'static str,
    calls: u64,
    half_within_micros: Option<u64>,
    most_within_micros: Option<u64>,
}

#[derive(Serialize)]
struct Used {
    #[serde(skip_serializing_if = "Option::is_none")]
    day: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    app: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reference: Option<String>,
    product: &'static str,
    environment: &'static str,
    outcome: &'static str,
    checks: u64,
    charged_minor: i64,
}

/// Tells it; amounts are list prices, before free units and bands.
pub(crate) fn run(context: &Context, args: &UsageArgs) -> anyhow::Result<()> {
    let office = invoice::office(context)?;
    let book = block_on(office.accounts.load())??;
    let of = args.partner.as_deref().map(|wanted| partner::find(&book, wanted)).transpose()?.map(|found| found.id);
    let names: HashMap<AppId, &str> = book.apps.iter().map(|app| (app.id, app.name.as_str())).collect();
    let named = |app: AppId| names.get(&app).map_or_else(|| app.to_string(), |name| (*name).to_owned());
    let used: Vec<Used> = match of {
        Some(partner) if args.times => {
            let days =
                office.run(&console(), now(), |work| partner_call_times(work, partner, args.from, args.until))?;
            let took = days.into_iter().map(|of| Took {
                day: of.day.to_string(),
                app: named(of.app),
                environment: of.environment.word(),
                calls: of.times.calls(),
                half_within_micros: of.times.within(50),
                most_within_micros: of.times.within(99),
            });
            return context.out.data(&took.collect::<Vec<_>>(), |took| times_in_words(took));
        }
        Some(partner) if args.references => usage_by_reference(&office, partner, args.from, args.until)?
            .into_iter()
            .map(|one| Used {
                day: None,
                app: None,
                reference: Some(one.reference.unwrap_or_default()),
                product: one.product.word(),
                environment: "production",
                outcome: "all",
                checks: one.checks,
                charged_minor: one.charged_minor,
            })
            .collect(),
        _ => usage_by_day(&office, of, args.from, args.until)?
            .into_iter()
            .map(|one| Used {
                day: Some(one.day.to_string()),
                app: Some(named(one.app)),
                reference: None,
                product: one.product.word(),
                environment: one.environment.word(),
                outcome: one.outcome.word(),
                checks: one.checks,
                charged_minor: one.charged_minor,
            })
            .collect(),
    };
    let currency = office.settings.currency;
    context.out.data(&used, |used| in_words(used, currency))
}

fn times_in_words(took: &[Took]) -> String {
    if took.is_empty() {
        return "nothing was answered, or it is not kept any more".to_owned();
    }
    let within = |micros: Option<u64>| match micros {
        Some(micros) => format!("{micros} µs"),
        None => "> 10 s".to_owned(),
    };
    let line = |one: &Took| {
        let (half, most) = (within(one.half_within_micros), within(one.most_within_micros));
        let Took { day, app, environment, calls, .. } = one;
        format!("{day} {app:<28} {environment:<10} {calls:>10}  half within {half}, 99 of 100 within {most}")
    };
    took.iter().map(line).collect::<Vec<_>>().join("\n")
}

fn in_words(used: &[Used], currency: Currency) -> String {
    if used.is_empty() {
        return "nothing was asked".to_owned();
    }
    let line = |one: &Used| {
        let who = [&one.day, &one.app, &one.reference].into_iter().flatten().cloned().collect::<Vec<_>>().join(" ");
        let charged = Money::new(one.charged_minor, currency);
        let Used { product, environment, outcome, checks, .. } = one;
        format!("{who:<28} {product:<5} {environment:<10} {outcome:<10} {checks:>10}  {charged}")
    };
    used.iter().map(line).collect::<Vec<_>>().join("\n")
}
