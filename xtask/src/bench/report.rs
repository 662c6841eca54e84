use std::fmt::Write as _;
use std::process::Command;

use anyhow::Result;

use super::options::Options;
use super::round::Round;
use super::{Measured, PeerResult};
use crate::shell;

const RESULTS: &str = "bench/results.md";
const QUICK_RESULTS: &str = "target/xtask/results-quick.md";

/// A figure that the project aims at.
struct Target {
    what: String,
    aim: &'static str,
    measured: String,
    met: bool,
}

/// Prints the results and writes them to their file; a quick run does not replace the published ones.
pub(super) fn write(options: &Options, measured: &Measured) -> Result<()> {
    let page = page(options, measured)?;
    let path = if options.quick { QUICK_RESULTS } else { RESULTS };
    std::fs::write(shell::root().join(path), &page)?;
    println!("\n{page}\nwritten to {path}");
    Ok(())
}

fn page(options: &Options, measured: &Measured) -> Result<String> {
    let mut page = "# The durable check beside bare axum\n\nMade by `cargo xtask bench`; do not edit.\n\n".to_owned();
    for line in machine() {
        writeln!(page, "- {line}")?;
    }
    let one_minute = measured.load_before.split(' ').next().unwrap_or_default();
    writeln!(page, "- load average before the first round: {one_minute} (on a quiet machine below 1)")?;
    let Options { rounds, seconds, connections, .. } = options;
    writeln!(page, "- method: {rounds} rounds of {seconds} s each, interleaved; wrk, 2 threads, {connections} kept")?;
    page.push_str("  connections, random active numbers; every request is a whole `imsi` check: token, look-up,\n");
    page.push_str("  pseudonym, fsynced ledger row, answer. Bare axum repeats one such answer byte for byte.\n");
    page.push_str("  CPU is user and system time of the server process. Figures: median (least–most of the rounds).\n");

    page.push_str("\n## Under load\n\n| | requests/s | CPU µs a request | p50 ms | p99 ms |\n|---|---|---|---|---|\n");
    for peer in &measured.peers {
        let figures = [
            spread(peer, |round| round.requests_per_s, 0),
            spread(peer, |round| round.cpu_us, 2),
            spread(peer, |round| round.p50_ms, 2),
            spread(peer, |round| round.p99_ms, 2),
        ];
        writeln!(page, "| {} | {} |", peer.name, figures.join(" | "))?;
    }
    page.push_str("\n## Memory, MiB: its own and, apart, mapped files\n\n| | idle | under load |\n|---|---|---|\n");
    for peer in &measured.peers {
        let shown = |memory: super::Memory| format!("{} + {}", mib(memory.anon_kib), mib(memory.file_kib));
        writeln!(page, "| {} | {} | {} |", peer.name, shown(peer.idle), shown(peer.loaded))?;
    }
    page.push_str(
        "\n## Registry\n\n| | loaded, M lines/s | bytes a line | back after kill -9, s |\n|---|---|---|---|\n",
    );
    for peer in &measured.peers {
        let Some(registry) = peer.registry else { continue };
        let (speed, bytes) = (registry.lines_per_s / 1e6, registry.bytes_per_line);
        let back = peer.recovery.map_or(String::new(), |took| format!("{:.2}", took.as_secs_f64()));
        writeln!(page, "| {} | {speed:.2} | {bytes:.1} | {back} |", peer.name)?;
    }
    page.push_str("\n## Targets\n\n| | aim | measured | |\n|---|---|---|---|\n");
    for target in targets(options, measured) {
        let verdict = if target.met { "met" } else { "**missed**" };
        writeln!(page, "| {} | {} | {} | {verdict} |", target.what, target.aim, target.measured)?;
    }
    Ok(page)
}

