use jiff::fmt::strtime::{self, BrokenDownTime};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, civil};
use serde_json::Value;

use super::settings::MappingError;

/// How far the back end's clock may be ahead of ours.
const CLOCK_SLACK: SignedDuration = SignedDuration::from_mins(5);

/// One way in which the back end writes instants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum DateFormat {
    /// `2026-01-31T10:00:00+03:00`.
    Rfc3339,
    /// `2026-01-31`: that day's first instant.
    Date,
    /// Seconds since 1970, as a number.
    EpochSeconds,
    /// Milliseconds since 1970, as a number.
    EpochMillis,
    /// As strftime writes it: `%d-%m-%Y %H:%M`.
    Pattern(String),
}

impl DateFormat {
    pub(super) fn parse(text: &str) -> Result<Self, MappingError> {
        Ok(match text {
            "rfc3339" => Self::Rfc3339,
            "date" => Self::Date,
            "epoch_s" => Self::EpochSeconds,
            "epoch_ms" => Self::EpochMillis,
            pattern if pattern.contains('%') && is_whole(pattern) => Self::Pattern(pattern.to_owned()),
            _ => return Err(MappingError::DateFormat(text.to_owned())),
        })
    }

    fn read(&self, value: &Value, zone: &TimeZone) -> Option<Timestamp> {
        match self {
            Self::Rfc3339 => value.as_str()?.parse().ok(),
            Self::Date => first_instant(value.as_str()?.parse().ok()?, zone),
            Self::EpochSeconds => Timestamp::from_second(value.as_i64()?).ok(),
            Self::EpochMillis => Timestamp::from_millisecond(value.as_i64()?).ok(),
            Self::Pattern(pattern) => broken_down(&strtime::parse(pattern, value.as_str()?).ok()?, zone),
        }
    }
}

/// Whether what the pattern writes can be read back to the day.
fn is_whole(pattern: &str) -> bool {
    let Ok(at) = civil::date(2026, 11, 22).at(9, 8, 7, 0).to_zoned(TimeZone::UTC) else { return false };
    let written = strtime::format(pattern, &at);
    let read = written.ok().and_then(|text| broken_down(&strtime::parse(pattern, &text).ok()?, &TimeZone::UTC));
    read.is_some_and(|read| TimeZone::UTC.to_datetime(read).date() == at.date())
}

fn broken_down(time: &BrokenDownTime, zone: &TimeZone) -> Option<Timestamp> {
    if time.offset().is_some() {
        return time.to_timestamp().ok();
    }
    match time.to_datetime() {
        Ok(at) => zone.to_timestamp(at).ok(),
        Err(_) => first_instant(time.to_date().ok()?, zone),
    }
}

fn first_instant(day: civil::Date, zone: &TimeZone) -> Option<Timestamp> {
    zone.to_timestamp(day.at(0, 0, 0, 0)).ok()
}

/// The instant that `value` says in the first format that reads it.
pub(super) fn instant(
    value: &Value,
    formats: &[DateFormat],
    zone: &TimeZone,
    now: Timestamp,
) -> Result<Timestamp, &'static str> {
    let at = formats.iter().find_map(|format| format.read(value, zone)).ok_or("is in none of the date formats")?;
    if at < Timestamp::UNIX_EPOCH {
        return Err("lies before 1970");
    }
    if at > now.saturating_add(CLOCK_SLACK).unwrap_or(Timestamp::MAX) {
        return Err("lies in the future");
    }
    Ok(at)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn read(formats: &[&str], value: &Value) -> Result<Timestamp, &'static str> {
        let formats: Vec<DateFormat> = formats.iter().map(|text| DateFormat::parse(text).unwrap()).collect();
        let zone = TimeZone::get("Africa/Nairobi").unwrap();
        instant(value, &formats, &zone, "2026-11-22T09:00:00Z".parse().unwrap())
    }

    #[test]
    fn every_format_is_read() {
        let table = [
            ("rfc3339", json!("2026-01-31T10:00:00+03:00"), "2026-01-31T07:00:00Z"),
            ("date", json!("2026-01-31"), "2026-01-30T21:00:00Z"),
            ("epoch_s", json!(1_769_842_800), "2026-01-31T07:00:00Z"),
            ("epoch_ms", json!(1_769_842_800_250_i64), "2026-01-31T07:00:00.25Z"),
            ("%d-%m-%Y", json!("31-01-2026"), "2026-01-30T21:00:00Z"),
            ("%Y%m%d%H%M%S", json!("20260131100000"), "2026-01-31T07:00:00Z"),
            ("%d/%m/%Y %H:%M %z", json!("31/01/2026 10:00 +0000"), "2026-01-31T10:00:00Z"),
        ];
        for (format, value, expected) in table {
            assert_eq!(read(&[format], &value), Ok(expected.parse().unwrap()), "{format}");
        }
        assert_eq!(read(&["rfc3339", "date"], &json!("2026-01-31")), read(&["date"], &json!("2026-01-31")));
    }

    #[test]
    fn what_is_no_instant_says_why() {
        let none = Err("is in none of the date formats");
        let table = [
            (json!("31-01-2026"), none),
            (json!("2026-02-30"), none),
            (json!(1_769_842_800), none),
            (json!(true), none),
            (json!("2026-11-22T09:05:01Z"), Err("lies in the future")),
            (json!("1900-01-01"), Err("lies before 1970")),
        ];
        for (value, expected) in table {
            assert_eq!(read(&["rfc3339", "date"], &value), expected, "{value}");
        }
    }

    #[test]
    fn a_pattern_must_name_a_day() {
        for refused in ["iso", "%H:%M", "%Y-%m", "%Q", ""] {
            assert!(DateFormat::parse(refused).is_err(), "{refused}");
        }
    }
}
