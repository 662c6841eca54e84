use std::fs::OpenOptions;
use std::io::Write;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};

use super::{APP_KEY, APP_SECRET, modules};
use crate::bench::peer::{Peer, Role};
use crate::bench::sample::Sample;
use crate::daemon::{Daemon, Door, folder};
use crate::server::{Credentials, Server};
use crate::{postgres, shell};

const LOAD_LIMIT_MINUTES: u32 = 20;
pub(super) const SOURCE: &str = "bench/fastify-postgresql";
const DATABASE: &str = "bench";

/// Fastify with the check in JavaScript, and one PostgreSQL with the lines of the sample and the records.
pub(in crate::bench) fn start(sample: &Sample, dir: &Path) -> Result<Peer> {
    let modules = modules("fastify-postgresql")?;
    let dir = folder(dir, "fastify-postgresql")?;
    let source = shell::root().join(SOURCE);
    let database = serve(&source, &dir)?;
    load(sample, &source, &dir)?;

    // Node looks for its modules from where the script lies.
    let script = modules.join("server.js");
    std::fs::copy(source.join("server.js"), &script)?;
    let mut node = Command::new("node");
    node.arg(script).env("NODE_ENV", "production").env("PGHOST", &dir).env("PGUSER", "postgres");
    node.env("PGDATABASE", DATABASE).env("APP_KEY", APP_KEY).env("APP_SECRET", APP_SECRET);
    let server = Server::start(&mut node, &dir, "fastify").context("Fastify")?;
    Ok(Peer {
        name: "Fastify + PostgreSQL".to_owned(),
        role: Role::Alternative { dearer_at_least: Some(20.0) },
        base_urls: vec![server.base_url()?.to_owned()],
        pids: vec![server.pid(), database.pid()],
        numbers: sample.numbers.clone(),
        credentials: Some(Credentials { key: APP_KEY.to_owned(), secret: APP_SECRET.to_owned() }),
        registry: None,
        programs: vec![Box::new(server), Box::new(database)],
    })
}

/// A cluster of this run's own, reached through a socket in `dir`.
pub(super) fn serve(source: &Path, dir: &Path) -> Result<Daemon> {
    let data = postgres::new_data(dir)?;
    let settings = std::fs::read_to_string(source.join("postgresql.conf"))?;
    OpenOptions::new().append(true).open(data.join("postgresql.conf"))?.write_all(settings.as_bytes())?;
    let mut postgres = postgres::server(&data)?;
    postgres.arg("-k").arg(dir).current_dir(dir);
    // INT: end sessions and stop; TERM would wait for them.
    Daemon::start_and_end_by("-INT", &mut postgres, dir, "postgres", &Door::Socket(&dir.join(".s.PGSQL.5432")))
}

fn load(sample: &Sample, source: &Path, dir: &Path) -> Result<()> {
    let link = dir.join("sample.csv");
    std::fs::copy(&sample.extract, &link)?;
    let psql = |database: &str, args: &[&str]| -> Result<()> {
        let line = ["psql", "--quiet", "--no-psqlrc", "--set=ON_ERROR_STOP=1", "--username=postgres"];
        let mut psql = shell::command(LOAD_LIMIT_MINUTES, &line);
        psql.arg("--host").arg(dir).args(["--dbname", database]).args(args).current_dir(dir);
        shell::output(&mut psql).map(|_| ())
    };
    psql("postgres", &["--command", &format!("CREATE DATABASE {DATABASE}")])?;
    psql(DATABASE, &["--file", &source.join("schema.sql").to_string_lossy()])?;
    Ok(std::fs::remove_file(link)?)
}
