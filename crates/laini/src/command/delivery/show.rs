use clap::Args;

use super::{DeliveryReport, find};
use crate::command::Context;

/// `laini delivery show`
#[derive(Args)]
pub(crate) struct ShowArgs {
    /// Its id: webhook-id, and of a result the requestRefID of its check.
    id: String,
}

/// Shows one delivery.
pub(crate) fn run(context: &Context, args: &ShowArgs) -> anyhow::Result<()> {
    let (house, _) = context.house()?;
    let report = DeliveryReport::of(find(&*house.ledger_beside()?.outbox, &args.id)?);
    context.out.data(&report, |report| {
        let lines = [
            ("id", Some(report.id.clone())),
            ("kind", Some(report.kind.to_owned())),
            ("app", Some(report.app.clone())),
            ("address", Some(report.address.clone())),
            ("made at", Some(report.made_at.clone())),
            ("state", Some(report.state.to_owned())),
            ("due at", report.due_at.clone()),
            ("attempts", Some(report.attempts.to_string())),
            ("last attempt", report.last_attempt_at.clone()),
            ("last status", report.last_status.map(|status| status.to_string())),
            ("last problem", report.last_problem.clone()),
        ];
        let shown = lines.into_iter().filter_map(|(name, value)| Some(format!("{name:<13} {}", value?)));
        shown.collect::<Vec<_>>().join("\n")
    })
}
