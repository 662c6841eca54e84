use std::fmt;

/// A day in the operator's time zone. Orders by time, shows itself as `2026-11-22`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Date {
    /// 1901 to 9999.
    pub year: u16,
    /// 1 to 12.
    pub month: u8,
    /// 1 to 31.
    pub day: u8,
}

impl Date {
    /// Reads the published `DD-MM-YYYY`. The year 1900 and those before are refused: the published
    /// answers use 01-01-1900 for "none".
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let [day, month, year] = numbers(text, '-', [2, 2, 4])?;
        let date = Self { year, month: u8::try_from(month).ok()?, day: u8::try_from(day).ok()? };
        let fits = year > 1900 && (1..=date.days_in_month()).contains(&date.day);
        fits.then_some(date)
    }

    /// 0 for a month that does not exist.
    fn days_in_month(self) -> u8 {
        let leap = self.year.is_multiple_of(4) && (!self.year.is_multiple_of(100) || self.year.is_multiple_of(400));
        match self.month {
            1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
            4 | 6 | 9 | 11 => 30,
            2 if leap => 29,
            2 => 28,
            _ => 0,
        }
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}-{:02}", self.year, self.month, self.day)
    }
}

/// A minute of a day in the operator's time zone. Shows itself as `09:05`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TimeOfDay {
    /// 0 to 23.
    pub hour: u8,
    /// 0 to 59.
    pub minute: u8,
}

impl TimeOfDay {
    /// Reads the published `HH:MM`.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let [hour, minute] = numbers(text, ':', [2, 2])?;
        let fits = hour < 24 && minute < 60;
        fits.then_some(Self { hour: u8::try_from(hour).ok()?, minute: u8::try_from(minute).ok()? })
    }
}

impl fmt::Display for TimeOfDay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}:{:02}", self.hour, self.minute)
    }
}

/// How far back a fact is disclosed, in calendar months. Shows itself as `3 months`, `1 year`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Window {
    /// 1 to 1,200.
    pub months: u16,
}

impl Window {
    /// The published window of swaps.
    pub(crate) const PUBLISHED_SWAP: Self = Self { months: 3 };
    /// The published window of registrations.
    pub(crate) const PUBLISHED_REGISTRATION: Self = Self { months: 12 };

    /// Reads `P3M` or `P1Y`.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (count, months_each) = match text.strip_prefix('P')? {
            rest if rest.ends_with('M') => (rest.strip_suffix('M')?, 1),
            rest => (rest.strip_suffix('Y')?, 12),
        };
        let digits = (1..=4).contains(&count.len()) && count.bytes().all(|b| b.is_ascii_digit());
        let months = digits.then(|| count.parse::<u16>().ok()).flatten()?.checked_mul(months_each)?;
        (1..=1_200).contains(&months).then_some(Self { months })
    }
}

impl fmt::Display for Window {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (count, unit) =
            if self.months.is_multiple_of(12) { (self.months / 12, "year") } else { (self.months, "month") };
        write!(f, "{count} {unit}{}", if count == 1 { "" } else { "s" })
    }
}

/// Decimal numbers of exactly these `widths` (1 to 4 digits) between separators.
fn numbers<const N: usize>(text: &str, separator: char, widths: [usize; N]) -> Option<[u16; N]> {
    let mut numbers = [0; N];
    let mut parts = text.split(separator);
    for (number, width) in numbers.iter_mut().zip(widths) {
        let part = parts.next().filter(|part| part.len() == width && part.bytes().all(|b| b.is_ascii_digit()))?;
        *number = part.parse().ok()?;
    }
    parts.next().is_none().then_some(numbers)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn published_dates_are_read_and_nothing_else() {
        let shown = |text| Date::parse(text).map(|date| date.to_string());
        assert_eq!(shown("01-05-2022").as_deref(), Some("2022-05-01"));
        assert_eq!(shown("29-02-2024").as_deref(), Some("2024-02-29"));
        assert_eq!(shown("29-02-2000").as_deref(), Some("2000-02-29"));
        for text in [
            "",
            "29-02-2023",
            "29-02-2100",
            "31-04-2026",
            "00-01-2026",
            "01-00-2026",
            "01-13-2026",
            "1-5-2022",
            "2022-05-01",
            "01-01-1900",
            "31-12-1899",
            "01-01-0000",
            "01-05-2022 ",
            "+1-05-2022",
            "01-05-2022-1",
            "０1-05-2022",
        ] {
            assert_eq!(shown(text), None, "{text:?}");
        }
    }

    #[test]
    fn times_and_windows_are_read() {
        assert_eq!(TimeOfDay::parse("09:05").map(|time| time.to_string()).as_deref(), Some("09:05"));
        for text in ["24:00", "9:05", "09:60", "09:05:00", "", "-1:00"] {
            assert_eq!(TimeOfDay::parse(text), None, "{text:?}");
        }
        for (text, months, words) in
            [("P3M", 3, "3 months"), ("P1M", 1, "1 month"), ("P1Y", 12, "1 year"), ("P24M", 24, "2 years")]
        {
            assert_eq!(Window::parse(text), Some(Window { months }), "{text}");
            assert_eq!(Window { months }.to_string(), words);
        }
        for text in ["", "P", "PM", "3M", "P0M", "P-3M", "P+3M", "P3D", "P1201M", "P9999Y", "P1Y6M", "P99999M"] {
            assert_eq!(Window::parse(text), None, "{text:?}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(100_000))]

        #[test]
        fn any_text_is_a_calendar_value_or_nothing(text in "\\PC{0,12}|[0-9]{1,2}[-:][0-9]{1,2}(-[0-9]{3,5})?|P[0-9]{0,6}[MY]") {
            if let Some(date) = Date::parse(&text) {
                prop_assert_eq!(format!("{:02}-{:02}-{:04}", date.day, date.month, date.year), text.clone());
            }
            if let Some(time) = TimeOfDay::parse(&text) {
                prop_assert_eq!(time.to_string(), text.clone());
            }
            if let Some(window) = Window::parse(&text) {
                prop_assert!((1..=1_200).contains(&window.months));
            }
        }
    }
}
