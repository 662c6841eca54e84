//! The laini binary: commands, configuration, composition.
//!
//! Owns everything that a person types and sees. Must never decide what a check answers or costs
//! (laini-core does) or name an engine outside of `compose.rs`.

mod back_end;
mod backup;
mod cli;
mod command;
mod compose;
mod config;
mod data_dir;
mod failure;
mod keys;
mod logging;
mod out;
mod reload;
mod serving;
mod signals;

use std::process::ExitCode;

use clap::Parser as _;

fn main() -> ExitCode {
    // Whatever a command makes is for its owner alone.
    rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o077));
    let cli = cli::Cli::parse();
    let out = out::Out::new(cli.json);
    match command::run(cli, out) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            out.failure(&error);
            ExitCode::FAILURE
        }
    }
}
