use std::collections::VecDeque;

use clap::Args;
use jiff::SignedDuration;
use laini_office::billing::NamedRow;

use super::filter::{Filter, pages};
use crate::command::Context;
use crate::command::context::now;

/// `laini ledger list`
#[derive(Args)]
pub(crate) struct ListArgs {
    #[command(flatten)]
    filter: Filter,
    /// How many of the newest rows.
    #[arg(long, default_value_t = 20)]
    limit: usize,
}

/// How far back is looked for enough rows, step by step; then from the beginning.
const LOOK_BACK: [SignedDuration; 4] = [
    SignedDuration::from_mins(5),
    SignedDuration::from_hours(2),
    SignedDuration::from_hours(48),
    SignedDuration::from_hours(30 * 24),
];

/// Shows the newest rows.
pub(crate) fn run(context: &Context, args: &ListArgs) -> anyhow::Result<()> {
    let mut newest = VecDeque::new();
    for back in LOOK_BACK.into_iter().map(Some).chain([None]) {
        let from = back.map(|back| now() - back);
        newest.clear();
        pages(context, &args.filter, from, |rows| {
            newest.extend(rows);
            newest.drain(..newest.len().saturating_sub(args.limit));
            Ok(())
        })?;
        if newest.len() >= args.limit {
            break;
        }
    }
    context.out.data(&newest, |rows| {
        if rows.is_empty() {
            return "no rows".to_owned();
        }
        let line = |r: &NamedRow| {
            // A reversal's charge is negative.
            let (sign, minor) = (if r.charge_minor < 0 { "-" } else { "" }, r.charge_minor.unsigned_abs());
            let charge = format!("{} {sign}{}.{:02}", r.currency, minor / 100, minor % 100);
            format!(
                "{:<36} {:<24} {:<16} {:<14} {:<5} {:<10} {:<10} {charge}",
                r.request_ref_id,
                r.at.get(..19).unwrap_or(&r.at),
                r.partner,
                r.app,
                r.product,
                r.environment,
                r.outcome
            )
        };
        rows.iter().map(line).collect::<Vec<_>>().join("\n")
    })
}
