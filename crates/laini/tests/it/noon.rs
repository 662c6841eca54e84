//! Labs in which every command and server starts at one noon, so that dates can be written down. The
//! product has no switch for a false clock: `faketime` stands around it.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

use crate::running::{Credentials, Lab, Running, succeed};

/// When each of them starts; its clock goes on from there. In UTC it is 09:00.
const NOON: &str = "2026-11-22 12:00:00 +0300";

/// A command of `lab` at noon.
pub(crate) fn at_noon(lab: &Lab, args: &[&str]) -> Command {
    under_faketime(lab, &[NOON], args)
}

/// A command of `lab` under a clock as `faketime` is told. The monotonic clock stays true: the runtime's
/// timers hang on it.
pub(crate) fn under_faketime(lab: &Lab, clock: &[&str], args: &[&str]) -> Command {
    sweep_leftovers();
    let mut command = lab.command_under(&[&["faketime"], clock].concat(), args);
    command.env("FAKETIME_DONT_FAKE_MONOTONIC", "1");
    command
}

/// `faketime` names its shared memory after its process. What a killed one left is in the way of the
/// next process with the same number.
fn sweep_leftovers() {
    for entry in fs::read_dir("/dev/shm").into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let owner = name.strip_prefix("faketime_shm_").or_else(|| name.strip_prefix("sem.faketime_sem_"));
        let is_leftover = owner.is_some_and(|pid| !Path::new("/proc").join(pid).exists());
        if is_leftover {
            // Another test may have been quicker.
            let _ = fs::remove_file(entry.path());
        }
    }
}

/// Runs a command at noon to its end, whatever that is.
pub(crate) fn output_at_noon(lab: &Lab, args: &[&str]) -> Output {
    at_noon(lab, args).output().unwrap()
}

/// Runs a command at noon that must succeed, with `--json`; what it says.
pub(crate) fn json_at_noon(lab: &Lab, args: &[&str]) -> Value {
    let args = [args, &["--json"]].concat();
    serde_json::from_str(&succeed(&args, output_at_noon(lab, &args))).unwrap()
}

/// A server at noon, with settings from its environment, and the credentials of a bank in production.
pub(crate) fn serve_at_noon(lab: &Lab, settings: &[(&str, &str)]) -> (Running, Credentials) {
    let credentials = lab.partner_app("Bank A", "production");
    let mut command = at_noon(lab, &["serve", "--listen", "127.0.0.1:0"]);
    command.envs(settings.iter().copied());
    (lab.start(command), credentials)
}
