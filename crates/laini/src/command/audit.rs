//! `laini audit …`: who did what.

use clap::{Args, Subcommand};
use laini_core::store::TrailQuery;
use laini_office::trail;
use serde::Serialize;

use super::Context;
use super::context::{block_on, console, now};
use super::partner::find;
use crate::failure::WithHint as _;

/// What to do with the audit trail.
#[derive(Subcommand)]
pub(crate) enum AuditCommand {
    /// List who did what, newest first.
    List(ListArgs),
}

/// `laini audit list`
#[derive(Args)]
pub(crate) struct ListArgs {
    /// Only what concerns this partner: its name or id.
    #[arg(long)]
    partner: Option<String>,
    /// Only what was done by those whose name in the trail begins so, such as `staff:`.
    #[arg(long, default_value = "")]
    actor: String,
    /// Only actions that begin so, such as `agreement.`.
    #[arg(long, default_value = "")]
    action: String,
    /// Only what was done from this instant on.
    #[arg(long, value_name = "INSTANT")]
    from: Option<String>,
    /// Only what was done before this instant.
    #[arg(long, value_name = "INSTANT")]
    until: Option<String>,
    /// Only rows before this number, of the last row shown before.
    #[arg(long)]
    before: Option<u64>,
    /// At most so many rows, 1 to 500.
    #[arg(long, default_value_t = 50)]
    limit: usize,
}

#[derive(Serialize)]
struct RowReport {
    number: u64,
    at: String,
    actor: String,
    action: String,
    target: String,
    reason: String,
    partner: Option<String>,
}

/// Runs it.
pub(crate) fn run(context: &Context, command: &AuditCommand) -> anyhow::Result<()> {
    let AuditCommand::List(args) = command;
    let (house, config) = context.existing_house()?;
    let office = house.office(&config, &house.ledger_beside()?)?;
    let partner = match &args.partner {
        Some(wanted) => Some(find(&block_on(house.accounts()?.load())??, wanted)?.id),
        None => None,
    };
    let instant = |text: &Option<String>| text.as_deref().map(str::parse).transpose();
    let query = TrailQuery {
        after: args.before,
        oldest_first: false,
        partner,
        actor: args.actor.clone(),
        action: args.action.clone(),
        from: instant(&args.from).hint("write an instant as 2026-11-28T08:00:00Z")?,
        until: instant(&args.until).hint("write an instant as 2026-11-28T08:00:00Z")?,
        limit: args.limit,
    };
    let rows = office.run(&console(), now(), |work| trail(work, query.clone()))?;
    let reports: Vec<RowReport> = rows
        .into_iter()
        .map(|row| RowReport {
            number: row.number,
            at: row.entry.at.to_string(),
            actor: row.entry.actor,
            action: row.entry.action,
            target: row.entry.target,
            reason: row.entry.reason,
            partner: row.entry.partner.map(|partner| partner.to_string()),
        })
        .collect();
    context.out.data(&reports, |reports| {
        let rows = reports.iter().map(|row| {
            let at = row.at.get(..19).unwrap_or(&row.at);
            format!("{:>7} {at}Z {:<24} {:<22} {} {}", row.number, row.actor, row.action, row.target, row.reason)
        });
        rows.collect::<Vec<_>>().join("\n")
    })
}
