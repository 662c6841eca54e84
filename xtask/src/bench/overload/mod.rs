//! Overload: laini is offered 1, 2, 5 and 10 times what it can carry, and then half of it.
//!
//! Owns the load generator, which is an open loop (requests fall due whether or not earlier ones were
//! answered, latency counts from that instant), and what is read from it. Must never treat a refusal as
//! an answer, or hide that the generator itself was late.

mod connection;
mod cores;
mod generator;
mod plot;
mod tally;

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result};

use super::options::Options;
use super::peer::token;
use super::registry::Registry;
use cores::Cores;
pub(super) use generator::Manners;
use generator::{Generator, Load, Pace};
pub(super) use plot::svg;
#[cfg(test)]
pub(super) use tally::Outcome;
pub(super) use tally::Tally;
use tally::Window;

/// The capacity is looked for on so many times the connections of the rounds: a server that commits in groups
/// carries more when more wait.
const LEVELS: [u64; 4] = [1, 2, 4, 8];
/// More connections that bring less than this are not worth the wait.
const LEVEL_IS_ENOUGH: f64 = 0.95;
/// A server lets one address have 4,096 connections.
pub(super) const CONNECTIONS_AT_MOST: u64 = 4_000;
/// What is offered, as multiples of the capacity.
const MULTIPLES: [u16; 4] = [1, 2, 5, MOST];
const MOST: u16 = 10;
/// What is offered afterwards: plainly within the capacity.
const AFTERWARDS: f64 = 0.5;
/// So long must all be well for the server to count as back to normal.
const NORMAL_FOR: Duration = Duration::from_secs(1);
/// Promised of what is accepted, of refusals, and of the way back.
pub(super) const GOODPUT_AT_LEAST: f64 = 0.9;
pub(super) const P99_AT_MOST: f64 = 2.0;
pub(super) const REFUSAL_MS_AT_MOST: f64 = 5.0;
pub(super) const NORMAL_WITHIN: Duration = Duration::from_secs(5);

/// What the overload showed.
pub(super) struct Overload {
    /// As much as the server can carry: each connection asks again at once.
    pub(super) peak: Tally,
    /// The peak was reached on so many connections; N times the load comes on N times as many.
    pub(super) connections: u64,
    /// How server and generator shared the machine.
    pub(super) cores: String,
    /// By callers who heed nothing.
    pub(super) steps: Vec<Step>,
    pub(super) afterwards: Step,
    /// The most once more, by callers who wait as they are told.
    pub(super) polite: Step,
    /// From the end of the last step until all was well again, where it was.
    pub(super) normal_after: Option<Duration>,
}

/// One load.
pub(super) struct Step {
    /// What was offered, in parts of the capacity.
    pub(super) multiple: f64,
    pub(super) manners: Manners,
    pub(super) tally: Tally,
}

impl Step {
    pub(super) fn name(&self) -> String {
        match self.manners {
            Manners::None => format!("{} ×", self.multiple),
            Manners::Wait => format!("{} ×, heeding Retry-After", self.multiple),
        }
    }
}

impl Overload {
    /// Every load, in the order of time.
    pub(super) fn loads(&self) -> impl Iterator<Item = &Step> {
        self.steps.iter().chain([&self.afterwards, &self.polite])
    }

    /// Checks a second that the server can carry.
    pub(super) fn capacity(&self) -> f64 {
        self.peak.accepted_per_s()
    }

    /// A p99 that is no longer normal, in ms.
    pub(super) fn p99_limit_ms(&self) -> f64 {
        P99_AT_MOST * self.peak.accepted_ms(0.99)
    }
}

/// Serves the registry alone on its cores and loads it from the others.
pub(super) fn measure(registry: &Registry, numbers: &Path, options: &Options, dir: &Path) -> Result<Overload> {
    let cores = Cores::split()?;
    let server = match &cores.server {
        Some(list) => registry.serve_on(list, dir)?,
        None => registry.serve(dir)?,
    };
    let base_url = server.base_url()?.to_owned();
    let address: SocketAddr = base_url.trim_start_matches("http://").parse().context("the server's address")?;
    let token = token(&base_url, &registry.credentials)?;
    let numbers = std::fs::read_to_string(numbers)?;
    let run = || -> Result<Overload> {
        cores.pin_generator()?;
        let mut generator = Generator::new(address, &token, numbers.lines().collect())?;
        ladder(&mut generator, options, cores.shown())
    };
    // A thread of its own: only it is pinned, and it ends with the load.
    let result = std::thread::scope(|scope| scope.spawn(run).join());
    let overload = result.map_err(|_| anyhow::anyhow!("the load generator panicked"))??;
    server.stop().context("laini after the overload")?;
    registry.verify_ledger()?;
    Ok(overload)
}

