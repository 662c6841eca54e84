//! `laini sandbox`: only the sandbox, nothing to configure; and the worlds of sandbox apps.
//!
//! Owns the sandbox server and the commands on worlds. Must never touch a real line.

mod serve;
mod world;

use clap::{Args, Subcommand};

use super::Context;

pub(crate) use serve::{Place, at_start, credentials};

/// `laini sandbox`
#[derive(Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct SandboxArgs {
    #[command(subcommand)]
    command: Option<SandboxCommand>,
    #[command(flatten)]
    serve: serve::ServeArgs,
}

/// What to do with the sandbox other than serving it.
#[derive(Subcommand)]
enum SandboxCommand {
    /// A sandbox app's own lines and clock; a running server notices within a second.
    World(world::WorldArgs),
}

/// Serves, or does one of them.
pub(crate) fn run(context: &Context, args: &SandboxArgs) -> anyhow::Result<()> {
    match &args.command {
        None => serve::run(context, &args.serve),
        Some(SandboxCommand::World(args)) => world::run(context, args),
    }
}
