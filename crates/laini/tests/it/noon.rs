//! Labs in which every command and server starts at one noon, so that dates can be written down. The
//! product has no switch for a false clock: `faketime` stands around it.

use std::process::{Command, Output};

use serde_json::Value;

use crate::running::{Credentials, Lab, Running, succeed};

/// When each of them starts; its clock goes on from there. In UTC it is 09:00.
const NOON: &str = "2026-11-22 12:00:00 +0300";

/// A command of `lab` at noon. The monotonic clock stays true: the runtime's timers hang on it.
pub(crate) fn at_noon(lab: &Lab, args: &[&str]) -> Command {
    let mut command = lab.command_under(&["faketime", NOON], args);
    command.env("FAKETIME_DONT_FAKE_MONOTONIC", "1");
    command
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
