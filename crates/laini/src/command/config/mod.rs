//! `laini config …`: settings.
//!
//! Owns how settings are shown. Must never change one.

use clap::Subcommand;
use serde::Serialize;

use super::Context;
use crate::config::example;
use crate::out::Out;

/// What to do with settings.
#[derive(Subcommand)]
pub(crate) enum ConfigCommand {
    /// Check the settings, and show each with where it comes from.
    Check,
    /// Print a commented file with every setting.
    Example,
}

#[derive(Serialize)]
struct SettingLine {
    setting: String,
    value: String,
    origin: &'static str,
}

/// Runs one of them.
pub(crate) fn run(context: &Context, command: &ConfigCommand) -> anyhow::Result<()> {
    match command {
        ConfigCommand::Example => Out::line(&example()?),
        ConfigCommand::Check => {
            let resolved = context.settings(&context.data_path(), &[])?;
            let lines = resolved.origins.into_iter().map(|(setting, (value, origin))| SettingLine {
                setting,
                value,
                origin: origin.word(),
            });
            let lines: Vec<_> = lines.collect();
            context.out.data(&lines, |lines| {
                let rows = lines.iter().map(|line| format!("{:<38} {:<24} {}", line.setting, line.value, line.origin));
                rows.chain(std::iter::once("the settings are fine".to_owned())).collect::<Vec<_>>().join("\n")
            })
        }
    }
}
