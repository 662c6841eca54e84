use super::CopyError;

/// A table in the layout that both engines share.
#[derive(Debug, PartialEq, Eq)]
pub struct Table {
    /// Its name.
    pub name: &'static str,
    /// Its columns, in the order of the values of a row.
    pub columns: &'static [Column],
    /// The columns that order its rows, and tell them apart.
    pub key: &'static [&'static str],
}

/// A column.
#[derive(Debug, PartialEq, Eq)]
pub struct Column {
    /// Its name.
    pub name: &'static str,
    /// What it holds, where it holds something.
    pub kind: Kind,
}

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A whole number of up to 64 bits.
    Integer,
    /// Text.
    Text,
    /// Bytes.
    Bytes,
    /// True or false.
    Boolean,
}

/// A value of any engine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// Nothing.
    Null,
    /// A whole number.
    Integer(i64),
    /// Text.
    Text(String),
    /// Bytes.
    Bytes(Vec<u8>),
    /// True or false.
    Boolean(bool),
}

/// The values of a row, in the order of its table's columns.
pub type Row = Vec<Value>;

impl Table {
    /// The values of a row's key.
    pub fn key_of<'a>(&self, row: &'a Row) -> impl Iterator<Item = &'a Value> {
        let place = |name: &&str| self.columns.iter().position(|column| column.name == *name);
        let places: Vec<usize> = self.key.iter().filter_map(place).collect();
        places.into_iter().filter_map(|place| row.get(place))
    }

    /// The kinds of its key's columns, with their names.
    pub fn key_columns(&self) -> impl Iterator<Item = &'static Column> {
        self.key.iter().filter_map(|name| self.columns.iter().find(|column| column.name == *name))
    }

    /// The whole number in a column of one of its rows.
    pub fn integer(&'static self, row: &Row, column: &str) -> Result<i64, CopyError> {
        let place = self.columns.iter().position(|one| one.name == column);
        match place.and_then(|place| row.get(place)) {
            Some(Value::Integer(value)) => Ok(*value),
            _ => Err(CopyError::Damaged(self.name)),
        }
    }
}
