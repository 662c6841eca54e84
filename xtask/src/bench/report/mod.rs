//! What one run showed, as a page for people.
//!
//! Owns `bench/results.md` and its plot. Must never leave out a target that was missed.

mod figures;
mod loads;
mod targets;

use std::fmt::Write as _;
use std::process::Command;

use anyhow::Result;

use super::options::Options;
use super::overload::{self, Overload};
use super::peer::Role;
use super::process::Memory;
use super::{Measured, PeerResult};
use crate::shell;
use figures::{median, mib, spread};
use targets::targets;

const RESULTS: &str = "bench/results.md";
const PLOT: &str = "bench/overload.svg";
const QUICK_RESULTS: &str = "target/xtask/results-quick.md";
const QUICK_PLOT: &str = "target/xtask/overload-quick.svg";

/// Prints the results and writes them to their files; a quick run does not replace the published ones.
pub(super) fn write(options: &Options, measured: &Measured) -> Result<()> {
    let page = page(options, measured)?;
    let (results, plot) = if options.quick { (QUICK_RESULTS, QUICK_PLOT) } else { (RESULTS, PLOT) };
    std::fs::write(shell::root().join(results), &page)?;
    println!("\n{page}\nwritten to {results}");
    if let Some(overload) = &measured.overload {
        std::fs::write(shell::root().join(plot), overload::svg(overload))?;
        println!("written to {plot}");
    }
    Ok(())
}

fn page(options: &Options, measured: &Measured) -> Result<String> {
    let mut page = "# The durable check beside its peers\n\nMade by `cargo xtask bench`; do not edit.\n\n".to_owned();
    method(&mut page, options, measured)?;
    let checks = measured.of(|role| !matches!(role, Role::Sandbox | Role::Mock));
    let sandboxes = measured.of(|role| matches!(role, Role::Sandbox | Role::Mock));
    page.push_str("\n## Under load\n\n");
    under_load(&mut page, &checks)?;
    let several = measured.of(|role| matches!(role, Role::Several { .. }));
    if !several.is_empty() {
        page.push_str("\n## Nodes on one database, the load spread evenly over them\n\n");
        nodes(&mut page, &several)?;
    }
    let alternatives = measured.of(|role| matches!(role, Role::Alternative { .. }));
    if let Some(laini) = measured.smallest_laini()
        && !alternatives.is_empty()
    {
        writeln!(page, "\n## What one would build instead, beside {}\n", laini.name)?;
        ratios(&mut page, laini, &alternatives)?;
    }
    if let [sandbox, mocks @ ..] = &sandboxes[..] {
        page.push_str("\n## The sandbox beside a mock server\n\n");
        under_load(&mut page, &sandboxes)?;
        page.push('\n');
        ratios(&mut page, sandbox, mocks)?;
    }
    page.push_str("\n## Memory, MiB: its own and, apart, mapped files\n\n| | idle | under load |\n|---|---|---|\n");
    for peer in &measured.peers {
        let shown = |memory: Memory| format!("{} + {}", mib(memory.anon_kib), mib(memory.file_kib));
        writeln!(page, "| {} | {} | {} |", peer.name, shown(peer.idle), shown(peer.loaded))?;
    }
    registries(&mut page, measured)?;
    if let Some(overload) = &measured.overload {
        loads::section(&mut page, overload)?;
    }
    page.push_str("\n## Targets\n\n| | aim | measured | |\n|---|---|---|---|\n");
    for target in targets(options, measured) {
        let verdict = if target.met { "met" } else { "**missed**" };
        writeln!(page, "| {} | {} | {} | {verdict} |", target.what, target.aim, target.measured)?;
    }
    Ok(page)
}

impl Measured {
    fn of(&self, wanted: impl Fn(Role) -> bool) -> Vec<&PeerResult> {
        self.peers.iter().filter(|peer| wanted(peer.role)).collect()
    }

    /// The one that is on the same sample as the peers of others.
    fn smallest_laini(&self) -> Option<&PeerResult> {
        self.peers.iter().find(|peer| peer.role == Role::Laini)
    }
}

