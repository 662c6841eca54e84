//! `laini shadow`: would checks be answered from the built-in registry as they are from the back end?
//!
//! Owns the asking of both and the report. Must never show a number in full, or an IMSI.

mod difference;

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead, BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, anyhow, bail};
use clap::Args;
use futures_util::stream::{self, StreamExt as _};
use laini_core::line::{Msisdn, NumberPlan};
use laini_core::store::{Registry, RegistryError};
use serde::Serialize;
use tokio::sync::Mutex;
use tokio::time::{Interval, MissedTickBehavior, interval};

use super::Context;
use crate::command::context::{block_on, now};
use crate::command::progress::bar;
use crate::compose::back_end;
use crate::failure::{WithHint as _, hinted};
use difference::{Difference, Rules, differences};

/// `laini shadow FILE`
#[derive(Args)]
pub(crate) struct ShadowArgs {
    /// Numbers, one a line (of a CSV: the first column); - reads standard input.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// How many numbers the back end is asked about per second, at most.
    #[arg(long, default_value_t = 20, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1_000))]
    per_second: u32,
    /// How many it is asked about at once, at most.
    #[arg(long, default_value_t = 4, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=64))]
    at_once: u16,
    /// How many numbers may differ or stay unanswered before this ends with exit code 1.
    #[arg(long, default_value_t = 0, value_name = "N")]
    max_differences: u64,
    /// Where each difference is written (CSV: line of FILE, what differs, the back end, laini).
    #[arg(long, value_name = "FILE")]
    differences: Option<PathBuf>,
    /// How many differing numbers are listed (masked).
    #[arg(long, default_value_t = 20, value_name = "N")]
    list: usize,
}

#[derive(Debug, Default, Serialize)]
struct ShadowReport {
    same: u64,
    /// Numbers of which anything differs.
    different: u64,
    /// Numbers about which the back end gave no answer, by the status that a check would get.
    unanswered: BTreeMap<u16, Unanswered>,
    /// Lines of the file that are no number.
    unreadable: u64,
    /// What differs, and at how many numbers.
    differences: BTreeMap<&'static str, u64>,
    listed: Vec<ListedNumber>,
}

#[derive(Debug, Default, Serialize)]
struct Unanswered {
    numbers: u64,
    /// Why the first of them was not answered.
    first: String,
}

#[derive(Debug, Serialize)]
struct ListedNumber {
    line: u64,
    msisdn: String,
    what: Vec<&'static str>,
}

/// Asks both about every number of the file.
pub(crate) fn run(context: &Context, args: &ShadowArgs) -> anyhow::Result<()> {
    let (house, config) = context.existing_house()?;
    if !config.upstream.is_set() {
        return Err(hinted(
            anyhow!("there is no back end to compare with"),
            "set upstream.url (docs/guide/upstream.md)",
        ));
    }
    let (back_end, built_in) = (back_end(&config)?, house.registry(&config)?.reader);
    let (plan, rules) = (config.plan()?, Rules { freshness: config.freshness(), zone: config.zone()? });
    let lines = open(&args.file)?.lines();
    let mut tally = Tally {
        list: args.list,
        output: args.differences.as_deref().map(create).transpose()?,
        report: ShadowReport::default(),
    };
    let asking = bar(context.out, "comparing", "rows", None);
    block_on(async {
        let mut pace = interval(Duration::from_secs(1) / args.per_second);
        pace.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let both = Both { back_end: &back_end, built_in: &*built_in, plan, rules, pace: Mutex::new(pace) };
        let asked = stream::iter((1..).zip(lines)).map(|(line, text)| both.ask(line, text));
        let mut outcomes = asked.buffered(args.at_once.into());
        while let Some(outcome) = outcomes.next().await {
            tally.take(outcome?)?;
            asking.inc(1);
        }
        anyhow::Ok(())
    })??;
    asking.finish_and_clear();
    let report = tally.finish()?;
    context.out.data(&report, in_words)?;
    report.verdict(args.max_differences)
}

fn open(path: &Path) -> anyhow::Result<Box<dyn BufRead>> {
    if path == "-" {
        return Ok(Box::new(std::io::stdin().lock()));
    }
    let file = File::open(path).with_context(|| format!("{} cannot be read", path.display()));
    Ok(Box::new(BufReader::new(file.hint("name a file with a number on each line")?)))
}

fn create(path: &Path) -> anyhow::Result<BufWriter<File>> {
    let file = File::create(path).with_context(|| format!("{} cannot be written", path.display()))?;
    let mut output = BufWriter::new(file);
    output.write_all(b"line,what,back_end,laini\n")?;
    Ok(output)
}

