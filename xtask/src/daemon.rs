use std::fs::File;
use std::net::{TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::shell;

const READY_WITHIN: Duration = Duration::from_mins(1);
const STOP_WITHIN: Duration = Duration::from_secs(20);
const POLL_EVERY: Duration = Duration::from_millis(20);

/// A program of others that serves until this is dropped.
pub(crate) struct Daemon {
    child: Child,
    /// What asks it to end, and those it started with it.
    signal: &'static str,
}

/// Where a program can be reached once it is ready.
pub(crate) enum Door<'a> {
    Port(u16),
    Socket(&'a Path),
    /// A line of shell that succeeds then.
    Holds(&'a str),
}

impl Daemon {
    /// Starts it and waits until its door is open. Its output goes to `<name>.log` in `dir`.
    pub(crate) fn start(command: &mut Command, dir: &Path, name: &str, door: &Door<'_>) -> Result<Self> {
        Self::start_and_end_by("-TERM", command, dir, name, door)
    }

    /// The same, for a program that another signal than TERM asks to end at once.
    pub(crate) fn start_and_end_by(
        signal: &'static str,
        command: &mut Command,
        dir: &Path,
        name: &str,
        door: &Door<'_>,
    ) -> Result<Self> {
        let log = dir.join(format!("{name}.log"));
        let output = File::create(&log).with_context(|| format!("cannot write {}", log.display()))?;
        command.stdin(Stdio::null()).stdout(output.try_clone()?).stderr(output);
        let child = command.spawn().with_context(|| format!("cannot start {name}"))?;
        let mut daemon = Self { child, signal };
        daemon.wait_until_open(door, &log).with_context(|| name.to_owned())?;
        Ok(daemon)
    }

    fn wait_until_open(&mut self, door: &Door<'_>, log: &Path) -> Result<()> {
        let said = || std::fs::read_to_string(log).unwrap_or_default();
        let deadline = Instant::now() + READY_WITHIN;
        while !door.is_open() {
            if let Some(status) = self.child.try_wait()? {
                bail!("it ended ({status}) before it was ready; it said:\n{}", said());
            }
            if Instant::now() > deadline {
                bail!("it was not ready within {} s; it said:\n{}", READY_WITHIN.as_secs(), said());
            }
            std::thread::sleep(POLL_EVERY);
        }
        Ok(())
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        if let Ok(Some(_)) = self.child.try_wait() {
            return;
        }
        // Killed outright it would leave its workers behind; so it is asked first.
        let pid = self.child.id().to_string();
        let asked = shell::run(Command::new("kill").args([self.signal, &pid]));
        let deadline = Instant::now() + STOP_WITHIN;
        while asked.is_ok() && Instant::now() < deadline {
            if let Ok(Some(_)) = self.child.try_wait() {
                return;
            }
            std::thread::sleep(POLL_EVERY);
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Door<'_> {
    fn is_open(&self) -> bool {
        match self {
            Self::Port(port) => TcpStream::connect(("127.0.0.1", *port)).is_ok(),
            Self::Socket(path) => UnixStream::connect(path).is_ok(),
            Self::Holds(line) => shell::holds(line),
        }
    }
}

/// A port that was free a moment ago, for a program that cannot choose one by itself.
pub(crate) fn free_port() -> Result<u16> {
    Ok(TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port())
}

/// A folder that no run before has used.
pub(crate) fn folder(dir: &Path, name: &str) -> Result<PathBuf> {
    let folder = dir.join(name);
    std::fs::create_dir(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    Ok(folder)
}
