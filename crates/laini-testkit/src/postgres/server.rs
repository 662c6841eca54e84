use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, geteuid, kill_process};
use tempfile::TempDir;

use super::template;

/// A server that has not answered by then will not.
const ANSWERS_WITHIN: Duration = Duration::from_secs(30);
const LOOK_AGAIN: Duration = Duration::from_millis(20);

/// How a server is started.
#[derive(Debug, Clone)]
pub struct ServerOptions {
    /// Lines of its configuration, `name=value` each.
    pub settings: Vec<String>,
}

impl ServerOptions {
    /// For contents that no power cut has to survive.
    pub fn quick() -> Self {
        let settings = ["fsync=off", "full_page_writes=off", "max_connections=200", "shared_buffers=64MB"];
        Self { settings: settings.map(str::to_owned).to_vec() }
    }

    /// As it is shipped.
    pub fn durable() -> Self {
        Self { settings: ["max_connections=200", "shared_buffers=64MB"].map(str::to_owned).to_vec() }
    }

    /// With one more setting.
    #[must_use]
    pub fn with(mut self, setting: &str) -> Self {
        self.settings.push(setting.to_owned());
        self
    }
}

/// A server on loopback with a directory of its own; both are gone with this value, and the server with
/// the test process however that ends.
#[derive(Debug)]
pub struct Server {
    dir: TempDir,
    port: u16,
    child: Child,
    /// Cleans up where this process ends without dropping this.
    guard: Child,
}

impl Server {
    /// Starts a new server with nothing in it, and waits until it answers.
    pub fn start(options: &ServerOptions) -> Self {
        let dir = private_dir();
        template::copy_to(&dir);
        Self::of(dir, options)
    }

    /// Starts a server on the data that lies in `dir`.
    pub(super) fn of(dir: TempDir, options: &ServerOptions) -> Self {
        let port = free_port();
        let child = spawn(dir.path(), port, options);
        let guard = guard(dir.path());
        let server = Self { dir, port, child, guard };
        server.wait();
        server
    }

    /// Its address, for a user that may do everything.
    pub fn url(&self) -> String {
        format!("postgresql://postgres@127.0.0.1:{}/postgres", self.port)
    }

    /// Its port on loopback.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Where its data lies.
    pub fn data(&self) -> PathBuf {
        self.dir.path().join("data")
    }

    /// Its processes: the first is their parent.
    pub fn processes(&self) -> Vec<u32> {
        let mut found = vec![self.child.id()];
        found.extend(children(self.child.id()));
        found
    }

    /// Sends a signal to all of its processes.
    pub fn signal(&self, signal: Signal) {
        signal_all(&self.processes(), signal);
    }

    /// Ends it at once, as a power cut would.
    pub fn kill(&mut self) {
        self.signal(Signal::KILL);
        let _ = self.child.wait();
    }

    /// Starts it again after [`Server::kill`].
    pub fn restart(&mut self, options: &ServerOptions) {
        // What was killed leaves its lock file.
        let _ = fs::remove_file(self.data().join("postmaster.pid"));
        self.child = spawn(self.dir.path(), self.port, options);
        self.wait();
    }

    fn wait(&self) {
        let begun = Instant::now();
        loop {
            let is_ready = run(&mut program("pg_isready", self.dir.path()), |command| {
                command.args(["-q", "-h", "127.0.0.1", "-p", &self.port.to_string()])
            });
            if is_ready {
                return;
            }
            let log = || fs::read_to_string(self.dir.path().join("log")).unwrap_or_default();
            assert!(begun.elapsed() < ANSWERS_WITHIN, "the database does not answer:\n{}", log());
            std::thread::sleep(LOOK_AGAIN);
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
        drop(self.guard.stdin.take());
        let _ = self.guard.wait();
    }
}

/// A directory that the user of the server may use.
pub(super) fn private_dir() -> TempDir {
    let dir = tempfile::Builder::new().prefix("laini-postgres-").tempdir().unwrap();
    fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o700)).unwrap();
    if geteuid().is_root() {
        let (user, group) = unprivileged();
        chown(dir.path(), Some(user), Some(group)).unwrap();
    }
    dir
}

