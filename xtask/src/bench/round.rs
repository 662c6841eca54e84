use std::fmt;
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use super::options::Options;
use super::peer::Peer;
use super::process::Memory;
use crate::shell;

const LOAD_LIMIT_MINUTES: u32 = 5;
const LOAD_THREADS: usize = 2;
/// A slow peer is slow, not broken.
const ANSWER_WITHIN: &str = "10s";
const MEMORY_EVERY: Duration = Duration::from_millis(250);

/// One load on one server.
#[derive(Debug, Clone, Copy)]
pub(super) struct Round {
    pub(super) requests_per_s: f64,
    /// User and system time of the server, per request.
    pub(super) cpu_us: f64,
    /// The part of it that the processes used which answer: without a database behind them.
    pub(super) front_us: f64,
    pub(super) p50_ms: f64,
    pub(super) p99_ms: f64,
    /// The most that was seen while the load ran.
    pub(super) memory: Memory,
}

impl Round {
    /// The load of one round: `wrk` asks for random numbers of the peer's list on kept connections, spread
    /// evenly over the addresses of the peer.
    pub(super) fn load(peer: &Peer, options: &Options, token: &str, seconds: u64) -> Command {
        let script = shell::root().join("bench/checks.lua");
        let threads = LOAD_THREADS.max(peer.base_urls.len()).to_string();
        let mut wrk = shell::command(LOAD_LIMIT_MINUTES, &["wrk", "--threads", &threads]);
        wrk.args(["--connections", &options.connections.to_string(), "--duration", &format!("{seconds}s")]);
        wrk.args(["--timeout", ANSWER_WITHIN]);
        wrk.arg("--script").arg(script).arg(&peer.base_urls[0]).arg("--").arg(&peer.numbers).arg(token);
        wrk.env("LAINI_BENCH_ADDRESSES", peer.base_urls.join(" ").replace("http://", ""));
        wrk.stdout(Stdio::piped());
        wrk
    }

    /// Runs it and measures the peer meanwhile. Every request must be answered with 200.
    pub(super) fn run(peer: &Peer, options: &Options, token: &str, seconds: u64) -> Result<Self> {
        let mut load = Self::load(peer, options, token, seconds);
        let (cpu_before, front_before) = (peer.cpu_micros()?, peer.front_micros()?);
        let mut child = load.spawn().context("cannot start wrk")?;
        let mut memory = peer.memory()?;
        while child.try_wait()?.is_none() {
            std::thread::sleep(MEMORY_EVERY);
            memory = memory.max(peer.memory()?);
        }
        let cpu_us = peer.cpu_micros()?.saturating_sub(cpu_before);
        let front_us = peer.front_micros()?.saturating_sub(front_before);
        let printed = String::from_utf8(child.wait_with_output()?.stdout)?;
        let json = printed.lines().find(|line| line.starts_with('{')).context("wrk printed no result")?;
        Self::read(&serde_json::from_str(json)?, (cpu_us, front_us), memory)
    }

    #[expect(clippy::cast_precision_loss, reason = "counts of one round are far below 2^52")]
    fn read(result: &Value, (cpu_us, front_us): (u64, u64), memory: Memory) -> Result<Self> {
        let field = |name: &str| result[name].as_u64().with_context(|| format!("wrk printed no {name}"));
        let (requests, micros) = (field("requests")?, field("micros")?);
        let (refused, broken) = (field("refused")?, field("broken")?);
        ensure!(requests > 0, "no request was answered");
        ensure!(refused == 0 && broken == 0, "{refused} of {requests} were refused, {broken} broke off");
        Ok(Self {
            requests_per_s: requests as f64 * 1e6 / micros as f64,
            cpu_us: cpu_us as f64 / requests as f64,
            front_us: front_us as f64 / requests as f64,
            p50_ms: field("p50_us")? as f64 / 1e3,
            p99_ms: field("p99_us")? as f64 / 1e3,
            memory,
        })
    }
}

impl fmt::Display for Round {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { requests_per_s, cpu_us, front_us, p50_ms, p99_ms, memory } = self;
        let anon_mib = memory.anon_kib / 1024;
        write!(f, "{requests_per_s:.0} requests/s, {cpu_us:.2} µs of CPU each (front {front_us:.2}), ")?;
        write!(f, "p50 {p50_ms:.2} ms, p99 {p99_ms:.2} ms, {anon_mib} MiB")
    }
}