/// What became of one line of the file.
enum Outcome {
    /// It is empty, or a header.
    NoNumber,
    /// It is no number.
    Unreadable,
    /// The back end gave no answer.
    Unanswered(RegistryError),
    /// Both answered.
    Compared { line: u64, msisdn: Msisdn, differences: Vec<Difference> },
}

/// The two that are asked.
struct Both<'a> {
    back_end: &'a dyn Registry,
    built_in: &'a dyn Registry,
    plan: NumberPlan,
    rules: Rules,
    /// Lets one through at a time.
    pace: Mutex<Interval>,
}

impl Both<'_> {
    async fn ask(&self, line: u64, text: std::io::Result<String>) -> anyhow::Result<Outcome> {
        let text = text.context("the file cannot be read as text")?;
        let column = text.trim_start_matches('\u{feff}').split(',').next().unwrap_or_default();
        let Ok(msisdn) = self.plan.parse_spaced(column.trim_matches('"')) else {
            let is_header = line == 1 && !text.contains(|letter: char| letter.is_ascii_digit());
            return Ok(if is_header || text.trim().is_empty() { Outcome::NoNumber } else { Outcome::Unreadable });
        };
        self.pace.lock().await.tick().await;
        let built_in = self.built_in.look_up(msisdn).await.hint("load an extract with `laini registry import FILE`")?;
        Ok(match self.back_end.look_up(msisdn).await {
            Ok(back_end) => {
                let differences = differences(&back_end, &built_in, &self.rules, now());
                Outcome::Compared { line, msisdn, differences }
            }
            Err(error) => Outcome::Unanswered(error),
        })
    }
}

/// The report as it grows.
struct Tally {
    list: usize,
    output: Option<BufWriter<File>>,
    report: ShadowReport,
}

impl Tally {
    fn take(&mut self, outcome: Outcome) -> anyhow::Result<()> {
        let report = &mut self.report;
        match outcome {
            Outcome::NoNumber => {}
            Outcome::Unreadable => report.unreadable += 1,
            Outcome::Unanswered(error) => {
                let unanswered = report.unanswered.entry(status(&error)).or_default();
                unanswered.numbers += 1;
                if unanswered.first.is_empty() {
                    unanswered.first = error.to_string();
                }
            }
            Outcome::Compared { differences, .. } if differences.is_empty() => report.same += 1,
            Outcome::Compared { line, msisdn, differences } => {
                report.different += 1;
                for Difference { what, back_end, laini } in &differences {
                    *report.differences.entry(*what).or_default() += 1;
                    if let Some(output) = &mut self.output {
                        writeln!(output, "{line},{what},{back_end},{laini}")
                            .context("differences cannot be written")?;
                    }
                }
                if report.listed.len() < self.list {
                    let what = differences.iter().map(|difference| difference.what).collect();
                    report.listed.push(ListedNumber { line, msisdn: msisdn.masked(), what });
                }
            }
        }
        Ok(())
    }

    fn finish(mut self) -> anyhow::Result<ShadowReport> {
        if let Some(output) = &mut self.output {
            output.flush().context("differences cannot be written")?;
        }
        Ok(self.report)
    }
}

/// What a check would have been answered.
fn status(error: &RegistryError) -> u16 {
    match error {
        RegistryError::Bad(_) => 502,
        RegistryError::Empty | RegistryError::Unavailable(_) | RegistryError::Busy => 503,
        RegistryError::TooSlow => 504,
    }
}

impl ShadowReport {
    /// Nobody knows whether a number that was not answered differs, so it counts as one that does.
    fn verdict(&self, differences_max: u64) -> anyhow::Result<()> {
        if self.same + self.different == 0 {
            return Err(hinted(anyhow!("no number was compared"), "the report says why"));
        }
        let unanswered: u64 = self.unanswered.values().map(|unanswered| unanswered.numbers).sum();
        if self.different + unanswered > differences_max {
            bail!(
                "{} numbers differ and {unanswered} were not answered; --max-differences allows {differences_max}",
                self.different
            );
        }
        Ok(())
    }
}

fn in_words(report: &ShadowReport) -> String {
    let mut text = format!("same        {}\ndifferent   {}", report.same, report.different);
    for (what, count) in &report.differences {
        text.push_str(&format!("\n  {what:<13} {count}"));
    }
    for (status, Unanswered { numbers, first }) in &report.unanswered {
        text.push_str(&format!("\nunanswered  {numbers} (a check is answered {status}); the first: {first}"));
    }
    text.push_str(&format!("\nunreadable  {} lines", report.unreadable));
    for number in &report.listed {
        text.push_str(&format!("\n  line {} {} {}", number.line, number.msisdn, number.what.join(", ")));
    }
    text
}
