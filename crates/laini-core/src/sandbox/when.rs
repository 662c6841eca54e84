use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp};

/// The longest text that can be an instant.
const TEXT_BYTES_MAX: usize = 40;
/// How long a plain date is.
const DATE_BYTES: usize = 10;

/// An instant as somebody writes it about a made-up line.
#[derive(Debug, Clone, Copy)]
pub enum When {
    /// A given one.
    At(Timestamp),
    /// So long before the world's clock.
    Ago(Span),
}

/// A text that is no [`When`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "expected RFC 3339 (2026-01-31T10:00:00+03:00), a date (2026-01-31), or how long before the world's clock (-P10D)"
)]
pub struct WhenError;

impl When {
    /// Reads RFC 3339, a plain date or date-time in the operator's zone, or a negative ISO 8601 duration.
    pub fn parse(text: &str, zone: &TimeZone) -> Result<Self, WhenError> {
        let text = text.trim_ascii();
        if text.len() > TEXT_BYTES_MAX {
            return Err(WhenError);
        }
        if text.starts_with('-') {
            let span: Span = text.parse().map_err(|_| WhenError)?;
            return Ok(Self::Ago(span.abs()));
        }
        if let Ok(at) = text.parse::<Timestamp>() {
            return Ok(Self::At(at));
        }
        let is_date = text.len() <= DATE_BYTES;
        let local =
            if is_date { text.parse::<Date>().map(|date| date.at(0, 0, 0, 0)) } else { text.parse::<DateTime>() };
        let at = local.and_then(|local| zone.to_timestamp(local)).map_err(|_| WhenError)?;
        Ok(Self::At(at))
    }

    /// The instant, when the world's clock shows `now`. Days and months are counted in the operator's zone.
    pub fn resolve(self, now: Timestamp, zone: &TimeZone) -> Timestamp {
        match self {
            Self::At(at) => at,
            Self::Ago(span) => {
                let local = zone.to_datetime(now).checked_sub(span);
                local.and_then(|local| zone.to_timestamp(local)).unwrap_or(Timestamp::MIN)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn instants_are_read_in_every_form() {
        let zone = TimeZone::get("Africa/Nairobi").unwrap();
        let now: Timestamp = "2026-11-22T09:00:00Z".parse().unwrap();
        for (text, expected) in [
            ("2026-01-31T10:00:00+03:00", "2026-01-31T07:00:00Z"),
            (" 2026-01-31T10:00:00Z ", "2026-01-31T10:00:00Z"),
            ("2026-01-31", "2026-01-30T21:00:00Z"),
            ("2026-01-31T10:00:00", "2026-01-31T07:00:00Z"),
            ("-P10D", "2026-11-12T09:00:00Z"),
            ("-P3M", "2026-08-22T09:00:00Z"),
            ("-PT30M", "2026-11-22T08:30:00Z"),
        ] {
            let when = When::parse(text, &zone).unwrap();
            assert_eq!(when.resolve(now, &zone), expected.parse::<Timestamp>().unwrap(), "{text}");
        }
        for bad in ["", "P10D", "yesterday", "2026-13-01", "-", "-10", &"1".repeat(99)] {
            assert_eq!(When::parse(bad, &zone).err(), Some(WhenError), "{bad}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(100_000))]

        #[test]
        fn any_text_is_an_instant_or_an_error(text in "\\PC{0,20}|-P[0-9]{0,9}[YMWD]?T?[0-9]{0,5}[HMS]?|[0-9T:Z+-]{0,30}") {
            let zone = TimeZone::get("Africa/Nairobi").unwrap();
            if let Ok(when) = When::parse(&text, &zone) {
                when.resolve(Timestamp::UNIX_EPOCH, &zone);
            }
        }
    }
}
