use std::path::Path;

use jiff::Timestamp;
use laini_core::store::{ChainHead, Mac};
use laini_store::copy::{CopyError, Row, Table, Value};
use laini_store::ledger::HeadFile;
use rusqlite::{Connection, params_from_iter};

use super::failed;
use super::read::{Param, is_placed, place};

/// The tables that a row goes to, each with the columns that it takes of it.
fn places(table: &'static Table) -> Vec<(&'static str, Vec<&'static str>)> {
    let all = || table.columns.iter().map(|column| column.name);
    let without = |gone: &[&str]| all().filter(|name| !gone.contains(name)).collect();
    match table.name {
        "accounts_meta" | "world_meta" => vec![("meta", all().collect())],
        "world_line" => vec![("line", all().collect())],
        "world_event" => vec![("event", all().collect())],
        "registry_state" => vec![("generation", all().collect())],
        "line" => vec![("line", without(&["hashed_imsi"])), ("line_extra", vec!["msisdn", "hashed_imsi"])],
        "subject" | "forgotten" | "reversed" => vec![(table.name, without(&["partner", "tail"]))],
        _ => vec![(table.name, all().collect())],
    }
}

/// Writes rows in one transaction.
pub(super) fn rows(file: &Connection, table: &'static Table, rows: &[Row]) -> Result<(), CopyError> {
    let transaction = file.unchecked_transaction().map_err(failed(table))?;
    if table.name.ends_with("_meta") {
        transaction.execute("DELETE FROM meta", []).map_err(failed(table))?;
    }
    let placed = if is_placed(table) { Some(at_places(&transaction, table, rows)?) } else { None };
    let rows = placed.as_deref().unwrap_or(rows);
    for (name, columns) in places(table) {
        let (list, marks) = (columns.join(", "), vec!["?"; columns.len()].join(", "));
        let sql = match name {
            // What is applied is said when everything is there.
            "generation" => format!(
                "INSERT INTO generation (one, applied_event, applied_refused, {list}) VALUES (1, 0, 0, {marks})"
            ),
            "line_extra" => "INSERT INTO line_extra SELECT ?1, ?2 WHERE ?2 IS NOT NULL".to_owned(),
            _ => format!("INSERT INTO {name} ({list}) VALUES ({marks})"),
        };
        let mut insert = transaction.prepare_cached(&sql).map_err(failed(table))?;
        let place = |name: &&str| table.columns.iter().position(|column| column.name == *name);
        let taken: Vec<usize> = columns.iter().filter_map(place).collect();
        for row in rows {
            let values = taken.iter().filter_map(|place| row.get(*place)).map(Param);
            insert.execute(params_from_iter(values)).map_err(failed(table))?;
        }
    }
    transaction.commit().map_err(failed(table))
}

/// The same rows with places for positions. A row of the ledger gets its own as long as nobody has it, else
/// the next free one; they come in the order of ids, and places keep it.
fn at_places(file: &Connection, table: &'static Table, rows: &[Row]) -> Result<Vec<Row>, CopyError> {
    let newest = "SELECT ifnull(max(position), -1) FROM ledger";
    let mut newest: i64 = file.query_row(newest, [], |row| row.get(0)).map_err(failed(table))?;
    let mut displace = file.prepare_cached("INSERT INTO displaced VALUES (?, ?, ?)").map_err(failed(table))?;
    let column = table.columns.iter().position(|column| column.name == "position");
    let mut placed = rows.to_vec();
    for row in &mut placed {
        let (position, tail) = (table.integer(row, "position")?, table.integer(row, "tail")?);
        let place = if table.name == "ledger" {
            let place = position.max(newest + 1);
            if place != position {
                displace.execute([place, position, tail]).map_err(failed(table))?;
            }
            newest = place;
            place
        } else {
            place(file, table, row)?
        };
        if let Some(value) = column.and_then(|column| row.get_mut(column)) {
            *value = Value::Integer(place);
        }
    }
    Ok(placed)
}

/// Refuses accepted checks whose rows would find their places taken: their ids are as old as they are.
pub(super) fn can_be_decided(ledger: &Connection) -> Result<(), CopyError> {
    let sql = "SELECT EXISTS (SELECT 1 FROM accepted JOIN ledger USING (position))
        OR EXISTS (SELECT 1 FROM accepted GROUP BY position HAVING count(*) > 1)";
    let collide: bool = ledger.query_row(sql, [], |row| row.get(0)).map_err(engine)?;
    if collide { Err(CopyError::Undecided) } else { Ok(()) }
}

/// Says that the generation holds all that the history has: so does every one that is copied.
pub(super) fn catch_up(generation: &Connection, history: &Connection) -> Result<(), CopyError> {
    let newest = |table| {
        let sql = format!("SELECT ifnull(max(seq), 0) FROM {table}");
        history.query_row(&sql, [], |row| row.get::<_, i64>(0)).map_err(engine)
    };
    let applied = [newest("event")?, newest("refused")?];
    generation
        .execute("UPDATE generation SET applied_event = ?1, applied_refused = ?2", applied)
        .map(drop)
        .map_err(engine)
}

/// Whether a snapshot or an event ever came into it.
pub(super) fn is_loaded(generation: &Connection) -> Result<bool, CopyError> {
    let sql = "SELECT EXISTS (SELECT 1 FROM generation)";
    generation.query_row(sql, [], |row| row.get(0)).map_err(engine)
}

/// Writes down where the chain of each writer ends.
pub(super) fn heads(ledger: &Connection, dir: &Path) -> Result<(), CopyError> {
    // The other columns are those of the row that has the maximum.
    let sql = "SELECT writer, max(seq), mac, at FROM ledger GROUP BY writer ORDER BY writer";
    let mut statement = ledger.prepare(sql).map_err(engine)?;
    let mut ends = statement.query([]).map_err(engine)?;
    let mut file = HeadFile::open(dir).map_err(engine)?;
    while let Some(row) = ends.next().map_err(engine)? {
        let at = Timestamp::from_microsecond(row.get(3).map_err(engine)?).map_err(engine)?;
        let seq: i64 = row.get(1).map_err(engine)?;
        let mac = Mac(row.get(2).map_err(engine)?);
        let head = ChainHead { at, writer: row.get(0).map_err(engine)?, seq: seq.cast_unsigned(), mac };
        file.append(&head).map_err(engine)?;
    }
    Ok(())
}

fn engine(error: impl std::fmt::Display) -> CopyError {
    CopyError::Engine(error.to_string())
}
