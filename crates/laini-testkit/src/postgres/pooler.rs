use std::fs;
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use super::TestDatabase;
use super::server::{as_unprivileged, free_port, guard, private_dir};

/// What is shipped, so that what is tested is what is shipped.
const SHIPPED: &str = include_str!("../../../../packaging/pgbouncer/pgbouncer.ini");
/// From this release on prepared statements survive transaction mode.
const KNOWS_PREPARED: (u32, u32) = (1, 21);
const ANSWERS_WITHIN: Duration = Duration::from_secs(10);
const LOOK_AGAIN: Duration = Duration::from_millis(20);

/// A private PgBouncer in transaction mode before one database, configured as it is shipped.
#[derive(Debug)]
pub struct Pooler {
    port: u16,
    knows_prepared: bool,
    child: Child,
    /// Cleans up where this process ends without dropping this.
    guard: Child,
    dir: TempDir,
}

impl Pooler {
    /// Starts one that holds so many connections to the database, and waits until it listens.
    pub fn start(database: &TestDatabase, connections: u32) -> Self {
        let (dir, port, knows_prepared) = (private_dir(), free_port(), release() >= KNOWS_PREPARED);
        let file = dir.path().join("pgbouncer.ini");
        fs::write(&file, settings(dir.path(), database, (port, connections), knows_prepared)).unwrap();
        fs::write(dir.path().join("users"), "\"postgres\" \"\"\n").unwrap();
        let log = fs::File::create(dir.path().join("log")).unwrap();
        let mut command = as_unprivileged(dir.path());
        command.arg("/usr/sbin/pgbouncer").arg(&file).stdout(Stdio::null()).stderr(log);
        let child = command.spawn().expect("PgBouncer starts: apt-get install pgbouncer");
        let guard = guard(dir.path());
        let pooler = Self { port, knows_prepared, child, guard, dir };
        pooler.wait();
        pooler
    }

    /// Its port on loopback.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Whether statements may be prepared through it.
    pub fn knows_prepared(&self) -> bool {
        self.knows_prepared
    }

    fn wait(&self) {
        let begun = Instant::now();
        while TcpStream::connect(("127.0.0.1", self.port)).is_err() {
            let log = || fs::read_to_string(self.dir.path().join("log")).unwrap_or_default();
            assert!(begun.elapsed() < ANSWERS_WITHIN, "PgBouncer does not listen:\n{}", log());
            std::thread::sleep(LOOK_AGAIN);
        }
    }
}

impl Drop for Pooler {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        drop(self.guard.stdin.take());
        let _ = self.guard.wait();
    }
}

/// The shipped settings, for this database, this machine and this release.
fn settings(dir: &Path, database: &TestDatabase, (port, connections): (u16, u32), knows_prepared: bool) -> String {
    let url = database.url();
    let (server, name) = url.rsplit_once('/').expect("a URL with a database's name");
    let server_port = server.rsplit_once(':').expect("a URL with a port").1;
    let place = format!("host=127.0.0.1 port={server_port} dbname={name} user=postgres");
    let changed = SHIPPED
        .replace("laini = host=primary port=5432 dbname=laini", &format!("{name} = {place}"))
        .replace("listen_addr = *", "listen_addr = 127.0.0.1")
        .replace("listen_port = 6432", &format!("listen_port = {port}"))
        .replace("auth_type = scram-sha-256", "auth_type = trust")
        .replace("/run/secrets/userlist", &dir.join("users").display().to_string())
        .replace("default_pool_size = 60", &format!("default_pool_size = {connections}"));
    let is_known = |line: &&str| knows_prepared || !line.starts_with("max_prepared_statements");
    changed.lines().filter(is_known).collect::<Vec<_>>().join("\n")
}

fn release() -> (u32, u32) {
    let told = Command::new("/usr/sbin/pgbouncer").arg("--version").output();
    let told = told.expect("PgBouncer is installed: apt-get install pgbouncer").stdout;
    let text = String::from_utf8_lossy(&told);
    let numbers = text.lines().next().and_then(|line| line.strip_prefix("PgBouncer "));
    let mut numbers = numbers.unwrap_or_default().split('.').map_while(|part| part.parse().ok());
    (numbers.next().expect("PgBouncer tells its release"), numbers.next().unwrap_or(0))
}
