use std::fs::File;
use std::io::{BufRead, BufReader, BufWriter, Write};
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};

use super::{APP_KEY, APP_SECRET};
use crate::bench::peer::{Peer, Role};
use crate::bench::sample::Sample;
use crate::daemon::{Daemon, Door, folder, free_port};
use crate::server::Credentials;
use crate::shell;

const LOAD_LIMIT_MINUTES: u32 = 10;
const SOURCE: &str = "bench/nginx-redis";

/// When Redis syncs its file.
#[derive(Clone, Copy)]
pub(in crate::bench) enum Sync {
    /// Before it answers: what a caller was told is on disk.
    Always,
    /// Once a second: a crash loses up to that much.
    EverySecond,
}

impl Sync {
    fn setting(self) -> &'static str {
        match self {
            Self::Always => "always",
            Self::EverySecond => "everysec",
        }
    }

    fn role(self) -> Role {
        match self {
            Self::Always => Role::Alternative { dearer_at_least: Some(4.0) },
            Self::EverySecond => Role::Alternative { dearer_at_least: None },
        }
    }
}

/// nginx with the check in Lua, and one Redis with the lines of the sample and the records.
pub(in crate::bench) fn start(sync: Sync, sample: &Sample, dir: &Path) -> Result<Peer> {
    let setting = sync.setting();
    let dir = folder(dir, &format!("nginx-redis-{setting}"))?;
    let source = shell::root().join(SOURCE);
    let socket = dir.join("redis.sock");
    let mut redis = Command::new("redis-server");
    redis.arg(source.join("redis.conf")).arg("--dir").arg(&dir).arg("--unixsocket").arg(&socket);
    // Loading waits for no disk; the load does.
    let redis = Daemon::start(redis.args(["--appendfsync", "no"]), &dir, "redis", &Door::Socket(&socket))?;
    load(sample, &socket, &dir)?;
    cli(&socket, "config set appendfsync", setting)?;

    let port = free_port()?;
    let conf = std::fs::read_to_string(source.join("nginx.conf"))?;
    let conf = conf.replace("PORT", &port.to_string()).replace("PEER", &source.to_string_lossy());
    let conf_path = dir.join("nginx.conf");
    std::fs::write(&conf_path, conf)?;
    let mut nginx = Command::new("nginx");
    nginx.arg("-p").arg(&dir).arg("-c").arg(&conf_path).args(["-e", "stderr"]).env("REDIS_SOCKET", &socket);
    nginx.env("APP_KEY", APP_KEY).env("APP_SECRET", APP_SECRET);
    let nginx = Daemon::start(&mut nginx, &dir, "nginx", &Door::Port(port))?;
    Ok(Peer {
        name: format!("nginx + Lua + Redis, {setting}"),
        role: sync.role(),
        base_urls: vec![format!("http://127.0.0.1:{port}")],
        pids: vec![nginx.pid(), redis.pid()],
        numbers: sample.numbers.clone(),
        credentials: Some(Credentials { key: APP_KEY.to_owned(), secret: APP_SECRET.to_owned() }),
        registry: None,
        programs: vec![Box::new(nginx), Box::new(redis)],
    })
}

/// One key a served line, as Redis reads them in bulk.
fn load(sample: &Sample, socket: &Path, dir: &Path) -> Result<()> {
    let path = dir.join("lines.resp");
    let mut out = BufWriter::new(File::create(&path)?);
    let mut rows = BufReader::new(File::open(&sample.extract)?).lines();
    let header = rows.next().context("the sample is empty")??;
    ensure!(header.starts_with("msisdn,imsi,registered_at,last_swap_at,"), "the sample has other columns: {header}");
    let status = header.split(',').position(|column| column == "status").context("the sample has no status")?;
    for row in rows {
        let row = row?;
        let fields: Vec<&str> = row.split(',').collect();
        if fields.get(status) == Some(&"active") {
            let (number, facts) = (fields[0], fields[1..4].join(","));
            write!(out, "*3\r\n$3\r\nSET\r\n${}\r\n{number}\r\n${}\r\n{facts}\r\n", number.len(), facts.len())?;
        }
    }
    out.flush()?;
    let mut pipe = shell::command(LOAD_LIMIT_MINUTES, &["redis-cli", "--pipe", "-s", &socket.to_string_lossy()]);
    let said = shell::output(pipe.stdin(File::open(&path)?))?;
    ensure!(said.contains("errors: 0"), "Redis refused lines: {said}");
    Ok(std::fs::remove_file(path)?)
}

fn cli(socket: &Path, command: &str, value: &str) -> Result<()> {
    let mut cli = shell::command(LOAD_LIMIT_MINUTES, &["redis-cli", "-s", &socket.to_string_lossy()]);
    let said = shell::output(cli.args(command.split(' ')).arg(value))?;
    ensure!(said.trim() == "OK", "redis-cli {command} {value}: {said}");
    Ok(())
}
