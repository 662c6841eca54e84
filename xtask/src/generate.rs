use std::fmt::Write as _;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

use crate::shell;

const BUILD_LIMIT_MINUTES: u32 = 30;
/// No command of the binary lies deeper.
const COMMAND_DEPTH_AT_MOST: usize = 4;

/// A committed file that is made from the product itself.
struct Generated {
    path: &'static str,
    make: fn() -> Result<String>,
}

const GENERATED: &[Generated] = &[Generated { path: "docs/guide/cli.md", make: cli_reference }];

/// `cargo xtask generate [--check]`.
pub(crate) fn run(options: &[String]) -> Result<()> {
    match options {
        [] => write(),
        [option] if option == "--check" => check().map(|_| ()),
        _ => bail!("generate knows one option: --check"),
    }
}

/// Fails where a committed file differs from what would be made now; returns how many are right.
pub(crate) fn check() -> Result<u64> {
    build()?;
    for file in GENERATED {
        let committed = std::fs::read_to_string(shell::root().join(file.path)).unwrap_or_default();
        if committed != (file.make)()? {
            bail!("{} is stale: run `cargo xtask generate` and commit it", file.path);
        }
        println!("generate: {} ... ok", file.path);
    }
    Ok(GENERATED.len() as u64)
}

fn write() -> Result<()> {
    build()?;
    for file in GENERATED {
        let path = shell::root().join(file.path);
        let folder = path.parent().context("a generated file lies in a folder")?;
        std::fs::create_dir_all(folder)?;
        std::fs::write(&path, (file.make)()?).with_context(|| format!("cannot write {}", file.path))?;
        println!("generate: {}", file.path);
    }
    Ok(())
}

fn build() -> Result<()> {
    shell::run(&mut shell::command(BUILD_LIMIT_MINUTES, &["cargo", "build", "--package", "laini"]))
}

/// Every command of the binary with its `--help`, in the order in which the binary lists them.
fn cli_reference() -> Result<String> {
    let mut page =
        "# Command reference\n\nMade from `laini --help` by `cargo xtask generate`; do not edit.\n".to_owned();
    describe(&[], &mut page)?;
    Ok(page)
}

fn describe(command: &[String], page: &mut String) -> Result<()> {
    let help = help(command)?;
    let title = [&["laini".to_owned()], command].concat().join(" ");
    let level = "#".repeat(command.len().min(2) + 2);
    writeln!(page, "\n{level} {title}\n\n```text\n{}\n```", help.trim_end())?;
    if command.len() < COMMAND_DEPTH_AT_MOST {
        for name in subcommands(&help) {
            describe(&[command, &[name.to_owned()]].concat(), page)?;
        }
    }
    Ok(())
}

/// What `laini COMMAND --help` prints: without a terminal and an environment, so that it is the same
/// on every machine.
fn help(command: &[String]) -> Result<String> {
    let mut laini = Command::new(shell::root().join("target/debug/laini"));
    laini.args(command).arg("--help").env_clear().stdin(Stdio::null());
    let text = shell::output(&mut laini)?;
    Ok(text.lines().map(str::trim_end).collect::<Vec<_>>().join("\n"))
}

/// The names in the list that opens with `Commands:`.
fn subcommands(help: &str) -> impl Iterator<Item = &str> {
    let list = help.lines().skip_while(|line| *line != "Commands:").skip(1).take_while(|line| !line.is_empty());
    let named = list.filter_map(|line| line.strip_prefix("  ").filter(|rest| !rest.starts_with(' ')));
    named.filter_map(|line| line.split_whitespace().next()).filter(|name| *name != "help")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn subcommands_are_read_from_the_list_alone() {
        let help = "Does things\n\nUsage: laini <COMMAND>\n\nCommands:\n  serve     Serves\n              for long\n  \
            registry  The lines\n  help      Print this\n\nOptions:\n  -h, --help  Print help";
        assert_eq!(subcommands(help).collect::<Vec<_>>(), ["serve", "registry"]);
        assert_eq!(subcommands("Usage: laini check\n\nOptions:\n  --json").count(), 0);
    }
}
