use jiff::SignedDuration;

use super::Health;
use crate::partner::WordError;

/// How bad something is: an incident for everybody, or what a ticket tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// A question, or something that can be worked around.
    Minor,
    /// Some of it fails, or all of it is slow.
    Major,
    /// It does not work at all.
    Critical,
}

impl Severity {
    /// Every severity, the mildest first.
    pub const ALL: [Self; 3] = [Self::Minor, Self::Major, Self::Critical];

    /// The word in requests and exports.
    pub fn word(self) -> &'static str {
        match self {
            Self::Minor => "minor",
            Self::Major => "major",
            Self::Critical => "critical",
        }
    }

    /// Reads the word.
    pub fn parse(word: &str) -> Result<Self, WordError> {
        let found = Self::ALL.into_iter().find(|severity| severity.word() == word);
        found.ok_or(WordError { expected: "minor, major, critical" })
    }

    /// The health of what an incident of this severity is about.
    pub fn health(self) -> Health {
        match self {
            Self::Minor | Self::Major => Health::Degraded,
            Self::Critical => Health::Down,
        }
    }
}

/// Within what time the operator answers a ticket, by its severity: by the clock, nights and Sundays too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AnswerTimes {
    /// In minutes.
    pub minor_minutes: u32,
    /// In minutes.
    pub major_minutes: u32,
    /// In minutes.
    pub critical_minutes: u32,
}

impl Default for AnswerTimes {
    fn default() -> Self {
        Self { minor_minutes: 1_440, major_minutes: 240, critical_minutes: 60 }
    }
}

impl AnswerTimes {
    /// The time for a severity.
    pub fn of(self, severity: Severity) -> SignedDuration {
        let minutes = match severity {
            Severity::Minor => self.minor_minutes,
            Severity::Major => self.major_minutes,
            Severity::Critical => self.critical_minutes,
        };
        SignedDuration::from_mins(minutes.into())
    }
}
