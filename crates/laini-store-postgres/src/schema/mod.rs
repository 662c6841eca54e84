//! The tables, as migrations: single statements, applied one by one.
//!
//! Owns what every release knows of the layout. Must never change a migration that was released, or
//! hold a statement that cannot be run again after a kill.

/// One step from a schema to the next.
pub(crate) struct Migration {
    files: &'static [&'static str],
    /// The oldest schema whose release works with these tables: nodes are replaced one after the other.
    pub(crate) compatible_from: usize,
}

pub(crate) const MIGRATIONS: &[Migration] = &[Migration {
    files: &[
        include_str!("accounts.sql"),
        include_str!("ledger.sql"),
        include_str!("nodes.sql"),
        include_str!("registry.sql"),
        include_str!("worlds.sql"),
    ],
    compatible_from: 1,
}];

impl Migration {
    /// Its statements; none of them holds a semicolon.
    pub(crate) fn statements(&self) -> Vec<&'static str> {
        let statements = self.files.iter().flat_map(|file| file.split(';'));
        statements.map(str::trim).filter(|statement| !is_blank(statement)).collect()
    }
}

/// Whether there is nothing but comments.
fn is_blank(statement: &str) -> bool {
    statement.lines().all(|line| line.trim().is_empty() || line.trim_start().starts_with("--"))
}