fn ladder(generator: &mut Generator<'_>, options: &Options, cores: String) -> Result<Overload> {
    let length = Duration::from_secs(options.overload_seconds);
    let (peak, connections) = peak(generator, options.connections, length / 2)?;
    let capacity = peak.accepted_per_s();
    println!("overload: can carry {capacity:.0} checks/s on {connections} connections");
    let mut offer = |multiple: f64, connections: u64, manners, length| -> Result<Step> {
        let connections = connections.min(CONNECTIONS_AT_MOST);
        let pace = Pace::Open { per_s: capacity * multiple };
        let step = Step { multiple, manners, tally: generator.run(&Load { pace, manners, connections, length })? };
        println!("overload: {}: {}", step.name(), step.tally);
        Ok(step)
    };
    let mut steps = Vec::new();
    for multiple in MULTIPLES {
        steps.push(offer(f64::from(multiple), connections * u64::from(multiple), Manners::None, length)?);
    }
    // Callers hold on to the connections that they have.
    let most = connections * u64::from(MOST);
    let afterwards = offer(AFTERWARDS, most, Manners::None, length.max(NORMAL_WITHIN + 2 * NORMAL_FOR))?;
    let polite = offer(f64::from(MOST), most, Manners::Wait, length)?;
    let mut overload = Overload { peak, connections, cores, steps, afterwards, polite, normal_after: None };
    overload.normal_after = normal_after(&overload);
    Ok(overload)
}

/// The load that brings the most answers on the fewest connections, and how many these are.
fn peak(generator: &mut Generator<'_>, connections: u64, length: Duration) -> Result<(Tally, u64)> {
    let mut closed =
        |connections| generator.run(&Load { pace: Pace::Closed, manners: Manners::None, connections, length });
    // Warms up.
    closed(connections)?;
    let mut levels = Vec::new();
    for level in LEVELS {
        let connections = connections * level;
        let tally = closed(connections)?;
        println!("overload: {connections} connections: {tally}");
        levels.push((tally, connections));
    }
    let best = levels.iter().map(|(tally, _)| tally.accepted_per_s()).fold(0.0, f64::max);
    let enough = levels.into_iter().find(|(tally, _)| tally.accepted_per_s() >= LEVEL_IS_ENOUGH * best);
    enough.context("no check was answered at all")
}

/// The first moment from which for a whole second nothing was refused and p99 was normal.
fn normal_after(overload: &Overload) -> Option<Duration> {
    let limit_ms = overload.p99_limit_ms();
    let is_normal = |window: &Window| window.is_clean() && window.accepted_ms(0.99) <= limit_ms;
    let good: Vec<bool> = overload.afterwards.tally.windows.iter().map(is_normal).collect();
    let needed = usize::try_from(NORMAL_FOR.as_millis() / tally::WINDOW.as_millis()).unwrap_or(usize::MAX);
    let first = good.windows(needed).position(|second| second.iter().all(|is_good| *is_good))?;
    let drained = overload.steps.last().map_or(Duration::ZERO, |step| step.tally.drain);
    Some(drained + tally::WINDOW * u32::try_from(first).unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tally(seconds: u64, latency: impl Fn(u64) -> Option<u64>) -> Tally {
        let mut tally = Tally::new(Duration::from_secs(seconds));
        for at_ms in (0..seconds * 1_000).step_by(2) {
            let due = Duration::from_millis(at_ms);
            tally.offered(due);
            match latency(at_ms) {
                Some(ms) => tally.answered(due, due + Duration::from_millis(ms), Outcome::Accepted),
                None => tally.answered(due, due, Outcome::Shed),
            }
        }
        tally
    }

    fn after(afterwards: Tally) -> Option<Duration> {
        let step = |tally| Step { multiple: 1.0, manners: Manners::None, tally };
        let (peak, polite, cores) = (tally(1, |_| Some(10)), step(tally(1, |_| None)), String::new());
        let (steps, afterwards) = (Vec::new(), step(afterwards));
        normal_after(&Overload { peak, connections: 1, cores, steps, afterwards, polite, normal_after: None })
    }

    #[test]
    fn normal_is_a_whole_second_without_refusals_and_late_answers() {
        assert_eq!(after(tally(7, |_| Some(15))), Some(Duration::ZERO));
        assert_eq!(after(tally(7, |at_ms| (at_ms >= 1_500).then_some(15))), Some(Duration::from_millis(1_500)));
        assert_eq!(after(tally(7, |at_ms| Some(if at_ms % 900 == 0 { 500 } else { 1 }))), None);
        assert_eq!(after(tally(7, |_| None)), None);
    }
}
