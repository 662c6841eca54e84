//! Values on their way out of rows. One that the engine never writes is an error: somebody altered it.

use jiff::Timestamp;
use laini_core::billing::CheckId;
use tokio_postgres::Row;
use tokio_postgres::types::FromSql;

use crate::error::DbError;

/// One row, read by the names of its columns.
pub(crate) struct Columns<'a>(pub(crate) &'a Row);

impl<'a> Columns<'a> {
    /// The value of a column.
    pub(crate) fn get<T: FromSql<'a>>(&self, column: &'static str) -> Result<T, DbError> {
        self.0.try_get(column).map_err(|_| DbError::Damaged(column))
    }

    /// A number of so many bits.
    pub(crate) fn bits(&self, column: &'static str, bits: u32) -> Result<u64, DbError> {
        narrow(self.get(column)?, bits).ok_or(DbError::Damaged(column))
    }

    /// A number of so many bits, or none.
    pub(crate) fn optional_bits(&self, column: &'static str, bits: u32) -> Result<Option<u64>, DbError> {
        let value: Option<i64> = self.get(column)?;
        value.map(|value| narrow(value, bits).ok_or(DbError::Damaged(column))).transpose()
    }

    /// A count or a version that fits 32 bits.
    pub(crate) fn small(&self, column: &'static str) -> Result<u32, DbError> {
        u32::try_from(self.get::<i64>(column)?).map_err(|_| DbError::Damaged(column))
    }

    /// An instant.
    pub(crate) fn instant(&self, column: &'static str) -> Result<Timestamp, DbError> {
        Timestamp::from_microsecond(self.get(column)?).map_err(|_| DbError::Damaged(column))
    }

    /// An instant, or none.
    pub(crate) fn optional_instant(&self, column: &'static str) -> Result<Option<Timestamp>, DbError> {
        let micros: Option<i64> = self.get(column)?;
        micros.map(|micros| Timestamp::from_microsecond(micros).map_err(|_| DbError::Damaged(column))).transpose()
    }

    /// So many bytes.
    pub(crate) fn bytes<const N: usize>(&self, column: &'static str) -> Result<[u8; N], DbError> {
        self.get::<&[u8]>(column)?.try_into().map_err(|_| DbError::Damaged(column))
    }

    /// So many bytes, or none.
    pub(crate) fn optional_bytes<const N: usize>(&self, column: &'static str) -> Result<Option<[u8; N]>, DbError> {
        let bytes: Option<&[u8]> = self.get(column)?;
        bytes.map(|bytes| bytes.try_into().map_err(|_| DbError::Damaged(column))).transpose()
    }

    /// One of `all` by its code.
    pub(crate) fn code<T: Copy>(&self, column: &'static str, all: &[T], code: fn(T) -> i16) -> Result<T, DbError> {
        let found: i16 = self.get(column)?;
        all.iter().copied().find(|value| code(*value) == found).ok_or(DbError::Damaged(column))
    }

    /// What a word says.
    pub(crate) fn word<T>(&self, column: &'static str, parse: impl FnOnce(&str) -> Option<T>) -> Result<T, DbError> {
        parse(self.get(column)?).ok_or(DbError::Damaged(column))
    }

    /// The id of `position` and `tail`.
    pub(crate) fn check_id(&self) -> Result<CheckId, DbError> {
        Ok(CheckId::from_parts(self.bits("position", POSITION_BITS)?, self.bits("tail", 62)?))
    }
}

/// Positions lie below 2⁶⁰ ([`CheckId::position`]).
pub(crate) const POSITION_BITS: u32 = 60;

fn narrow(value: i64, bits: u32) -> Option<u64> {
    let value = value.cast_unsigned();
    (value.checked_shr(bits).unwrap_or(0) == 0).then_some(value)
}

/// An id's two columns.
pub(crate) fn place(id: CheckId) -> (i64, i64) {
    (id.position().cast_signed(), id.tail().cast_signed())
}
