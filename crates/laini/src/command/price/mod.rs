//! `laini price …`: what checks cost, and would cost.
//!
//! Owns how prices are told and given on the command line. Must never change a price that was agreed: a new
//! one is a new version of the agreement.

mod price_args;
mod set;
mod show;
mod simulate;

use clap::Subcommand;

use super::Context;

/// What to do with prices.
#[derive(Subcommand)]
pub(crate) enum PriceCommand {
    /// Show every price that a partner had, has and will have.
    Show(show::ShowArgs),
    /// Change a price: a new version of the agreement.
    Set(set::SetArgs),
    /// Say what a month would have cost under another price.
    Simulate(simulate::SimulateArgs),
}

/// Runs one of them.
pub(crate) fn run(context: &Context, command: &PriceCommand) -> anyhow::Result<()> {
    match command {
        PriceCommand::Show(args) => show::run(context, args),
        PriceCommand::Set(args) => set::run(context, args),
        PriceCommand::Simulate(args) => simulate::run(context, args),
    }
}