fn targets(options: &Options, measured: &Measured) -> Vec<Target> {
    let mut targets = Vec::new();
    let mut aim = |what: String, aim, measured: String, met| targets.push(Target { what, aim, measured, met });
    let Some((bare, checks)) = measured.peers.split_first() else { return targets };
    for peer in checks {
        let ratio = median(peer, |round| round.cpu_us) / median(bare, |round| round.cpu_us);
        aim(format!("CPU, {}", peer.name), "≤ 1.6 × bare axum", format!("{ratio:.2} ×"), ratio <= 1.6);
        let ratio = median(peer, |round| round.requests_per_s) / median(bare, |round| round.requests_per_s);
        aim(format!("requests/s, {}", peer.name), "≥ 0.6 × bare axum", format!("{ratio:.2} ×"), ratio >= 0.6);
        let p99 = median(peer, |round| round.p99_ms);
        let what = format!("p99 at {} connections, {}", options.connections, peer.name);
        aim(what, "≤ 10 ms", format!("{p99:.2} ms"), p99 <= 10.0);
        let idle = mib(peer.idle.anon_kib);
        aim(format!("idle memory, {}", peer.name), "≤ 60 MiB", format!("{idle} MiB"), idle <= 60);
        if let Some(registry) = peer.registry {
            let (speed, bytes) = (registry.lines_per_s / 1e6, registry.bytes_per_line);
            aim(format!("bulk load, {}", peer.name), "≥ 0.7 M lines/s", format!("{speed:.2} M"), speed >= 0.7);
            aim(format!("on disk, {}", peer.name), "≤ 48 bytes a line", format!("{bytes:.1}"), bytes <= 48.0);
        }
        if let Some(took) = peer.recovery.map(|took| took.as_secs_f64()) {
            aim(format!("back after kill -9, {}", peer.name), "≤ 2 s", format!("{took:.2} s"), took <= 2.0);
        }
    }
    if let [small, .., large] = checks {
        let dearer = median(large, |round| round.cpu_us) - median(small, |round| round.cpu_us);
        let what = format!("look-up, {} against {}", large.name, small.name);
        aim(what, "≤ 2 µs dearer", format!("{dearer:.2} µs"), dearer <= 2.0);
    }
    targets
}

fn median(peer: &PeerResult, figure: impl Fn(&Round) -> f64) -> f64 {
    let sorted = sorted(peer, figure);
    let middle = sorted.len() / 2;
    if sorted.len().is_multiple_of(2) { f64::midpoint(sorted[middle - 1], sorted[middle]) } else { sorted[middle] }
}

/// `12.3 (12.0–13.1)`.
fn spread(peer: &PeerResult, figure: impl Fn(&Round) -> f64 + Copy, decimals: usize) -> String {
    let (median, sorted) = (median(peer, figure), sorted(peer, figure));
    let (least, most) = (sorted[0], sorted[sorted.len() - 1]);
    format!("{median:.decimals$} ({least:.decimals$}–{most:.decimals$})")
}

fn sorted(peer: &PeerResult, figure: impl Fn(&Round) -> f64) -> Vec<f64> {
    let mut figures: Vec<f64> = peer.rounds.iter().map(figure).collect();
    figures.sort_by(f64::total_cmp);
    figures
}

fn mib(kib: u64) -> u64 {
    kib.div_ceil(1024)
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

#[cfg(test)]
mod tests {
    use super::super::process::Memory;
    use super::super::registry::Figures;
    use super::*;

    fn peer(name: &str, cpu_us: &[f64], registry: Option<Figures>) -> PeerResult {
        let memory = Memory { anon_kib: 20_480, file_kib: 1 };
        let round =
            |cpu_us: &f64| Round { requests_per_s: 1e5 / cpu_us, cpu_us: *cpu_us, p50_ms: 1.0, p99_ms: 2.0, memory };
        let rounds = cpu_us.iter().map(round).collect();
        PeerResult { name: name.to_owned(), rounds, idle: memory, loaded: memory, registry, recovery: None }
    }

    #[test]
    fn targets_are_judged_on_medians() {
        let figures = Some(Figures { lines_per_s: 8e5, bytes_per_line: 50.0 });
        let peers = vec![
            peer("bare", &[10.0, 9.0, 30.0], None),
            peer("small", &[15.0, 15.0], figures),
            peer("large", &[18.0, 17.5], figures),
        ];
        let judged = targets(&Options::read(&[]).unwrap(), &Measured { load_before: String::new(), peers });
        let missed: Vec<&str> = judged.iter().filter(|target| !target.met).map(|target| target.what.as_str()).collect();
        let expected =
            ["on disk, small", "CPU, large", "requests/s, large", "on disk, large", "look-up, large against small"];
        assert_eq!(missed, expected);
    }

    #[test]
    fn a_spread_shows_median_least_and_most() {
        assert_eq!(spread(&peer("x", &[3.0, 1.0, 2.5], None), |round| round.cpu_us, 1), "2.5 (1.0–3.0)");
    }
}
