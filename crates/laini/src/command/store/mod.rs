//! `laini store …`: where everything is remembered.
//!
//! Owns moving an installation from one engine to the other. Must never say what a row holds.

mod copy;

use clap::Subcommand;

use super::Context;

/// What to do with the store.
#[derive(Subcommand)]
pub(crate) enum StoreCommand {
    /// Copy a whole installation from a data directory into a database, or back, and compare both row for row.
    Copy(copy::CopyArgs),
}

/// Runs one of them.
pub(crate) fn run(context: &Context, command: &StoreCommand) -> anyhow::Result<()> {
    match command {
        StoreCommand::Copy(args) => copy::run(context, args),
    }
}
