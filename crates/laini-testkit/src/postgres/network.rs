use std::fs::File;
use std::io::{self, Read as _};
use std::net::Ipv4Addr;
use std::os::fd::AsFd as _;
use std::panic::resume_unwind;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread;

use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

/// Where everybody is who is no machine of its own. These addresses are for documentation, and are seen in
/// no other network than this one.
const HUB: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 1);
const FIRST_MACHINE: u8 = 11;

/// A port of a bridge that passes nothing on, and one that does.
const DISABLED: &str = "0";
const FORWARDING: &str = "3";

/// Machines with a network between them, on this one: network namespaces without names, wired to a bridge
/// in one more, the hub. A machine that is cut off loses every packet, both ways, and nobody is told.
/// Nothing of it is seen outside, and it is gone with this process however that ends.
#[derive(Debug)]
pub struct Network {
    hub: Namespace,
    machines: Vec<Namespace>,
}

impl Network {
    /// Does `work` on a thread in the hub of a new network; what it starts is in the hub too. Where this
    /// process may not make a network, `work` gets the reason instead.
    pub fn inside<T: Send>(machines: usize, work: impl FnOnce(Result<Self, String>) -> T + Send) -> T {
        let at_work = || {
            let network = Self::start(machines).and_then(|network| {
                network.hub.door().enter().map_err(|error| format!("it cannot be entered: {error}"))?;
                Ok(network)
            });
            work(network)
        };
        thread::scope(|scope| scope.spawn(at_work).join().unwrap_or_else(|panic| resume_unwind(panic)))
    }

    fn start(machines: usize) -> Result<Self, String> {
        let hub = Namespace::make(&format!(
            "ip link set lo up
             ip link add hub type bridge
             ip address add {HUB}/24 dev hub
             ip link set hub up"
        ))?;
        let mut network = Self { hub, machines: Vec::new() };
        for machine in 0..machines {
            let (address, port, hub) = (address(machine), port(machine), network.hub.holder.id());
            network.machines.push(Namespace::make(&format!(
                "ip link set lo up
                 ip link add uplink type veth peer name {port} netns {hub}
                 ip address add {address}/24 dev uplink
                 ip link set uplink up
                 nsenter --net=/proc/{hub}/ns/net ip link set {port} master hub up"
            ))?);
        }
        Ok(network)
    }

    /// The machine loses every packet, both ways.
    pub(super) fn cut(&self, machine: usize) {
        self.switch(machine, DISABLED);
    }

    /// It is in the network again.
    pub(super) fn join(&self, machine: usize) {
        self.switch(machine, FORWARDING);
    }

    fn switch(&self, machine: usize, state: &str) {
        let mut command = Command::new("nsenter");
        command.arg(format!("--net=/proc/{}/ns/net", self.hub.holder.id()));
        command.args(["bridge", "link", "set", "dev", &port(machine), "state", state]);
        assert!(command.status().is_ok_and(|status| status.success()), "machine {machine} cannot be switched");
    }

    /// The way onto a machine.
    pub(super) fn machine(&self, machine: usize) -> Door {
        self.machines[machine].door()
    }
}

/// Where the hub is found.
pub(super) fn hub() -> Ipv4Addr {
    HUB
}

/// Where a machine is found.
pub(super) fn address(machine: usize) -> Ipv4Addr {
    let [a, b, c, _] = HUB.octets();
    Ipv4Addr::new(a, b, c, FIRST_MACHINE + u8::try_from(machine).expect("a few machines"))
}

/// The hub's end of a machine's line.
fn port(machine: usize) -> String {
    format!("machine-{machine}")
}

/// A network namespace, as long as the process that holds it lives.
#[derive(Debug)]
struct Namespace {
    holder: Child,
}

impl Namespace {
    /// Makes one by a script that runs in it, and keeps it until this process closes its end of a pipe, or
    /// ends. Whoever is still in it then is asked to end.
    fn make(script: &str) -> Result<Self, String> {
        let mut command = Command::new("unshare");
        let held = r#"echo up; trap '' INT TERM; cat >/dev/null
            for process in /proc/[0-9]*; do
                if [ "$process/ns/net" -ef /proc/self/ns/net ]; then kill "${process#/proc/}" || true; fi
            done"#;
        command.args(["--net", "sh", "-ec"]).arg(format!("{script}\n{held}")).current_dir("/");
        let command = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut holder = command.spawn().map_err(|error| format!("unshare cannot be run: {error}"))?;
        let mut said = [0; 3];
        let is_up = holder.stdout.as_mut().is_some_and(|stdout| stdout.read_exact(&mut said).is_ok());
        if is_up {
            return Ok(Self { holder });
        }
        let output = holder.wait_with_output().map_err(|error| error.to_string())?;
        Err(String::from_utf8_lossy(&output.stderr).trim().to_owned())
    }

    fn door(&self) -> Door {
        Door(format!("/proc/{}/ns/net", self.holder.id()).into())
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        drop(self.holder.stdin.take());
        let _ = self.holder.wait();
    }
}

/// The way into a network namespace.
#[derive(Debug)]
pub(super) struct Door(PathBuf);

impl Door {
    /// The calling thread is in it from now on, and so is what it starts.
    pub(super) fn enter(&self) -> io::Result<()> {
        Ok(move_into_link_name_space(File::open(&self.0)?.as_fd(), Some(LinkNameSpaceType::Network))?)
    }
}
