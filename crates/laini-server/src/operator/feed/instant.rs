use jiff::{SignedDuration, Timestamp, civil, tz::TimeZone};

/// How far the feed's clock may be ahead of ours (design, "The feed").
pub const CLOCK_SLACK: SignedDuration = SignedDuration::from_mins(5);

/// Longest text that can be an instant.
const MAX_TEXT_BYTES: usize = 40;

/// Why a text is no instant that a line can have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InstantError {
    /// Not one of the forms.
    #[error("is no date: expected RFC 3339 (2026-01-31T10:00:00+03:00) or a plain date (2026-01-31)")]
    Malformed,
    /// Before there were mobile numbers: a placeholder, not a date.
    #[error("lies before 1970")]
    TooOld,
    /// More than [`CLOCK_SLACK`] ahead.
    #[error("lies in the future")]
    Future,
}

/// Reads instants as feeds write them.
#[derive(Debug, Clone)]
pub struct Instants {
    zone: TimeZone,
    latest: Timestamp,
}

impl Instants {
    /// Plain dates and date-times without an offset are in `zone`; what is later than `now` by more
    /// than five minutes is refused.
    pub fn new(zone: TimeZone, now: Timestamp) -> Self {
        let mut instants = Self { zone, latest: now };
        instants.set_now(now);
        instants
    }

    /// Moves on to a later `now`.
    pub fn set_now(&mut self, now: Timestamp) {
        self.latest = now.saturating_add(CLOCK_SLACK).unwrap_or(Timestamp::MAX);
    }

    /// RFC 3339, a plain date (midnight in the operator's zone), or a date and time without offset
    /// (in the operator's zone).
    pub fn parse(&self, text: &str) -> Result<Timestamp, InstantError> {
        let text = text.trim_ascii();
        if text.len() > MAX_TEXT_BYTES || !text.is_ascii() {
            return Err(InstantError::Malformed);
        }
        let at = if text.len() <= 10 {
            self.local(text.parse::<civil::Date>().map(|date| date.at(0, 0, 0, 0)))?
        } else if let Ok(at) = text.parse::<Timestamp>() {
            at
        } else {
            self.local(text.parse::<civil::DateTime>())?
        };
        if at < Timestamp::UNIX_EPOCH {
            return Err(InstantError::TooOld);
        }
        if at > self.latest {
            return Err(InstantError::Future);
        }
        Ok(at)
    }

    fn local(&self, local: Result<civil::DateTime, jiff::Error>) -> Result<Timestamp, InstantError> {
        let local = local.map_err(|_| InstantError::Malformed)?;
        self.zone.to_timestamp(local).map_err(|_| InstantError::Malformed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn instants() -> Instants {
        let zone = TimeZone::get("Africa/Nairobi").unwrap();
        Instants::new(zone, "2026-11-22T09:00:00Z".parse().unwrap())
    }

    #[test]
    fn every_written_form_is_read() {
        let table = [
            ("2014-07-06T06:02:05+03:00", "2014-07-06T03:02:05Z"),
            ("2014-07-06T03:02:05Z", "2014-07-06T03:02:05Z"),
            (" 2014-07-06 03:02:05z ", "2014-07-06T03:02:05Z"),
            ("2014-07-06T03:02:05.250Z", "2014-07-06T03:02:05.25Z"),
            ("2014-07-06", "2014-07-05T21:00:00Z"),
            ("2014-07-06T06:02:05", "2014-07-06T03:02:05Z"),
            ("2014-07-06 06:02:05", "2014-07-06T03:02:05Z"),
            ("2026-11-22T09:05:00Z", "2026-11-22T09:05:00Z"),
        ];
        for (text, instant) in table {
            assert_eq!(instants().parse(text), Ok(instant.parse().unwrap()), "{text}");
        }
    }

    #[test]
    fn what_is_no_instant_says_why() {
        let table = [
            ("", InstantError::Malformed),
            ("31/02/2020", InstantError::Malformed),
            ("2020-02-30", InstantError::Malformed),
            ("2020-02-01T25:00:00Z", InstantError::Malformed),
            ("1900-01-01", InstantError::TooOld),
            ("2026-11-22T09:05:01Z", InstantError::Future),
            ("2099-01-01", InstantError::Future),
        ];
        for (text, error) in table {
            assert_eq!(instants().parse(text), Err(error), "{text}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(100_000))]
        #[test]
        fn any_text_is_an_instant_or_an_error(text in "\\PC{0,44}|[0-9]{4}-[0-9]{2}-[0-9]{2}([T ][0-9:]{8}(Z|[+-][0-9:]{5})?)?") {
            if let Ok(at) = instants().parse(&text) {
                prop_assert!(at >= Timestamp::UNIX_EPOCH);
            }
        }
    }
}
