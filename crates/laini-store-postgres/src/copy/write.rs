use std::fmt::Write as _;

use bytes::Bytes;
use futures_util::{SinkExt as _, pin_mut};
use laini_store::copy::{CopyError, Row, Table, Value};

use super::begin::{hold, told};
use crate::database::{Link, Transaction, params, within};
use crate::registry::generations;

/// The writer that counts of another engine are kept under.
const COUNTED_BY: i64 = 1;

/// Rows on their way into the database.
pub(super) enum Piece {
    /// In the text form of COPY.
    Rows { copy: String, text: Bytes },
    /// The row of the registry's state, which is there already.
    State { generation: i64, cut: Option<i64>, rest: [i64; 3] },
}

impl Piece {
    pub(super) fn of(table: &'static Table, generation: i64, rows: &[Row]) -> Result<Self, CopyError> {
        if table.name == "registry_state" {
            let row = rows.first().ok_or(CopyError::Damaged(table.name))?;
            let rest = ["history_since", "lines", "refused_rows"].map(|column| table.integer(row, column));
            let [history_since, lines, refused_rows] = rest;
            let rest = [history_since?, lines?, refused_rows?];
            return Ok(Self::State { generation, cut: table.integer(row, "cut").ok(), rest });
        }
        // What other engines have no column for.
        let more: Vec<(&str, i64)> = match table.name {
            "line" | "line_base" | "unapplied" => vec![("generation", generation)],
            "usage" => vec![("writer", COUNTED_BY)],
            "accounts_meta" => vec![("one", 1), ("audits", 0)],
            "world_meta" => vec![("one", 1)],
            _ => Vec::new(),
        };
        let into = if table.name == "line" { generations::table(generation) } else { table.name.to_owned() };
        let (names, values): (Vec<&str>, Vec<String>) =
            more.into_iter().map(|(name, value)| (name, value.to_string())).unzip();
        let columns = names.into_iter().chain(table.columns.iter().map(|column| column.name)).collect::<Vec<_>>();
        let copy = format!("COPY {into} ({}) FROM STDIN", columns.join(", "));
        let mut text = String::new();
        for row in rows {
            for value in &values {
                text.push_str(value);
                text.push('\t');
            }
            for value in row {
                put(&mut text, value);
                text.push('\t');
            }
            // Instead of the tab after the last value.
            text.pop();
            text.push('\n');
        }
        Ok(Self::Rows { copy, text: Bytes::from(text) })
    }

    /// Writes it, all or nothing.
    pub(super) async fn write(self, link: &Link, fence: i64) -> Result<(), CopyError> {
        let written = match self {
            Self::Rows { copy, text } => {
                let write = async |transaction: &Transaction<'_>| {
                    hold(transaction, fence).await?;
                    let copying = async {
                        let sink = transaction.connection().client().copy_in::<_, Bytes>(&copy).await?;
                        pin_mut!(sink);
                        sink.feed(text.clone()).await?;
                        sink.finish().await
                    };
                    within(link.until(), copying).await?;
                    Ok(())
                };
                link.transact_or(write).await
            }
            Self::State { generation, cut, rest: [history_since, lines, refused_rows] } => {
                let sql =
                    "UPDATE registry_state SET version = version + 1, generation = $1, cut = $2, history_since = $3,
                    lines = $4, refused_rows = $5";
                let row = params![generation, cut, history_since, lines, refused_rows];
                let write = async |transaction: &Transaction<'_>| {
                    hold(transaction, fence).await?;
                    transaction.execute(sql, row).await?;
                    Ok(())
                };
                link.transact_or(write).await
            }
        };
        written.map_err(told)
    }
}

/// A value as COPY reads it.
fn put(to: &mut String, value: &Value) {
    match value {
        Value::Null => to.push_str("\\N"),
        Value::Integer(value) => {
            let _ = write!(to, "{value}");
        }
        Value::Boolean(value) => to.push(if *value { 't' } else { 'f' }),
        Value::Bytes(bytes) => {
            const DIGITS: &[u8; 16] = b"0123456789abcdef";
            to.push_str("\\\\x");
            for byte in bytes {
                to.push(char::from(DIGITS[usize::from(byte >> 4)]));
                to.push(char::from(DIGITS[usize::from(byte & 15)]));
            }
        }
        Value::Text(text) => {
            for c in text.chars() {
                match c {
                    '\\' => to.push_str("\\\\"),
                    '\t' => to.push_str("\\t"),
                    '\n' => to.push_str("\\n"),
                    '\r' => to.push_str("\\r"),
                    other => to.push(other),
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_written_as_copy_reads_them() {
        let mut text = String::new();
        for value in [
            Value::Null,
            Value::Integer(-7),
            Value::Boolean(true),
            Value::Bytes(vec![0, 0xab]),
            Value::Text("a\\b\tc\nd\re\\N".to_owned()),
        ] {
            put(&mut text, &value);
            text.push('|');
        }
        assert_eq!(text, "\\N|-7|t|\\\\x00ab|a\\\\b\\tc\\nd\\re\\\\N|");
    }
}
