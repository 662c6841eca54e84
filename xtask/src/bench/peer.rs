use std::any::Any;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

use super::options::Options;
use super::process::{Memory, cpu_micros};
use super::registry::Registry;
use super::round::Round;
use crate::server::{self, Credentials};

/// Into a load of this length the server is killed.
const KILLED_LOAD_SECONDS: u64 = 3;
const KILL_AFTER: Duration = Duration::from_secs(1);

/// What a peer is compared for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Role {
    /// HTTP alone: what no check can be cheaper than.
    Floor,
    /// The whole durable check of laini.
    Laini,
    /// The same of an earlier laini.
    Before,
    /// The same on the engine for several nodes, with so many of them.
    Several { nodes: usize },
    /// What one would build instead; laini's check should be so many times cheaper, where a figure is aimed at.
    Alternative { dearer_at_least: Option<f64> },
    /// The check of laini's sandbox.
    Sandbox,
    /// What one would run instead of a sandbox.
    Mock,
}

/// One server that rounds are run against, with everything that it consists of.
pub(super) struct Peer {
    pub(super) name: String,
    pub(super) role: Role,
    /// Where it answers: one address for each of its first processes.
    pub(super) base_urls: Vec<String>,
    /// Its processes, those that answer first; those that they start are measured with them.
    pub(super) pids: Vec<u32>,
    /// The numbers that it is asked for, one a line.
    pub(super) numbers: PathBuf,
    /// What it gives a token for; `None` where it wants no true one.
    pub(super) credentials: Option<Credentials>,
    /// Where it is laini in production: what it serves.
    pub(super) registry: Option<Registry>,
    /// Ended when dropped, the first before the next.
    pub(super) programs: Vec<Box<dyn Any>>,
}

impl Peer {
    /// A fresh token, by the standard door.
    pub(super) fn token(&self) -> Result<String> {
        // Whoever does not look at it gets one of the usual length.
        self.credentials.as_ref().map_or_else(|| Ok("x".repeat(64)), |known| token(&self.base_urls[0], known))
    }

    /// One load, measured.
    pub(super) fn round(&self, options: &Options, seconds: u64) -> Result<Round> {
        Round::run(self, options, &self.token()?, seconds).with_context(|| self.name.clone())
    }

    /// What it uses now.
    pub(super) fn memory(&self) -> Result<Memory> {
        Memory::of(&self.pids)
    }

    /// The CPU time that it has used so far, in µs.
    pub(super) fn cpu_micros(&self) -> Result<u64> {
        cpu_micros(&self.pids)
    }

    /// The part of it that those which answer used, in µs: without a database behind them.
    pub(super) fn front_micros(&self) -> Result<u64> {
        cpu_micros(&self.pids[..self.base_urls.len()])
    }

    /// One real answer, head and body, as it came over the wire.
    pub(super) fn real_answer(&self) -> Result<String> {
        let numbers = std::fs::read_to_string(&self.numbers)?;
        let body = format!("{{\"customerNumber\": \"{}\"}}", numbers.lines().next().context("there is no number")?);
        let authorization = format!("Authorization: Bearer {}", self.token()?);
        let headers = [authorization.as_str(), "Content-Type: application/json"];
        let answer = server::post(&self.base_urls[0], "/imsi/v1/checkATI", &headers, &body)?;
        ensure!(answer.status == 200, "{}: a check was answered {}: {}", self.name, answer.status, answer.body);
        Ok(format!("{}\r\n\r\n{}", answer.head, answer.body))
    }

    /// Where it has a registry: kills it with -9 in the middle of a load, times its way back, and checks its
    /// ledger. It is ended then.
    pub(super) fn recover(&mut self, options: &Options, dir: &Path) -> Result<Option<Duration>> {
        // On several nodes' engine the database would have to be killed apart: its own failover tests do that.
        let Some(registry) = self.registry.as_ref().filter(|_| !matches!(self.role, Role::Several { .. })) else {
            return Ok(None);
        };
        let mut load = Round::load(self, options, &self.token()?, KILLED_LOAD_SECONDS).spawn()?;
        std::thread::sleep(KILL_AFTER);
        self.programs.clear();
        load.wait()?;
        let started = Instant::now();
        let again = registry.serve(dir)?;
        let took = started.elapsed();
        again.stop()?;
        registry.verify_ledger()?;
        Ok(Some(took))
    }
}

/// A token for these credentials.
pub(super) fn token(base_url: &str, credentials: &Credentials) -> Result<String> {
    let form =
        format!("grant_type=client_credentials&client_id={}&client_secret={}", credentials.key, credentials.secret);
    let headers = ["Content-Type: application/x-www-form-urlencoded"];
    let answer = server::post(base_url, "/oauth2/token", &headers, &form)?;
    let json: serde_json::Value = serde_json::from_str(&answer.body).context("the token door answered no JSON")?;
    json["access_token"].as_str().map(str::to_owned).with_context(|| format!("no token came ({})", answer.status))
}
