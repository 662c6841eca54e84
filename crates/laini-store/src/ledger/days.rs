use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use laini_core::store::{DayKey, DayKeyError, DayKeys, LedgerError};

/// A day in seconds.
pub const DAY_S: i64 = 86_400;

/// The day (UTC) whose key seals what belongs to this instant.
pub fn day_of(at: Timestamp) -> Date {
    at.to_zoned(TimeZone::UTC).date()
}

/// The key of an instant's day if it was not destroyed.
pub fn existing_day_key(day_keys: &dyn DayKeys, at: Timestamp) -> Result<Option<DayKey>, LedgerError> {
    day_keys.existing(day_of(at)).map_err(|error| LedgerError::Unreadable(error.to_string()))
}

/// The key that was used last, for the next check of its day.
#[derive(Debug, Default)]
pub struct Today(Mutex<Option<(i64, Arc<DayKey>)>>);

impl Today {
    /// The key of an instant's day, made where it is the first use.
    pub fn key(&self, day_keys: &dyn DayKeys, at: Timestamp) -> Result<Arc<DayKey>, LedgerError> {
        let day = at.as_second().div_euclid(DAY_S);
        let mut today = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((known, key)) = &*today
            && *known == day
        {
            return Ok(Arc::clone(key));
        }
        let not_recorded = |error: DayKeyError| LedgerError::NotRecorded(error.to_string());
        let key = Arc::new(day_keys.key(day_of(at)).map_err(not_recorded)?);
        *today = Some((day, Arc::clone(&key)));
        Ok(key)
    }
}
