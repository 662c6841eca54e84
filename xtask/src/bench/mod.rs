//! `cargo xtask bench`: the whole durable check beside bare axum, interleaved in one run.
//!
//! Owns what is measured and how. Must never call another address than 127.0.0.1, run without end,
//! or leave a process behind.

mod options;
mod process;
mod registry;
mod report;
mod round;

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

use crate::server::{self, Credentials, Server};
use crate::{packages, shell};
use options::Options;
use process::Memory;
use registry::Registry;
use round::Round;

const BUILD_LIMIT_MINUTES: u32 = 60;
/// Long enough for caches and the adaptive pause of the ledger to settle.
const WARM_UP_SECONDS: u64 = 3;
/// Into a load of this length the server is killed.
const KILL_AFTER: Duration = Duration::from_secs(1);

/// One server that rounds are run against.
struct Peer {
    name: String,
    server: Server,
    /// The whole durable check on this registry; bare axum has none.
    registry: Option<Registry>,
}

/// Everything that one run measured.
struct Measured {
    /// The machine's load average before the first round: what else it was doing.
    load_before: String,
    peers: Vec<PeerResult>,
}

/// What was measured of one peer.
struct PeerResult {
    name: String,
    rounds: Vec<Round>,
    idle: Memory,
    /// The most that was seen under load.
    loaded: Memory,
    registry: Option<registry::Figures>,
    /// From a start after kill -9 under load until connections are accepted.
    recovery: Option<Duration>,
}

/// Builds, loads, measures, reports.
pub(crate) fn run(args: &[String]) -> Result<()> {
    let options = Options::read(args)?;
    packages::ensure(packages::FOR_BENCH)?;
    let build = ["cargo", "build", "--release", "--package", "laini", "--package", "bare-axum"];
    shell::run(&mut shell::command(BUILD_LIMIT_MINUTES, &build))?;
    let dir = shell::fresh_dir("bench")?;
    let measured = measure(&options, &dir)?;
    if !options.keep {
        std::fs::remove_dir_all(&dir)?;
    }
    report::write(&options, &measured)
}

fn measure(options: &Options, dir: &Path) -> Result<Measured> {
    let mut peers = Vec::new();
    for lines in &options.lines {
        let registry = Registry::load(*lines, dir)?;
        let server = registry.serve(dir)?;
        peers.push(Peer { name: format!("laini, {}", shown_lines(*lines)), server, registry: Some(registry) });
    }
    let answer = dir.join("answer.txt");
    std::fs::write(&answer, real_answer(&peers[0])?)?;
    let mut bare = Command::new(shell::root().join("target/release/bare-axum"));
    bare.arg("--answer").arg(&answer);
    let server = Server::start(&mut bare, dir, "bare-axum").context("bare axum")?;
    peers.insert(0, Peer { name: "bare axum".to_owned(), server, registry: None });

    let load_before = std::fs::read_to_string("/proc/loadavg")?;
    let mut results = Vec::new();
    for peer in &peers {
        let idle = Memory::of(peer.server.pid())?;
        let figures = peer.registry.as_ref().map(|registry| registry.figures);
        let name = peer.name.clone();
        results.push(PeerResult { name, rounds: Vec::new(), idle, loaded: idle, registry: figures, recovery: None });
        peer.round(options, dir, WARM_UP_SECONDS)?;
    }
    for number in 1..=options.rounds {
        for (peer, result) in peers.iter().zip(&mut results) {
            let round = peer.round(options, dir, options.seconds)?;
            println!("round {number} of {}: {}: {round}", options.rounds, peer.name);
            result.loaded = result.loaded.max(round.memory);
            result.rounds.push(round);
        }
    }
    for (peer, result) in peers.into_iter().zip(&mut results) {
        result.recovery = peer.recover(options, dir)?;
    }
    Ok(Measured { load_before, peers: results })
}

impl Peer {
    fn round(&self, options: &Options, dir: &Path, seconds: u64) -> Result<Round> {
        let (numbers, token) = match &self.registry {
            Some(registry) => (registry.numbers.clone(), token(&self.server, &registry.credentials)?),
            // Bare axum reads neither; the request has the same length all the same.
            None => (registry::some_numbers(dir)?, "x".repeat(64)),
        };
        Round::run(&self.server, options, &numbers, &token, seconds).with_context(|| self.name.clone())
    }

    /// Kills it with -9 in the middle of a load and times its way back; checks its ledger then.
    fn recover(self, options: &Options, dir: &Path) -> Result<Option<Duration>> {
        let Some(registry) = &self.registry else { return Ok(None) };
        let token = token(&self.server, &registry.credentials)?;
        let mut load = Round::load(&self.server, options, &registry.numbers, &token, WARM_UP_SECONDS)?.spawn()?;
        std::thread::sleep(KILL_AFTER);
        drop(self.server);
        load.wait()?;
        let started = Instant::now();
        let again = registry.serve(dir)?;
        let took = started.elapsed();
        again.stop()?;
        registry.verify_ledger()?;
        Ok(Some(took))
    }
}

/// A fresh token, by the standard door.
fn token(server: &Server, credentials: &Credentials) -> Result<String> {
    let form =
        format!("grant_type=client_credentials&client_id={}&client_secret={}", credentials.key, credentials.secret);
    let headers = ["Content-Type: application/x-www-form-urlencoded"];
    let answer = server::post(server.base_url()?, "/oauth2/token", &headers, &form)?;
    let json: serde_json::Value = serde_json::from_str(&answer.body).context("the token door answered no JSON")?;
    json["access_token"].as_str().map(str::to_owned).with_context(|| format!("no token came ({})", answer.status))
}

/// One real answer, head and body, that bare axum then repeats.
fn real_answer(peer: &Peer) -> Result<String> {
    let registry = peer.registry.as_ref().context("bare axum has no answer of its own")?;
    let authorization = format!("Authorization: Bearer {}", token(&peer.server, &registry.credentials)?);
    let body = format!("{{\"customerNumber\": \"{}\"}}", registry.first_number()?);
    let headers = [authorization.as_str(), "Content-Type: application/json"];
    let answer = server::post(peer.server.base_url()?, "/imsi/v1/checkATI", &headers, &body)?;
    ensure!(answer.status == 200, "a check of a number of the sample was answered {}: {}", answer.status, answer.body);
    Ok(format!("{}\r\n\r\n{}", answer.head, answer.body))
}

/// `1 M lines`, `100 k lines`.
fn shown_lines(lines: u64) -> String {
    if lines.is_multiple_of(1_000_000) {
        format!("{} M lines", lines / 1_000_000)
    } else if lines.is_multiple_of(1_000) {
        format!("{} k lines", lines / 1_000)
    } else {
        format!("{lines} lines")
    }
}
