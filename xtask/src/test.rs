use std::time::{Duration, Instant};

use anyhow::{Result, bail};

use crate::postgres::{TEST_URL, TestServer};
use crate::{browser, clients, fuzz, generate, manifests, packages, shell, tidy};

/// Cargo waits for downloads, the build and other cargos; longer than this something hangs.
const CARGO_LIMIT_MINUTES: u32 = 60;

/// One part of the test command; `run` returns how many checks passed.
struct Step {
    name: &'static str,
    run: fn() -> Result<u64>,
}

/// In this order; the first that fails ends the run.
const STEPS: &[Step] = &[
    Step { name: "packages", run: || packages::ensure(packages::FOR_TESTS).map(|()| 0) },
    Step { name: "fmt", run: || cargo(&["fmt", "--all", "--check"]) },
    Step { name: "tidy", run: tidy::run },
    Step { name: "clippy", run: || cargo(&["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"]) },
    Step { name: "tests", run: cargo_test },
    Step { name: "generated", run: generate::check },
    Step { name: "manifests", run: manifests::run },
    Step { name: "clients", run: clients::run },
    Step { name: "fuzz", run: fuzz::run },
    Step { name: "browser", run: browser::run },
];

/// Runs the steps, all or those that `--only` names; prints what each took, and at last the sum.
pub(crate) fn run(options: &[String]) -> Result<()> {
    let steps = chosen(options)?;
    let (mut passed, mut lines) = (0, Vec::new());
    for step in steps {
        println!("== {}", step.name);
        let started = Instant::now();
        match (step.run)() {
            Ok(count) => {
                passed += count;
                lines.push(summary(step.name, &format!("{count} passed"), started.elapsed()));
            }
            Err(error) => {
                lines.push(summary(step.name, "FAILED", started.elapsed()));
                println!("\n{}\n", lines.join("\n"));
                println!("error: step '{}': {error:#}", step.name);
                println!("To run this step alone: cargo xtask test --only {}", step.name);
                println!("{passed} passed, 1 failed");
                std::process::exit(1);
            }
        }
    }
    println!("\n{}\n", lines.join("\n"));
    println!("{passed} passed, 0 failed");
    Ok(())
}

fn summary(name: &str, result: &str, took: Duration) -> String {
    format!("{name:<10} {result:>12} {:>8.1} s", took.as_secs_f64())
}

fn chosen(options: &[String]) -> Result<Vec<&'static Step>> {
    let mut steps = Vec::new();
    let mut words = options.iter();
    while let Some(word) = words.next() {
        let name = match word.strip_prefix("--only") {
            Some("") => words.next().map(String::as_str),
            Some(joined) => joined.strip_prefix('='),
            None => None,
        };
        let known = STEPS.iter().map(|step| step.name).collect::<Vec<_>>().join(", ");
        let Some(name) = name else { bail!("'{word}' is no option here; --only STEP is, with one of: {known}") };
        let Some(step) = STEPS.iter().find(|step| step.name == name) else {
            bail!("there is no step '{name}'; the steps are: {known}")
        };
        steps.push(step);
    }
    Ok(if steps.is_empty() { STEPS.iter().collect() } else { steps })
}

fn cargo(args: &[&str]) -> Result<u64> {
    shell::run(shell::command(CARGO_LIMIT_MINUTES, &["cargo"]).args(args))?;
    Ok(1)
}

/// The test that measures how much is answered: its figures say nothing while others use the machine.
const MEASURED: &str = "failover::a_node_dies_stands_still_or_is_not_heard_and_the_others_answer";

/// Every test of the workspace, counted from the closing line of each test binary. They make their
/// databases on the server that the environment names, or on one that is started for this step.
fn cargo_test() -> Result<u64> {
    let own = if std::env::var_os(TEST_URL).is_none() { Some(TestServer::start()?) } else { None };
    let tests = |words: &[&str]| -> Result<u64> {
        let mut passed = 0;
        let mut cargo =
            shell::command(CARGO_LIMIT_MINUTES, &["cargo", "test", "--workspace", "--locked", "--no-fail-fast"]);
        cargo.args(words);
        if let Some(server) = &own {
            cargo.env(TEST_URL, server.url());
        }
        shell::follow(&mut cargo, |line| passed += passed_in(line).unwrap_or(0))?;
        if passed == 0 {
            bail!("cargo ran no test at all");
        }
        Ok(passed)
    };
    // All of the workspace each time, so that nothing is built twice; examples have no tests.
    let most = tests(&["--lib", "--bins", "--tests", "--", "--skip", MEASURED])?;
    Ok(most + tests(&["--doc"])? + tests(&["--test", "it", "--", "--exact", MEASURED])?)
}

/// The number in `test result: ok. 12 passed; 0 failed; …`.
fn passed_in(line: &str) -> Option<u64> {
    let counts = line.strip_prefix("test result: ok. ")?;
    counts.split_once(" passed")?.0.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passed_tests_are_counted_from_closing_lines_alone() {
        assert_eq!(passed_in("test result: ok. 12 passed; 0 failed; 0 ignored; 0 measured"), Some(12));
        assert_eq!(passed_in("test result: FAILED. 11 passed; 1 failed; 0 ignored"), None);
        assert_eq!(passed_in("test passed_in ... ok"), None);
    }

    #[test]
    fn steps_are_chosen_by_name() {
        let chosen_names = |words: &[&str]| -> Result<Vec<&str>> {
            let words: Vec<String> = words.iter().map(ToString::to_string).collect();
            Ok(chosen(&words)?.iter().map(|step| step.name).collect())
        };
        assert_eq!(chosen_names(&["--only", "tidy", "--only=fmt"]).unwrap(), ["tidy", "fmt"]);
        assert_eq!(chosen_names(&[]).unwrap().len(), STEPS.len());
        for wrong in [&["--only"][..], &["--only", "nothing"], &["tidy"], &["--onlytidy"]] {
            assert!(chosen_names(wrong).is_err(), "{wrong:?}");
        }
    }
}
