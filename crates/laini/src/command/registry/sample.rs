use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::PathBuf;

use anyhow::Context as _;
use clap::Args;
use jiff::{SignedDuration, Timestamp, tz::TimeZone};

use crate::command::Context;
use crate::command::context::now;
use crate::command::progress::bar;

/// National numbers that a sample can use: all that begin with 7 or 1.
const LINES_MAX: u64 = 200_000_000;
/// Rows between two steps of the bar.
const STEP_ROWS: u64 = 10_000;

/// `laini registry sample`
#[derive(Args)]
pub(crate) struct SampleArgs {
    /// How many lines.
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..=LINES_MAX))]
    lines: u64,
    /// Equal seeds give equal samples (on one day).
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Where to (default: standard output).
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// The day up to which things happened (default: today, in the operator's zone).
    #[arg(long, value_name = "DATE")]
    as_of: Option<jiff::civil::Date>,
}

/// Makes up an extract.
pub(crate) fn run(context: &Context, args: &SampleArgs) -> anyhow::Result<()> {
    let config = context.settings(&context.data_path(), &[])?.config;
    let zone = config.zone()?;
    let day = args.as_of.unwrap_or_else(|| zone.to_datetime(now()).date());
    let population = Population { lines: args.lines, seed: args.seed, cut: midnight(day, &zone)? };
    let writing = bar(context.out, "sampling", "rows", Some(args.lines));
    let output: Box<dyn Write> = match &args.output {
        Some(path) => Box::new(File::create(path).with_context(|| format!("{} cannot be written", path.display()))?),
        None => Box::new(std::io::stdout().lock()),
    };
    let written = population.write(output, |rows| writing.set_position(rows));
    writing.finish_and_clear();
    match written {
        // The reader has seen enough (`| head`).
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        written => written.context("the sample cannot be written"),
    }
}

/// The first instant of a day.
pub(crate) fn midnight(day: jiff::civil::Date, zone: &TimeZone) -> anyhow::Result<Timestamp> {
    Ok(zone.to_timestamp(day.at(0, 0, 0, 0))?)
}

/// A made-up population: no real subscriber is in it. Distinct numbers, distinct IMSIs, in no order,
/// decided by seed, size and cut alone.
pub(crate) struct Population {
    pub(crate) lines: u64,
    pub(crate) seed: u64,
    /// Everything happened before this instant.
    pub(crate) cut: Timestamp,
}

impl Population {
    /// Writes it as an extract, one row per line.
    pub(crate) fn write(&self, output: impl Write, mut progress: impl FnMut(u64)) -> std::io::Result<()> {
        let mut output = BufWriter::with_capacity(1024 * 1024, output);
        output.write_all(b"msisdn,imsi,registered_at,last_swap_at,swap_cause,status,contract_type\n")?;
        for row in 0..self.lines {
            self.write_row(row, &mut output)?;
            if row % STEP_ROWS == 0 {
                progress(row);
            }
        }
        output.flush()
    }

    /// The number of the line that stands in `row`, with its place in the population.
    pub(crate) fn number(&self, row: u64) -> (u64, u64) {
        // A step that shares no factor with the size visits every place once.
        let golden = self.lines * 618 / 1000;
        let step = (golden.max(1)..=self.lines.max(2)).find(|step| gcd(*step, self.lines) == 1).unwrap_or(1);
        let place =
            u64::try_from((u128::from(row) * u128::from(step) + u128::from(self.seed)) % u128::from(self.lines))
                .unwrap_or(0);
        let gap = LINES_MAX / self.lines;
        let within = fastrand::Rng::with_seed(self.seed ^ place.wrapping_mul(0x9e37_79b9_7f4a_7c15)).u64(0..gap);
        let serial = place * gap + within;
        let national = if serial < LINES_MAX / 2 { 700_000_000 + serial } else { 100_000_000 + serial - LINES_MAX / 2 };
        (254_000_000_000 + national, place)
    }

    fn write_row(&self, row: u64, output: &mut impl Write) -> std::io::Result<()> {
        let (number, place) = self.number(row);
        let mut rng = fastrand::Rng::with_seed(self.seed.wrapping_add(place.wrapping_mul(0xd134_2543_de82_ef95)));
        // An odd factor permutes the ten digits behind the network's code.
        let imsi = 639_020_000_000_000 + (place.wrapping_mul(7_368_787_897) + self.seed % 1_000_000) % 10_000_000_000;
        let day = 24 * 3_600;
        // One line in eight was registered within the last year, the others within the last fifteen.
        let age = if rng.u8(0..8) == 0 { rng.i64(1..365 * day) } else { rng.i64(365 * day..15 * 365 * day) };
        let registered = self.cut - SignedDuration::from_secs(age);
        write!(output, "{number},{imsi:015},{registered},")?;
        match rng.u8(0..100) {
            // Three in a hundred were swapped within three months, a quarter long ago.
            chance @ 0..28 => {
                let since = if chance < 3 { rng.i64(1..=(90 * day).min(age)) } else { rng.i64(1..=age) };
                let cause = ["replacement", "replacement", "replacement", "esim", "port_in"][rng.usize(0..5)];
                write!(output, "{},{cause}", self.cut - SignedDuration::from_secs(since))?;
            }
            _ => output.write_all(b",")?,
        }
        let status = match rng.u8(0..100) {
            0..2 => "terminated",
            2..4 => "ported_out",
            4..7 => "suspended",
            _ => "active",
        };
        let contract =
            ["PAYG", "PAYG", "PAYG", "PAYG", "PAYG", "PAYG", "PAYG", "PAYG", "PAYM", "Business"][rng.usize(0..10)];
        writeln!(output, ",{status},{contract}")
    }
}

fn gcd(a: u64, b: u64) -> u64 {
    if b == 0 { a } else { gcd(b, a % b) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    fn sample(lines: u64, seed: u64) -> String {
        let mut text = Vec::new();
        let population = Population { lines, seed, cut: "2026-11-21T21:00:00Z".parse().unwrap() };
        population.write(&mut text, |_| {}).unwrap();
        String::from_utf8(text).unwrap()
    }

    #[test]
    fn a_sample_is_repeatable_and_every_line_its_own() {
        let text = sample(20_000, 7);
        assert_eq!(text, sample(20_000, 7));
        assert_ne!(text, sample(20_000, 8));
        let column =
            |n: usize| text.lines().skip(1).map(|row| row.split(',').nth(n).unwrap()).collect::<HashSet<_>>().len();
        assert_eq!((column(0), column(1)), (20_000, 20_000));
        for lines in [1, 2, 3, 10, 999] {
            assert_eq!(sample(lines, 1).lines().count() as u64, lines + 1);
        }
    }
}
