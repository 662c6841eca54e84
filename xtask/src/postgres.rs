use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::daemon::{Daemon, Door, free_port};
use crate::shell;

/// Names the server that tests make their databases on.
pub(crate) const TEST_URL: &str = "LAINI_TEST_POSTGRES_URL";

const INITDB_LIMIT_MINUTES: u32 = 2;
/// Nothing in a test's database has to survive a power cut.
const TEST_SETTINGS: &[&str] = &[
    "listen_addresses=127.0.0.1",
    "unix_socket_directories=",
    "fsync=off",
    "full_page_writes=off",
    "max_connections=300",
    "shared_buffers=64MB",
];

/// One server for all tests of a run, so that each makes only a database; gone with this value.
pub(crate) struct TestServer {
    port: u16,
    dir: PathBuf,
    /// Ended before its directory is removed.
    daemon: Option<Daemon>,
}

impl TestServer {
    /// In a directory for passing things: the user postgres may not be able to reach the checkout.
    pub(crate) fn start() -> Result<Self> {
        let dir = shell::fresh_dir_in(&std::env::temp_dir(), "laini-xtask-postgres")?;
        let mut server = Self { port: free_port()?, dir, daemon: None };
        let data = new_data(&server.dir)?;
        let mut postgres = self::server(&data)?;
        postgres.args(["-p", &server.port.to_string()]).current_dir(&server.dir);
        for setting in TEST_SETTINGS {
            postgres.args(["-c", setting]);
        }
        // It takes connections a moment before it serves them.
        let is_ready = programs()?.join("pg_isready");
        let is_ready = format!("{} -q -h 127.0.0.1 -p {}", is_ready.display(), server.port);
        let door = Door::Holds(&is_ready);
        // INT: end sessions and stop; TERM would wait for them.
        server.daemon = Some(Daemon::start_and_end_by("-INT", &mut postgres, &server.dir, "postgres", &door)?);
        Ok(server)
    }

    pub(crate) fn url(&self) -> String {
        format!("postgresql://postgres@127.0.0.1:{}/postgres", self.port)
    }
}

impl Drop for TestServer {
    fn drop(&mut self) {
        drop(self.daemon.take());
        let _ = std::fs::remove_dir_all(&self.dir);
    }
}

/// Makes the data directory of a server with nothing in it, within `dir`.
pub(crate) fn new_data(dir: &Path) -> Result<PathBuf> {
    if is_root() {
        shell::run(Command::new("chown").arg("postgres").arg(dir))?;
    }
    let data = dir.join("data");
    let line = program("initdb")?;
    let mut initdb = shell::command(INITDB_LIMIT_MINUTES, &line.iter().map(String::as_str).collect::<Vec<_>>());
    initdb.args(["--username=postgres", "--auth=trust", "--encoding=UTF8", "--no-locale", "--no-sync"]);
    initdb.arg("--pgdata").arg(&data).current_dir(dir);
    shell::output(&mut initdb).context(
        "PostgreSQL will not run as root, so it is run as the user postgres, who must be able to reach its directory",
    )?;
    Ok(data)
}

/// The words that run a program of PostgreSQL's, as a user whom PostgreSQL accepts; it dies
/// with who started it.
fn program(name: &str) -> Result<Vec<String>> {
    let as_postgres: &[&str] =
        if is_root() { &["--reuid=postgres", "--regid=postgres", "--clear-groups"] } else { &[] };
    let program = programs()?.join(name).to_string_lossy().into_owned();
    let line = [&["setpriv", "--pdeathsig=KILL"], as_postgres, &["--", &program]].concat();
    Ok(line.into_iter().map(str::to_owned).collect())
}

/// Where the newest PostgreSQL here has its programs.
fn programs() -> Result<PathBuf> {
    let mut versions: Vec<PathBuf> =
        std::fs::read_dir("/usr/lib/postgresql")?.filter_map(Result::ok).map(|entry| entry.path()).collect();
    versions.sort_by_key(|path| path.file_name().and_then(|name| name.to_str()?.parse::<u32>().ok()));
    let newest = versions.pop().context("no PostgreSQL lies in /usr/lib/postgresql")?;
    Ok(newest.join("bin"))
}

/// A server on `data`, to be given its settings.
pub(crate) fn server(data: &Path) -> Result<Command> {
    let line = program("postgres")?;
    let mut postgres = Command::new(&line[0]);
    postgres.args(&line[1..]).arg("-D").arg(data);
    Ok(postgres)
}

fn is_root() -> bool {
    shell::holds("test \"$(id -u)\" = 0")
}

#[cfg(test)]
mod tests {
    use std::net::TcpStream;

    use super::*;

    #[test]
    fn a_server_for_tests_answers_until_it_is_dropped_and_leaves_nothing() {
        let server = TestServer::start().unwrap();
        let (port, dir) = (server.port, server.dir.clone());
        assert_eq!(server.url(), format!("postgresql://postgres@127.0.0.1:{port}/postgres"));
        assert!(TcpStream::connect(("127.0.0.1", port)).is_ok());
        drop(server);
        assert!(TcpStream::connect(("127.0.0.1", port)).is_err());
        assert!(!dir.exists(), "{} is left", dir.display());
    }
}
