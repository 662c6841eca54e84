use std::fs::File;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::shell;

const READY_WITHIN: Duration = Duration::from_secs(30);
/// As long as the server may take to finish what it accepted, and a little more.
const STOP_WITHIN: Duration = Duration::from_secs(25);
const POLL_EVERY: Duration = Duration::from_millis(20);
const ANSWER_WITHIN: Duration = Duration::from_secs(10);
/// No answer that is asked for here is longer.
const ANSWER_BYTES_AT_MOST: u64 = 64 * 1024;

/// A program that serves on a port of its own choice; it is ended when this is dropped.
pub(crate) struct Server {
    child: Child,
    /// What it wrote when it was ready: `base_url`, `pid`, credentials.
    pub(crate) ready: Value,
    log: PathBuf,
}

/// A consumer key and its secret.
#[derive(Clone)]
pub(crate) struct Credentials {
    pub(crate) key: String,
    pub(crate) secret: String,
}

impl Server {
    /// Starts `command` on a port of its own choice and waits until it is ready.
    pub(crate) fn start(command: &mut Command, dir: &Path, name: &str) -> Result<Self> {
        Self::start_at(0, command, dir, name)
    }

    /// Starts `command` with `--listen 127.0.0.1:<port> --ready-file …` and waits until it is ready. Its
    /// output goes to `<name>.log` in `dir`.
    pub(crate) fn start_at(port: u16, command: &mut Command, dir: &Path, name: &str) -> Result<Self> {
        let (ready_file, log) = (dir.join(format!("{name}.ready.json")), dir.join(format!("{name}.log")));
        let output = File::create(&log).with_context(|| format!("cannot write {}", log.display()))?;
        command.args(["--listen", &format!("127.0.0.1:{port}"), "--ready-file"]).arg(&ready_file).stdin(Stdio::null());
        command.stdout(output.try_clone()?).stderr(output);
        let child = command.spawn().with_context(|| format!("cannot start {name}"))?;
        let mut server = Self { child, ready: Value::Null, log };
        server.ready = server.wait_until_ready(&ready_file)?;
        Ok(server)
    }

    fn wait_until_ready(&mut self, ready_file: &Path) -> Result<Value> {
        let deadline = Instant::now() + READY_WITHIN;
        loop {
            if let Ok(text) = std::fs::read_to_string(ready_file) {
                return serde_json::from_str(&text).context("the ready file is no JSON");
            }
            if let Some(status) = self.child.try_wait()? {
                bail!("it ended ({status}) before it was ready; it said:\n{}", self.said());
            }
            if Instant::now() > deadline {
                bail!("it was not ready within {} s; it said:\n{}", READY_WITHIN.as_secs(), self.said());
            }
            std::thread::sleep(POLL_EVERY);
        }
    }

    fn said(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// Where it answers, for example `http://127.0.0.1:8080`.
    pub(crate) fn base_url(&self) -> Result<&str> {
        self.ready["base_url"].as_str().context("the ready file names no base_url")
    }

    /// Its process.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// The credentials that it made for one environment at its start.
    pub(crate) fn credentials(&self, environment: &str) -> Result<Credentials> {
        Credentials::read(&self.ready[environment])
    }

    /// Asks it to end and waits until it has; an error where it takes too long or ends badly.
    pub(crate) fn stop(mut self) -> Result<()> {
        shell::run(Command::new("kill").args(["-TERM", &self.child.id().to_string()]))?;
        let deadline = Instant::now() + STOP_WITHIN;
        while Instant::now() < deadline {
            if let Some(status) = self.child.try_wait()? {
                return if status.success() { Ok(()) } else { bail!("it ended badly ({status}):\n{}", self.said()) };
            }
            std::thread::sleep(POLL_EVERY);
        }
        bail!("it did not end within {} s of being asked; it said:\n{}", STOP_WITHIN.as_secs(), self.said())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Ended already where `stop` succeeded; both calls then do nothing.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Credentials {
    /// Reads `consumer_key` and `consumer_secret`, as every command prints them.
    pub(crate) fn read(json: &Value) -> Result<Self> {
        let field = |name: &str| json[name].as_str().map(str::to_owned);
        let (Some(key), Some(secret)) = (field("consumer_key"), field("consumer_secret")) else {
            bail!("no consumer_key and consumer_secret where they were expected")
        };
        Ok(Self { key, secret })
    }
}

/// The head and the body of one answer.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

/// Posts `body` on a connection of its own.
pub(crate) fn post(base_url: &str, path: &str, headers: &[&str], body: &str) -> Result<Answer> {
    let host = base_url.strip_prefix("http://").context("only plain HTTP is spoken here")?;
    let mut stream = TcpStream::connect(host).with_context(|| format!("cannot reach {host}"))?;
    stream.set_read_timeout(Some(ANSWER_WITHIN))?;
    let request_line = format!("POST {path} HTTP/1.1");
    let (host_line, length) = (format!("Host: {host}"), format!("Content-Length: {}", body.len()));
    let head = [&[request_line.as_str(), &host_line, "Connection: close", &length], headers].concat().join("\r\n");
    stream.write_all(format!("{head}\r\n\r\n{body}").as_bytes())?;
    let mut text = String::new();
    stream.take(ANSWER_BYTES_AT_MOST).read_to_string(&mut text).context("no answer came")?;
    let (head, body) = text.split_once("\r\n\r\n").context("the answer is no HTTP")?;
    let status = head.split(' ').nth(1).and_then(|code| code.parse().ok()).context("the answer has no status")?;
    Ok(Answer { status, head: head.to_owned(), body: body.to_owned() })
}
