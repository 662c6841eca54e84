//! Everything that an installation remembers, as neutral rows that any engine can give and take.
//!
//! Owns the list of tables in the layout that all engines can read and write, and how one side is copied
//! to the other and compared with it. Must never say what a row holds: rows are personal data.

mod carry;
mod table;
mod tables;

pub use carry::{Difference, compare, copy};
pub use table::{Column, Kind, Row, Table, Value};
pub use tables::{DAY_KEYS, TABLES, table};

/// Rows that are read, written and compared at once.
pub const PAGE_ROWS: usize = 10_000;

/// Why a side cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum CopyError {
    /// The target remembers something already.
    #[error("the target holds data already")]
    NotEmpty,
    /// A side was written under another root key.
    #[error("the data was written under another root key than this key directory holds")]
    OtherKeys,
    /// A copy into this side was begun and not finished.
    #[error("a copy into it was begun and not finished")]
    Unfinished,
    /// Somebody serves from it.
    #[error("{0} is serving from it")]
    Serving(String),
    /// Another copy into it was begun meanwhile.
    #[error("another copy into it was begun meanwhile")]
    Overtaken,
    /// An accepted check of one node waits to be decided, and another node has a check of the same position.
    #[error("a check that was accepted waits to be decided, and in a file its place is another check's")]
    Undecided,
    /// A row holds what is never written.
    #[error("a row of table {0} holds what is never written")]
    Damaged(&'static str),
    /// The engine failed.
    #[error("{0}")]
    Engine(String),
}

/// A side that is read. Nobody changes it meanwhile; that the engine sees to as far as it can.
pub trait Source {
    /// Up to `limit` rows of `table` in the order of its key, after a row.
    fn rows(&mut self, table: &'static Table, after: Option<&Row>, limit: usize) -> Result<Vec<Row>, CopyError>;

    /// How many rows the table has, those included that its key does not reach.
    fn count(&mut self, table: &'static Table) -> Result<u64, CopyError>;

    /// Confirms that nobody served from it, or copied into it, since it was opened.
    fn confirm(&mut self) -> Result<(), CopyError>;
}

/// A side that is written, from nothing. Until it is finished it serves nobody.
pub trait Target: Source {
    /// Adds rows, in the order of the key.
    fn write(&mut self, table: &'static Table, rows: &[Row]) -> Result<(), CopyError>;

    /// Writes what follows from the rows. They are compared after this.
    fn complete(&mut self) -> Result<(), CopyError>;

    /// Says durably that all is there: from now on it may be served from.
    fn finish(&mut self) -> Result<(), CopyError>;
}
