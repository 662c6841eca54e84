use clap::{Args, ValueEnum};
use laini_core::partner::PartnerId;
use laini_office::apps::{Why, limit_partner, resume_partner, suspend_partner};
use laini_office::{Problem, Work};

use super::find;
use super::list::PartnerReport;
use crate::command::Context;
use crate::command::context::{block_on, console, now};
use crate::command::limits::LimitArgs;

/// `laini partner suspend`
#[derive(Args)]
pub(crate) struct SuspendArgs {
    /// The partner: its name or id.
    partner: String,
    /// For debt only after a notice, or a last reminder, has taken effect; for anything else at once.
    #[arg(long, value_enum, default_value_t = Because::Other)]
    because: Because,
    /// Why; kept in the audit trail.
    #[arg(long)]
    reason: String,
}

#[derive(Clone, Copy, ValueEnum)]
enum Because {
    /// It does not pay.
    Debt,
    /// Something else.
    Other,
}

/// `laini partner resume`
#[derive(Args)]
pub(crate) struct ResumeArgs {
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

/// Suspends a partner.
pub(crate) fn suspend(context: &Context, args: &SuspendArgs) -> anyhow::Result<()> {
    let because = match args.because {
        Because::Debt => Why::Debt,
        Because::Other => Why::Other,
    };
    stand(context, &args.partner, "is suspended; running servers refuse its apps within a second", |work, partner| {
        suspend_partner(work, partner, because, &args.reason)
    })
}

/// Resumes one.
pub(crate) fn resume(context: &Context, args: &ResumeArgs) -> anyhow::Result<()> {
    stand(context, &args.partner, "is resumed; running servers answer its apps within a second", |work, partner| {
        resume_partner(work, partner, &args.reason)
    })
}

/// Does it by the rules of the office, as over HTTP.
fn stand(
    context: &Context,
    wanted: &str,
    effect: &str,
    act: impl Fn(&mut Work<'_>, PartnerId) -> Result<(), Problem>,
) -> anyhow::Result<()> {
    let (house, config) = context.existing_house()?;
    let office = house.office(&config, &house.ledger_beside()?)?;
    let accounts = house.accounts()?;
    let partner = find(&block_on(accounts.load())??, wanted)?.id;
    office.run(&console(), now(), |work| act(work, partner))?;
    let book = block_on(accounts.load())??;
    let report = PartnerReport::of(&book, find(&book, wanted)?);
    context.out.data(&report, |report| format!("{} {effect}", report.name))
}

/// Changes what all production apps of a partner may ask together.
pub(crate) fn limits(context: &Context, args: &LimitsArgs) -> anyhow::Result<()> {
    let (house, config) = context.existing_house()?;
    let office = house.office(&config, &house.ledger_beside()?)?;
    let accounts = house.accounts()?;
    let book = block_on(accounts.load())??;
    let partner = find(&book, &args.partner)?;
    let (id, limits) = (partner.id, args.limits.applied_to(partner.limits));
    office.run(&console(), now(), |work| limit_partner(work, id, limits, &args.reason))?;
    let book = block_on(accounts.load())??;
    let report = PartnerReport::of(&book, find(&book, &args.partner)?);
    context
        .out
        .data(&report, |report| format!("{}: {} for all its production apps together", report.name, report.in_words))
}
