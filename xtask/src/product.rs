use std::path::Path;
use std::process::Command;

use anyhow::Result;
use serde_json::Value;

use crate::shell;

const BUILD_LIMIT_MINUTES: u32 = 30;

/// Builds the program that steps of the test command drive.
pub(crate) fn build() -> Result<()> {
    shell::run(&mut shell::command(BUILD_LIMIT_MINUTES, &["cargo", "build", "--package", "laini"]))
}

/// A command of the program that [`build`] made.
pub(crate) fn laini(words: &[&str]) -> Command {
    let mut command = Command::new(shell::root().join("target/debug/laini"));
    command.args(words);
    command
}

/// What a command says as JSON of the data in a directory, beside a server that may run on it: that one notices what it
/// does long before it is used.
pub(crate) fn beside(dir: &Path, words: &[&str]) -> Result<Value> {
    let mut command = laini(words);
    command.arg("--json").arg("--data").arg(dir.join("data"));
    Ok(serde_json::from_str(&shell::output(&mut command)?)?)
}
