use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::partner::WordError;

/// How well a component works.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Health {
    /// As it should.
    Ok,
    /// It answers, late or not as it should.
    Degraded,
    /// It does not answer.
    Down,
}

impl Health {
    /// Every health, the best first.
    pub const ALL: [Self; 3] = [Self::Ok, Self::Degraded, Self::Down];

    /// The word in answers and exports.
    pub fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Degraded => "degraded",
            Self::Down => "down",
        }
    }

    /// Reads the word.
    pub fn parse(word: &str) -> Result<Self, WordError> {
        let found = Self::ALL.into_iter().find(|health| health.word() == word);
        found.ok_or(WordError { expected: "ok, degraded, down" })
    }
}

/// What the probes of one component came to in some stretch of time.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally {
    /// How many there were.
    pub probes: u32,
    /// How many of them found it degraded,
    pub degraded: u32,
    /// and how many found it down.
    pub down: u32,
    /// The longest that one took, in microseconds.
    pub worst_micros: u64,
    /// How long those took together that were answered, in microseconds.
    #[serde(default)]
    pub answered_micros: u64,
}

impl Tally {
    /// Counts one probe more.
    pub fn add(&mut self, health: Health, micros: u64) {
        self.probes = self.probes.saturating_add(1);
        match health {
            Health::Ok => {}
            Health::Degraded => self.degraded = self.degraded.saturating_add(1),
            Health::Down => self.down = self.down.saturating_add(1),
        }
        self.worst_micros = self.worst_micros.max(micros);
        if health != Health::Down {
            self.answered_micros = self.answered_micros.saturating_add(micros);
        }
    }

    /// Both together.
    #[must_use]
    pub fn with(self, other: Self) -> Self {
        Self {
            probes: self.probes.saturating_add(other.probes),
            degraded: self.degraded.saturating_add(other.degraded),
            down: self.down.saturating_add(other.down),
            worst_micros: self.worst_micros.max(other.worst_micros),
            answered_micros: self.answered_micros.saturating_add(other.answered_micros),
        }
    }

    /// How long a probe took on average, of those that were answered, in microseconds; `None` where none was.
    pub fn mean_micros(self) -> Option<u64> {
        self.answered_micros.checked_div(u64::from(self.probes.saturating_sub(self.down)))
    }

    /// The share of probes that were answered, in hundredths of a per cent, rounded down so that 10,000 means all of
    /// them; `None` where nothing was probed.
    pub fn answered_basis_points(self) -> Option<u32> {
        let answered = u64::from(self.probes.saturating_sub(self.down));
        (answered * 10_000).checked_div(u64::from(self.probes)).map(|share| u32::try_from(share).unwrap_or(10_000))
    }

    /// How well it worked on the whole: down where a twentieth or more of its probes found it so, degraded where any
    /// found it down or a twentieth found it degraded; `None` where nothing was probed.
    pub fn health(self) -> Option<Health> {
        let twentieth = |part: u32| u64::from(part) * 20 >= u64::from(self.probes) && part > 0;
        match self.probes {
            0 => None,
            _ if twentieth(self.down) => Some(Health::Down),
            _ if self.down > 0 || twentieth(self.degraded) => Some(Health::Degraded),
            _ => Some(Health::Ok),
        }
    }
}

/// The instants at which somebody should have probed between the newest probe and `now`, and nobody did: the server was
/// off, or could not write. Up to half a turn too late is in time. At most `limit`, the newest.
pub fn unprobed(newest: Timestamp, now: Timestamp, every: SignedDuration, limit: usize) -> Vec<Timestamp> {
    let every_s = every.as_secs().max(1);
    let since_s = now.as_second() - newest.as_second();
    let turns = (since_s + every_s / 2) / every_s - 1;
    let first = turns - i64::try_from(limit).unwrap_or(i64::MAX);
    let at = |turn: i64| newest.checked_add(SignedDuration::from_secs(turn * every_s)).ok();
    (first.max(0)..turns).filter_map(|turn| at(turn + 1)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tally(probes: u32, degraded: u32, down: u32) -> Tally {
        Tally { probes, degraded, down, ..Tally::default() }
    }

    #[test]
    fn a_day_is_as_good_as_its_probes() {
        let cases = [
            (tally(0, 0, 0), None, None),
            (tally(1_440, 0, 0), Some(Health::Ok), Some(10_000)),
            (tally(1_440, 71, 0), Some(Health::Ok), Some(10_000)),
            (tally(1_440, 72, 0), Some(Health::Degraded), Some(10_000)),
            (tally(1_440, 0, 1), Some(Health::Degraded), Some(9_993)),
            (tally(1_440, 0, 72), Some(Health::Down), Some(9_500)),
            (tally(1, 0, 1), Some(Health::Down), Some(0)),
        ];
        for (tally, health, share) in cases {
            assert_eq!((tally.health(), tally.answered_basis_points()), (health, share), "{tally:?}");
        }
    }

    #[test]
    fn tallies_add_up_and_keep_the_worst() {
        let mut one = Tally::default();
        one.add(Health::Ok, 70);
        one.add(Health::Down, 90);
        let mut other = Tally::default();
        other.add(Health::Degraded, 80);
        let both = Tally { probes: 3, degraded: 1, down: 1, worst_micros: 90, answered_micros: 150 };
        assert_eq!((one.with(other), both.mean_micros()), (both, Some(75)));
        assert_eq!(Tally::default().mean_micros(), None);
        assert_eq!(one.with(other), other.with(one));
    }

    #[test]
    fn turns_that_nobody_took_are_found() {
        let minute = SignedDuration::from_mins(1);
        let newest: Timestamp = "2026-11-28T10:00:00Z".parse().unwrap();
        let after = |seconds| unprobed(newest, newest + SignedDuration::from_secs(seconds), minute, 100);
        for seconds in [0, 59, 60, 61, 89] {
            assert_eq!(after(seconds), [], "{seconds}");
        }
        assert_eq!(after(90), [newest + minute]);
        assert_eq!(after(180), [newest + minute, newest + minute * 2]);
        let long = after(86_400 * 365);
        assert_eq!((long.len(), long.last()), (100, Some(&(newest + SignedDuration::from_secs(86_400 * 365 - 60)))));
        assert_eq!(after(-60), [], "a clock that went back");
    }
}
