//! Keys of days on their way between files and a database, among the tables of a copy.

use std::collections::BTreeSet;

use anyhow::Context as _;
use jiff::Span;
use jiff::civil::{Date, date};
use laini_core::store::DayKeySeal;
use laini_store::copy::{CopyError, DAY_KEYS, Row, Source, Table, Target, Value};

use super::FileDayKeys;

/// A side whose keys of days are files: as the rows of a table they are sealed.
pub(crate) struct WithDayKeys<S> {
    side: S,
    keys: FileDayKeys,
    seal: DayKeySeal,
    /// `None` where all that are there count; otherwise those that the copy brought.
    brought: Option<BTreeSet<Date>>,
}

impl<S: Source> WithDayKeys<S> {
    /// A side that is read.
    pub(crate) fn source(side: S, keys: FileDayKeys, seal: DayKeySeal) -> Self {
        Self { side, keys, seal, brought: None }
    }

    /// A side that is written. Keys of other days that are there stay.
    pub(crate) fn target(side: S, keys: FileDayKeys, seal: DayKeySeal) -> Self {
        Self { side, keys, seal, brought: Some(BTreeSet::new()) }
    }

    fn days(&self) -> Result<Vec<Date>, CopyError> {
        let mut days = self.keys.all().map_err(failed)?;
        if let Some(brought) = &self.brought {
            days.retain(|day| brought.contains(day));
        }
        Ok(days)
    }

    fn sealed(&self, day: Date) -> Result<Row, CopyError> {
        let key = self.keys.bytes(day).and_then(|key| key.context("it is gone")).map_err(failed)?;
        Ok(vec![Value::Integer(number(day)), Value::Bytes(self.seal.seal(day, &key))])
    }
}

impl<S: Source> Source for WithDayKeys<S> {
    fn rows(&mut self, table: &'static Table, after: Option<&Row>, limit: usize) -> Result<Vec<Row>, CopyError> {
        if table.name != DAY_KEYS {
            return self.side.rows(table, after, limit);
        }
        let after = after.map(|row| table.integer(row, "day")).transpose()?.unwrap_or(i64::MIN);
        let days = self.days()?.into_iter().filter(|day| number(*day) > after).take(limit);
        days.map(|day| self.sealed(day)).collect()
    }

    fn count(&mut self, table: &'static Table) -> Result<u64, CopyError> {
        if table.name == DAY_KEYS { Ok(self.days()?.len() as u64) } else { self.side.count(table) }
    }

    fn confirm(&mut self) -> Result<(), CopyError> {
        self.side.confirm()
    }
}

impl<S: Target> Target for WithDayKeys<S> {
    fn write(&mut self, table: &'static Table, rows: &[Row]) -> Result<(), CopyError> {
        if table.name != DAY_KEYS {
            return self.side.write(table, rows);
        }
        for row in rows {
            let (Some(day), Some(Value::Bytes(sealed))) = (day(table.integer(row, "day")?), row.last()) else {
                return Err(CopyError::Damaged(DAY_KEYS));
            };
            let key = self.seal.open_bytes(day, sealed).ok_or(CopyError::OtherKeys)?;
            self.keys.put(day, &key).map_err(failed)?;
            self.brought.get_or_insert_default().insert(day);
        }
        Ok(())
    }

    fn complete(&mut self) -> Result<(), CopyError> {
        self.side.complete()
    }

    fn finish(&mut self) -> Result<(), CopyError> {
        self.side.finish()
    }
}

fn failed(error: impl std::fmt::Display) -> CopyError {
    CopyError::Engine(format!("{error:#}"))
}

const FIRST_DAY: Date = date(1970, 1, 1);

/// Days since 1970.
fn number(day: Date) -> i64 {
    // A span between two dates is in days and always fits.
    day.since(FIRST_DAY).map(|span| i64::from(span.get_days())).unwrap_or_default()
}

fn day(number: i64) -> Option<Date> {
    let span = Span::new().try_days(number).ok()?;
    FIRST_DAY.checked_add(span).ok()
}
