use clap::Args;
use laini_core::partner::{Partner, PartnerStatus};
use laini_core::store::PartnerChange;

use super::find;
use super::list::PartnerReport;
use crate::command::Context;
use crate::command::context::{audit, because, block_on, concerning};
use crate::command::limits::{LimitArgs, in_words};

/// `laini partner suspend` and `laini partner resume`
#[derive(Args)]
pub(crate) struct StatusArgs {
    /// The partner: its name or id.
    partner: String,
    /// Why; kept in the audit trail.
    #[arg(long)]
    reason: String,
}

/// `laini partner limits`
#[derive(Args)]
pub(crate) struct LimitsArgs {
    /// The partner: its name or id.
    partner: String,
    #[command(flatten)]
    limits: LimitArgs,
    /// Why; kept in the audit trail.
    #[arg(long, default_value = "")]
    reason: String,
}

/// Suspends or resumes a partner.
pub(crate) fn status(context: &Context, args: &StatusArgs, status: PartnerStatus) -> anyhow::Result<()> {
    let (action, effect) = match status {
        PartnerStatus::Active => ("partner.resume", "is resumed; running servers answer its apps within a second"),
        PartnerStatus::Suspended => {
            ("partner.suspend", "is suspended; running servers refuse its apps within a second")
        }
    };
    change(
        context,
        &args.partner,
        action,
        |_| (PartnerChange::Status(status), args.reason.clone()),
        |report| format!("{} {effect}", report.name),
    )
}

/// Changes what all production apps of a partner may ask together.
pub(crate) fn limits(context: &Context, args: &LimitsArgs) -> anyhow::Result<()> {
    let limited = |partner: &Partner| {
        let limits = args.limits.applied_to(partner.limits);
        (PartnerChange::Limits(limits), because(&in_words(limits), &args.reason))
    };
    change(context, &args.partner, "partner.limits", limited, |report| {
        format!("{}: {} for all its production apps together", report.name, report.in_words)
    })
}

/// One audited change of the partner that is meant, and how it is now.
fn change(
    context: &Context,
    wanted: &str,
    action: &str,
    make: impl FnOnce(&Partner) -> (PartnerChange, String),
    say: impl FnOnce(&PartnerReport) -> String,
) -> anyhow::Result<()> {
    let (house, _) = context.existing_house()?;
    let accounts = house.accounts()?;
    let book = block_on(accounts.load())??;
    let partner = find(&book, wanted)?;
    let (change, reason) = make(partner);
    let audit = concerning(partner.id, audit(action, partner.id.to_string(), &reason));
    block_on(accounts.change_partner(partner.id, change, audit))??;
    let book = block_on(accounts.load())??;
    let report = PartnerReport::of(&book, find(&book, wanted)?);
    context.out.data(&report, say)
}
