//! What a scripted run in the sandbox proves, judged from what the gateway saw of an app.

use jiff::{SignedDuration, Timestamp};

use serde::{Deserialize, Serialize};

use super::WordError;

/// An unknown number is not asked about again for so long.
const LEFT_ALONE_FOR: SignedDuration = SignedDuration::from_secs(10);

/// A step of the script.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RunStep {
    /// A number was answered unknown or 404, and left alone after that.
    Unknown,
    /// A 429 was answered by waiting as long as its `Retry-After` said.
    BackOff,
    /// A request was tried again under its idempotency key.
    Retry,
    /// A delivery was received, and its nonce brought back.
    Delivery,
}

impl RunStep {
    /// The whole script.
    pub const ALL: [Self; 4] = [Self::Unknown, Self::BackOff, Self::Retry, Self::Delivery];

    /// The word in answers.
    pub fn word(self) -> &'static str {
        match self {
            Self::Unknown => "unknown_handled",
            Self::BackOff => "backed_off",
            Self::Retry => "idempotent_retry",
            Self::Delivery => "delivery_verified",
        }
    }

    /// Reads the word.
    pub fn parse(word: &str) -> Result<Self, WordError> {
        let found = Self::ALL.into_iter().find(|step| step.word() == word);
        found.ok_or(WordError { expected: "unknown_handled, backed_off, idempotent_retry, delivery_verified" })
    }

    /// What an app does to pass it.
    pub fn what_to_do(self) -> &'static str {
        match self {
            Self::Unknown => {
                "check a number that the sandbox does not know, and do not ask about it again for 10 seconds"
            }
            Self::BackOff => "run into a 429, send nothing for as long as its Retry-After says, then go on",
            Self::Retry => "send one request twice under the same Idempotency-Key",
            Self::Delivery => "have the run's delivery sent, verify its signature, and bring its nonce back",
        }
    }
}

/// Something that the gateway saw of an app.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Observation {
    /// When the request came.
    pub at: Timestamp,
    /// What it was.
    pub what: Observed,
}

/// What the gateway saw.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Observed {
    /// A number was looked up.
    Asked {
        /// Tells it from another number; never the number.
        number: u64,
        /// Whether the answer was unknown or 404.
        is_unknown: bool,
    },
    /// A request was answered, whatever the answer was.
    Answered,
    /// A request was refused with 429.
    TooMany {
        /// As its `Retry-After` said.
        retry_after_s: u32,
    },
    /// A request was answered from what is kept under its idempotency key.
    Replayed,
}

/// How a step stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StepResult {
    /// It was not done yet.
    Open,
    /// It is done, if nothing happens against it before this instant.
    Waiting(Timestamp),
    /// It was passed at this instant.
    Passed(Timestamp),
}

/// How a step of the script stands at `now`. `seen` in the order of its instants; `echoed`: when the nonce of the
/// delivery was brought back.
pub fn judge_run(step: RunStep, seen: &[Observation], echoed: Option<Timestamp>, now: Timestamp) -> StepResult {
    match step {
        RunStep::Unknown => unknown(seen, now),
        RunStep::BackOff => back_off(seen),
        RunStep::Retry => seen
            .iter()
            .find(|one| one.what == Observed::Replayed)
            .map_or(StepResult::Open, |one| StepResult::Passed(one.at)),
        RunStep::Delivery => echoed.map_or(StepResult::Open, StepResult::Passed),
    }
}

fn unknown(seen: &[Observation], now: Timestamp) -> StepResult {
    let mut result = StepResult::Open;
    for (place, one) in seen.iter().enumerate() {
        let Observed::Asked { number, is_unknown: true } = one.what else { continue };
        let until = one.at + LEFT_ALONE_FOR;
        let is_same = |other: &Observation| matches!(other.what, Observed::Asked { number: n, .. } if n == number);
        if seen[place + 1..].iter().any(|other| other.at < until && is_same(other)) {
            continue;
        }
        if until <= now {
            return StepResult::Passed(until);
        }
        result = StepResult::Waiting(until);
    }
    result
}

