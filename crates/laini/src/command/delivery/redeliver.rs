use anyhow::ensure;
use clap::Args;
use serde::Serialize;

use super::find;
use crate::command::Context;
use crate::command::context::{audit, block_on, now};

/// `laini delivery redeliver`
#[derive(Args)]
pub(crate) struct RedeliverArgs {
    /// Its id.
    id: String,
    /// Why; kept in the audit trail.
    #[arg(long, default_value = "")]
    reason: String,
}

#[derive(Serialize)]
struct RedeliverReport {
    id: String,
}

/// Makes a delivery due again; the running server sends it within a second.
pub(crate) fn run(context: &Context, args: &RedeliverArgs) -> anyhow::Result<()> {
    let (house, _) = context.house()?;
    let outbox = house.ledger_beside()?.outbox;
    let delivery = find(&*outbox, &args.id)?;
    let report = RedeliverReport { id: delivery.id.0.request_ref() };
    let is_due = block_on(outbox.redeliver(delivery.id, now()))??;
    ensure!(is_due, "{} was forgotten: its body is not kept any more", report.id);
    block_on(house.accounts()?.audit(audit("delivery.redeliver", report.id.clone(), &args.reason)))??;
    context.out.data(&report, |report| format!("{} is due again; a running server sends it within a second", report.id))
}
