use std::fmt;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

/// A calendar month, as the operator's zone has it. Orders by time; shows itself as `2026-11`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Month {
    year: i16,
    month: i8,
}

/// A text that is no month.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a month is a year from 2000 to 2999 and a number from 01 to 12, e.g. 2026-11")]
pub struct MonthError;

impl Month {
    /// Reads what `Display` writes.
    pub fn parse(text: &str) -> Result<Self, MonthError> {
        let fits =
            text.len() == 7 && text.bytes().enumerate().all(|(at, b)| (at == 4 && b == b'-') || b.is_ascii_digit());
        let (year, month) = text.split_once('-').filter(|_| fits).ok_or(MonthError)?;
        let (year, month) = (year.parse().map_err(|_| MonthError)?, month.parse().map_err(|_| MonthError)?);
        let is_month = (2_000..3_000).contains(&year) && (1..=12).contains(&month);
        is_month.then_some(Self { year, month }).ok_or(MonthError)
    }

    /// The month that an instant lies in.
    pub fn of(at: Timestamp, zone: &TimeZone) -> Self {
        let date = zone.to_datetime(at).date();
        Self { year: date.year(), month: date.month() }
    }

    /// Its first instant.
    pub fn begins(self, zone: &TimeZone) -> Timestamp {
        let first = Date::new(self.year, self.month, 1).unwrap_or(Date::ZERO);
        // A midnight that a zone skips: the first instant after it.
        zone.to_ambiguous_timestamp(first.at(0, 0, 0, 0)).compatible().unwrap_or(Timestamp::UNIX_EPOCH)
    }

    /// The first instant after it.
    pub fn ends(self, zone: &TimeZone) -> Timestamp {
        self.next().begins(zone)
    }

    /// The one after it.
    #[must_use]
    pub fn next(self) -> Self {
        Self::numbered(self.number() + 1)
    }

    /// The one before it.
    #[must_use]
    pub fn previous(self) -> Self {
        Self::numbered(self.number().saturating_sub(1))
    }

    /// Months since the year 0; an id for what there is one of in each month.
    pub fn number(self) -> u64 {
        u64::try_from(i64::from(self.year) * 12 + i64::from(self.month) - 1).unwrap_or(0)
    }

    fn numbered(number: u64) -> Self {
        let year = i16::try_from(number / 12).unwrap_or(i16::MAX);
        Self { year, month: i8::try_from(number % 12).unwrap_or(0) + 1 }
    }
}

impl fmt::Display for Month {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}", self.year, self.month)
    }
}

impl serde::Serialize for Month {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> serde::Deserialize<'de> for Month {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        Self::parse(&text).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_month_is_read_as_it_is_shown_and_nothing_else_is_one() {
        for text in ["2026-11", "2000-01", "2999-12"] {
            assert_eq!(Month::parse(text).unwrap().to_string(), text);
        }
        for text in ["", "2026", "2026-1", "2026-13", "2026-00", "1999-12", "3000-01", "2026/11", "26-11", "2026-11-"] {
            assert_eq!(Month::parse(text), Err(MonthError), "{text}");
        }
    }

    #[test]
    fn months_follow_one_another_and_meet_at_the_zones_midnight() {
        let nairobi = TimeZone::get("Africa/Nairobi").unwrap();
        let mut month = Month::parse("2026-11").unwrap();
        assert_eq!(month.begins(&nairobi).to_string(), "2026-10-31T21:00:00Z");
        for _ in 0..30 {
            let next = month.next();
            assert_eq!((next.previous(), month.ends(&nairobi)), (month, next.begins(&nairobi)));
            assert_eq!(Month::of(next.begins(&nairobi), &nairobi), next);
            assert_eq!(Month::of(next.begins(&nairobi) - jiff::SignedDuration::from_nanos(1), &nairobi), month);
            month = next;
        }
        assert_eq!(month.to_string(), "2029-05");
    }
}
