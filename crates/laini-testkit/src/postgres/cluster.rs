use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use rustix::process::Signal;
use tempfile::TempDir;

use super::network::{self, Door, Network};
use super::server::{as_unprivileged, children, free_port, guard, private_dir, programs, signal_all};

/// A cluster that has not come up by then will not.
const UP_WITHIN: Duration = Duration::from_secs(90);
const LOOK_AGAIN: Duration = Duration::from_millis(100);
const MEMBERS: usize = 3;

/// Three PostgreSQL servers under Patroni, with one etcd: a commit is acknowledged once it is on two of
/// them. Everything is gone with this value, and with the test process however that ends.
#[derive(Debug)]
pub struct Cluster {
    dir: TempDir,
    members: Vec<Member>,
    etcd: Child,
    /// With a machine for each member; all are on loopback without one.
    network: Option<Network>,
    /// Cleans up where this process ends without dropping this.
    guard: Child,
}

#[derive(Debug)]
struct Member {
    name: String,
    address: Ipv4Addr,
    /// Of PostgreSQL.
    port: u16,
    /// Of Patroni.
    api: u16,
    patroni: Option<Child>,
}

impl Cluster {
    /// Starts all of it on loopback, and waits until there is a leader with a synchronous standby.
    pub fn start() -> Self {
        Self::start_on(None)
    }

    /// The same with every member on a machine of its own, and etcd in the network's hub, where the caller is.
    pub fn start_on(network: Option<Network>) -> Self {
        let dir = private_dir();
        let hub = if network.is_some() { network::hub() } else { Ipv4Addr::LOCALHOST };
        let (client, peer) = ((hub, free_port()), free_port());
        let etcd = start_etcd(dir.path(), client, peer);
        wait("etcd", || http(client, "GET", "/health").is_some_and(|answer| answer.contains("true")));
        let place = |number| if network.is_some() { network::address(number) } else { Ipv4Addr::LOCALHOST };
        let members = (0..MEMBERS).map(|number| Member::configure(dir.path(), number, place(number), client)).collect();
        let guard = guard(dir.path());
        let mut cluster = Self { dir, members, etcd, network, guard };
        for number in 0..cluster.members.len() {
            cluster.start_member(number);
        }
        cluster.wait_until_whole();
        cluster
    }

    /// Every host, so that a client finds the one that takes writes.
    pub fn url(&self) -> String {
        url(&self.members.iter().collect::<Vec<_>>())
    }

    /// One member alone.
    pub fn url_of(&self, number: usize) -> String {
        url(&[&self.members[number]])
    }

    /// The member that leads; `None` while none does.
    pub fn leader(&self) -> Option<usize> {
        self.members.iter().position(|member| member.is("/primary"))
    }

    /// The member that confirms commits; `None` while none does.
    pub fn synchronous_standby(&self) -> Option<usize> {
        self.members.iter().position(|member| member.is("/synchronous"))
    }

    /// Waits until there is a leader, and says which.
    pub fn wait_for_leader(&self) -> usize {
        let mut leader = None;
        wait("a leader", || {
            leader = self.leader();
            leader.is_some()
        });
        leader.unwrap()
    }

    /// Waits until one member leads, the others follow, and one of them confirms commits. Each speaks for
    /// itself: what they have heard of each other may be old.
    pub fn wait_until_whole(&self) {
        let count = |role| self.members.iter().filter(|member| member.is(role)).count();
        wait("three members with a synchronous standby", || {
            count("/primary") == 1 && count("/replica") == MEMBERS - 1 && count("/synchronous") == 1
        });
    }

    /// The machine of a member dies: Patroni and PostgreSQL end at once.
    pub fn kill(&mut self, number: usize) {
        let processes = self.processes(number);
        signal_all(&processes, Signal::KILL);
        if let Some(mut patroni) = self.members[number].patroni.take() {
            let _ = patroni.wait();
        }
    }

    /// PostgreSQL of a member dies; Patroni sees to it.
    pub fn kill_postgres(&self, number: usize) {
        signal_all(&self.postgres(number), Signal::KILL);
    }

    /// The machine of a member stands still.
    pub fn freeze(&self, number: usize) {
        signal_all(&self.processes(number), Signal::STOP);
    }

    /// Patroni of a member stands still, and PostgreSQL goes on by itself.
    pub fn freeze_patroni(&self, number: usize) {
        signal_all(self.patroni(number).as_slice(), Signal::STOP);
    }

    /// It goes on.
    pub fn thaw(&self, number: usize) {
        signal_all(&self.processes(number), Signal::CONT);
    }

    /// The machine of a member is cut off: whatever is sent to it or by it is lost, and all of it goes on.
    /// Without a network it stands still instead, which looks the same from outside.
    pub fn cut(&self, number: usize) {
        match &self.network {
            Some(network) => network.cut(number),
            None => self.freeze(number),
        }
    }

    /// It is back.
    pub fn join(&self, number: usize) {
        match &self.network {
            Some(network) => network.join(number),
            None => self.thaw(number),
        }
    }

    /// Starts a member that was killed.
    pub fn start_member(&mut self, number: usize) {
        let dir = self.dir.path().to_owned();
        let name = self.members[number].name.clone();
        let mut command = as_unprivileged(&dir);
        let path = format!("{}:/usr/sbin:/usr/bin:/sbin:/bin", programs().display());
        command.arg("patroni").arg(dir.join(format!("{name}.yml"))).env("PATH", path).env("HOME", &dir);
        let machine = self.network.as_ref().map(|network| network.machine(number));
        self.members[number].patroni = Some(spawn(command, &dir, &name, machine));
    }

    fn data(&self, number: usize) -> PathBuf {
        self.dir.path().join(&self.members[number].name)
    }

