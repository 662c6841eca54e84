use std::fs::File;
use std::io::{BufRead, BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

use super::registry::{binary, laini};

const SEED: u64 = 1;
/// Enough different numbers that a round touches pages all over the largest registry.
const NUMBERS_AT_MOST: u64 = 500_000;

/// A made-up population.
pub(super) struct Sample {
    pub(super) lines: u64,
    /// The operator's extract: CSV as `laini registry sample` writes it.
    pub(super) extract: PathBuf,
    /// Active numbers of it, one a line, shuffled.
    pub(super) numbers: PathBuf,
}

impl Sample {
    /// Makes it.
    pub(super) fn make(lines: u64, dir: &Path) -> Result<Self> {
        let (extract, numbers) = (dir.join(format!("sample-{lines}.csv")), dir.join(format!("numbers-{lines}.txt")));
        let (count, seed) = (lines.to_string(), SEED.to_string());
        let path = extract.to_string_lossy();
        laini(&binary(), &["registry", "sample", "--lines", &count, "--seed", &seed, "-o", &path])?;
        choose_numbers(&extract, lines, &numbers)?;
        Ok(Self { lines, extract, numbers })
    }
}

/// Active numbers from all over the sample, shuffled, so that neighbours are not asked together.
fn choose_numbers(extract: &Path, lines: u64, into: &Path) -> Result<()> {
    let mut rows = BufReader::new(File::open(extract)?).lines();
    let header = rows.next().context("the sample is empty")??;
    let column = |name: &str| header.split(',').position(|column| column == name);
    let msisdn = column("msisdn").context("the sample has no column msisdn")?;
    let status = column("status");
    let stride = usize::try_from(lines.div_ceil(NUMBERS_AT_MOST))?;
    let mut numbers = Vec::new();
    for row in rows.step_by(stride) {
        let row = row?;
        let fields: Vec<&str> = row.split(',').collect();
        let is_active = status.is_none_or(|status| fields.get(status) == Some(&"active"));
        if let Some(number) = fields.get(msisdn).filter(|_| is_active) {
            ensure!(number.len() == 12, "the sample writes numbers in another form than 12 digits");
            numbers.push((*number).to_owned());
        }
    }
    ensure!(!numbers.is_empty(), "the sample has no active line");
    shuffle(&mut numbers);
    let mut file = BufWriter::new(File::create(into)?);
    for number in numbers {
        writeln!(file, "{number}")?;
    }
    Ok(file.flush()?)
}

/// Fisher and Yates, with xorshift: the same order in every run.
fn shuffle(numbers: &mut [String]) {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    for last in (1..numbers.len()).rev() {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        let other = state % (last as u64 + 1);
        numbers.swap(last, usize::try_from(other).unwrap_or(last));
    }
}
