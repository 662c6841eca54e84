use laini_core::billing::CheckId;
use laini_store::copy::{Column, CopyError, Kind, Row, Table, Value};
use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, ToSql, params_from_iter};

use super::failed;
use crate::ledger;

/// What a table is read from: itself, or what gives its columns.
fn from(table: &Table) -> &'static str {
    match table.name {
        "accounts_meta" | "world_meta" => "meta",
        "world_line" => "line",
        "world_event" => "event",
        "registry_state" => "generation",
        "line" => {
            "(SELECT line.msisdn, registered, flags, swapped, holder, paired, imsi, hashed_imsi
              FROM line LEFT JOIN line_extra USING (msisdn))"
        }
        "ledger" => "ledger",
        "subject" => "ledger CROSS JOIN subject USING (position)",
        "forgotten" => "ledger CROSS JOIN forgotten USING (position)",
        "reversed" => "ledger CROSS JOIN reversed USING (position)",
        _ => table.name,
    }
}

/// Whether its rows stand at the places of the ledger's.
pub(super) fn is_placed(table: &Table) -> bool {
    matches!(table.name, "ledger" | "subject" | "forgotten" | "reversed")
}

/// What a row is read from where its table has places: they are in the order of ids, and have an index.
const POSITION: &str = "ifnull((SELECT displaced.position FROM displaced WHERE displaced.place = ledger.position), \
    ledger.position)";

/// The statement that reads a page, and the values of the row that it follows.
fn page(
    file: &Connection,
    table: &'static Table,
    after: Option<&Row>,
    limit: usize,
) -> Result<(String, Vec<Value>), CopyError> {
    let (from, is_placed) = (from(table), is_placed(table));
    let column = |column: &Column| match column.name {
        "position" if is_placed => POSITION.to_owned(),
        other => other.to_owned(),
    };
    let columns: Vec<String> = table.columns.iter().map(column).collect();
    let key = if is_placed { "ledger.position".to_owned() } else { table.key.join(", ") };
    let after: Vec<Value> = match after {
        Some(row) if is_placed => vec![Value::Integer(place(file, table, row)?)],
        after => after.into_iter().flat_map(|row| table.key_of(row)).cloned().collect(),
    };
    let marks = vec!["?"; after.len()].join(", ");
    let later = if after.is_empty() { String::new() } else { format!("WHERE ({key}) > ({marks})") };
    Ok((format!("SELECT {} FROM {from} {later} ORDER BY {key} LIMIT {limit}", columns.join(", ")), after))
}

/// The place of a row's check.
pub(super) fn place(file: &Connection, table: &'static Table, row: &Row) -> Result<i64, CopyError> {
    let (position, tail) = (table.integer(row, "position")?, table.integer(row, "tail")?);
    ledger::place(file, CheckId::from_parts(position.cast_unsigned(), tail.cast_unsigned())).map_err(failed(table))
}

/// The table whose rows count.
fn counted(table: &Table) -> &'static str {
    match table.name {
        "line" | "subject" | "forgotten" | "reversed" => table.name,
        _ => from(table),
    }
}

pub(super) fn rows(
    file: &Connection,
    table: &'static Table,
    after: Option<&Row>,
    limit: usize,
) -> Result<Vec<Row>, CopyError> {
    let (sql, after) = page(file, table, after, limit)?;
    let mut statement = file.prepare_cached(&sql).map_err(failed(table))?;
    let mut found = statement.query(params_from_iter(after.iter().map(Param))).map_err(failed(table))?;
    let mut rows = Vec::new();
    while let Some(row) = found.next().map_err(failed(table))? {
        let value = |(place, column): (usize, &Column)| {
            let value = row.get_ref(place).map_err(failed(table))?;
            neutral(value, column.kind).ok_or(CopyError::Damaged(table.name))
        };
        rows.push(table.columns.iter().enumerate().map(value).collect::<Result<_, _>>()?);
    }
    Ok(rows)
}

pub(super) fn count(file: &Connection, table: &'static Table) -> Result<u64, CopyError> {
    let sql = format!("SELECT count(*) FROM {}", counted(table));
    let count: i64 = file.query_row(&sql, [], |row| row.get(0)).map_err(failed(table))?;
    Ok(count.cast_unsigned())
}

fn neutral(value: ValueRef<'_>, kind: Kind) -> Option<Value> {
    Some(match (value, kind) {
        (ValueRef::Null, _) => Value::Null,
        (ValueRef::Integer(value), Kind::Integer) => Value::Integer(value),
        (ValueRef::Integer(value @ (0 | 1)), Kind::Boolean) => Value::Boolean(value == 1),
        (ValueRef::Text(text), Kind::Text) => Value::Text(std::str::from_utf8(text).ok()?.to_owned()),
        (ValueRef::Blob(bytes), Kind::Bytes) => Value::Bytes(bytes.to_vec()),
        _ => return None,
    })
}

/// A value on its way into a statement.
pub(super) struct Param<'a>(pub(super) &'a Value);

impl ToSql for Param<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self.0 {
            Value::Null => ValueRef::Null,
            Value::Integer(value) => ValueRef::Integer(*value),
            Value::Text(text) => ValueRef::Text(text.as_bytes()),
            Value::Bytes(bytes) => ValueRef::Blob(bytes),
            Value::Boolean(value) => ValueRef::Integer(i64::from(*value)),
        }))
    }
}
