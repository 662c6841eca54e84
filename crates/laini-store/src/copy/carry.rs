use super::{CopyError, PAGE_ROWS, Source, Table, Target};

/// Where two sides differ first. It never says what stands there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Difference {
    /// A row is not the same.
    #[error("row {row} of table {table} is not the same on both sides")]
    Row {
        /// The table.
        table: &'static str,
        /// Its place in the order of the key, from 1.
        row: u64,
    },
    /// One side has more.
    #[error("table {table} has {from} rows on one side and {to} on the other")]
    Count {
        /// The table.
        table: &'static str,
        /// Rows of the source.
        from: u64,
        /// Rows of the target.
        to: u64,
    },
}

/// Copies a table. `progress` is told how many rows are written so far. Returns how many there were.
pub fn copy(
    table: &'static Table,
    from: &mut dyn Source,
    to: &mut dyn Target,
    progress: &dyn Fn(u64),
) -> Result<u64, CopyError> {
    let (mut after, mut copied) = (None, 0);
    loop {
        let mut rows = from.rows(table, after.as_ref(), PAGE_ROWS)?;
        if !rows.is_empty() {
            to.write(table, &rows)?;
        }
        copied += rows.len() as u64;
        progress(copied);
        if rows.len() < PAGE_ROWS {
            return Ok(copied);
        }
        after = rows.pop();
    }
}

/// Reads a table of both sides again and compares it row for row.
pub fn compare(
    table: &'static Table,
    from: &mut dyn Source,
    to: &mut dyn Source,
    progress: &dyn Fn(u64),
) -> Result<Option<Difference>, CopyError> {
    let (mut after, mut compared) = (None, 0);
    loop {
        let mut rows = from.rows(table, after.as_ref(), PAGE_ROWS)?;
        let others = to.rows(table, after.as_ref(), PAGE_ROWS)?;
        if let Some(place) = rows.iter().zip(&others).position(|(row, other)| row != other) {
            return Ok(Some(Difference::Row { table: table.name, row: compared + place as u64 + 1 }));
        }
        if rows.len() != others.len() {
            break;
        }
        compared += rows.len() as u64;
        progress(compared);
        if rows.len() < PAGE_ROWS {
            break;
        }
        after = rows.pop();
    }
    let (from, to) = (from.count(table)?, to.count(table)?);
    let is_same = from == compared && to == compared;
    Ok((!is_same).then_some(Difference::Count { table: table.name, from, to }))
}
