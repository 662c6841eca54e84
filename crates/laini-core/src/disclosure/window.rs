use std::fmt;

use jiff::{Span, civil::Date};

/// How far back a fact is disclosed: 1 to 1,200 calendar months.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Window(u16);

/// A number of months outside 1 to 1,200.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a window has 1 to 1200 months")]
pub struct WindowError;

impl Window {
    /// A window of calendar months.
    pub fn months(months: u16) -> Result<Self, WindowError> {
        (1..=1_200).contains(&months).then_some(Self(months)).ok_or(WindowError)
    }

    /// Its length in calendar months.
    pub fn as_months(self) -> u16 {
        self.0
    }

    /// The first day still inside, seen from `today`: the same day of month, clamped to the month's
    /// last day (contract §3).
    pub fn first_day(self, today: Date) -> Date {
        today.checked_sub(Span::new().months(self.0)).unwrap_or(Date::MIN)
    }

    /// In words, for the registration text: `one year`, `6 months`.
    pub fn in_words(self) -> String {
        match self.0 {
            12 => "one year".to_owned(),
            1 => "one month".to_owned(),
            n if n.is_multiple_of(12) => format!("{} years", n / 12),
            n => format!("{n} months"),
        }
    }
}

impl fmt::Display for Window {
    /// As an ISO 8601 duration: `P3M`, `P1Y`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_multiple_of(12) { write!(f, "P{}Y", self.0 / 12) } else { write!(f, "P{}M", self.0) }
    }
}

/// The windows of an agreement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Windows {
    /// For swaps: three months unless narrowed.
    pub swap: Window,
    /// For registrations: one year unless narrowed.
    pub registration: Window,
}

impl Default for Windows {
    fn default() -> Self {
        Self { swap: Window(3), registration: Window(12) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_day_is_clamped_to_its_month() {
        let date = |text: &str| text.parse::<Date>().unwrap();
        let table = [
            ("2026-11-22", 3, "2026-08-22"),
            ("2026-05-31", 3, "2026-02-28"),
            ("2024-05-31", 3, "2024-02-29"),
            ("2024-05-29", 3, "2024-02-29"),
            ("2026-12-31", 3, "2026-09-30"),
            ("2026-01-15", 3, "2025-10-15"),
            ("2024-02-29", 12, "2023-02-28"),
            ("2025-02-28", 12, "2024-02-28"),
            ("2026-03-31", 1, "2026-02-28"),
        ];
        for (today, months, first) in table {
            assert_eq!(Window(months).first_day(date(today)), date(first), "{today} less {months}");
        }
    }

    #[test]
    fn windows_name_themselves() {
        let names: Vec<_> = [3, 12, 6, 24, 1].map(|n| (Window(n).to_string(), Window(n).in_words())).into();
        let expected =
            [("P3M", "3 months"), ("P1Y", "one year"), ("P6M", "6 months"), ("P2Y", "2 years"), ("P1M", "one month")];
        assert_eq!(names, expected.map(|(iso, words)| (iso.to_owned(), words.to_owned())));
        assert_eq!(Window::months(0), Err(WindowError));
    }
}
