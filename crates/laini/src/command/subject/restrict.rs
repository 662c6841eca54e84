use clap::Args;
use laini_core::privacy::PrivacyAction;
use serde::Serialize;

use super::order::{Desk, OrderArgs};
use crate::command::Context;

/// `laini subject restrict NUMBER`
#[derive(Args)]
pub(crate) struct RestrictArgs {
    /// The number, in any form.
    pub(super) number: String,
    /// Also for whoever has the number later; otherwise the restriction ends with the present holding.
    #[arg(long)]
    pub(super) any_holder: bool,
    #[command(flatten)]
    pub(super) order: OrderArgs,
}

/// `laini subject unrestrict NUMBER`
#[derive(Args)]
pub(crate) struct UnrestrictArgs {
    /// The number, in any form.
    pub(super) number: String,
    #[command(flatten)]
    pub(super) order: OrderArgs,
}

#[derive(Serialize)]
struct RestrictReport {
    number: String,
    restricted: bool,
    request: String,
}

/// Restricts a number, or lifts its restriction.
pub(crate) fn run(
    context: &Context,
    action: PrivacyAction,
    number: &str,
    any_holder: bool,
    order: &OrderArgs,
) -> anyhow::Result<()> {
    let desk = Desk::open(context, number)?;
    let request = desk.order(action, any_holder, order)?;
    let restricted = action == PrivacyAction::Restrict;
    let report = RestrictReport { number: desk.subject.number.masked(), restricted, request: request.id.to_string() };
    context.out.data(&report, |report| {
        let effect = if report.restricted {
            "is restricted; running servers answer 403 within a second"
        } else {
            "is not restricted any more; running servers answer within a second"
        };
        format!("{} {effect} (request {})", report.number, report.request)
    })
}
