//! `cargo xtask bench`: the whole durable check beside HTTP alone and beside what one would build instead,
//! interleaved in one run; then the same server under overload.
//!
//! Owns what is measured and how. Must never call another address than 127.0.0.1, run without end,
//! or leave a process behind.

mod options;
mod overload;
mod peer;
mod peers;
mod process;
mod registry;
mod report;
mod round;
mod sample;

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result};

use crate::server::Server;
use crate::{packages, shell};
use options::{Options, Part};
use overload::Overload;
use peer::{Peer, Role};
use process::Memory;
use registry::{Registry, binary};
use round::Round;
use sample::Sample;

const BUILD_LIMIT_MINUTES: u32 = 60;
/// Long enough for caches and the adaptive pause of the ledger to settle.
const WARM_UP_SECONDS: u64 = 2;

/// Everything that one run measured.
struct Measured {
    /// The machine's load average before the first round: what else it was doing.
    load_before: String,
    peers: Vec<PeerResult>,
    overload: Option<Overload>,
}

/// What was measured of one peer.
struct PeerResult {
    name: String,
    role: Role,
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
    if options.includes(Part::Peers) {
        packages::ensure(packages::FOR_PEERS)?;
    }
    let build = ["cargo", "build", "--release", "--package", "laini", "--package", "bare-axum"];
    shell::run(&mut shell::command(BUILD_LIMIT_MINUTES, &build))?;
    let dir = shell::fresh_dir("bench")?;
    let measured = measure(&options, &dir);
    if !options.keep {
        std::fs::remove_dir_all(&dir)?;
    }
    report::write(&options, &measured?)
}

fn measure(options: &Options, dir: &Path) -> Result<Measured> {
    let mut peers = serve(options, dir)?;
    let load_before = std::fs::read_to_string("/proc/loadavg")?;
    let mut results = rounds(options, &peers)?;
    for (peer, result) in peers.iter_mut().zip(&mut results) {
        result.recovery = peer.recover(options, dir)?;
    }
    // All others end here: the overload has the machine for itself.
    let smallest = peers.into_iter().find_map(|peer| Some((peer.registry?, peer.numbers)));
    let overload = match smallest.filter(|_| options.includes(Part::Overload)) {
        Some((registry, numbers)) => Some(overload::measure(&registry, &numbers, options, dir)?),
        None => None,
    };
    Ok(Measured { load_before, peers: results, overload })
}

/// Every peer, loaded and serving: bare axum, laini on each registry, the others on the smallest sample.
fn serve(options: &Options, dir: &Path) -> Result<Vec<Peer>> {
    let (mut peers, mut others) = (Vec::new(), Vec::new());
    for (number, lines) in options.lines.iter().enumerate() {
        let sample = Sample::make(*lines, dir)?;
        let name = format!("laini, {}", shown_lines(*lines));
        peers.push(laini(&binary(), Role::Laini, name, &sample, dir)?);
        if number == 0 {
            if let Some(before) = &options.before {
                others.push(laini(before, Role::Before, "laini before".to_owned(), &sample, dir)?);
            }
            if options.includes(Part::Peers) {
                others.extend(peers::start(&sample, dir)?);
            }
        }
        std::fs::remove_file(&sample.extract)?;
    }
    peers.insert(0, bare_axum(&peers[0], dir)?);
    peers.extend(others);
    Ok(peers)
}

fn laini(binary: &Path, role: Role, name: String, sample: &Sample, dir: &Path) -> Result<Peer> {
    let registry = Registry::load(binary, sample, dir, &name.replace(", ", "-").replace(' ', "-"))?;
    let server = registry.serve(dir)?;
    Ok(Peer {
        name,
        role,
        base_urls: vec![server.base_url()?.to_owned()],
        pids: vec![server.pid()],
        numbers: sample.numbers.clone(),
        credentials: Some(registry.credentials.clone()),
        registry: Some(registry),
        programs: vec![Box::new(server)],
    })
}

/// HTTP alone: it repeats one answer of `laini` byte for byte.
fn bare_axum(laini: &Peer, dir: &Path) -> Result<Peer> {
    let answer = dir.join("answer.txt");
    std::fs::write(&answer, laini.real_answer()?)?;
    let mut bare = Command::new(shell::root().join("target/release/bare-axum"));
    bare.arg("--answer").arg(&answer);
    let server = Server::start(&mut bare, dir, "bare-axum").context("bare axum")?;
    Ok(Peer {
        name: "bare axum".to_owned(),
        role: Role::Floor,
        base_urls: vec![server.base_url()?.to_owned()],
        pids: vec![server.pid()],
        numbers: laini.numbers.clone(),
        credentials: None,
        registry: None,
        programs: vec![Box::new(server)],
    })
}

/// Warms every peer up, then A B C, A B C, …
fn rounds(options: &Options, peers: &[Peer]) -> Result<Vec<PeerResult>> {
    let mut results = Vec::new();
    for peer in peers {
        let (name, role, idle) = (peer.name.clone(), peer.role, peer.memory()?);
        let registry = peer.registry.as_ref().map(|registry| registry.figures);
        results.push(PeerResult { name, role, rounds: Vec::new(), idle, loaded: idle, registry, recovery: None });
        peer.round(options, WARM_UP_SECONDS)?;
    }
    for number in 1..=options.rounds {
        for (peer, result) in peers.iter().zip(&mut results) {
            let round = peer.round(options, options.seconds)?;
            println!("round {number} of {}: {}: {round}", options.rounds, peer.name);
            result.loaded = result.loaded.max(round.memory);
            result.rounds.push(round);
        }
    }
    Ok(results)
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
