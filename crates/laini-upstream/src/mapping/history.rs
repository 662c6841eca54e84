use jiff::tz::TimeZone;
use jiff::{Span, Timestamp};

use super::date::{DateFormat, instant};
use super::settings::{MappingError, pointer};

/// Since when the back end would know of a swap.
#[derive(Debug, Clone)]
pub(super) enum History {
    /// Of every line since its beginning.
    Always,
    /// Nobody can say.
    Unknown,
    /// For so long.
    Reaching(Span),
    /// Since an instant.
    Since(Timestamp),
    /// Since the instant that each answer states.
    Stated(String),
}

impl History {
    /// Reads `always`, `unknown`, a duration (`P2Y`), an instant or day, or a pointer.
    pub(super) fn parse(text: &str, zone: &TimeZone) -> Result<Self, MappingError> {
        let malformed = || MappingError::History(text.to_owned());
        Ok(match text {
            "always" => Self::Always,
            "unknown" => Self::Unknown,
            place if place.starts_with('/') => Self::Stated(pointer(place)?),
            duration if duration.starts_with('P') => {
                let span: Span = duration.parse().map_err(|_| malformed())?;
                if !span.is_positive() {
                    return Err(malformed());
                }
                Self::Reaching(span)
            }
            day => {
                let formats = [DateFormat::Rfc3339, DateFormat::Date];
                Self::Since(instant(&day.into(), &formats, zone, Timestamp::MAX).map_err(|_| malformed())?)
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_history_is_stated_in_one_of_five_ways() {
        let parse = |text| History::parse(text, &TimeZone::UTC);
        assert!(matches!(parse("always"), Ok(History::Always)));
        assert!(matches!(parse("unknown"), Ok(History::Unknown)));
        assert!(matches!(parse("P2Y"), Ok(History::Reaching(span)) if span.get_years() == 2));
        assert!(matches!(parse("2024-01-01"), Ok(History::Since(_))));
        assert!(matches!(parse("/history/since"), Ok(History::Stated(_))));
        for refused in ["", "P", "-P1Y", "P0D", "forever", "2024-13-01"] {
            assert!(parse(refused).is_err(), "{refused}");
        }
    }
}
