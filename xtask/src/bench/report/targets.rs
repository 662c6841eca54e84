use super::figures::{median, mib};
use super::{Measured, Options, Overload, PeerResult, Role};
use crate::bench::overload::{GOODPUT_AT_LEAST, NORMAL_WITHIN, P99_AT_MOST, REFUSAL_MS_AT_MOST};

/// A figure that the project aims at.
pub(super) struct Target {
    pub(super) what: String,
    pub(super) aim: String,
    pub(super) measured: String,
    pub(super) met: bool,
}

/// Every target, met or missed.
pub(super) fn targets(options: &Options, measured: &Measured) -> Vec<Target> {
    let mut targets = Vec::new();
    let checks = measured.of(|role| role == Role::Laini);
    if let Some(floor) = measured.peers.iter().find(|peer| peer.role == Role::Floor) {
        targets.extend(checks.iter().flat_map(|check| of_check(options, floor, check)));
    }
    if let [small, .., large] = checks[..] {
        let dearer = median(large, |round| round.cpu_us) - median(small, |round| round.cpu_us);
        let what = format!("look-up, {} against {}", large.name, small.name);
        targets.push(target(what, "≤ 2 µs dearer", format!("{dearer:.2} µs"), dearer <= 2.0));
    }
    if let Some(laini) = measured.smallest_laini() {
        targets.extend(measured.of(|role| role == Role::Before).iter().map(|before| since(before, laini)));
        targets.extend(measured.peers.iter().filter_map(|peer| of_alternative(laini, peer)));
        if let Some(one) = measured.of(|role| role == Role::Several { nodes: 1 }).first() {
            targets.extend(of_several(laini, one, measured));
        }
    }
    if let Some(overload) = &measured.overload {
        targets.extend(of_overload(overload));
    }
    targets
}

fn target(what: String, aim: &str, measured: String, met: bool) -> Target {
    Target { what, aim: aim.to_owned(), measured, met }
}

fn of_check(options: &Options, floor: &PeerResult, peer: &PeerResult) -> Vec<Target> {
    let mut targets = Vec::new();
    let mut aim = |what: String, aim: &str, measured: String, met| targets.push(target(what, aim, measured, met));
    let ratio = median(peer, |round| round.cpu_us) / median(floor, |round| round.cpu_us);
    aim(format!("CPU, {}", peer.name), "≤ 1.6 × bare axum", format!("{ratio:.2} ×"), ratio <= 1.6);
    let ratio = median(peer, |round| round.requests_per_s) / median(floor, |round| round.requests_per_s);
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
    targets
}

fn since(before: &PeerResult, laini: &PeerResult) -> Target {
    let dearer = median(laini, |round| round.cpu_us) - median(before, |round| round.cpu_us);
    let what = format!("CPU, {} against {}", laini.name, before.name);
    target(what, "≤ 2 µs dearer", format!("{dearer:.2} µs"), dearer <= 2.0)
}

fn of_alternative(laini: &PeerResult, peer: &PeerResult) -> Option<Target> {
    let Role::Alternative { dearer_at_least: Some(times) } = peer.role else { return None };
    let ratio = median(peer, |round| round.cpu_us) / median(laini, |round| round.cpu_us);
    let (what, aim) = (format!("CPU, {}", peer.name), format!("≥ {times} × {}", laini.name));
    Some(target(what, &aim, format!("{ratio:.2} ×"), ratio >= times))
}

/// The engine for several nodes, beside the embedded one and beside what stands on the same database.
fn of_several(laini: &PeerResult, several: &PeerResult, measured: &Measured) -> Vec<Target> {
    let ratio = median(several, |round| round.front_us) / median(laini, |round| round.front_us);
    let what = format!("CPU of the node alone, {}", several.name);
    let mut targets = vec![target(what, &format!("≤ 1.5 × {}", laini.name), format!("{ratio:.2} ×"), ratio <= 1.5)];
    for peer in measured
        .peers
        .iter()
        .filter(|peer| matches!(peer.role, Role::Alternative { .. }) && peer.name.contains("PostgreSQL"))
    {
        let ratio = median(peer, |round| round.cpu_us) / median(several, |round| round.cpu_us);
        let (what, aim) = (format!("CPU, {}", peer.name), format!("≥ 10 × {}", several.name));
        targets.push(target(what, &aim, format!("{ratio:.2} ×"), ratio >= 10.0));
    }
    if let Some(registry) = several.registry {
        let speed = registry.lines_per_s / 1e6;
        let what = format!("bulk load, {}", several.name);
        targets.push(target(what, "≥ 0.3 M lines/s", format!("{speed:.2} M"), speed >= 0.3));
    }
    targets
}

