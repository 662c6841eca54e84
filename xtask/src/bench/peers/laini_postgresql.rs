use std::path::Path;

use anyhow::{Context, Result};

use super::fastify_postgresql::{SOURCE, serve};
use crate::bench::peer::{Peer, Role};
use crate::bench::registry::{Registry, binary};
use crate::bench::sample::Sample;
use crate::daemon::folder;
use crate::shell;

/// One node of laini, and one PostgreSQL as Fastify's is set.
pub(in crate::bench) fn start(sample: &Sample, dir: &Path) -> Result<Peer> {
    let dir = folder(dir, "laini-postgresql")?;
    let database = serve(&shell::root().join(SOURCE), &dir)?;
    let data = folder(&dir, "node")?;
    let url = format!("host={} user=postgres dbname=postgres sslmode=disable", dir.display());
    let settings = format!("[store]\nkind = \"postgres\"\nurl = \"{url}\"\n");
    std::fs::write(data.join("laini.toml"), settings).context("the settings of the node")?;
    let registry = Registry::load(&binary(), sample, &dir, "node")?;
    let server = registry.serve(&dir)?;
    Ok(Peer {
        name: "laini on PostgreSQL".to_owned(),
        role: Role::Several,
        base_url: server.base_url()?.to_owned(),
        pids: vec![server.pid(), database.pid()],
        numbers: sample.numbers.clone(),
        credentials: Some(registry.credentials.clone()),
        registry: Some(registry),
        programs: vec![Box::new(server), Box::new(database)],
    })
}
