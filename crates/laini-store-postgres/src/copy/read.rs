use laini_store::copy::{Column, CopyError, Kind, Row, Table, Value};
use tokio_postgres::types::{ToSql, Type};

use crate::columns::Columns;
use crate::database::{Link, Sql};
use crate::error::DbError;

/// A parameter and its type.
type Param<'a> = (&'a (dyn ToSql + Sync), Type);

/// What a table is read from: itself, or what gives its columns.
fn from(table: &Table, generation: Option<i64>) -> String {
    let of_ledger = |columns: &str| {
        format!(
            "(SELECT l.partner, l.position, l.tail, {columns}
              FROM ledger l JOIN {} s ON (s.partner, s.position, s.tail) = (l.partner, l.position, l.tail)) AS t",
            table.name
        )
    };
    match table.name {
        "registry_state" => "(SELECT * FROM registry_state WHERE generation IS NOT NULL) AS t".to_owned(),
        // No generation has a negative number.
        "line" | "line_base" | "unapplied" => {
            format!("(SELECT * FROM {} WHERE generation = {}) AS t", table.name, generation.unwrap_or(-1))
        }
        "subject" => of_ledger("number_hash, repeat_key, repeat_window_s, sealed"),
        "forgotten" => of_ledger("number_hash"),
        "reversed" => of_ledger("by_position"),
        // Each writer counts in rows of its own.
        "usage" => "(SELECT quarter, app, product, environment, outcome, sum(checks)::bigint AS checks,
              sum(charged_minor)::bigint AS charged_minor FROM usage GROUP BY 1, 2, 3, 4, 5) AS t"
            .to_owned(),
        _ => table.name.to_owned(),
    }
}

pub(super) async fn rows(
    link: &Link,
    table: &'static Table,
    generation: Option<i64>,
    after: Option<&Row>,
    limit: usize,
) -> Result<Vec<Row>, CopyError> {
    // Both engines have texts in the order of their bytes.
    let ordered = |column: &Column| match column.kind {
        Kind::Text => format!("{} COLLATE \"C\"", column.name),
        _ => column.name.to_owned(),
    };
    let read = |column: &Column| match column.kind {
        Kind::Integer => format!("{0}::bigint AS {0}", column.name),
        _ => column.name.to_owned(),
    };
    let columns: Vec<String> = table.columns.iter().map(read).collect();
    let key: Vec<String> = table.key_columns().map(ordered).collect();
    let marks: Vec<String> = (1..=key.len()).map(|number| format!("${number}")).collect();
    let (columns, from, key, marks) = (columns.join(", "), from(table, generation), key.join(", "), marks.join(", "));
    let later = after.map_or(String::new(), |_| format!("WHERE ({key}) > ({marks})"));
    // Ordered by the columns themselves, which have an index, not by what is made of them.
    let sql = format!(
        "SELECT {columns} FROM (SELECT * FROM {from} {later} ORDER BY {key} LIMIT {limit}) AS page ORDER BY {key}"
    );
    let after: Vec<Param<'_>> = after.into_iter().flat_map(|row| table.key_of(row)).filter_map(param).collect();
    let found = link.query(&sql, &after).await?;
    let value = |row, column: &'static Column| neutral(&Columns(row), column);
    let row = |row| table.columns.iter().map(|column| value(row, column)).collect::<Result<Row, DbError>>();
    Ok(found.iter().map(row).collect::<Result<_, _>>()?)
}

pub(super) async fn count(link: &Link, table: &'static Table, generation: Option<i64>) -> Result<u64, CopyError> {
    let counted = match table.name {
        "subject" | "forgotten" | "reversed" => table.name.to_owned(),
        _ => from(table, generation),
    };
    let row = link.query_opt(&format!("SELECT count(*) AS rows FROM {counted}"), &[]).await?;
    let row = row.ok_or(CopyError::Damaged(table.name))?;
    Ok(Columns(&row).get::<i64>("rows")?.cast_unsigned())
}

/// A key's value; keys are never null.
fn param(value: &Value) -> Option<Param<'_>> {
    match value {
        Value::Null => None,
        Value::Integer(value) => Some(value.typed()),
        Value::Text(text) => Some(text.typed()),
        Value::Bytes(bytes) => Some(bytes.typed()),
        Value::Boolean(value) => Some(value.typed()),
    }
}

fn neutral(row: &Columns<'_>, column: &'static Column) -> Result<Value, DbError> {
    Ok(match column.kind {
        Kind::Integer => row.get::<Option<i64>>(column.name)?.map_or(Value::Null, Value::Integer),
        Kind::Text => row.get::<Option<String>>(column.name)?.map_or(Value::Null, Value::Text),
        Kind::Bytes => row.get::<Option<Vec<u8>>>(column.name)?.map_or(Value::Null, Value::Bytes),
        Kind::Boolean => row.get::<Option<bool>>(column.name)?.map_or(Value::Null, Value::Boolean),
    })
}