fn back_off(seen: &[Observation]) -> StepResult {
    let is_request = |one: &&Observation| !matches!(one.what, Observed::Asked { .. });
    let mut result = StepResult::Open;
    for (place, one) in seen.iter().enumerate() {
        let Observed::TooMany { retry_after_s } = one.what else { continue };
        let until = one.at + SignedDuration::from_secs(retry_after_s.into());
        match seen[place + 1..].iter().find(is_request) {
            Some(next) if next.at >= until => return StepResult::Passed(next.at),
            Some(_) => {}
            None => result = StepResult::Waiting(until),
        }
    }
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: i64) -> Timestamp {
        Timestamp::from_millisecond(1_795_000_000_000 + ms).unwrap()
    }

    fn seen(what: &[(i64, Observed)]) -> Vec<Observation> {
        what.iter().map(|(ms, what)| Observation { at: at(*ms), what: *what }).collect()
    }

    const UNKNOWN: Observed = Observed::Asked { number: 7, is_unknown: true };
    const KNOWN: Observed = Observed::Asked { number: 8, is_unknown: false };
    const TOO_MANY: Observed = Observed::TooMany { retry_after_s: 2 };

    #[test]
    fn an_unknown_number_is_to_be_left_alone() {
        let judge = |what: &[(i64, Observed)], now| judge_run(RunStep::Unknown, &seen(what), None, at(now));
        assert_eq!(judge(&[], 99_000), StepResult::Open);
        assert_eq!(judge(&[(0, KNOWN)], 99_000), StepResult::Open);
        assert_eq!(judge(&[(0, UNKNOWN)], 9_999), StepResult::Waiting(at(10_000)));
        assert_eq!(judge(&[(0, UNKNOWN)], 10_000), StepResult::Passed(at(10_000)));
        assert_eq!(judge(&[(0, UNKNOWN), (1, KNOWN)], 10_000), StepResult::Passed(at(10_000)));
        // Asked again too early: the time runs anew.
        assert_eq!(judge(&[(0, UNKNOWN), (9_999, UNKNOWN)], 10_000), StepResult::Waiting(at(19_999)));
        assert_eq!(judge(&[(0, UNKNOWN), (9_999, UNKNOWN)], 19_999), StepResult::Passed(at(19_999)));
        assert_eq!(judge(&[(0, UNKNOWN), (10_000, UNKNOWN)], 10_001), StepResult::Passed(at(10_000)));
        let known_later = Observed::Asked { number: 7, is_unknown: false };
        assert_eq!(judge(&[(0, UNKNOWN), (5, known_later)], 99_000), StepResult::Open);
    }

    #[test]
    fn a_429_is_to_be_waited_for() {
        let judge = |what: &[(i64, Observed)]| judge_run(RunStep::BackOff, &seen(what), None, at(99_000));
        assert_eq!(judge(&[(0, Observed::Answered)]), StepResult::Open);
        assert_eq!(judge(&[(0, TOO_MANY)]), StepResult::Waiting(at(2_000)));
        assert_eq!(judge(&[(0, TOO_MANY), (1_999, Observed::Answered)]), StepResult::Open);
        assert_eq!(judge(&[(0, TOO_MANY), (2_000, Observed::Answered)]), StepResult::Passed(at(2_000)));
        assert_eq!(judge(&[(0, TOO_MANY), (2_000, Observed::Replayed)]), StepResult::Passed(at(2_000)));
        // A look-up belongs to a request, and is none of its own.
        assert_eq!(judge(&[(0, TOO_MANY), (1, KNOWN), (2_000, Observed::Answered)]), StepResult::Passed(at(2_000)));
        // The second try came too early, the third in time.
        let later = [(0, TOO_MANY), (100, TOO_MANY), (2_100, Observed::Answered)];
        assert_eq!(judge(&later), StepResult::Passed(at(2_100)));
    }

    #[test]
    fn a_retry_and_an_echo_count_once_they_are_seen() {
        let judge = |step, echoed| judge_run(step, &seen(&[(5, Observed::Replayed)]), echoed, at(6));
        assert_eq!(judge(RunStep::Retry, None), StepResult::Passed(at(5)));
        assert_eq!(judge(RunStep::Delivery, None), StepResult::Open);
        assert_eq!(judge(RunStep::Delivery, Some(at(3))), StepResult::Passed(at(3)));
        assert_eq!(judge_run(RunStep::Retry, &seen(&[(5, Observed::Answered)]), None, at(6)), StepResult::Open);
    }
}
