use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use anyhow::{Context, Result, ensure};

use super::sample::Sample;
use crate::server::{Credentials, Server};
use crate::shell;

const LOAD_LIMIT_MINUTES: u32 = 60;

/// A registry of laini, loaded, with an app that may ask.
pub(super) struct Registry {
    /// The laini that made it and serves it.
    binary: PathBuf,
    data: PathBuf,
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
    /// Has `binary` import the sample into a data directory called `name`, times that, and adds a partner with one app.
    #[expect(clippy::cast_precision_loss, reason = "lines and bytes are far below 2^52")]
    pub(super) fn load(binary: &Path, sample: &Sample, dir: &Path, name: &str) -> Result<Self> {
        let lines = sample.lines;
        let data = dir.join(name);
        let data_path = data.to_string_lossy();
        let laini = |args: &[&str]| laini(binary, &[args, &["--data", &data_path]].concat());
        let started = Instant::now();
        laini(&["registry", "import", &sample.extract.to_string_lossy()])?;
        let lines_per_s = lines as f64 / started.elapsed().as_secs_f64();
        println!("{name}: {lines} lines loaded at {:.2} M lines/s", lines_per_s / 1e6);
        laini(&["partner", "add", "Bench Bank"])?;
        let app = ["app", "add", "--partner", "Bench Bank", "--environment", "production", "--products", "imsi"];
        let made = laini(&[&app[..], &["--json"]].concat())?;
        let credentials = Credentials::read(&serde_json::from_str(&made).context("app add --json")?)?;
        let figures = Figures { lines_per_s, bytes_per_line: current_rows_bytes(&data)? as f64 / lines as f64 };
        Ok(Self { binary: binary.to_owned(), data, credentials, figures })
    }

    /// The same registry for another node, whose data directory is called `name`: it lies in a database, so that
    /// the settings and the keys are all that a node needs.
    pub(super) fn beside(&self, name: &str) -> Result<Self> {
        let data = self.data.with_file_name(name);
        let from = |name: &str| self.data.join(name).to_string_lossy().into_owned();
        std::fs::create_dir(&data)?;
        shell::run(Command::new("cp").args(["--recursive", &from("laini.toml"), &from("keys")]).arg(&data))?;
        let Self { binary, credentials, figures, .. } = self;
        Ok(Self { binary: binary.clone(), data, credentials: credentials.clone(), figures: *figures })
    }

    /// Serves it as production does.
    pub(super) fn serve(&self, dir: &Path) -> Result<Server> {
        self.serve_by(Command::new(&self.binary), dir)
    }

    /// Serves it on these cores alone, written as `taskset` reads them.
    pub(super) fn serve_on(&self, cores: &str, dir: &Path) -> Result<Server> {
        let mut taskset = Command::new("taskset");
        taskset.args(["--cpu-list", cores]).arg(&self.binary);
        self.serve_by(taskset, dir)
    }

    fn serve_by(&self, mut laini: Command, dir: &Path) -> Result<Server> {
        let name = self.data.file_name().context("the data directory has a name")?.to_string_lossy();
        let ready = dir.join(format!("{name}.ready.json"));
        if ready.exists() {
            std::fs::remove_file(ready)?;
        }
        laini.args(["serve", "--data"]).arg(&self.data);
        Server::start(&mut laini, dir, &name).context("laini serve")
    }

    /// That the ledger's chain is whole.
    pub(super) fn verify_ledger(&self) -> Result<()> {
        laini(&self.binary, &["ledger", "verify", "--data", &self.data.to_string_lossy()]).map(|_| ())
    }
}

/// The laini that is measured: of this checkout, as it is released.
pub(super) fn binary() -> PathBuf {
    shell::root().join("target/release/laini")
}

/// Runs a command of laini; returns what it printed.
pub(super) fn laini(binary: &Path, args: &[&str]) -> Result<String> {
    let binary = binary.to_string_lossy();
    let line = [&[binary.as_ref()], args].concat();
    shell::output(&mut shell::command(LOAD_LIMIT_MINUTES, &line))
}

/// The files `registry-<generation>.db…`: the current rows, without the history of events; none where
/// settings say that they lie in a database.
fn current_rows_bytes(data: &Path) -> Result<u64> {
    let mut bytes = 0;
    for entry in std::fs::read_dir(data)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.starts_with("registry-") && name.contains(".db") && !name.starts_with("registry-events") {
            bytes += entry.metadata()?.len();
        }
    }
    let is_elsewhere = data.join("laini.toml").exists();
    ensure!(bytes > 0 || is_elsewhere, "no registry-<generation>.db lies in {}", data.display());
    Ok(bytes)
}