fn method(page: &mut String, options: &Options, measured: &Measured) -> Result<()> {
    for line in machine() {
        writeln!(page, "- {line}")?;
    }
    let one_minute = measured.load_before.split(' ').next().unwrap_or_default();
    writeln!(page, "- load average before the first round: {one_minute} (on a quiet machine below 1)")?;
    let Options { rounds, seconds, connections, .. } = options;
    writeln!(page, "- method: {rounds} rounds of {seconds} s each, interleaved; wrk, 2 threads, {connections} kept")?;
    page.push_str(
        "  connections, random active numbers; every request is a whole `imsi` check: token, look-up,
  pseudonym, durable record, answer. Bare axum repeats one such answer byte for byte. CPU is user and
  system time, summed over all processes of the peer. Figures: median (least–most of the rounds).
- how each peer is built and tuned, and what it leaves out: [README.md](README.md)
",
    );
    Ok(())
}

fn under_load(page: &mut String, peers: &[&PeerResult]) -> Result<()> {
    page.push_str("| | requests/s | CPU µs a request | p50 ms | p99 ms |\n|---|---|---|---|---|\n");
    for peer in peers {
        let figures = [
            spread(peer, |round| round.requests_per_s, 0),
            spread(peer, |round| round.cpu_us, 2),
            spread(peer, |round| round.p50_ms, 2),
            spread(peer, |round| round.p99_ms, 2),
        ];
        writeln!(page, "| {} | {} |", peer.name, figures.join(" | "))?;
    }
    Ok(())
}

/// What the nodes bring together, and what of a request's CPU is theirs and what the database's.
fn nodes(page: &mut String, peers: &[&PeerResult]) -> Result<()> {
    page.push_str("| | requests/s | CPU µs a request, node | database |\n|---|---|---|---|\n");
    for peer in peers {
        let requests = spread(peer, |round| round.requests_per_s, 0);
        let node = spread(peer, |round| round.front_us, 2);
        let database = spread(peer, |round| round.cpu_us - round.front_us, 2);
        writeln!(page, "| {} | {requests} | {node} | {database} |", peer.name)?;
    }
    Ok(())
}

/// Each figure of the others as a multiple of `one`'s.
#[expect(clippy::cast_precision_loss, reason = "memory in KiB is far below 2^52")]
fn ratios(page: &mut String, one: &PeerResult, others: &[&PeerResult]) -> Result<()> {
    writeln!(
        page,
        "| {} = 1 | requests/s | CPU a request | p99 | memory of its own |\n|---|---|---|---|---|",
        one.name
    )?;
    for other in others {
        let requests = median(other, |round| round.requests_per_s) / median(one, |round| round.requests_per_s);
        let cpu = median(other, |round| round.cpu_us) / median(one, |round| round.cpu_us);
        let p99 = median(other, |round| round.p99_ms) / median(one, |round| round.p99_ms);
        let memory = other.loaded.anon_kib as f64 / one.loaded.anon_kib as f64;
        writeln!(page, "| {} | {requests:.2} × | {cpu:.2} × | {p99:.2} × | {memory:.1} × |", other.name)?;
    }
    Ok(())
}

fn registries(page: &mut String, measured: &Measured) -> Result<()> {
    page.push_str(
        "\n## Registry\n\n| | loaded, M lines/s | bytes a line | back after kill -9, s |\n|---|---|---|---|\n",
    );
    for peer in &measured.peers {
        let Some(registry) = peer.registry else { continue };
        let speed = registry.lines_per_s / 1e6;
        let is_file = registry.bytes_per_line > 0.0;
        let bytes = if is_file { format!("{:.1}", registry.bytes_per_line) } else { "in a database".to_owned() };
        let back = peer.recovery.map_or(String::new(), |took| format!("{:.2}", took.as_secs_f64()));
        writeln!(page, "| {} | {speed:.2} | {bytes} | {back} |", peer.name)?;
    }
    Ok(())
}

/// Date, processor, kernel, disk: what a reader needs to judge the figures.
fn machine() -> Vec<String> {
    let said = |what: &str, line: &str| {
        let output = shell::output(Command::new("sh").args(["-c", line]));
        format!("{what}: {}", output.as_deref().unwrap_or("unknown").trim())
    };
    vec![
        said("date", "date -u +%F"),
        said("processor", "grep -m1 'model name' /proc/cpuinfo | cut -d: -f2"),
        said("cores", "nproc"),
        said("memory", "awk '/MemTotal/ { printf \"%d GiB\", $2 / 1048576 }' /proc/meminfo"),
        said("kernel", "uname -sr"),
        said("disk", "df --output=fstype . | tail -1"),
        said("compiler", "rustc --version"),
    ]
}