fn of_overload(overload: &Overload) -> Vec<Target> {
    let mut targets = Vec::new();
    let mut aim = |what: &str, aim: String, measured: String, met| {
        targets.push(Target { what: what.to_owned(), aim, measured, met });
    };
    let (capacity, peak_ms) = (overload.capacity(), overload.peak.accepted_ms(0.99));
    for step in overload.loads().filter(|step| step.multiple > 1.0) {
        let (name, tally) = (step.name(), &step.tally);
        let goodput = tally.accepted_per_s() / capacity;
        let (what, at_least) = (format!("goodput at {name}"), GOODPUT_AT_LEAST);
        // What the generator skipped was not offered.
        let whole = tally.whole();
        let made = tally.per_s(whole.offered - whole.skipped) / capacity;
        let shown = format!("{goodput:.2}, {made:.1} × made");
        aim(&what, format!("≥ {at_least} of the peak"), shown, goodput >= at_least);
        let p99 = tally.accepted_ms(0.99) / peak_ms;
        let accepted_any = whole.accepted() > 0;
        let what = format!("p99 of what is accepted at {name}");
        let shown = if accepted_any { format!("{p99:.2} ×") } else { "nothing was".to_owned() };
        aim(&what, format!("≤ {P99_AT_MOST} × that at the peak"), shown, accepted_any && p99 <= P99_AT_MOST);
        let refusal_ms = tally.shed_ms(0.99);
        let what = format!("p99 of refusals at {name}");
        let shown = if whole.shed() > 0 { format!("{refusal_ms:.2} ms") } else { "none".to_owned() };
        aim(&what, format!("≤ {REFUSAL_MS_AT_MOST} ms"), shown, refusal_ms <= REFUSAL_MS_AT_MOST);
        let others = whole.limited + whole.unexpected + whole.broken;
        let what = format!("answers at {name} other than 200 and 503");
        aim(&what, "none".to_owned(), others.to_string(), others == 0);
    }
    let back = overload.normal_after;
    let shown = back.map_or("never".to_owned(), |after| format!("{:.1} s", after.as_secs_f64()));
    let within = format!("≤ {} s", NORMAL_WITHIN.as_secs());
    aim("back to normal after the overload", within, shown, back.is_some_and(|after| after <= NORMAL_WITHIN));
    targets
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::figures::spread;
    use super::*;
    use crate::bench::overload::{Manners, Outcome, Step, Tally};
    use crate::bench::process::Memory;
    use crate::bench::registry::Figures;
    use crate::bench::round::Round;

    fn peer(name: &str, role: Role, cpu_us: &[f64]) -> PeerResult {
        let memory = Memory { anon_kib: 20_480, file_kib: 1 };
        let round = |cpu_us: &f64| Round {
            requests_per_s: 1e5 / cpu_us,
            cpu_us: *cpu_us,
            front_us: *cpu_us,
            p50_ms: 1.0,
            p99_ms: 2.0,
            memory,
        };
        let registry = (role == Role::Laini).then_some(Figures { lines_per_s: 8e5, bytes_per_line: 50.0 });
        let (name, rounds) = (name.to_owned(), cpu_us.iter().map(round).collect());
        PeerResult { name, role, rounds, idle: memory, loaded: memory, registry, recovery: None }
    }

    fn missed(measured: &Measured) -> Vec<String> {
        let judged = targets(&Options::read(&[]).unwrap(), measured);
        judged.into_iter().filter(|target| !target.met).map(|target| target.what).collect()
    }

    #[test]
    fn targets_are_judged_on_medians() {
        let peers = vec![
            peer("bare", Role::Floor, &[10.0, 9.0, 30.0]),
            peer("small", Role::Laini, &[15.0, 15.0]),
            peer("large", Role::Laini, &[18.0, 17.5]),
            peer("before", Role::Before, &[12.0, 12.5]),
            peer("redis", Role::Alternative { dearer_at_least: Some(4.0) }, &[60.0, 60.0]),
            peer("everysec", Role::Alternative { dearer_at_least: None }, &[1.0]),
            peer("postgresql", Role::Alternative { dearer_at_least: Some(20.0) }, &[299.0]),
            peer("mock", Role::Mock, &[1.0]),
        ];
        let measured = Measured { load_before: String::new(), peers, overload: None };
        let expected = [
            "on disk, small",
            "CPU, large",
            "requests/s, large",
            "on disk, large",
            "look-up, large against small",
            "CPU, small against before",
            "CPU, postgresql",
        ];
        assert_eq!(missed(&measured), expected);
    }

    /// So many of 1,000 checks accepted after so many ms, the others shed after `shed_ms`.
    fn tally(accepted: u64, accepted_ms: u64, shed_ms: u64) -> Tally {
        let mut tally = Tally::new(Duration::from_secs(1));
        for number in 0..1_000 {
            let due = Duration::from_millis(number);
            let (ms, outcome) =
                if number < accepted { (accepted_ms, Outcome::Accepted) } else { (shed_ms, Outcome::Shed) };
            tally.offered(due);
            tally.answered(due, due + Duration::from_millis(ms), outcome);
        }
        tally
    }

    #[test]
    fn a_missed_promise_of_overload_is_called_missed() {
        let step = |multiple, manners, tally| Step { multiple, manners, tally };
        let overload = Overload {
            peak: tally(1_000, 10, 0),
            connections: 1,
            cores: String::new(),
            steps: vec![
                step(1.0, Manners::None, tally(800, 10, 1)),
                step(2.0, Manners::None, tally(950, 15, 2)),
                step(10.0, Manners::None, tally(500, 30, 9)),
            ],
            afterwards: step(0.5, Manners::None, tally(0, 0, 1)),
            polite: step(10.0, Manners::Wait, tally(1_000, 15, 0)),
            normal_after: None,
        };
        let measured = Measured { load_before: String::new(), peers: Vec::new(), overload: Some(overload) };
        let expected = [
            "goodput at 10 ×",
            "p99 of what is accepted at 10 ×",
            "p99 of refusals at 10 ×",
            "back to normal after the overload",
        ];
        assert_eq!(missed(&measured), expected);
    }

    #[test]
    fn a_spread_shows_median_least_and_most() {
        let peer = peer("x", Role::Floor, &[3.0, 1.0, 2.5]);
        assert_eq!(spread(&peer, |round| round.cpu_us, 1), "2.5 (1.0–3.0)");
    }
}
