//! The real binary: commands run to their end, and servers started, stopped and killed.

use std::fs::{self, File};
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde::Deserialize;
use serde_json::Value;

use crate::canaries::Canaries;
use crate::noon::under_faketime;

const BINARY: &str = env!("CARGO_BIN_EXE_laini");
/// A server that is not ready by then never will be.
const READY_WITHIN: Duration = Duration::from_secs(30);
/// A server that was told to stop, or was killed, is gone by then: longer than its drain timeout.
const GONE_WITHIN: Duration = Duration::from_secs(40);
/// A command that still runs then hangs.
const COMMAND_SECONDS_MAX: &str = "120";
/// How often a file or a process is looked at while we wait for it.
const LOOK_EVERY: Duration = Duration::from_millis(2);
/// What is shown of a server's log when a test fails.
const SHOWN_LINES: usize = 30;

/// A consumer key and its secret.
#[derive(Clone, Deserialize)]
pub(crate) struct Credentials {
    /// The app's name, as the ledger shows it; empty where the ready file told them.
    #[serde(default)]
    pub(crate) name: String,
    pub(crate) consumer_key: String,
    pub(crate) consumer_secret: String,
}

/// A data directory of one test, and everything done in it. Removed at the end.
pub(crate) struct Lab {
    dir: tempfile::TempDir,
    data: PathBuf,
    started: AtomicU32,
    /// What no server of this lab may print.
    pub(crate) canaries: Canaries,
}

impl Lab {
    pub(crate) fn new() -> Self {
        let dir = tempfile::Builder::new().prefix("laini-test-").tempdir().unwrap();
        let data = dir.path().join("data");
        Self { dir, data, started: AtomicU32::new(0), canaries: Canaries::default() }
    }

    /// The data directory; the first command makes it.
    pub(crate) fn data(&self) -> &Path {
        &self.data
    }

    /// A place for a file outside of the data directory.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// A laini command on this lab's data directory, ready to be run or changed.
    pub(crate) fn command(&self, args: &[&str]) -> Command {
        self.command_under(&[], args)
    }

    /// The same behind a wrapper, such as `faketime`.
    pub(crate) fn command_under(&self, wrapper: &[&str], args: &[&str]) -> Command {
        let words: Vec<&str> = wrapper.iter().copied().chain([BINARY]).chain(args.iter().copied()).collect();
        let mut command = Command::new(words[0]);
        // Whoever runs the tests may have settings of their own.
        for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("LAINI_")) {
            command.env_remove(name);
        }
        command.args(&words[1..]).arg("--data").arg(&self.data).stdin(Stdio::null());
        command
    }

    /// Runs a command to its end, whatever that is; one that has no end is killed.
    pub(crate) fn output(&self, args: &[&str]) -> Output {
        self.command_under(&["timeout", "--signal=KILL", COMMAND_SECONDS_MAX], args).output().unwrap()
    }

    /// Runs a command that must succeed; its standard output.
    pub(crate) fn laini(&self, args: &[&str]) -> String {
        succeed(args, self.output(args))
    }

    /// Runs a command that must succeed, with `--json`; what it says.
    pub(crate) fn json(&self, args: &[&str]) -> Value {
        let args = [args, &["--json"]].concat();
        serde_json::from_str(&self.laini(&args)).unwrap()
    }

    /// Runs a command that must fail with exit code 1; its standard error.
    pub(crate) fn refused(&self, args: &[&str]) -> String {
        let output = self.output(args);
        let said = text(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{args:?}: {said}");
        assert!(output.stdout.is_empty(), "{args:?} failed and still printed data");
        said
    }

    /// A partner with one app for every product.
    pub(crate) fn partner_app(&self, partner: &str, environment: &str) -> Credentials {
        // Earlier than any clock of a lab, so that its agreement has begun on all of them.
        let args = ["partner", "add", partner];
        succeed(&args, under_faketime(self, &["2026-11-01 00:00:00"], &args).output().unwrap());
        self.app(partner, environment, "imsi,swap,age")
    }

    /// One more app of a partner.
    pub(crate) fn app(&self, partner: &str, environment: &str, products: &str) -> Credentials {
        let args = ["app", "add", "--partner", partner, "--environment", environment, "--products", products];
        let app: Credentials = serde_json::from_value(self.json(&args)).unwrap();
        self.canaries.word(&app.consumer_secret);
        app
    }

    /// Writes a sample extract; its rows, whose numbers and IMSIs are canaries from now on.
    pub(crate) fn sample(&self, lines: u32, seed: u64) -> Sample {
        self.sample_with(lines, seed, &[])
    }

    /// The same with further flags.
    pub(crate) fn sample_with(&self, lines: u32, seed: u64, flags: &[&str]) -> Sample {
        let path = self.path(&format!("sample-{lines}-{seed}.csv"));
        let (lines, seed) = (lines.to_string(), seed.to_string());
        let args = ["registry", "sample", "--lines", &lines, "--seed", &seed, "-o", path.to_str().unwrap()];
        self.laini(&[&args, flags].concat());
        let rows = read_extract(&path);
        for row in &rows {
            self.canaries.number(&row.msisdn);
            self.canaries.imsi(&row.imsi);
        }
        Sample { path, rows }
    }

    /// Writes a sample and imports it.
    pub(crate) fn import_sample(&self, lines: u32, seed: u64) -> Sample {
        let sample = self.sample(lines, seed);
        self.import(&sample.path);
        sample
    }

    /// Imports an extract.
    pub(crate) fn import(&self, path: &Path) -> Value {
        self.json(&["registry", "import", path.to_str().unwrap()])
    }

    /// Every row of the ledger, as exported.
    pub(crate) fn ledger(&self) -> Vec<LedgerRow> {
        let csv = self.laini(&["ledger", "export", "--format", "csv"]);
        csv::Reader::from_reader(csv.as_bytes()).deserialize().collect::<Result<_, _>>().unwrap()
    }

    /// Asserts that the ledger's chain is whole; how many rows it has.
    pub(crate) fn verify_ledger(&self) -> u64 {
        let report = self.json(&["ledger", "verify"]);
        assert_eq!(report["findings"], 0, "{report}");
        report["rows"].as_u64().unwrap()
    }

    /// Starts `laini serve` on a free port and waits until it is ready.
    pub(crate) fn serve(&self) -> Running {
        self.start(self.command(&["serve", "--listen", "127.0.0.1:0"]))
    }

    /// Starts a server (`serve`, `sandbox` or `demo`) and waits until it is ready.
    pub(crate) fn start(&self, command: Command) -> Running {
        Running::start(command, &self.log_stem(), self.canaries.clone())
    }

    fn log_stem(&self) -> PathBuf {
        self.path(&format!("server-{}", self.started.fetch_add(1, Ordering::Relaxed)))
    }
}

