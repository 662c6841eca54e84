//! `laini operator …`: credentials of the operator's own systems.
//!
//! Owns how operator keys are made, listed and revoked. Must never show the secret part twice.

mod key;

use clap::Subcommand;

use super::Context;

/// What to do for the operator's own systems.
#[derive(Subcommand)]
pub(crate) enum OperatorCommand {
    /// Keys with which they call the operator's API.
    #[command(subcommand)]
    Key(KeyCommand),
}

/// What to do with operator keys.
#[derive(Subcommand)]
pub(crate) enum KeyCommand {
    /// Make a key; it is shown once.
    Add(key::AddArgs),
    /// List the keys.
    List,
    /// Refuse a key from now on.
    Revoke(key::RevokeArgs),
}

/// Runs one of them.
pub(crate) fn run(context: &Context, command: &OperatorCommand) -> anyhow::Result<()> {
    let OperatorCommand::Key(command) = command;
    match command {
        KeyCommand::Add(args) => key::add(context, args),
        KeyCommand::List => key::list(context),
        KeyCommand::Revoke(args) => key::revoke(context, args),
    }
}
