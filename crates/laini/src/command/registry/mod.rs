//! `laini registry …`: the operator's lines.
//!
//! Owns how extracts and events are loaded and shown. Must never show a number or an IMSI in full
//! without an audit row.

mod apply;
mod diff;
mod events;
mod heartbeat;
pub(crate) mod import;
mod rejects;
mod retry;
pub(crate) mod sample;
mod show;
mod status;

use clap::Subcommand;

use super::Context;
use crate::config::RegistryKind;
use crate::out::Out;

/// What to do with the lines.
#[derive(Subcommand)]
pub(crate) enum RegistryCommand {
    /// Load an extract (CSV; all files are one snapshot) and switch to it at once, or change nothing.
    Import(import::ImportArgs),
    /// Apply events (NDJSON) in whatever order they come.
    Apply(apply::ApplyArgs),
    /// Compare an extract with the registry, without loading it.
    Diff(diff::DiffArgs),
    /// Show what is known about one number.
    Show(show::ShowArgs),
    /// Say that a feed is complete until an instant.
    Heartbeat(heartbeat::HeartbeatArgs),
    /// List what feeds told, those events first that came last.
    Events(events::EventsArgs),
    /// List what could not be read or applied, newest first.
    Rejects(rejects::RejectsArgs),
    /// Read again what could not be read, by the rules of now.
    Retry,
    /// Show how many lines there are and how fresh they are.
    Status,
    /// Make up an extract of any size.
    Sample(sample::SampleArgs),
}

/// Runs one of them.
pub(crate) fn run(context: &Context, command: &RegistryCommand) -> anyhow::Result<()> {
    if !matches!(command, RegistryCommand::Sample(_)) {
        note_back_end(context)?;
    }
    match command {
        RegistryCommand::Import(args) => import::run(context, args),
        RegistryCommand::Apply(args) => apply::run(context, args),
        RegistryCommand::Diff(args) => diff::run(context, args),
        RegistryCommand::Show(args) => show::run(context, args),
        RegistryCommand::Heartbeat(args) => heartbeat::run(context, args),
        RegistryCommand::Events(args) => events::run(context, args),
        RegistryCommand::Rejects(args) => rejects::run(context, args),
        RegistryCommand::Retry => retry::run(context),
        RegistryCommand::Status => status::run(context),
        RegistryCommand::Sample(args) => sample::run(context, args),
    }
}

/// Says so where the lines that these commands are about are not the ones that checks are answered from.
fn note_back_end(context: &Context) -> anyhow::Result<()> {
    let config = context.settings(&context.data_path(), &[])?.config;
    if config.registry.kind == RegistryKind::Http {
        Out::note(
            "note: checks are answered by the back end of [upstream] (registry.kind = \"http\"); \
             this is the built-in registry, which no check asks now",
        );
    }
    Ok(())
}
