use std::collections::VecDeque;

use clap::Args;

use super::filter::{Filter, NamedRow, pages};
use crate::command::Context;

/// `laini ledger list`
#[derive(Args)]
pub(crate) struct ListArgs {
    #[command(flatten)]
    filter: Filter,
    /// How many of the newest rows.
    #[arg(long, default_value_t = 20)]
    limit: usize,
}

/// Shows the newest rows.
pub(crate) fn run(context: &Context, args: &ListArgs) -> anyhow::Result<()> {
    let mut newest: VecDeque<NamedRow> = VecDeque::new();
    pages(context, &args.filter, |rows| {
        for row in rows {
            newest.push_back(row);
            if newest.len() > args.limit {
                newest.pop_front();
            }
        }
        Ok(())
    })?;
    context.out.data(&newest, |rows| {
        if rows.is_empty() {
            return "no rows".to_owned();
        }
        let line = |r: &NamedRow| {
            let charge = format!("{} {}.{:02}", r.currency, r.charge_minor / 100, r.charge_minor % 100);
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
