use std::path::PathBuf;

use anyhow::{Context, Result, bail, ensure};

const LINES_AT_MOST: u64 = 200_000_000;
const ROUNDS_AT_MOST: u64 = 50;
const SECONDS_AT_MOST: u64 = 120;
const CONNECTIONS_AT_MOST: u64 = 1_000;

/// A part of the run that can be left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    /// The peers besides bare axum.
    Peers,
    Overload,
}

/// How much is measured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Options {
    /// The size of each registry, in lines.
    pub(super) lines: Vec<u64>,
    pub(super) rounds: u64,
    /// The length of one round.
    pub(super) seconds: u64,
    pub(super) connections: u64,
    /// The length of one load of the overload run.
    pub(super) overload_seconds: u64,
    /// An earlier laini to measure beside this one.
    pub(super) before: Option<PathBuf>,
    /// What is left out.
    pub(super) without: Vec<Part>,
    /// A short run, whose results are not the published ones.
    pub(super) quick: bool,
    /// Leave the registries where they are.
    pub(super) keep: bool,
}

impl Options {
    pub(super) fn read(args: &[String]) -> Result<Self> {
        let quick = args.iter().any(|arg| arg == "--quick");
        let (lines, rounds, seconds, overload_seconds) =
            if quick { (vec![100_000, 1_000_000], 2, 2, 2) } else { (vec![1_000_000, 50_000_000], 5, 5, 6) };
        let (connections, before, without, keep) = (64, None, Vec::new(), false);
        let mut options = Self { lines, rounds, seconds, connections, overload_seconds, before, without, quick, keep };
        let mut words = args.iter();
        while let Some(word) = words.next() {
            let mut number = |at_most: u64| -> Result<u64> {
                let value = words.next().and_then(|value| value.parse().ok());
                let value = value.filter(|value| (1..=at_most).contains(value));
                value.with_context(|| format!("{word} needs a number from 1 to {at_most}"))
            };
            match word.as_str() {
                "--quick" => {}
                "--keep" => options.keep = true,
                "--rounds" => options.rounds = number(ROUNDS_AT_MOST)?,
                "--seconds" => options.seconds = number(SECONDS_AT_MOST)?,
                "--connections" => options.connections = number(CONNECTIONS_AT_MOST)?,
                "--lines" => options.lines = sizes(words.next())?,
                "--before" => options.before = Some(words.next().context("--before needs a file")?.into()),
                "--without" => match words.next().map(String::as_str) {
                    Some("peers") => options.without.push(Part::Peers),
                    Some("overload") => options.without.push(Part::Overload),
                    _ => bail!("--without needs 'peers' or 'overload'"),
                },
                other => bail!("bench does not know '{other}'; `cargo xtask help` lists what it knows"),
            }
        }
        Ok(options)
    }

    pub(super) fn includes(&self, part: Part) -> bool {
        !self.without.contains(&part)
    }
}

/// `1000000,50000000`: from the smallest to the largest.
fn sizes(list: Option<&String>) -> Result<Vec<u64>> {
    let list = list.context("--lines needs numbers separated by commas")?;
    let mut lines = Vec::new();
    for word in list.split(',') {
        let count: u64 = word.parse().with_context(|| format!("--lines: '{word}' is no number"))?;
        ensure!((1..=LINES_AT_MOST).contains(&count), "--lines: from 1 to {LINES_AT_MOST}");
        lines.push(count);
    }
    lines.sort_unstable();
    Ok(lines)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Result<Options> {
        Options::read(&line.split_whitespace().map(str::to_owned).collect::<Vec<_>>())
    }

    #[test]
    fn options_override_the_defaults_in_any_order() {
        let options = read("--lines 50,20 --quick --rounds 4").unwrap();
        assert_eq!((options.lines, options.rounds, options.seconds), (vec![20, 50], 4, 2));
        assert_eq!(read("").unwrap().lines, [1_000_000, 50_000_000]);
        let options = read("--without overload").unwrap();
        assert!(options.includes(Part::Peers) && !options.includes(Part::Overload));
    }

    #[test]
    fn what_is_out_of_range_is_refused() {
        for wrong in
            ["--rounds", "--rounds 0", "--seconds 121", "--lines x", "--lines 0", "--lines", "--fast", "--without x"]
        {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }
}
