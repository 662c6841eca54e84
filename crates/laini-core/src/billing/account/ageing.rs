use jiff::civil::Date;

use super::{Account, sum};
use crate::billing::MoneyError;

/// What is open, by how long it is overdue; minor units.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Ageing {
    /// Not due yet, or due today.
    pub not_due: i64,
    /// 1 to 30 days overdue.
    pub days_1_to_30: i64,
    /// 31 to 60 days.
    pub days_31_to_60: i64,
    /// 61 to 90 days.
    pub days_61_to_90: i64,
    /// More than 90 days.
    pub over_90_days: i64,
    /// Paid, and not used for an invoice.
    pub credit: i64,
}

impl Ageing {
    /// Of an account, on its day.
    pub fn of(account: &Account) -> Result<Self, MoneyError> {
        let mut ageing = Self { credit: account.credit_minor, ..Self::default() };
        for owed in &account.invoices {
            let bucket = match days(owed.item.due, account.on) {
                ..=0 => &mut ageing.not_due,
                1..=30 => &mut ageing.days_1_to_30,
                31..=60 => &mut ageing.days_31_to_60,
                61..=90 => &mut ageing.days_61_to_90,
                _ => &mut ageing.over_90_days,
            };
            *bucket = bucket.checked_add(owed.open_minor).ok_or(MoneyError::Overflow)?;
        }
        Ok(ageing)
    }

    /// Everything that is open.
    pub fn open(&self) -> Result<i64, MoneyError> {
        let Self { not_due, days_1_to_30, days_31_to_60, days_61_to_90, over_90_days, credit: _ } = *self;
        sum([not_due, days_1_to_30, days_31_to_60, days_61_to_90, over_90_days].into_iter())
    }

    /// With those of another account.
    pub fn plus(&self, other: &Self) -> Result<Self, MoneyError> {
        let add = |a: i64, b: i64| a.checked_add(b).ok_or(MoneyError::Overflow);
        Ok(Self {
            not_due: add(self.not_due, other.not_due)?,
            days_1_to_30: add(self.days_1_to_30, other.days_1_to_30)?,
            days_31_to_60: add(self.days_31_to_60, other.days_31_to_60)?,
            days_61_to_90: add(self.days_61_to_90, other.days_61_to_90)?,
            over_90_days: add(self.over_90_days, other.over_90_days)?,
            credit: add(self.credit, other.credit)?,
        })
    }
}

/// How many days `to` is after `from`.
pub(super) fn days(from: Date, to: Date) -> i32 {
    (to - from).get_days()
}