/// A sample extract.
pub(crate) struct Sample {
    pub(crate) path: PathBuf,
    pub(crate) rows: Vec<SampleRow>,
}

impl Sample {
    /// The numbers that are answered.
    pub(crate) fn served(&self) -> Vec<String> {
        let rows = self.rows.iter().filter(|row| matches!(row.status.as_str(), "active" | "suspended"));
        rows.map(|row| row.msisdn.clone()).collect()
    }
}

/// One row of a sample extract.
#[derive(Deserialize)]
pub(crate) struct SampleRow {
    pub(crate) msisdn: String,
    pub(crate) imsi: String,
    pub(crate) status: String,
}

/// The rows of a plain extract.
fn read_extract(path: &Path) -> Vec<SampleRow> {
    csv::Reader::from_path(path).unwrap().deserialize().collect::<Result<_, _>>().unwrap()
}

/// One row of the ledger, as exported.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct LedgerRow {
    #[serde(rename = "requestRefID")]
    pub(crate) request_ref_id: String,
    pub(crate) app: String,
    pub(crate) product: String,
    pub(crate) environment: String,
    pub(crate) outcome: String,
    pub(crate) charge_minor: i64,
    /// Of a reversal: the check whose charge it takes back; empty otherwise.
    pub(crate) reverses: String,
}

/// What the ready file tells.
#[derive(Deserialize)]
struct Ready {
    base_url: String,
    operator_url: Option<String>,
    pid: i32,
    sandbox: Option<Credentials>,
    production: Option<Credentials>,
}

/// How often the service probes itself.
pub(crate) const PROBE_EVERY: &str = "LAINI_STATUS_PROBE_EVERY_S";

/// A started server. However it ends, what it printed is searched for canaries.
pub(crate) struct Running {
    pub(crate) base_url: String,
    /// Of the operator's own listener.
    pub(crate) operator_url: Option<String>,
    /// The server's own process, also where a wrapper started it.
    pub(crate) pid: Pid,
    pub(crate) sandbox: Option<Credentials>,
    pub(crate) production: Option<Credentials>,
    pub(crate) canaries: Canaries,
    stdout: PathBuf,
    stderr: PathBuf,
    child: Child,
    is_over: bool,
}

impl Running {
    fn start(mut command: Command, stem: &Path, canaries: Canaries) -> Self {
        let [ready_file, stdout, stderr] = ["json", "out", "err"].map(|end| stem.with_extension(end));
        command.arg("--ready-file").arg(&ready_file).env("LAINI_LOG_LEVEL", "debug");
        // Probes leave rows in the ledger, which tests count.
        if !command.get_envs().any(|(name, _)| name == PROBE_EVERY) {
            command.env(PROBE_EVERY, "0");
        }
        command.stdout(File::create(&stdout).unwrap()).stderr(File::create(&stderr).unwrap());
        let mut child = command.spawn().unwrap_or_else(|error| panic!("{command:?} cannot be started: {error}"));
        let ready = wait_ready(&mut child, &ready_file, &stderr);
        for credentials in ready.sandbox.iter().chain(&ready.production) {
            canaries.word(&credentials.consumer_secret);
        }
        Self {
            base_url: ready.base_url,
            operator_url: ready.operator_url,
            pid: Pid::from_raw(ready.pid).unwrap(),
            sandbox: ready.sandbox,
            production: ready.production,
            canaries,
            stdout,
            stderr,
            child,
            is_over: false,
        }
    }

