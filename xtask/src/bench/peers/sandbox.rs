use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use super::modules;
use crate::bench::peer::{Peer, Role};
use crate::bench::registry::binary;
use crate::daemon::{Daemon, Door, folder, free_port};
use crate::server::Server;
use crate::shell;

/// The personas that every sandbox answers with 200.
const PERSONAS: std::ops::RangeInclusive<u64> = 254_722_000_000..=254_722_000_011;

/// `laini sandbox`: the whole check on made-up lines.
pub(in crate::bench) fn laini(dir: &Path) -> Result<Peer> {
    let dir = folder(dir, "sandbox")?;
    let mut sandbox = Command::new(binary());
    sandbox.args(["sandbox", "--data"]).arg(dir.join("data"));
    let server = Server::start(&mut sandbox, &dir, "sandbox").context("laini sandbox")?;
    Ok(Peer {
        name: "laini sandbox".to_owned(),
        role: Role::Sandbox,
        base_urls: vec![server.base_url()?.to_owned()],
        pids: vec![server.pid()],
        numbers: personas(&dir)?,
        credentials: Some(server.credentials("sandbox")?),
        registry: None,
        programs: vec![Box::new(server)],
    })
}

/// Prism, a published mock server, on a document that says just this check.
pub(in crate::bench) fn prism(dir: &Path) -> Result<Peer> {
    let modules = modules("prism")?;
    let dir = folder(dir, "prism")?;
    let port = free_port()?;
    let mut prism = Command::new("node");
    prism.arg(modules.join("node_modules/@stoplight/prism-cli/dist/index.js")).arg("mock");
    prism.args(["--host", "127.0.0.1", "--port", &port.to_string(), "--verboseLevel", "silent"]);
    // Its own default in production needs a cluster module that Node no longer has.
    prism.args(["--multiprocess", "false"]);
    prism.arg(shell::root().join("bench/prism/openapi.json")).env("NODE_ENV", "production");
    let prism = Daemon::start(&mut prism, &dir, "prism", &Door::Port(port))?;
    Ok(Peer {
        name: "Prism".to_owned(),
        role: Role::Mock,
        base_urls: vec![format!("http://127.0.0.1:{port}")],
        pids: vec![prism.pid()],
        numbers: personas(&dir)?,
        credentials: None,
        registry: None,
        programs: vec![Box::new(prism)],
    })
}

fn personas(dir: &Path) -> Result<PathBuf> {
    let path = dir.join("personas.txt");
    let lines: String = PERSONAS.flat_map(|number| [number.to_string(), "\n".to_owned()]).collect();
    std::fs::write(&path, lines)?;
    Ok(path)
}
