use jiff::civil::Date;

use super::ageing::days;
use crate::partner::WordError;

/// A letter about an invoice that is to be paid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reminder {
    /// It is due in three days.
    DueSoon,
    /// It is a day overdue.
    Overdue,
    /// It is 14 days overdue.
    Second,
    /// It is 30 days overdue: the last one before the partner can be suspended.
    Last,
}

impl Reminder {
    /// Every letter, in their order.
    pub const ALL: [Self; 4] = [Self::DueSoon, Self::Overdue, Self::Second, Self::Last];

    /// The word in answers and exports.
    pub fn word(self) -> &'static str {
        match self {
            Self::DueSoon => "due_soon",
            Self::Overdue => "overdue",
            Self::Second => "second",
            Self::Last => "last",
        }
    }

    /// Reads the word.
    pub fn parse(word: &str) -> Result<Self, WordError> {
        let found = Self::ALL.into_iter().find(|reminder| reminder.word() == word);
        found.ok_or(WordError { expected: "due_soon, overdue, second, last" })
    }

    /// How many days after the due date it is sent.
    pub fn after_days(self) -> i32 {
        match self {
            Self::DueSoon => -3,
            Self::Overdue => 1,
            Self::Second => 14,
            Self::Last => 30,
        }
    }

    /// The letter whose time has come on `today`. What was missed is not sent late: only the newest counts.
    pub fn on(due: Date, today: Date) -> Option<Self> {
        let passed = days(due, today);
        let newest = Self::ALL.into_iter().rev().find(|reminder| reminder.after_days() <= passed);
        newest.filter(|reminder| *reminder != Self::DueSoon || passed <= 0)
    }
}