    /// `host:port`.
    pub(crate) fn address(&self) -> &str {
        self.base_url.strip_prefix("http://").unwrap()
    }

    /// Everything printed so far to standard output and standard error.
    pub(crate) fn printed(&self) -> (String, String) {
        (read(&self.stdout), read(&self.stderr))
    }

    /// Asks it to stop (SIGTERM) and asserts that it ends well.
    pub(crate) fn stop(self) {
        self.terminate();
        self.ended();
    }

    /// Waits for the end that was asked for before, and asserts that it ends well: a second signal would
    /// cut what is under way.
    pub(crate) fn ended(mut self) {
        let status = self.wait();
        assert_eq!(status.code(), Some(0), "the server ended with {status}");
        self.assert_silent();
    }

    /// Sends SIGTERM and returns at once; `ended`, `stop_now` or a drop follows.
    pub(crate) fn terminate(&self) {
        kill_process(self.pid, Signal::TERM).unwrap();
    }

    /// Asks it to stop a second time and asserts that it then ends at once, and says that it did.
    pub(crate) fn stop_now(mut self) {
        self.terminate();
        let status = self.wait();
        assert_eq!(status.code(), Some(1), "the server ended with {status}");
        self.assert_silent();
    }

    /// Ends it as a power cut would, as far as a process can tell.
    pub(crate) fn kill9(mut self) {
        kill_process(self.pid, Signal::KILL).unwrap();
        self.wait();
        self.assert_silent();
    }

    fn wait(&mut self) -> ExitStatus {
        let deadline = Instant::now() + GONE_WITHIN;
        while Instant::now() < deadline {
            if let Some(status) = self.child.try_wait().unwrap() {
                self.is_over = true;
                return status;
            }
            thread::sleep(LOOK_EVERY);
        }
        panic!("the server still runs {GONE_WITHIN:?} after its end was asked for");
    }

    fn assert_silent(&self) {
        // On standard output `sandbox` and `demo` show the credentials that they made, once and on purpose.
        let shown = self.sandbox.is_none().then_some(&self.stdout);
        for path in shown.into_iter().chain([&self.stderr]) {
            if let Some(found) = self.canaries.find(&read(path)) {
                panic!("the server printed what must stay secret, {}, {found}", path.display());
            }
        }
    }
}

impl Drop for Running {
    #[expect(clippy::print_stderr, reason = "shown with the failed test")]
    fn drop(&mut self) {
        if !self.is_over {
            // It may be gone already; what counts is that nothing is left running.
            let _ = kill_process(self.pid, Signal::KILL);
            let _ = self.child.wait();
            if !thread::panicking() {
                self.assert_silent();
            }
        }
        if thread::panicking() {
            eprintln!("--- the server's last words ---\n{}", last_lines(&read(&self.stderr)));
        }
    }
}

fn wait_ready(child: &mut Child, ready_file: &Path, stderr: &Path) -> Ready {
    let deadline = Instant::now() + READY_WITHIN;
    while Instant::now() < deadline {
        // Written whole or not at all: what can be read can be parsed.
        if let Ok(ready) = fs::read(ready_file) {
            return serde_json::from_slice(&ready).unwrap();
        }
        if let Some(status) = child.try_wait().unwrap() {
            panic!("the server ended with {status} before it was ready:\n{}", last_lines(&read(stderr)));
        }
        thread::sleep(LOOK_EVERY);
    }
    let _ = child.kill();
    panic!("the server was not ready within {READY_WITHIN:?}:\n{}", last_lines(&read(stderr)));
}

/// The standard output of a command that must have succeeded.
pub(crate) fn succeed(args: &[&str], output: Output) -> String {
    assert!(output.status.success(), "{args:?} ended with {}: {}", output.status, text(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// What a command wrote, as text.
pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn read(path: &Path) -> String {
    let mut bytes = Vec::new();
    File::open(path).and_then(|mut file| file.read_to_end(&mut bytes)).unwrap();
    text(&bytes)
}

fn last_lines(log: &str) -> String {
    let lines: Vec<&str> = log.lines().collect();
    lines[lines.len().saturating_sub(SHOWN_LINES)..].join("\n")
}

/// Looks until `done` says so, or fails at the deadline.
pub(crate) fn wait_until(what: &str, within: Duration, mut done: impl FnMut() -> bool) {
    let deadline = Instant::now() + within;
    while !done() {
        assert!(Instant::now() < deadline, "not within {within:?}: {what}");
        thread::sleep(LOOK_EVERY);
    }
}

/// How much a test does: more on demand than in every run, by a variable of the environment.
#[expect(clippy::disallowed_methods, reason = "a test's own setting, not the product's")]
pub(crate) fn on_demand(variable: &str, otherwise: u64) -> u64 {
    std::env::var(variable).map_or(otherwise, |text| text.parse().unwrap())
}

/// So many days before now.
#[expect(clippy::disallowed_methods, reason = "tests of the whole product live on the real clock")]
pub(crate) fn days_ago(days: i64) -> jiff::Timestamp {
    jiff::Timestamp::now() - jiff::SignedDuration::from_hours(24 * days)
}
