use anyhow::{Context, Result};
use rustix::thread::{CpuSet, sched_setaffinity};

/// Who runs where, so that the generator's work is not the server's wait.
pub(super) struct Cores {
    /// The server's cores as `taskset` reads them; `None` where there is but one core.
    pub(super) server: Option<String>,
    generator: usize,
}

impl Cores {
    /// The last core generates, all others serve.
    pub(super) fn split() -> Result<Self> {
        let last = std::thread::available_parallelism().context("how many cores are there?")?.get() - 1;
        let server = (last > 0).then(|| if last == 1 { "0".to_owned() } else { format!("0-{}", last - 1) });
        Ok(Self { server, generator: last })
    }

    /// Keeps the calling thread on the generator's core.
    pub(super) fn pin_generator(&self) -> Result<()> {
        let mut set = CpuSet::new();
        set.set(self.generator);
        sched_setaffinity(None, &set).context("the load generator cannot be pinned to its core")
    }

    /// For the report.
    pub(super) fn shown(&self) -> String {
        match &self.server {
            Some(server) => format!("the server on core {server} alone, the generator on core {}", self.generator),
            None => "server and generator share the one core".to_owned(),
        }
    }
}
