use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

/// The checkout that this program was built in.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("xtask lies in the root of the checkout")
}

/// An empty directory of this run's own, under `target/`. What runs that failed left there is removed.
pub(crate) fn fresh_dir(name: &str) -> Result<PathBuf> {
    let all = root().join("target/xtask");
    std::fs::create_dir_all(&all).with_context(|| format!("cannot make {}", all.display()))?;
    fresh_dir_in(&all, name)
}

/// The same in a directory that others use too.
pub(crate) fn fresh_dir_in(all: &Path, name: &str) -> Result<PathBuf> {
    for entry in std::fs::read_dir(all)? {
        let entry = entry?;
        let file_name = entry.file_name().to_string_lossy().into_owned();
        let owner = file_name.strip_prefix(name).and_then(|rest| rest.strip_prefix('-'));
        if owner.is_some_and(|pid| !Path::new("/proc").join(pid).exists()) {
            std::fs::remove_dir_all(entry.path())?;
        }
    }
    let dir = all.join(format!("{name}-{}", std::process::id()));
    std::fs::create_dir(&dir).with_context(|| format!("cannot make {}", dir.display()))?;
    Ok(dir)
}

/// A command that runs in the root of the checkout and is ended after `limit_minutes`.
pub(crate) fn command(limit_minutes: u32, line: &[&str]) -> Command {
    let mut command = Command::new("timeout");
    command.args(["--foreground", "--kill-after=10", &format!("{limit_minutes}m")]);
    command.args(line).current_dir(root()).stdin(Stdio::null());
    command
}

/// Runs it, its output going straight to the person; an error where it fails.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    let status = command.status().with_context(|| format!("cannot start {}", shown(command)))?;
    if status.success() { Ok(()) } else { bail!("{} failed ({status})", shown(command)) }
}

/// Runs it and returns what it wrote to its standard output; an error, with its other output, where
/// it fails.
pub(crate) fn output(command: &mut Command) -> Result<String> {
    let output = command.output().with_context(|| format!("cannot start {}", shown(command)))?;
    if !output.status.success() {
        let errors = String::from_utf8_lossy(&output.stderr);
        bail!("{} failed ({})\n{}", shown(command), output.status, errors.trim_end());
    }
    String::from_utf8(output.stdout).with_context(|| format!("{} wrote something else than text", shown(command)))
}

/// Runs it, showing each line of its standard output and handing it to `on_line`; an error where it
/// fails.
pub(crate) fn follow(command: &mut Command, mut on_line: impl FnMut(&str)) -> Result<()> {
    let mut child =
        command.stdout(Stdio::piped()).spawn().with_context(|| format!("cannot start {}", shown(command)))?;
    let stdout = child.stdout.take().context("its output cannot be read")?;
    for line in BufReader::new(stdout).split(b'\n') {
        let line = line.context("its output cannot be read")?;
        let line = String::from_utf8_lossy(&line);
        println!("{line}");
        on_line(&line);
    }
    let status = child.wait()?;
    if status.success() { Ok(()) } else { bail!("{} failed ({status})", shown(command)) }
}

/// Whether a line of shell succeeds; silent.
pub(crate) fn holds(line: &str) -> bool {
    let quiet =
        Command::new("sh").args(["-c", line]).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status();
    quiet.is_ok_and(|status| status.success())
}

/// The command as a person would type it, without the time limit in front.
fn shown(command: &Command) -> String {
    let mut words: Vec<String> = vec![command.get_program().to_string_lossy().into_owned()];
    words.extend(command.get_args().map(|arg| arg.to_string_lossy().into_owned()));
    if words[0] == "timeout" { words[4..].join(" ") } else { words.join(" ") }
}
