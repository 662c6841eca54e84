use std::fmt;

use laini_core::store::{RecordId, RecordKey, RecordKind};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::Problem;

/// Something that is kept as a record. Its form is that of its `Serialize`: a field that is added later needs
/// `#[serde(default)]`, and none is ever renamed.
pub trait Kept: Serialize + DeserializeOwned {
    /// Which record it is.
    const KIND: RecordKind;
    /// What people call one of them.
    const NOUN: &'static str;

    /// Its id.
    fn id(&self) -> RecordId;

    /// What it is found by.
    fn keys(&self) -> Vec<RecordKey>;
}

/// A key that several may share; `order` puts those of one value in a row.
#[expect(clippy::needless_pass_by_value, reason = "values are given as they are")]
pub fn key(index: &'static str, value: impl ToString, order: i64) -> RecordKey {
    RecordKey { index, key: value.to_string(), order, is_unique: false }
}

/// A key that one alone may have.
#[expect(clippy::needless_pass_by_value, reason = "values are given as they are")]
pub fn unique(index: &'static str, value: impl ToString) -> RecordKey {
    RecordKey { index, key: value.to_string(), order: 0, is_unique: true }
}

/// Where a page ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cursor(pub(crate) i64, pub(crate) RecordId);

impl Cursor {
    /// Reads what `Display` wrote.
    pub fn parse(text: &str) -> Result<Self, Problem> {
        let parts = text.split_once('.').and_then(|(order, id)| {
            let id = u64::from_str_radix(id, 16).ok().filter(|id| id >> 63 == 0)?;
            Some(Self(order.parse().ok()?, RecordId(id)))
        });
        parts.ok_or(Problem::invalid("after", "expected the next of the page before"))
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:x}", self.0, self.1.0)
    }
}

/// Which page of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PageRequest {
    /// After the end of the page before.
    pub after: Option<Cursor>,
    /// At most so many, 1 to [`PageRequest::LIMIT_MAX`].
    pub limit: usize,
    /// From the other end: what is listed newest first comes oldest first.
    pub is_turned: bool,
}

impl PageRequest {
    /// The longest page.
    pub const LIMIT_MAX: usize = 500;
    /// The first page, of the usual length.
    pub const FIRST: Self = Self { after: None, limit: 50, is_turned: false };
    /// The first page, as long as it may be.
    pub const LONGEST: Self = Self { limit: Self::LIMIT_MAX, ..Self::FIRST };
}

/// A page of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T> {
    /// What is on it.
    pub items: Vec<T>,
    /// Where the next one begins, where there is more.
    pub next: Option<Cursor>,
}