/// The user that the server runs as where tests run as root, which it refuses.
fn unprivileged() -> (u32, u32) {
    let accounts = fs::read_to_string("/etc/passwd").unwrap();
    let account = |name: &str| {
        let line = accounts.lines().find(|line| line.starts_with(&format!("{name}:")))?;
        let mut fields = line.split(':').skip(2);
        Some((fields.next()?.parse().ok()?, fields.next()?.parse().ok()?))
    };
    account("postgres").or_else(|| account("nobody")).expect("an unprivileged account")
}

/// The newest PostgreSQL of this machine.
pub(super) fn programs() -> PathBuf {
    let mut found: Vec<(u32, PathBuf)> = fs::read_dir("/usr/lib/postgresql").map_or_else(
        |_| Vec::new(),
        |versions| {
            let version =
                |entry: fs::DirEntry| Some((entry.file_name().to_str()?.parse().ok()?, entry.path().join("bin")));
            versions.flatten().filter_map(version).filter(|(_, bin)| bin.join("initdb").exists()).collect()
        },
    );
    found.sort();
    let advice =
        "PostgreSQL's server is not installed: apt-get install postgresql, or name one by LAINI_TEST_POSTGRES_URL";
    found.pop().expect(advice).1
}

/// A program of PostgreSQL's that dies with the thread that starts it, as an unprivileged user.
pub(super) fn program(name: &str, dir: &Path) -> Command {
    let mut command = as_unprivileged(dir);
    command.arg(programs().join(name));
    command
}

/// What runs a program, named next, as an unprivileged user; it dies with the thread that starts it.
pub(super) fn as_unprivileged(dir: &Path) -> Command {
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "KILL"]);
    if geteuid().is_root() {
        let (user, group) = unprivileged();
        command.args([format!("--reuid={user}"), format!("--regid={group}"), "--clear-groups".to_owned()]);
    }
    command.current_dir(dir).env("LC_ALL", "C").stdin(Stdio::null());
    command
}

pub(super) fn signal_all(processes: &[u32], signal: Signal) {
    for process in processes {
        if let Some(pid) = i32::try_from(*process).ok().and_then(Pid::from_raw) {
            let _ = kill_process(pid, signal);
        }
    }
}

pub(super) fn run(command: &mut Command, fill: impl FnOnce(&mut Command) -> &mut Command) -> bool {
    fill(command).stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok_and(|status| status.success())
}

/// Starts the server on a thread that lives as long as the process: the server dies with it.
fn spawn(dir: &Path, port: u16, options: &ServerOptions) -> Child {
    let log = fs::OpenOptions::new().create(true).append(true).open(dir.join("log")).unwrap();
    let mut command = program("postgres", dir);
    command.arg("-D").arg(dir.join("data")).args(["-p", &port.to_string()]);
    for setting in ["listen_addresses=127.0.0.1", "unix_socket_directories=", "logging_collector=off"] {
        command.args(["-c", setting]);
    }
    for setting in &options.settings {
        command.args(["-c", setting]);
    }
    command.stdout(log.try_clone().unwrap()).stderr(log);
    let (sender, started) = mpsc::channel();
    std::thread::spawn(move || {
        sender.send(command.spawn().expect("PostgreSQL starts")).unwrap();
        loop {
            std::thread::park();
        }
    });
    started.recv().unwrap()
}

/// A shell that waits until this process is gone, then ends the servers of `dir` and removes it: servers
/// of a whole test process are never dropped. An interrupt from the keyboard, which reaches it too, does
/// not end it before its work.
pub(super) fn guard(dir: &Path) -> Child {
    let script = r#"trap '' INT TERM; cat >/dev/null
        for file in "$1"/*/postmaster.pid; do kill -9 "$(head -n 1 "$file")"; done
        rm -rf "$1" || rm -rf "$1""#;
    let mut command = Command::new("sh");
    command.args(["-c", script, "sh"]).arg(dir).current_dir("/").stdin(Stdio::piped());
    command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("a shell starts")
}

pub(super) fn free_port() -> u16 {
    TcpListener::bind(("127.0.0.1", 0)).and_then(|listener| listener.local_addr()).unwrap().port()
}

/// The processes whose parent is `parent`.
pub(super) fn children(parent: u32) -> Vec<u32> {
    let all = fs::read_to_string(format!("/proc/{parent}/task/{parent}/children")).unwrap_or_default();
    all.split_whitespace().filter_map(|process| process.parse().ok()).collect()
}