    /// PostgreSQL's processes of a member, the parent first.
    fn postgres(&self, number: usize) -> Vec<u32> {
        let file = fs::read_to_string(self.data(number).join("postmaster.pid")).unwrap_or_default();
        let Some(parent) = file.lines().next().and_then(|line| line.trim().parse().ok()) else { return Vec::new() };
        let is_postgres =
            fs::read_to_string(format!("/proc/{parent}/comm")).is_ok_and(|name| name.trim() == "postgres");
        if !is_postgres {
            return Vec::new();
        }
        let mut processes = vec![parent];
        processes.extend(children(parent));
        processes
    }

    fn processes(&self, number: usize) -> Vec<u32> {
        self.patroni(number).into_iter().chain(self.postgres(number)).collect()
    }

    fn patroni(&self, number: usize) -> Option<u32> {
        self.members[number].patroni.as_ref().map(Child::id)
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        for number in 0..self.members.len() {
            self.thaw(number);
            self.kill(number);
        }
        let _ = self.etcd.kill();
        let _ = self.etcd.wait();
        drop(self.guard.stdin.take());
        let _ = self.guard.wait();
    }
}

impl Member {
    fn configure(dir: &Path, number: usize, address: Ipv4Addr, (etcd, etcd_port): (Ipv4Addr, u16)) -> Self {
        let (name, port, api) = (format!("n{}", number + 1), free_port(), free_port());
        let (data, bin) = (dir.join(&name), programs());
        let text = format!(
            "scope: laini
name: {name}
restapi: {{listen: '{address}:{api}', connect_address: '{address}:{api}'}}
etcd: {{host: '{etcd}:{etcd_port}'}}
bootstrap:
  initdb: [{{encoding: UTF8}}, {{locale: C}}, data-checksums]
  pg_hba:
    - local all all trust
    - host all all samenet scram-sha-256
    - host replication replicator samenet scram-sha-256
  dcs:
    ttl: 5
    loop_wait: 1
    retry_timeout: 2
    maximum_lag_on_failover: 1048576
    primary_start_timeout: 0
    failsafe_mode: true
    synchronous_mode: true
    synchronous_mode_strict: true
    postgresql:
      use_pg_rewind: true
      use_slots: true
      parameters:
        max_connections: 100
        shared_buffers: 32MB
        wal_keep_size: 128MB
        wal_log_hints: 'on'
        checkpoint_timeout: 30min
        jit: 'off'
        wal_retrieve_retry_interval: 500ms
        wal_sender_timeout: 5s
postgresql:
  listen: '{address}:{port}'
  connect_address: '{address}:{port}'
  data_dir: {data}
  bin_dir: {bin}
  pgpass: {dir}/pgpass-{name}
  basebackup: [{{checkpoint: fast}}]
  parameters: {{unix_socket_directories: '{dir}'}}
  authentication:
    superuser: {{username: postgres, password: pw}}
    replication: {{username: replicator, password: pw}}
    rewind: {{username: rewinder, password: pw}}
",
            data = data.display(),
            bin = bin.display(),
            dir = dir.display(),
        );
        fs::write(dir.join(format!("{name}.yml")), text).unwrap();
        Self { name, address, port, api, patroni: None }
    }

    /// What its Patroni says of itself.
    fn is(&self, role: &str) -> bool {
        http((self.address, self.api), "GET", role).is_some_and(|answer| answer.starts_with("HTTP/1.0 200"))
    }
}

fn url(members: &[&Member]) -> String {
    let hosts: Vec<String> = members.iter().map(|member| format!("{}:{}", member.address, member.port)).collect();
    format!("postgresql://postgres:pw@{}/postgres?sslmode=disable", hosts.join(","))
}

fn start_etcd(dir: &Path, client: (Ipv4Addr, u16), peer: u16) -> Child {
    let mut command = as_unprivileged(dir);
    let (client, peer) = (format!("http://{}:{}", client.0, client.1), format!("http://127.0.0.1:{peer}"));
    command.args(["etcd", "--enable-v2=true", "--name", "e", "--log-level", "error", "--data-dir"]);
    command.arg(dir.join("etcd")).args(["--listen-client-urls", &client, "--advertise-client-urls", &client]);
    command.args(["--listen-peer-urls", &peer, "--initial-advertise-peer-urls", &peer]);
    command.args(["--initial-cluster", &format!("e={peer}")]);
    spawn(command, dir, "etcd", None)
}

/// Starts a program on a thread that lives as long as the process: it dies with it.
fn spawn(mut command: Command, dir: &Path, name: &str, machine: Option<Door>) -> Child {
    let log = fs::OpenOptions::new().create(true).append(true).open(dir.join(format!("{name}.log"))).unwrap();
    command.stdin(Stdio::null()).stdout(log.try_clone().unwrap()).stderr(log);
    let (sender, started) = mpsc::channel();
    std::thread::spawn(move || {
        if let Some(machine) = machine {
            machine.enter().unwrap();
        }
        sender.send(command.spawn().expect("apt-get install patroni etcd-server")).unwrap();
        loop {
            std::thread::park();
        }
    });
    started.recv().unwrap()
}

fn wait(what: &str, mut is_so: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < UP_WITHIN, "there was no {what} in time");
        std::thread::sleep(LOOK_AGAIN);
    }
}

/// The answer of a program, head and body.
fn http((address, port): (Ipv4Addr, u16), method: &str, path: &str) -> Option<String> {
    let mut stream = TcpStream::connect_timeout(&(address, port).into(), Duration::from_secs(1)).ok()?;
    stream.set_read_timeout(Some(Duration::from_secs(1))).ok()?;
    write!(stream, "{method} {path} HTTP/1.0\r\n\r\n").ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    Some(answer)
}
