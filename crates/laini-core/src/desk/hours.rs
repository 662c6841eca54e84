use jiff::civil::{DateTime, Weekday};
use serde::{Deserialize, Serialize};

/// When a desk is at work; a look-up at another time is one to look at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkingHours {
    /// The first hour of a working day, 0 to 23,
    pub from_hour: u8,
    /// and the hour at which it ends, 1 to 24.
    pub until_hour: u8,
    /// Whether Saturday and Sunday are working days.
    pub weekends: bool,
}

impl WorkingHours {
    /// Whether they are hours at all.
    pub fn is_valid(self) -> bool {
        self.from_hour < self.until_hour && self.until_hour <= 24
    }

    /// Whether the desk is at work at a time of the operator's zone.
    pub fn include(self, at: DateTime) -> bool {
        let is_weekend = matches!(at.weekday(), Weekday::Saturday | Weekday::Sunday);
        let hour = u8::try_from(at.hour()).unwrap_or(0);
        (self.weekends || !is_weekend) && (self.from_hour..self.until_hour).contains(&hour)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    #[test]
    fn hours_begin_and_end_on_the_hour_and_leave_weekends_out() {
        let hours = WorkingHours { from_hour: 8, until_hour: 18, weekends: false };
        let friday = date(2026, 11, 27);
        for (hour, minute, inside) in [(7, 59, false), (8, 0, true), (17, 59, true), (18, 0, false)] {
            assert_eq!(hours.include(friday.at(hour, minute, 0, 0)), inside, "{hour}:{minute}");
        }
        assert!(!hours.include(date(2026, 11, 28).at(12, 0, 0, 0)));
        assert!(WorkingHours { weekends: true, ..hours }.include(date(2026, 11, 28).at(12, 0, 0, 0)));
        assert!(!WorkingHours { from_hour: 18, ..hours }.is_valid());
    }
}
