//! `laini retention …`: forgetting what was kept long enough.

use clap::Subcommand;
use laini_server::worker::{Swept, sweep};

use super::Context;
use super::context::{block_on, now};
use super::progress::bar;

/// What to do.
#[derive(Subcommand)]
pub(crate) enum RetentionCommand {
    /// Forget now what was kept long enough, as the server does every hour.
    Run,
}

/// Runs one of them.
pub(crate) fn run(context: &Context, command: &RetentionCommand) -> anyhow::Result<()> {
    let RetentionCommand::Run = command;
    let (house, config) = context.existing_house()?;
    let ledger = house.ledger_beside()?;
    let forgetting = bar(context.out, "forgetting", "rows", None);
    let progress = |count| forgetting.set_position(count);
    let refusals = house.refusals()?;
    let what = (&*ledger.retention, &*refusals);
    let swept = block_on(sweep(what, config.retention.policy(), now(), &progress))??;
    forgetting.finish_and_clear();
    context.out.data(&swept, |Swept { subjects, answers, deliveries, refused, day_keys }| {
        format!(
            "forgotten: numbers and facts of {subjects} checks, {answers} stored answers, bodies of {deliveries} deliveries, \
             {refused} refused calls; \
             {day_keys} keys of days destroyed"
        )
    })
}
