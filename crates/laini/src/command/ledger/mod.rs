//! `laini ledger …`: what was asked and what it costs.
//!
//! Owns which rows are told, and in which form. Must never write to the ledger, or show a number.

mod export;
mod filter;
mod list;
pub(super) mod verify;

use clap::Subcommand;

use super::Context;

/// What to do with the ledger.
#[derive(Subcommand)]
pub(crate) enum LedgerCommand {
    /// Show the newest rows.
    List(list::ListArgs),
    /// Write every row as CSV or NDJSON.
    Export(export::ExportArgs),
    /// Prove that no row was altered, removed or added.
    Verify,
}

/// Runs one of them.
pub(crate) fn run(context: &Context, command: &LedgerCommand) -> anyhow::Result<()> {
    match command {
        LedgerCommand::List(args) => list::run(context, args),
        LedgerCommand::Export(args) => export::run(context, args),
        LedgerCommand::Verify => verify::run(context),
    }
}
