use std::fs::File;
use std::io::{BufRead, BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use anyhow::{Context, Result, ensure};

use crate::server::{Credentials, Server};
use crate::shell;

const LOAD_LIMIT_MINUTES: u32 = 60;
const SEED: u64 = 1;
/// Enough different numbers that a round touches pages all over the largest registry.
const NUMBERS_AT_MOST: u64 = 500_000;

/// A registry of sample lines, loaded, with an app that may ask.
pub(super) struct Registry {
    lines: u64,
    data: PathBuf,
    /// A file of numbers that it serves, one a line, shuffled.
    pub(super) numbers: PathBuf,
    pub(super) credentials: Credentials,
    pub(super) figures: Figures,
}

/// What loading it showed.
#[derive(Debug, Clone, Copy)]
pub(super) struct Figures {
    pub(super) lines_per_s: f64,
    pub(super) bytes_per_line: f64,
}

impl Registry {
    /// Makes a sample, imports it, times that, and adds a partner with one app.
    #[expect(clippy::cast_precision_loss, reason = "lines and bytes are far below 2^52")]
    pub(super) fn load(lines: u64, dir: &Path) -> Result<Self> {
        let (data, sample) = (dir.join(format!("data-{lines}")), dir.join(format!("sample-{lines}.csv")));
        let count = lines.to_string();
        let (sample_path, data_path) = (sample.to_string_lossy(), data.to_string_lossy());
        laini(&["registry", "sample", "--lines", &count, "--seed", &SEED.to_string(), "-o", &sample_path])?;
        let numbers = dir.join(format!("numbers-{lines}.txt"));
        choose_numbers(&sample, lines, &numbers)?;
        let started = Instant::now();
        laini(&["registry", "import", &sample_path, "--data", &data_path])?;
        let lines_per_s = lines as f64 / started.elapsed().as_secs_f64();
        println!("{lines} lines loaded at {:.2} M lines/s", lines_per_s / 1e6);
        std::fs::remove_file(&sample)?;
        laini(&["partner", "add", "Bench Bank", "--data", &data_path])?;
        let app = ["app", "add", "--partner", "Bench Bank", "--environment", "production", "--products", "imsi"];
        let made = laini(&[&app[..], &["--data", &data_path, "--json"]].concat())?;
        let credentials = Credentials::read(&serde_json::from_str(&made).context("app add --json")?)?;
        let figures = Figures { lines_per_s, bytes_per_line: current_rows_bytes(&data)? as f64 / lines as f64 };
        Ok(Self { lines, data, numbers, credentials, figures })
    }

    /// Serves it as production does.
    pub(super) fn serve(&self, dir: &Path) -> Result<Server> {
        let ready = dir.join(format!("laini-{}.ready.json", self.lines));
        if ready.exists() {
            std::fs::remove_file(ready)?;
        }
        let mut serve = Command::new(binary());
        serve.args(["serve", "--data"]).arg(&self.data);
        Server::start(&mut serve, dir, &format!("laini-{}", self.lines)).context("laini serve")
    }

    /// A number that it serves.
    pub(super) fn first_number(&self) -> Result<String> {
        let mut line = String::new();
        BufReader::new(File::open(&self.numbers)?).read_line(&mut line)?;
        Ok(line.trim().to_owned())
    }

    /// That the ledger's chain is whole.
    pub(super) fn verify_ledger(&self) -> Result<()> {
        laini(&["ledger", "verify", "--data", &self.data.to_string_lossy()]).map(|_| ())
    }
}

/// A list of numbers for a peer that has no registry: that of the first one.
pub(super) fn some_numbers(dir: &Path) -> Result<PathBuf> {
    let mut entries = std::fs::read_dir(dir)?.filter_map(Result::ok).map(|entry| entry.path());
    let list = entries.find(|path| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("numbers-")));
    list.context("no list of numbers was made")
}

fn binary() -> PathBuf {
    shell::root().join("target/release/laini")
}

fn laini(args: &[&str]) -> Result<String> {
    let binary = binary().to_string_lossy().into_owned();
    let line = [&[binary.as_str()], args].concat();
    shell::output(&mut shell::command(LOAD_LIMIT_MINUTES, &line))
}

/// Active numbers from all over the sample, shuffled, so that neighbours are not asked together.
fn choose_numbers(sample: &Path, lines: u64, into: &Path) -> Result<()> {
    let mut rows = BufReader::new(File::open(sample)?).lines();
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

/// The files `registry-<generation>.db…`: the current rows, without the history of events.
fn current_rows_bytes(data: &Path) -> Result<u64> {
    let mut bytes = 0;
    for entry in std::fs::read_dir(data)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.starts_with("registry-") && name.contains(".db") && !name.starts_with("registry-events") {
            bytes += entry.metadata()?.len();
        }
    }
    ensure!(bytes > 0, "no registry-<generation>.db lies in {}", data.display());
    Ok(bytes)
}
