use std::path::Path;

use anyhow::{Context, Result};

use super::fastify_postgresql::{SOURCE, serve};
use crate::bench::peer::{Peer, Role};
use crate::bench::registry::{Registry, binary};
use crate::bench::sample::Sample;
use crate::daemon::folder;
use crate::server::Server;
use crate::shell;

/// The most nodes that are measured together; on two cores more bring nothing.
const NODES: usize = 3;

/// One, two and three nodes of laini before one PostgreSQL that is set as Fastify's is. The peers share the
/// nodes and the database, so all of them end with the last.
pub(in crate::bench) fn start(sample: &Sample, dir: &Path) -> Result<Vec<Peer>> {
    let dir = folder(dir, "laini-postgresql")?;
    let database = serve(&shell::root().join(SOURCE), &dir)?;
    let url = format!("host={} user=postgres dbname=postgres sslmode=disable", dir.display());
    let settings = format!("[store]\nkind = \"postgres\"\nurl = \"{url}\"\n");
    let data = folder(&dir, "node-1")?;
    std::fs::write(data.join("laini.toml"), settings).context("the settings of the nodes")?;
    let mut registry = Some(Registry::load(&binary(), sample, &dir, "node-1")?);
    let mut servers = Vec::with_capacity(NODES);
    for number in 1..=NODES {
        let first = registry.as_ref().context("the first node is loaded")?;
        let node = if number == 1 { None } else { Some(first.beside(&format!("node-{number}"))?) };
        servers.push(node.as_ref().unwrap_or(first).serve(&dir)?);
    }
    let credentials = registry.as_ref().map(|registry| registry.credentials.clone());
    let mut peers = Vec::with_capacity(NODES);
    for nodes in 1..=NODES {
        let answering = &servers[..nodes];
        let base_urls = answering.iter().map(|server| server.base_url().map(str::to_owned));
        peers.push(Peer {
            name: if nodes == 1 { "laini on PostgreSQL".to_owned() } else { format!("{nodes} nodes on PostgreSQL") },
            role: Role::Several { nodes },
            base_urls: base_urls.collect::<Result<_>>()?,
            pids: answering.iter().map(Server::pid).chain([database.pid()]).collect(),
            numbers: sample.numbers.clone(),
            credentials: credentials.clone(),
            registry: registry.take(),
            programs: Vec::new(),
        });
    }
    let last = peers.last_mut().context("there is a peer")?;
    last.programs.extend(servers.into_iter().map(|server| Box::new(server) as _));
    last.programs.push(Box::new(database));
    Ok(peers)
}
