use std::fs::OpenOptions;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use super::daemon::{Daemon, Door, folder};
use super::{APP_KEY, APP_SECRET, modules};
use crate::bench::peer::{Peer, Role};
use crate::bench::sample::Sample;
use crate::server::{Credentials, Server};
use crate::shell;

const LOAD_LIMIT_MINUTES: u32 = 20;
const SOURCE: &str = "bench/fastify-postgresql";
const DATABASE: &str = "bench";

/// Fastify with the check in JavaScript, and one PostgreSQL with the lines of the sample and the records.
pub(in crate::bench) fn start(sample: &Sample, dir: &Path) -> Result<Peer> {
    let modules = modules("fastify-postgresql")?;
    let dir = folder(dir, "fastify-postgresql")?;
    let source = shell::root().join(SOURCE);
    let postgres = postgres(&source, &dir)?;
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
        base_url: server.base_url()?.to_owned(),
        pids: vec![server.pid(), postgres.pid()],
        numbers: sample.numbers.clone(),
        credentials: Some(Credentials { key: APP_KEY.to_owned(), secret: APP_SECRET.to_owned() }),
        registry: None,
        programs: vec![Box::new(server), Box::new(postgres)],
    })
}

/// A cluster of this run's own, reached through a socket in `dir`.
fn postgres(source: &Path, dir: &Path) -> Result<Daemon> {
    if is_root() {
        shell::run(Command::new("chown").arg("postgres").arg(dir))?;
    }
    let data = dir.join("data");
    let initdb = program("initdb")?;
    let mut initdb = shell::command(LOAD_LIMIT_MINUTES, &initdb.iter().map(String::as_str).collect::<Vec<_>>());
    initdb.args(["--username=postgres", "--auth=trust", "--encoding=UTF8", "--no-locale", "--no-sync"]);
    initdb.arg("--pgdata").arg(&data).current_dir(dir);
    shell::output(&mut initdb).context(
        "PostgreSQL will not run as root, so the bench runs it as the user postgres, who must be able to reach the checkout",
    )?;
    let settings = std::fs::read_to_string(source.join("postgresql.conf"))?;
    OpenOptions::new().append(true).open(data.join("postgresql.conf"))?.write_all(settings.as_bytes())?;
    let line = program("postgres")?;
    let mut postgres = Command::new(&line[0]);
    postgres.args(&line[1..]).arg("-D").arg(&data).arg("-k").arg(dir).current_dir(dir);
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

/// The words that run a program of the newest PostgreSQL here, as a user whom PostgreSQL accepts.
fn program(name: &str) -> Result<Vec<String>> {
    let mut versions: Vec<PathBuf> =
        std::fs::read_dir("/usr/lib/postgresql")?.filter_map(Result::ok).map(|entry| entry.path()).collect();
    versions.sort_by_key(|path| path.file_name().and_then(|name| name.to_str()?.parse::<u32>().ok()));
    let newest = versions.last().context("no PostgreSQL lies in /usr/lib/postgresql")?;
    let as_postgres: &[&str] =
        if is_root() { &["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups", "--"] } else { &[] };
    let program = newest.join("bin").join(name).to_string_lossy().into_owned();
    Ok(as_postgres.iter().map(|word| (*word).to_owned()).chain([program]).collect())
}

fn is_root() -> bool {
    shell::holds("test \"$(id -u)\" = 0")
}
