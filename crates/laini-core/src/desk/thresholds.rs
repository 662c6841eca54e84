use serde::{Deserialize, Serialize};

use super::Verdict;

/// From when on a bank worries, in days before today. A day of 0 is today alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Thresholds {
    /// A SIM changed so many days ago, or later: hold,
    pub swap_hold_days: u16,
    /// or step up.
    pub swap_step_up_days: u16,
    /// A line held for so many days, or fewer: hold,
    pub age_hold_days: u16,
    /// or step up.
    pub age_step_up_days: u16,
    /// What an unknown means; never to allow.
    pub unknown: Verdict,
    /// What a number means that is not served here: nothing was checked. Never to allow.
    pub not_served: Verdict,
}

/// Why thresholds cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ThresholdsError {
    /// Holding would begin later than stepping up.
    #[error("the days of step up must not be fewer than those of hold")]
    Crossed,
    /// An unknown would be allowed.
    #[error("what is not known is never allowed: choose step up or hold")]
    UnknownAllowed,
    /// Further back than any window.
    #[error("at most {0} days")]
    TooLong(u16),
}

impl Thresholds {
    /// The furthest that a threshold reaches back.
    pub const DAYS_MAX: u16 = 3_660;

    /// The same, where it can be used.
    pub fn checked(self) -> Result<Self, ThresholdsError> {
        if self.swap_step_up_days < self.swap_hold_days || self.age_step_up_days < self.age_hold_days {
            return Err(ThresholdsError::Crossed);
        }
        if self.unknown == Verdict::Allow || self.not_served == Verdict::Allow {
            return Err(ThresholdsError::UnknownAllowed);
        }
        if self.swap_step_up_days > Self::DAYS_MAX || self.age_step_up_days > Self::DAYS_MAX {
            return Err(ThresholdsError::TooLong(Self::DAYS_MAX));
        }
        Ok(self)
    }
}

impl Default for Thresholds {
    fn default() -> Self {
        Self {
            swap_hold_days: 7,
            swap_step_up_days: 31,
            age_hold_days: 7,
            age_step_up_days: 90,
            unknown: Verdict::Hold,
            not_served: Verdict::Hold,
        }
    }
}
