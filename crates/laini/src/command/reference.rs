//! The reference of every command, made of the commands themselves.

use std::fmt::Write as _;

use clap::{Command, CommandFactory as _};

use crate::cli::Cli;
use crate::out::Out;

/// Prints it.
pub(crate) fn run() -> anyhow::Result<()> {
    let mut text = String::from("# Commands\n\nMade by `laini reference`; do not edit.\n");
    // A fixed width, so that the text does not depend on a terminal.
    let mut root = Cli::command().term_width(100);
    root.build();
    write(&mut root, "laini", &mut text);
    Out::line(&text)
}

fn write(command: &mut Command, name: &str, text: &mut String) {
    let help = command.render_long_help().to_string();
    let help: Vec<&str> = help.lines().map(str::trim_end).collect();
    let _ = write!(text, "\n## `{name}`\n\n```text\n{}\n```\n", help.join("\n").trim_end());
    for sub in command.get_subcommands_mut().filter(|sub| !sub.is_hide_set() && sub.get_name() != "help") {
        let name = format!("{name} {}", sub.get_name());
        write(sub, &name, text);
    }
}
