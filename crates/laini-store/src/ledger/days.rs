use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use laini_core::store::{AskedCheck, DayKey, DayKeyError, DayKeys, LedgerError, LedgerRow, SubjectHash};

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

/// Opens side rows of few days, reading the key of each day once.
pub struct DayOpener<'a> {
    day_keys: &'a dyn DayKeys,
    keys: HashMap<Date, Option<DayKey>>,
}

impl<'a> DayOpener<'a> {
    /// An opener with these keys.
    pub fn new(day_keys: &'a dyn DayKeys) -> Self {
        Self { day_keys, keys: HashMap::new() }
    }

    /// The check of a row with what lies there of its number. A side row whose key was destroyed, or that somebody damaged
    /// (`laini ledger verify` names it), counts as forgotten: a report about many must not end at one.
    pub fn asked(
        &mut self,
        row: LedgerRow,
        number: Option<SubjectHash>,
        sealed: Option<&[u8]>,
    ) -> Result<AskedCheck, LedgerError> {
        let mut subject = None;
        if let (Some(sealed), Some(hash)) = (sealed, number) {
            let key = match self.keys.entry(day_of(row.at)) {
                Entry::Occupied(known) => known.into_mut(),
                Entry::Vacant(place) => place.insert(existing_day_key(self.day_keys, row.at)?),
            };
            subject = key.as_ref().and_then(|key| key.open(row.id, sealed, hash).ok());
        }
        Ok(AskedCheck { row, number, subject })
    }
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
