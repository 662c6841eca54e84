//! The project's own commands: `cargo xtask test`, `generate`, `bench`, `capacity`.
//!
//! Owns how the project is checked and measured. Must never hold a rule of the product, and never
//! reach another address than this machine's loopback; only the package managers that it calls do.
#![expect(clippy::print_stdout, reason = "commands for people: what they print is what they are for")]

use std::process::ExitCode;

use anyhow::{Result, bail};

mod bench;
mod browser;
mod capacity;
mod clients;
mod daemon;
mod fuzz;
mod generate;
mod installed;
mod manifests;
mod packages;
mod postgres;
mod product;
mod samples;
mod server;
mod shell;
mod test;
mod tidy;

const USAGE: &str = "\
cargo xtask test [--only STEP]...   check everything: format, tidiness, lints, tests, generated files, manifests, clients, generated requests, pages in a browser
cargo xtask generate [--check]      write the generated files, or fail where one is stale
cargo xtask bench [--quick] [--lines N,N] [--rounds N] [--seconds N] [--connections N] [--keep]
                  [--before FILE] [--without PART]...
                                    measure the durable check beside its peers (an earlier laini too, where FILE is
                                    one) and under overload; the parts 'peers' and 'overload' can be left out;
                                    writes bench/results.md and bench/overload.svg
cargo xtask capacity [--lines N --checks-per-second N] [--ASSUMPTION N]...
                                    say which machines carry a demand, and what gives way first (docs/guide/scale.md)";

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match run(&args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            println!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(args: &[String]) -> Result<()> {
    let Some((verb, options)) = args.split_first() else { bail!("which command?\n{USAGE}") };
    match verb.as_str() {
        "test" => test::run(options),
        "generate" => generate::run(options),
        "bench" => bench::run(options),
        "capacity" => capacity::run(options),
        "help" | "--help" | "-h" => {
            println!("{USAGE}");
            Ok(())
        }
        other => bail!("there is no command '{other}'\n{USAGE}"),
    }
}
