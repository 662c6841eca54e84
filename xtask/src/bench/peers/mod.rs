//! What users would otherwise run, started and loaded so that rounds can be run against it.
//!
//! Owns how each peer is installed, filled with the sample and started; what it does lies in `bench/`.
//! Must never leave a process behind, or use a service of this machine.

mod fastify_postgresql;
mod laini_postgresql;
mod nginx_redis;
mod sandbox;

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::peer::Peer;
use super::sample::Sample;
use crate::{installed, shell};
use nginx_redis::Sync;

/// The one app that the peers know; nobody else reaches them.
const APP_KEY: &str = "benchapp";
const APP_SECRET: &str = "bench-secret";

/// All of them, serving.
pub(super) fn start(sample: &Sample, dir: &Path) -> Result<Vec<Peer>> {
    let mut peers = vec![
        nginx_redis::start(Sync::Always, sample, dir).context("nginx + Lua + Redis")?,
        nginx_redis::start(Sync::EverySecond, sample, dir).context("nginx + Lua + Redis")?,
        fastify_postgresql::start(sample, dir).context("Fastify + PostgreSQL")?,
    ];
    peers.extend(laini_postgresql::start(sample, dir).context("laini on PostgreSQL")?);
    peers.extend([sandbox::laini(dir)?, sandbox::prism(dir)?]);
    Ok(peers)
}

/// The modules of the peer in `bench/<name>`, as its lock file names them; kept between runs.
fn modules(name: &str) -> Result<PathBuf> {
    let into = shell::root().join("target/bench-peers").join(name);
    installed::node(&shell::root().join("bench").join(name), &into)
        .with_context(|| format!("cannot install {name}"))?;
    Ok(into)
}
