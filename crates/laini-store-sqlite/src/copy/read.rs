use laini_store::copy::{CopyError, Kind, Row, Table, Value};
use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, ToSql, params_from_iter};

use super::failed;

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
        "subject" => {
            "(SELECT partner, ledger.position, tail, number_hash, repeat_key, repeat_window_s, sealed
              FROM ledger CROSS JOIN subject USING (position))"
        }
        "forgotten" => {
            "(SELECT partner, ledger.position, tail, number_hash FROM ledger CROSS JOIN forgotten USING (position))"
        }
        "reversed" => {
            "(SELECT partner, ledger.position, tail, by_position FROM ledger CROSS JOIN reversed USING (position))"
        }
        _ => table.name,
    }
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
    let (columns, from, key) = (table.column_list(), from(table), table.key.join(", "));
    let marks = vec!["?"; table.key.len()].join(", ");
    let later = after.map_or(String::new(), |_| format!("WHERE ({key}) > ({marks})"));
    let sql = format!("SELECT {columns} FROM {from} {later} ORDER BY {key} LIMIT {limit}");
    let mut statement = file.prepare_cached(&sql).map_err(failed(table))?;
    let after: Vec<Param<'_>> = after.into_iter().flat_map(|row| table.key_of(row)).map(Param).collect();
    let mut found = statement.query(params_from_iter(after)).map_err(failed(table))?;
    let mut rows = Vec::new();
    while let Some(row) = found.next().map_err(failed(table))? {
        let value = |(place, column): (usize, &laini_store::copy::Column)| {
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
